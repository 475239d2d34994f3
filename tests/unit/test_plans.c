/* test_plans.c: which kernels functions become where a choice is to be made:
 * each side of what decides it. With UPDATE=1 it writes plans.def as they are
 * now: read the difference. */
#include "kernel/kernel.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function, and its plan: kernels in their order.
 *
 *     map 1v [0v: 2 load, 1 sum] [0: 1 store] ?1
 *
 * has one outer loop, in lanes (v); two stages, with none of their own, and
 * what these load and give; it runs under one condition. `~` is a loop's body,
 * then what ends it. */
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
    str_printf(to, "]");
}

static void show_map(Str *to, const Kernel *k)
{
    str_printf(to, "map %d%s", k->rank, k->lanes ? "v" : "");
    for (int i = 0; i < k->nstage; i++)
        show_stage(to, k, &k->stage[i]);
}

static void show(Str *to, const Schedule *s);

static void show_dim(Str *to, const char *name, const Dim *d)
{
    str_printf(to, "%s", name);
    dim_print(d, to);
}

static void show_kernel(Str *to, const Kernel *k)
{
    switch (k->kind) {
    case KERNEL_map:
        show_map(to, k);
        break;
    case KERNEL_contract:
        show_dim(to, "product ", k->contract->m);
        show_dim(to, " ", k->contract->n);
        show_dim(to, " ", k->contract->k);
        str_printf(to, "%s%s%s", k->contract->rows.n ? " of windows" : "",
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

START_TEST(plans_are_made)
{
    const CheckOptions o = {.real = DT_f32};
    Program *p = compile_with(plans[_i].text, &o);
    Function *f = p ? program_function(p, "f") : NULL;
    Str s = str_new(arena);

    ck_assert_msg(f, "%s: %s", plans[_i].text, messages());
    Graph *g = program_module(p)->graph;
    simplify_functions(g, &f, 1);
    expand_functions(g, &f, 1);
    show(&s, schedule(arena, g, f));
    if (getenv("UPDATE"))
        write_plan(plans[_i].text, s.at);
    else
        ck_assert_msg(strcmp(s.at, plans[_i].plan) == 0, "%s:\n  %s\n  not %s",
                      plans[_i].text, s.at, plans[_i].plan);
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
    suite_add_tcase(s, t);
    return run_suite(s);
}
