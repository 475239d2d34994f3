/* loops.c: joins loops that every access counts through as one, and puts lanes
 * across one that is chosen. */
#include "choose/form.h"
#include "kernel/sched.h"

/* In the instructions and outputs of stages first … last - 1. */
static bool joins(Sched *s, const Kernel *k, int first, int last, int v,
                  const Dim *extent)
{
    for (int t = first; t < last; t++) {
        const Stage *st = &k->stage[t];
        for (int i = st->first; i < st->first + st->ninstr; i++)
            if (k->instr[i].at && !index_joins(s->g, k->instr[i].at, v, extent))
                return false;
        for (int i = 0; i < st->noutput; i++)
            if (st->output[i].at &&
                !index_joins(s->g, st->output[i].at, v, extent))
                return false;
    }
    return true;
}

/* Loops v and v + 1 are now v. */
static void rename_loops(Sched *s, Kernel *k, int first, int last, int v)
{
    const Index *to[4 * MAX_RANK];
    int n = 4 * MAX_RANK;
    index_extents(s->table, 0, NULL);
    for (int i = 0; i < n; i++)
        to[i] = index_var(s->table, i > v ? i - 1 : i);
    to[v] = index_int(s->table, 0);
    for (int t = first; t < last; t++) {
        Stage *st = &k->stage[t];
        for (int i = st->first; i < st->first + st->ninstr; i++) {
            Instr *x = &k->instr[i];
            if (x->at)
                x->at = index_rename(s->table, x->at, n, to);
            if (x->level > v + 1)
                x->level--;
        }
        for (int i = 0; i < st->noutput; i++)
            if (st->output[i].at)
                st->output[i].at =
                    index_rename(s->table, st->output[i].at, n, to);
    }
}

static void drop_extent(Sched *s, const Dim **extent, int *rank, int i)
{
    extent[i] = dim_mul(s->g, extent[i], extent[i + 1]);
    for (int k = i + 1; k + 1 < *rank; k++)
        extent[k] = extent[k + 1];
    (*rank)--;
}

/* Joins outer loop i with the next. */
static void join_outer(Sched *s, Kernel *k, int i)
{
    rename_loops(s, k, 0, k->nstage, i);
    drop_extent(s, k->extent, &k->rank, i);
}

static void join_inner(Sched *s, Kernel *k, int t, int i)
{
    rename_loops(s, k, t, t + 1, k->rank + i);
    drop_extent(s, k->stage[t].extent, &k->stage[t].rank, i);
}

bool can_join(Sched *s, const Kernel *k, int fixed, int join)
{
    /* Pairwise is enough: the coefficients of three loops are those of one
     * where those of each neighbouring two are. */
    for (int i = fixed; i + 1 < fixed + join; i++)
        if (!joins(s, k, 0, k->nstage, i, k->extent[i + 1]))
            return false;
    return true;
}

/* A stage's loops are numbered after the outer ones in any case. */
bool join_stage(Sched *s, Kernel *k, int fixed, int join, const Dim *columns)
{
    Stage *st = &k->stage[0], none = *st;
    if (k->nstage > 1 || dim_product(s->g, st->rank, st->extent) != columns)
        return false;
    Kernel whole = *k;
    whole.stage = &none;
    none.rank = 0;
    whole.rank += st->rank;
    whole.extent = NEWN(s->arena, const Dim *, whole.rank + 1);
    for (int i = 0; i < whole.rank; i++)
        whole.extent[i] = loop_extent(k, st, i);
    if (!can_join(s, &whole, fixed, join + st->rank))
        return false;
    *st = none;
    k->extent = whole.extent;
    k->rank = whole.rank;
    return true;
}

static bool has_choice(const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++)
            if (k->stage[t].output[i].index >= 0)
                return true;
    return false;
}

/* Lanes must not add to one element twice: loop v counts along an axis of the
 * result, and not of the index. */
static bool adds_apart(const Stage *st, int v)
{
    for (int i = 0; i < st->noutput; i++) {
        const Output *o = &st->output[i];
        if (o->kind == OUT_add && !index_coef(o->at, v))
            return false;
    }
    return true;
}

void lanes_inside(Kernel *k)
{
    k->lanes = false;
    for (int t = 0; t < k->nstage; t++) {
        Stage *st = &k->stage[t];
        st->lanes = st->rank > 0 && adds_apart(st, k->rank + st->rank - 1);
    }
}

void choose_lanes(Kernel *k, int fixed)
{
    lanes_inside(k);
    if (k->rank == fixed || !lanes_suit_outside(k))
        return;
    k->lanes = true;
    for (int t = 0; t < k->nstage; t++)
        k->stage[t].lanes = false;
}

/* Joins those that may be, unless that is not asked for. */
static void join_loops(Sched *s, Kernel *k, int first)
{
    Choice wanted = s->asked.join ? s->asked.join : CHOICE_yes;
    for (int i = k->rank - 2; i >= first; i--)
        if (joins(s, k, 0, k->nstage, i, k->extent[i + 1])) {
            k->form.join = wanted;
            if (wanted == CHOICE_yes)
                join_outer(s, k, i);
        }
    for (int t = 0; t < k->nstage && !has_choice(k); t++)
        for (int i = k->stage[t].rank - 2; i >= 0; i--)
            if (joins(s, k, t, t + 1, k->rank + i, k->stage[t].extent[i + 1])) {
                k->form.join = wanted;
                if (wanted == CHOICE_yes)
                    join_inner(s, k, t, i);
            }
}

void shape_loops(Sched *s, Kernel *k, int fixed, int join)
{
    if (!can_join(s, k, fixed, join))
        die("rows of a product do not join");
    for (int i = fixed + join - 2; i >= fixed; i--)
        join_outer(s, k, i);
    int first = fixed + (join > 0);
    join_loops(s, k, first);
    bool flat = join && k->rank == fixed + 1 && k->stage[0].rank == 0;
    choose_lanes(k, flat ? fixed : first);
}

Kernel *ragged_rows(Sched *s, const Kernel *k)
{
    Kernel *rows = arena_copy(s->arena, k, sizeof *k);
    bool any = false;
    rows->extent = arena_copy(s->arena, k->extent,
                              sizeof *k->extent * (size_t)(k->rank + 1));
    rows->instr =
        arena_copy(s->arena, k->instr, sizeof *k->instr * (size_t)k->ninstr);
    rows->stage =
        arena_copy(s->arena, k->stage, sizeof *k->stage * (size_t)k->nstage);
    for (int i = 0; i < rows->nstage; i++) {
        Stage *st = &rows->stage[i];
        st->output = arena_copy(s->arena, st->output,
                                sizeof *st->output * (size_t)st->noutput);
        any = ragged_places(s->table, s->scratch, rows, st) || any;
    }
    if (!any)
        return NULL;
    shape_loops(s, rows, 0, 0);
    lanes_inside(rows);
    for (int i = 0; i < rows->nstage; i++) {
        const Stage *st = &rows->stage[i];
        if (!st->lanes && st->rank > 0)
            return NULL;
        if (ragged_condition(k, &k->stage[i]) >= 0 &&
            ragged_condition(rows, st) < 0)
            return NULL;
    }
    return rows;
}
