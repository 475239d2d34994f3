/* test_diff.c: what derivatives cost, and that masked branches stay out. */

#include <check.h>
#include <math.h>
#include <string.h>

#include "check/check.h"
#include "diff/diff.h"
#include "eval/eval.h"
#include "graph/op.h"
#include "show/cost.h"
#include "simplify/simplify.h"
#include "suite.h"

typedef struct Loaded {
    Arena *arena;
    Diags *diags;
    Module *module;
} Loaded;

static Loaded load(const char *path, const char *text, size_t n)
{
    CheckOptions o = {.real = DT_f64};
    Loaded l = {.arena = arena_new()};
    Program *p;

    l.diags = diags_new(l.arena);
    p = check_program(l.arena, l.diags, path, text, n, &o);
    diags_print(l.diags, stderr, false);
    ck_assert_ptr_nonnull(p);
    l.module = program_module(p);
    simplify_functions(l.module->graph, l.module->function.at,
                       l.module->function.n);
    return l;
}

static Function *function(const Loaded *l, const char *name)
{
    for (int i = 0; i < l->module->function.n; i++)
        if (strcmp(l->module->function.at[i]->name, name) == 0)
            return l->module->function.at[i];
    ck_abort_msg("no function %s", name);
}

/* Operations of a function where every free dimension is `size`. */
static double count_of(const Loaded *l, Function *f, int64_t size)
{
    Nodes root = functions_roots(l->arena, &f, 1);
    Cost c = cost_count(l->module->graph, root.n, root.at);
    int64_t val[16];

    for (int i = 0; i < f->nvar; i++)
        val[i] = size;
    return cost_total(&c, f->nvar, f->var, val);
}

static int64_t multiplications(const Loaded *l, Function *f)
{
    Nodes root = functions_roots(l->arena, &f, 1);
    Cost c = cost_count(l->module->graph, root.n, root.at);
    int64_t n;

    ck_assert(dim_const_value(c.of[COST_multiply], &n));
    return n;
}

/* The product of n factors written out, and its gradient. */
static char *chain_text(Arena *a, int n)
{
    Str s = str_new(a);

    str_printf(&s, "fn chain(t: real[%d]) -> real = t[0]", n);
    for (int i = 1; i < n; i++)
        str_printf(&s, " * t[%d]", i);
    str_printf(&s, ";\nexport chain, grad(chain, t) as chain_grad;\n");
    return s.at;
}

START_TEST(product_chain_costs_at_most_4n_multiplications)
{
    static const int size[] = {10, 100, 1000, 10000};
    int n = size[_i];
    Arena *a = arena_new();
    char *text = chain_text(a, n);
    Loaded l = load("chain.nn", text, strlen(text));

    ck_assert(multiplications(&l, function(&l, "chain")) == n - 1);
    ck_assert(multiplications(&l, function(&l, "chain_grad")) <= 4 * n);
    arena_free(l.arena);
    arena_free(a);
}
END_TEST

typedef struct Bounded {
    const char *path, *primal, *derivative;
    const char *text; /* where path is no file */
} Bounded;

static const Bounded costs[] = {
    {"examples/digits/digits.nn", "loss", "loss_grad", NULL},
    {"examples/lecture/two_layer.nn", "loss", "loss_grad", NULL},
    {"examples/lecture/formula.nn", "f", "f_grad", NULL},
    {"rows.nn", "f", "g",
     "fn f(x: real[n, m]) -> real {\n"
     "  let m1 = mean(x, axis = 1, keepdims = true);\n"
     "  let d = x - m1;\n"
     "  sum(d / sqrt(mean(d * d, axis = 1, keepdims = true) + 1e-5) * "
     "exp(x))\n"
     "}\nexport f, value_and_grad(f, x) as g;\n"},
    {"poly.nn", "f", "g",
     "fn f(x: real[n], A: real[n, n], y: real[n]) -> real =\n"
     "  tanh(x) @ (A @ sigmoid(x * y)) + logsumexp(A @ x);\n"
     "export f, value_and_grad(f, x, A, y) as g;\n"},
};

/* Griewank and Walther's bound for reverse mode. */
START_TEST(gradient_costs_at_most_four_times_the_function)
{
    const Bounded *k = &costs[_i];
    Loaded l = load(k->path, k->text, k->text ? strlen(k->text) : 0);
    double f = count_of(&l, function(&l, k->primal), 50);
    double g = count_of(&l, function(&l, k->derivative), 50);

    if (g > 4 * f)
        ck_abort_msg("%g operations for %g", g, f);
    arena_free(l.arena);
}
END_TEST

typedef struct Masked {
    const char *body; /* of x at `at`, with this derivative */
    double at, value;
} Masked;

static const Masked masked[] = {
    {"where(x > 0, sqrt(x), 0)", 0, 0},
    {"where(x > 0, log(x), 2 * x)", 0, 2},
    {"if x > 0 { sqrt(x) } else { 3 * x }", 0, 3},
    {"where(x < 10, x, exp(x * x))", 1, 1},
    {"sum(where([x, 2 * x] > 1, sqrt(expand(sqrt(x))), 0))", 0, 0},
    {"where(x > 0, x * log(x), 0) + where(x > 1, 1 / (x - 1), x)", 0, 1},
    {"where(x > 0, sqrt(x), 0) + x * x", 0, 0},
    {"where(x != 0, sin(x) / x, 1)", 0, 0},
    {"where(x > 0, where(x < 1, sqrt(x) * log(x), 0), 0)", 0, 0},
    {"where(x > 0, sin(where(x < 1, sqrt(x) * log(x), 0)), 0)", -1, 0},
    {"where(x > 0, sqrt(x), where(x > -1, x * x, log(x)))", -3, -1.0 / 3},
    {"if x > 0 { let y = sqrt(x); if y < 1 { y * log(x) } else { 1 / y } } "
     "else { 0 }",
     0, 0},
    {"if x > 0 { sqrt(x) } else { if x > -1 { x } else { 2 * x } }", 0, 1},
    {"sum(where(iota(3) > 3, 1 / broadcast(x * x, [3]), 0))", 0, 0},
    {"where(x > 0, sum([sqrt(x), log(x)] * [2.0, 3.0]), 0)", 0, 0},
    {"where(x > 0, [1.0, 2.0] @ [sqrt(x), 1], x)", 0, 1},
    {"{ let v = exp(x); where(x > -1, v * v, 0) - 2 * v }", 0, 0},
    {"grad(fn(t: real) { let v = exp(t); where(t > -1, v * v, 0) - 2 * v })(x)",
     0, 2},
    {"grad(fn(t: real) = sum(where(iota(2) == 0, "
     "(broadcast(t * t, [2]) - 1) ^ 2, 0)))(x)",
     1, 8},
    {"grad(fn(t: real) = where(t > 0, where(t < 1, sqrt(t) * log(t), 0), "
     "0))(x)",
     -1, 0},
    {"{ let t = [x, 2.0]; let i = int(x); if i < 2 { t[i] } else { 3 * x } }",
     7, 3},
    {"max(x, 0)", 0, 0},
    {"max(x, 0)", -1, 0},
    {"sqrt(max(x, 0))", -1, 0},
    {"acos(clamp(x, -1, 1))", 2, 0},
    {"log(min(x, 1)) + 0 / max(x, 0)", 3, 0},
    {"max(x, -x)", 0, 0},
    {"max(x, 3 * x)", 0, 2},
    {"norm([x, 2 * x])", 0, 0},
    {"grad(fn(t: real) = norm([t, t]) ^ 2)(x)", 0, 4},
    {"grad(fn(t: real) = norm([t, t]) ^ 3)(x)", 0, 0},
    {"grad(fn(t: real) = exp(-norm([t]) ^ 2))(x)", 0, -2},
    {"x * jvp(fn(t: real) = acos(clamp(min(norm([t, t]), 0.5), -1, 1)))(0.0, "
     "1.0).1",
     1, 0},
    {"std([x, x, x])", 2, 0},
    {"mean([i < 0 | x])", 2, 0},
    {"hypot(x, 0 * x)", 0, 0},
    {"sum([0.0, 1] * sqrt([x, x + 1]))", 0, 0.5},
    {"logsumexp([x - inf, x - inf])", 1, 0},
    {"sum(softmax([x - inf, x - inf]))", 1, 0},
    {"abs(x)", -2, -1},
    {"x ^ 2", 0, 0},
    {"x ^ 3", -2, 12},
};

START_TEST(branch_not_taken_stays_out)
{
    const Masked *k = &masked[_i];
    Arena *a = arena_new();
    char *text = arena_printf(a,
                              "fn f(x: real) -> real = %s;\n"
                              "export grad(f, x) as g;\n",
                              k->body);
    Loaded l = load("masked.nn", text, strlen(text));
    const Function *g = function(&l, "g");
    EvalInput in = {g->param[0].leaf[0], &k->at};
    double *out;

    ck_assert_int_eq(eval_nodes(l.arena, l.module->graph, 1, g->result[0].leaf,
                                1, &in, 0, NULL, NULL, &out),
                     EVAL_OK);
    if (!(fabs(*out - k->value) <= 1e-12))
        ck_abort_msg("%s at %g: %g, not %g", k->body, k->at, *out, k->value);
    arena_free(l.arena);
    arena_free(a);
}
END_TEST

/* value_and_grad, jvp and vjp agree: v·grad = jvp, and vjp(1) = grad. */
START_TEST(modes_agree)
{
    static const char text[] =
        "fn f(x: real[4], A: real[4, 4]) -> real =\n"
        "  sum(tanh(A @ x) * exp(x)) / (1 + x @ x);\n"
        "export grad(f, x) as g, jvp(f, x) as j, vjp(f, x) as v;\n";
    double x[4] = {0.3, -0.7, 1.1, 0.2}, dot[4] = {1, -2, 0.5, 3}, one = 1;
    double A[16], want = 0;
    Loaded l = load("modes.nn", text, sizeof text - 1);
    const Function *f[] = {function(&l, "g"), function(&l, "j"),
                           function(&l, "v")};
    double *out[3][2];

    for (int i = 0; i < 16; i++)
        A[i] = sin(i + 1.0);
    for (int i = 0; i < 3; i++) {
        EvalInput in[3] = {{f[i]->param[0].leaf[0], x},
                           {f[i]->param[1].leaf[0], A}};
        Node *root[2];

        for (int k = 0; k < f[i]->nresult; k++)
            root[k] = f[i]->result[k].leaf[0];
        if (i > 0)
            in[2] = (EvalInput){f[i]->param[2].leaf[0], i == 1 ? dot : &one};
        ck_assert_int_eq(eval_nodes(l.arena, l.module->graph, f[i]->nresult,
                                    root, f[i]->nparam, in, 0, NULL, NULL,
                                    out[i]),
                         EVAL_OK);
    }
    for (int i = 0; i < 4; i++) {
        want += dot[i] * out[0][0][i];
        ck_assert_double_eq_tol(out[2][1][i], out[0][0][i], 1e-13);
    }
    ck_assert_double_eq_tol(out[1][1][0], want, 1e-12);
    arena_free(l.arena);
}
END_TEST

/* All second derivatives of a product of five, zeros among them: of a constant
 * number of factors, of any number, of a matrix's. */
START_TEST(second_derivatives_of_a_product_are_exact)
{
    static const char *const texts[] = {
        "fn f(x: real[5]) -> real = prod(x);\n"
        "fn g(x: real[5], v: real[5]) -> real = dot(grad(f)(x), v);\n"
        "export grad(g, x) as h;\n",
        "fn f(x: real[n]) -> real = prod(x);\n"
        "fn g(x: real[n], v: real[n]) -> real = dot(grad(f)(x), v);\n"
        "export grad(g, x) as h;\n",
        "fn f(x: real[n]) -> real = prod(x);\n"
        "fn g(x: real[n], v: real[n]) -> real = jvp(f)(x, v).1;\n"
        "fn h(x: real[n], v: real[n]) -> real[n] =\n"
        "  [i < n | jvp(g, x)(x, v, [j < n | if i == j { 1.0 } else { 0.0 "
        "}]).1];\n"
        "export h;\n",
        "fn rows(x: real[n, m]) -> real[m] = prod(x, axis = 0);\n"
        "fn f(x: real[n]) -> real = sum(rows([i < n, j < 1 | x[i]]));\n"
        "fn g(x: real[n], v: real[n]) -> real = dot(grad(f)(x), v);\n"
        "export grad(g, x) as h;\n",
    };
    static const double points[][5] = {
        {0, 0, 2, 3, 5}, {0, 1, 2, 3, 5}, {1, -2, 2, 3, 5}, {0, 0, 0, 3, 5}};
    const double *x = points[_i % 4];
    const char *text = texts[_i / 4];
    Loaded l = load("prod.nn", text, strlen(text));
    const Function *h = function(&l, "h");
    const int64_t n[] = {5};

    for (int j = 0; j < 5; j++) {
        double v[5] = {0}, *out;
        EvalInput in[] = {{h->param[0].leaf[0], x}, {h->param[1].leaf[0], v}};

        v[j] = 1;
        ck_assert_int_eq(eval_nodes(l.arena, l.module->graph, 1,
                                    h->result[0].leaf, 2, in, h->nvar, h->var,
                                    n, &out),
                         EVAL_OK);
        for (int i = 0; i < 5; i++) {
            double want = i != j;

            for (int k = 0; k < 5; k++)
                want *= k == i || k == j ? 1 : x[k];
            ck_assert_double_eq_tol(out[i], want, 1e-12);
        }
    }
    arena_free(l.arena);
}
END_TEST

/* The elements of a Jacobian cost a multiple of the function, not of its size
 * times that: columns where there are few of them, rows where these are few,
 * what there is less of where only the run tells. */
static const struct Sizes {
    const char *text;
    int64_t n, m; /* dimensions in the order of the export's */
} sizes[] = {
    {"fn f(p: real[4], t: real[n]) -> real[n] =\n"
     "  p[0] * exp(-p[1] * t) + p[2] * sin(p[3] * t);\n"
     "export f, jacobian(f, p) as J;\n",
     2000, 0},
    {"fn f(p: real[4], A: real[2 * n - 9, 4]) -> real[2 * n - 9] = tanh(A @ "
     "p);\n"
     "export f, jacobian(f, p) as J;\n",
     1000, 0},
    {"fn f(x: real[n]) -> real[2] = [sum(exp(x)), sum(sin(x))];\n"
     "export f, jacobian(f, x) as J;\n",
     2000, 0},
    {"fn f(x: real[n], A: real[m, n]) -> real[m] {\n"
     "  let s = sum(sin(x));\n"
     "  fold(t < 100, y = A @ x | sin(y) + s)\n"
     "}\n"
     "export f, jacobian(f, x) as J;\n",
     2, 1000},
    {"fn f(x: real[n], A: real[m, n]) -> real[m] {\n"
     "  let s = sum(sin(x));\n"
     "  fold(t < 100, y = A @ x | sin(y) + s)\n"
     "}\n"
     "export f, jacobian(f, x) as J;\n",
     1000, 2},
};

/* Of an `if` on sizes, the branch that these choose. */
static Node *branch_for(const Loaded *l, const Function *f, const int64_t *val)
{
    Node *n = f->result[0].leaf[0];
    double *out;

    if (op_table[n->op]->cls != OPC_select)
        return n;
    ck_assert_int_eq(eval_nodes(l->arena, l->module->graph, 1, n->arg, 0, NULL,
                                f->nvar, f->var, val, &out),
                     EVAL_OK);
    return n->arg[*out != 0 ? 1 : 2];
}

START_TEST(jacobians_go_the_short_way)
{
    const struct Sizes *k = &sizes[_i];
    Loaded l = load("jacobian.nn", k->text, strlen(k->text));
    double all[2];

    for (int i = 0; i < 2; i++) {
        const Function *f = function(&l, i ? "J" : "f");
        int64_t val[] = {k->n, k->m};
        Node *root = branch_for(&l, f, val);
        Cost c = cost_count(l.module->graph, 1, &root);

        all[i] = cost_total(&c, f->nvar, f->var, val);
    }
    if (all[1] > 30 * all[0])
        ck_abort_msg("%g operations for %g", all[1], all[0]);
    arena_free(l.arena);
}
END_TEST

/* Of a graph, with no program around it: that of x² by x, dense and sparse. */
START_TEST(matrices_of_a_graph)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *n = dim_const(g, 3);
    Node *x = g_param(g, DT_f64, 1, &n, "x"), *y = g2(g, OP_mul, x, x), *dense;
    const double at[] = {1, -2, 3};
    EvalInput in = {x, at};
    SparseMatrix m;
    double *out[4];

    ck_assert(diff_jacobian(g, 1, &y, 1, &x, &dense));
    ck_assert(diff_sparse_jacobian(g, 1, &y, 1, &x, &m));
    Node *root[] = {dense, m.start, m.column, m.value};
    ck_assert_int_eq(eval_nodes(a, g, 4, root, 1, &in, 0, NULL, NULL, out),
                     EVAL_OK);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            ck_assert_double_eq(out[0][3 * i + j], i == j ? 2 * at[i] : 0);
        ck_assert_double_eq(out[1][i], i);
        ck_assert_double_eq(out[2][i], i);
        ck_assert_double_eq(out[3][i], 2 * at[i]);
    }
    ck_assert_double_eq(out[1][3], 3);
    arena_free(a);
}
END_TEST

/* What would take tensors of more dimensions than there are is refused. */
START_TEST(matrices_of_too_many_axes)
{
    enum { RANK = MAX_RANK / 2 + 1 };
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *dim[RANK];
    Node *x, *y, *to;

    for (int i = 0; i < RANK; i++)
        dim[i] = dim_const(g, 2);
    x = g_param(g, DT_f64, RANK, dim, "x");
    y = g2(g, OP_mul, x, x);
    ck_assert(!diff_jacobian(g, 1, &y, 1, &x, &to));
    y = g_reduce_all(g, OP_sum, g2(g, OP_mul, y, x));
    ck_assert(!diff_hessian(g, y, 1, &x, &to));
    arena_free(a);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    Suite *s = suite_create("diff");
    TCase *t = tcase_create("cost and branches");

    tcase_add_loop_test(t, product_chain_costs_at_most_4n_multiplications, 0,
                        4);
    tcase_add_loop_test(t, gradient_costs_at_most_four_times_the_function, 0,
                        COUNT(costs));
    tcase_add_loop_test(t, branch_not_taken_stays_out, 0, COUNT(masked));
    tcase_add_test(t, modes_agree);
    tcase_add_loop_test(t, second_derivatives_of_a_product_are_exact, 0, 4 * 4);
    tcase_add_loop_test(t, jacobians_go_the_short_way, 0, COUNT(sizes));
    tcase_add_test(t, matrices_of_a_graph);
    tcase_add_test(t, matrices_of_too_many_axes);
    suite_add_tcase(s, t);
    return run_suite(s);
}
