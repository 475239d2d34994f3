/* random.c: keys and what is drawn with them.
 *
 * A key is a value like any other, and the same key gives the same numbers
 * wherever and however often it is used: whoever wants others splits it. */
#include "check/check_internal.h"

#include <string.h>

/* A scalar key; NULL after reporting. */
static Node *key_arg(Check *c, const Builtin *b, const CallArg *a)
{
    Node *n = arg_tensor(c, b, a);

    if (!n || (n->dtype == DT_key && n->rank == 0))
        return n;
    check_fail(c, a->span, "type-mismatch", "'%s' takes one key", b->name);
    diag_label(c->diags, a->span, "%s", value_text(c, a->value));
    check_detail(
        c, n->dtype == DT_key
               ? "choose one: keys[i]"
               : "a key is a parameter of type key, or key(1), or one split "
                 "off another: split(k).0");
    return NULL;
}

/* A shape that may be left out, for a scalar. */
static bool drawn_shape(Check *c, const Call *call, const CallArg *a, int *rank,
                        const Dim **dim)
{
    *rank = 0;
    return !a || (arg_shape(c, a, rank, dim) &&
                  dim_sensible(c, call->at, *rank, dim));
}

/* uniform(key, shape): in 0 … 1, never 1; normal(key, shape): of mean 0 and
 * variance 1. */
const Value *run_draw(Check *c, const Builtin *b, const Call *call,
                      const CallArg *const *slot)
{
    Node *key = key_arg(c, b, slot[0]);
    const Dim *dim[MAX_RANK];
    int rank;

    if (!key || !drawn_shape(c, call, slot[1], &rank, dim))
        return c->error;
    return value_tensor(c, strcmp(b->name, "normal") == 0
                               ? g_normal(c->graph, c->real, key, rank, dim)
                               : g_uniform(c->graph, c->real, key, rank, dim));
}

/* bernoulli(key, p, shape): bools, each true with probability p; without a
 * shape, of p's. */
const Value *run_bernoulli(Check *c, const Builtin *b, const Call *call,
                           const CallArg *const *slot)
{
    Node *key = key_arg(c, b, slot[0]), *p, *u;
    Operand x = {slot[1]->value, slot[1]->span, slot[1]->expr};
    const Dim *dim[MAX_RANK];
    const Value *v;
    int rank;

    if (!key ||
        !arith_unify(c, call->scope, b->name, call->at, 1, &x, ON_real, &p) ||
        !drawn_shape(c, call, slot[2], &rank, dim))
        return c->error;
    if (!slot[2]) {
        rank = p->rank;
        for (int i = 0; i < rank; i++)
            dim[i] = p->dim[i];
    }
    v = value_fill(c, type_tensor(c->arena, p->dtype, rank, dim),
                   value_tensor(c, p), slot[1]->span);
    if (!v)
        return c->error;
    u = g_uniform(c->graph, p->dtype, key, rank, dim);
    return value_tensor(c, g2(c->graph, OP_lt, u, v->node));
}

/* That number i has the counter -1 - i, below those of elements. */
Node *random_keys(Check *c, Node *key, const Dim *n)
{
    Graph *g = c->graph;
    Node *i = g_iota(g, DT_i64, n), *bits;

    i = g2(g, OP_sub, g_fill(g, i, -1), i);
    bits = g_random_bits(g, g_broadcast_to(g, key, 1, &n), i);
    return g_cast(g, DT_key, bits);
}

/* split(key): two keys; split(key, n): n in a tensor. */
const Value *run_split(Check *c, const Builtin *b, const Call *call,
                       const CallArg *const *slot)
{
    Node *key = key_arg(c, b, slot[0]);
    const Value *pair[2];
    const Dim *n;

    if (!key)
        return c->error;
    if (!slot[1]) {
        for (int i = 0; i < 2; i++)
            pair[i] = value_tensor(c, g_split(c->graph, key, i));
        return value_tuple(c, call->at, 2, pair);
    }
    n = dim_of_value(c, slot[1]->value, slot[1]->span);
    if (!n || !dim_sensible(c, call->at, 1, &n))
        return c->error;
    return value_tensor(c, random_keys(c, key, n));
}

/* key(i): the key that an int is. */
const Value *run_key(Check *c, const Builtin *b, const Call *call,
                     const CallArg *const *slot)
{
    const Value *v = slot[0]->value;
    Node *n = v->kind == V_tensor && v->literal == LIT_int ? v->node : NULL;

    (void)call;
    n = n ? n : arg_tensor(c, b, slot[0]);
    if (!n)
        return c->error;
    if (!dtype_is_int(n->dtype)) {
        check_fail(c, slot[0]->span, "type-mismatch",
                   "'key' makes keys of ints");
        diag_label(c->diags, slot[0]->span, "%s", value_text(c, v));
        return c->error;
    }
    return value_tensor(c,
                        g_cast(c->graph, DT_key, g_cast(c->graph, DT_i64, n)));
}
