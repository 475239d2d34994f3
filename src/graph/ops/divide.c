/* divide.c: a/b without a division, where a is a sum of products of which each,
 * equal ones being added up, has the factor b.
 *
 * The derivative of (1 + d) exp(-d) by d is e - (1 + d) e, which is -d e: where
 * d is a norm, whose partials divide by it, nothing is infinite. */
#include "graph/ops/ops.h"

#include <math.h>

enum { MAX_FACTORS = 8, MAX_TERMS = 24, MAX_DEPTH = 12 };

typedef struct Factor {
    Node *base;
    int power;
} Factor;

/* c times its factors, by ascending ids of their bases. */
typedef struct Term {
    double c;
    bool strong; /* some product in it is */
    int n;
    Factor factor[MAX_FACTORS];
} Term;

typedef struct Terms {
    int n; /* < 0: too many */
    Term at[MAX_TERMS];
} Terms;

typedef struct Expansion {
    Graph *g;
    Arena *scratch;
    Node *b;
} Expansion;

static const Terms too_many = {.n = -1};

/* t times base^power; false: too many factors. */
static bool put_factor(Term *t, Node *base, int power)
{
    int i = 0;
    while (i < t->n && t->factor[i].base->id < base->id)
        i++;
    if (i < t->n && t->factor[i].base == base) {
        t->factor[i].power += power;
        return true;
    }
    if (t->n == MAX_FACTORS)
        return false;
    for (int k = t->n++; k > i; k--)
        t->factor[k] = t->factor[k - 1];
    t->factor[i] = (Factor){base, power};
    return true;
}

static bool multiply(Term *t, const Term *by, int power)
{
    t->c = power > 0 ? t->c * by->c : t->c / by->c;
    t->strong |= by->strong;
    for (int i = 0; i < by->n; i++)
        if (!put_factor(t, by->factor[i].base, power * by->factor[i].power))
            return false;
    return true;
}

static bool same_factors(const Term *a, const Term *b)
{
    bool same = a->n == b->n;
    for (int i = 0; same && i < a->n; i++)
        same = a->factor[i].base == b->factor[i].base &&
               a->factor[i].power == b->factor[i].power;
    return same;
}

/* What is left of two numbers that were rounded on different ways is nothing.
 */
static double added(double a, double b)
{
    double sum = a + b;
    return fabs(sum) <= 1e-14 * fabs(a) ? 0 : sum;
}

static void put_term(Terms *to, const Term *t)
{
    for (int i = 0; i < to->n; i++)
        if (same_factors(&to->at[i], t)) {
            to->at[i].c = added(to->at[i].c, t->c);
            to->at[i].strong |= t->strong;
            return;
        }
    if (to->n == MAX_TERMS)
        *to = too_many;
    else if (to->n >= 0)
        to->at[to->n++] = *t;
}

static const Terms *expansion(Expansion *x, Node *n, int depth);

static Terms *sum(Expansion *x, const Terms *a, const Terms *b, double sign)
{
    Terms *s = NEW(x->scratch, Terms);
    *s = b->n < 0 ? too_many : *a;
    for (int i = 0; i < b->n; i++) {
        Term t = b->at[i];
        t.c *= sign;
        put_term(s, &t);
    }
    return s;
}

static Terms *product(Expansion *x, const Terms *a, const Terms *b, bool strong)
{
    Terms *p = NEW(x->scratch, Terms);
    if (a->n < 0 || b->n < 0)
        *p = too_many;
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < b->n; k++) {
            Term t = a->at[i];
            t.strong |= strong;
            if (multiply(&t, &b->at[k], 1))
                put_term(p, &t);
            else
                *p = too_many;
        }
    return p;
}

/* What no operator here takes apart. */
static Terms *atom(Expansion *x, Node *n)
{
    Terms *t = NEW(x->scratch, Terms);
    bool squared = x->b->op == OP_sqrt && x->b->arg[0] == n;
    t->n = 1;
    t->at[0].c = 1;
    put_factor(&t->at[0], squared ? x->b : n, squared ? 2 : 1);
    return t;
}

static Terms *quotient(Expansion *x, Node *n, int depth)
{
    const Terms *a = expansion(x, n->arg[0], depth);
    const Terms *b = expansion(x, n->arg[1], depth);
    Terms *q = NEW(x->scratch, Terms);
    if (b->n != 1)
        return atom(x, n);
    *q = *a;
    for (int i = 0; i < q->n; i++)
        if (!multiply(&q->at[i], &b->at[0], -1))
            *q = too_many;
    return q;
}

static const Terms *expansion(Expansion *x, Node *n, int depth)
{
    static const Terms none = {.n = 0};
    if (node_is_any_const(n)) {
        Terms *t = NEW(x->scratch, Terms);
        t->n = 1;
        t->at[0].c = const_value(n);
        return t;
    }
    if (--depth < 0 || n == x->b)
        return atom(x, n);
    switch (n->op) {
    case OP_neg:
        return sum(x, &none, expansion(x, n->arg[0], depth), -1);
    case OP_add:
    case OP_sub:
        return sum(x, expansion(x, n->arg[0], depth),
                   expansion(x, n->arg[1], depth), n->op == OP_sub ? -1 : 1);
    case OP_mul:
    case OP_strong_mul:
        return product(x, expansion(x, n->arg[0], depth),
                       expansion(x, n->arg[1], depth), n->op != OP_mul);
    case OP_div:
        return quotient(x, n, depth);
    }
    return atom(x, n);
}

/* t/b; NULL: b is no factor. */
static Node *term_divided(Graph *g, const Node *like, const Term *t,
                          const Node *b)
{
    Node *above = g_fill(g, like, t->c), *below = NULL;
    OpId times = t->strong ? OP_strong_mul : OP_mul;
    bool found = false;
    for (int i = 0; i < t->n; i++) {
        Node *base = t->factor[i].base;
        int power = t->factor[i].power - (base == b);
        found |= base == b && power >= 0;
        for (; power > 0; power--)
            above = g2(g, times, above, base);
        for (; power < 0; power++)
            below = below ? g2(g, OP_mul, below, base) : base;
    }
    if (!found)
        return NULL;
    return below ? g2(g, OP_div, above, below) : above;
}

Node *node_divided(Graph *g, Node *a, Node *b)
{
    Arena *scratch = arena_new();
    Expansion x = {g, scratch, b};
    const Terms *t = expansion(&x, a, MAX_DEPTH);
    Node *sum = t->n < 0 ? NULL : g_fill(g, a, 0);
    for (int i = 0; sum && i < t->n; i++) {
        Node *n;
        if (t->at[i].c == 0)
            continue;
        n = term_divided(g, a, &t->at[i], b);
        sum = n ? g2(g, OP_add, sum, n) : NULL;
    }
    arena_free(scratch);
    return sum;
}
