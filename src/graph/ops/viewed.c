/* viewed.c: what views are and add up to, for the reference evaluator: row by
 * row, since a view that is inside at both ends of a row is so between them. */
#include "graph/ops/ops.h"

#include <string.h>

/* A map in numbers. */
typedef struct Places {
    View v;
    const int64_t *size, *whole; /* of the sides it goes from and to */
    int64_t coef[MAX_RANK], base[MAX_RANK];
} Places;

static Places places_of(EvalTensor *e, const Node *n, const int64_t *size,
                        const int64_t *whole)
{
    Places p = {.v = view_of(n), .size = size, .whole = whole};
    for (int j = 0; j < p.v.rank; j++)
        p.coef[j] = e->dim(e, p.v.coef[j]);
    for (int k = 0; k < p.v.from; k++)
        p.base[k] = e->dim(e, p.v.base[k]);
    return p;
}

/* Where element i goes along each axis, and an axis along which that is
 * outside; -1: none. */
static int place(const Places *p, int64_t i, int64_t *to)
{
    int64_t at[MAX_RANK];
    int k = 0;
    eval_unravel(i, p->v.rank, p->size, at);
    memcpy(to, p->base, sizeof *to * (size_t)p->v.from);
    for (int j = 0; j < p->v.rank; j++)
        if (p->v.axis[j] >= 0)
            to[p->v.axis[j]] += p->coef[j] * at[j];
    while (k < p->v.from && to[k] >= 0 && to[k] < p->whole[k])
        k++;
    return k < p->v.from ? k : -1;
}

/* Of the first element from i on that is outside: there is one. */
static void report_outside(EvalTensor *e, const Places *p, int64_t i)
{
    int64_t to[MAX_RANK];
    int k;
    while ((k = place(p, i, to)) < 0)
        i++;
    e->bad_index(e, to[k], p->whole[k]);
}

/* How far the next element of a row, along the last axis, is. */
static int64_t row_step(const Places *p)
{
    int last = p->v.rank - 1;
    int64_t step = last >= 0 && p->v.axis[last] >= 0 ? p->coef[last] : 0;
    for (int k = p->v.from - 1; step && k > p->v.axis[last]; k--)
        step *= p->whole[k];
    return step;
}

/* Calls move with a row's first element, n of them, where that goes and how far
 * the next ones do, for each row of which both ends, and so all, are inside;
 * the fault of others is reported. */
typedef void RowMove(EvalTensor *e, const Node *n, int64_t first, int64_t many,
                     int64_t to, int64_t step);

static void each_row(EvalTensor *e, const Node *n, const Places *p,
                     RowMove *move)
{
    int64_t all = eval_elements(p->v.rank, p->size), to[MAX_RANK],
            end[MAX_RANK];
    int64_t many = p->v.rank ? p->size[p->v.rank - 1] : 1, step = row_step(p);
    for (int64_t i = 0; i < all; i += many)
        if (place(p, i, to) < 0 && place(p, i + many - 1, end) < 0)
            move(e, n, i, many, eval_ravel(p->v.from, p->whole, to), step);
        else
            report_outside(e, p, i);
}

static void take_row(EvalTensor *e, const Node *n, int64_t first, int64_t many,
                     int64_t from, int64_t step)
{
    (void)n;
    for (int64_t i = 0; i < many; i++)
        e->out[first + i] = e->in[0][from + i * step];
}

void eval_view(EvalTensor *e, const Node *n)
{
    Places p = places_of(e, n, e->out_size, e->in_size[0]);
    each_row(e, n, &p, take_row);
}

static void put_row(EvalTensor *e, const Node *n, int64_t first, int64_t many,
                    int64_t to, int64_t step)
{
    (void)n;
    for (int64_t i = 0; i < many; i++)
        e->out[to + i * step] = e->in[0][first + i];
}

static void add_row(EvalTensor *e, const Node *n, int64_t first, int64_t many,
                    int64_t to, int64_t step)
{
    for (int64_t i = 0; i < many; i++)
        e->out[to + i * step] = eval_joined(
            e, OP_add, n->dtype, e->out[to + i * step], e->in[0][first + i]);
}

void eval_view_add(EvalTensor *e, const Node *n)
{
    Places p = places_of(e, n, e->in_size[0], e->out_size);
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++)
        e->out[i] = 0;
    each_row(e, n, &p, view_is_slice(&p.v) ? put_row : add_row);
}
