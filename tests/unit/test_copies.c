/* test_copies.c: random loops in loops that hand arrays on, from one state to
 * another and to results, whose copies the scheduler spares: scheduled and run,
 * against what is written. */

#include <check.h>
#include <math.h>
#include <string.h>

#include "check/check.h"
#include "eval/eval.h"
#include "kernel/kernel.h"
#include "kernel_sim.h"
#include "simplify/simplify.h"
#include "suite.h"

enum { STATES = 3, MAX_LEAVES = 16, PROGRAMS = CASES(40), TESTS = 10 };

static const char params[] =
    "x: real[n + 1], y: real[n + 1], W: real[n + 1, n + 1], z: real[m], k: int";

typedef struct Gen {
    Arena *a;
    uint64_t seed;
    int names; /* given so far */
} Gen;

static int below(Gen *r, int n)
{
    r->seed ^= r->seed << 13;
    r->seed ^= r->seed >> 7;
    r->seed ^= r->seed << 17;
    return (int)((r->seed >> 20) % (uint64_t)n);
}

/* What may be used: arrays, and the counter of a loop. */
typedef struct Scope {
    int n;
    const char *array[64], *counter;
} Scope;

static const char *any(Gen *r, const Scope *s)
{
    int few = s->n > STATES && below(r, 3) ? STATES : s->n;
    return s->array[s->n - 1 - below(r, few)];
}

/* An array, often one that is there. */
static const char *an_array(Gen *r, const Scope *s)
{
    static const char *const forms[] = {
        "%s",       "%s",           "%s",          "sin(%s)",
        "%s * 0.5", "%s + %s",      "%s[::-1]",    "W @ %s",
        "%s - %s",  "%s * sum(%s)", "max(%s, %s)", "%s + 1",
    };
    enum { FORMS = sizeof forms / sizeof *forms };
    const char *v = any(r, s), *w = any(r, s);
    int form = below(r, FORMS + 2);
    if (form == FORMS && s->counter)
        return arena_printf(r->a, "(if %s > 0 { %s } else { sin(%s) })",
                            s->counter, v, w);
    if (form == FORMS + 1 && s->counter)
        return arena_printf(r->a, "%s * real(%s)", v, s->counter);
    return arena_printf(r->a, forms[form % FORMS], v, w);
}

static const char *name(Gen *r, Scope *s)
{
    return s->array[s->n++] = arena_printf(r->a, "v%d", r->names++);
}

static const char *tuple(Gen *r, const Scope *s, int n)
{
    Str to = str_new(r->a);
    for (int i = 0; i < n; i++)
        str_printf(&to, "%s%s", i ? ", " : n > 1 ? "(" : "", an_array(r, s));
    str_printf(&to, n > 1 ? ")" : "");
    return to.at;
}

static const char *some_arrays(Gen *r, Scope s, int n, int depth);

/* A loop of n states. */
static const char *a_loop(Gen *r, Scope s, int n, int depth)
{
    static const char *const trips[] = {"2", "m", "min(k, 3)", "min(k, n)",
                                        "n"};
    const char *t = arena_printf(r->a, "t%d", r->names++);
    const char *often = trips[below(r, 5)];
    Str head = str_new(r->a);
    Scope inner = s;
    str_printf(&head, "fold(%s < %s", t, often);
    for (int i = 0; i < n; i++)
        str_printf(&head, ", %s = %s", name(r, &inner), an_array(r, &s));
    inner.counter = t;
    const char *steps = some_arrays(r, inner, n, depth - 1);
    if (n == 1 && !strchr(often, '(') && below(r, 2))
        return arena_printf(r->a, "sum(scan(%s | %s), axis = 0)",
                            head.at + strlen("fold("), steps);
    return arena_printf(r->a, "%s | %s)", head.at, steps);
}

/* A loop, now and then only at some steps of the one around it. */
static const char *loop_at_times(Gen *r, Scope s, int n, int depth)
{
    const char *loop = a_loop(r, s, n, depth);
    if (!s.counter || below(r, 4))
        return loop;
    return arena_printf(r->a, "if %s > 0 { %s } else { %s }", s.counter, loop,
                        tuple(r, &s, n));
}

/* n arrays, after loops that may come before. */
static const char *some_arrays(Gen *r, Scope s, int n, int depth)
{
    Str to = str_new(r->a);
    if (depth > 0 && below(r, 4) == 0)
        return a_loop(r, s, n, depth);
    str_printf(&to, "{ ");
    for (int loops = depth > 0 ? below(r, 3) : 0; loops > 0; loops--) {
        int m = 1 + below(r, STATES);
        const char *loop = loop_at_times(r, s, m, depth);
        str_printf(&to, m > 1 ? "let (" : "let ");
        for (int i = 0; i < m; i++)
            str_printf(&to, "%s%s", i ? ", " : "", name(r, &s));
        str_printf(&to, "%s = %s; ", m > 1 ? ")" : "", loop);
    }
    str_printf(&to, "%s }", tuple(r, &s, n));
    return to.at;
}

static const char *program_of(Arena *a, unsigned seed)
{
    Gen r = {.a = a, .seed = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1)};
    Scope s = {.n = 2, .array = {"x", "y"}};
    int n = 1 + below(&r, STATES), depth = 2 + below(&r, 2);
    return arena_printf(a, "fn(%s) = %s", params,
                        below(&r, 2) ? a_loop(&r, s, n, depth)
                                     : some_arrays(&r, s, n, depth));
}

/* Running */

typedef struct Side {
    Function *f;
    Graph *g;
    int n;
    Node *root[MAX_LEAVES];
} Side;

static Side side_of(Arena *a, const char *text, bool plain)
{
    CheckOptions o = {.real = DT_f64, .plain = plain};
    Diags *diags = diags_new(a);
    Program *p = check_program(a, diags, "copies.nn", "use nn;\n", 8, &o);
    Side s = {.n = 0};
    if (!p || !program_alike(p, 1, &text, &s.f)) {
        diags_print(diags, stderr, false);
        ck_abort_msg("%s", text);
    }
    s.g = program_module(p)->graph;
    if (!plain) {
        simplify_functions(s.g, &s.f, 1);
        expand_functions(s.g, &s.f, 1);
    }
    for (int i = 0; i < s.f->nresult; i++)
        for (int k = 0; k < s.f->result[i].nleaf; k++)
            s.root[s.n++] = s.f->result[i].leaf[k];
    return s;
}

static void judge(Arena *a, const char *text, int size, int trips)
{
    enum { MOST = 16, PARAMS = 5, COUNT = PARAMS - 1 };
    double x[PARAMS][MOST], *data[PARAMS + MAX_LEAVES], *want[MAX_LEAVES];
    int64_t sizes[] = {size, 3 - trips};
    Side written = side_of(a, text, true), made = side_of(a, text, false);
    EvalInput in[PARAMS];
    const char *why = "";
    for (int i = 0; i < PARAMS; i++) {
        for (int j = 0; j < MOST; j++)
            x[i][j] = i == COUNT ? trips : 0.3 * sin(1 + i * 5 + j * 3);
        data[i] = x[i];
        in[i] = (EvalInput){written.f->param[i].leaf[0], data[i]};
    }
    ck_assert_int_eq(eval_nodes(a, written.g, written.n, written.root, PARAMS,
                                in, written.f->nvar, written.f->var, sizes,
                                want),
                     EVAL_OK);
    for (int i = 0; i < made.n; i++)
        data[PARAMS + i] = NEWN(a, double, size + 1);
    const Schedule *s = schedule(a, made.g, made.f);
    ck_assert_int_eq(made.f->nvar, 2);
    SimStatus status =
        sim_run(a, s, made.f->nvar, made.f->var, sizes, data, &why);
    ck_assert_msg(status == SIM_OK, "%s: %s", text, why);
    for (int i = 0; i < made.n; i++)
        for (int j = 0; j < size + 1; j++)
            ck_assert_msg(fabs(data[PARAMS + i][j] - want[i][j]) <=
                              1e-9 * (1 + fabs(want[i][j])),
                          "%s: element %d of %d is %.17g, not %.17g", text, j,
                          i, data[PARAMS + i][j], want[i][j]);
}

START_TEST(random_copies)
{
    for (int i = 0; i < PROGRAMS; i++) {
        Arena *a = arena_new();
        judge(a, program_of(a, (unsigned)(_i * PROGRAMS + i)), 1 + i % 3,
              i % 4);
        arena_free(a);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("copies");
    TCase *t = tcase_create("copies");
    tcase_add_loop_test(t, random_copies, 0, TESTS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
