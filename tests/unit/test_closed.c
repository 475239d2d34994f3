/* test_closed.c: derivatives in all modes against closed forms that SymPy found
 * of the same functions: tests/closed/, and the script that made it. */
#include "check/check.h"
#include "emit/emit.h"
#include "eval/eval.h"
#include "kernel/kernel.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 6, MAX_LEAVES = 16, CHUNK = 24 };

/* Of the largest element of a derivative, 0.001 at least. */
static const double within = 1e-12;

typedef enum Mode { VALUE, GRADIENT, JVP, HESSIAN, HVP, NMODES } Mode;
static const char *const expression[NMODES] = {
    "%s", "grad(%s, %c)", "jvp(%s, %c)", "hessian(%s, %c)", "hvp(%s, %c)"};

typedef struct Numbers {
    char name; /* of an input */
    int n;
    double *at;
} Numbers;

typedef struct Case {
    const char *text; /* the function f */
    int fn;           /* which of the program's functions it is */
    Numbers input[MOST_INPUTS], value, gradient, hessian;
    int ninput;
    double *direction;
} Case;

typedef LIST(Case) Cases;

/* Reading */

static Numbers read_numbers(char *line)
{
    char *colon = strchr(line, ':'), *end;
    Numbers v = {.name = *line};
    LIST(double) at = {0};
    ck_assert_msg(colon, "no colon in '%s'", line);
    for (char *p = colon + 1;; p = end) {
        double x = strtod(p, &end);
        if (end == p)
            break;
        list_push(arena, &at, x);
    }
    v.n = at.n;
    v.at = at.at;
    return v;
}

static void read_line(Case *c, char *line)
{
    Numbers v = read_numbers(line);
    if (strncmp(line, "value:", 6) == 0) {
        c->value = v;
    } else if (strncmp(line, "gradient:", 9) == 0) {
        c->gradient = v;
    } else if (strncmp(line, "hessian:", 8) == 0) {
        c->hessian = v;
    } else {
        ck_assert_int_lt(c->ninput, MOST_INPUTS);
        c->input[c->ninput++] = v;
    }
}

static Cases read_cases(const char *path)
{
    FILE *f = fopen(path, "r");
    Cases all = {0};
    Case c = {0};
    char *line = NULL;
    size_t room = 0;
    ck_assert_msg(f, "no %s", path);
    while (getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (!*line) {
            list_push(arena, &all, c);
            c = (Case){0};
        } else if (!c.text) {
            c.text = arena_printf(arena, "%s", line);
        } else {
            read_line(&c, line);
        }
    }
    free(line);
    fclose(f);
    return all;
}

/* Functions */

typedef struct Compiled {
    Program *program;
    Function **f; /* NMODES of each function of the program */
    Jit *jit;
} Compiled;

static const char *name_of(int fn) { return arena_printf(arena, "f%d", fn); }

/* The cases' functions as one program; those of one text are one. */
static const char *program_text(Case *c, int n)
{
    Str s = str_new(arena);
    int nfn = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && strcmp(c[i].text, c[i - 1].text) == 0) {
            c[i].fn = nfn - 1;
            continue;
        }
        c[i].fn = nfn++;
        ck_assert(strncmp(c[i].text, "fn f(", 5) == 0);
        str_printf(&s, "fn %s(%s\n", name_of(c[i].fn), c[i].text + 5);
    }
    return s.at;
}

static Compiled compile_cases(Case *c, int n)
{
    Compiled p = {.program = compile(program_text(c, n))};
    ck_assert_msg(p.program, "%s", messages());
    Module *m = program_module(p.program);
    int nf = (c[n - 1].fn + 1) * NMODES;
    const char *error = NULL;
    Schedule **s = NEWN(arena, Schedule *, nf);
    p.f = NEWN(arena, Function *, nf);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < NMODES; k++) {
            const char *e = arena_printf(arena, expression[k], name_of(c[i].fn),
                                         c[i].input[0].name);
            Function *f = program_function(p.program, e);
            ck_assert_msg(f, "%s\n%s: %s", c[i].text, e, messages());
            /* functions of an expression have names that are none in C */
            f->name = arena_printf(arena, "f%d_%d", c[i].fn, k);
            p.f[c[i].fn * NMODES + k] = f;
        }
    simplify_functions(m->graph, p.f, nf);
    expand_functions(m->graph, p.f, nf);
    for (int i = 0; i < nf; i++)
        s[i] = schedule(arena, m->graph, p.f[i]);
    ModuleInput in = {m, s, nf};
    TargetOptions o = {.cpu = "native", .optimise = 0};
    p.jit = jit_open(&in, &o, &error);
    ck_assert_msg(p.jit, "%s", error);
    return p;
}

static void *input_of(const Case *c, const char *name)
{
    for (int i = 0; i < c->ninput; i++)
        if (name[0] == c->input[i].name && !name[1])
            return c->input[i].at;
    return c->direction; /* v_X, X_dot */
}

static double *run(const Compiled *p, const Case *c, Mode mode, int n)
{
    int k = c->fn * NMODES + (int)mode, nleaf = 0;
    const Function *f = p->f[k];
    const nn_function *code = jit_module(p->jit)->function[k];
    void *leaf[MAX_LEAVES];
    double *out = NULL;
    for (int i = 0; i < f->nparam; i++)
        leaf[nleaf++] = input_of(c, f->param[i].name);
    for (int i = 0; i < f->nresult; i++) /* the last is what is wanted */
        leaf[nleaf++] = out = NEWN(arena, double, n + 1);
    void *workspace = aligned_alloc(64, (code->workspace(NULL) + 64) / 64 * 64);
    int status = code->call(leaf, NULL, workspace, NULL);
    free(workspace);
    ck_assert_int_eq(status, NN_OK);
    return out;
}

/* Judgement */

static Str wrong;

static void compare(const Compiled *p, const Case *c, Mode mode, int n,
                    const double *want)
{
    const double *got = run(p, c, mode, n);
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(want[i]));
    for (int i = 0; i < n; i++)
        if (!(fabs(got[i] - want[i]) <= within * fmax(most, 1e-3))) {
            str_printf(&wrong, "\n%s\n", c->text);
            str_printf(&wrong, expression[mode], "f", c->input[0].name);
            str_printf(&wrong, "[%d] at %.17g… is %.17g, SymPy's %.17g", i,
                       c->input[0].at[0], got[i], want[i]);
            return;
        }
}

static void judge(const Compiled *p, Case *c)
{
    int n = c->gradient.n;
    double slope = 0, *curved = NEWN(arena, double, n);
    c->direction = NEWN(arena, double, n);
    for (int i = 0; i < n; i++)
        c->direction[i] = (i * 7 % 5 - 2) / 2.0 + 0.125;
    for (int i = 0; i < n; i++)
        slope += c->gradient.at[i] * c->direction[i];
    for (int i = 0; i < n * n; i++)
        curved[i / n] += c->hessian.at[i] * c->direction[i % n];
    ck_assert_int_eq(c->input[0].n, n);
    ck_assert_int_eq(c->hessian.n, n * n);
    compare(p, c, VALUE, 1, c->value.at);
    compare(p, c, GRADIENT, n, c->gradient.at);
    compare(p, c, JVP, 1, &slope);
    compare(p, c, HESSIAN, n * n, c->hessian.at);
    compare(p, c, HVP, n, curved);
}

static void judge_chunk(const char *path, int number)
{
    Cases all = read_cases(path);
    int first = number * CHUNK, n = all.n - first;
    ck_assert_msg(number > 0 || all.n >= 40, "%s has few cases", path);
    n = n < CHUNK ? n : CHUNK;
    if (n <= 0)
        return;
    Compiled p = compile_cases(all.at + first, n);
    wrong = str_new(arena);
    for (int i = 0; i < n; i++)
        judge(&p, &all.at[first + i]);
    jit_close(p.jit);
    ck_assert_msg(*wrong.at == 0, "%s", wrong.at);
}

START_TEST(scalars) { judge_chunk("tests/closed/scalar.txt", _i); }
END_TEST

START_TEST(matrices) { judge_chunk("tests/closed/matrix.txt", _i); }
END_TEST

int main(void)
{
    Suite *s = suite_create("closed");
    TCase *t = tcase_create("closed");
    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, scalars, 0, 14);
    tcase_add_loop_test(t, matrices, 0, 3);
    suite_add_tcase(s, t);
    int failed = run_suite(s);
    emit_shutdown();
    return failed;
}
