/* store.c: named tensors and texts. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    char *name;
    nncc_tensor tensor;
    nncc_bulk *file; /* where its numbers are instead, or NULL */
} Entry;

typedef struct Text {
    char *key, *value;
} Text;

struct nncc_store {
    Entry *entry;
    Text *text;
    int64_t nentry, ntext, entry_room, text_room;
};

int nncc_store_new(nncc_store **out)
{
    if (!out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_new: null argument");
    nncc_store *s = nncc_alloc(1, sizeof *s, "a store");
    if (!s)
        return NN_ERR_MEMORY;
    *out = s;
    return NN_OK;
}

void nncc_store_free(nncc_store *s)
{
    if (!s)
        return;
    for (int64_t i = 0; i < s->nentry; i++) {
        free(s->entry[i].name);
        free(s->entry[i].tensor.data);
        nncc_bulk_free(s->entry[i].file);
    }
    for (int64_t i = 0; i < s->ntext; i++) {
        free(s->text[i].key);
        free(s->text[i].value);
    }
    free(s->entry);
    free(s->text);
    free(s);
}

/* Room for one more of `size` bytes behind n at *at. */
static int make_room(void **at, int64_t n, int64_t *room, size_t size)
{
    if (n < *room)
        return NN_OK;
    int64_t more = 2 * *room + 16;
    void *to = realloc(*at, (size_t)more * size);
    if (!to)
        return nncc_fail_memory((size_t)more * size, "a store");
    *at = to;
    *room = more;
    return NN_OK;
}

static int add_entry(nncc_store *s, const char *name, const nncc_tensor *shape,
                     nncc_bulk *b)
{
    size_t bytes;
    Entry e = {.tensor = *shape, .file = b};
    void *at = s->entry;
    int status = nncc_tensor_count(shape, NULL, &bytes);
    if (!status)
        status = make_room(&at, s->nentry, &s->entry_room, sizeof e);
    s->entry = at;
    if (status)
        return status;
    e.name = nncc_strdup(name);
    e.tensor.data = b ? NULL : nncc_alloc_aligned(bytes, name);
    if (!e.name || (!b && !e.tensor.data)) {
        free(e.name);
        free(e.tensor.data);
        return NN_ERR_MEMORY;
    }
    s->entry[s->nentry++] = e;
    return NN_OK;
}

int nncc_store_add(nncc_store *s, const char *name, const nncc_tensor *shape,
                   nncc_tensor **out)
{
    int status = add_entry(s, name, shape, NULL);

    if (!status)
        *out = &s->entry[s->nentry - 1].tensor;
    return status;
}

int nncc_store_add_bulk(nncc_store *s, const char *name,
                        const nncc_tensor *shape, nncc_bulk *b)
{
    int status = add_entry(s, name, shape, b);

    if (status)
        nncc_bulk_free(b);
    return status;
}

nncc_bulk *nncc_store_bulk(const nncc_store *s, int64_t i)
{
    return s->entry[i].file;
}

int nncc_store_put(nncc_store *s, const char *name, const nncc_tensor *t)
{
    nncc_tensor *to;

    if (!s || !name || !t)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_put: null argument");
    if (nncc_store_find(s, name))
        return nncc_fail(NN_ERR_NAME, "'%s' is there already", name);
    int status = nncc_store_add(s, name, t, &to);
    if (status)
        return status;
    memcpy(to->data, t->data, nncc_tensor_bytes(t));
    return NN_OK;
}

int nncc_store_set_text(nncc_store *s, const char *key, const char *value)
{
    if (!s || !key || !value)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_set_text: null argument");
    char *copy = nncc_strdup(value);
    if (!copy)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < s->ntext; i++)
        if (strcmp(s->text[i].key, key) == 0) {
            free(s->text[i].value);
            s->text[i].value = copy;
            return NN_OK;
        }
    void *at = s->text;
    int status = make_room(&at, s->ntext, &s->text_room, sizeof *s->text);
    s->text = at;
    char *name = status ? NULL : nncc_strdup(key);
    if (!name) {
        free(copy);
        return NN_ERR_MEMORY;
    }
    s->text[s->ntext++] = (Text){name, copy};
    return NN_OK;
}

int64_t nncc_store_count(const nncc_store *s) { return s ? s->nentry : 0; }

const char *nncc_store_name(const nncc_store *s, int64_t i)
{
    return i >= 0 && i < nncc_store_count(s) ? s->entry[i].name : NULL;
}

const nncc_tensor *nncc_store_tensor(const nncc_store *s, int64_t i)
{
    return i >= 0 && i < nncc_store_count(s) ? &s->entry[i].tensor : NULL;
}

const nncc_tensor *nncc_store_find(const nncc_store *s, const char *name)
{
    for (int64_t i = 0; name && i < nncc_store_count(s); i++)
        if (strcmp(s->entry[i].name, name) == 0)
            return &s->entry[i].tensor;
    return NULL;
}

const char *nncc_store_text(const nncc_store *s, const char *key)
{
    for (int64_t i = 0; s && key && i < s->ntext; i++)
        if (strcmp(s->text[i].key, key) == 0)
            return s->text[i].value;
    return NULL;
}

const char *nncc_store_text_at(const nncc_store *s, int64_t i,
                               const char **value)
{
    if (!s || i < 0 || i >= s->ntext)
        return NULL;
    *value = s->text[i].value;
    return s->text[i].key;
}
