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

static const Value *label_all(Check *c, const Scope *s, int n, const Operand *x)
{
    for (int i = 0; i < n; i++) {
        if (x[i].expr)
            check_label(c, s, x[i].expr, x[i].value);
        else
            check_detail(c, "%s", value_text(c, x[i].value));
    }
    return c->error;
}

static Span first_place(Span at, const Operand *x)
{
    return x[0].expr ? x[0].span : at;
}

const char *takes_text(unsigned mask)
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

static DType literal_dtype(const Check *c, int n, const Operand *x,
                           unsigned mask)
{
    for (int i = 0; i < n; i++)
        if (x[i].value->literal == LIT_real)
            return c->real;
    return mask & 1u << DT_i32 ? DT_i32 : c->real;
}

static bool wrong_dtype(Check *c, const Scope *s, const char *name, Span at,
                        int n, const Operand *x, unsigned mask, DType t)
{
    check_fail(c, first_place(at, x), "type-mismatch", "'%s' takes %s, not %s",
               name, takes_text(mask), dtype_text(c, t));
    label_all(c, s, n, x);
    if (dtype_is_int(t) && !(mask & ON_int))
        check_detail(c, "write real(…) to convert");
    else if (t == DT_bool && mask & ON_int)
        check_detail(c, "int(…) makes 0 and 1 of a bool");
    return false;
}

bool arith_unify(Check *c, const Scope *s, const char *name, Span at, int n,
                 const Operand *x, unsigned mask, Node **out)
{
    int k = 0;
    DType t;

    for (int i = 0; i < n; i++) {
        if (x[i].value->kind == V_tensor)
            continue;
        check_fail(c, x[i].span, "type-mismatch",
                   "'%s' takes tensors, not this", name);
        check_is(c, x[i].span, x[i].value);
        return false;
    }
    while (k < n && x[k].value->literal != LIT_no)
        k++;
    t = k < n ? x[k].value->node->dtype : literal_dtype(c, n, x, mask);
    if (!(mask & 1u << t))
        return wrong_dtype(c, s, name, at, n, x, mask, t);
    for (int i = 0; i < n; i++) {
        out[i] = value_adapt(c, x[i].value, t);
        if (out[i])
            continue;
        if (x[i].value->literal == LIT_int && dtype_is_int(t))
            return check_refuse(c, x[i].span, "range",
                                "this does not fit into %s", dtype_text(c, t));
        check_fail(c, first_place(at, x), "type-mismatch",
                   "'%s' needs values of one type", name);
        label_all(c, s, n, x);
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

static void explain_shapes(Check *c, int n, const Operand *x)
{
    for (int i = 0; i < n; i++) {
        for (int k = i + 1; k < n; k++) {
            const Node *a = x[i].value->node, *b = x[k].value->node;

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

bool arith_broadcast(Check *c, const Scope *s, const char *name, Span at, int n,
                     const Operand *x, Node **node)
{
    const Dim *dim[2 * MAX_RANK] = {NULL};
    int rank = 0;

    for (int i = 0; i < n; i++) {
        if (join_shape(node[i], &rank, dim))
            continue;
        check_fail(c, first_place(at, x), "shape-mismatch",
                   "these shapes do not fit '%s'", name);
        label_all(c, s, n, x);
        explain_shapes(c, n, x);
        return false;
    }
    if (!dim_sensible(c, at, rank, dim))
        return false;
    for (int i = 0; i < n; i++)
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

static const Value *tensor_op(Check *c, const Scope *s, OpId op,
                              const char *name, Span at, int n,
                              const Operand *x)
{
    Node *node[3];
    unsigned mask = op_table[op]->takes;

    if ((!int_exponent(c, op, x, node) &&
         !arith_unify(c, s, name, at, n, x, mask, node)) ||
        !arith_broadcast(c, s, name, at, n, x, node))
        return c->error;
    return value_tensor(
        c, graph_make(c->graph, op, node[0]->dtype, n, node, NULL));
}

/* The one type of the operands that are trees; scalars go with all leaves. */
static const Type *tree_type(Check *c, const Scope *s, const char *name,
                             Span at, int n, const Operand *x)
{
    const Type *t = NULL, *u;

    for (int i = 0; i < n; i++) {
        const Value *v = x[i].value;

        u = value_is_tree(v) ? value_ty(c, v) : NULL;
        if (value_is_scalar(v) || (u && (!t || type_equal(t, u)))) {
            t = u ? u : t;
            continue;
        }
        check_fail(c, first_place(at, x), "type-mismatch",
                   "'%s' does not fit these types", name);
        label_all(c, s, n, x);
        check_detail(
            c, "structs are taken leaf by leaf, with one of the same type "
               "or a scalar");
        return NULL;
    }
    return t;
}

typedef const Value *LeafOp(Check *c, const Scope *s, OpId op, const char *name,
                            Span at, int n, const Operand *x);

/* op on each leaf of the trees among x, of type t. */
static const Value *map_leaves(Check *c, const Scope *s, LeafOp *run, OpId op,
                               const char *name, Span at, int n,
                               const Operand *x)
{
    const Type *t = tree_type(c, s, name, at, n, x);
    Node **leaf[3], **out;
    const Leaf *type;
    Operand y[3];

    if (!t)
        return c->error;
    type = type_leaves(c->graph, t, NULL);
    out = NEWN(c->arena, Node *, t->nleaf + 1);
    for (int i = 0; i < n; i++)
        leaf[i] =
            value_is_tree(x[i].value) ? value_leaves(c, x[i].value) : NULL;
    for (int k = 0; k < t->nleaf; k++) {
        const Value *v;

        for (int i = 0; i < n; i++) {
            y[i] = x[i];
            if (leaf[i])
                y[i].value = value_tensor(c, leaf[i][k]);
        }
        v = run(c, s, op, name, at, n, y);
        if (value_is_error(v))
            return v;
        out[k] = v->node;
        if (v->node->dtype != type[k].dtype)
            return check_fail(c, at, "type-mismatch",
                              "'%s' cannot be applied to a whole %s", name,
                              type_text(c, t));
    }
    return value_of_leaves(c, t, out);
}

const Value *arith_elementwise(Check *c, const Scope *s, OpId op,
                               const char *name, Span at, int n,
                               const Operand *x)
{
    bool tree = false;

    if (any_error(n, x))
        return c->error;
    for (int i = 0; i < n; i++)
        tree = tree || value_is_tree(x[i].value);
    return tree ? map_leaves(c, s, tensor_op, op, name, at, n, x)
                : tensor_op(c, s, op, name, at, n, x);
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

static const Value *literal_op(Check *c, const Scope *s, OpId op,
                               const char *name, Span at, const Operand *x)
{
    Node *real[2] = {x[0].value->real, x[1].value->real};
    Node *node[2] = {x[0].value->node, x[1].value->node};
    bool ints =
        x[0].value->literal == LIT_int && x[1].value->literal == LIT_int;
    int64_t power = 0;
    Node *wide;

    if (!arith_broadcast(c, s, name, at, 2, x, real))
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
    if (!arith_broadcast(c, s, name, at, 2, x, node))
        return c->error;
    return value_literal(c, LIT_int,
                         graph_make(c->graph, op, DT_i64, 2, node, NULL), wide);
}

static const Value *power(Check *c, const Scope *s, Span at, const Operand *x)
{
    const Value *base = x[0].value;
    int64_t n;

    if (base->kind == V_tensor && base->literal == LIT_no &&
        dtype_is_int(base->node->dtype) && value_const_int(x[1].value, &n) &&
        n >= 0 && n < 64)
        return value_tensor(c, int_power(c, base->node, n));
    return arith_elementwise(c, s, OP_pow, "^", at, 2, x);
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

static const Value *matmul(Check *c, const Scope *s, Span at, const Operand *x)
{
    Node *node[2];
    const Dim *inner[2];

    if (!arith_unify(c, s, "@", at, 2, x, ON_number, node))
        return c->error;
    if (node[0]->rank == 0 || node[1]->rank == 0) {
        check_fail(c, first_place(at, x), "shape-mismatch",
                   "'@' multiplies vectors and matrices");
        label_all(c, s, 2, x);
        return check_detail(c, "'*' multiplies by a scalar");
    }
    inner[0] = node[0]->dim[node[0]->rank - 1];
    inner[1] = node[1]->dim[node[1]->rank > 1 ? node[1]->rank - 2 : 0];
    if (inner[0] != inner[1]) {
        check_fail(c, first_place(at, x), "shape-mismatch",
                   "these shapes do not fit '@'");
        label_all(c, s, 2, x);
        return check_detail(c, "the inner dimensions are %s and %s",
                            dim_text(c->graph, inner[0]),
                            dim_text(c->graph, inner[1]));
    }
    if (!matmul_leading(c, node)) {
        check_fail(c, first_place(at, x), "shape-mismatch",
                   "these leading dimensions do not fit '@'");
        return label_all(c, s, 2, x);
    }
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

static const Value *compare(Check *c, const Scope *s, OpId op, const char *name,
                            Span at, bool swap, const Operand *x)
{
    Node *node[2], *both[2];

    if (!arith_unify(c, s, name, at, 2, x, op_table[op]->takes, node) ||
        !arith_broadcast(c, s, name, at, 2, x, node))
        return c->error;
    both[0] = node[swap ? 1 : 0];
    both[1] = node[swap ? 0 : 1];
    return value_tensor(c, g2(c->graph, op, both[0], both[1]));
}

const Value *arith_binary(Check *c, const Scope *s, BinaryOp op, Span at,
                          const Operand *l, const Operand *r)
{
    Operand x[2] = {*l, *r};
    const char *name = binary_rows[op].name;
    OpId id = binary_rows[op].op;

    if (any_error(2, x))
        return c->error;
    if ((op == BI_div || op == BI_mod) && divides_by_zero(x)) {
        check_fail(c, first_place(at, x), "zero-division",
                   "this divides by zero");
        return label_all(c, s, 2, x);
    }
    if (op == BI_matmul)
        return matmul(c, s, at, x);
    if (binary_rows[op].compares)
        return compare(c, s, id, name, at, binary_rows[op].swap, x);
    if (l->value->literal != LIT_no && r->value->literal != LIT_no &&
        op_table[id]->takes & ON_number)
        return literal_op(c, s, id, name, at, x);
    return op == BI_pow ? power(c, s, at, x)
                        : arith_elementwise(c, s, id, name, at, 2, x);
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

    if (value_is_error(x.value))
        return x.value;
    switch (e->unary.op) {
    case UN_transpose:
        return transpose(c, s, e, x.value);
    case UN_not:
        return arith_elementwise(c, s, OP_not, "!", e->span, 1, &x);
    case UN_neg:
        break;
    }
    if (x.value->literal != LIT_no)
        return value_literal(c, x.value->literal,
                             g1(c->graph, OP_neg, x.value->node),
                             g1(c->graph, OP_neg, x.value->real));
    return arith_elementwise(c, s, OP_neg, "-", e->span, 1, &x);
}

/* x[0] is the condition, x[1] and x[2] what is chosen from. */
static const Value *where_tensors(Check *c, const Scope *s, OpId op,
                                  const char *name, Span at, int n,
                                  const Operand *x)
{
    Node *node[3] = {x[0].value->node};

    (void)op;
    if (!arith_unify(c, s, name, at, 2, x + 1, ON_any, node + 1) ||
        !arith_broadcast(c, s, name, at, n, x, node))
        return c->error;
    return value_tensor(c, g_where(c->graph, node[0], node[1], node[2]));
}

const Value *arith_where(Check *c, const Scope *s, Span at, const Operand *x)
{
    if (any_error(3, x))
        return c->error;
    if (x[0].value->kind != V_tensor || x[0].value->node->dtype != DT_bool)
        return check_fail(c, x[0].span, "condition",
                          "the condition of 'where' holds bools, this is %s",
                          value_text(c, x[0].value));
    if (value_is_tree(x[1].value) || value_is_tree(x[2].value))
        return map_leaves(c, s, where_tensors, OP_where, "where", at, 3, x);
    return where_tensors(c, s, OP_where, "where", at, 3, x);
}

static const Value *branches_differ(Check *c, const Scope *s, const Operand *x)
{
    check_fail(c, x[0].span, "type-mismatch",
               "both branches of 'if' must have one type");
    return label_all(c, s, 2, x);
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
    Node *node[2], **l, **r;
    const Type *t;

    if (any_error(2, x))
        return c->error;
    if (a->value->literal != LIT_no && b->value->literal != LIT_no &&
        same_shape(a->value->node, b->value->node))
        return if_literals(c, cond, a->value, b->value);
    if (a->value->kind == V_tensor && b->value->kind == V_tensor) {
        if (!arith_unify(c, s, "if", at, 2, x, ON_any, node))
            return c->error;
        x[0].value = value_tensor(c, node[0]);
        x[1].value = value_tensor(c, node[1]);
    } else {
        x[0].value = value_map(c, at, a->value, b->value, adapted);
        x[1].value = value_map(c, at, b->value, a->value, adapted);
    }
    t = value_ty(c, x[0].value);
    if (!t || !value_ty(c, x[1].value) ||
        !type_equal(t, value_ty(c, x[1].value)))
        return branches_differ(c, s, x);
    l = value_leaves(c, x[0].value);
    r = value_leaves(c, x[1].value);
    for (int i = 0; i < t->nleaf; i++)
        l[i] = g_if(c->graph, cond, l[i], r[i]);
    return value_of_leaves(c, t, l);
}
