/* quotient.c: a quotient that is there anyway is multiplied, not made again. */
#include "simplify/internal.h"

Node *reuse_quotient(Graph *g, const Uses *uses, const Node *n)
{
    const Node *above = n->op == OP_div ? n->arg[0] : n;

    if (above->op != OP_mul || above == n || !dtype_is_real(n->dtype))
        return NULL;
    for (int i = 0; i < 2; i++) {
        Node *q = g2(g, OP_div, above->arg[i], n->arg[1]), *to;

        if (q->op != OP_div || uses_of(uses, q) == 0)
            continue;
        to = g2(g, OP_mul, q, above->arg[1 - i]);
        return to == n ? NULL : to;
    }
    return NULL;
}

/* Of all quotients with one divisor, as few as will do, where that is a third
 * less: what is divided is alive until its last product. Each quotient is of
 * one number or of a product, either factor of which may be divided. */

enum { NONE = -1, MOST_SHARED = 2000 };

typedef struct Sharing {
    const Reach *reach;
    Quotient *to;      /* by number */
    int *first, *next; /* quotients by the number of their divisor */
    int *asked;        /* by number of a factor: by so many quotients */
    bool *divided;     /* likewise */
} Sharing;

static bool is_constant(const Node *n)
{
    return n->op == OP_const || (node_repeats(n) && n->arg[0]->op == OP_const);
}

/* The numbers of what may be divided for quotient i; how many. */
static int factors(const Sharing *s, int i, int *factor)
{
    const Node *above = s->reach->node[i]->arg[0];
    int n = 0;

    for (int k = 0; k < 2 && above->op == OP_mul; k++)
        if (!is_constant(above->arg[k]) &&
            (n == 0 || above->arg[k] != above->arg[0]))
            factor[n++] = reach_number(s->reach, above->arg[k]);
    if (n == 0)
        factor[n++] = reach_number(s->reach, above);
    return n;
}

/* Which of them is, or NONE. */
static int divided_of(const Sharing *s, int i)
{
    int f[2], n = factors(s, i, f);

    for (int k = 0; k < n; k++)
        if (s->divided[f[k]])
            return f[k];
    return NONE;
}

/* From now on a factor is divided: those that have it ask for no other. */
static void divide(Sharing *s, int divisor, int factor)
{
    int f[2];

    for (int i = s->first[divisor]; i != NONE; i = s->next[i]) {
        int n = factors(s, i, f), other = f[0] == factor ? n - 1 : 0;

        if ((f[0] == factor || f[n - 1] == factor) && divided_of(s, i) == NONE)
            s->asked[f[other]]--;
    }
    s->divided[factor] = true;
}

/* What has no choice first, then each what most ask for; how many are divided.
 */
static int choose_divided(Sharing *s, int divisor)
{
    int f[2], n = 0;

    for (int i = s->first[divisor]; i != NONE; i = s->next[i])
        for (int k = factors(s, i, f) - 1; k >= 0; k--)
            s->asked[f[k]]++;
    for (int most = 1; most <= 2; most++)
        for (int i = s->first[divisor]; i != NONE; i = s->next[i]) {
            int nf = factors(s, i, f);

            if (nf > most || divided_of(s, i) != NONE)
                continue;
            n++;
            divide(s, divisor, f[s->asked[f[nf - 1]] > s->asked[f[0]]]);
        }
    return n;
}

/* x y/s as x/s y, where x is divided. */
static Quotient multiplied(const Sharing *s, int i)
{
    const Node *q = s->reach->node[i];
    Node *x = s->reach->node[divided_of(s, i)], *const *arg = q->arg[0]->arg;

    if (x == q->arg[0])
        return (Quotient){NULL, NULL};
    return (Quotient){x, arg[arg[0] == x]};
}

static void share(Sharing *s, int divisor)
{
    int count = 0, f[2];

    for (int i = s->first[divisor]; i != NONE; i = s->next[i])
        count++;
    if (count <= MOST_SHARED && 3 * choose_divided(s, divisor) <= 2 * count)
        for (int i = s->first[divisor]; i != NONE; i = s->next[i])
            s->to[i] = multiplied(s, i);
    for (int i = s->first[divisor]; i != NONE; i = s->next[i])
        for (int k = factors(s, i, f) - 1; k >= 0; k--) {
            s->asked[f[k]] = 0;
            s->divided[f[k]] = false;
        }
}

Quotient *share_quotients(Arena *a, const Reach *r)
{
    Sharing s = {.reach = r, .to = NEWN(a, Quotient, r->n + 1)};

    s.first = NEWN(a, int, r->n + 1);
    s.next = NEWN(a, int, r->n + 1);
    s.asked = NEWN(a, int, r->n + 1);
    s.divided = NEWN(a, bool, r->n + 1);
    for (int i = 0; i < r->n; i++)
        s.first[i] = NONE;
    for (int i = r->n - 1; i >= 0; i--) {
        const Node *n = r->node[i];

        if (n->op != OP_div || !dtype_is_real(n->dtype))
            continue;
        int divisor = reach_number(r, n->arg[1]);

        s.next[i] = s.first[divisor];
        s.first[divisor] = i;
    }
    for (int i = 0; i < r->n; i++)
        share(&s, i);
    return s.to;
}
