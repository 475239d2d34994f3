/* test_accuracy.c: every elementwise function of reals and its first two
 * derivatives, as the compiler makes them, against MPFR: machine code with and
 * without fused products and the reference evaluator, over all exponents; f32
 * against f64. */
#include "check/check.h"
#include "emit/emit.h"
#include "eval/eval.h"
#include "graph/op.h"
#include "harness.h"
#include "kernel/kernel.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<mpfr.h>)
#include "exact.h"

enum { POINTS = 2000, MAX_RESULTS = EXACT_PARTS, MAX_LEAVES = 8 };

/* Points */

static double points[2][POINTS];

static uint64_t state;

static uint64_t draw(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static double stepped(double v, int ulps)
{
    for (; ulps > 0; ulps--)
        v = nextafter(v, INFINITY);
    for (; ulps < 0; ulps++)
        v = nextafter(v, -INFINITY);
    return v;
}

#define PI 0x1.921fb54442d18p1
#define HARD 5.3193726483265414e+255 /* next to a multiple of PI/2 */

/* Ends of domains and ranges, poles, zeros (those of lgamma and digamma last),
 * where formulas change. */
static const double special[] = {
    0,        INFINITY, NAN,      0x1p-1074, 0x1p-1022, 0x1p-1023, DBL_MAX,
    0x1p1023, 0x1p-512, 0x1p-511, 0x1p511,   0x1p512,   0x1p-340,  0x1p340,
    0x1p-54,  0x1p-53,  0x1p-52,  0x1p-27,   0x1p-26,   0x1p-18,   0x1p52,
    0x1p53,   0x1p63,   1,        0.5,       0.25,      0.75,      2,
    1.5,      2.5,      3,        4,         5,         6,         7,
    8,        9,        10,       16,        20,        22,        26.5,
    27,       28,       30,       36.7,      37,        38.5,      40,
    100,      170.5,    171.6,    354.9,     700,       708.4,     709.78,
    709.9,    710.47,   711,      744.4,     745.13,    746,       1e15,
    1e22,     1e160,    0.693147, PI / 2,    PI,        PI / 4,    1.414213,
    0.707106, HARD,     1.461632, 2.457024,  0.504083,  1.573498,  2.610720,
    3.635293,
};
enum { NSPECIAL = sizeof special / sizeof *special };

static double ordinary(void)
{
    double m = 1 + (double)(draw() >> 12) * 0x1p-52;
    double v = ldexp(m, (int)(draw() % 44) - 32);
    return draw() % 2 ? v : -v;
}

static double drawn(void)
{
    double v;
    switch (draw() % 8) {
    case 0:
        return from_bits(draw());
    case 1:
        v = special[draw() % NSPECIAL];
        v = stepped(v, (int)(draw() % 17) - 8);
        return draw() % 2 ? v : -v;
    case 2: /* near whole numbers and their halves */
        v = (double)((int)(draw() % 64) - 32) / 2;
        return draw() % 2 ? stepped(v, (int)(draw() % 5) - 2)
                          : v + ldexp(ordinary(), -20);
    case 3: /* near quarters of a turn */
        v = (double)(draw() % 4096) * 1.5707963267948966;
        return draw() % 2 ? v : -v;
    case 4:
        v = (double)(draw() >> 11) * 0x1p-53;
        return (v - 0.5) * 80;
    case 5:
        v = (double)(draw() >> 11) * 0x1p-53;
        return (v - 0.5) * 8;
    }
    return ordinary();
}

/* One that is near the other, or nearly its opposite, or neither. */
static double partner(double x)
{
    switch (draw() % 8) {
    case 0:
        return x * (1 + ordinary() * 0x1p-10);
    case 1:
        return stepped(-x, (int)(draw() % 5) - 2);
    }
    return drawn();
}

static void draw_points(void)
{
    int n = 0;
    state = 1;
    for (int i = 0; i < NSPECIAL; i++) {
        points[0][n++] = special[i];
        points[0][n++] = -special[i];
    }
    while (n < POINTS)
        points[0][n++] = drawn();
    for (int i = 0; i < POINTS; i++)
        points[1][i] = partner(points[0][i]);
}

/* Limits in units of the last place: values 2.5, of the reference evaluator and
 * of derivatives 4, but for these. */

/* The magnitude of what is rounded, where it is more than the result. */
typedef double Scale(double x, double y, double want);
/* Is the bound kept there; `most` is the largest exponent of the type. */
typedef bool Within(double x, double y, int most);

typedef struct Limit {
    const char *name;
    unsigned parts; /* a bit for each of ExactUnary's or ExactBinary's */
    double ulps;
    double reference; /* of the reference evaluator, if that is another */
    Scale *scale;
    Within *within;
    const char *why; /* it is another, or not everywhere */
} Limit;

enum { VALUE = 1 << 0, FIRST = 1 << 1, SECOND = 1 << 2, FLUSHES = 1 << 8 };
enum { LOOSE = 1 << 9 /* f32: by half a unit more */ };
/* of two arguments: by one, by two of them */
enum { BY_1 = 1 << 1 | 1 << 2, BY_2 = 1 << 3 | 1 << 4 | 1 << 5, ALL = 63 };

static double one(double x, double y, double want)
{
    (void)x;
    (void)y;
    (void)want;
    return 1;
}

static double below_0(double x, double y, double want)
{
    (void)y;
    (void)want;
    return x < 0 ? 1 + fabs(lgamma(1 - x)) : 0;
}

/* |ψ(1 - x)| or 1 */
static double by_mirror(double x, double y, double want)
{
    (void)y;
    (void)want;
    return x < 0 ? 2 + log1p(-x) : 1;
}

static double above_1(double x, double y, double want)
{
    (void)y;
    return x > -1 ? 1 : fabs(want);
}

static double by_square(double x, double y, double want)
{
    (void)y;
    return fabs(want) * (1 + x * x / 2);
}

static double by_rest(double x, double y, double want)
{
    (void)y;
    return fabs(want) * (1 + x * x / ((1 - x) * (1 + x)));
}

static double by_difference(double x, double y, double want)
{
    return fabs(want) * (1 + fabs(x - y) / 2);
}

static double of_logistic(double x, double y, double want)
{
    return fmax(by_difference(x, y, want), above_1(x - y, 0, want));
}

static double of_logistic_y(double x, double y, double want)
{
    return of_logistic(y, x, want);
}

static double the_larger(double x, double y, double want)
{
    (void)want;
    return fmax(fabs(x), fabs(y));
}

static double by_hypot(double x, double y, double want)
{
    (void)want;
    return 1 / hypot(x, y);
}

static double by_length2(double x, double y, double want)
{
    (void)want;
    return 1 / (x * x + y * y);
}

/* |ψ| and ψ' of the smaller of two. */
static double by_digamma(double x, double y, double want)
{
    double least = fmin(x, y);
    (void)want;
    return 1 / least + fabs(log(least)) + fabs(log(fmax(x, y)));
}

static double by_trigamma(double x, double y, double want)
{
    double least = fmin(x, y);
    (void)want;
    return (1 + 1 / least) / least;
}

/* Of an exponent that is rounded, y - 1. */
static double by_power(double x, double y, double want)
{
    return fabs(want) * (1 + fabs(log(fabs(x))) * (fabs(y) + 2));
}

/* Of 1 + y log x besides. */
static double by_both(double x, double y, double want)
{
    double both = fabs(pow(x, y - 1)) * (1 + fabs(y * log(fabs(x))));
    return by_power(x, y, fmax(fabs(want), both));
}

static bool finite(double x, double y, int most)
{
    (void)most;
    return isfinite(x) && isfinite(y);
}

static bool not_both_ends(double x, double y, int most)
{
    (void)most;
    return x != y || isfinite(x);
}

static bool normal_root(double x, double y, int most)
{
    (void)y;
    return fabs(x) >= ldexp(1, -most / 2);
}

static bool within(double v, int most)
{
    return fabs(v) <= ldexp(1, most) && fabs(v) >= ldexp(1, -most);
}

static bool square_fits(double x, double y, int most)
{
    return isfinite(y) && within(x, most / 2 - 2);
}

static bool fourth_fits(double x, double y, int most)
{
    (void)y;
    return fabs(x) <= ldexp(1, most / 4 - 1);
}

static bool y_square_fits(double x, double y, int most)
{
    return square_fits(y, x, most);
}

static bool y_fourth_fits(double x, double y, int most)
{
    return (x == 0 || within(x, most / 5)) && within(y, most / 5);
}

static bool power_fits(double x, double y, int most)
{
    return isnan(x) || fabs(log2(fabs(x))) * (fabs(y) + 2) < most - 1;
}

static bool hypot_fits(double x, double y, int most)
{
    return within(hypot(x, y), most / 2 - 2);
}

static bool both_squares_fit(double x, double y, int most)
{
    return within(x, most / 2 - 2) && within(y, most / 2 - 2);
}

static bool both_fourths_fit(double x, double y, int most)
{
    return within(x, most / 4 - 1) && within(y, most / 4 - 1);
}

static double by_density(double x, double y, double want)
{
    (void)y;
    (void)want;
    return (x * x + 1) * exp(-x * x / 2) / 2;
}

static bool some(double x, double y, int most)
{
    (void)most;
    return x != 0 || (y > 0 && y < INFINITY);
}

static bool some_1(double x, double y, int most)
{
    return some(x, 1 + y, most);
}

static bool gamma_fits(double x, double y, int most)
{
    (void)most;
    return within(x, 60) && within(y, 60) && x > 0 && y > 0;
}

static const Limit limits[] = {
    {"exp", VALUE, 1, 4, NULL, NULL, "what others are made of"},
    {"log", VALUE, 1, 4, NULL, NULL, "the same"},
    {"sqrt", VALUE, 1, 4, NULL, NULL, "the same"},
    {"sin", VALUE, 1, 10, NULL, NULL, "the C library's turns of huge numbers"},
    {"cos", VALUE, 1, 10, NULL, NULL, "the same"},
    {"tan", VALUE, 2.5, 40, NULL, NULL, "the same"},
    {"cbrt", SECOND | LOOSE, 4, 8, NULL, normal_root, "x^(5/3) is a number"},
    {"sin", ALL - VALUE, 4, 10, NULL, NULL,
     "the C library's turns of huge numbers"},
    {"cos", ALL - VALUE, 4, 10, NULL, NULL, "the same"},
    {"tan", FIRST, 4, 40, NULL, NULL, "the same"},
    {"tan", SECOND, 6, 40, NULL, NULL, "three tangents multiplied"},
    {"asin", FIRST | SECOND, 4, 4, by_rest, NULL, "1 - x^2 next to 1, by x^2"},
    {"acos", FIRST | SECOND, 4, 4, by_rest, NULL, "the same"},
    {"atan", SECOND, 4, 4, NULL, fourth_fits, "(1 + x^2)^2 is a number"},
    {"tanh", FIRST | SECOND, 4, 4, one, NULL, "made of the value: 1 - t^2"},
    {"sigmoid", VALUE | FLUSHES, 2.5, 4, NULL, NULL, "exp(-x) is a number"},
    {"sigmoid", FIRST, 4, 4, above_1, NULL, "made of the value: s (1 - s)"},
    {"sigmoid", SECOND, 4, 4, above_1, NULL, "the same times 1 - 2s"},
    {"softplus", SECOND, 4, 4, above_1, NULL, "the sigmoid's slope"},
    {"erf", FIRST, 4, 4, by_square, NULL, "the exponential of a rounded x^2"},
    {"erf", SECOND, 4, 4, by_square, finite, "the same"},
    {"erfc", FIRST, 4, 4, by_square, NULL, "the same"},
    {"erfc", SECOND, 4, 4, by_square, finite, "the same"},
    {"erfcx", VALUE | FLUSHES, 3, 5, NULL, NULL, "2x is a number"},
    {"ndtr", SECOND, 4, 4, NULL, finite, "no number times 0"},
    {"normal_density", FIRST, 4, 4, NULL, finite, "no number times 0"},
    {"normal_density", SECOND, 4, 4, by_density, finite, "the same, x^2 - 1"},
    {"log_ndtr", VALUE, 3, 4, NULL, NULL, "the logarithm of a rounded number"},
    {"log_ndtr", SECOND, 4, 4, NULL, finite, "no number times 0"},
    {"lgamma", VALUE, 4, 4, below_0, NULL, "zeros between poles: a difference"},
    {"lgamma", FIRST, 4, 4, by_mirror, NULL, "the same"},
    {"digamma", VALUE, 4, 4, by_mirror, NULL, "the same"},
    {"lgamma", SECOND, 4, 8, NULL, NULL, "the evaluator's sum of forty powers"},
    {"digamma", FIRST, 4, 8, NULL, NULL, "the same"},
    {"digamma", SECOND, 8, 8, one, NULL, "the cube of a cotangent"},
    {"div", BY_1, 4, 4, NULL, y_square_fits, "y^2 is a number"},
    {"div", BY_2, 4, 4, NULL, y_fourth_fits, "x/y^4 is a number"},
    {"pow", BY_1, 4, 4, by_power, power_fits, "a rounded exponent y - 1"},
    {"pow", BY_2, 4, 4, by_both, power_fits, "the same, and a difference"},
    {"atan2", BY_1, 4, 4, NULL, both_squares_fit, "x^2 and y^2 are numbers"},
    {"atan2", BY_2, 8, 8, by_length2, both_fourths_fit, "and their squares"},
    {"hypot", BY_1, 4, 4, NULL, hypot_fits, "the angle of no number"},
    {"hypot", BY_2, 4, 4, by_hypot, hypot_fits, "1/h - x^2/h^3: a difference"},
    {"logaddexp", VALUE, 4, 4, the_larger, NULL, "zeros: a difference"},
    {"logaddexp", BY_1, 4, 4, by_difference, not_both_ends,
     "of a rounded x - y"},
    {"logaddexp", 1 << 3 | 1 << 4, 4, 4, of_logistic, not_both_ends,
     "the sigmoid's slope"},
    {"logaddexp", 1 << 5, 4, 4, of_logistic_y, not_both_ends, "the same"},
    {"xlogy", ALL, 4, 4, NULL, some, "nothing times infinity is nothing"},
    {"xlog1py", ALL, 4, 4, NULL, some_1, "the same"},
    {"lbeta", VALUE, 12, 12, one, gamma_fits, "zeros: a difference"},
    {"lbeta", BY_1, 4, 4, by_digamma, gamma_fits, "a difference"},
    {"lbeta", BY_2, 4, 8, by_trigamma, gamma_fits, "a difference"},
};

static const Limit *limit_of(const char *name, int part)
{
    static const Limit value = {.ulps = 2.5, .reference = 4};
    static const Limit usual = {.ulps = 4};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strcmp(limits[i].name, name) == 0 && limits[i].parts >> part & 1)
            return &limits[i];
    return part == 0 ? &value : &usual;
}

/* A program's function `all` as code and as it was made. */
typedef struct Code {
    Program *program;
    Function *f;
    DType real;
    Node *root[MAX_RESULTS]; /* of the graph as it was made */
    Jit *jit;
} Code;

static Code code_of(const char *text, DType real, const char *cpu)
{
    const CheckOptions o = {.real = real};
    Code c = {.program = compile_with(text, &o), .real = real};
    const char *error = NULL;
    ck_assert_msg(c.program, "%s", messages());
    c.f = program_function(c.program, "all");
    ck_assert_msg(c.f, "%s", messages());
    for (int i = 0; i < c.f->nresult; i++)
        c.root[i] = c.f->result[i].leaf[0];
    Graph *g = program_module(c.program)->graph;
    simplify_functions(g, &c.f, 1);
    expand_functions(g, &c.f, 1);
    Schedule *s = schedule(arena, g, c.f);
    ModuleInput in = {program_module(c.program), &s, 1};
    TargetOptions t = {.cpu = cpu, .optimise = 1};
    c.jit = jit_open(&in, &t, &error);
    ck_assert_msg(c.jit, "%s", error);
    return c;
}

typedef double Results[MAX_RESULTS][POINTS];

static void run_code(const Code *c, Results out)
{
    const nn_function *f = jit_module(c->jit)->function[0];
    int narg = c->f->nparam, n = narg + c->f->nresult;
    int64_t size = POINTS;
    void *leaf[MAX_LEAVES];
    for (int i = 0; i < n; i++) {
        leaf[i] = arena_alloc(arena, sizeof(double) * POINTS);
        for (int k = 0; i < narg && k < POINTS; k++)
            if (c->real == DT_f32)
                ((float *)leaf[i])[k] = (float)points[i][k];
            else
                ((double *)leaf[i])[k] = points[i][k];
    }
    size_t bytes = (f->workspace(&size) + 64) / 64 * 64;
    void *workspace = aligned_alloc(64, bytes);
    int status = f->call(leaf, &size, workspace, NULL);
    free(workspace);
    ck_assert_int_eq(status, NN_OK);
    for (int i = narg; i < n; i++)
        for (int k = 0; k < POINTS; k++)
            out[i - narg][k] = c->real == DT_f32 ? (double)((float *)leaf[i])[k]
                                                 : ((double *)leaf[i])[k];
}

static void run_reference(Code *c, Results out)
{
    int n = c->f->nresult;
    int64_t size = POINTS;
    EvalInput in[2];
    double *v[MAX_RESULTS];
    for (int i = 0; i < c->f->nparam; i++)
        in[i] = (EvalInput){c->f->param[i].leaf[0], points[i]};
    EvalStatus s =
        eval_nodes(arena, program_module(c->program)->graph, n, c->root,
                   c->f->nparam, in, 1, c->f->var, &size, v);
    ck_assert_int_eq(s, EVAL_OK);
    for (int i = 0; i < n; i++)
        memcpy(out[i], v[i], sizeof *out);
}

/* Judgement */

typedef struct Format {
    int digits, most; /* of a number, of its exponent */
} Format;

static const Format f64 = {53, 1023}, f32 = {24, 127};

static int exponent_of(double v, const Format *f)
{
    int e;
    frexp(v, &e);
    return v == 0 || e - 1 < 1 - f->most ? 1 - f->most : e - 1;
}

/* How far got is from want + rest, in units of the last place of the larger of
 * want and scale. What is beyond the range counts as its end; of a derivative,
 * what is below it is nothing, and 0 has no sign. */
static double half_of(double v, double end)
{
    return fabs(v) >= 2 * end ? copysign(end, v) : v / 2;
}

static double off_by(const Format *f, double got, double want, double rest,
                     double scale, bool derivative)
{
    double end = ldexp(1, f->most), least = ldexp(1, 1 - f->most);
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want) ? 0 : INFINITY;
    if (got == 0 && want == 0 && rest == 0)
        return derivative || signbit(got) == signbit(want) ? 0 : INFINITY;
    double half = half_of(want, end);
    double off = fabs(half_of(got, end) - half - rest / 2);
    if (derivative && off <= least)
        return 0;
    int e = exponent_of(fmin(fmax(2 * fabs(half), scale), end), f);
    return ldexp(off, f->digits - e);
}

enum { NATIVE, PLAIN, REFERENCE, SINGLE, NWAYS };
static const char *const way_name[] = {"compiled", "compiled without fma",
                                       "evaluated", "compiled in f32"};

typedef struct Case {
    const char *name, *text;
    int nresult;
    const ExactUnary *unary; /* or */
    const ExactBinary *binary;
} Case;

static Exact exact_part(const Case *c, int part, int point)
{
    Exact x = exact_number(points[0][point]);
    return c->unary ? c->unary->of[part](x)
                    : c->binary->of[part](x, exact_number(points[1][point]));
}

/* Where the function is, as its value was found to be. */
static bool defined[POINTS];

/* A derivative where there is no value is of no use. */
static bool counts(const Case *c, const Limit *l, int part, int i, int most)
{
    double x = points[0][i], y = c->binary ? points[1][i] : 0;
    if (isnan(x) || isnan(y))
        return true;
    return (part == 0 || defined[i]) && (!l->within || l->within(x, y, most));
}

static Str reports;
static Results results[NWAYS];

static void report(const Case *c, const Limit *l, int part, int way, int i,
                   double off)
{
    str_printf(&reports, "\n%s, part %d, %s: %.17g at %.17g", c->name, part,
               way_name[way], results[way][part][i], points[0][i]);
    if (c->binary)
        str_printf(&reports, ", %.17g", points[1][i]);
    str_printf(&reports, " is off by %.3g", off);
    if (l->why)
        str_printf(&reports, " (%s)", l->why);
}

/* What part is at point i, and what is left of it. */
static double wanted(const Case *c, int part, int i, double *rest)
{
    exact_forget();
    Exact exact = exact_part(c, part, i);
    double want = mpfr_get_d(exact, MPFR_RNDN);
    *rest = 0;
    if (isfinite(want)) {
        mpfr_sub_d(exact, exact, want, MPFR_RNDN);
        *rest = mpfr_get_d(exact, MPFR_RNDN);
    }
    return want;
}

static double limit_in(const Limit *l, int way)
{
    if (way == REFERENCE && l->reference > 0)
        return l->reference;
    return way == SINGLE && l->parts & LOOSE ? l->ulps + 0.5 : l->ulps;
}

/* The ways from first to last, f32 against f64. */
static void judge(const Case *c, int part, int first, int last)
{
    const Limit *l = limit_of(c->name, part);
    const Format *f = first == SINGLE ? &f32 : &f64;
    bool flushes = part > 0 || l->parts & FLUSHES;
    double most[NWAYS] = {0};
    int at[NWAYS] = {0};
    for (int i = 0; i < POINTS; i++) {
        double rest = 0, want = results[NATIVE][part][i];
        if (!counts(c, l, part, i, f->most))
            continue;
        if (first != SINGLE)
            want = wanted(c, part, i, &rest);
        if (part == 0)
            defined[i] = !isnan(want);
        double scale =
            l->scale ? l->scale(points[0][i], points[1][i], want) : 0;
        for (int w = first; w <= last; w++) {
            double off =
                off_by(f, results[w][part][i], want, rest, scale, flushes);
            if (off > most[w]) {
                most[w] = off;
                at[w] = i;
            }
        }
    }
    for (int w = first; w <= last; w++)
        if (most[w] > limit_in(l, w))
            report(c, l, part, w, at[w], most[w]);
}

static void run_case(const Case *c)
{
    Code native = code_of(c->text, DT_f64, "native");
    const char *old = runs_here("x86-64-v2") ? "x86-64-v2" : "native";
    Code plain = code_of(c->text, DT_f64, old);
    Code single = code_of(c->text, DT_f32, "native");
    reports = str_new(arena);
    draw_points();
    run_code(&native, results[NATIVE]);
    run_code(&plain, results[PLAIN]);
    run_reference(&native, results[REFERENCE]);
    for (int k = 0; k < c->nresult; k++)
        judge(c, k, NATIVE, REFERENCE);
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < 2; k++)
            points[k][i] = (double)(float)points[k][i];
    run_code(&native, results[NATIVE]);
    run_code(&single, results[SINGLE]);
    for (int k = 0; k < c->nresult; k++)
        judge(c, k, SINGLE, SINGLE);
    jit_close(native.jit);
    jit_close(plain.jit);
    jit_close(single.jit);
    ck_assert_msg(*reports.at == 0, "%s", reports.at);
}

/* No operator is forgotten. Those of `apart` choose between numbers or are
 * exact, which unit/numbers has, or are the derivative of one that is here. */
START_TEST(all_are_here)
{
    static const char *const apart[] = {
        "min", "max", "mod", "where", "stop", "normal_hazard", "normal_excess"};
    const Op *row = op_table[_i];
    bool here = row->cls != OPC_ewise || !(row->flags & OP_SURFACE) ||
                !(row->takes & ON_real) || row->flags & OP_TO_BOOL;
    for (int i = 0; i < nexact_unary; i++)
        here |= strcmp(row->name, exact_unary[i].name) == 0;
    for (int i = 0; i < nexact_binary; i++)
        here |= strcmp(row->name, exact_binary[i].name) == 0;
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
        here |= strcmp(row->name, apart[i]) == 0;
    ck_assert_msg(here, "%s has no formula in exact.c", row->name);
}
END_TEST

START_TEST(unary)
{
    const ExactUnary *e = &exact_unary[_i];
    static const char text[] =
        "fn f(x: real) -> real = %s(x);\n"
        "fn g(x: real) -> real = grad(f, x)(x);\n"
        "fn h(x: real) -> real = grad(g, x)(x);\n"
        "fn all(x: real[n]) -> (real[n], real[n], real[n]) =\n"
        "  ([i | f(x[i])], [i | g(x[i])], [i | h(x[i])]);\n";
    const char *call = strcmp(e->name, "neg") == 0 ? "-" : e->name;
    Case c = {e->name, arena_printf(arena, text, call), 3, e, NULL};
    run_case(&c);
}
END_TEST

static const char *call_of_two(const char *name)
{
    static const char *const sign[][2] = {
        {"add", "+"}, {"sub", "-"}, {"mul", "*"}, {"div", "/"}, {"pow", "^"}};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, sign[i][0]) == 0)
            return arena_printf(arena, "x %s y", sign[i][1]);
    return arena_printf(arena, "%s(x, y)", name);
}

START_TEST(binary)
{
    const ExactBinary *e = &exact_binary[_i];
    static const char text[] =
        "fn f(x: real, y: real) -> real = %s;\n"
        "fn fx(x: real, y: real) -> real = grad(f, x)(x, y);\n"
        "fn fy(x: real, y: real) -> real = grad(f, y)(x, y);\n"
        "fn all(x: real[n], y: real[n])\n"
        "  -> (real[n], real[n], real[n], real[n], real[n], real[n]) =\n"
        "  ([i | f(x[i], y[i])], [i | fx(x[i], y[i])], [i | fy(x[i], y[i])],\n"
        "   [i | grad(fx, x)(x[i], y[i])], [i | grad(fx, y)(x[i], y[i])],\n"
        "   [i | grad(fy, y)(x[i], y[i])]);\n";
    Case c = {e->name, arena_printf(arena, text, call_of_two(e->name)), 6, NULL,
              e};
    run_case(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("accuracy");
    TCase *t = tcase_create("accuracy");
    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, all_are_here, 0, NOPS);
    tcase_add_loop_test(t, unary, 0, nexact_unary);
    tcase_add_loop_test(t, binary, 0, nexact_binary);
    suite_add_tcase(s, t);
    int failed = run_suite(s);
    emit_shutdown();
    return failed;
}
#else
int main(void)
{
    puts("skipped: accuracy, MPFR is missing");
    return EXIT_SUCCESS;
}
#endif
