/* inline.c: instructions that compute a value in place.
 *
 * A value is a node at an index under a predicate (an instruction that says
 * whether the element exists at all, or -1). Each is computed once in a stage;
 * what a stage without loops computed serves later ones too. The graph is
 * walked with a stack of our own. */
#include "kernel/fold.h"

#include <string.h>

typedef struct Key {
    uint64_t w[4];
} Key;

typedef struct Known {
    Key key;
    int instr, stage;
} Known;

typedef struct Value {
    Node *n;
    const Vec *v;
    int pred;
    bool compute; /* though it has a buffer */
} Value;

struct Inline {
    Sched *s;
    const Nest *nest; /* NULL: all buffers are foreign */
    int rank, stage;
    bool folds; /* numbers that are known are computed here */
    LIST(Instr) instr;
    LIST(bool) straight; /* by stage: has no loops */
    LIST(Read) read;
    LIST(Value) stack;
    Map numbers; /* of what is known, by key */
    LIST(Known) known;
};

Inline *inline_new(Sched *s)
{
    Inline *in = NEW(s->scratch, Inline);
    in->s = s;
    return in;
}

void inline_begin(Inline *in, const Nest *nest, int rank)
{
    map_clear(&in->numbers);
    in->known.n = in->instr.n = in->read.n = in->straight.n = 0;
    in->nest = nest;
    in->rank = rank;
    in->folds = false;
    inline_stage(in, 0, 1);
}

void inline_unroll(Inline *in) { in->folds = true; }

void inline_stage(Inline *in, int stage, int rank)
{
    in->stage = stage;
    while (in->straight.n <= stage)
        list_push(in->s->scratch, &in->straight, false);
    in->straight.at[stage] = rank == 0;
}

int inline_count(const Inline *in) { return in->instr.n; }

int inline_weight(const Inline *in)
{
    int weight = 0;
    for (int i = 0; i < in->instr.n; i++) {
        const Instr *x = &in->instr.at[i];
        weight += instr_weight(x);
    }
    return weight;
}

const Instr *inline_instr(const Inline *in) { return in->instr.at; }

int inline_reads(const Inline *in, const Read **read)
{
    *read = in->read.at;
    return in->read.n;
}

/* The table of what is known. */

static uint64_t key_hash(const Key *key)
{
    uint64_t h = HASH_SEED;
    for (int i = 0; i < 4; i++)
        h = hash_mix(h, key->w[i]);
    return h;
}

static Known *find_known(const Inline *in, const Key *key)
{
    uint64_t h = key_hash(key);
    size_t seen = 0;
    for (int i; (i = map_next_int(&in->numbers, h, &seen)) >= 0;)
        if (memcmp(&in->known.at[i].key, key, sizeof *key) == 0)
            return &in->known.at[i];
    return NULL;
}

static int known(const Inline *in, const Key *key)
{
    const Known *k = find_known(in, key);
    bool valid = k && (k->stage == in->stage || in->straight.at[k->stage]);
    return valid ? k->instr : -1;
}

static void know(Inline *in, const Key *key, int instr)
{
    Known now = {*key, instr, in->stage}, *k = find_known(in, key);
    if (k) {
        *k = now;
        return;
    }
    map_put_int(in->s->scratch, &in->numbers, key_hash(key), in->known.n);
    list_push(in->s->scratch, &in->known, now);
}

static uint64_t word(const void *p) { return (uint64_t)(uintptr_t)p; }

static Key value_key(const Node *n, const Vec *v, int pred)
{
    Key k = {{UINT64_C(1) << 63 | (uint64_t)n->id, (uint64_t)v->id,
              (uint64_t)(pred + 1), 0}};
    return k;
}

/* Of which reduction n at v is the result. */
static Key result_key(const Node *n, const Vec *v)
{
    Key k = {{UINT64_C(1) << 62 | (uint64_t)n->id, (uint64_t)v->id, 0, 0}};
    return k;
}

/* Instructions. */

static int level_of(const Inline *in, const Index *at)
{
    int level = 0;
    for (int i = 0; i < at->n; i++) {
        const Atom *a = &at->atom[i];
        int l = 0;
        switch (a->kind) {
        case IX_var:
            l = a->var + 1;
            break;
        case IX_value:
            l = in->instr.at[a->value].level;
            break;
        case IX_div:
        case IX_mod:
            l = level_of(in, a->of);
            break;
        }
        level = l > level ? l : level;
    }
    return level;
}

static int find_level(const Inline *in, const Instr *x)
{
    int level = x->at ? level_of(in, x->at) : 0;
    if (x->kind == I_result)
        level = in->rank;
    if (x->pred >= 0 && in->instr.at[x->pred].level > level)
        level = in->instr.at[x->pred].level;
    for (int i = 0; i < x->narg; i++)
        if (in->instr.at[x->arg[i]].level > level)
            level = in->instr.at[x->arg[i]].level;
    return level;
}

static uint64_t pair(int a, int b)
{
    return (uint64_t)(uint32_t)a | (uint64_t)(uint32_t)b << 32;
}

static int add(Inline *in, Instr x)
{
    Key k = {{(uint64_t)x.kind << 32 | (uint64_t)x.op << 8 | x.dtype,
              x.buffer ? word(x.buffer) : word(x.node), word(x.at), 0}};
    if (x.kind == I_op) {
        k.w[3] = pair(x.arg[0], x.arg[1]);
        k.w[2] = (uint64_t)x.arg[2];
    } else
        k.w[3] = pair(x.pred, x.value);
    int old = known(in, &k);
    if (old >= 0)
        return old;
    x.level = find_level(in, &x);
    list_push(in->s->scratch, &in->instr, x);
    know(in, &k, in->instr.n - 1);
    return in->instr.n - 1;
}

/* What is known while compiling: integers and truths. */

static bool is_known(const Inline *in, int i, int64_t *v)
{
    const Instr *x = &in->instr.at[i];
    if (x->kind != I_op || x->op != OP_const || dtype_is_real(x->dtype))
        return false;
    *v = x->node->attr.integer;
    return true;
}

static int op_of(Inline *in, OpId op, DType t, const Node *n, int narg,
                 const int *arg);

static int known_number(Inline *in, const Node *n)
{
    return op_of(in, OP_const, n->dtype, n, 0, NULL);
}

static int known_int(Inline *in, DType t, int64_t v)
{
    return known_number(in, g_const_int(in->s->g, t, v));
}

/* The value of an operator on known numbers; negative: it is computed. */
static int folded(Inline *in, OpId op, DType t, const Node *n, int narg,
                  const int *arg)
{
    int64_t v[3] = {0}, to;
    if (op == OP_where)
        return is_known(in, arg[0], v) ? arg[v[0] ? 1 : 2] : -1;
    for (int i = 0; i < narg; i++)
        if (!is_known(in, arg[i], &v[i]))
            return -1;
    return narg && fold_number(op, t, n, v, &to) ? known_int(in, t, to) : -1;
}

static int op_of(Inline *in, OpId op, DType t, const Node *n, int narg,
                 const int *arg)
{
    int known = in->folds ? folded(in, op, t, n, narg, arg) : -1;
    if (known >= 0)
        return known;
    Instr x = {.kind = I_op, .dtype = t, .op = op, .node = n, .pred = -1};
    x.alone = op == OP_mul && (!n || note_of(in->s, n)->alone);
    x.narg = narg;
    for (int i = 0; i < narg; i++)
        x.arg[i] = arg[i];
    return add(in, x);
}

int inline_op(Inline *in, OpId op, DType t, int narg, const int *arg)
{
    return op_of(in, op, t, NULL, narg, arg);
}

int inline_index(Inline *in, DType t, const Index *at)
{
    int64_t v;
    if (in->folds && at->n == 0 && dim_const_value(at->base, &v))
        return known_number(in, fold_int(in->s->g, t, v));
    Instr x = {.kind = I_index, .dtype = t, .at = at, .pred = -1};
    return add(in, x);
}

int inline_load(Inline *in, const Buffer *b, const Index *at, DType t, int pred)
{
    Instr x = {.kind = I_load, .dtype = t, .buffer = b, .at = at};
    x.pred = pred;
    return add(in, x);
}

int inline_zero(Inline *in, DType t)
{
    return op_of(in, OP_const, t, g_const(in->s->g, t, 0), 0, NULL);
}

static int op2(Inline *in, OpId op, DType t, int a, int b)
{
    int arg[2] = {a, b};
    return inline_op(in, op, t, 2, arg);
}

/* As a predicate: always and, of what is known, never. */
enum { ALWAYS = -1, NEVER = -2 };

static int both(Inline *in, int a, int b)
{
    int64_t v;
    if (b >= 0 && is_known(in, b, &v))
        b = v ? ALWAYS : NEVER;
    if (a == NEVER || b == NEVER)
        return NEVER;
    if (a < 0 || b < 0 || a == b)
        return a < 0 ? b : a;
    return op2(in, OP_and, DT_bool, a, b);
}

static int below(Inline *in, const Index *x, const Dim *n, int pred)
{
    int value = inline_index(in, DT_i64, x);
    int bound = inline_index(in, DT_i64, index_dim(in->s->table, n));
    return both(in, pred, op2(in, OP_lt, DT_bool, value, bound));
}

static int from_zero(Inline *in, const Index *x, int pred)
{
    int zero = inline_index(in, DT_i64, index_int(in->s->table, 0));
    int value = inline_index(in, DT_i64, x);
    return both(in, pred, op2(in, OP_le, DT_bool, zero, value));
}

int inline_in_range(Inline *in, const Index *x, const Dim *n, int pred)
{
    return below(in, x, n, from_zero(in, x, pred));
}

void inline_know(Inline *in, Node *n, const Vec *v, int instr)
{
    Key k = value_key(n, v, -1);
    know(in, &k, instr);
}

void inline_result(Inline *in, Node *n, const Vec *v, int reduction)
{
    Key k = result_key(n, v);
    know(in, &k, reduction);
}

/* Values. */

/* The instruction, or -1 and put on the stack. */
static int need(Inline *in, Node *n, const Vec *v, int pred)
{
    Key k = value_key(n, v, pred);
    int i = known(in, &k);
    if (i < 0) {
        Value x = {.n = n, .v = v, .pred = pred};
        list_push(in->s->scratch, &in->stack, x);
    }
    return i;
}

/* An axis of size 1 has one index, whatever led there. */
static const Vec *plain_units(Inline *in, const Node *n, const Vec *v)
{
    const Index *at[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        at[i] = dim_is(n->dim[i], 1) ? index_int(in->s->table, 0) : v->at[i];
    return vec_make(in->s->table, n->rank, at);
}

/* What this nest has made of n at v; -1: it is in memory. */
static int own_value(Inline *in, const Node *n, const Vec *v)
{
    Key k = value_key(n, v, -1), r = result_key(n, v);
    if (!in->folds && v != note_of(in->s, n)->self)
        return -1;
    int i = known(in, &k);
    if (i >= 0)
        return i;
    const Known *result = find_known(in, &r);
    if (!result)
        return -1;
    Instr x = {.kind = I_result, .dtype = n->dtype, .pred = -1};
    x.value = result->instr;
    return add(in, x);
}

/* n is in a buffer, its element v at `at`. */
static int read_value(Inline *in, Node *n, const Vec *v, const Index *at,
                      int pred)
{
    Note *note = note_of(in->s, n);
    v = plain_units(in, n, v);
    Read r = {.node = n, .at = v};
    if (!in->nest)
        list_push(in->s->scratch, &in->read, r);
    const Piece *p = note->piece;
    if (in->nest && p && p->nest == in->nest && p->whole) {
        int i = own_value(in, n, v);
        if (i >= 0)
            return i;
        note->missed = note->missed || in->folds;
    }
    int64_t place;
    if (in->folds && n->op == OP_data && at->n == 0 &&
        dim_const_value(at->base, &place))
        return known_number(in, fold_data(in->s->g, n, place));
    return inline_load(in, buffer_of(in->s, n), at, n->dtype, pred);
}

static bool in_buffer(const Inline *in, const Node *n)
{
    return is_leaf_buffer(n) || note_of(in->s, n)->mat;
}

void by_registers(const Sched *s, const Node *n, int *order)
{
    for (int i = 0; i < n->narg; i++) {
        int k = i, needs = note_of(s, n->arg[i])->registers;
        for (; k > 0; k--) {
            if (note_of(s, n->arg[order[k - 1]])->registers <= needs)
                break;
            order[k] = order[k - 1];
        }
        order[k] = i;
    }
}

/* Of a choice, what is chosen where that is known; *missing: not yet there. */
static Node *chosen(Inline *in, const Value *x, bool *missing)
{
    int64_t v;
    bool lazy = x->n->op == OP_if;
    *missing = false;
    if (!in->folds || (!lazy && x->n->op != OP_where))
        return NULL;
    const Vec *none = vec_make(in->s->table, 0, NULL);
    int i = need(in, x->n->arg[0], lazy ? none : x->v, x->pred);
    *missing = i < 0;
    return i >= 0 && is_known(in, i, &v) ? x->n->arg[v ? 1 : 2] : NULL;
}

static int ewise_value(Inline *in, const Value *x)
{
    int arg[3] = {0}, order[3];
    bool wait;
    Node *one = chosen(in, x, &wait);
    if (one || wait)
        return one ? need(in, one, x->v, x->pred) : -1;
    bool missing = false;
    const Vec *none = vec_make(in->s->table, 0, NULL);
    bool choose = x->n->op == OP_if;
    by_registers(in->s, x->n, order);
    for (int k = 0; k < x->n->narg; k++) {
        int i = order[k];
        const Vec *v = choose && i == 0 ? none : x->v;
        arg[i] = need(in, x->n->arg[i], v, x->pred);
        missing = missing || arg[i] < 0;
    }
    if (missing)
        return -1;
    if (choose)
        return inline_op(in, OP_where, x->n->dtype, 3, arg);
    return op_of(in, x->n->op, x->n->dtype, x->n, x->n->narg, arg);
}

/* A reshape of a buffer is that buffer: row-major order is the same. */
static int reshape_value(Inline *in, const Value *x)
{
    Node *n = x->n;
    const Vec *v = x->v;
    while (n->op == OP_reshape && (n == x->n || !in_buffer(in, n))) {
        v = view_arg(in->s->table, in->s->g, n, v);
        n = n->arg[0];
    }
    if (in_buffer(in, n))
        return read_value(in, n, v, vec_linear(in->s->table, x->v, x->n->dim),
                          x->pred);
    return need(in, n, v, x->pred);
}

/* Whether axis i of n, zeros around what it moves `by`, has element v->at[i]
 * of the argument, and which. */
static const Index *pad_axis(Inline *in, const Node *n, const View *by,
                             const Vec *v, int i, int *pred)
{
    IndexTable *t = in->s->table;
    Graph *g = in->s->g;
    const Dim *lo = by->base[i], *size = by->size[i], *step = by->coef[i];
    const Index *minus = index_scale(t, index_dim(t, lo), dim_const(g, -1));
    const Index *from = index_add(t, v->at[i], minus);
    bool ends = dim_is(step, 1) && dim_add(g, lo, size) == n->dim[i];
    if (!dim_is(lo, 0))
        *pred = from_zero(in, from, *pred);
    if (dim_is(step, 1)) {
        *pred = ends ? *pred : below(in, from, size, *pred);
        return from;
    }
    int rest = inline_index(in, DT_i64, index_mod(t, from, step));
    int zero = inline_index(in, DT_i64, index_int(t, 0));
    *pred = both(in, *pred, op2(in, OP_eq, DT_bool, rest, zero));
    const Index *at = index_div(t, from, step);
    *pred = below(in, at, size, *pred);
    return at;
}

static int pad_value(Inline *in, const Value *x)
{
    const Index *at[MAX_RANK];
    View by = view_of(x->n);
    int inside = -1;
    for (int i = 0; i < x->n->rank; i++)
        at[i] = pad_axis(in, x->n, &by, x->v, i, &inside);
    if (inside == NEVER)
        return inline_zero(in, x->n->dtype);
    const Vec *v = vec_make(in->s->table, x->n->rank, at);
    int value = need(in, x->n->arg[0], v, both(in, x->pred, inside));
    if (value < 0 || inside < 0)
        return value;
    int arg[3] = {inside, value, inline_zero(in, x->n->dtype)};
    return inline_op(in, OP_where, x->n->dtype, 3, arg);
}

/* One part of a concat, and whether its elements are before the next part's. */
static int part_value(Inline *in, const Value *x, int part, const Dim *lo,
                      int *before)
{
    IndexTable *t = in->s->table;
    Graph *g = in->s->g;
    int axis = (int)x->n->attr.integer;
    const Index *at[MAX_RANK];
    for (int i = 0; i < x->n->rank; i++)
        at[i] = x->v->at[i];
    at[axis] = index_add(t, at[axis],
                         index_scale(t, index_dim(t, lo), dim_const(g, -1)));
    int pred = dim_is(lo, 0) ? -1 : from_zero(in, at[axis], -1);
    *before = -1;
    if (part < x->n->narg - 1) {
        *before = below(in, at[axis], x->n->arg[part]->dim[axis], -1);
        pred = both(in, pred, *before);
    }
    return need(in, x->n->arg[part], vec_make(t, x->n->rank, at),
                both(in, x->pred, pred));
}

static int known_part_value(Inline *in, const Value *x, Node *part,
                            int64_t first)
{
    IndexTable *t = in->s->table;
    const Index *at[MAX_RANK];
    for (int i = 0; i < x->n->rank; i++)
        at[i] = x->v->at[i];
    int axis = (int)x->n->attr.integer;
    at[axis] = index_add(t, at[axis], index_int(t, -first));
    return need(in, part, vec_make(t, x->n->rank, at), x->pred);
}

static int concat_value(Inline *in, const Value *x)
{
    enum { FEW = 3 }; /* more are materialised part by part */
    int64_t first;
    Node *part = in->folds
                     ? fold_part(x->n, x->v->at[x->n->attr.integer], &first)
                     : NULL;
    if (part)
        return known_part_value(in, x, part, first);
    int value[FEW] = {0}, before[FEW] = {0}, n = x->n->narg;
    bool missing = false;
    const Dim *lo = dim_const(in->s->g, 0);
    if (n < 1 || n > FEW)
        die("a concat of %d parts in place", n);
    for (int i = 0; i < n; i++) {
        value[i] = part_value(in, x, i, lo, &before[i]);
        missing = missing || value[i] < 0;
        lo = dim_add(in->s->g, lo, x->n->arg[i]->dim[x->n->attr.integer]);
    }
    if (missing)
        return -1;
    int result = value[n - 1];
    for (int i = n - 2; i >= 0; i--) {
        int arg[3] = {before[i], value[i], result};
        result = inline_op(in, OP_where, x->n->dtype, 3, arg);
    }
    return result;
}

static bool surely_inside(const Node *index, const Dim *n)
{
    int64_t size;
    return index->op == OP_index_check && index->attr.dims[0] == n &&
           dim_const_value(n, &size) && size > 0;
}

static int gather_value(Inline *in, const Value *x)
{
    IndexTable *t = in->s->table;
    const Node *n = x->n;
    int axis = (int)n->attr.integer, rank = n->arg[1]->rank;
    const Vec *iv = vec_make(t, rank, x->v->at + axis);
    int i = need(in, n->arg[1], iv, x->pred), pred = x->pred;
    if (i < 0)
        return -1;
    int64_t place;
    const Index *at[2 * MAX_RANK];
    const Index *value =
        is_known(in, i, &place) ? index_int(t, place) : index_value(t, i);
    const Dim *bound = n->arg[0]->dim[axis];
    for (int k = 0; k < axis; k++)
        at[k] = x->v->at[k];
    at[axis] = value;
    for (int k = axis + 1; k < n->arg[0]->rank; k++)
        at[k] = x->v->at[k + rank - 1];
    if (!surely_inside(n->arg[1], bound))
        pred = inline_in_range(in, value, bound, pred);
    if (pred == NEVER)
        return inline_zero(in, n->dtype);
    return need(in, n->arg[0], vec_make(t, n->arg[0]->rank, at), pred);
}

static int view_value(Inline *in, const Value *x)
{
    if (x->n->op == OP_reshape)
        return reshape_value(in, x);
    if (x->n->op == OP_view_add)
        return pad_value(in, x);
    if (x->n->op == OP_concat)
        return concat_value(in, x);
    const Vec *v = view_arg(in->s->table, in->s->g, x->n, x->v);
    return need(in, x->n->arg[0], v, x->pred);
}

static int leaf_value(Inline *in, const Value *x)
{
    if (x->n->op == OP_iota)
        return inline_index(in, x->n->dtype, x->v->at[0]);
    return op_of(in, x->n->op, x->n->dtype, x->n, 0, NULL);
}

/* The instruction, or -1 after putting what is missing on the stack. */
static int try_value(Inline *in, const Value *x)
{
    if (in_buffer(in, x->n) && !x->compute)
        return read_value(in, x->n, x->v,
                          vec_linear(in->s->table, x->v, x->n->dim), x->pred);
    switch (op_table[x->n->op]->cls) {
    case OPC_leaf:
        return leaf_value(in, x);
    case OPC_ewise:
    case OPC_select:
        return ewise_value(in, x);
    case OPC_view:
        return view_value(in, x);
    case OPC_index:
        return gather_value(in, x);
    case OPC_reduce:
    case OPC_contract:
    case OPC_sort:
    case OPC_routine:
    case OPC_region:
        break;
    }
    die("%s cannot be computed in place", op_table[x->n->op]->name);
}

static void run(Inline *in)
{
    while (in->stack.n) {
        Value x = in->stack.at[in->stack.n - 1];
        Key k = value_key(x.n, x.v, x.pred);
        int depth = in->stack.n, i = known(in, &k);
        if (i < 0)
            i = try_value(in, &x);
        if (i < 0)
            continue;
        if (in->stack.n != depth)
            die("a value was left on the stack");
        know(in, &k, i);
        in->stack.n--;
    }
}

static int value_of(Inline *in, Node *n, const Vec *v, int pred, bool compute)
{
    Key k = value_key(n, v, pred);
    int i = known(in, &k);
    if (i >= 0)
        return i;
    Value x = {.n = n, .v = v, .pred = pred, .compute = compute};
    list_push(in->s->scratch, &in->stack, x);
    run(in);
    return known(in, &k);
}

int inline_compute(Inline *in, Node *n, const Vec *v)
{
    return value_of(in, n, v, -1, true);
}

int inline_value(Inline *in, Node *n, const Vec *v, int pred)
{
    return value_of(in, n, v, pred, false);
}
