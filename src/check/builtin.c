/* builtin.c: functions that the language has, and how they are called. */
#include "check/builtin.h"

#include <math.h>
#include <string.h>

/* Reductions: what their rows say. */

static const Op *row_of(const Builtin *b) { return op_table[b->op]; }

unsigned reduction_takes(const Builtin *b)
{
    return b->mean ? row_of(b)->takes & ON_real : row_of(b)->takes;
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

Node *reduction_node(Graph *g, const Builtin *b, Node *x, int n,
                     const int *axis, Node *count)
{
    static const int first = 0;
    const Dim *all = dim_const(g, 1);
    Node *y;

    if (reduction_is_position(b) && n != 1)
        return g_reduce(g, b->op, g_merge_axes(g, x, 0, n), 1, &first);
    y = n ? g_reduce(g, b->op, x, n, axis) : x;
    if (!b->mean)
        return y;
    for (int i = 0; i < n; i++)
        all = dim_mul(g, all, x->dim[axis[i]]);
    count = count ? g_cast(g, y->dtype, count) : g_divisor(g, y->dtype, all);
    return g2(g, OP_div, y, g_broadcast_to(g, count, y->rank, y->dim));
}

/* A tensor x is reduced along the axes that are gone. */
typedef struct Reduction {
    Check *c;
    const Builtin *b;
    Node *x;
    Span at;
    bool all; /* no axis is given, or () */
    bool gone[MAX_RANK];
    int axis[MAX_RANK], naxis;
} Reduction;

/* axis = (): as if it were left out. */
static bool axis_given(const Operand *x)
{
    return x->value && !(x->value->kind == V_tuple && x->value->npart == 0);
}

/* An axis or a tuple of them. */
static bool read_axes(Reduction *r, const Operand *x)
{
    const Value *v = x->value;
    int n = v->kind == V_tuple ? v->npart : 1, axis;

    for (int i = 0; i < n; i++) {
        Operand one = {v->kind == V_tuple ? v->part[i] : v, x->span, x->expr};

        if (!arg_axis(r->c, r->b, &one, r->x->rank, &axis))
            return false;
        if (r->gone[axis])
            return check_refuse(r->c, x->span, "axis", "axis %d is given twice",
                                axis);
        r->gone[axis] = true;
    }
    return true;
}

static bool choose_axes(Reduction *r, const Operand *x)
{
    bool nothing = false;

    r->all = !axis_given(x);
    if (!r->all && !read_axes(r, x))
        return false;
    for (int i = 0; i < r->x->rank; i++) {
        r->gone[i] = r->gone[i] || r->all;
        if (!r->gone[i])
            continue;
        r->axis[r->naxis++] = i;
        nothing = nothing || dim_is(r->x->dim[i], 0);
    }
    if (nothing && !reduction_of_nothing(r->b))
        return check_refuse(r->c, r->at, "empty",
                            "'%s' of nothing has no value", r->b->name);
    if (reduction_is_position(r->b) && !r->all && r->naxis != 1)
        return check_refuse(r->c, r->at, "axis", "'%s' takes one axis",
                            r->b->name);
    return true;
}

static Node *keep_axes(const Reduction *r, Node *n)
{
    const Dim *dim[MAX_RANK];

    for (int i = 0; i < r->x->rank; i++)
        dim[i] = r->gone[i] ? dim_const(r->c->graph, 1) : r->x->dim[i];
    return g_reshape(r->c->graph, n, r->x->rank, dim);
}

static const Value *reduce_tree(Check *c, const BuiltinCall *call)
{
    const Value *v = call->x[0].value;
    const Builtin *b = call->fn;
    Node **leaf = value_leaves(c, v), *total = NULL;
    OpId join = reduction_join(b);
    bool axis = axis_given(&call->x[1]);

    if (axis || join == NOPS) {
        check_fail(c, call->at, "type-mismatch", "'%s' takes a tensor%s",
                   b->name, axis ? " when an axis is given" : "");
        return check_is(c, call->x[0].span, v);
    }
    for (int i = 0; i < v->nleaf; i++) {
        Node *n = leaf[i];

        if (!(reduction_takes(b) & 1u << n->dtype) ||
            (total && total->dtype != n->dtype))
            return check_fail(c, call->x[0].span, "type-mismatch",
                              "'%s' needs %s of one type in all leaves of %s",
                              b->name, arith_takes(reduction_takes(b)),
                              value_text(c, v));
        if (n->rank > 0)
            n = g_reduce_all(c->graph, b->op, n);
        total = total ? g2(c->graph, join, total, n) : n;
    }
    return total ? value_tensor(c, total)
                 : check_fail(c, call->x[0].span, "empty", "'%s' of nothing",
                              b->name);
}

/* Of its first n arguments. */
static Operation operation(const BuiltinCall *call, int n)
{
    return (Operation){call->scope, call->fn->name, call->at, n, call->x};
}

static const Value *run_reduce(Check *c, const BuiltinCall *call)
{
    Operation o = operation(call, 1);
    const Value *v = call->x[0].value;
    const Builtin *b = call->fn;
    Reduction r = {.c = c, .b = b, .at = call->x[0].span};
    Node *n;

    if (value_is_tree(v))
        return reduce_tree(c, call);
    if (!arith_unify(c, &o, reduction_takes(b), &r.x) ||
        !choose_axes(&r, &call->x[1]))
        return c->error;
    n = reduction_node(c->graph, b, r.x, r.naxis, r.axis, NULL);
    return value_tensor(c, call->given[2].on ? keep_axes(&r, n) : n);
}

static const Value *run_elementwise(Check *c, const BuiltinCall *call)
{
    OpId op = call->fn->op;
    Operation o = operation(call, op_table[op]->arity);

    return arith_elementwise(c, &o, op);
}

/* polygamma(1, x): the row has the order as an argument. */
static const Value *run_of_order(Check *c, const BuiltinCall *call)
{
    Operation o = {call->scope, call->fn->name, call->at, 1, &call->x[1]};
    Node *x;

    if (!arith_unify(c, &o, ON_real, &x))
        return c->error;
    return value_tensor(c, g2(c->graph, call->fn->op,
                              g_fill(c->graph, x, call->given[0].order), x));
}

/* max(x), max(x, axis = 1), max(a, b) */
static const Value *run_extreme(Check *c, const BuiltinCall *call)
{
    const Builtin *b = call->fn;
    BuiltinCall one = *call;
    Operation o = operation(call, 2);

    if (call->x[1].value && (call->x[2].value || call->x[3].value))
        return check_fail(c, call->at, "argument",
                          "'%s' takes an axis with one tensor only", b->name);
    if (call->x[1].value)
        return arith_elementwise(c, &o, op_table[b->op]->join());
    one.x[1] = call->x[2];
    one.given[2] = call->given[3];
    return run_reduce(c, &one);
}

static const Value *run_where(Check *c, const BuiltinCall *call)
{
    return arith_where(c, call->scope, call->at, call->x);
}

static const Value *cast_tensor(Check *c, const Value *v, DType t)
{
    Node *n = v->node;

    if (v->literal != LIT_no && dtype_is_real(t))
        n = v->real;
    return value_tensor(c, g_cast(c->graph, t, n));
}

/* real(i), int(x), …: whole structs too where their type stays the same. */
static const Value *run_cast(Check *c, const BuiltinCall *call)
{
    const Value *v = call->x[0].value;
    DType t;

    dtype_of_name(c, call->fn->name, &t);
    if (v->kind == V_tensor && v->node->dtype != DT_key)
        return cast_tensor(c, v, t);
    check_fail(c, call->at, "type-mismatch", "'%s' converts tensors of numbers",
               call->fn->name);
    return check_is(c, call->x[0].span, v);
}

/* A parameter is a name, what it takes, and '?' where it may be left out or '*'
 * or '+' where any number of them stands (from 1). What it takes counts by its
 * first letter; without a word anything but a function is taken:
 *   tensor         a literal's type is settled
 *   key            one, not a tensor of them
 *   shape, extent  dimensions that a tensor can have; an int that is one
 *   axis, new      of the first parameter; or one more than it has
 *   last           as axis; if it is left out the last
 *   bool           a constant
 *   order          of a derivative: a constant int from 0 on */
static const struct {
    const char *name, *params;
    BuiltinRun *run;
} builtins[] = {
    {"where", "cond x y", run_where},
    {"reshape", "x:tensor shape", run_reshape},
    {"transpose", "x:tensor perm*", run_transpose},
    {"broadcast", "x:tensor shape:shape", run_broadcast},
    {"expand", "x:tensor axis:new?", run_expand},
    {"concat", "x+ axis?", run_concat},
    {"stack", "x+ axis?", run_stack},
    {"pad", "x:tensor before after axis:axis?", run_pad},
    {"flip", "x:tensor axis:axis?", run_flip},
    {"size", "x:tensor axis:axis?", run_size},
    {"shape", "x:tensor", run_shape},
    {"moveaxis", "x:tensor from:axis to:axis", run_moveaxis},
    {"argsort", "x:tensor axis:last? descending:bool?", run_argsort},
    {"take_along_axis", "x:tensor index:tensor axis:last?", run_take_along},
    {"zeros", "shape:shape", run_full},
    {"ones", "shape:shape", run_full},
    {"full", "shape:shape value", run_full},
    {"iota", "n:extent", run_iota},
    {"onehot", "i:tensor n:extent", run_onehot},
    {"is_constant", "n:extent", run_is_constant},
    {"stop", "x", run_stop},
    {"key", "i", run_key},
    {"split", "key:key n:extent?", run_split},
    {"uniform", "key:key shape:shape?", run_draw},
    {"normal", "key:key shape:shape?", run_draw},
    {"bernoulli", "key:key p shape:shape?", run_bernoulli},
    {"random_bits", "key:tensor i:tensor", run_random_bits},
};

enum { NBUILTINS = sizeof builtins / sizeof *builtins };

static void read_params(Check *c, Builtin *b, const char *params)
{
    for (const char *s = params; *s; s += *s == ' ') {
        int i = b->fn.nparam++;
        size_t n = strcspn(s, ":?*+ ");

        b->param[i].name = intern_n(c->names, s, n);
        b->type[i] = s[n] == ':' ? s[n + 1] : '\0';
        s += strcspn(s, "?*+ ");
        b->param[i].optional = *s == '?' || *s == '*';
        b->rest = *s == '*' || *s == '+' ? i : b->rest;
        s += *s != '\0' && *s != ' ';
    }
}

typedef struct Builtins {
    LIST(const Builtin *) all;
    Map by_name;
} Builtins;

static Builtins *own(Check *c)
{
    return check_own(c, OWN_builtin, sizeof(Builtins));
}

/* The first of a name counts. */
static void add(Check *c, const char *name, const char *params, BuiltinRun *run,
                OpId op, bool mean)
{
    Builtins *to = own(c);
    Builtin *b;

    name = intern(c->names, name);
    if (map_of(&to->by_name, name))
        return;
    b = NEW(c->arena, Builtin);
    *b =
        (Builtin){.name = name, .run = run, .op = op, .mean = mean, .rest = -1};
    b->fn = (Fn){.kind = FK_builtin, .param = b->param, .builtin = b};
    read_params(c, b, params);
    map_set(c->arena, &to->by_name, name, b);
    list_push(c->arena, &to->all, b);
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

/* "b:tensor T:tensor upper:bool?": its arguments, and what may be asked of it.
 */
static void add_routine(Check *c, OpId op)
{
    const Op *row = op_table[op];
    const char *at = row->sizes;
    Str s = str_new(c->arena);

    for (int i = 0; i < row->arity; i++, at = strchr(at, ' ') + 1)
        str_printf(&s, "%s%.*s:tensor", i ? " " : "", (int)strcspn(at, ":"),
                   at);
    for (int i = 0; row->words[i]; i++)
        str_printf(&s, " %s:bool?", row->words[i]);
    add(c, row->name, s.at, run_routine, op, false);
}

static void add_rows(Check *c)
{
    static const char *const params[] = {"", "x", "x y", "x y z"};

    for (OpId op = 0; op < NOPS; op++)
        if (op_table[op]->cls == OPC_reduce)
            add_reduction(c, op);
        else if (op_table[op]->cls == OPC_routine)
            add_routine(c, op);
    for (OpId op = 0; op < NOPS; op++) {
        int n = op_table[op]->arity;

        if (!op_surface(op) || op_table[op]->cls != OPC_ewise || n < 1 || n > 3)
            continue;
        if (op_table[op]->flags & OP_ORDER)
            add(c, op_surface(op), "order:order x:tensor", run_of_order, op,
                false);
        else
            add(c, op_surface(op), params[n], run_elementwise, op, false);
    }
}

/* Made when first asked for. */
static const Builtins *builtins_of(Check *c)
{
    if (own(c)->all.n > 0)
        return own(c);
    for (int i = 0; i < NBUILTINS; i++)
        add(c, builtins[i].name, builtins[i].params, builtins[i].run, OP_const,
            false);
    add(c, real_word, "x", run_cast, OP_cast, false);
    for (DType t = 0; t < NDTYPES; t++)
        add(c, dtype_word(t), "x", run_cast, OP_cast, false);
    add_rows(c);
    return own(c);
}

const Builtin *builtin_find(Check *c, const char *name)
{
    return map_of(&builtins_of(c)->by_name, intern(c->names, name));
}

static bool is_reduction(const Builtin *b)
{
    return b && row_of(b)->cls == OPC_reduce;
}

const Builtin *reduction_named(Check *c, const Expr *fn)
{
    const Builtin *b = fn->kind == EX_name ? builtin_find(c, fn->name) : NULL;
    const Builtins *known = builtins_of(c);
    LIST(const char *) takes = {0};
    Str s = str_new(c->arena);

    if (is_reduction(b))
        return b;
    list_push(c->arena, &takes, "fold");
    list_push(c->arena, &takes, "scan");
    for (int i = 0; i < known->all.n; i++)
        if (is_reduction(known->all.at[i]))
            list_push(c->arena, &takes, known->all.at[i]->name);
    str_words(&s, takes.n, takes.at, "", " and ", "");
    return check_none(c, fn->span, "binder", "this takes no binders\n%s do",
                      s.at);
}

static const struct {
    const char *name;
    double value;
} constants[] = {
    {"pi", 3.14159265358979323846},
    {"inf", INFINITY},
    {"nan", NAN},
};
enum { NCONSTANTS = sizeof constants / sizeof *constants };

int builtin_names(Check *c, const char **to, int max)
{
    const Builtins *known = builtins_of(c);
    int n = 0;

    for (int i = 0; i < known->all.n && n < max; i++)
        to[n++] = known->all.at[i]->name;
    for (DerivKind k = DERIV_none + 1; k < NDERIVS && n < max; k++)
        to[n++] = deriv_modes[k].name;
    for (int i = 0; i < 2 && n < max; i++)
        to[n++] = i ? "einsum" : "remat";
    for (int i = 0; i < NCONSTANTS && n < max; i++)
        to[n++] = constants[i].name;
    return n;
}

bool builtin_is_loop(const char *name)
{
    return strcmp(name, "fold") == 0 || strcmp(name, "scan") == 0;
}

const Value *builtin_needs_binders(Check *c, Span at, const char *name)
{
    return check_fail(c, at, "binder",
                      "'%s' needs an index and a carry\n"
                      "%s(t < n, h = h0 | …) makes n steps from h0",
                      name, name);
}

const Value *builtin_constant(Check *c, const char *name)
{
    for (int i = 0; i < NCONSTANTS; i++)
        if (strcmp(constants[i].name, name) == 0)
            return value_real(c, constants[i].value);
    return NULL;
}

/* Arguments */

enum { MAX_ORDER = 1000 /* those beyond have no value either */ };

static bool arg_tensor(Check *c, const Builtin *b, const Operand *x, Node **n)
{
    const Value *v = value_settle(c, x->span, x->value);

    *n = v->node;
    if (value_is_error(v) || v->kind == V_tensor)
        return !value_is_error(v);
    check_fail(c, x->span, "type-mismatch", "'%s' takes a tensor", b->name);
    check_is(c, x->span, v);
    return false;
}

static bool const_arg(Check *c, const Builtin *b, const Operand *x,
                      const char *what, int64_t *out)
{
    if (value_const_int(x->value, out))
        return true;
    if (c->defining > 0 && value_is_scalar(x->value) &&
        dtype_is_int(x->value->node->dtype)) {
        call_opaque(c); /* the callers will tell; nothing is known here */
        return false;
    }
    check_fail(c, x->span, "argument", "'%s' of '%s' is a constant int", what,
               b->name);
    if (value_ty(c, x->value))
        check_is(c, x->span, x->value);
    return false;
}

bool arg_axis(Check *c, const Builtin *b, const Operand *x, int rank, int *axis)
{
    int64_t v;

    if (!const_arg(c, b, x, "axis", &v))
        return false;
    *axis = (int)(v < 0 ? v + rank : v);
    if (v >= -rank && v < rank)
        return true;
    return check_refuse(
        c, x->span, "axis",
        rank == 0 ? "a scalar has no axis %lld"
                  : "there is no axis %lld in a tensor of %d dimension%s",
        (long long)v, rank, rank == 1 ? "" : "s");
}

static bool arg_order(Check *c, const Builtin *b, const Operand *x, int *order)
{
    int64_t v;

    if (!const_arg(c, b, x, "order", &v))
        return false;
    *order = v > MAX_ORDER ? MAX_ORDER : (int)v;
    return v >= 0 ||
           check_refuse(c, x->span, "argument",
                        "there is no derivative of order %lld", (long long)v);
}

/* What the type of parameter i asks for. */
static bool read_given(Check *c, BuiltinCall *call, int i)
{
    char type = call->fn->type[i];
    const Operand *x = &call->x[i];
    Given *to = &call->given[i];

    if (!x->value) {
        to->axis = type == 'l' ? call->given[0].node->rank - 1 : -1;
        return type != 'l' || to->axis >= 0 ||
               check_refuse(c, call->x[0].span, "axis", "a scalar has no axis");
    }
    switch (type) {
    case 't':
        return arg_tensor(c, call->fn, x, &to->node);
    case 'k':
        return arg_tensor(c, call->fn, x, &to->node) &&
               arg_key(c, call->fn, x, to->node);
    case 'e':
        to->rank = 1;
        to->dim[0] = dim_of_value(c, x->value, x->span);
        return to->dim[0] && size_sensible(c, x->span, 1, to->dim);
    case 's':
        return arg_shape(c, x, &to->rank, to->dim) &&
               size_sensible(c, x->span, to->rank, to->dim);
    case 'b':
        return value_const_bool(x->value, &to->on) ||
               check_refuse(c, x->span, "argument",
                            "'%s' of '%s' is true or false",
                            call->fn->param[i].name, call->fn->name);
    case 'o':
        return arg_order(c, call->fn, x, &to->order);
    case 'a':
    case 'l':
        return arg_axis(c, call->fn, x, call->given[0].node->rank, &to->axis);
    case 'n':
        return arg_axis(c, call->fn, x, call->given[0].node->rank + 1,
                        &to->axis);
    default: /* any value */
        return true;
    }
}

const Value *builtin_call(Check *c, const Builtin *b, const Arguments *a)
{
    BuiltinCall call = {.fn = b,
                        .at = a->at,
                        .scope = a->scope,
                        .rest = a->rest,
                        .nrest = a->nrest};

    for (int i = 0; i < b->fn.nparam; i++) {
        call.x[i] = (Operand){a->value[i], a->span[i], a->expr[i]};
        if (a->value[i] && a->value[i]->kind == V_fn)
            return check_fail(c, a->span[i], "type-mismatch",
                              "'%s' takes values, not functions", b->name);
    }
    if (b->rest >= 0 && call.nrest == 0 && a->value[b->rest]) {
        call.rest = &call.x[b->rest]; /* given by name */
        call.nrest = 1;
    }
    for (int i = 0; i < b->fn.nparam; i++)
        if (!read_given(c, &call, i))
            return c->error;
    return b->run(c, &call);
}
