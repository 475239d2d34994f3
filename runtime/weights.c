/* weights.c: what is trained, to stores and from them. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

/* "net.hidden.W" behind a prefix, or without "net." */
static const char *leaf_key(const nncc_block *b, int l, const char *prefix,
                            bool bare, nncc_text *to)
{
    const char *path = b->port->leaf[l]->path;

    to->n = 0;
    if (bare)
        nncc_text_printf(to, "%s%s", prefix, path);
    else
        nncc_text_printf(to, "%s%s%s%s", prefix, b->port->name,
                         *path ? "." : "", path);
    return to->failed ? NULL : to->at;
}

int nncc_weights_put(const nncc_block *b, const char *prefix, const void **copy,
                     nncc_store *s)
{
    nncc_text key = {0};
    int status = NN_OK;

    for (int l = 0; l < b->port->nleaf && !status; l++) {
        nncc_tensor t = b->leaf[l];
        if (copy) {
            memcpy(&t.data, copy, sizeof t.data); /* is only read */
            *copy = (const char *)*copy + nncc_tensor_bytes(&t);
        }
        const char *name = leaf_key(b, l, prefix, false, &key);
        status = name ? nncc_store_put(s, name, &t) : (int)NN_ERR_MEMORY;
    }
    free(key.at);
    return status;
}

static void tell_shape(const nncc_tensor *t, nncc_text *to)
{
    nncc_text_printf(to, "%s[", nncc_dtype_name(t->dtype));
    for (int k = 0; k < t->rank; k++)
        nncc_text_printf(to, "%s%lld", k ? ", " : "", (long long)t->size[k]);
    nncc_text_printf(to, "]");
}

/* What the store has of leaf l; NULL where it has none. */
static const nncc_tensor *find_leaf(const nncc_take *k, const nncc_block *b,
                                    int l, nncc_text *key)
{
    const nncc_tensor *t = NULL;

    if (k->bare && leaf_key(b, l, k->prefix, true, key))
        t = nncc_store_find(k->s, key->at);
    if (!t && leaf_key(b, l, k->prefix, false, key))
        t = nncc_store_find(k->s, key->at);
    return t;
}

void nncc_take_check(nncc_take *k, const nncc_block *b)
{
    nncc_text key = {0};

    for (int l = 0; l < b->port->nleaf; l++) {
        const nncc_tensor *have = find_leaf(k, b, l, &key), *want = &b->leaf[l];
        if (key.failed)
            k->wrong.failed = true;
        else if (!have)
            nncc_text_printf(&k->missing, "%s\n", key.at);
        else
            k->found++;
        if (!have ||
            (nncc_same_shape(have, want) &&
             (have->dtype == want->dtype ||
              (nncc_is_real(have->dtype) && nncc_is_real(want->dtype)))))
            continue;
        nncc_text_printf(&k->wrong, "%s'%s' is ", k->wrong.n ? "; " : "",
                         key.at);
        tell_shape(have, &k->wrong);
        nncc_text_printf(&k->wrong, ", here ");
        tell_shape(want, &k->wrong);
    }
    free(key.at);
}

static void copy_reals(const nncc_tensor *from, nncc_tensor *to)
{
    int64_t n = 0;
    double v;

    nncc_tensor_count(from, &n, NULL);
    for (int64_t i = 0; i < n; i++) {
        nncc_load_numbers(from->dtype, from->data, i, 1, &v);
        nncc_store_numbers(to->dtype, to->data, i, 1, &v);
    }
}

void nncc_take_copy(const nncc_take *k, nncc_block *b)
{
    nncc_text key = {0};

    for (int l = 0; l < b->port->nleaf; l++) {
        const nncc_tensor *have = find_leaf(k, b, l, &key);
        nncc_tensor *to = &b->leaf[l];
        if (!have)
            continue;
        if (have->dtype == to->dtype)
            memcpy(to->data, have->data, nncc_tensor_bytes(to));
        else
            copy_reals(have, to);
    }
    free(key.at);
}

int nncc_take_back(const nncc_take *k, const nncc_block *b, void **copy)
{
    nncc_text key = {0};
    char *to = *copy;

    for (int l = 0; l < b->port->nleaf; l++) {
        const nncc_tensor *have = find_leaf(k, b, l, &key);
        size_t bytes = nncc_tensor_bytes(&b->leaf[l]);
        if (!have || have->dtype != b->leaf[l].dtype ||
            !nncc_same_shape(have, &b->leaf[l])) {
            free(key.at);
            return nncc_fail(NN_ERR_DATA, "its best state is not whole");
        }
        memcpy(to, have->data, bytes);
        to += bytes;
    }
    free(key.at);
    *copy = to;
    return NN_OK;
}

void nncc_take_free(nncc_take *k)
{
    free(k->missing.at);
    free(k->wrong.at);
}

/* Is the block part of the model: not what a step keeps for itself, the last of
 * what it overwrites. */
static bool is_model(const nncc_trainer *t, const nncc_block *b)
{
    const nn_function *f = b->of;
    int last = -1, n = 0;

    for (int i = 0; i < f->nresult; i++)
        if (f->result[i]->in_place >= 0) {
            n++;
            last =
                f->result[i]->in_place > last ? f->result[i]->in_place : last;
        }
    return b == t->block || b->held || n < 2 || f->param[last] != b->port;
}

int nncc_params_store(nncc_model *m, const char *name, nncc_store *s)
{
    if (!m || !s)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_params_store: null argument");
    nncc_block *b;
    int status = nncc_model_block(m, name, &b);
    if (status)
        return status;
    const nncc_trainer *t = m->trainer;
    for (int i = 0; i < t->nblock && !status; i++)
        if (name ? &t->block[i] == b : is_model(t, &t->block[i]))
            status = nncc_weights_put(&t->block[i], "", NULL, s);
    return status ? status : nncc_fit_write(t->fit, s);
}

static int load_failed(const nncc_take *k)
{
    if (k->wrong.failed || k->missing.failed)
        return NN_ERR_MEMORY;
    return k->wrong.n
               ? nncc_fail(NN_ERR_SHAPE, "another model's: %s", k->wrong.at)
               : NN_OK;
}

static bool has_fields(const nncc_store *s, const nncc_block *b)
{
    nncc_take k = {.s = s, .prefix = "", .bare = true};

    nncc_take_check(&k, b);
    bool has = k.found > 0;
    nncc_take_free(&k);
    return has;
}

/* Says what is there, and what was looked for. */
static int nothing_found(const nncc_store *s, const nncc_block *b)
{
    enum { MOST = 8 };
    const nn_port *p = b->port;
    int64_t n = nncc_store_count(s);
    nncc_text have = {0}, want = {0};

    for (int64_t i = 0; i < n && i < MOST; i++)
        nncc_text_printf(&have, "%s%s", i ? ", " : "", nncc_store_name(s, i));
    for (int l = 0; l < p->nleaf && l < MOST && *p->leaf[l]->path; l++)
        nncc_text_printf(&want, "%s%s", l ? ", " : ": ", p->leaf[l]->path);
    int status =
        nncc_fail(NN_ERR_NAME,
                  "there is nothing of '%s'%s%s; its tensors are called %s%s%s",
                  p->name, want.at ? want.at : "", p->nleaf > MOST ? ", …" : "",
                  have.at ? have.at : "nothing", n > MOST ? ", …" : "",
                  has_fields(s, b) ? ": of its fields, if it is said what they "
                                     "are of (--load NAME=FILE)"
                                   : "");
    free(have.at);
    free(want.at);
    return status;
}

/* Looks at what there is for block b; what is missing of the model is told. */
static int check_block(const nncc_trainer *t, nncc_take *all,
                       const nncc_block *b)
{
    nncc_take k = {.s = all->s, .prefix = "", .bare = all->bare};

    nncc_take_check(&k, b);
    int status = k.found || all->bare ? load_failed(&k) : NN_OK;
    if (is_model(t, b)) {
        all->found += k.found;
        if (k.missing.n)
            nncc_text_printf(&all->missing, "%s", k.missing.at);
    }
    nncc_take_free(&k);
    return status;
}

/* Of `name` alone, or of all that there is something of. */
int nncc_load(nncc_model *m, const char *name, const nncc_store *s,
              char **missing)
{
    if (!m || !s)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_load: null argument");
    nncc_block *one;
    int status = nncc_model_block(m, name, &one);
    if (status)
        return status;
    nncc_trainer *t = m->trainer;
    nncc_take k = {.s = s, .prefix = "", .bare = name != NULL};
    int first = name ? (int)(one - t->block) : 0;
    int end = name ? first + 1 : t->nblock;
    for (int i = first; i < end && !status; i++)
        status = check_block(t, &k, &t->block[i]);
    if (!status && k.found == 0 && is_model(t, one))
        status = nothing_found(s, one);
    for (int i = first; i < end && !status; i++)
        nncc_take_copy(&k, &t->block[i]);
    if (!status && missing) {
        *missing = k.missing.at;
        k.missing.at = NULL;
    }
    nncc_take_free(&k);
    return status;
}
