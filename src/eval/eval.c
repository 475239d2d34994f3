/* eval.c: the reference evaluator, node by node, each one when it is needed.
 *
 * Values are float64. Those of 64-bit integers and keys, which float64 cannot
 * hold, are kept as int64 too and computed with where the operator can. */
#include "eval/decide.h"
#include "graph/ops/ops.h"
#include "graph/region.h"

#include <string.h>

typedef struct Value Value;
struct Value {
    double *x;     /* NULL: not computed */
    int64_t *wide; /* the same, of DT_i64 and DT_key */
    const int64_t *size;
    int64_t count;
    Value *part; /* of a loop or call: its results; x is then not NULL */
};

typedef struct Run {
    EvalTensor e; /* first, so that callbacks find the rest */
    Arena *scratch;
    int nvar;
    const Dim *const *var;
    const int64_t *val;
    Reach reach;      /* from the roots, bodies too */
    Value *value;     /* by these numbers; the last: of what nothing reads */
    int64_t elements; /* of all values there are */
    bool rounded;     /* see EvalHow */
    EvalDecisions *decisions; /* or NULL */
    const Node *now;          /* being evaluated */
    EvalStop stop;
    EvalStatus status;
} Run;

/* Of all values; few enough for sizes not to overflow. */
static const int64_t most_elements = INT64_C(1) << 28;

static Value *value_at(const Run *r, const Node *n)
{
    int i = reach_number(&r->reach, n);
    return &r->value[i >= 0 ? i : r->reach.n];
}

static void fail(Run *r, EvalStatus s)
{
    if (r->status == EVAL_OK)
        r->status = s;
}

static void bad_index(EvalTensor *e, int64_t index, int64_t limit)
{
    Run *r = (Run *)(void *)e;
    if (r->status == EVAL_OK)
        r->stop = (EvalStop){r->now, index, limit};
    fail(r, EVAL_BAD_INDEX);
}

static int64_t dim_value(EvalTensor *e, const Dim *d)
{
    Run *r = (Run *)(void *)e;
    int64_t v = 0;
    if (!dim_eval(d, r->nvar, r->var, r->val, &v))
        fail(r, EVAL_BAD_DIM);
    return v;
}

static int64_t wrapped_value(EvalTensor *e, const Dim *d)
{
    Run *r = (Run *)(void *)e;
    int64_t v = 0;
    if (!dim_wrapped(d, r->nvar, r->var, r->val, &v))
        fail(r, EVAL_BAD_DIM);
    return v;
}

/* Sizes and room for a value of n's type. */
static bool room(Run *r, const Node *n, Value *v)
{
    int64_t *size = NEWN(r->scratch, int64_t, n->rank);
    v->count = 1;
    for (int i = 0; i < n->rank; i++) {
        size[i] = dim_value(&r->e, n->dim[i]);
        if (size[i] < 0 ||
            __builtin_mul_overflow(v->count, size[i], &v->count) ||
            v->count > most_elements)
            fail(r, EVAL_BAD_DIM);
        if (r->status == EVAL_BAD_DIM)
            return false;
    }
    r->elements += v->count;
    if (r->elements > most_elements) {
        fail(r, EVAL_BAD_DIM);
        return false;
    }
    v->size = size;
    v->x = NEWN(r->scratch, double, v->count);
    if (n->dtype == DT_i64 || n->dtype == DT_key)
        v->wide = NEWN(r->scratch, int64_t, v->count);
    return true;
}

static bool allocate(Run *r, const Node *n)
{
    return room(r, n, value_at(r, n));
}

static int64_t wide_at(const Value *v, int64_t i)
{
    return v->wide ? v->wide[i] : int_of_real(v->x[i]);
}

/* x is known, wide follows. */
static void widen(Value *v)
{
    for (int64_t i = 0; v->wide && i < v->count; i++)
        v->wide[i] = v->x[i] >= 0x1p63
                         ? INT64_MAX
                         : (int64_t)dtype_convert(DT_f64, DT_i64, v->x[i]);
}

/* Every other one up by its last bit, the others down. */
static void round_otherwise(Value *v)
{
    for (int64_t i = 0; i < v->count; i++)
        v->x[i] *= 1 + (i % 2 ? -0x1p-52 : 0x1p-52);
}

/* Is its result rounded: a product that is added may be so together with the
 * sum. */
static bool is_rounded(const Op *row)
{
    return row->flags & (OP_LINEAR_EACH | OP_LINEAR_FIRST | OP_COSTLY);
}

static void ewise(Run *r, const Node *n)
{
    const Op *row = op_table[n->op];
    Value *v = value_at(r, n), *arg[3];
    bool real = dtype_is_real(n->dtype) || !row->eval_int;
    for (int k = 0; k < n->narg; k++) {
        arg[k] = value_at(r, n->arg[k]);
        real = real || dtype_is_real(n->arg[k]->dtype);
    }
    for (int64_t i = 0; i < v->count; i++) {
        double x[3];
        int64_t w[3];
        for (int k = 0; k < n->narg; k++) {
            x[k] = arg[k]->x[i];
            w[k] = real ? 0 : wide_at(arg[k], i);
        }
        if (!real) {
            w[0] = dtype_wrap(n->dtype, row->eval_int(w));
            v->x[i] = (double)w[0];
            if (v->wide)
                v->wide[i] = w[0];
        } else
            v->x[i] = dtype_is_real(n->dtype)
                          ? op_eval(row, x)
                          : dtype_fit(n->dtype, op_eval(row, x));
    }
    if (r->rounded && dtype_is_real(n->dtype) && is_rounded(row))
        round_otherwise(v);
    if (real)
        widen(v);
}

/* A cast of 64-bit integers to integers keeps or drops bits. */
static bool is_wide_cast(const Run *r, const Node *n)
{
    return n->op == OP_cast && value_at(r, n->arg[0])->wide &&
           !dtype_is_real(n->dtype);
}

static void wide_cast(Run *r, const Node *n)
{
    Value *v = value_at(r, n);
    const int64_t *from = value_at(r, n->arg[0])->wide;
    for (int64_t i = 0; i < v->count; i++) {
        int64_t w = dtype_wrap(n->dtype, from[i]);
        v->x[i] = (double)w;
        if (v->wide)
            v->wide[i] = w;
    }
}

/* Wide elements go through views, gathers and sums as the bytes of doubles. */
static void move_wide(Run *r, const Node *n)
{
    Value *v = value_at(r, n);
    const double **in = NEWN(r->scratch, const double *, n->narg);
    double *out = NEWN(r->scratch, double, v->count);
    for (int k = 0; k < n->narg; k++) {
        const Value *a = value_at(r, n->arg[k]);
        in[k] = a->wide && k < (op_table[n->op]->cls == OPC_index ? 1 : n->narg)
                    ? arena_copy(r->scratch, a->wide,
                                 sizeof *a->wide * (size_t)a->count)
                    : a->x;
    }
    r->now = n;
    r->e.in = in;
    r->e.out = out;
    r->e.wide = true;
    op_table[n->op]->eval_tensor(&r->e, n);
    r->e.wide = false;
    if (v->count)
        memcpy(v->wide, out, sizeof *out * (size_t)v->count);
    for (int64_t i = 0; i < v->count; i++)
        v->x[i] = (double)v->wide[i];
}

/* r->e is of n. */
static void turn_to(Run *r, const Node *n)
{
    Value *v = value_at(r, n);
    const double **in = NEWN(r->scratch, const double *, n->narg);
    const int64_t **size = NEWN(r->scratch, const int64_t *, n->narg);
    for (int k = 0; k < n->narg; k++) {
        in[k] = value_at(r, n->arg[k])->x;
        size[k] = value_at(r, n->arg[k])->size;
    }
    r->now = n;
    r->e.out = v->x;
    r->e.out_size = v->size;
    r->e.in = in;
    r->e.in_size = size;
}

static void tensor(Run *r, const Node *n)
{
    const Op *row = op_table[n->op];
    Value *v = value_at(r, n);
    turn_to(r, n);
    row->eval_tensor(&r->e, n);
    if (r->rounded && (row->cls == OPC_reduce || row->cls == OPC_contract) &&
        dtype_is_real(n->dtype))
        round_otherwise(v);
    if (v->wide && (row->cls == OPC_view || row->cls == OPC_index ||
                    row->cls == OPC_reduce))
        move_wide(r, n);
    else
        widen(v);
    if (n->op == OP_const && v->wide)
        v->wide[0] = n->attr.integer;
}

/* The argument to compute before n, or NULL when all are there. Of an `if` only
 * the branch taken is wanted. */
static Node *wanted(const Run *r, const Node *n)
{
    bool select = op_table[n->op]->cls == OPC_select;
    for (int k = 0; k < n->narg; k++) {
        if (!value_at(r, n->arg[k])->x)
            return n->arg[k];
        if (select) {
            Node *branch = n->arg[value_at(r, n->arg[0])->x[0] != 0 ? 1 : 2];
            return value_at(r, branch)->x ? NULL : branch;
        }
    }
    return NULL;
}

static void demand(Run *r, Node *root);

/* Regions. The nodes of a body have their places among all values; what is
 * there is put aside while the body is computed. */

typedef struct Body {
    const Region *r;
    Value *aside; /* of r->body */
    Node **result;
    int nresult;
} Body;

static Body body_enter(Run *r, const Region *region)
{
    Body b = {.r = region, .nresult = region_nresult(region)};
    b.aside = NEWN(r->scratch, Value, region->nbody);
    b.result = NEWN(r->scratch, Node *, b.nresult + 1);
    region_results(region, b.result);
    for (int i = 0; i < region->nbody; i++)
        b.aside[i] = *value_at(r, region->body[i]);
    return b;
}

static void body_clear(Run *r, const Body *b)
{
    for (int i = 0; i < b->r->nbody; i++)
        *value_at(r, b->r->body[i]) = (Value){0};
}

static void body_leave(Run *r, const Body *b)
{
    for (int i = 0; i < b->r->nbody; i++)
        *value_at(r, b->r->body[i]) = b->aside[i];
}

static void copy_value(const Value *to, int64_t at, const Value *from)
{
    if (from->count == 0)
        return;
    memcpy(to->x + at, from->x, sizeof *to->x * (size_t)from->count);
    if (to->wide)
        memcpy(to->wide + at, from->wide,
               sizeof *to->wide * (size_t)from->count);
}

/* Element t along the first axis. */
static Value row_of(const Value *v, int64_t t)
{
    Value row = {.size = v->size + 1, .count = v->count / v->size[0]};
    row.x = v->x + t * row.count;
    row.wide = v->wide ? v->wide + t * row.count : NULL;
    return row;
}

static void set_int(Run *r, const Node *n, int64_t i)
{
    Value *v = value_at(r, n);
    if (allocate(r, n)) {
        v->x[0] = (double)i;
        if (v->wide)
            v->wide[0] = i;
    }
}

typedef struct Loop {
    Body body;
    Value *arg, *output;     /* output: stacked */
    Value *carry, *carry_to; /* before and after a step */
    int64_t made;
} Loop;

/* The parameters of step t. */
static void bind(Run *r, const Loop *l, int64_t t)
{
    const Region *b = l->body.r;
    body_clear(r, &l->body);
    set_int(r, b->index, t);
    for (int i = 0; i < b->ncarry; i++)
        *value_at(r, b->carry[i]) = l->carry[i];
    for (int i = 0; i < b->ninput; i++) {
        const Value *v = &l->arg[b->ncarry + i];
        *value_at(r, b->input[i]) = row_of(v, t);
    }
    for (int i = 0; i < b->ncapture; i++)
        *value_at(r, b->capture[i]) = l->arg[b->ncarry + b->ninput + i];
}

static bool stops(Run *r, const Region *b)
{
    if (b->until)
        demand(r, b->until);
    return r->status == EVAL_BAD_DIM ||
           (b->until && value_at(r, b->until)->x[0] != 0);
}

/* The results of a step are there: keep them. */
static void step_end(Run *r, Loop *l, int64_t t)
{
    const Region *b = l->body.r;
    Value *carry = l->carry;
    for (int i = 0; i < b->ncarry; i++)
        copy_value(&l->carry_to[i], 0, value_at(r, b->next[i]));
    for (int i = 0; i < b->noutput; i++) {
        const Value *v = value_at(r, b->output[i]);
        copy_value(&l->output[i], t * v->count, v);
    }
    l->carry = l->carry_to;
    l->carry_to = carry;
    l->made++;
}

/* False: the step is not made. What it computes is freed at its end. */
static bool step(Run *r, Loop *l, int64_t t)
{
    Arena *outer = r->scratch;
    int64_t elements = r->elements;
    r->scratch = arena_new();
    bind(r, l, t);
    bool go = !stops(r, l->body.r);
    for (int i = 0; go && i < l->body.r->ncarry + l->body.r->noutput; i++) {
        demand(r, l->body.result[i]);
        go = r->status != EVAL_BAD_DIM;
    }
    if (go)
        step_end(r, l, t);
    arena_free(r->scratch);
    r->scratch = outer;
    r->elements = elements;
    return go;
}

static int64_t steps_wanted(Run *r, const Loop *l, const Node *n)
{
    int64_t most = dim_value(&r->e, l->body.r->trips);
    if (!l->body.r->counted)
        return most;
    int64_t count = wide_at(&l->arg[n->narg - 1], 0);
    return count < most ? count : most;
}

/* Room for an output of all steps; zeros. */
static bool stack_room(Run *r, const Region *b, const Node *output, Value *v)
{
    const Dim *dim[MAX_RANK] = {b->trips};
    Node like = *output;
    for (int i = 0; i < output->rank; i++)
        dim[i + 1] = output->dim[i];
    like.rank++;
    like.dim = dim;
    return room(r, &like, v);
}

static bool loop_begin(Run *r, Loop *l, Value *part)
{
    const Region *b = l->body.r;
    l->carry = NEWN(r->scratch, Value, b->ncarry);
    l->carry_to = NEWN(r->scratch, Value, b->ncarry);
    l->output = part + b->ncarry;
    for (int i = 0; i < b->ncarry; i++) {
        if (!room(r, b->carry[i], &l->carry[i]) ||
            !room(r, b->carry[i], &l->carry_to[i]))
            return false;
        copy_value(&l->carry[i], 0, &l->arg[i]);
    }
    for (int i = 0; i < b->noutput; i++)
        if (!stack_room(r, b, b->output[i], &l->output[i]))
            return false;
    return true;
}

static Value *args_of(Run *r, const Node *n)
{
    Value *arg = NEWN(r->scratch, Value, n->narg);
    for (int i = 0; i < n->narg; i++)
        arg[i] = *value_at(r, n->arg[i]);
    return arg;
}

static void loop(Run *r, const Node *n)
{
    const Region *b = n->attr.region;
    Value *part = NEWN(r->scratch, Value, region_nparts(b));
    Loop l = {.body = body_enter(r, b), .arg = args_of(r, n)};
    int64_t wanted_steps = steps_wanted(r, &l, n);
    bool go = loop_begin(r, &l, part);
    for (int64_t k = 0; go && k < wanted_steps; k++)
        go = step(r, &l, b->reverse ? wanted_steps - 1 - k : k);
    body_leave(r, &l.body);
    if (r->status == EVAL_BAD_DIM)
        return;
    if (r->decisions && b->until && l.made == wanted_steps)
        decide_unfinished(r->decisions);
    for (int i = 0; i < b->ncarry; i++)
        part[i] = l.carry[i];
    Node steps = {.dtype = DT_i64};
    Value *made = &part[b->ncarry + b->noutput];
    room(r, &steps, made);
    made->x[0] = (double)(made->wide[0] = l.made);
    value_at(r, n)->part = part;
}

static void call(Run *r, const Node *n)
{
    const Region *b = n->attr.region;
    Value *part = NEWN(r->scratch, Value, region_nparts(b)), *arg;
    Body body = body_enter(r, b);
    arg = args_of(r, n);
    body_clear(r, &body);
    for (int i = 0; i < n->narg; i++)
        *value_at(r, b->capture[i]) = arg[i];
    for (int i = 0; i < b->noutput && r->status != EVAL_BAD_DIM; i++) {
        demand(r, b->output[i]);
        part[i] = *value_at(r, b->output[i]);
    }
    body_leave(r, &body);
    value_at(r, n)->part = part;
}

static void follow_decision(Run *r, const Node *n)
{
    const Value *v = value_at(r, n);
    Decided d = {n, &r->e, v->count, v->wide};
    turn_to(r, n);
    decide(r->decisions, &d);
}

static void compute(Run *r, const Node *n)
{
    const Op *row = op_table[n->op];
    if (!allocate(r, n))
        return;
    if (n->op == OP_loop)
        loop(r, n);
    else if (n->op == OP_call)
        call(r, n);
    else if (is_wide_cast(r, n))
        wide_cast(r, n);
    else if (row->eval_tensor)
        tensor(r, n);
    else if (op_has_eval(row) || row->eval_int)
        ewise(r, n);
    else
        die("no reference value of %s", row->name);
    if (r->decisions && !node_has_region(n))
        follow_decision(r, n);
}

static void finish(Run *r, const Node *n)
{
    const Value *first = n->narg ? value_at(r, n->arg[0]) : NULL;
    if (op_table[n->op]->cls == OPC_select)
        *value_at(r, n) = *value_at(r, n->arg[first->x[0] != 0 ? 1 : 2]);
    else if (n->op == OP_part)
        *value_at(r, n) = first->part[n->attr.integer];
    else
        compute(r, n);
}

static void demand(Run *r, Node *root)
{
    LIST(Node *) stack = {0};
    list_push(r->scratch, &stack, root);
    while (stack.n && r->status != EVAL_BAD_DIM) {
        Node *n = stack.at[stack.n - 1];
        Node *next = value_at(r, n)->x ? NULL : wanted(r, n);
        if (next) {
            list_push(r->scratch, &stack, next);
            continue;
        }
        if (!value_at(r, n)->x)
            finish(r, n);
        stack.n--;
    }
}

static Run run_begin(const Graph *g, int nroot, Node *const *root, int nvar,
                     const Dim *const *var, const int64_t *val)
{
    Run r = {.nvar = nvar, .var = var, .val = val};
    r.e.dim = dim_value;
    r.e.wrapped = wrapped_value;
    r.e.bad_index = bad_index;
    r.scratch = arena_new();
    r.reach = reach_enter(g, r.scratch, 0, true, nroot, root);
    r.value = NEWN(r.scratch, Value, r.reach.n + 1);
    return r;
}

static EvalStatus run_end(Run *r, EvalStop *stop)
{
    reach_leave(&r->reach);
    arena_free(r->scratch);
    if (stop)
        *stop = r->stop;
    return r->status;
}

static void load_input(Run *r, const EvalInput *in)
{
    Value *v = value_at(r, in->param);
    *v = (Value){0}; /* what nothing reads shares one */
    if (allocate(r, in->param) && v->count)
        memcpy(v->x, in->data, sizeof *v->x * (size_t)v->count);
    widen(v);
}

EvalStatus eval_as(Arena *a, const Graph *g, int nroot, Node *const *root,
                   int ninput, const EvalInput *input, int nvar,
                   const Dim *const *var, const int64_t *val,
                   const EvalHow *how, double **out)
{
    Run r = run_begin(g, nroot, root, nvar, var, val);
    r.rounded = how->rounded;
    r.decisions = how->decisions;
    if (r.decisions)
        decisions_again(r.decisions);
    for (int i = 0; i < ninput && r.status == EVAL_OK; i++)
        load_input(&r, &input[i]);
    for (int i = 0; i < nroot && r.status != EVAL_BAD_DIM; i++)
        demand(&r, root[i]);
    for (int i = 0; i < nroot && r.status != EVAL_BAD_DIM; i++) {
        const Value *v = value_at(&r, root[i]);
        out[i] = arena_copy(a, v->x, sizeof *v->x * (size_t)v->count);
    }
    return run_end(&r, how->stop);
}

static EvalValue kept_value(Arena *a, const Node *n, const Value *v)
{
    EvalValue to = {.count = v->count};
    to.x = arena_copy(a, v->x, sizeof *v->x * (size_t)v->count);
    to.size = arena_copy(a, v->size, sizeof *v->size * (size_t)n->rank);
    if (v->wide)
        to.wide = arena_copy(a, v->wide, sizeof *v->wide * (size_t)v->count);
    return to;
}

EvalStatus eval_value(Arena *a, const Graph *g, Node *root, int nbound,
                      const EvalBound *bound, int nvar, const Dim *const *var,
                      const int64_t *val, EvalValue *out, EvalStop *stop)
{
    Run r = run_begin(g, 1, &root, nvar, var, val);
    for (int i = 0; i < nbound; i++) {
        const EvalValue *v = bound[i].value;
        *value_at(&r, bound[i].param) = (Value){
            .x = v->x, .wide = v->wide, .size = v->size, .count = v->count};
    }
    demand(&r, root);
    if (r.status != EVAL_BAD_DIM)
        *out = kept_value(a, root, value_at(&r, root));
    return run_end(&r, stop);
}

EvalStatus eval_nodes(Arena *a, const Graph *g, int nroot, Node *const *root,
                      int ninput, const EvalInput *input, int nvar,
                      const Dim *const *var, const int64_t *val, double **out)
{
    return eval_as(a, g, nroot, root, ninput, input, nvar, var, val,
                   &(EvalHow){.rounded = false}, out);
}
