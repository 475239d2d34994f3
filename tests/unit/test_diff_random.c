/* test_diff_random.c: derivatives of random functions with loops in loops, held
 * against central differences, before and after simplification. */

#include <check.h>
#include <math.h>

#include "diff_cases.h"
#include "graph/op.h"
#include "simplify/simplify.h"
#include "suite.h"

enum { PROGRAMS = 200, MAX_DEPTH = 2, NROOT = 6 };

/* What a function may use where it is being written. */
typedef struct Scope {
    Graph *g;
    Node *const *p;
    const Dim *n;
    Node *value[64], *index[16];
    int nvalue, nindex;
} Scope;

static uint64_t state;

static int below(int n)
{
    state =
        state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((state >> 33) % (uint64_t)n);
}

/* Recent values more often. */
static Node *any(const Scope *s)
{
    int recent = s->nvalue < 6 ? s->nvalue : 6;

    return s
        ->value[below(4) ? s->nvalue - 1 - below(recent) : below(s->nvalue)];
}

static Node *vector(Scope *s, Node *a)
{
    return a->rank ? a : g_broadcast_to(s->g, a, 1, s->p[2]->dim);
}

static Node *number(Scope *s, Node *a)
{
    return a->rank ? mul(s->g, real(s->g, 0.3), sum(s->g, a)) : a;
}

/* A row of p[1]; the indices count modulo the number of rows. */
static Node *row(Scope *s)
{
    Node *i = s->index[below(s->nindex)];

    i = g2(s->g, OP_mod, i, g_dim(s->g, i->dtype, s->n));
    return g_gather(s->g, s->p[1], g_index_check(s->g, i, s->n), 0);
}

static Node *chosen(Scope *s, Node *a, Node *b)
{
    Graph *g = s->g;
    Node *least = g_fill(g, a, 0.37 + 0.1 * below(5));

    return g_where(g, g2(g, OP_lt, a, least), g1(g, OP_sqrt, g1(g, OP_exp, b)),
                   a);
}

static Node *branched(Scope *s, Node *a, Node *b)
{
    Graph *g = s->g;
    Node *c = g2(g, OP_lt, number(s, b), real(g, 0.41));

    return g_if(g, c, mul(g, a, row(s)), g1(g, OP_cos, b));
}

static Node *expression(Scope *s);

static void carries(Scope *s, Fold *f, int n)
{
    Node *first[3];

    for (int i = 0; i < n; i++)
        first[i] = any(s);
    for (int i = 0; i < n; i++)
        s->value[s->nvalue++] = carry(f, first[i], "c");
    s->index[s->nindex++] = f->r.index;
}

static void results(Scope *s, Fold *f, int n)
{
    for (int i = 0; i < n; i++) {
        Node *a = any(s);

        a = f->carry[i]->rank ? vector(s, a) : number(s, a);
        f->next[i] = g1(s->g, OP_tanh, a);
    }
    if (!f->r.reverse && below(4) == 0)
        f->r.until = g2(s->g, OP_lt, real(s->g, 0.83), number(s, f->carry[0]));
    if (below(5) == 0)
        f->count = g_const_int(s->g, DT_i64, below(5));
}

static Node *loop(const Scope *around, int depth)
{
    Scope s = *around;
    Fold f = fold_new(s.g, below(3) ? s.n : dim_const(s.g, below(4)));
    int n = 1 + below(3), steps = 2 + below(6);

    f.r.reverse = below(3) == 0;
    carries(&s, &f, n);
    for (int i = 0; i < steps; i++) {
        Node *v = depth < MAX_DEPTH && below(6) == 0 ? loop(&s, depth + 1)
                                                     : expression(&s);

        s.value[s.nvalue++] = v;
    }
    results(&s, &f, n);
    return last(&f, below(n));
}

static Node *expression(Scope *s)
{
    Graph *g = s->g;
    Node *a = any(s), *b = any(s);

    if (a->rank != b->rank) {
        a = vector(s, a);
        b = vector(s, b);
    }
    switch (below(10)) {
    case 0:
    case 1:
        return add(g, a, b);
    case 2:
    case 3:
        return mul(g, a, b);
    case 4:
        return g1(g, below(2) ? OP_sin : OP_sigmoid, a);
    case 5:
        return number(s, a);
    case 6:
        return g1(g, OP_tanh, g_matmul(g, s->p[0], vector(s, a)));
    case 7:
        return row(s);
    case 8:
        return chosen(s, a, b);
    }
    return branched(s, vector(s, a), vector(s, b));
}

static Node *function(Graph *g, Node *const *p, const Dim *n)
{
    Scope s = {.g = g, .p = p, .n = n};

    s.value[s.nvalue++] = sum(g, p[2]);
    s.value[s.nvalue++] = p[2];
    s.index[s.nindex++] = g_const_int(g, DT_i32, 1);
    for (int i = 0; i < 3; i++) {
        Node *v = i < 2 ? expression(&s) : loop(&s, 0);

        s.value[s.nvalue++] = v;
    }
    return sum(g, add(g, vector(&s, any(&s)), vector(&s, loop(&s, 0))));
}

/* Is the function smooth around here, as a difference must have it. */
static bool smooth(Bench *b, Node *y, double slope)
{
    double h = 1e-4, wider = (value(b, y, h) - value(b, y, -h)) / (2 * h);

    return fabs(wider - slope) <= 1e-6 * (1 + fabs(slope));
}

static void check_roots(const Case *k, Bench *b, Node *const *root,
                        const double *want, const char *when)
{
    for (int i = 0; i < NROOT; i++)
        near(k->name, when, value(b, root[i], 0), want[i]);
}

/* Value, both first derivatives along a direction, and mixed second ones. */
START_TEST(derivatives_are_central_differences)
{
    Case k = {"a random function", function, 1 + _i % 4, false};
    Bench b;
    Node *root[NROOT];
    double want[NROOT];

    state = 7919 * (uint64_t)_i + 13;
    bench_new(&b, &k);
    root[0] = b.y;
    root[1] = along(&b, b.y);
    root[2] = directional(&b, b.y);
    root[3] = directional(&b, root[1]);
    root[4] = along(&b, root[1]);
    root[5] = along(&b, root[2]);
    want[0] = value(&b, b.y, 0);
    want[1] = want[2] = central(&b, b.y);
    want[3] = want[4] = want[5] = central(&b, root[1]);
    if (smooth(&b, b.y, want[1]) && smooth(&b, root[1], want[3])) {
        check_roots(&k, &b, root, want, "as made");
        simplify(b.g, NROOT, root);
        regions_prune(b.g, NROOT, root);
        expand(b.g, NROOT, root);
        graph_verify(b.g, NROOT, root);
        check_roots(&k, &b, root, want, "simplified");
    }
    arena_free(b.arena);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("diff_random");
    TCase *t = tcase_create("random");

    tcase_add_loop_test(t, derivatives_are_central_differences, 0, PROGRAMS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
