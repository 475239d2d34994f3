/* region_cases.c: a graph with a few inputs, and how tests write loops in it.
 */
#include "region_cases.h"

#include <math.h>

#include "graph/ops/ops.h"
#include "suite.h"

Arena *arena;
Graph *g;
const Dim *var_T;
int64_t val_T;
Node *a, *b, *xs, *W;

void graph_setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f64);
    var_T = dim_var(g, "T");
    val_T = 3;
    a = g_param(g, DT_f64, 0, NULL, "a");
    b = g_param(g, DT_f64, 0, NULL, "b");
    xs = g_param(g, DT_f64, 1, &var_T, "xs");
    const Dim *two = dim_const(g, 2);
    W = g_param(g, DT_f64, 2, (const Dim *[]){two, two}, "W");
}

void graph_teardown(void) { arena_free(arena); }

EvalStatus evaluate(Node *root, double **out)
{
    double x[64];
    for (int i = 0; i < 64; i++)
        x[i] = ldexp(1, i);
    const EvalInput in[] = {{a, (double[]){2}},
                            {b, (double[]){3}},
                            {xs, x},
                            {W, (double[]){1, 2, 3, 4}}};
    graph_verify(g, 1, &root);
    return eval_nodes(arena, g, 1, &root, 4, in, 1, &var_T, &val_T, out);
}

double *values(Node *root)
{
    double *out = NULL;
    ck_assert_int_eq(evaluate(root, &out), EVAL_OK);
    return out;
}

double value(Node *root) { return values(root)[0]; }

Node *scalar(const char *name) { return g_param(g, DT_f64, 0, NULL, name); }

Node *index_param(void) { return g_param(g, DT_i32, 0, NULL, "t"); }

Node *add(Node *x, Node *y) { return g2(g, OP_add, x, y); }
Node *mul(Node *x, Node *y) { return g2(g, OP_mul, x, y); }
Node *num(double v) { return g_const(g, DT_f64, v); }
Node *real(Node *t) { return g_cast(g, DT_f64, t); }
Node *at(Node *x, Node *t) { return g_gather(g, x, t, 0); }

Region fold_of(const Dim *trips, Node *t, Node **h, Node **next, int nout,
               Node **out)
{
    return (Region){.trips = trips,
                    .index = t,
                    .carry = h,
                    .ncarry = 1,
                    .next = next,
                    .output = out,
                    .noutput = nout};
}
