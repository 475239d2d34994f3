/* arith.c: operators and elementwise functions: types, broadcasting, leaves. */
#include "check/check_internal.h"

#include <string.h>

static bool any_error(int n, const Operand *x)
{
    for (int i = 0; i < n; i++)
        if (value_is_error(x[i].value))
            return true;
    return false;
}

static const Value *label_all(Check *c, const Operation *o)
{
    for (int i = 0; i < o->n; i++) {
        if (o->x[i].expr)
            check_label(c, o->s, o->x[i].expr, o->x[i].value);
        else
            check_detail(c, "%s", value_text(c, o->x[i].value));
    }
    return c->error;
}

static Span first_place(const Operation *o)
{
    return o->x[0].expr ? o->x[0].span : o->at;
}

/* That the shapes do not fit, and which they are. */
static const Value *shapes_differ(Check *c, const Operation *o, const char *why)
{
    check_fail(c, first_place(o), "shape-mismatch", "%s '%s'", why, o->name);
    return label_all(c, o);
}

const char *arith_takes(unsigned mask)
{
    if (mask == ON_real)
        return "reals";
    if (mask == ON_bool)
        return "bools";
    if (mask == ON_int)
        return "integers";
    return mask & ON_bool ? "numbers or bools" : "numbers";
}

void type_convert_hint(Check *c, const Type *want, const Value *v)
{
    const Type *is = value_ty(c, v);

    if (is && is->kind == TY_tensor && want->kind == TY_tensor &&
        is->dtype != want->dtype && is->dtype != DT_key)
        check_detail(c, "%s(…) converts", dtype_text(c, want->dtype));
}

static void conversion_hint(Check *c, DType a, DType b)
{
    if (a == DT_key || b == DT_key)
        check_detail(c,
                     "a key only makes random numbers: uniform(k), split(k)");
    else if (dtype_is_real(a) && dtype_is_real(b))
        check_detail(c, "%s(…) or %s(…) converts", dtype_text(c, a),
                     dtype_text(c, b));
    else if (dtype_is_real(a) || dtype_is_real(b))
        check_detail(c,
                     "%s converts to %s only where it is told to: write %s(…)",
                     dtype_text(c, dtype_is_real(a) ? b : a),
                     dtype_text(c, dtype_is_real(a) ? a : b),
                     dtype_text(c, dtype_is_real(a) ? a : b));
    else if (a == DT_bool || b == DT_bool)
        check_detail(c, "int(…) makes 0 and 1 of a bool");
    else if (dtype_is_int(a) && dtype_is_int(b))
        check_detail(c, "%s(…) or %s(…) converts", dtype_text(c, a),
                     dtype_text(c, b));
}

static DType literal_dtype(const Check *c, const Operation *o, unsigned mask)
{
    for (int i = 0; i < o->n; i++)
        if (o->x[i].value->literal == LIT_real)
            return c->real;
    return mask & 1u << DT_i32 ? DT_i32 : c->real;
}

static bool wrong_dtype(Check *c, const Operation *o, unsigned mask, DType t)
{
    check_fail(c, first_place(o), "type-mismatch", "'%s' takes %s, not %s",
               o->name, arith_takes(mask), dtype_text(c, t));
    label_all(c, o);
    if (dtype_is_int(t) && !(mask & ON_int))
        check_detail(c, "write real(…) to convert");
    else if (t == DT_bool && mask & ON_int)
        check_detail(c, "int(…) makes 0 and 1 of a bool");
    return false;
}

bool arith_unify(Check *c, const Operation *o, unsigned mask, Node **out)
{
    const Operand *x = o->x;
    int k = 0;
    DType t;

    for (int i = 0; i < o->n; i++) {
        if (x[i].value->kind == V_tensor)
            continue;
        check_fail(c, x[i].span, "type-mismatch",
                   "'%s' takes tensors, not this", o->name);
        check_is(c, x[i].span, x[i].value);
        return false;
    }
    while (k < o->n && x[k].value->literal != LIT_no)
        k++;
    t = k < o->n ? x[k].value->node->dtype : literal_dtype(c, o, mask);
    if (!(mask & 1u << t))
        return wrong_dtype(c, o, mask, t);
    for (int i = 0; i < o->n; i++) {
        out[i] = value_adapt(c, x[i].value, t);
        if (out[i])
            continue;
        if (x[i].value->literal == LIT_int && dtype_is_int(t))
            return check_refuse(c, x[i].span, "range",
                                "this does not fit into %s", dtype_text(c, t));
        check_fail(c, first_place(o), "type-mismatch",
                   "'%s' needs values of one type", o->name);
        label_all(c, o);
        conversion_hint(c, t,
                        x[i].value->literal == LIT_real
                            ? c->real
                            : x[i].value->node->dtype);
        return false;
    }
    return true;
}

/* Trailing dimensions align; each must be equal, the literal 1, or absent. */

static bool join_shape(const Node *n, int *rank, const Dim **dim)
{
    int more = n->rank - *rank;

    if (more > 0) {
        memmove(dim + more, dim, sizeof *dim * (size_t)*rank);
        for (int i = 0; i < more; i++)
            dim[i] = n->dim[i];
        *rank = n->rank;
    }
    for (int i = 0; i < n->rank; i++) {
        const Dim **d = &dim[*rank - n->rank + i];

        if (dim_is(*d, 1))
            *d = n->dim[i];
        else if (*d != n->dim[i] && !dim_is(n->dim[i], 1))
            return false;
    }
    return true;
}

Node *arith_spread(Check *c, Node *a, int rank, const Dim *const *dim)
{
    const Dim *kept[MAX_RANK];
    int axis[MAX_RANK], n = 0, lead = rank - a->rank;
    bool same = lead == 0;

    for (int i = 0; i < rank; i++) {
        bool here = i >= lead && a->dim[i - lead] == dim[i];

        same = same && here;
        axis[i] = here ? n : -1;
        if (here)
            kept[n++] = dim[i];
    }
    if (same)
        return a;
    if (n < a->rank)
        a = g_reshape(c->graph, a, n, kept);
    return g_broadcast(c->graph, a, rank, dim, axis);
}

/* Where a tensor has the leading dimensions of another. */
static void expand_hint(Check *c, const Node *a, const Node *b)
{
    const Node *small = a->rank < b->rank ? a : b;
    const Node *large = a->rank < b->rank ? b : a;

    if (small->rank == large->rank || small->rank == 0)
        return;
    for (int i = 0; i < small->rank; i++)
        if (small->dim[i] != large->dim[i])
            return;
    check_detail(c,
                 "the last dimensions are aligned; expand(…) adds one of 1 at "
                 "the end");
}

static void explain_shapes(Check *c, const Operation *o)
{
    for (int i = 0; i < o->n; i++) {
        for (int k = i + 1; k < o->n; k++) {
            const Node *a = o->x[i].value->node, *b = o->x[k].value->node;

            for (int d = 1; d <= a->rank && d <= b->rank; d++) {
                const Dim *p = a->dim[a->rank - d], *q = b->dim[b->rank - d];

                if (p == q || dim_is(p, 1) || dim_is(q, 1))
                    continue;
                check_detail(c, "%s is %s in one and %s in the other",
                             d == 1
                                 ? "the last dimension"
                                 : arena_printf(c->arena,
                                                "dimension %d from the end", d),
                             dim_text(c->graph, p), dim_text(c->graph, q));
                expand_hint(c, a, b);
                return;
            }
        }
    }
}

bool arith_broadcast(Check *c, const Operation *o, Node **node)
{
    const Dim *dim[2 * MAX_RANK] = {NULL};
    int rank = 0;

    for (int i = 0; i < o->n; i++) {
        if (join_shape(node[i], &rank, dim))
            continue;
        shapes_differ(c, o, "these shapes do not fit");
        explain_shapes(c, o);
        return false;
    }
    if (!size_sensible(c, o->at, rank, dim))
        return false;
    for (int i = 0; i < o->n; i++)
        node[i] = arith_spread(c, node[i], rank, dim);
    return true;
}

/* A real to the power of an int that only the run tells. */
static bool int_exponent(Check *c, OpId op, const Operand *x, Node **node)
{
    if (op != OP_pow)
        return false;

    const Value *a = x[0].value, *b = x[1].value;
    if (a->kind != V_tensor || b->kind != V_tensor || b->literal != LIT_no ||
        !dtype_is_int(b->node->dtype) || a->literal == LIT_int)
        return false;
    a = value_settle(c, x[0].span, a);
    if (a->kind != V_tensor || !dtype_is_real(a->node->dtype))
        return false;
    node[0] = a->node;
    node[1] = b->node;
    return true;
}

static const Value *tensor_op(Check *c, const Operation *o, OpId op)
{
    Node *node[3];

    if ((!int_exponent(c, op, o->x, node) &&
         !arith_unify(c, o, op_table[op]->takes, node)) ||
        !arith_broadcast(c, o, node))
        return c->error;
    return value_tensor(
        c, graph_make(c->graph, op, node[0]->dtype, o->n, node, NULL));
}

/* The one type of the operands that are trees; scalars go with all leaves. */
static const Type *tree_type(Check *c, const Operation *o)
{
    const Type *t = NULL, *u;

    for (int i = 0; i < o->n; i++) {
        const Value *v = o->x[i].value;

        u = value_is_tree(v) ? value_ty(c, v) : NULL;
        if (value_is_scalar(v) || (u && (!t || type_equal(t, u)))) {
            t = u ? u : t;
            continue;
        }
        check_fail(c, first_place(o), "type-mismatch",
                   "'%s' does not fit these types", o->name);
        label_all(c, o);
        check_detail(
            c, "structs are taken leaf by leaf, with one of the same type "
               "or a scalar");
        return NULL;
    }
    return t;
}

typedef const Value *LeafOp(Check *c, const Operation *o, OpId op);

/* op on each leaf of the trees among the operands. */
static const Value *map_leaves(Check *c, const Operation *o, LeafOp *run,
                               OpId op)
{
    const Type *t = tree_type(c, o);
    Node **leaf[3], **out;
    const Leaf *type;
    Operand y[3];
    Operation of = *o;

    if (!t)
        return c->error;
    of.x = y;
    type = type_leaves(c->graph, t, NULL);
    out = NEWN(c->arena, Node *, t->nleaf + 1);
    for (int i = 0; i < o->n; i++)
        leaf[i] = value_is_tree(o->x[i].value) ? value_leaves(c, o->x[i].value)
                                               : NULL;
    for (int k = 0; k < t->nleaf; k++) {
        const Value *v;

        for (int i = 0; i < o->n; i++) {
            y[i] = o->x[i];
            if (leaf[i])
                y[i].value = value_tensor(c, leaf[i][k]);
        }
        v = run(c, &of, op);
        if (value_is_error(v))
            return v;
        out[k] = v->node;
        if (v->node->dtype != type[k].dtype)
            return check_fail(c, o->at, "type-mismatch",
                              "'%s' cannot be applied to a whole %s", o->name,
                              type_text(c, t));
    }
    return value_of_leaves(c, t, out);
}

const Value *arith_elementwise(Check *c, const Operation *o, OpId op)
{
    bool tree = false;

    if (any_error(o->n, o->x))
        return c->error;
    for (int i = 0; i < o->n; i++)
        tree = tree || value_is_tree(o->x[i].value);
    return tree ? map_leaves(c, o, tensor_op, op) : tensor_op(c, o, op);
}

/* Literals with literals: in integers and in reals at once. */

static Node *int_power(Check *c, Node *base, int64_t n)
{
    Node *r = NULL;

    for (; n > 0; n >>= 1) {
        if (n & 1)
            r = r ? g2(c->graph, OP_mul, r, base) : base;
        if (n > 1)
            base = g2(c->graph, OP_mul, base, base);
    }
    return r ? r : g_fill(c->graph, base, 1);
}

static const Value *literal_op(Check *c, const Operation *o, OpId op)
{
    const Operand *x = o->x;
    Node *real[2] = {x[0].value->real, x[1].value->real};
    Node *node[2] = {x[0].value->node, x[1].value->node};
    bool ints =
        x[0].value->literal == LIT_int && x[1].value->literal == LIT_int;
    int64_t power = 0;
    Node *wide;

    if (!arith_broadcast(c, o, real))
        return c->error;
    wide = graph_make(c->graph, op, DT_f64, 2, real, NULL);
    if (op == OP_pow)
        ints = ints && value_const_int(x[1].value, &power) && power >= 0 &&
               power < 64;
    if (!ints)
        return value_literal(c, LIT_real, g_cast(c->graph, c->real, wide),
                             wide);
    if (op == OP_pow)
        return value_literal(c, LIT_int, int_power(c, node[0], power), wide);
    if (!arith_broadcast(c, o, node))
        return c->error;
    return value_literal(c, LIT_int,
                         graph_make(c->graph, op, DT_i64, 2, node, NULL), wide);
}

static const Value *power(Check *c, const Operation *o)
{
    const Value *base = o->x[0].value;
    int64_t n;

    if (base->kind == V_tensor && base->literal == LIT_no &&
        dtype_is_int(base->node->dtype) && value_const_int(o->x[1].value, &n) &&
        n >= 0 && n < 64)
        return value_tensor(c, int_power(c, base->node, n));
    return arith_elementwise(c, o, OP_pow);
}

/* An integer, or the literal of one. */
static bool is_integer(const Value *v)
{
    return v->kind == V_tensor && v->literal != LIT_real &&
           !dtype_is_real(v->node->dtype);
}

static bool divides_by_zero(const Operand *x)
{
    int64_t v;

    return is_integer(x[0].value) && is_integer(x[1].value) &&
           value_const_int(x[1].value, &v) && v == 0;
}

/* Leading dimensions broadcast; a literal 1 is spread out first. */
static bool matmul_leading(Check *c, Node **x)
{
    const Dim *dim[2 * MAX_RANK] = {NULL}, *full[2 * MAX_RANK];
    int rank = 0;

    for (int i = 0; i < 2; i++) {
        Node lead = *x[i];

        lead.rank = x[i]->rank > 2 ? x[i]->rank - 2 : 0;
        if (!join_shape(&lead, &rank, dim))
            return false;
    }
    for (int i = 0; i < 2; i++) {
        int lead = x[i]->rank - 2;
        bool ones = false;

        for (int k = 0; k < lead; k++)
            ones = ones || x[i]->dim[k] != dim[rank - lead + k];
        if (!ones)
            continue;
        for (int k = 0; k < x[i]->rank; k++)
            full[k] = k < lead ? dim[rank - lead + k] : x[i]->dim[k];
        x[i] = arith_spread(c, x[i], x[i]->rank, full);
    }
    return true;
}

static const Value *matmul(Check *c, const Operation *o)
{
    Node *node[2];
    const Dim *inner[2];

    if (!arith_unify(c, o, ON_number, node))
        return c->error;
    if (node[0]->rank == 0 || node[1]->rank == 0) {
        check_fail(c, first_place(o), "shape-mismatch",
                   "'@' multiplies vectors and matrices");
        label_all(c, o);
        return check_detail(c, "'*' multiplies by a scalar");
    }
    inner[0] = node[0]->dim[node[0]->rank - 1];
    inner[1] = node[1]->dim[node[1]->rank > 1 ? node[1]->rank - 2 : 0];
    if (inner[0] != inner[1]) {
        shapes_differ(c, o, "these shapes do not fit");
        return check_detail(c, "the inner dimensions are %s and %s",
                            dim_text(c->graph, inner[0]),
                            dim_text(c->graph, inner[1]));
    }
    if (!matmul_leading(c, node))
        return shapes_differ(c, o, "these leading dimensions do not fit");
    return value_tensor(c, g_matmul(c->graph, node[0], node[1]));
}

/* How the language writes operators of the graph; swap: with their operands
 * exchanged. */
static const struct {
    const char *name;
    OpId op;
    bool compares, swap;
} binary_rows[] = {
    [BI_add] = {"+", OP_add, false, false},
    [BI_sub] = {"-", OP_sub, false, false},
    [BI_mul] = {"*", OP_mul, false, false},
    [BI_div] = {"/", OP_div, false, false},
    [BI_mod] = {"%", OP_mod, false, false},
    [BI_pow] = {"^", OP_pow, false, false},
    [BI_lt] = {"<", OP_lt, true, false},
    [BI_le] = {"<=", OP_le, true, false},
    [BI_gt] = {">", OP_lt, true, true},
    [BI_ge] = {">=", OP_le, true, true},
    [BI_eq] = {"==", OP_eq, true, false},
    [BI_ne] = {"!=", OP_ne, true, false},
    [BI_and] = {"&&", OP_and, false, false},
    [BI_or] = {"||", OP_or, false, false},
    [BI_matmul] = {"@", OP_contract, false, false},
};

static const Value *compare(Check *c, const Operation *o, OpId op, bool swap)
{
    Node *node[2];

    if (!arith_unify(c, o, op_table[op]->takes, node) ||
        !arith_broadcast(c, o, node))
        return c->error;
    return value_tensor(c, g2(c->graph, op, node[swap], node[!swap]));
}

const Value *arith_binary(Check *c, const Scope *s, BinaryOp op, Span at,
                          const Operand *l, const Operand *r)
{
    Operand x[2] = {*l, *r};
    Operation o = {s, binary_rows[op].name, at, 2, x};
    OpId id = binary_rows[op].op;

    if (any_error(2, x))
        return c->error;
    if ((op == BI_div || op == BI_mod) && divides_by_zero(x)) {
        check_fail(c, first_place(&o), "zero-division", "this divides by zero");
        return label_all(c, &o);
    }
    if (op == BI_matmul)
        return matmul(c, &o);
    if (binary_rows[op].compares)
        return compare(c, &o, id, binary_rows[op].swap);
    if (l->value->literal != LIT_no && r->value->literal != LIT_no &&
        op_table[id]->takes & ON_number)
        return literal_op(c, &o, id);
    return op == BI_pow ? power(c, &o) : arith_elementwise(c, &o, id);
}

static const Value *transpose(Check *c, const Scope *s, const Expr *e,
                              const Value *v)
{
    Graph *g = c->graph;
    int last = v->kind == V_tensor ? v->node->rank - 1 : 0;
    Node *n;

    if (last < 1) {
        check_fail(c, e->unary.of->span, "shape-mismatch",
                   "\"'\" transposes the last two dimensions");
        return check_label(c, s, e->unary.of, v);
    }
    n = g_move_axis(g, v->node, last, last - 1);
    if (v->literal != LIT_no)
        return value_literal(c, v->literal, n,
                             g_move_axis(g, v->real, last, last - 1));
    return value_tensor(c, n);
}

const Value *eval_unary(Check *c, const Scope *s, const Expr *e)
{
    Operand x = {eval(c, s, e->unary.of), e->unary.of->span, e->unary.of};
    Operation o = {s, e->unary.op == UN_not ? "!" : "-", e->span, 1, &x};

    if (value_is_error(x.value))
        return x.value;
    switch (e->unary.op) {
    case UN_transpose:
        return transpose(c, s, e, x.value);
    case UN_not:
        return arith_elementwise(c, &o, OP_not);
    case UN_neg:
        break;
    }
    if (x.value->literal != LIT_no) {
        Node *real = g1(c->graph, OP_neg, x.value->real);
        return value_literal(c, x.value->literal,
                             g1(c->graph, OP_neg, x.value->node), real);
    }
    return arith_elementwise(c, &o, OP_neg);
}

/* x[0] is the condition, x[1] and x[2] what is chosen from. */
static const Value *where_tensors(Check *c, const Operation *o, OpId op)
{
    Node *node[3] = {o->x[0].value->node};
    Operation both = {o->s, o->name, o->at, 2, o->x + 1};

    (void)op;
    if (!arith_unify(c, &both, ON_any, node + 1) ||
        !arith_broadcast(c, o, node))
        return c->error;
    return value_tensor(c, g_where(c->graph, node[0], node[1], node[2]));
}

const Value *arith_where(Check *c, const Scope *s, Span at, const Operand *x)
{
    Operation o = {s, "where", at, 3, x};

    if (any_error(3, x))
        return c->error;
    if (x[0].value->kind != V_tensor || x[0].value->node->dtype != DT_bool)
        return check_fail(c, x[0].span, "condition",
                          "the condition of 'where' holds bools, this is %s",
                          value_text(c, x[0].value));
    if (value_is_tree(x[1].value) || value_is_tree(x[2].value))
        return map_leaves(c, &o, where_tensors, OP_where);
    return where_tensors(c, &o, OP_where);
}

/* Of two literals one is chosen that adapts like them. */
static const Value *if_literals(Check *c, Node *cond, const Value *a,
                                const Value *b)
{
    Graph *g = c->graph;
    Node *real = g_if(g, cond, a->real, b->real);

    if (a->literal == LIT_int && b->literal == LIT_int)
        return value_literal(c, LIT_int, g_if(g, cond, a->node, b->node), real);
    return value_literal(c, LIT_real, g_cast(g, c->real, real), real);
}

/* A literal as what stands at its place in the other branch. */
static const Value *adapted(Check *c, Span at, const Value *v, const Value *w)
{
    const Value *n = NULL;

    (void)at;
    if (value_is_literal(v) && w->kind == V_tensor && v->literal != w->literal)
        n = value_fit(
            c,
            type_tensor(c->arena, w->node->dtype, v->node->rank, v->node->dim),
            v);
    return n ? n : v;
}

const Value *arith_if(Check *c, const Scope *s, Span at, Node *cond,
                      const Operand *a, const Operand *b)
{
    Operand x[2] = {*a, *b};
    Operation o = {s, "if", at, 2, x};
    Node *node[2], **l, **r;
    const Type *t;

    if (any_error(2, x))
        return c->error;
    if (a->value->literal != LIT_no && b->value->literal != LIT_no &&
        same_shape(a->value->node, b->value->node))
        return if_literals(c, cond, a->value, b->value);
    if (a->value->kind == V_tensor && b->value->kind == V_tensor) {
        if (!arith_unify(c, &o, ON_any, node))
            return c->error;
        x[0].value = value_tensor(c, node[0]);
        x[1].value = value_tensor(c, node[1]);
    } else {
        x[0].value = value_map(c, at, a->value, b->value, adapted);
        x[1].value = value_map(c, at, b->value, a->value, adapted);
    }
    t = value_ty(c, x[0].value);
    if (!t || !value_ty(c, x[1].value) ||
        !type_equal(t, value_ty(c, x[1].value))) {
        check_fail(c, x[0].span, "type-mismatch",
                   "both branches of 'if' must have one type");
        return label_all(c, &o);
    }
    l = value_leaves(c, x[0].value);
    r = value_leaves(c, x[1].value);
    for (int i = 0; i < t->nleaf; i++)
        l[i] = g_if(c->graph, cond, l[i], r[i]);
    return value_of_leaves(c, t, l);
}
