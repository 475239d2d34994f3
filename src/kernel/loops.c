/* loops.c: joins loops that every access counts through as one, and chooses
 * which loop runs across the lanes. */
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
static bool join_outer(Sched *s, Kernel *k, int i)
{
    if (!joins(s, k, 0, k->nstage, i, k->extent[i + 1]))
        return false;
    rename_loops(s, k, 0, k->nstage, i);
    drop_extent(s, k->extent, &k->rank, i);
    return true;
}

static bool join_inner(Sched *s, Kernel *k, int t, int i)
{
    Stage *st = &k->stage[t];
    if (!joins(s, k, t, t + 1, k->rank + i, st->extent[i + 1]))
        return false;
    rename_loops(s, k, t, t + 1, k->rank + i);
    drop_extent(s, st->extent, &st->rank, i);
    return true;
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

/* How well an access suits lanes along v. One element after another is one
 * instruction; elements that lie apart are one each, far apart of a cache line
 * each. */
static int access_score(const Index *x, int v)
{
    static const int score[] = {
        [STRIDE_none] = 0,  [STRIDE_somewhere] = 1, [STRIDE_one] = 2,
        [STRIDE_near] = -2, [STRIDE_far] = -8,
    };
    return score[stride_along(x, v)];
}

static int stage_score(const Kernel *k, const Stage *st, int v)
{
    int score = 0;
    for (int i = st->first; i < st->first + st->ninstr; i++)
        if (k->instr[i].kind == I_load)
            score += access_score(k->instr[i].at, v);
    for (int i = 0; i < st->noutput; i++)
        if (st->output[i].at)
            score += access_score(st->output[i].at, v);
    return score;
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

/* What is computed between the outer loops and a stage's own is done one by one
 * where lanes are inside: the instructions which that is to one element of the
 * stage. */
static int outer_cost(const Kernel *k, const Stage *st)
{
    int64_t elements = 1, weight = 0, size;
    for (int i = 0; i < st->rank; i++)
        if (!dim_const_value(st->extent[i], &size) ||
            __builtin_mul_overflow(elements, size, &elements))
            return 0;
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_op && k->instr[i].level == k->rank)
            weight += op_table[k->instr[i].op]->weight;
    return elements > 0 ? (int)(weight / elements) : 0;
}

void lanes_inside(Kernel *k)
{
    k->lanes = false;
    for (int t = 0; t < k->nstage; t++) {
        Stage *st = &k->stage[t];
        st->lanes = st->rank > 0 && adds_apart(st, k->rank + st->rank - 1);
    }
}

/* Lanes on the last outer loop or on each stage's last: where more accesses
 * are contiguous. */
static void choose_lanes(Kernel *k, int fixed)
{
    int outer = 0, inner = 0, loops = 0;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        if (st->rank == 0)
            continue;
        loops++;
        outer += stage_score(k, st, k->rank - 1) + outer_cost(k, st);
        inner += stage_score(k, st, k->rank + st->rank - 1);
    }
    lanes_inside(k);
    if (k->rank > fixed && (loops == 0 || outer > inner)) {
        k->lanes = true;
        for (int t = 0; t < k->nstage; t++)
            k->stage[t].lanes = false;
    }
}

void shape_loops(Sched *s, Kernel *k, int fixed, int join)
{
    for (int i = fixed + join - 2; i >= fixed; i--)
        if (!join_outer(s, k, i))
            die("rows of a product do not join");
    int first = fixed + (join > 0);
    for (int i = k->rank - 2; i >= first; i--)
        join_outer(s, k, i);
    for (int t = 0; t < k->nstage; t++)
        for (int i = k->stage[t].rank - 2; i >= 0; i--)
            if (!has_choice(k))
                join_inner(s, k, t, i);
    bool flat = join && k->rank == fixed + 1 && k->stage[0].rank == 0;
    choose_lanes(k, flat ? fixed : first);
}
