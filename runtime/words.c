/* words.c: texts numbered as they come, then sorted: names of classes and
 * categories. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

/* FNV-1a */
static uint32_t hash_text(const char *s)
{
    uint32_t h = 2166136261u;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

/* The slot that has the word, or in which it would be. */
static uint32_t find_slot(const nncc_words *w, const char *text)
{
    uint32_t at = hash_text(text) & (w->nslot - 1);

    while (w->slot[at] && strcmp(w->word[w->slot[at] - 1], text) != 0)
        at = (at + 1) & (w->nslot - 1);
    return at;
}

/* Twice as many slots, which are at most half full. */
static int make_slots(nncc_words *w)
{
    uint32_t n = w->nslot ? 2 * w->nslot : FIRST_SLOTS;
    int32_t *slot = nncc_alloc(n, sizeof *slot, "words");
    char **word = realloc(w->word, n / 2 * sizeof *word);

    w->word = word ? word : w->word;
    if (!slot || !word) {
        free(slot);
        return nncc_fail_memory(n * sizeof *slot, "words");
    }
    free(w->slot);
    w->slot = slot;
    w->nslot = n;
    for (int32_t i = 0; i < w->n; i++)
        slot[find_slot(w, w->word[i])] = i + 1;
    return NN_OK;
}

int32_t nncc_words_find(const nncc_words *w, const char *text)
{
    return w->nslot ? w->slot[find_slot(w, text)] - 1 : -1;
}

int nncc_words_add(nncc_words *w, const char *text, int32_t *number)
{
    *number = nncc_words_find(w, text);
    if (*number >= 0)
        return NN_OK;
    int status = 2 * (uint32_t)w->n == w->nslot ? make_slots(w) : NN_OK;
    char *copy = status ? NULL : nncc_strdup(text);
    if (!copy)
        return NN_ERR_MEMORY;
    *number = w->n;
    w->word[w->n++] = copy;
    w->slot[find_slot(w, copy)] = w->n;
    return NN_OK;
}

typedef struct Word {
    char *text;
    double value;
    int32_t number;
} Word;

static int by_text(const void *a, const void *b)
{
    return strcmp(((const Word *)a)->text, ((const Word *)b)->text);
}

static int by_value(const void *a, const void *b)
{
    const Word *v = a, *w = b;

    return v->value < w->value ? -1 : v->value > w->value ? 1 : by_text(a, b);
}

int nncc_words_sort(nncc_words *w, int32_t **place)
{
    Word *sorted = nncc_alloc((size_t)w->n, sizeof *sorted, "words");
    bool numbers = true;

    *place = nncc_alloc((size_t)w->n, sizeof **place, "words");
    if (!sorted || !*place) {
        free(sorted);
        free(*place);
        return NN_ERR_MEMORY;
    }
    for (int32_t i = 0; i < w->n; i++) {
        sorted[i] = (Word){w->word[i], 0, i};
        numbers &= nncc_number(w->word[i], &sorted[i].value) == NNCC_NUMBER;
    }
    qsort(sorted, (size_t)w->n, sizeof *sorted, numbers ? by_value : by_text);
    for (int32_t i = 0; i < w->n; i++) {
        w->word[i] = sorted[i].text;
        (*place)[sorted[i].number] = i;
    }
    free(sorted);
    free(w->slot);
    w->slot = NULL;
    w->nslot = 0;
    return NN_OK;
}

void nncc_words_free(nncc_words *w)
{
    for (int32_t i = 0; i < w->n; i++)
        free(w->word[i]);
    free(w->word);
    free(w->slot);
    *w = (nncc_words){0};
}
