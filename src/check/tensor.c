/* tensor.c: the functions that make tensors and change their shape. */
#include "check/builtin.h"

#include <string.h>

bool arg_shape(Check *c, const Operand *x, int *rank, const Dim **dim)
{
    const Value *v = x->value, *const *part = v->part;
    int n = v->npart;

    if (value_is_scalar(v)) {
        part = &v;
        n = 1;
    } else if ((v->kind != V_tensor || v->node->rank != 1 || !part) &&
               v->kind != V_tuple) {
        check_fail(c, x->span, "shape",
                   "a shape is a list of dimensions: [n, m]");
        check_is(c, x->span, v);
        return false;
    }
    if (n > MAX_RANK)
        return check_refuse(c, x->span, "rank",
                            "a tensor has at most %d dimensions", MAX_RANK);
    *rank = n;
    for (int i = 0; i < n; i++) {
        dim[i] = dim_of_value(c, part[i], x->span);
        if (!dim[i])
            return false;
    }
    return true;
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
    q = dim_exact(c->graph, total, others);
    if (q)
        dim[rest] = q;
    return q != NULL;
}

const Value *run_reshape(Check *c, const BuiltinCall *call)
{
    Node *n = call->given[0].node;
    const Dim *dim[MAX_RANK];
    int rank;

    if (!arg_shape(c, &call->x[1], &rank, dim))
        return c->error;
    if (!solve_rest(c, dim_product(c->graph, n->rank, n->dim), rank, dim)) {
        check_fail(
            c, call->at, "shape-mismatch",
            "%s cannot be reshaped to %s: the number of elements differs",
            dims_text(c->arena, n->rank, n->dim),
            dims_text(c->arena, rank, dim));
        check_label(c, call->scope, call->x[0].expr, call->x[0].value);
        return c->error;
    }
    if (!size_sensible(c, call->x[1].span, rank, dim))
        return c->error;
    return value_tensor(c, g_reshape(c->graph, n, rank, dim));
}

const Value *run_transpose(Check *c, const BuiltinCall *call)
{
    Node *n = call->given[0].node;
    int perm[MAX_RANK], count = call->nrest;
    bool seen[MAX_RANK] = {false};

    if (count > 0 && count != n->rank)
        return check_fail(c, call->at, "axis",
                          "'transpose' takes all %d axes, or none", n->rank);
    for (int i = 0; i < n->rank; i++) {
        perm[i] = n->rank - 1 - i;
        if (count > 0 &&
            !arg_axis(c, call->fn, &call->rest[i], n->rank, &perm[i]))
            return c->error;
        if (seen[perm[i]])
            return check_fail(c, call->at, "axis", "axis %d is given twice",
                              perm[i]);
        seen[perm[i]] = true;
    }
    return value_tensor(c, g_permute(c->graph, n, perm));
}

const Value *run_broadcast(Check *c, const BuiltinCall *call)
{
    const Type *t = type_tensor(c->arena, call->given[0].node->dtype,
                                call->given[1].rank, call->given[1].dim);
    const Value *v =
        value_fill(c, t, value_tensor(c, call->given[0].node), call->at);

    return v ? v : c->error;
}

const Value *run_expand(Check *c, const BuiltinCall *call)
{
    Node *n = call->given[0].node;
    int axis = call->x[1].value ? call->given[1].axis : n->rank;

    if (n->rank == MAX_RANK)
        return check_fail(c, call->at, "rank",
                          "a tensor has at most %d dimensions", MAX_RANK);
    return value_tensor(c, g_merge_axes(c->graph, n, axis, 0));
}

/* What is to be joined: the arguments, or the parts of the one tuple. */
static const Operand *operands(Check *c, const BuiltinCall *call, int *n)
{
    const Operand *one = call->rest;
    Operand *x;

    *n = call->nrest;
    if (*n != 1 || one->value->kind != V_tuple)
        return one;
    *n = one->value->npart;
    x = NEWN(c->arena, Operand, *n + 1);
    for (int i = 0; i < *n; i++)
        x[i] = (Operand){one->value->part[i], one->span, NULL};
    return x;
}

/* x[1 … n-1] can be joined to x[0]; false after reporting. */
static bool joinable(Check *c, const Scope *s, int n, const Operand *x,
                     Node *const *node, int axis)
{
    for (int i = 1; i < n; i++) {
        bool fits = node[i]->rank == node[0]->rank;

        for (int k = 0; k < node[0]->rank && fits; k++)
            fits = k == axis || node[i]->dim[k] == node[0]->dim[k];
        if (fits)
            continue;
        check_fail(c, x[0].span, "shape-mismatch",
                   "these shapes cannot be joined along axis %d", axis);
        check_label(c, s, x[0].expr, x[0].value);
        check_label(c, s, x[i].expr, x[i].value);
        return false;
    }
    return true;
}

const Value *run_concat(Check *c, const BuiltinCall *call)
{
    int n, axis = 0;
    const Operand *x = operands(c, call, &n);
    Node **node = NEWN(c->arena, Node *, n + 1);

    if (n == 0)
        return check_fail(c, call->at, "empty", "'concat' of nothing");
    if (!arith_unify(c,
                     &(Operation){call->scope, call->fn->name, call->at, n, x},
                     ON_any, node))
        return c->error;
    if (node[0]->rank == 0)
        return check_fail(c, call->at, "shape-mismatch",
                          "'concat' joins tensors of one dimension or more\n"
                          "'stack' and [a, b] make a tensor of scalars");
    if ((call->x[1].value &&
         !arg_axis(c, call->fn, &call->x[1], node[0]->rank, &axis)) ||
        !joinable(c, call->scope, n, x, node, axis))
        return c->error;
    return value_tensor(c, g_concat(c->graph, n, node, axis));
}

const Value *run_stack(Check *c, const BuiltinCall *call)
{
    int n, axis = 0;
    const Operand *x = operands(c, call, &n);
    const Value *v = value_settle(
        c, call->at, literal_stack(c, call->scope, call->at, n, x));

    if (value_is_error(v) || !call->x[1].value)
        return v;
    if (v->kind != V_tensor)
        return check_fail(c, call->x[1].span, "axis",
                          "only tensors stack along an axis of your choice");
    if (!arg_axis(c, call->fn, &call->x[1], v->node->rank, &axis))
        return c->error;
    return value_tensor(c, g_move_axis(c->graph, v->node, 0, axis));
}

/* One amount for all axes, for the chosen one, or a list. */
static bool amounts(Check *c, const Operand *x, int rank, int axis,
                    const Dim **dim)
{
    bool each = !value_is_scalar(x->value);
    const Dim *given[MAX_RANK];
    int64_t v;
    int n;

    if (!arg_shape(c, x, &n, given))
        return false;
    if (each && (n != rank || axis >= 0))
        return check_refuse(c, x->span, "shape",
                            "one amount, or one for each of the %d "
                            "dimensions, is needed",
                            rank);
    for (int i = 0; i < rank; i++) {
        dim[i] = axis >= 0 && i != axis ? dim_const(c->graph, 0)
                                        : given[each ? i : 0];
        if (dim_const_value(dim[i], &v) && v < 0)
            return check_refuse(c, x->span, "shape",
                                "an amount to pad by is not negative");
    }
    return true;
}

/* pad(x, before, after, axis?): zeros around x. */
const Value *run_pad(Check *c, const BuiltinCall *call)
{
    Node *n = call->given[0].node;
    const Dim *lo[MAX_RANK], *hi[MAX_RANK];
    int axis = call->given[3].axis;

    if (n->rank == 0)
        return check_fail(c, call->at, "shape", "a scalar cannot be padded");
    if (!amounts(c, &call->x[1], n->rank, axis, lo) ||
        !amounts(c, &call->x[2], n->rank, axis, hi))
        return c->error;
    n = g_pad_around(c->graph, n, lo, hi);
    return size_sensible(c, call->at, n->rank, n->dim) ? value_tensor(c, n)
                                                       : c->error;
}

const Value *run_flip(Check *c, const BuiltinCall *call)
{
    Node *n = call->given[0].node;

    for (int i = 0; i < call->given[0].node->rank; i++)
        if (call->given[1].axis < 0 || call->given[1].axis == i)
            n = g_flip(c->graph, n, i);
    return value_tensor(c, n);
}

const Value *run_size(Check *c, const BuiltinCall *call)
{
    const Node *n = call->given[0].node;
    int axis = call->given[1].axis;

    return value_dim(c, axis < 0 ? dim_product(c->graph, n->rank, n->dim)
                                 : n->dim[axis]);
}

const Value *run_shape(Check *c, const BuiltinCall *call)
{
    const Node *n = call->given[0].node;
    const Value *part[MAX_RANK];

    for (int i = 0; i < n->rank; i++)
        part[i] = value_dim(c, n->dim[i]);
    return value_tuple(c, call->at, n->rank, part);
}

const Value *run_moveaxis(Check *c, const BuiltinCall *call)
{
    return value_tensor(c,
                        g_move_axis(c->graph, call->given[0].node,
                                    call->given[1].axis, call->given[2].axis));
}

const Value *run_argsort(Check *c, const BuiltinCall *call)
{
    Node *n = call->given[0].node;
    int axis = call->given[1].axis, last = n->rank - 1;

    if (!(ON_number & 1u << n->dtype)) {
        check_fail(c, call->x[0].span, "type-mismatch", "'%s' takes numbers",
                   call->fn->name);
        return check_is(c, call->x[0].span, call->x[0].value);
    }
    n = g_argsort(c->graph, g_move_axis(c->graph, n, axis, last),
                  call->given[2].on);
    return value_tensor(c, g_move_axis(c->graph, n, last, axis));
}

const Value *run_take_along(Check *c, const BuiltinCall *call)
{
    Node *x = call->given[0].node, *i = call->given[1].node;
    int axis = call->given[2].axis;
    bool fits = dtype_is_int(i->dtype) && i->rank == x->rank;

    for (int k = 0; fits && k < x->rank; k++)
        fits = k == axis || x->dim[k] == i->dim[k];
    if (fits)
        return value_tensor(c, g_take_along(c->graph, x, i, axis));
    check_fail(
        c, call->at, "shape-mismatch",
        "'%s' takes int places in the shape of the tensor but for axis %d",
        call->fn->name, axis);
    for (int k = 0; k < 2; k++)
        check_is(c, call->x[k].span, call->x[k].value);
    return c->error;
}

/* zeros and ones are real; full keeps its value's type. */
const Value *run_full(Check *c, const BuiltinCall *call)
{
    int rank = call->given[0].rank;
    const Dim *const *dim = call->given[0].dim;
    const Value *v;
    Node *n, *real;

    if (!call->x[1].value) {
        n = g_const(c->graph, c->real, strcmp(call->fn->name, "ones") == 0);
        return value_tensor(c, g_broadcast_to(c->graph, n, rank, dim));
    }
    v = call->x[1].value;
    if (!value_is_scalar(v))
        return check_fail(c, call->x[1].span, "argument",
                          "'full' takes a scalar, not %s", value_text(c, v));
    n = g_broadcast_to(c->graph, v->node, rank, dim);
    if (v->literal == LIT_no)
        return value_tensor(c, n);
    real = g_broadcast_to(c->graph, v->real, rank, dim);
    return value_literal(c, v->literal, n, real);
}

const Value *run_iota(Check *c, const BuiltinCall *call)
{
    return value_tensor(c, g_iota(c->graph, DT_i32, call->given[0].dim[0]));
}

/* onehot(i, n)[…, k] = 1 where k = i[…] */
const Value *run_onehot(Check *c, const BuiltinCall *call)
{
    Graph *g = c->graph;
    Node *i = call->given[0].node, *of = i, *k, *same;
    const Dim *n = call->given[1].dim[0], *dim[MAX_RANK + 1];
    Node *size = graph_keeps_labels(g) ? g_dim(g, DT_i32, n) : NULL;
    int axis[MAX_RANK + 1], last[MAX_RANK + 1];

    if (!dtype_is_int(i->dtype)) {
        check_fail(c, call->x[0].span, "type-mismatch",
                   "'onehot' takes integers");
        check_label(c, call->scope, call->x[0].expr, call->x[0].value);
        return c->error;
    }
    for (int a = 0; a <= i->rank; a++) {
        dim[a] = a < i->rank ? i->dim[a] : n;
        axis[a] = a < i->rank ? a : -1;
        last[a] = a < i->rank ? -1 : 0;
    }
    if (!size_sensible(c, call->at, i->rank + 1, dim))
        return c->error;
    k = g_broadcast(g, g_iota(g, i->dtype, n), i->rank + 1, dim, last);
    i = g_broadcast(g, g_index_check(g, i, n), i->rank + 1, dim, axis);
    same = g2(g, OP_eq, i, k);
    k = g_broadcast_to(g, g_const(g, c->real, 1), i->rank, dim);
    k = g_where(g, same, k, g_fill(g, k, 0));
    graph_label(g, &(NodeLabel){.node = k,
                                .name = call->fn->name,
                                .call = true,
                                .library = true,
                                .arg = (NodeLabelArg[]){{of, NULL, NULL},
                                                        {size, NULL, NULL}},
                                .narg = 2});
    return value_tensor(c, k);
}

const Value *run_stop(Check *c, const BuiltinCall *call)
{
    const Value *v = call->x[0].value;
    Node **leaf = value_leaves(c, v);

    if (value_is_literal(v))
        return v;
    for (int i = 0; i < v->nleaf; i++)
        if (dtype_is_real(leaf[i]->dtype))
            leaf[i] = g_stop(c->graph, leaf[i]);
    return value_of_leaves(c, value_ty(c, v), leaf);
}
