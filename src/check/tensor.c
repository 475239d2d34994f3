/* tensor.c: the functions that make tensors and change their shape. */
#include "check/check_internal.h"

#include <string.h>

bool arg_shape(Check *c, const CallArg *a, int *rank, const Dim **dim)
{
    const Value *v = a->value;
    const Value *const *part = v->part;
    int n = v->npart;

    if (value_is_scalar(v)) {
        part = &v;
        n = 1;
    } else if ((v->kind != V_tensor || v->node->rank != 1 || !part) &&
               v->kind != V_tuple) {
        check_fail(c, a->span, "shape",
                   "a shape is a list of dimensions: [n, m]");
        diag_label(c->diags, a->span, "%s", value_text(c, v));
        return false;
    }
    if (n > MAX_RANK) {
        check_fail(c, a->span, "rank", "a tensor has at most %d dimensions",
                   MAX_RANK);
        return false;
    }
    *rank = n;
    for (int i = 0; i < n; i++) {
        dim[i] = dim_of_value(c, part[i], a->span);
        if (!dim[i])
            return false;
    }
    return true;
}

static const Dim *product(Check *c, int n, const Dim *const *dim)
{
    const Dim *p = dim_const(c->graph, 1);

    for (int i = 0; i < n; i++)
        p = dim_mul(c->graph, p, dim[i]);
    return p;
}

/* One dimension may be -1: what is left over. */
static bool solve_rest(Check *c, const Dim *total, int rank, const Dim **dim)
{
    const Dim *others = dim_const(c->graph, 1), *q;
    int rest = -1;

    for (int i = 0; i < rank; i++) {
        if (!dim_is(dim[i], -1))
            others = dim_mul(c->graph, others, dim[i]);
        else if (rest >= 0)
            return false;
        else
            rest = i;
    }
    if (rest < 0)
        return others == total;
    if (dim_is(others, 0))
        return false;
    q = dim_div(c->graph, total, others);
    dim[rest] = q;
    return dim_mul(c->graph, q, others) == total;
}

const Value *run_reshape(Check *c, const Builtin *b, const Call *call,
                         const CallArg *const *slot)
{
    Node *n = arg_tensor(c, b, slot[0]);
    const Dim *dim[MAX_RANK];
    int rank;

    if (!n || !arg_shape(c, slot[1], &rank, dim))
        return c->error;
    if (!solve_rest(c, product(c, n->rank, n->dim), rank, dim)) {
        check_fail(
            c, call->at, "shape-mismatch",
            "%s cannot be reshaped to %s: the number of elements differs",
            shape_text(c, n->rank, n->dim), shape_text(c, rank, dim));
        check_label(c, call->scope, slot[0]->expr, slot[0]->value);
        return c->error;
    }
    if (!dim_sensible(c, slot[1]->span, rank, dim))
        return c->error;
    return value_tensor(c, g_reshape(c->graph, n, rank, dim));
}

const Value *run_transpose(Check *c, const Builtin *b, const Call *call,
                           const CallArg *const *slot)
{
    Node *n = arg_tensor(c, b, slot[0]);
    int perm[MAX_RANK], count = call->narg - 1;
    bool seen[MAX_RANK] = {false};

    if (!n)
        return c->error;
    if (count > 0 && count != n->rank) {
        check_fail(c, call->at, "axis",
                   "'transpose' takes all %d axes, or none", n->rank);
        return c->error;
    }
    for (int i = 0; i < n->rank; i++) {
        perm[i] = n->rank - 1 - i;
        if (count > 0 && !arg_axis(c, b, &call->arg[1 + i], n->rank, &perm[i]))
            return c->error;
        if (seen[perm[i]])
            return check_fail(c, call->at, "axis", "axis %d is given twice",
                              perm[i]);
        seen[perm[i]] = true;
    }
    return value_tensor(c, g_permute(c->graph, n, perm));
}

const Value *run_broadcast(Check *c, const Builtin *b, const Call *call,
                           const CallArg *const *slot)
{
    const Dim *dim[MAX_RANK];
    const Value *v;
    const Type *t;
    int rank;

    if (!arg_tensor(c, b, slot[0]) || !arg_shape(c, slot[1], &rank, dim) ||
        !dim_sensible(c, slot[1]->span, rank, dim))
        return c->error;
    v = value_settle(c, slot[0]->span, slot[0]->value);
    t = type_tensor(c->arena, v->node->dtype, rank, dim);
    v = value_fill(c, t, v, call->at);
    return v ? v : c->error;
}

const Value *run_expand(Check *c, const Builtin *b, const Call *call,
                        const CallArg *const *slot)
{
    Node *n = arg_tensor(c, b, slot[0]);
    const Dim *dim[MAX_RANK + 1];
    int axis, k = 0;

    if (!n)
        return c->error;
    axis = n->rank;
    if (slot[1] && !arg_axis(c, b, slot[1], n->rank + 1, &axis))
        return c->error;
    if (n->rank == MAX_RANK)
        return check_fail(c, call->at, "rank",
                          "a tensor has at most %d dimensions", MAX_RANK);
    for (int i = 0; i <= n->rank; i++)
        dim[i] = i == axis ? dim_const(c->graph, 1) : n->dim[k++];
    return value_tensor(c, g_reshape(c->graph, n, n->rank + 1, dim));
}

/* The positional arguments, or the parts of the one tuple among them. */
static Operand *operands(Check *c, const Call *call, int *n)
{
    Operand *x = NEWN(c->arena, Operand, call->narg + 1);
    const Value *v;

    *n = 0;
    for (int i = 0; i < call->narg; i++)
        if (!call->arg[i].name)
            x[(*n)++] = (Operand){call->arg[i].value, call->arg[i].span,
                                  call->arg[i].expr};
    v = x[0].value;
    if (*n != 1 || v->kind != V_tuple)
        return x;
    *n = v->npart;
    x = NEWN(c->arena, Operand, v->npart + 1);
    for (int i = 0; i < v->npart; i++)
        x[i] = (Operand){v->part[i], call->arg[0].span, NULL};
    return x;
}

static bool concat_fits(const Node *a, const Node *b, int axis)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (i != axis && a->dim[i] != b->dim[i])
            return false;
    return true;
}

const Value *run_concat(Check *c, const Builtin *b, const Call *call,
                        const CallArg *const *slot)
{
    int n, axis = 0;
    Operand *x = operands(c, call, &n);
    Node **node = NEWN(c->arena, Node *, n + 1);

    if (n == 0 ||
        !arith_unify(c, call->scope, b->name, call->at, n, x, ON_any, node))
        return c->error;
    if (node[0]->rank == 0) {
        check_fail(c, call->at, "shape-mismatch",
                   "'concat' joins tensors of one dimension or more");
        check_detail(c, "'stack' and [a, b] make a tensor of scalars");
        return c->error;
    }
    if (slot[1] && !arg_axis(c, b, slot[1], node[0]->rank, &axis))
        return c->error;
    for (int i = 1; i < n; i++) {
        if (concat_fits(node[0], node[i], axis))
            continue;
        check_fail(c, x[0].span, "shape-mismatch",
                   "these shapes cannot be joined along axis %d", axis);
        check_label(c, call->scope, x[0].expr, x[0].value);
        check_label(c, call->scope, x[i].expr, x[i].value);
        return c->error;
    }
    return value_tensor(c, g_concat(c->graph, n, node, axis));
}

const Value *run_stack(Check *c, const Builtin *b, const Call *call,
                       const CallArg *const *slot)
{
    int n, axis = 0, perm[MAX_RANK];
    const Value *v;
    Operand *x = operands(c, call, &n);

    v = literal_stack(c, call->scope, call->at, n, x);
    v = value_settle(c, call->at, v);
    if (value_is_error(v) || !slot[1])
        return v;
    if (v->kind != V_tensor)
        return check_fail(c, slot[1]->span, "axis",
                          "only tensors stack along an "
                          "axis of your choice");
    if (!arg_axis(c, b, slot[1], v->node->rank, &axis))
        return c->error;
    for (int i = 0; i < v->node->rank; i++)
        perm[i] = i < axis ? i + 1 : i == axis ? 0 : i;
    return value_tensor(c, g_permute(c->graph, v->node, perm));
}

/* One amount for all axes, for the chosen one, or a list. */
static bool amounts(Check *c, const CallArg *a, int rank, int axis,
                    const Dim **dim)
{
    int n;
    int64_t v;
    const Dim *given[MAX_RANK];

    if (!arg_shape(c, a, &n, given))
        return false;
    if (!value_is_scalar(a->value) && (n != rank || axis >= 0)) {
        check_fail(c, a->span, "shape",
                   "one amount, or one for each of the %d "
                   "dimensions, is needed",
                   rank);
        return false;
    }
    for (int i = 0; i < rank; i++) {
        dim[i] = n == rank && !value_is_scalar(a->value) ? given[i] : given[0];
        if (axis >= 0 && i != axis)
            dim[i] = dim_const(c->graph, 0);
        if (dim_const_value(dim[i], &v) && v < 0) {
            check_fail(c, a->span, "shape",
                       "an amount to pad by is not negative");
            return false;
        }
    }
    return true;
}

/* pad(x, before, after, axis?): zeros around x. */
const Value *run_pad(Check *c, const Builtin *b, const Call *call,
                     const CallArg *const *slot)
{
    Node *n = arg_tensor(c, b, slot[0]);
    const Dim *lo[MAX_RANK], *hi[MAX_RANK], *dim[MAX_RANK];
    int axis = -1, step[MAX_RANK];

    if (!n)
        return c->error;
    if (n->rank == 0)
        return check_fail(c, call->at, "shape", "a scalar cannot be padded");
    if (slot[3] && !arg_axis(c, b, slot[3], n->rank, &axis))
        return c->error;
    if (!amounts(c, slot[1], n->rank, axis, lo) ||
        !amounts(c, slot[2], n->rank, axis, hi))
        return c->error;
    for (int i = 0; i < n->rank; i++) {
        dim[i] = dim_add(c->graph, dim_add(c->graph, lo[i], n->dim[i]), hi[i]);
        step[i] = 1;
    }
    if (!dim_sensible(c, call->at, n->rank, dim))
        return c->error;
    return value_tensor(c, g_pad(c->graph, n, lo, dim, step));
}

const Value *run_flip(Check *c, const Builtin *b, const Call *call,
                      const CallArg *const *slot)
{
    Node *n = arg_tensor(c, b, slot[0]);
    int axis = 0;

    (void)call;
    if (!n || (slot[1] && !arg_axis(c, b, slot[1], n->rank, &axis)))
        return c->error;
    if (slot[1])
        return value_tensor(c, g_flip(c->graph, n, axis));
    for (int i = 0; i < n->rank; i++)
        n = g_flip(c->graph, n, i);
    return value_tensor(c, n);
}

static Node *axis_to(Check *c, Node *n, int from, int to)
{
    int perm[MAX_RANK];

    for (int i = 0, k = 0; i < n->rank; i++) {
        k += k == from;
        perm[i] = i == to ? from : k++;
    }
    return g_permute(c->graph, n, perm);
}

const Value *run_moveaxis(Check *c, const Builtin *b, const Call *call,
                          const CallArg *const *slot)
{
    Node *n = arg_tensor(c, b, slot[0]);
    int from, to;

    (void)call;
    if (!n || !arg_axis(c, b, slot[1], n->rank, &from) ||
        !arg_axis(c, b, slot[2], n->rank, &to))
        return c->error;
    return value_tensor(c, axis_to(c, n, from, to));
}

/* The axis that is given, or the last. */
static bool last_axis(Check *c, const Builtin *b, const CallArg *a,
                      const CallArg *x, int rank, int *axis)
{
    *axis = rank - 1;
    if (a)
        return arg_axis(c, b, a, rank, axis);
    if (rank > 0)
        return true;
    check_fail(c, x->span, "axis", "a scalar has no axis");
    return false;
}

const Value *run_argsort(Check *c, const Builtin *b, const Call *call,
                         const CallArg *const *slot)
{
    Node *n = arg_tensor(c, b, slot[0]);
    bool descending = false;
    int axis, last;

    (void)call;
    if (!n || !last_axis(c, b, slot[1], slot[0], n->rank, &axis) ||
        !arg_bool(c, b, slot[2], "descending", &descending))
        return c->error;
    if (!(ON_number & 1u << n->dtype)) {
        check_fail(c, slot[0]->span, "type-mismatch", "'%s' takes numbers",
                   b->name);
        diag_label(c->diags, slot[0]->span, "%s",
                   value_text(c, slot[0]->value));
        return c->error;
    }
    last = n->rank - 1;
    n = g_argsort(c->graph, axis_to(c, n, axis, last), descending);
    return value_tensor(c, axis_to(c, n, last, axis));
}

const Value *run_take_along(Check *c, const Builtin *b, const Call *call,
                            const CallArg *const *slot)
{
    Node *x = arg_tensor(c, b, slot[0]), *i = arg_tensor(c, b, slot[1]);
    bool fits;
    int axis;

    if (!x || !i || !last_axis(c, b, slot[2], slot[0], x->rank, &axis))
        return c->error;
    fits = dtype_is_int(i->dtype) && i->rank == x->rank;
    for (int k = 0; fits && k < x->rank; k++)
        fits = k == axis || x->dim[k] == i->dim[k];
    if (fits)
        return value_tensor(c, g_take_along(c->graph, x, i, axis));
    check_fail(
        c, call->at, "shape-mismatch",
        "'%s' takes int places in the shape of the tensor but for axis %d",
        b->name, axis);
    diag_label(c->diags, slot[0]->span, "%s", value_text(c, slot[0]->value));
    diag_label(c->diags, slot[1]->span, "%s", value_text(c, slot[1]->value));
    return c->error;
}

/* zeros and ones are real; full keeps its value's type. */
const Value *run_full(Check *c, const Builtin *b, const Call *call,
                      const CallArg *const *slot)
{
    const Dim *dim[MAX_RANK];
    const Value *v;
    Node *n, *real;
    int rank;

    if (!arg_shape(c, slot[0], &rank, dim) ||
        !dim_sensible(c, call->at, rank, dim))
        return c->error;
    if (!slot[1]) {
        n = g_const(c->graph, c->real, strcmp(b->name, "ones") == 0);
        return value_tensor(c, g_broadcast_to(c->graph, n, rank, dim));
    }
    v = slot[1]->value;
    if (!value_is_scalar(v))
        return check_fail(c, slot[1]->span, "argument",
                          "'full' takes a scalar, not %s", value_text(c, v));
    n = g_broadcast_to(c->graph, v->node, rank, dim);
    if (v->literal == LIT_no)
        return value_tensor(c, n);
    real = g_broadcast_to(c->graph, v->real, rank, dim);
    return value_literal(c, v->literal, n, real);
}

const Value *run_iota(Check *c, const Builtin *b, const Call *call,
                      const CallArg *const *slot)
{
    const Dim *n = dim_of_value(c, slot[0]->value, slot[0]->span);

    (void)b;
    if (!n || !dim_sensible(c, call->at, 1, &n))
        return c->error;
    return value_tensor(c, g_iota(c->graph, DT_i32, n));
}

/* onehot(i, n)[…, k] = 1 where k = i[…] */
const Value *run_onehot(Check *c, const Builtin *b, const Call *call,
                        const CallArg *const *slot)
{
    Graph *g = c->graph;
    Node *i = arg_tensor(c, b, slot[0]), *k, *same;
    const Dim *n = dim_of_value(c, slot[1]->value, slot[1]->span);
    const Dim *dim[MAX_RANK + 1];
    int axis[MAX_RANK + 1], last[MAX_RANK + 1];

    if (!i || !n)
        return c->error;
    if (!dtype_is_int(i->dtype)) {
        check_fail(c, slot[0]->span, "type-mismatch",
                   "'onehot' takes integers");
        check_label(c, call->scope, slot[0]->expr, slot[0]->value);
        return c->error;
    }
    for (int a = 0; a < i->rank; a++) {
        dim[a] = i->dim[a];
        axis[a] = a;
        last[a] = -1;
    }
    dim[i->rank] = n;
    axis[i->rank] = -1;
    last[i->rank] = 0;
    if (!dim_sensible(c, call->at, i->rank + 1, dim))
        return c->error;
    k = g_broadcast(g, g_iota(g, i->dtype, n), i->rank + 1, dim, last);
    i = g_broadcast(g, g_index_check(g, i, n), i->rank + 1, dim, axis);
    same = g2(g, OP_eq, i, k);
    k = g_broadcast_to(g, g_const(g, c->real, 1), i->rank, dim);
    return value_tensor(c, g_where(g, same, k, g_fill(g, k, 0)));
}

static const Value *dot_leaves(Check *c, const Call *call, const Value *a,
                               const Value *b)
{
    Node **x = value_leaves(c, a), **y = value_leaves(c, b), *total = NULL;

    for (int i = 0; i < a->nleaf; i++) {
        Node *n;

        if (!dtype_is_real(x[i]->dtype) ||
            (total && total->dtype != x[i]->dtype)) {
            check_fail(c, call->at, "type-mismatch",
                       "'dot' takes reals of one type");
            check_detail(c, "among what it was given is %s",
                         value_text(c, value_tensor(c, x[i])));
            return c->error;
        }
        n = g2(c->graph, OP_mul, x[i], y[i]);
        n = n->rank ? g_reduce_all(c->graph, OP_sum, n) : n;
        total = total ? g2(c->graph, OP_add, total, n) : n;
    }
    return total ? value_tensor(c, total)
                 : check_fail(c, call->at, "empty", "'dot' of nothing");
}

/* The sum of the products of all elements, of all leaves. */
const Value *run_dot(Check *c, const Builtin *b, const Call *call,
                     const CallArg *const *slot)
{
    Operand x[2] = {{slot[0]->value, slot[0]->span, slot[0]->expr},
                    {slot[1]->value, slot[1]->span, slot[1]->expr}};
    Node *node[2];

    if (x[0].value->kind == V_tensor && x[1].value->kind == V_tensor) {
        if (!arith_unify(c, call->scope, b->name, call->at, 2, x, ON_real,
                         node))
            return c->error;
        x[0].value = value_tensor(c, node[0]);
        x[1].value = value_tensor(c, node[1]);
    }
    if (type_equal(value_ty(c, x[0].value), value_ty(c, x[1].value)))
        return dot_leaves(c, call, x[0].value, x[1].value);
    check_fail(c, x[0].span, "shape-mismatch", "'dot' takes two of one type");
    check_label(c, call->scope, x[0].expr, x[0].value);
    check_label(c, call->scope, x[1].expr, x[1].value);
    return c->error;
}

const Value *run_stop(Check *c, const Builtin *b, const Call *call,
                      const CallArg *const *slot)
{
    const Value *v = slot[0]->value;
    Node **leaf = value_leaves(c, v);

    (void)b;
    (void)call;
    if (v->kind == V_tensor && v->literal != LIT_no)
        return v;
    for (int i = 0; i < v->nleaf; i++)
        if (dtype_is_real(leaf[i]->dtype))
            leaf[i] = g_stop(c->graph, leaf[i]);
    return value_of_leaves(c, value_ty(c, v), leaf);
}
