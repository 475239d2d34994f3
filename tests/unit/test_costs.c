/* test_costs.c: how much arithmetic derivatives take beside their functions: of
 * the standard library (tests/costs.nn) and of what the examples differentiate.
 */
#include "nn.h"
#include "programs.h"
#include "show/cost.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <glob.h>
#include <math.h>
#include <string.h>

enum { LARGE = 512 /* all dimensions */ };

typedef struct Limits {
    const char *name;
    double vjp, jvp, hvp; /* times the function; the function is in the first
                             two */
} Limits;

static const Limits usual = {"", 4, 3, 10};

/* Functions that take more: docs/design.md says why they must. */
static const Limits others[] = {
    /* Products of products. */
    {"cumprod_of", 4, 4, 12},
    {"product", 4, 4, 12},            /* lecture: swell */
    {"cholesky_of", 4, 4, 12},        /* a product and two triangular systems */
    {"cofactors_of", 4, 3, INFINITY}, /* the third derivative of det */
};

static const Limits *limits_of(const char *name)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, name) == 0)
            return &others[i];
    return &usual;
}

static Program *load(const char *path)
{
    const CheckOptions o = {.real = DT_f64};
    Program *p = check_program(arena, diags, path, NULL, 0, &o);

    ck_assert_msg(p, "%s", messages());
    return p;
}

static double arithmetic(Program *p, Function *f)
{
    Graph *g = program_module(p)->graph;

    simplify_functions(g, &f, 1);
    expand_functions(g, &f, 1);
    Nodes root = functions_roots(arena, &f, 1);
    Cost c = cost_count(g, root.n, root.at);
    int64_t *size = NEWN(arena, int64_t, f->nvar + 1);
    for (int i = 0; i < f->nvar; i++)
        size[i] = LARGE;
    return cost_total(&c, f->nvar, f->var, size);
}

static double takes(Program *p, const char *expression)
{
    Function *f = program_function(p, expression);

    ck_assert_msg(f, "%s: %s", expression, messages());
    return arithmetic(p, f);
}

static bool is_scalar(const Function *f)
{
    return f->nresult == 1 && f->result[0].nleaf == 1 &&
           f->result[0].leaf[0]->rank == 0;
}

/* "fn(x: real[n]) = sum(f(x))" */
static const char *summed(Program *p, const char *name, const Function *f)
{
    Str s = str_new(arena), args = str_new(arena);

    if (is_scalar(f))
        return name;
    for (int i = 0; i < f->nparam; i++) {
        str_printf(&s, "%s%s: ", i ? ", " : "fn(", f->param[i].name);
        type_describe(f->param[i].type, program_module(p)->real, &s);
        str_printf(&args, "%s%s", i ? ", " : "", f->param[i].name);
    }
    return arena_printf(arena, "%s) = sum(%s(%s))", s.at, name, args.at);
}

/* False: the function only chooses among its arguments. */
static bool hold(Program *p, const char *path, const char *name)
{
    const Limits *most = limits_of(name);
    Function *f = program_function(p, name);

    ck_assert_msg(f, "%s: %s", name, messages());
    const char *whole = summed(p, name, f);
    double own = arithmetic(p, f);
    if (own == 0)
        return false;
    ck_assert_msg(own > 0, "%s: %s has no size", path, name);
    const char *mode[] = {"vjp", "jvp", "hvp"};
    double limit[] = {most->vjp, most->jvp, most->hvp};
    for (int k = 0; k < 3; k++) {
        const char *e =
            arena_printf(arena, "%s(%s)", mode[k], k == 2 ? whole : name);
        double times = takes(p, e) / own;
        ck_assert_msg(times <= limit[k] + 0.02,
                      "%s: %s takes %.2f times what %s does, more than %g",
                      path, e, times, name, limit[k]);
    }
    return true;
}

START_TEST(library_within_limits)
{
    const char *path = "tests/costs.nn";
    Program *p = load(path);
    Module *m = program_module(p);
    int n = m->function.n, held = 0;

    for (int i = 0; i < n; i++)
        held += hold(p, path, m->function.at[i]->name);
    ck_assert_int_gt(held, n - 10);
}
END_TEST

static glob_t examples;

START_TEST(examples_within_limits)
{
    const char *path = examples.gl_pathv[_i];
    Program *p = load(path);
    Module *m = program_module(p);
    Function *trained = program_trainings(p) > 0 ? program_trained(p, 0) : NULL;
    LIST(const char *) name = {0};

    for (int i = 0; i < m->function.n; i++) {
        const Function *f = m->function.at[i]->primal;
        if (f && f->deriv == DERIV_none)
            list_push(arena, &name, f->name);
    }
    if (trained && trained->primal)
        list_push(arena, &name, trained->primal->name);
    for (int i = 0; i < name.n; i++)
        hold(p, path, name.at[i]);
}
END_TEST

/* Every public function of files whose functions have derivatives is called in
 * tests/costs.nn, but for those that have none or are parts of others. */

static const char *const without[] = {
    /* of integers, keys, places; constants */
    "ones_like",
    "zeros_like",
    "eye",
    "inverse_order",
    "he",
    "xavier",
    "lecun",
    "orthogonal",
    "accuracy",
    "top_k_accuracy",
    "confusion",
    "top_k",
    "searchsorted",
    "sequence_mask",
    "uniform_logpdf",
    "permutation",
    "categorical",
    "poisson",
    /* by the derivative of gammainc, which has more terms than a sample */
    "gamma",
    "beta",
    "dirichlet",
    "student_t",
    /* what others are made of */
    "lu",
    "lu_factors",
    "lu_small",
    "lower_small",
    "upper_small",
    "lu_full",
    "lu_solve",
    "lu_solve_transposed",
    "substitute_lower",
    "substitute_upper",
    "cholesky_solve",
    "qr_factors",
    "eigh_factors",
    "svd_factors",
    "pinv_tall",
    "over_gap",
    "sign_of_columns",
    "solve_spd_back",
    "gammaincs",
    "betaincs",
    "cofactors_along",
    "cofactors_along_lu",
    "cofactors_by_rank",
    "fold_lower",
    "until_end",
    "backwards",
    "cosine_similarity",
    "above",
    "from_zero",
    "bernoulli_logpmf",
    "exponential_like",
    "gumbel_like",
    "normal_like",
    "poisson_small",
    "poisson_large",
};

static bool is_without(const char *name)
{
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (strcmp(without[i], name) == 0)
            return true;
    return false;
}

START_TEST(library_is_covered)
{
    static const char *const files[] = {"prelude", "nn", "distributions",
                                        "solvers"};
    const char *calls = file_text(arena, "tests/costs.nn");
    const char *text =
        file_text(arena, arena_printf(arena, "src/std/%s.nn", files[_i]));

    for (const char *c = strstr(text, "\nfn "); c; c = strstr(c + 1, "\nfn ")) {
        size_t n = strcspn(c + 4, "[(");
        char *name = arena_printf(arena, "%.*s", (int)n, c + 4);
        char *call = arena_printf(arena, "%s(", name);
        ck_assert_msg(is_without(name) || strstr(calls, call),
                      "tests/costs.nn has no %s", name);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("costs");
    TCase *c = tcase_create("costs");

    glob("examples/*/*.nn", 0, NULL, &examples);
    tcase_add_checked_fixture(c, programs_setup, programs_teardown);
    tcase_add_test(c, library_within_limits);
    tcase_add_loop_test(c, examples_within_limits, 0, (int)examples.gl_pathc);
    tcase_add_loop_test(c, library_is_covered, 0, 4);
    suite_add_tcase(s, c);
    int status = run_suite(s);
    globfree(&examples);
    return status;
}
