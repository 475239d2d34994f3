/* test_plans.c: which kernels functions become where a choice is to be made:
 * each side of what decides it, and that they give what is written. With
 * UPDATE=1 it writes plans.def as they are now: read the difference. */
#include "eval/eval.h"
#include "kernel/kernel.h"
#include "kernel_sim.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function, and its plan: kernels in their order.
 *
 *     map 1v [0v: 2 load, 1 sum] [0: 1 store] ?1
 *
 * has one outer loop, in lanes (v); two stages, with none of their own, and
 * what these load and give; it runs under one condition. What `|` is before may
 * run in pieces; `ragged` loops end before their extent; `few` is what runs
 * where there are few iterations. `~` is a loop's body, then what ends it. */
typedef struct Plan {
    const char *text, *plan;
} Plan;

static const Plan plans[] = {
#include "plans.def"
};
enum { NPLANS = sizeof plans / sizeof *plans };

static void show_stage(Str *to, const Kernel *k, const Stage *t)
{
    static const char *const kind[] = {
        [OUT_store] = "store", [OUT_add] = "add", [OUT_reduce] = "join"};
    int loads = 0, outputs[] = {0, 0, 0};

    for (int i = t->first; i < t->first + t->ninstr; i++)
        loads += k->instr[i].kind == I_load;
    for (int i = 0; i < t->noutput; i++)
        outputs[t->output[i].kind]++;
    str_printf(to, " [%d%s:", t->rank, t->lanes ? "v" : "");
    if (loads)
        str_printf(to, " %d load", loads);
    for (int i = 0; i < 3; i++)
        if (outputs[i])
            str_printf(to, " %d %s", outputs[i], kind[i]);
    str_printf(to, "%s]", ragged_condition(k, t) >= 0 ? ", ragged" : "");
}

static void show_map(Str *to, const Kernel *k)
{
    str_printf(to, "map %d%s", k->rank, k->lanes ? "v" : "");
    for (int i = 0; i < k->nstage; i++)
        show_stage(to, k, &k->stage[i]);
    if (k->few) {
        str_printf(to, ", few: ");
        show_map(to, k->few);
    }
}

static void show(Str *to, const Schedule *s);

static void show_dim(Str *to, const char *name, const Dim *d)
{
    str_printf(to, "%s", name);
    dim_print(d, to);
}

static void show_kernel(Str *to, const Kernel *k)
{
    str_printf(to, "%s", k->parallel ? "|" : "");
    switch (k->kind) {
    case KERNEL_map:
        show_map(to, k);
        break;
    case KERNEL_contract:
        show_dim(to, "product ", k->contract->m);
        show_dim(to, " ", k->contract->n);
        show_dim(to, " ", k->contract->k);
        str_printf(to, "%s%s%s%s", k->contract->windows ? " of windows" : "",
                   k->contract->pack_a ? " packed a" : "",
                   k->contract->pack ? " packed" : "",
                   k->contract->totals ? " long" : "");
        if (k->contract->nbatch)
            str_printf(to, " in %d", k->contract->nbatch);
        if (k->epilogue) {
            str_printf(to, " then ");
            show_map(to, k->epilogue);
        }
        break;
    case KERNEL_sort:
        str_printf(to, "sort%s", k->sort->work ? " long" : "");
        break;
    case KERNEL_routine:
        str_printf(to, "%s%s", op_table[k->routine->op]->name,
                   k->routine->work ? " in room" : "");
        break;
    case KERNEL_loop:
        str_printf(to, "loop %d", k->loop->ncarry);
        for (int i = 0; i < k->loop->ncarry; i++)
            str_printf(to, "%s", k->loop->carry[i].other ? " two" : "");
        str_printf(to, " {");
        show(to, k->loop->body);
        if (k->loop->check) {
            str_printf(to, "} ~ {");
            show(to, k->loop->check);
        }
        str_printf(to, "}");
        break;
    }
    if (k->nguard)
        str_printf(to, " ?%d", k->nguard);
}

static void show(Str *to, const Schedule *s)
{
    int buffers = 0;

    for (int i = 0; i < s->kernel.n; i++) {
        if (i)
            str_printf(to, "; ");
        if (i == s->ninvariant && i)
            str_printf(to, "each: ");
        show_kernel(to, s->kernel.at[i]);
    }
    for (int i = 0; i < s->buffer.n; i++)
        buffers += s->buffer.at[i]->kind == BUF_WORK;
    str_printf(to, " / %d", buffers);
}

static void write_plan(const char *text, const char *plan)
{
    FILE *f = fopen("tests/unit/plans.def", "a");

    ck_assert_ptr_nonnull(f);
    fprintf(f, "{\"%s\",\n \"%s\"},\n", text, plan);
    fclose(f);
}

/* As it is written, or as it is to be scheduled. */
static Function *function_of(const char *text, bool plain, Graph **g)
{
    const CheckOptions o = {.real = DT_f32, .plain = plain};
    Program *p = compile_with(text, &o);
    Function *f = p ? program_function(p, "f") : NULL;

    ck_assert_msg(f, "%s: %s", text, messages());
    *g = program_module(p)->graph;
    if (!plain) {
        simplify_functions(*g, &f, 1);
        expand_functions(*g, &f, 1);
    }
    return f;
}

START_TEST(plans_are_made)
{
    Graph *g;
    Function *f = function_of(plans[_i].text, false, &g);
    Str s = str_new(arena);

    show(&s, schedule(arena, g, f));
    if (getenv("UPDATE"))
        write_plan(plans[_i].text, s.at);
    else
        ck_assert_msg(strcmp(s.at, plans[_i].plan) == 0, "%s:\n  %s\n  not %s",
                      plans[_i].text, s.at, plans[_i].plan);
}
END_TEST

enum { MOST_LEAVES = 32, MOST_SIZES = 8, MOST_VALUES = 30000 };

typedef struct Point {
    int64_t size[MOST_SIZES];
    double *data[MOST_LEAVES]; /* parameters, then results */
    EvalInput in[MOST_LEAVES];
    int nin;
    bool large; /* it has more values than a test has time for */
} Point;

static int64_t elements(const Function *f, const Node *n, const Point *p)
{
    int64_t all = 1, size = 0;

    for (int i = 0; i < n->rank; i++) {
        ck_assert(dim_eval(n->dim[i], f->nvar, f->var, p->size, &size));
        all *= size;
    }
    return all;
}

/* The n-th: sizes from 3 on, ints that are mostly indices. */
static Point point_of(const Function *f, int n)
{
    Point p = {.nin = 0};

    ck_assert_int_le(f->nvar, MOST_SIZES);
    for (int i = 0; i < f->nvar; i++)
        p.size[i] = 3 + (i + n) % 3 + 9 * (n == 1 && i == 0);
    for (int i = 0; i < f->nparam; i++)
        for (int k = 0; k < f->param[i].nleaf; k++) {
            const Node *x = f->param[i].leaf[k];
            int64_t all = elements(f, x, &p);
            double *to = p.data[p.nin] = NEWN(arena, double, all + 1);
            for (int64_t j = 0; j < all; j++) {
                double v = sin(1 + 5 * p.nin + 3 * (double)j);
                to[j] = dtype_is_real(x->dtype)
                            ? (float)v
                            : floor(1.5 + (n ? 2 : 1.4) * v);
            }
            p.large = p.large || all > MOST_VALUES;
            p.in[p.nin++] = (EvalInput){x, to};
        }
    return p;
}

static int results_of(const Function *f, Node **root)
{
    int n = 0;

    for (int i = 0; i < f->nresult; i++)
        for (int k = 0; k < f->result[i].nleaf; k++)
            root[n++] = f->result[i].leaf[k];
    return n;
}

static void ck_close(const char *text, int64_t at, double got, double want)
{
    double within = 1e-5 * (1 + fabs(want));

    if (got != want && !(isnan(got) && isnan(want)))
        ck_assert_msg(fabs(got - want) <= within, "%s: %d is %.9g, not %.9g",
                      text, (int)at, got, want);
}

/* The kernels of `text` give at a point what is written. */
static void ck_computes(const char *text, int n)
{
    Graph *g, *made;
    Function *f = function_of(text, true, &g), *h;
    Node *root[MOST_LEAVES];
    double *want[MOST_LEAVES];
    const char *why = "";
    Point p = point_of(f, n);
    int count = results_of(f, root);

    if (p.large)
        return;
    EvalStatus status = eval_nodes(arena, g, count, root, p.nin, p.in, f->nvar,
                                   f->var, p.size, want);
    h = function_of(text, false, &made);
    ck_assert_int_eq(h->nvar, f->nvar);
    ck_assert_int_eq(results_of(h, root), count);
    for (int i = 0; i < count; i++)
        p.data[p.nin + i] = NEWN(arena, double, elements(h, root[i], &p) + 1);
    SimStatus ran = sim_run(arena, schedule(arena, made, h), h->nvar, h->var,
                            p.size, p.data, &why);
    ck_assert_msg(ran == (status == EVAL_OK ? SIM_OK : SIM_BAD_INDEX),
                  "%s: %d for %d: %s", text, (int)ran, (int)status, why);
    for (int i = 0; i < count && ran == SIM_OK; i++)
        for (int64_t j = 0; j < elements(h, root[i], &p); j++)
            ck_close(text, j, p.data[p.nin + i][j], want[i][j]);
}

START_TEST(plans_compute)
{
    for (int n = 0; n < 2; n++)
        ck_computes(plans[_i].text, n);
}
END_TEST

/* A formula of so many steps, each of the two before. */
static const char *chain(int steps)
{
    Str s = str_new(arena);

    str_printf(&s, "fn f(x: real[n]) = { let a0 = x; let a1 = x * 2; ");
    for (int i = 2; i < steps; i++)
        str_printf(&s, "let a%d = exp(-a%d) * a%d + a%d / 2; ", i, i - 1, i - 1,
                   i - 2);
    str_printf(&s, "a%d };", steps - 1);
    return s.at;
}

#define CUT "|map 1v [0: 2 load 2 store]; "
#define CUTS CUT CUT CUT CUT CUT CUT CUT

/* What is too long for one nest is cut: at few values, and what each nest needs
 * of those before is stored, nothing else. */
START_TEST(long_formulas_are_cut)
{
    static const struct {
        int steps;
        const char *plan;
    } want[] = {
        {24, "|map 1v [0: 1 load 1 store] / 0"},
        {150, "|map 1v [0: 1 load 1 store] / 0"},
        {420, "|map 1v [0: 1 load 2 store]; " CUTS CUTS "|map 1v [0: 2 load 1 "
              "store] / 1"},
    };
    const char *text = chain(want[_i].steps);
    Graph *g;
    Function *f = function_of(text, false, &g);
    Str s = str_new(arena);

    show(&s, schedule(arena, g, f));
    ck_assert_str_eq(s.at, want[_i].plan);
    ck_computes(text, _i > 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plans");
    TCase *t = tcase_create("plans");

    if (getenv("UPDATE") && remove("tests/unit/plans.def") != 0)
        return EXIT_FAILURE;
    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, plans_are_made, 0, NPLANS);
    if (!getenv("UPDATE"))
        tcase_add_loop_test(t, plans_compute, 0, NPLANS);
    tcase_add_loop_test(t, long_formulas_are_cut, 0, 3);
    suite_add_tcase(s, t);
    return run_suite(s);
}
