/* stored.c: values of the command line from files of arrays: .npy, .npz,
 * safetensors. */

#include "cli/cli.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <string.h>

bool stored_is(const char *path)
{
    static const char *const ending[] = {".npy", ".npz", ".safetensors"};
    bool is = false;

    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        is |= file_ends(path, ending[i]);
    return is;
}

/* Does an integer of that dtype hold v? */
static bool holds(int dtype, double v)
{
    double least = dtype == NN_I32 ? INT32_MIN : dtype == NN_I64 ? -0x1p63 : 0;
    double above = dtype == NN_BOOL  ? 2
                   : dtype == NN_U8  ? 256
                   : dtype == NN_I32 ? 0x1p31
                   : dtype == NN_KEY ? 0x1p64
                                     : 0x1p63;

    return v == floor(v) && v >= least && v < above;
}

/* A tensor of the leaf's dtype with the numbers of t. */
static bool converted(const char *name, const nn_leaf *leaf,
                      const nncc_tensor *t, nncc_tensor **to)
{
    if (nncc_tensor_new(leaf->dtype, t->rank, t->size, to) != NN_OK)
        return cli_failed();
    if (t->dtype == leaf->dtype) {
        tensor_copy(*to, t);
        return true;
    }
    for (int64_t i = 0; i < tensor_elements(t); i++) {
        double v = tensor_get(t, i);
        if (!tensor_is_real(*to) && !holds(leaf->dtype, v)) {
            cli_fail("%s: %g is not of type %s", name, v,
                     nncc_dtype_name(leaf->dtype));
            return false;
        }
        tensor_set(*to, i, v);
    }
    return true;
}

/* The names of what is there. */
static const char *names(Arena *a, const nncc_store *s)
{
    enum { MOST = 12 };
    int64_t n = nncc_store_count(s);
    Str all = str_new(a);

    for (int64_t i = 0; i < n && i < MOST; i++)
        str_printf(&all, "%s%s", i ? ", " : "", nncc_store_name(s, i));
    str_printf(&all, "%s", n > MOST ? ", …" : n ? "" : "nothing");
    return all.at;
}

/* The tensor of a leaf: by the parameter's name, or `of`, and its path; by its
 * path alone; or the only one, of what has one. */
static const nncc_tensor *find(Arena *a, const nncc_store *s, const nn_port *p,
                               const char *of, const char *path)
{
    const char *whole = of ? of : p->name;
    const nncc_tensor *t = nncc_store_find(
        s, *path ? arena_printf(a, "%s.%s", whole, path) : whole);

    if (!t && !of && *path)
        t = nncc_store_find(s, path);
    if (!t && !of && !*path && nncc_store_count(s) == 1)
        t = nncc_store_tensor(s, 0);
    if (!t)
        cli_fail("%s: there is no '%s%s%s'; there is %s", p->name, whole,
                 *path ? "." : "", path, names(a, s));
    return t;
}

static bool from_store(Arena *a, const nn_port *p, const nncc_store *s,
                       const char *of, nncc_tensor **leaf)
{
    bool good = true;

    for (int i = 0; i < p->nleaf && good; i++) {
        const char *path = p->leaf[i]->path;
        const nncc_tensor *t = find(a, s, p, of, path);
        const char *name =
            *path ? arena_printf(a, "%s.%s", p->name, path) : p->name;
        good = t && converted(name, p->leaf[i], t, &leaf[i]);
    }
    return good;
}

static bool from_array(const nn_port *p, const char *path, nncc_tensor **leaf)
{
    nncc_tensor *t;

    if (p->nleaf != 1 || *p->leaf[0]->path) {
        cli_fail("%s: %s holds one array, not %s", p->name, path, p->type);
        return false;
    }
    if (nncc_array_read(path, &t) != NN_OK)
        return cli_failed();
    bool good = converted(p->name, p->leaf[0], t, &leaf[0]);
    nncc_tensor_free(t);
    return good;
}

bool stored_read(Arena *a, const nn_port *p, const char *path, const char *of,
                 nncc_tensor **leaf)
{
    nncc_store *s;

    if (file_ends(path, ".npy"))
        return from_array(p, path, leaf);
    if (nncc_store_read(path, &s) != NN_OK)
        return cli_failed();
    bool good = from_store(a, p, s, of, leaf);
    nncc_store_free(s);
    return good;
}
