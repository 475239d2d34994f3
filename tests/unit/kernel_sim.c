/* kernel_sim.c: an interpreter of schedules.
 *
 * Reals are float64, integers int64. Each buffer element of the workspace is a
 * cell at its byte address, so buffers that share memory disturb each other
 * here as they would there. Outer loops run backwards, for their order must
 * not matter; instructions run as far out as their level says, and loops end
 * where ragged_condition() ends them. */
#include "kernel_sim.h"
#include "graph/ops/ops.h"

#include <math.h>
#include <string.h>

typedef struct Num {
    double d;
    int64_t i;
} Num;

typedef struct Cell {
    Num v;
    int size; /* bytes of the element written here; 0: none */
} Cell;

typedef struct Sim Sim;

/* Where a leaf of a loop's body is. */
typedef struct Bind {
    Num *own; /* a scalar of the loop's; NULL: */
    Sim *of;  /* elements of a buffer around it */
    const Buffer *buffer;
    int64_t first;
} Bind;

struct Sim {
    Arena *arena;
    const Schedule *s;
    int nvar;
    const Dim *const *var;
    const int64_t *val;
    double *const *leaf;
    Bind *bind; /* by leaf, in a loop's body; else NULL */
    Cell *work;
    int64_t workspace;
    bool **set; /* by buffer: elements written of results' leaves */
    SimStatus status;
    const char *why;
};

/* One kernel being run. */
typedef struct Frame {
    Sim *sim;
    const Kernel *k;
    Num *value;
    Num *result; /* of reductions */
    int64_t *position;
    int64_t i[4 * MAX_RANK];
    int64_t lo[MAX_RANK + 1], hi[MAX_RANK + 1]; /* of the outer loops */
} Frame;

static void broken(Sim *m, const char *why, const Buffer *b, int64_t at)
{
    if (m->status != SIM_BROKEN)
        m->why = arena_printf(m->arena, "%s: buffer %d at %lld", why,
                              b ? b->id : -1, (long long)at);
    m->status = SIM_BROKEN;
}

static int64_t size_of(Sim *m, const Dim *d)
{
    int64_t v = 0;
    if (!dim_eval(d, m->nvar, m->var, m->val, &v))
        broken(m, "a dimension has no value", NULL, 0);
    return v;
}

static Num num(DType t, double d)
{
    return (Num){d, dtype_is_real(t) ? 0 : int_of_real(d)};
}

static Num num_int(int64_t i) { return (Num){(double)i, i}; }

static Cell *cell(Sim *m, const Buffer *b, int64_t at)
{
    int64_t byte = size_of(m, b->offset) + at * dtype_size(b->dtype);
    if (byte < 0 || byte + dtype_size(b->dtype) > m->workspace) {
        broken(m, "outside of the workspace", b, at);
        return m->work;
    }
    return &m->work[byte];
}

static bool inside(Sim *m, const Buffer *b, int64_t at)
{
    if (at >= 0 && at < size_of(m, b->elements))
        return true;
    if (m->status != SIM_BAD_INDEX) /* else nothing is done there */
        broken(m, "out of bounds", b, at);
    return false;
}

static Num load(Sim *m, const Buffer *b, int64_t at)
{
    Num none = {0, 0};
    if (!inside(m, b, at))
        return none;
    if (b->kind == BUF_DATA)
        return num(b->dtype, b->node->attr.data[at]);
    if (b->kind == BUF_LEAF && m->bind) {
        const Bind *d = &m->bind[b->leaf];
        return d->own ? *d->own : load(d->of, d->buffer, d->first + at);
    }
    if (b->kind == BUF_LEAF) {
        if (m->set[b->id] && !m->set[b->id][at])
            broken(m, "not written yet", b, at);
        return num(b->dtype, m->leaf[b->leaf][at]);
    }
    const Cell *c = cell(m, b, at);
    if (c->size != dtype_size(b->dtype)) {
        if (b->dtype != DT_bool) /* flags of branches not taken */
            broken(m, "not written yet", b, at);
        return none;
    }
    return c->v;
}

static void wipe(Sim *m, int64_t byte, int size)
{
    for (int64_t k = byte - 7; k < byte + size; k++)
        if (k >= 0 && (k >= byte || k + m->work[k].size > byte))
            m->work[k].size = 0;
}

static void store(Sim *m, const Buffer *b, int64_t at, Num v)
{
    if (!inside(m, b, at))
        return;
    if (b->kind == BUF_LEAF && m->bind) {
        const Bind *d = &m->bind[b->leaf];
        if (d->own)
            *d->own = v;
        else
            store(d->of, d->buffer, d->first + at, v);
        return;
    }
    if (b->kind == BUF_LEAF) {
        m->leaf[b->leaf][at] = dtype_is_real(b->dtype) ? v.d : (double)v.i;
        if (m->set[b->id])
            m->set[b->id][at] = true;
        return;
    }
    Cell *c = cell(m, b, at);
    wipe(m, c - m->work, dtype_size(b->dtype));
    *c = (Cell){v, dtype_size(b->dtype)};
}

/* Rounds down; by 0 gives 0. */
static int64_t quotient(int64_t a, int64_t b)
{
    if (b == 0)
        return 0;
    int64_t q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static int64_t index_at(Frame *f, const Index *x)
{
    Sim *m = f->sim;
    int64_t sum = size_of(m, x->base);
    for (int i = 0; i < x->n; i++) {
        const Atom *a = &x->atom[i];
        int64_t v = 0;
        switch (a->kind) {
        case IX_var:
            v = f->i[a->var];
            break;
        case IX_value:
            v = f->value[a->value].i;
            break;
        case IX_div:
            v = quotient(index_at(f, a->of), size_of(m, a->by));
            break;
        case IX_mod: {
            int64_t of = index_at(f, a->of), by = size_of(m, a->by);
            v = by ? of - quotient(of, by) * by : 0;
            break;
        }
        }
        sum += v * size_of(m, x->coef[i]);
    }
    return sum;
}

static bool is_true(Num v) { return v.i != 0; }

static Num apply(Sim *m, OpId op, DType t, const Node *n, const DType *from,
                 int narg, const Num *arg)
{
    const Op *row = op_table[op];
    double x[3] = {0};
    int64_t w[3] = {0};
    bool real = dtype_is_real(t) || !row->eval_int;
    for (int i = 0; i < narg; i++) {
        x[i] = arg[i].d;
        w[i] = arg[i].i;
        real = real || dtype_is_real(from[i]);
    }
    if (op == OP_const)
        return dtype_is_real(t) ? num(t, n->attr.real)
                                : num_int(n->attr.integer);
    if (op == OP_dim) {
        int64_t v = size_of(m, n->attr.dims[0]);
        return dtype_is_real(t) ? num(t, dim_number(n, v)) : num_int(v);
    }
    if (op == OP_where)
        return is_true(arg[0]) ? arg[1] : arg[2];
    if (op == OP_cast)
        return dtype_is_real(from[0]) || dtype_is_real(t)
                   ? num(t, dtype_convert(from[0], t, x[0]))
                   : num_int(dtype_wrap(t, w[0]));
    if (op == OP_index_check) {
        if (w[0] >= 0 && w[0] < size_of(m, n->attr.dims[0]))
            return arg[0];
        if (check_asked(n) && size_of(m, check_asked(n)) == 0)
            return num_int(0);
        if (m->status == SIM_OK && !(n->attr.integer == MASKED_INDEX &&
                                     (double)w[0] == never_asked(t)))
            m->status = SIM_BAD_INDEX;
        return num_int(0);
    }
    if (!real)
        return num_int(dtype_wrap(t, row->eval_int(w)));
    return dtype_is_real(t) ? num(t, op_eval(row, x))
                            : num(t, dtype_fit(t, op_eval(row, x)));
}

static void execute(Frame *f, int i)
{
    const Instr *x = &f->k->instr[i];
    Num arg[3], *to = &f->value[i];
    DType from[3];
    switch (x->kind) {
    case I_op:
        for (int j = 0; j < x->narg; j++) {
            arg[j] = f->value[x->arg[j]];
            from[j] = f->k->instr[x->arg[j]].dtype;
        }
        *to = apply(f->sim, x->op, x->dtype, x->node, from, x->narg, arg);
        break;
    case I_load:
        *to = (Num){0, 0};
        if (x->pred < 0 || is_true(f->value[x->pred]))
            *to = load(f->sim, x->buffer, index_at(f, x->at));
        break;
    case I_index:
        *to = dtype_is_real(x->dtype)
                  ? num(x->dtype, (double)index_at(f, x->at))
                  : num_int(index_at(f, x->at));
        break;
    case I_result:
        *to = f->result[x->value];
        break;
    }
}

static void execute_level(Frame *f, const Stage *st, int level)
{
    for (int i = st->first; i < st->first + st->ninstr; i++)
        if (f->k->instr[i].level == level)
            execute(f, i);
}

static void reduce(Frame *f, const Output *o, int r, DType t)
{
    Num v = f->value[o->value], *acc = &f->result[r];
    if (o->index >= 0) {
        bool first = f->position[r] < 0;
        bool better = o->op == OP_argmax ? v.d > acc->d : v.d < acc->d;
        if (first || (!isnan(acc->d) && (isnan(v.d) || better))) {
            *acc = v;
            f->position[r] = f->value[o->index].i;
        }
        return;
    }
    Num pair[2] = {*acc, v};
    DType from[2] = {t, t};
    *acc = apply(f->sim, op_table[o->op]->join(), t, NULL, from, 2, pair);
}

static void outputs(Frame *f, const Stage *st)
{
    int r = st->reduction;
    for (int i = 0; i < st->noutput; i++) {
        const Output *o = &st->output[i];
        if (o->kind == OUT_reduce) {
            reduce(f, o, r++, f->k->instr[o->value].dtype);
            continue;
        }
        if (o->pred >= 0 && !is_true(f->value[o->pred]))
            continue;
        int64_t at = index_at(f, o->at);
        Num v = f->value[o->value];
        if (o->kind == OUT_add) {
            Num old = load(f->sim, o->buffer, at);
            DType t = o->buffer->dtype;
            v = dtype_is_real(t) ? num(t, old.d + v.d)
                                 : num_int(dtype_wrap(t, old.i + v.i));
        }
        store(f->sim, o->buffer, at, v);
    }
}

static void run_inner(Frame *f, const Stage *st, int depth)
{
    if (depth == st->rank) {
        outputs(f, st);
        return;
    }
    int64_t n = size_of(f->sim, st->extent[depth]);
    int var = f->k->rank + depth;
    int ragged = depth + 1 == st->rank ? ragged_condition(f->k, st) : -1;
    if (ragged >= 0) {
        int64_t end = f->value[f->k->instr[ragged].arg[1]].i;
        n = end < n ? end : n;
    }
    for (f->i[var] = 0; f->i[var] < n; f->i[var]++) {
        execute_level(f, st, var + 1);
        run_inner(f, st, depth + 1);
    }
}

static void start(Frame *f, const Stage *st)
{
    int r = st->reduction;
    for (int i = 0; i < st->noutput; i++) {
        const Output *o = &st->output[i];
        if (o->kind != OUT_reduce)
            continue;
        DType t = f->k->instr[o->value].dtype;
        double v = op_table[o->op]->start;
        f->result[r] =
            dtype_is_real(t) ? num(t, v) : num(t, dtype_convert(DT_f64, t, v));
        f->position[r++] = -1;
    }
}

static void finish(Frame *f, const Stage *st)
{
    int r = st->reduction;
    for (int i = 0; i < st->noutput; i++) {
        if (st->output[i].kind != OUT_reduce)
            continue;
        if (st->output[i].index >= 0)
            f->result[r] = num_int(f->position[r] < 0 ? 0 : f->position[r]);
        r++;
    }
}

static void run_outer(Frame *f, int depth)
{
    const Kernel *k = f->k;
    if (depth == k->rank) {
        for (int t = 0; t < k->nstage; t++) {
            const Stage *st = &k->stage[t];
            if (depth > 0)
                execute_level(f, st, depth);
            start(f, st);
            run_inner(f, st, 0);
            finish(f, st);
            if (depth == 0 && t + 1 < k->nstage)
                execute_level(f, &k->stage[t + 1], 0);
        }
        return;
    }
    for (f->i[depth] = f->hi[depth] - 1; f->i[depth] >= f->lo[depth];
         f->i[depth]--) {
        for (int t = 0; t < k->nstage && depth + 1 < k->rank; t++)
            execute_level(f, &k->stage[t], depth + 1);
        run_outer(f, depth + 1);
    }
}

/* A map kernel whose first nfixed loops stay at at[], the next in lo … hi-1. */
static void run_map(Sim *m, const Kernel *k, int nfixed, const int64_t *at,
                    int64_t lo, int64_t hi)
{
    Frame f = {.sim = m, .k = k};
    f.value = NEWN(m->arena, Num, k->ninstr + 1);
    f.result = NEWN(m->arena, Num, k->ninstr + k->nstage + 1);
    f.position = NEWN(m->arena, int64_t, k->ninstr + k->nstage + 1);
    for (int i = 0; i < k->rank; i++) {
        int64_t n = size_of(m, k->extent[i]);
        f.lo[i] = i < nfixed ? at[i] : 0;
        f.hi[i] = i < nfixed ? at[i] + 1 : n;
        if (n <= 0)
            return;
    }
    if (at) {
        f.lo[nfixed] = lo;
        f.hi[nfixed] = hi;
    }
    for (int t = 0; t < k->nstage && k->rank > 0; t++)
        execute_level(&f, &k->stage[t], 0);
    if (k->rank == 0 && k->nstage)
        execute_level(&f, &k->stage[0], 0);
    run_outer(&f, 0);
}

static void spoil(Sim *m, const Buffer *b)
{
    int64_t n = size_of(m, b->elements);
    for (int64_t i = 0; i < n; i++)
        store(m, b, i, (Num){(double)NAN, -1});
}

/* Sets variables first … last to number i of what they count. */
static void count_loops(Frame *f, int first, int last, int64_t i)
{
    for (int v = last; v >= first; v--) {
        int64_t size = size_of(f->sim, loop_extent(f->k, f->k->stage, v));
        f->i[v] = i % size;
        i /= size;
    }
}

static void product_row(Sim *m, const Kernel *of, const int64_t *at,
                        int64_t row)
{
    const Contract *c = of->contract;
    Frame f = {.sim = m, .k = of};
    int64_t n = size_of(m, c->n), k = size_of(m, c->k);
    for (int i = 0; i < c->nbatch; i++)
        f.i[i] = at[i];
    count_loops(&f, c->nbatch, loop_m(c), row);
    for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        f.i[loop_n(c)] = j;
        for (int64_t i = 0; i < k; i++) {
            count_loops(&f, loop_n(c) + 1, loop_k(c), i);
            sum += load(m, c->a->buffer, index_at(&f, c->a->at)).d *
                   load(m, c->b->buffer, index_at(&f, c->b->at)).d;
        }
        store(m, c->out->buffer, index_at(&f, c->out->at), (Num){sum, 0});
    }
}

static void product_block(Sim *m, const Kernel *k, const int64_t *at)
{
    enum { ROWS = 2 };
    const Contract *c = k->contract;
    int64_t rows = size_of(m, c->m), unit = c->flat ? size_of(m, c->n) : 1;
    if (c->pack_a)
        spoil(m, c->pack_a);
    if (c->pack)
        spoil(m, c->pack);
    if (c->totals)
        spoil(m, c->totals);
    for (int64_t row = 0; row < rows; row += ROWS) {
        int64_t end = row + ROWS < rows ? row + ROWS : rows;
        for (int64_t r = row; r < end; r++)
            product_row(m, k, at, r);
        if (k->epilogue)
            run_map(m, k->epilogue, c->nbatch, at, row * unit, end * unit);
    }
}

static void run_contract(Sim *m, const Kernel *k)
{
    const Contract *c = k->contract;
    int64_t at[MAX_RANK + 1] = {0}, size[MAX_RANK];
    for (int i = 0; i < c->nbatch; i++) {
        size[i] = size_of(m, k->extent[i]);
        if (size[i] <= 0)
            return;
    }
    for (int i = 0; i >= 0;) {
        product_block(m, k, at);
        for (i = c->nbatch - 1; i >= 0; i--) {
            if (++at[i] < size[i])
                break;
            at[i] = 0;
        }
    }
}

/* Does the element at i stand before that at j. */
static bool stands_before(Sim *m, const Sort *x, int64_t i, int64_t j)
{
    Num a = load(m, x->in, i), b = load(m, x->in, j);
    if (dtype_is_real(x->in->dtype)) {
        bool none = isnan(a.d) || isnan(b.d);
        if (none && isnan(a.d) != isnan(b.d))
            return isnan(b.d);
        if (none || a.d == b.d)
            return i < j;
        return x->descending ? a.d > b.d : a.d < b.d;
    }
    if (a.i == b.i)
        return i < j;
    return x->descending ? a.i > b.i : a.i < b.i;
}

/* An element's place is how many stand before it. */
static void run_sort(Sim *m, const Sort *x)
{
    int64_t rows = size_of(m, x->rows), n = size_of(m, x->n);
    int64_t count = size_of(m, x->count);
    if (x->work)
        spoil(m, x->work);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) {
            int64_t at = 0;
            for (int64_t j = 0; j < n; j++)
                at += stands_before(m, x, r * n + j, r * n + i);
            if (at < count)
                store(m, x->out, r * count + at, num_int(i));
        }
}

/* By the row's own evaluation. */
static void run_routine(Sim *m, const RoutineCall *r)
{
    int64_t size[ROUTINE_INPUTS][3], rows = size_of(m, r->rows);
    int64_t out_size[] = {rows, size_of(m, r->out_size), 1};
    const int64_t *in_size[ROUTINE_INPUTS];
    const double *in[ROUTINE_INPUTS];
    int64_t n = rows * out_size[1];
    if (r->work)
        spoil(m, r->work);
    for (int i = 0; i < r->nin; i++) {
        size[i][0] = rows;
        size[i][1] = size_of(m, r->size[2 * i]);
        size[i][2] = size_of(m, r->size[2 * i + 1]);
        int64_t count = rows * size[i][1] * size[i][2];
        double *x = NEWN(m->arena, double, count + 1);
        for (int64_t k = 0; k < count; k++)
            x[k] = load(m, r->in[i], k).d;
        in[i] = x;
        in_size[i] = size[i];
    }
    Node like = {.op = r->op, .rank = 3, .narg = r->nin};
    like.attr.integer = r->how;
    EvalTensor e = {.out = NEWN(m->arena, double, n + 1),
                    .out_size = out_size,
                    .in = in,
                    .in_size = in_size};
    op_table[r->op]->eval_tensor(&e, &like);
    for (int64_t k = 0; k < n; k++)
        store(m, r->out, k, (Num){.d = e.out[k]});
}

static bool guarded(Sim *m, const Kernel *k)
{
    for (int i = 0; i < k->nguard; i++)
        if (is_true(load(m, k->guard[i], 0)) != k->when[i])
            return false;
    return true;
}

static int param_leaves(const Function *f)
{
    int n = 0;
    for (int i = 0; i < f->nparam; i++)
        n += f->param[i].nleaf;
    return n;
}

static void prepare(Sim *m)
{
    int nparam = param_leaves(m->s->function);
    m->workspace = size_of(m, m->s->workspace);
    m->work = NEWN(m->arena, Cell, m->workspace + 8);
    m->set = NEWN(m->arena, bool *, m->s->buffer.n + 1);
    for (int i = 0; i < m->s->buffer.n; i++) {
        const Buffer *b = m->s->buffer.at[i];
        if (b->kind == BUF_LEAF && b->leaf >= nparam && !m->bind)
            m->set[i] = NEWN(m->arena, bool, size_of(m, b->elements) + 1);
    }
}

static void run_kernels(Sim *m, int first, int last);

/* Loops. */

/* One step of the body or of the check. */
typedef struct Step {
    Sim sim;
    const Buffer *work;
    int first; /* kernel; the first step runs all */
} Step;

static Step step_new(Sim *m, const Schedule *s, const Buffer *work)
{
    const Function *f = s->function;
    Step p = {.sim = *m, .work = work};
    p.sim.s = s;
    p.sim.bind = NEWN(m->arena, Bind, f->nparam + f->nresult + 1);
    prepare(&p.sim);
    return p;
}

static void step_run(Sim *m, Step *p)
{
    if (p->work)
        spoil(m, p->work);
    if (p->sim.s->ninvariant == 0)
        memset(p->sim.work, 0,
               sizeof *p->sim.work * (size_t)(p->sim.workspace + 8));
    run_kernels(&p->sim, p->first, p->sim.s->kernel.n);
    p->first = p->sim.s->ninvariant;
    if (p->sim.status != SIM_OK && m->status != SIM_BROKEN) {
        m->status = p->sim.status;
        m->why = p->sim.why;
    }
    p->sim.status = SIM_OK;
}

/* Leaves of step t, the made-th; carries that turn are in `other` after an odd
 * number of steps. */
static void step_bind(Sim *m, const LoopKernel *l, Step *p, Num *index,
                      int64_t t, int64_t made)
{
    Bind *b = p->sim.bind;
    *b++ = (Bind){.own = index};
    for (int i = 0; i < l->ncarry; i++) {
        const LoopCarry *c = &l->carry[i];
        *b++ = (Bind){NULL, m, c->other && made % 2 ? c->other : c->buffer, 0};
    }
    for (int i = 0; i < l->ninput; i++)
        *b++ = (Bind){NULL, m, l->input[i], t * size_of(m, l->input_row[i])};
    for (int i = 0; i < l->ncapture; i++)
        *b++ = (Bind){NULL, m, l->capture[i], 0};
}

static void step_bind_results(Sim *m, const LoopKernel *l, Step *p, int64_t t,
                              int64_t made)
{
    Bind *b = p->sim.bind + 1 + l->ncarry + l->ninput + l->ncapture;
    for (int i = 0; i < l->ncarry; i++) {
        const LoopCarry *c = &l->carry[i];
        *b++ = (Bind){NULL, m, c->other && made % 2 == 0 ? c->other : c->buffer,
                      0};
    }
    for (int i = 0; i < l->noutput; i++)
        *b++ = (Bind){NULL, m, l->output[i], t * size_of(m, l->output_row[i])};
}

static void loop_end(Sim *m, const LoopKernel *l, int64_t made, int64_t trips)
{
    for (int i = 0; i < l->ncarry; i++) {
        const LoopCarry *c = &l->carry[i];
        for (int64_t k = 0;
             c->other && made % 2 && k < size_of(m, c->buffer->elements); k++)
            store(m, c->buffer, k, load(m, c->other, k));
    }
    for (int i = 0; i < l->noutput; i++) {
        int64_t row = size_of(m, l->output_row[i]);
        for (int64_t k = made * row; k < trips * row; k++)
            store(m, l->output[i], k, num_int(0));
    }
    if (l->steps)
        store(m, l->steps, 0, num_int(made));
}

static void run_loop(Sim *m, const LoopKernel *l)
{
    int64_t trips = size_of(m, l->trips), most = trips, made = 0;
    Num index = num_int(0), stop = num_int(0);
    Step body = step_new(m, l->body, l->work), check = {.work = NULL};
    if (l->count) {
        int64_t n = load(m, l->count, 0).i;
        most = n < 0 ? 0 : n < most ? n : most;
    }
    if (l->check)
        check = step_new(m, l->check, l->check_work);
    for (; made < most && m->status == SIM_OK; made++) {
        int64_t t = l->reverse ? most - 1 - made : made;
        index = num_int(t);
        if (l->check) {
            step_bind(m, l, &check, &index, t, made);
            check.sim.bind[l->check->function->nparam].own = &stop;
            step_run(m, &check);
            if (is_true(stop))
                break;
        }
        step_bind(m, l, &body, &index, t, made);
        step_bind_results(m, l, &body, t, made);
        step_run(m, &body);
    }
    loop_end(m, l, made, trips);
}

static void run_kernels(Sim *m, int first, int last)
{
    for (int i = first; i < last; i++) {
        const Kernel *k = m->s->kernel.at[i];
        if (!guarded(m, k))
            continue;
        switch (k->kind) {
        case KERNEL_map:
            run_map(m, k, 0, NULL, 0, 0);
            break;
        case KERNEL_contract:
            run_contract(m, k);
            break;
        case KERNEL_sort:
            run_sort(m, k->sort);
            break;
        case KERNEL_routine:
            run_routine(m, k->routine);
            break;
        case KERNEL_loop:
            run_loop(m, k->loop);
            break;
        }
    }
}

SimStatus sim_run(Arena *a, const Schedule *s, int nvar, const Dim *const *var,
                  const int64_t *val, double *const *leaf, const char **why)
{
    Sim m = {
        .arena = a, .s = s, .nvar = nvar, .var = var, .val = val, .leaf = leaf};
    prepare(&m);
    run_kernels(&m, 0, s->kernel.n);
    *why = m.why;
    return m.status;
}
