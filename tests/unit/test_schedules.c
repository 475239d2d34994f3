/* test_schedules.c: kernels run in other ways than those that are chosen: at
 * random, as far as they are legal. Whatever the schedule, functions give what
 * the reference evaluator does; and the same bits unless loops are others,
 * another loop's iterations are lanes or a row is no longer streamed. */
#include "compiled.h"

#include <check.h>
#include <string.h>

#include "harness.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

/* All have one free dimension, n. */
static const char text[] =
    "fn layer(x: real[n, 37], w: real[37, 21], c: real[21]) -> real[n, 21]"
    "  = tanh(x @ w + c);"
    "fn tn(x: real[n, 130], y: real[n, 24]) -> real[130, 24] = x' @ y;"
    "fn nt(x: real[n, 9], y: real[n, 9]) -> real[n, n] = x @ y';"
    "fn vec(x: real[n], w: real[n, 40]) -> real[40] = x @ w;"
    "fn dots(x: real[n], w: real[40, n]) -> real[40] = w @ x;"
    "fn rows(x: real[n, 19]) -> real[n, 19] = softmax(x);"
    "fn small(x: real[n, 3]) -> real[n, 3]"
    "  = [i < n, j < 3 | x[i, j] / (2 + norm(x[i]))];"
    "fn mixed(x: real[n, 2, 3], w: real[3, 3]) -> real[n, 2, 3]"
    "  = [i < n, k < 2, j < 3 | sum(l < 3 | w[j, l] * sin(x[i, k, l]))"
    "    - max(x[i, k])];"
    "fn columns(x: real[n, 30]) -> real[30] = sum(x, axis = 0);"
    "fn all(x: real[n, 11]) -> (real, real) = (sum(x * x), max(x));"
    "fn places(x: real[n, 11]) -> (int[n], int[11])"
    "  = (argmax(x, axis = 1), argmin(x, axis = 0));"
    "fn taken(x: real[7, 5], k: int[n]) -> real"
    "  = sum(i < n, j < 5 | x[abs(k[i]) % 7, j]^2);"
    "fn cost(x: real[n, 37], w: real[37, 21], c: real[21]) -> real"
    "  = sum(layer(x, w, c)^2);"
    "fn ends(x: real[n], k: int[n]) -> real[n]"
    "  = [i < n | sum(j < abs(k[i]) % 5 | x[j % n] * x[i])];"
    "fn turned(x: real[n, 6], y: real[6, n]) -> real[n, 6] = 2 * x + y';"
    "fn steps(x: real[n, 4]) -> real[n, 4] = fold(t < 3, s = x | sin(s) * x);"
    "export layer, grad(cost, w) as d_w, grad(taken, x) as d_x, tn, nt, vec,"
    "  dots, rows, small, mixed, columns, all, places, ends, turned, steps;";

enum { SIZES = 4, MOST_KERNELS = 60, RESULT = 1 << 16 };
static const int64_t sizes[SIZES] = {1, 5, 33, 130};

static uint64_t seed;

/* 0 … n - 1 */
static int draw(int n) { return scatter(seed++, n); }

static const char *pick(const char *const *of)
{
    int n = 0;
    while (of[n])
        n++;
    return of[draw(n)];
}

/* The module, and its kernels' names. */
typedef struct Tried {
    Compiled c;
    ModuleInput in;
    const ModuleInput *formed; /* in, or with other forms */
    TargetOptions options;
    const char *kernel[MOST_KERNELS];
    bool product[MOST_KERNELS];
    int n, legal, refused;
} Tried;

static void find_kernels(Tried *t)
{
    Str all = str_new(arena);
    const char *error = NULL;

    t->n = 0;
    ck_assert_msg(emit_schedules(arena, t->formed, &t->options, &all, &error),
                  "%s", error);
    for (const char *p = all.at; (p = strstr(p, "kernel ")); p++) {
        size_t n = strcspn(p, ":");

        ck_assert_int_lt(t->n, MOST_KERNELS);
        t->product[t->n] = strncmp(p + n, ": product", 9) == 0;
        t->kernel[t->n++] = arena_printf(arena, "%.*s", (int)n, p);
    }
}

static Tried *open_all(DType real, int level)
{
    Program *p = compile_with(text, &(CheckOptions){.real = real});

    ck_assert_msg(p, "%s", messages());
    Tried *t = NEW(arena, Tried);
    t->c = compiled_program(arena, p, level);
    int n = t->c.module.function.n;
    Schedule **s = NEWN(arena, Schedule *, n);

    for (int i = 0; i < n; i++)
        s[i] = schedule(arena, t->c.graph, t->c.module.function.at[i]);
    t->in = (ModuleInput){&t->c.module, s, n};
    t->formed = &t->in;
    t->options = (TargetOptions){
        .cpu = level_name(level), .optimise = 0, .schedule_name = "random"};
    find_kernels(t);
    return t;
}

/* Settings. */

static bool is_legal(Tried *t, const char *settings)
{
    Str unused = str_new(arena);
    const char *error = NULL;
    TargetOptions o = t->options;

    o.schedule = settings;
    const ModuleInput *formed = emit_formed(arena, t->formed, &o);
    bool legal = emit_schedules(arena, formed, &o, &unused, &error);
    ck_assert(legal || strncmp(error, "random:", 7) == 0);
    t->legal += legal;
    t->refused += !legal;
    return legal;
}

/* Adds the setting of a kernel, whose lines so far are `to`, if it is legal
 * with those. */
static bool try_setting(Tried *t, Str *to, const char *setting)
{
    bool legal = is_legal(t, arena_printf(arena, "%s%s\n", to->at, setting));

    if (legal)
        str_printf(to, "%s\n", setting);
    return legal;
}

static void draw_loops(Tried *t, bool same_bits, Str *to)
{
    static const char *const lanes[] = {"lanes outside", "lanes inside",
                                        "lanes none", NULL};
    static const char *const vector[] = {"vector 2",  "vector 4",  "vector 8",
                                         "vector 16", "vector 32", NULL};
    static const char *const tail[] = {"tail scalar", "tail masked",
                                       "tail always", NULL};
    static const char *const more[] = {"together 1", "together 2", "few 0",
                                       "few 3",      "few 20",     "less 0",
                                       "less 3",     "less 12",    NULL};

    if (!same_bits && draw(2))
        try_setting(t, to, pick(lanes));
    else if (draw(2))
        try_setting(t, to, pick(vector));
    if (draw(2))
        try_setting(t, to, pick(tail));
    if (draw(2))
        try_setting(t, to, pick(more));
}

static void draw_product(Tried *t, bool same_bits, Str *to)
{
    static const char *const tile[] = {"tile 1 1", "tile 8 1", "tile 4 2",
                                       "tile 6 2", "tile 3 4", "tile 6 4",
                                       "tile 8 4", "tile 5 2", NULL};
    static const char *const pack[] = {"pack_a never",
                                       "pack_a always",
                                       "pack_a 2 1 1",
                                       "pack_b never",
                                       "pack_b always",
                                       "pack_b 2 1 1",
                                       NULL};
    static const char *const rows[] = {"epilogue 1 1", "epilogue 7 100",
                                       "epilogue 96 0", NULL};

    if (!same_bits && !draw(4) && try_setting(t, to, "tile never")) {
        draw_loops(t, same_bits, to);
        return;
    }
    if (draw(4))
        try_setting(t, to, pick(tile));
    if (draw(4))
        try_setting(t, to, pick(pack));
    if (draw(2))
        try_setting(t, to, pick(rows));
    if (!same_bits && draw(2))
        try_setting(t, to, "stream never");
}

/* Forms come first: with another one a kernel may have other parts. */
static void draw_forms(Tried *t)
{
    static const char *const form[] = {"unroll never", "unroll always",
                                       "join never", NULL};
    Str all = str_new(arena);
    TargetOptions o = t->options;

    t->formed = &t->in;
    find_kernels(t);
    for (int k = 0; k < t->n; k++) {
        Str own = str_new(arena);

        str_printf(&own, "%s:\n", t->kernel[k]);
        try_setting(t, &own, pick(form));
        str_printf(&all, "%s", own.at);
    }
    o.schedule = all.at;
    t->formed = emit_formed(arena, &t->in, &o);
    ck_assert_ptr_ne(t->formed, &t->in);
    find_kernels(t);
}

static const char *draw_settings(Tried *t, bool same_bits)
{
    Str all = str_new(arena);

    for (int k = 0; k < t->n; k++) {
        Str own = str_new(arena);

        str_printf(&own, "%s:\n", t->kernel[k]);
        if (t->product[k])
            draw_product(t, same_bits, &own);
        else
            draw_loops(t, same_bits, &own);
        str_printf(&all, "%s", own.at);
    }
    return all.at;
}

/* Comparing. */

static void fill(const Leaves *l, int nparam)
{
    for (int k = 0; k < l->n; k++)
        for (int64_t j = 0; j < l->count[k]; j++) {
            int v = scatter((uint64_t)(7 * j + k), 64);
            DType t = l->node[k]->dtype;

            put_number(t, l->at[k], j,
                       k >= nparam        ? 0
                       : dtype_is_real(t) ? v / 32.0 - 1
                                          : v - 32);
        }
}

static size_t bytes_of(const Leaves *l, int k)
{
    return (size_t)(l->count[k] * dtype_size(l->node[k]->dtype));
}

/* What function i gives is the same with both. */
static void ck_same(Compiled *c, int i, int64_t size, Jit *plain, Jit *other,
                    const char *settings)
{
    int nparam = c->module.function.at[i]->nparam;
    Leaves a = leaves_new(c, i, size), b = leaves_new(c, i, size);

    fill(&a, nparam);
    fill(&b, nparam);
    c->jit = plain;
    leaves_call(c, i, size, &a);
    c->jit = other;
    leaves_call(c, i, size, &b);
    for (int k = nparam; k < a.n; k++)
        ck_assert_msg(memcmp(a.at[k], b.at[k], bytes_of(&a, k)) == 0,
                      "%s with n = %d has other bits with\n%s",
                      c->module.function.at[i]->name, (int)size, settings);
    leaves_free(&a);
    leaves_free(&b);
}

static void try_one(Tried *t, bool same_bits)
{
    TargetOptions o = t->options;
    const char *error = NULL;
    Jit *plain = t->c.jit;

    if (!same_bits)
        draw_forms(t);
    o.schedule = draw_settings(t, same_bits);
    Jit *other = jit_open(t->formed, &o, &error);
    ck_assert_msg(other, "%s", error);
    for (int i = 0; i < t->c.module.function.n; i++)
        for (int k = 0; k < SIZES; k++) {
            t->c.jit = other;
            if (same_bits)
                ck_same(&t->c, i, sizes[k], plain, other, o.schedule);
            else
                ck_like_reference(&t->c, i, sizes[k], 140);
        }
    jit_close(other);
    t->c.jit = plain;
}

static void try_level(DType real, int level, bool same_bits)
{
    if (level_lacks(level))
        return;
    Tried *t = open_all(real, level);

    for (int i = 0; i < CASES(1) + 1; i++) {
        seed = (uint64_t)(1000 * (10 * level + i) + 100 * same_bits);
        try_one(t, same_bits);
    }
    ck_assert_int_gt(2 * t->legal, t->n);
    ck_assert_int_gt(t->refused, 0);
    jit_close(t->c.jit);
}

START_TEST(values) { try_level(DT_f32, _i, false); }
END_TEST

START_TEST(bits) { try_level(_i == 1 ? DT_f64 : DT_f32, _i, true); }
END_TEST

int main(void)
{
    Suite *s = suite_create("schedules");
    TCase *c = tcase_create("schedules");

    tcase_add_checked_fixture(c, programs_setup, programs_teardown);
    tcase_add_loop_test(c, values, 0, 3);
    tcase_add_loop_test(c, bits, 0, 3);
    suite_add_tcase(s, c);
    return run_suite(s);
}
