/* test_costs.c: how much arithmetic derivatives take beside their functions: of
 * the standard library (tests/costs.nn) and of what the examples differentiate.
 */
#include "graph/op.h"
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
    double vjp, jvp, hvp; /* times the function; its value is beside the first
                             two */
} Limits;

static const Limits usual = {"", 4, 3, 10};

/* The product of two factors that both move is more, as docs/design.md proves:
 * x y takes one operation, with its tangent x y' + x' y four. */
enum { MORE_TANGENT = 1, MORE_HESSIAN = 2 };

/* What takes more. */
static const Limits others[] = {
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

static int64_t *sizes(const Function *f)
{
    int64_t *size = NEWN(arena, int64_t, f->nvar + 1);

    for (int i = 0; i < f->nvar; i++)
        size[i] = LARGE;
    return size;
}

static double number(const Function *f, const Dim *d)
{
    int64_t n;

    return dim_eval(d, f->nvar, f->var, sizes(f), &n) ? (double)n : NAN;
}

static double arithmetic(Program *p, Function *f)
{
    Graph *g = program_module(p)->graph;

    simplify_functions(g, &f, 1);
    expand_functions(g, &f, 1);
    Nodes root = functions_roots(arena, &f, 1);
    Cost c = cost_count(g, root.n, root.at);
    return cost_total(&c, f->nvar, f->var, sizes(f));
}

static double takes(Program *p, const char *expression)
{
    Function *f = program_function(p, expression);

    ck_assert_msg(f, "%s: %s", expression, messages());
    return arithmetic(p, f);
}

/* How many products, quotients and elements of contractions a function has
 * whose two factors both move with some of its parameters. */

typedef struct Moves {
    Graph *g;
    const Function *f;
    bool *on; /* by a node's id */
} Moves;

static bool moves(const Moves *m, const Node *n)
{
    for (int i = 0; i < n->narg; i++)
        if (m->on[n->arg[i]->id])
            return true;
    return false;
}

static bool multiplies(const Node *n)
{
    return op_table[n->op]->cls == OPC_contract || node_is_product(n) ||
           n->op == OP_div || n->op == OP_pow;
}

static double moving(Moves *m, int n, Node *const *node);

/* What a loop carries moves where anything does that it is given. */
static double moving_steps(Moves *m, const Node *n)
{
    const Region *r = n->attr.region;

    for (int i = 0; i < region_narg(r); i++) {
        const Node *x = region_param(r, i);
        if (x)
            m->on[x->id] = i < r->ncarry ? moves(m, n) : m->on[n->arg[i]->id];
    }
    return moving(m, r->nbody, r->body) *
           (r->trips ? number(m->f, r->trips) : 1);
}

static double moving(Moves *m, int n, Node *const *node)
{
    double all = 0;

    for (int i = 0; i < n; i++) {
        const Node *x = node[i];
        if (x->narg > 0)
            m->on[x->id] = moves(m, x) && (x->attr.region || x->op == OP_part ||
                                           dtype_is_real(x->dtype));
        if (x->attr.region)
            all += moving_steps(m, x);
        else if (multiplies(x) && m->on[x->arg[0]->id] && m->on[x->arg[1]->id])
            all += number(m->f, dim_product(m->g, x->rank, x->dim));
    }
    return all;
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

/* A function that has its value and derivatives counted. */
typedef struct Held {
    Program *p;
    const char *path, *name, *whole; /* whole: a function that gives a number */
    double own, results;
} Held;

static void hold_mode(const Held *h, const char *mode, const char *of,
                      const char *by, double beside, double most)
{
    const char *e = arena_printf(arena, "%s(%s%s)", mode, of, by);
    double times = (takes(h->p, e) + beside) / (h->own + beside);

    ck_assert_msg(times <= most + 0.02,
                  "%s: %s takes %.2f times what %s does, more than %.2f",
                  h->path, e, times, h->name, most);
}

/* By the parameters called `by`. A gradient is one of a number: of results
 * times weights, added up. */
static void hold_by(const Held *h, const char *by, double share)
{
    const Limits *l = limits_of(h->name);

    hold_mode(h, "vjp", h->name, by, 2 * h->results, l->vjp);
    hold_mode(h, "jvp", h->name, by, 0, l->jvp + MORE_TANGENT * share);
    hold_mode(h, "hvp", h->whole, by, 0, l->hvp + MORE_HESSIAN * share);
}

/* The part of f's operations that multiplies what moves with f's parameters by
 * what does, too. */
static double share_moving(const Held *h, Function *f, const bool *by)
{
    Graph *g = program_module(h->p)->graph;
    Nodes root = functions_roots(arena, &f, 1);
    Nodes below = nodes_below(g, arena, root.n, root.at);
    Moves m = {g, f, NEWN(arena, bool, graph_count(g))};

    for (int i = 0; i < f->nparam; i++)
        for (int j = 0; by[i] && j < f->param[i].nleaf; j++)
            m.on[f->param[i].leaf[j]->id] = true;
    return moving(&m, below.n, below.at) / h->own;
}

static void hold_some(const Held *h, Function *f, const bool *by)
{
    Str names = str_new(arena);

    for (int i = 0; i < f->nparam; i++)
        if (by[i])
            str_printf(&names, ", %s", f->param[i].name);
    hold_by(h, names.at, share_moving(h, f, by));
}

static bool is_real(Graph *g, const Type *t)
{
    const Leaf *leaf = type_leaves(g, t, NULL);
    bool real = true;

    for (int i = 0; i < t->nleaf; i++)
        real = real && dtype_is_real(leaf[i].dtype);
    return real;
}

/* By each parameter that is real, and by all of these. */
static void hold_each(const Held *h, Function *f)
{
    Graph *g = program_module(h->p)->graph;
    bool *one = NEWN(arena, bool, f->nparam + 1);
    bool *all = NEWN(arena, bool, f->nparam + 1);
    int n = 0;

    for (int i = 0; i < f->nparam; i++) {
        all[i] = is_real(g, f->param[i].type);
        if (!all[i])
            continue;
        n++;
        one[i] = true;
        hold_some(h, f, one);
        one[i] = false;
    }
    if (n > 1)
        hold_some(h, f, all);
}

static double elements(Graph *g, const Function *f)
{
    double all = 0;

    for (int i = 0; i < f->nresult; i++)
        for (int j = 0; j < f->result[i].nleaf; j++) {
            const Node *x = f->result[i].leaf[j];
            all += number(f, dim_product(g, x->rank, x->dim));
        }
    return all;
}

/* False: the function only chooses among its arguments. */
static bool hold(Program *p, const char *path, const char *name)
{
    Function *f = program_function(p, name);

    ck_assert_msg(f, "%s: %s", name, messages());
    Held h = {p, path, name, summed(p, name, f), 0, 0};
    h.own = arithmetic(p, f);
    h.results = elements(program_module(p)->graph, f);
    if (h.own == 0)
        return false;
    ck_assert_msg(h.own > 0, "%s: %s has no size", path, name);
    hold_each(&h, f);
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
