/* builtin.c: functions that the language has, and how they are called. */
#include "check/check_internal.h"

#include <math.h>
#include <string.h>

/* Reductions: what their rows say. */

static const Op *row_of(const Builtin *b) { return op_table[b->op]; }

unsigned reduction_takes(const Builtin *b)
{
    return b->mean ? row_of(b)->takes & ON_real : row_of(b)->takes;
}

const char *reduction_takes_text(const Builtin *b)
{
    unsigned takes = reduction_takes(b);

    return takes == ON_bool ? "bools" : takes == ON_real ? "reals" : "numbers";
}

bool reduction_is_position(const Builtin *b)
{
    return row_of(b)->flags & OP_PLACE;
}

OpId reduction_join(const Builtin *b)
{
    return b->mean || reduction_is_position(b) || !row_of(b)->join
               ? NOPS
               : row_of(b)->join();
}

bool reduction_of_nothing(const Builtin *b)
{
    return !row_of(b)->join || isfinite(row_of(b)->start);
}

/* Their arguments: x, axis (an int or a tuple of them), keepdims. */

static bool axes_arg(Check *c, const Builtin *b, const CallArg *a, int rank,
                     bool *chosen)
{
    const Value *v = a->value;
    int n = v->kind == V_tuple ? v->npart : 1;

    for (int i = 0; i < n; i++) {
        CallArg one = *a;
        int axis;

        one.value = v->kind == V_tuple ? v->part[i] : v;
        if (!arg_axis(c, b, &one, rank, &axis))
            return false;
        if (chosen[axis]) {
            check_fail(c, a->span, "axis", "axis %d is given twice", axis);
            return false;
        }
        chosen[axis] = true;
    }
    return true;
}

/* axis = (): as if it were left out. */
static bool axis_given(const CallArg *a)
{
    return a && !(a->value->kind == V_tuple && a->value->npart == 0);
}

static Node *keep_axes(Check *c, const Node *from, Node *n, const bool *gone)
{
    const Dim *dim[MAX_RANK];

    for (int i = 0; i < from->rank; i++)
        dim[i] = gone[i] ? dim_const(c->graph, 1) : from->dim[i];
    return g_reshape(c->graph, n, from->rank, dim);
}

static Node *mean_of(Check *c, Node *sum, const Node *x, const bool *gone)
{
    const Dim *count = dim_const(c->graph, 1);
    Node *n;

    for (int i = 0; i < x->rank; i++)
        if (gone[i])
            count = dim_mul(c->graph, count, x->dim[i]);
    n = g_divisor(c->graph, sum->dtype, count);
    return g2(c->graph, OP_div, sum,
              g_broadcast_to(c->graph, n, sum->rank, sum->dim));
}

/* argmax and argmin take one axis; over everything, the position counts row by
 * row. */
static Node *reduce_position(Check *c, const Builtin *b, const CallArg *x,
                             Node *n, const bool *gone, bool all)
{
    const Dim *count = dim_const(c->graph, 1);
    int axis = -1, many = 0;

    for (int i = 0; i < n->rank; i++) {
        count = dim_mul(c->graph, count, n->dim[i]);
        if (gone[i]) {
            axis = i;
            many++;
        }
    }
    if (all) {
        n = g_reshape(c->graph, n, 1, &count);
        axis = 0;
    } else if (many != 1) {
        check_fail(c, x->span, "axis", "'%s' takes one axis", b->name);
        return NULL;
    }
    return g_reduce(c->graph, b->op, n, 1, &axis);
}

static bool empty_reduction(Check *c, const Builtin *b, const CallArg *x,
                            const Node *n, const bool *gone)
{
    if (reduction_of_nothing(b))
        return false;
    for (int i = 0; i < n->rank; i++) {
        if (!gone[i] || !dim_is(n->dim[i], 0))
            continue;
        check_fail(c, x->span, "empty", "'%s' of nothing has no value",
                   b->name);
        return true;
    }
    return false;
}

static Node *reduce_node(Check *c, const Builtin *b, const CallArg *x, Node *n,
                         const Slot *slot)
{
    bool gone[MAX_RANK] = {false}, all = !axis_given(slot[1].arg);
    int axis[MAX_RANK], naxis = 0;
    Node *r;

    if (!all && !axes_arg(c, b, slot[1].arg, n->rank, gone))
        return NULL;
    for (int i = 0; i < n->rank; i++) {
        gone[i] = gone[i] || all;
        if (gone[i])
            axis[naxis++] = i;
    }
    if (empty_reduction(c, b, x, n, gone))
        return NULL;
    if (reduction_is_position(b))
        r = reduce_position(c, b, x, n, gone, all);
    else
        r = naxis ? g_reduce(c->graph, b->op, n, naxis, axis) : n;
    if (r && b->mean)
        r = mean_of(c, r, n, gone);
    return r && slot[2].on ? keep_axes(c, n, r, gone) : r;
}

static const Value *reduce_tree(Check *c, const Builtin *b, const Call *call,
                                const Slot *slot)
{
    const Value *v = slot[0].arg->value;
    Node **leaf = value_leaves(c, v), *total = NULL;
    OpId join = reduction_join(b);

    if (axis_given(slot[1].arg) || join == NOPS) {
        check_fail(c, call->at, "type-mismatch", "'%s' takes a tensor%s",
                   b->name,
                   axis_given(slot[1].arg) ? " when an axis is given" : "");
        diag_label(c->diags, slot[0].arg->span, "%s", value_text(c, v));
        return c->error;
    }
    for (int i = 0; i < v->nleaf; i++) {
        Node *n = leaf[i];

        if (!(reduction_takes(b) & 1u << n->dtype) ||
            (total && total->dtype != n->dtype))
            return check_fail(c, slot[0].arg->span, "type-mismatch",
                              "'%s' needs %s of one type in all leaves of %s",
                              b->name, reduction_takes_text(b),
                              value_text(c, v));
        if (n->rank > 0)
            n = g_reduce_all(c->graph, b->op, n);
        total = total ? g2(c->graph, join, total, n) : n;
    }
    if (!total)
        return check_fail(c, slot[0].arg->span, "empty", "'%s' of nothing",
                          b->name);
    return value_tensor(c, total);
}

static const Value *run_reduce(Check *c, const Builtin *b, const Call *call,
                               const Slot *slot)
{
    const Value *v = slot[0].arg->value;
    Operand x = operand_of(slot[0].arg);
    Node *n;

    if (v->kind == V_struct || v->kind == V_tuple || v->kind == V_stack)
        return reduce_tree(c, b, call, slot);
    if (!arith_unify(c, call->scope, b->name, call->at, 1, &x,
                     reduction_takes(b), &n))
        return c->error;
    n = reduce_node(c, b, slot[0].arg, n, slot);
    return n ? value_tensor(c, n) : c->error;
}

Operand operand_of(const CallArg *a)
{
    return (Operand){a->value, a->span, a->expr};
}

static const Value *run_elementwise(Check *c, const Builtin *b,
                                    const Call *call, const Slot *slot)
{
    Operand x[3];
    int n = op_table[b->op]->arity;

    for (int i = 0; i < n; i++)
        x[i] = operand_of(slot[i].arg);
    return arith_elementwise(c, call->scope, b->op, b->name, call->at, n, x);
}

/* max(x), max(x, axis = 1), max(a, b) */
static const Value *run_extreme(Check *c, const Builtin *b, const Call *call,
                                const Slot *slot)
{
    const Slot one[] = {slot[0], slot[2], slot[3]};
    Operand x[2];

    if (!slot[1].arg)
        return run_reduce(c, b, call, one);
    if (slot[2].arg || slot[3].arg)
        return check_fail(c, call->at, "argument",
                          "'%s' takes an axis with one tensor only", b->name);
    for (int i = 0; i < 2; i++)
        x[i] = operand_of(slot[i].arg);
    return arith_elementwise(c, call->scope, op_table[b->op]->join(), b->name,
                             call->at, 2, x);
}

static const Value *run_where(Check *c, const Builtin *b, const Call *call,
                              const Slot *slot)
{
    Operand x[3];

    (void)b;
    for (int i = 0; i < 3; i++)
        x[i] = operand_of(slot[i].arg);
    return arith_where(c, call->scope, call->at, x);
}

static const Value *cast_tensor(Check *c, const Value *v, DType t)
{
    Node *n = v->node;

    if (v->literal != LIT_no && dtype_is_real(t))
        n = v->real;
    return value_tensor(c, g_cast(c->graph, t, n));
}

/* real(i), int(x), …: whole structs too where their type stays the same. */
static const Value *run_cast(Check *c, const Builtin *b, const Call *call,
                             const Slot *slot)
{
    const Value *v = slot[0].arg->value;
    DType t;

    dtype_of_name(c, b->name, &t);
    if (v->kind == V_tensor && v->node->dtype != DT_key)
        return cast_tensor(c, v, t);
    check_fail(c, call->at, "type-mismatch", "'%s' converts tensors of numbers",
               b->name);
    diag_label(c->diags, slot[0].arg->span, "%s", value_text(c, v));
    return c->error;
}

/* A parameter is a name, what it takes, and '?' where it may be left out or '*'
 * where any number of them stands. What it takes counts by its first letter:
 *   tensor              anything with a literal's type settled
 *   key                 one, not a tensor of them
 *   shape, extent       dimensions that a tensor can have; an int that is one
 *   axis, new           of the first parameter; or one more than it has
 *   last                as axis; if it is left out the last
 *   bool                a constant
 * Without a word anything but a function is taken. */
static const struct {
    const char *name, *params;
    BuiltinRun *run;
} builtins[] = {
    {"where", "cond x y", run_where},
    {"reshape", "x:tensor shape", run_reshape},
    {"transpose", "x:tensor perm*", run_transpose},
    {"broadcast", "x:tensor shape:shape", run_broadcast},
    {"expand", "x:tensor axis:new?", run_expand},
    {"concat", "x* axis?", run_concat},
    {"stack", "x* axis?", run_stack},
    {"pad", "x:tensor before after axis:axis?", run_pad},
    {"flip", "x:tensor axis:axis?", run_flip},
    {"moveaxis", "x:tensor from:axis to:axis", run_moveaxis},
    {"argsort", "x:tensor axis:last? descending:bool?", run_argsort},
    {"take_along_axis", "x:tensor index:tensor axis:last?", run_take_along},
    {"zeros", "shape:shape", run_full},
    {"ones", "shape:shape", run_full},
    {"full", "shape:shape value", run_full},
    {"iota", "n:extent", run_iota},
    {"onehot", "i:tensor n:extent", run_onehot},
    {"stop", "x", run_stop},
    {"key", "i", run_key},
    {"split", "key:key n:extent?", run_split},
    {"uniform", "key:key shape:shape?", run_draw},
    {"normal", "key:key shape:shape?", run_draw},
    {"bernoulli", "key:key p shape:shape?", run_bernoulli},
};

enum { NBUILTINS = sizeof builtins / sizeof *builtins };

static const Builtin *find(const Check *c, const char *name, uint64_t hash)
{
    const Builtin *b;

    for (size_t seen = 0; (b = map_next(&c->builtin_by_name, hash, &seen));)
        if (strcmp(b->name, name) == 0)
            return b;
    return NULL;
}

static void read_params(Check *c, Builtin *b, const char *params)
{
    for (const char *s = params; *s; s += *s == ' ') {
        BuiltinParam *p = &b->param[b->nparam++];
        size_t n = strcspn(s, ":?* ");

        p->name = intern_n(c->names, s, n);
        p->type = s[n] == ':' ? s[n + 1] : '\0';
        s += strcspn(s, "?* ");
        p->suffix = *s == '?' || *s == '*' ? *s++ : '\0';
    }
}

/* The first of a name counts. */
static void add(Check *c, const char *name, const char *params, BuiltinRun *run,
                OpId op, bool mean)
{
    uint64_t hash = hash_bytes(HASH_SEED, name, strlen(name));
    Builtin *b;

    if (find(c, name, hash))
        return;
    b = NEW(c->arena, Builtin);
    *b = (Builtin){.name = name, .run = run, .op = op, .mean = mean};
    read_params(c, b, params);
    map_put(c->arena, &c->builtin_by_name, hash, b);
    list_push(c->arena, &c->builtin, b);
}

/* Of a reduction that also joins two values, under the name it then has too. */
static void add_reduction(Check *c, OpId op)
{
    static const char params[] = "x axis? keepdims:bool?";
    const Op *row = op_table[op];
    const char *name = op_surface(op);
    bool joins = row->join && op_surface(row->join()) &&
                 strcmp(name, op_surface(row->join())) == 0;

    if (joins)
        add(c, name, "x y? axis? keepdims:bool?", run_extreme, op, false);
    else
        add(c, name, params, run_reduce, op, false);
    if (row->mean)
        add(c, row->mean, params, run_reduce, op, true);
}

static void add_rows(Check *c)
{
    static const char *const params[] = {"", "x", "x y", "x y z"};

    for (OpId op = 0; op < NOPS; op++)
        if (op_table[op]->cls == OPC_reduce)
            add_reduction(c, op);
    for (OpId op = 0; op < NOPS; op++) {
        int n = op_table[op]->arity;

        if (op_surface(op) && op_table[op]->cls == OPC_ewise && n >= 1 &&
            n <= 3)
            add(c, op_surface(op), params[n], run_elementwise, op, false);
    }
}

/* Made when first asked for. */
static void make_builtins(Check *c)
{
    if (c->builtin.n > 0)
        return;
    for (int i = 0; i < NBUILTINS; i++)
        add(c, builtins[i].name, builtins[i].params, builtins[i].run, OP_const,
            false);
    add(c, real_word, "x", run_cast, OP_cast, false);
    for (DType t = 0; t < NDTYPES; t++)
        add(c, dtype_word(t), "x", run_cast, OP_cast, false);
    add_rows(c);
}

const Builtin *builtin_find(Check *c, const char *name)
{
    make_builtins(c);
    return find(c, name, hash_bytes(HASH_SEED, name, strlen(name)));
}

static bool is_reduction(const Builtin *b)
{
    return b && row_of(b)->cls == OPC_reduce;
}

const Builtin *reduction_named(Check *c, const Expr *fn)
{
    const Builtin *b = fn->kind == EX_name ? builtin_find(c, fn->name) : NULL;
    const char *last = NULL;
    Str s = str_new(c->arena);

    if (is_reduction(b))
        return b;
    make_builtins(c);
    for (int i = 0; i < c->builtin.n; i++) {
        if (!is_reduction(c->builtin.at[i]))
            continue;
        if (last)
            str_printf(&s, ", %s", last);
        last = c->builtin.at[i]->name;
    }
    check_fail(c, fn->span, "binder", "this takes no binders");
    check_detail(c, "fold, scan%s and %s do", s.at, last);
    return NULL;
}

static const struct {
    const char *name;
    double value;
} constants[] = {
    {"pi", 3.14159265358979323846},
    {"inf", INFINITY},
    {"nan", NAN},
};

int builtin_names(Check *c, const char **to, int max)
{
    int n = 0;

    make_builtins(c);
    for (int i = 0; i < c->builtin.n && n < max; i++)
        to[n++] = c->builtin.at[i]->name;
    for (DerivKind k = DERIV_none + 1; k < NDERIVS && n < max; k++)
        to[n++] = deriv_modes[k].name;
    for (int i = 0; i < 2 && n < max; i++)
        to[n++] = i ? "einsum" : "remat";
    for (int i = 0; i < 3 && n < max; i++)
        to[n++] = constants[i].name;
    return n;
}

bool builtin_is_loop(const char *name)
{
    return strcmp(name, "fold") == 0 || strcmp(name, "scan") == 0;
}

const Value *builtin_needs_binders(Check *c, Span at, const char *name)
{
    check_fail(c, at, "binder", "'%s' needs an index and a carry", name);
    check_detail(c, "%s(t < n, h = h0 | …) makes n steps from h0", name);
    return c->error;
}

const Value *builtin_constant(Check *c, const char *name)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (strcmp(constants[i].name, name) == 0)
            return value_real(c, constants[i].value);
    return NULL;
}

/* Arguments */

static bool wrong_name(Check *c, const Builtin *b, const CallArg *a)
{
    const char *name[MAX_SLOTS];

    for (int i = 0; i < b->nparam; i++)
        name[i] = b->param[i].name;
    check_fail(c, a->name_span, "argument-name", "'%s' has no parameter '%s'%s",
               b->name, a->name, name_suggestion(c, a->name, name, b->nparam));
    return false;
}

/* One argument to its slot; those of a "x*" parameter stay where they are. */
static bool take_slot(Check *c, const Builtin *b, const CallArg *a,
                      int *position, Slot *slot)
{
    int n = b->nparam, i = *position;

    if (a->name) {
        for (i = 0; i < n && b->param[i].name != a->name; i++)
            ;
        if (i == n)
            return wrong_name(c, b, a);
    } else if (i >= n) {
        check_fail(c, a->span, "argument-count", "'%s' takes %d argument%s",
                   b->name, n, n == 1 ? "" : "s");
        return false;
    } else if (b->param[i].suffix != '*') {
        ++*position;
    }
    if (slot[i].arg && b->param[i].suffix != '*') {
        check_fail(c, a->span, "argument-twice", "'%s' is given twice",
                   b->param[i].name);
        return false;
    }
    slot[i].arg = a;
    return true;
}

static bool arg_tensor(Check *c, const Builtin *b, const CallArg *a, Node **n)
{
    const Value *v = value_settle(c, a->span, a->value);

    *n = v->node;
    if (value_is_error(v) || v->kind == V_tensor)
        return !value_is_error(v);
    check_fail(c, a->span, "type-mismatch", "'%s' takes a tensor", b->name);
    diag_label(c->diags, a->span, "%s", value_text(c, v));
    return false;
}

static bool const_arg(Check *c, const Builtin *b, const CallArg *a,
                      const char *what, int64_t *out)
{
    if (value_const_int(a->value, out))
        return true;
    if (c->defining > 0 && value_is_scalar(a->value) &&
        dtype_is_int(a->value->node->dtype)) {
        c->opaque++; /* the callers will tell; nothing is known here */
        return false;
    }
    check_fail(c, a->span, "argument", "'%s' of '%s' is a constant int", what,
               b->name);
    if (value_ty(c, a->value))
        diag_label(c->diags, a->span, "%s", value_text(c, a->value));
    return false;
}

bool arg_axis(Check *c, const Builtin *b, const CallArg *a, int rank, int *axis)
{
    int64_t v;

    if (!const_arg(c, b, a, "axis", &v))
        return false;
    if (v >= -rank && v < rank) {
        *axis = (int)(v < 0 ? v + rank : v);
        return true;
    }
    check_fail(c, a->span, "axis",
               rank == 0
                   ? "a scalar has no axis %lld"
                   : "there is no axis %lld in a tensor of %d dimension%s",
               (long long)v, rank, rank == 1 ? "" : "s");
    return false;
}

static bool left_out(Check *c, const BuiltinParam *p, const Slot *slot, Slot *s)
{
    s->axis = -1;
    if (p->type != 'l')
        return true;
    s->axis = slot[0].node->rank - 1;
    if (s->axis < 0)
        check_fail(c, slot[0].arg->span, "axis", "a scalar has no axis");
    return s->axis >= 0;
}

/* What the parameter's type asks for, from the argument. */
static bool read_slot(Check *c, const Builtin *b, const BuiltinParam *p,
                      const Slot *slot, Slot *s)
{
    const CallArg *a = s->arg;

    if (!a)
        return left_out(c, p, slot, s);
    switch (p->type) {
    case 't':
        return arg_tensor(c, b, a, &s->node);
    case 'k':
        return arg_tensor(c, b, a, &s->node) && arg_key(c, b, a, s->node);
    case 'e':
        s->rank = 1;
        s->dim[0] = dim_of_value(c, a->value, a->span);
        return s->dim[0] && dim_sensible(c, a->span, 1, s->dim);
    case 's':
        return arg_shape(c, a, &s->rank, s->dim) &&
               dim_sensible(c, a->span, s->rank, s->dim);
    case 'b':
        if (value_const_bool(a->value, &s->on))
            return true;
        check_fail(c, a->span, "argument", "'%s' of '%s' is true or false",
                   p->name, b->name);
        return false;
    case 'a':
    case 'l':
        return arg_axis(c, b, a, slot[0].node->rank, &s->axis);
    case 'n':
        return arg_axis(c, b, a, slot[0].node->rank + 1, &s->axis);
    default: /* any value */
        return true;
    }
}

const Value *builtin_call(Check *c, const Builtin *b, const Call *call)
{
    Slot slot[MAX_SLOTS] = {{0}};
    int position = 0;

    for (int i = 0; i < call->narg; i++)
        if (!take_slot(c, b, &call->arg[i], &position, slot))
            return c->error;
    for (int i = 0; i < b->nparam; i++) {
        const BuiltinParam *p = &b->param[i];
        const CallArg *a = slot[i].arg;

        if (!a && p->suffix == '\0')
            return check_fail(c, call->at, "argument-count",
                              "'%s' is missing its argument '%s'", b->name,
                              p->name);
        if (a && a->value->kind == V_fn)
            return check_fail(c, a->span, "type-mismatch",
                              "'%s' takes values, not functions", b->name);
    }
    for (int i = 0; i < b->nparam; i++)
        if (!read_slot(c, b, &b->param[i], slot, &slot[i]))
            return c->error;
    return b->run(c, b, call, slot);
}
