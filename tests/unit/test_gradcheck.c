/* test_gradcheck.c: gradient checking as a library: what it finds, what it asks
 * for, and that it prints nothing. */
#include "gradcheck/gradcheck.h"
#include "harness.h"
#include "kernel/kernel.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What was found, and what the caller answers. */
typedef struct Found {
    Module *module;
    LIST(GradcheckResult) result;
    const char *given; /* a parameter that has values of the caller's */
    int64_t sizes[2];  /* of these, call by call */
    int asked;         /* how often */
    bool refuse_values, refuse_code;
} Found;

static Jit *compile_all(void *user, Function *const *f, int n)
{
    Found *c = user;
    Schedule **s = NEWN(arena, Schedule *, n);
    Module *m = arena_copy(arena, c->module, sizeof *m);
    TargetOptions o = {.cpu = "native", .optimise = 0};
    const char *error;

    if (c->refuse_code)
        return NULL;
    m->function.n = 0;
    simplify_functions(m->graph, f, n);
    expand_functions(m->graph, f, n);
    for (int i = 0; i < n; i++) {
        s[i] = schedule(arena, m->graph, f[i]);
        list_push(arena, &m->function, f[i]);
    }
    return jit_open(&(ModuleInput){m, s, n}, &o, &error);
}

static bool give(void *user, const nn_port *p, nncc_tensor **leaf)
{
    Found *c = user;
    int64_t size = c->sizes[c->asked % 2];

    if (!c->given || !strstr(c->given, p->name))
        return true;
    c->asked++;
    if (c->refuse_values ||
        nncc_tensor_new(NN_F64, 1, &size, &leaf[0]) != NN_OK)
        return false;
    for (int64_t i = 0; i < size; i++)
        ((double *)leaf[0]->data)[i] = 2 + (double)i;
    return true;
}

static void keep(void *user, const GradcheckResult *r)
{
    Found *c = user;

    list_push(arena, &c->result, *r);
}

static GradcheckOptions options(Found *c, Program *p)
{
    ck_assert_msg(p != NULL, "%s", messages());
    c->module = program_module(p);
    return (GradcheckOptions){.seed = 1,
                              .user = c,
                              .given = give,
                              .compile = compile_all,
                              .found = keep};
}

static const GradcheckResult *result(const Found *c, const char *function,
                                     const char *what)
{
    for (int i = 0; i < c->result.n; i++) {
        const GradcheckResult *r = &c->result.at[i];
        if (!strcmp(r->function, function) &&
            (what ? r->what && !strcmp(r->what, what) : !r->what))
            return r;
    }
    ck_abort_msg("nothing was found of %s %s", function, what ? what : "");
}

static const char two[] = "fn square(x: real) = x * x;\n"
                          "derivative square(x; y, y_bar) = 3 * x * y_bar;\n"
                          "fn f(v: real[n]) = sum(i | square(v[i]));\n"
                          "fn g(v: real[n]) = sum(i | v[i] * v[i]);\n"
                          "export grad(f, v) as off;\n"
                          "export grad(g, v) as right;\n";

START_TEST(right_and_off)
{
    Found c = {0};
    const char *error;
    Program *p = compile(two);
    GradcheckOptions o = options(&c, p);

    ck_assert(gradcheck(arena, p, &o, &error));
    ck_assert_ptr_null(error);
    ck_assert_int_eq(result(&c, "right", "value")->outcome, GRADCHECK_right);
    ck_assert_int_eq(result(&c, "right", "d_v")->outcome, GRADCHECK_right);
    ck_assert_int_eq(result(&c, "off", "value")->outcome, GRADCHECK_right);
    const GradcheckResult *off = result(&c, "off", "d_v");
    ck_assert_int_eq(off->outcome, GRADCHECK_off);
    ck_assert_double_gt(off->error, 0.3); /* 3 x instead of 2 x */
    ck_assert_double_lt(off->error, 0.6);
}
END_TEST

/* What is finite nowhere, and what takes none of the types tried. */
START_TEST(neither)
{
    Found c = {0};
    const char *error;
    Program *p = compile("fn f(x: real) = x / 0.0;\n"
                         "fn h[T](x: T) = x.name;\n"
                         "export f as f;\n");
    GradcheckOptions o = options(&c, p);

    ck_assert(gradcheck(arena, p, &o, &error));
    ck_assert_int_eq(result(&c, "f", NULL)->outcome, GRADCHECK_untried);
    ck_assert_ptr_nonnull(result(&c, "f", NULL)->note);
    ck_assert_int_eq(result(&c, "h", NULL)->outcome, GRADCHECK_untyped);
}
END_TEST

START_TEST(values_are_the_callers)
{
    Found c = {.given = "v", .sizes = {3, 3}};
    GradcheckRange range[] = {{"v", 1, 2, false}, {"w", 1, 2, false}};
    const char *error;
    Program *p = compile(two);
    GradcheckOptions o = options(&c, p);

    o.range = range;
    o.nrange = 2;
    ck_assert(gradcheck(arena, p, &o, &error));
    ck_assert_int_gt(c.asked, 0);
    ck_assert(range[0].used && !range[1].used);
}
END_TEST

/* Whose fault it was that it stopped. */
START_TEST(stops)
{
    static const char pair[] = "fn f(v: real[n], w: real[n]) = sum(v * w);\n"
                               "export f as f;\n";
    const char *error;
    Found values = {.given = "v", .refuse_values = true};
    Found code = {.refuse_code = true};
    Found sizes = {.given = "v w", .sizes = {2, 3}};
    Program *p = compile(_i == 3 ? "const a = 1;\n" : pair);
    Found *c = _i == 0 ? &values : _i == 1 ? &code : &sizes;
    GradcheckOptions o = options(c, p);

    ck_assert(!gradcheck(arena, p, &o, &error));
    ck_assert_int_eq(c->result.n, 0);
    if (_i < 2)
        ck_assert_ptr_null(error);
    else
        ck_assert_ptr_nonnull(
            strstr(error, _i == 2 ? "do not have sizes that fit together"
                                  : "exports nothing"));
}
END_TEST

/* Not a byte on either stream. */
START_TEST(prints_nothing)
{
    Found c = {0};
    const char *error;
    Program *p = compile(two);
    GradcheckOptions o = options(&c, p);
    FILE *to = tmpfile();
    int own[2] = {dup(1), dup(2)};

    fflush(stdout);
    dup2(fileno(to), 1);
    dup2(fileno(to), 2);
    gradcheck(arena, p, &o, &error);
    fflush(stdout);
    dup2(own[0], 1);
    dup2(own[1], 2);
    ck_assert_int_eq(lseek(fileno(to), 0, SEEK_END), 0);
    fclose(to);
    close(own[0]);
    close(own[1]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gradcheck");
    TCase *t = tcase_create("gradcheck");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_test(t, right_and_off);
    tcase_add_test(t, neither);
    tcase_add_test(t, values_are_the_callers);
    tcase_add_loop_test(t, stops, 0, 4);
    tcase_add_test(t, prints_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
