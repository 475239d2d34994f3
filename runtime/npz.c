/* npz.c: many arrays in a zip file, as NumPy's savez writes them: members
 * NAME.npy; texts are members KEY.txt. */
#include "archive.h"
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MEMBER ((uint64_t)8 << 30)

bool nncc_is_npz(const unsigned char *start, size_t n)
{
    return n >= 4 &&
           (!memcmp(start, "PK\3\4", 4) || !memcmp(start, "PK\5\6", 4));
}

/* Reading */

typedef struct Archive {
    const char *path;
    nncc_zip zip;
    uint64_t packed; /* bytes of members so far */
    uint64_t file;   /* bytes of all of it */
    nncc_store *to;
} Archive;

static int damaged(const Archive *a, const char *name, const char *what)
{
    return nncc_fail(NN_ERR_DATA, "%s: '%s' %s", a->path, name, what);
}

/* Members that lie over each other are no archive of NumPy's. */
static int check_member(Archive *a, const nncc_member *m)
{
    a->packed += m->packed;
    if (a->packed > a->file || m->packed > a->file)
        return damaged(a, m->name, "overlaps others in the archive");
    if (m->size > MAX_MEMBER || nncc_is_bomb(m->size, m->packed))
        return damaged(a, m->name, "would unpack to more than is plausible");
    if (m->encrypted)
        return damaged(a, m->name, "is encrypted");
    return NN_OK;
}

/* All of a member and a 0. */
static int unpack(Archive *a, const nncc_member *m, nncc_bytes *b)
{
    b->at = nncc_alloc((size_t)m->size + 1, 1, m->name);
    if (!b->at)
        return NN_ERR_MEMORY;
    b->n = (size_t)m->size;
    const char *wrong = nncc_zip_unpack(&a->zip, m, b->at);
    return wrong ? damaged(a, m->name, wrong) : NN_OK;
}

/* The name without its ending; false where it has another. */
static bool stem(const char *name, const char *ending, nncc_text *to)
{
    size_t n = strlen(name), m = strlen(ending);

    if (n <= m || strcmp(name + n - m, ending) != 0)
        return false;
    nncc_text_printf(to, "%.*s", (int)(n - m), name);
    return !to->failed;
}

static int take_array(Archive *a, const char *name, const char *full,
                      const nncc_bytes *b)
{
    nncc_text place = {0};
    nncc_tensor *t = NULL;
    nncc_layout h;

    nncc_text_printf(&place, "%s: '%s'", a->path, full);
    int status =
        place.failed ? (int)NN_ERR_MEMORY : nncc_layout_read(place.at, b, &h);
    if (!status)
        status = nncc_layout_take(place.at, b, &h, &t);
    if (!status)
        status = nncc_store_put(a->to, name, t);
    nncc_tensor_free(t);
    free(place.at);
    return status;
}

static int take_member(Archive *a, const char *full, const nncc_bytes *b)
{
    nncc_text name = {0};
    int status;

    if (stem(full, ".npy", &name))
        status = take_array(a, name.at, full, b);
    else if (!stem(full, ".txt", &name))
        status = damaged(a, full, "is no array: expected NAME.npy");
    else if (memchr(b->at, 0, b->n))
        status = damaged(a, full, "is no text");
    else
        status = nncc_store_set_text(a->to, name.at, (const char *)b->at);
    free(name.at);
    return status;
}

static int bad_archive(const Archive *a, const char *what)
{
    return nncc_fail(NN_ERR_DATA, "%s: damaged .npz file: %s", a->path, what);
}

static int read_member(Archive *a)
{
    nncc_member m = {0};
    nncc_bytes b = {0};
    const char *wrong = nncc_zip_next(&a->zip, &m);
    int status = wrong ? bad_archive(a, wrong) : check_member(a, &m);

    if (!status)
        status = unpack(a, &m, &b);
    if (!status)
        status = take_member(a, m.name, &b);
    free(m.name);
    free(b.at);
    return status;
}

int nncc_npz_parse(const char *path, const nncc_bytes *b, nncc_store **out)
{
    Archive a = {.path = path, .file = b->n};
    const char *wrong = nncc_zip_open(&a.zip, b->at, b->n);
    int status = wrong ? bad_archive(&a, wrong) : nncc_store_new(&a.to);

    while (!status && a.zip.count > 0)
        status = read_member(&a);
    if (status)
        nncc_store_free(a.to);
    else
        *out = a.to;
    return status;
}

/* Writing */

/* Not packed, as savez does, so that others can map it; the same bytes always.
 */
static bool add_member(nncc_zipping *z, const char *name, const char *ending,
                       const void *bytes, size_t n)
{
    nncc_text full = {0};

    nncc_text_printf(&full, "%s%s", name, ending);
    if (!full.failed)
        nncc_zip_add(z, full.at, bytes, n);
    free(full.at);
    return !full.failed && !z->failed;
}

static int add_all(nncc_zipping *z, const nncc_store *s)
{
    const char *key, *value;
    void *bytes;
    size_t n;
    bool good = true;

    for (int64_t i = 0; i < nncc_store_count(s) && good; i++) {
        int status = nncc_array_bytes(nncc_store_tensor(s, i), &bytes, &n);
        if (status)
            return status;
        good = add_member(z, nncc_store_name(s, i), ".npy", bytes, n);
        free(bytes);
    }
    for (int64_t i = 0; (key = nncc_store_text_at(s, i, &value)) && good; i++)
        good = add_member(z, key, ".txt", value, strlen(value));
    return good ? NN_OK
                : nncc_fail(NN_ERR_MEMORY, "a .npz file cannot be made");
}

int nncc_store_npz(const nncc_store *s, void **bytes, size_t *n)
{
    nncc_zipping z = {0};

    if (!s || !bytes || !n)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_npz: null argument");
    int status = add_all(&z, s);
    z.failed = z.failed || status;
    nncc_zip_end(&z);
    if (!status && z.failed)
        status = nncc_fail(NN_ERR_MEMORY, "a .npz file cannot be made");
    if (status)
        return status;
    *bytes = z.file.at;
    *n = z.file.n;
    return NN_OK;
}
