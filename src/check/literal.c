/* literal.c: [a, b, c]: tensors of constants, of values, stacks of structs. */
#include "check/check_internal.h"

#include <string.h>

static bool is_data(const Node *n)
{
    return n->op == OP_data || (n->op == OP_const && n->rank == 0);
}

static void put_data(const Node *n, double *to)
{
    if (n->op == OP_const)
        *to = const_value(n);
    else
        memcpy(to, n->attr.data, sizeof *to * (size_t)n->attr.integer);
}

static int64_t elements(const Node *n)
{
    int64_t total = 1, v;

    for (int i = 0; i < n->rank; i++)
        total *= dim_const_value(n->dim[i], &v) ? v : 0;
    return total;
}

/* All of one shape and dtype along a new first axis. */
static Node *stack_nodes(Check *c, int n, Node *const *x)
{
    int rank = x[0]->rank, known = 0;
    int64_t each = elements(x[0]);
    double *data;
    Node **part;

    while (known < n && is_data(x[known]))
        known++;
    if (known == n && each > 0) {
        data = NEWN(c->arena, double, each *n);
        for (int i = 0; i < n; i++)
            put_data(x[i], data + i * each);
        return g_data(
            c->graph, x[0]->dtype, rank + 1,
            dims_along(c->graph, dim_const(c->graph, n), rank, x[0]->dim),
            data);
    }
    part = NEWN(c->arena, Node *, n);
    for (int i = 0; i < n; i++)
        part[i] = g_merge_axes(c->graph, x[i], 0, 0);
    return g_concat(c->graph, n, part, 0);
}

static const Value *stack_literals(Check *c, int n, const Operand *x)
{
    Node **node = NEWN(c->arena, Node *, n), **real = NEWN(c->arena, Node *, n);
    Literal kind = LIT_int;
    Node *wide;

    for (int i = 0; i < n; i++) {
        node[i] = x[i].value->node;
        real[i] = x[i].value->real;
        if (x[i].value->literal == LIT_real)
            kind = LIT_real;
    }
    wide = stack_nodes(c, n, real);
    return value_literal(c, kind,
                         kind == LIT_int ? stack_nodes(c, n, node)
                                         : g_cast(c->graph, c->real, wide),
                         wide);
}

static const Value *stack_tensors(Check *c, const Scope *s, Span at, int n,
                                  const Operand *x)
{
    Node **node = NEWN(c->arena, Node *, n);
    bool literal = true;

    for (int i = 0; i < n; i++) {
        literal = literal && x[i].value->literal != LIT_no;
        if (same_shape(x[0].value->node, x[i].value->node))
            continue;
        check_fail(c, x[0].span, "shape-mismatch",
                   "the elements of a tensor have one shape");
        check_label(c, s, x[0].expr, x[0].value);
        return check_label(c, s, x[i].expr, x[i].value);
    }
    if (x[0].value->node->rank == MAX_RANK)
        return check_fail(c, at, "rank", "a tensor has at most %d dimensions",
                          MAX_RANK);
    if (literal)
        return stack_literals(c, n, x);
    if (!arith_unify(c, &(Operation){s, "[…]", at, n, x}, ON_any, node))
        return c->error;
    return value_tensor(c, stack_nodes(c, n, node));
}

static const Value *stack_structs(Check *c, const Scope *s, Span at, int n,
                                  const Operand *x)
{
    const Type *t = value_ty(c, x[0].value), *stack;
    const Leaf *type;
    Node **leaf, **out, **column;

    if (!t)
        return check_fail(c, at, "type-mismatch",
                          "functions cannot be stacked");
    for (int i = 1; i < n; i++) {
        const Type *u = value_ty(c, x[i].value);

        if (u && type_equal(t, u))
            continue;
        check_fail(c, x[0].span, "type-mismatch",
                   "the elements of a stack have one type");
        check_label(c, s, x[0].expr, x[0].value);
        return check_label(c, s, x[i].expr, x[i].value);
    }
    type = type_leaves(c->graph, t, NULL);
    for (int i = 0; i < t->nleaf; i++)
        if (type[i].rank == MAX_RANK)
            return check_fail(c, at, "rank",
                              "a tensor has at most %d dimensions", MAX_RANK);
    stack = type_stack(c->arena, t, dim_const(c->graph, n));
    leaf = NEWN(c->arena, Node *, (size_t)n * (size_t)t->nleaf + 1);
    out = NEWN(c->arena, Node *, t->nleaf + 1);
    column = NEWN(c->arena, Node *, n);
    for (int i = 0; i < n; i++)
        memcpy(leaf + (size_t)i * (size_t)t->nleaf, value_leaves(c, x[i].value),
               sizeof *leaf * (size_t)t->nleaf);
    for (int k = 0; k < t->nleaf; k++) {
        for (int i = 0; i < n; i++)
            column[i] = leaf[(size_t)i * (size_t)t->nleaf + (size_t)k];
        out[k] = stack_nodes(c, n, column);
    }
    return value_of_leaves(c, stack, out);
}

const Value *literal_stack(Check *c, const Scope *s, Span at, int n,
                           const Operand *x)
{
    bool tensors = true;

    if (n == 0)
        return check_fail(c, at, "empty",
                          "a tensor needs at least one element");
    for (int i = 0; i < n; i++) {
        if (value_is_error(x[i].value))
            return c->error;
        tensors = tensors && x[i].value->kind == V_tensor;
    }
    return tensors ? stack_tensors(c, s, at, n, x)
                   : stack_structs(c, s, at, n, x);
}

const Value *eval_tensor(Check *c, const Scope *s, const Expr *e)
{
    Operand *x = NEWN(c->arena, Operand, e->list.n + 1);
    const Value **part = NEWN(c->arena, const Value *, e->list.n + 1);
    const Value *v;

    for (int i = 0; i < e->list.n; i++) {
        part[i] = eval(c, s, e->list.at[i]);
        x[i] = (Operand){part[i], e->list.at[i]->span, e->list.at[i]};
    }
    v = literal_stack(c, s, e->span, e->list.n, x);
    return v->kind == V_tensor ? value_elements(c, v, part, e->list.n) : v;
}
