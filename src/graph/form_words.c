/* form_words.c: what people write otherwise than programs: comparisons with a
 * number on their right, means. */
#include "graph/form_internal.h"

#include <string.h>

/* Comparisons */

/* The same with its sides exchanged. */
static const Shown *turned(const Shown *s)
{
    static const Shown greater = {FORM_compare, ">", ">", ">"};
    static const Shown least = {FORM_compare, ">=", "≥", "\\ge"};
    return strcmp(s->text, "<") == 0   ? &greater
           : strcmp(s->text, "≤") == 0 ? &least
                                       : s;
}

const Form *form_comparison(FormMaker *m, const Shown *shown, const Form *x,
                            const Form *y)
{
    bool turn = x->kind == FORM_number && y->kind != FORM_number;
    Forms two = {0};
    list_push(m->arena, &two, turn ? y : x);
    list_push(m->arena, &two, turn ? x : y);
    return form_list(m, FORM_compare, turn ? turned(shown) : shown, &two);
}

/* Means */

/* Is x a factor that the size is made of; a mark for each in `used`. */
static bool takes(const Form *size, const Forms *under, unsigned *used)
{
    if (size->kind == FORM_product) {
        for (int i = 0; i < size->narg; i++)
            if (!takes(size->arg[i], under, used))
                return false;
        return true;
    }
    for (int k = 0; k < under->n && k < 32; k++) {
        const Form *x = under->at[k];
        bool same = x->kind == FORM_number ? form_is_number(size, x->number)
                                           : form_alike(x, size);
        if (same && !(*used >> k & 1)) {
            *used |= 1U << k;
            return true;
        }
    }
    return false;
}

/* x of the elements x[i, j] for all i, j; or NULL. */
static const Form *all_of(const Form *over)
{
    const Form *x = over->arg[over->narg - 1];
    if (x->kind != FORM_at || x->narg != over->nvar + 1)
        return NULL;
    for (int i = 0; i < over->nvar; i++)
        if (!form_alike(x->arg[i + 1], over->arg[2 * i]))
            return NULL;
    return x->arg[0];
}

static const Form *mean_of(FormMaker *m, const Form *sum)
{
    static const Shown call = {FORM_call, "mean", "mean", NULL};
    static const Shown over = {FORM_over, "mean", "mean", NULL};
    const Form *x = all_of(sum);
    Form *f = arena_copy(
        m->arena, x ? form_make(m, FORM_call, &call, 1, &x) : sum, sizeof *f);
    f->rank = 0;
    if (!x)
        f->shown = &over;
    return f;
}

void form_average(FormMaker *m, Forms *over, Forms *under)
{
    for (int i = 0; i < over->n; i++) {
        const Form *f = over->at[i];
        unsigned used = 0;
        bool all = f->kind == FORM_over && !f->conditional &&
                   strcmp(f->shown->text, "Σ") == 0;
        for (int k = 0; all && k < f->nvar; k++)
            all = takes(f->arg[2 * k + 1], under, &used);
        if (!all)
            continue;
        over->at[i] = mean_of(m, f);
        int kept = 0;
        for (int k = 0; k < under->n; k++)
            if (k >= 32 || !(used >> k & 1))
                under->at[kept++] = under->at[k];
        under->n = kept;
    }
}
