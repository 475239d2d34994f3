/* random.c: keys and what is drawn with them.
 *
 * A key is a value like any other, and the same key gives the same numbers
 * wherever and however often it is used: whoever wants others splits it. */
#include "check/builtin.h"

#include <string.h>

bool arg_key(Check *c, const Builtin *b, const Operand *x, const Node *n)
{
    if (n->dtype == DT_key && n->rank == 0)
        return true;
    check_fail(c, x->span, "type-mismatch", "'%s' takes one key", b->name);
    check_is(c, x->span, x->value);
    check_detail(
        c, n->dtype == DT_key
               ? "choose one: keys[i]"
               : "a key is a parameter of type key, or key(1), or one split "
                 "off another: split(k).0");
    return false;
}

/* uniform(key, shape): in 0 … 1, never 1; normal(key, shape): of mean 0 and
 * variance 1. */
const Value *run_draw(Check *c, const BuiltinCall *call)
{
    bool normal = strcmp(call->fn->name, "normal") == 0;

    return value_tensor(c, (normal ? g_normal : g_uniform)(
                               c->graph, c->real, call->given[0].node,
                               call->given[1].rank, call->given[1].dim));
}

/* bernoulli(key, p, shape): bools, each true with probability p; without a
 * shape, of p's. */
const Value *run_bernoulli(Check *c, const BuiltinCall *call)
{
    Operation o = {call->scope, call->fn->name, call->at, 1, &call->x[1]};
    const Type *t;
    const Value *v;
    Node *p;

    if (!arith_unify(c, &o, ON_real, &p))
        return c->error;
    t = call->x[2].value ? type_tensor(c->arena, p->dtype, call->given[2].rank,
                                       call->given[2].dim)
                         : type_tensor(c->arena, p->dtype, p->rank, p->dim);
    v = value_fill(c, t, value_tensor(c, p), call->x[1].span);
    if (!v)
        return c->error;
    p = g_uniform(c->graph, p->dtype, call->given[0].node, v->node->rank,
                  v->node->dim);
    return value_tensor(c, g2(c->graph, OP_lt, p, v->node));
}

Node *builtin_keys(Check *c, Node *key, const Dim *n)
{
    return g_split_each(c->graph, key, g_iota(c->graph, DT_i64, n));
}

/* split(key): two keys; split(key, n): n in a tensor. */
const Value *run_split(Check *c, const BuiltinCall *call)
{
    Node *key = call->given[0].node;
    const Value *pair[2];

    if (call->x[1].value)
        return value_tensor(c, builtin_keys(c, key, call->given[1].dim[0]));
    for (int i = 0; i < 2; i++)
        pair[i] = value_tensor(c, g_split(c->graph, key, i));
    return value_tuple(c, call->at, 2, pair);
}

/* key(i): the key that an int is, also one that fits into i64 only. */
const Value *run_key(Check *c, const BuiltinCall *call)
{
    const Value *v = call->x[0].value;

    if (v->kind == V_tensor && v->literal != LIT_real &&
        dtype_is_int(v->node->dtype))
        return value_tensor(
            c, g_cast(c->graph, DT_key, g_cast(c->graph, DT_i64, v->node)));
    check_fail(c, call->x[0].span, "type-mismatch", "'key' makes keys of ints");
    return check_is(c, call->x[0].span, v);
}

/* random_bits(key, i): number i of the 64-bit numbers that a key gives; of
 * tensors by elements, a single one is for all of the other. */
const Value *run_random_bits(Check *c, const BuiltinCall *call)
{
    Graph *g = c->graph;
    Node *key = call->given[0].node, *i = call->given[1].node;

    if (key->dtype == DT_key && dtype_is_int(i->dtype)) {
        if (key->rank == 0)
            key = g_broadcast_to(g, key, i->rank, i->dim);
        else if (i->rank == 0)
            i = g_broadcast_to(g, i, key->rank, key->dim);
        if (same_shape(key, i))
            return value_tensor(c, g_random_bits(g, key, g_cast(g, DT_i64, i)));
    }
    check_fail(c, call->at, "type-mismatch",
               "'%s' takes keys and ints, as many of one as of the other",
               call->fn->name);
    for (int k = 0; k < 2; k++)
        check_is(c, call->x[k].span, call->x[k].value);
    return c->error;
}
