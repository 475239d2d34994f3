/* program.c: see program.h. */
#include "program.h"

#include <string.h>

uint64_t rng_next(Rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int rng_below(Rng *r, int n) { return (int)(rng_next(r) % (uint64_t)n); }

Choices choices_draw(uint64_t seed)
{
    Rng r = {seed};
    Choices c = {.n = 20 + rng_below(&r, MAX_CHOICES - 20)};

    for (int i = 0; i < c.n; i++)
        c.at[i] = (uint8_t)rng_next(&r);
    return c;
}

typedef enum Sort {
    SORT_real,
    SORT_vector, /* real[n] */
    SORT_matrix, /* real[n, n] */
    SORT_pair,   /* a struct; never drawn, only made */
    SORT_int,
    SORT_index, /* an int that is at least 0 and less than n */
    SORT_bool,
    NSORTS
} Sort;

typedef struct Name {
    char text[16];
    Sort sort;
} Name;

enum { MAX_NAMES = 64, MAX_DEPTH = 4, MAX_PARTS = 36 };

typedef struct Writer {
    const Choices *from;
    int next;  /* choice */
    int parts; /* expressions written */
    int fresh; /* names made */
    int nname;
    Name name[MAX_NAMES];
    bool in_loop; /* of an outer loop: no more inside */
    Str *to;
} Writer;

/* Patterns. %r a real, %v a vector, %m a matrix, %i an int, %n an index, %b a
 * condition. $r, $v, $m, $n, $i, $q: a new name of that sort, known behind the
 * next '|' or ';' and up to '~' or the end of the pattern; @1 is the first of
 * them, @2 the second. The simplest come first. Conditions on reals have their
 * borders where the edges of a point are not, but where both sides have one
 * value there: at a border a function may be smooth and yet have the derivative
 * of the side it happens to take. Those behind `leaves` are not used at the
 * last level. */
typedef struct Patterns {
    int leaves, n;
    const char *at[128];
} Patterns;

static const Patterns patterns[NSORTS] = {
    [SORT_real] =
        {
            .leaves = 7,
            .n = 112,
            .at =
                {
                    "x",
                    "v[%n]",
                    "w[%n]",
                    "y",
                    "1.0",
                    "0.5",
                    "0.0",
                    "(%r + %r)",
                    "(%r * %r)",
                    "(%r - %r)",
                    "(%r / %r)",
                    "(-%r)",
                    "sin(%r)",
                    "exp(%r)",
                    "tanh(%r)",
                    "sqrt(%r)",
                    "log(%r)",
                    "abs(%r)",
                    "max(%r, %r)",
                    "min(%r, %r)",
                    "(%r)^2",
                    "(%r)^3",
                    "(%r)^1.5",
                    "where(%b, %r, %r)",
                    "if %b { %r } else { %r }",
                    "{ let $r = %r; %r }",
                    "{ let $v = %v; %r }",
                    "{ let ($r, $r) = if %b { (%r, %r) } else { (%r, %r) }; "
                    "%r }",
                    "{ let $r = %r; if %b { %r * @1 } else { if %b { @1 - %r } "
                    "else { %r } } }",
                    "sum(%v)",
                    "mean(%v)",
                    "max(max(%v), -3)",
                    "min(min(%v), 3)",
                    "prod(%v)",
                    "max(logsumexp(%v), -9)",
                    "norm(%v)",
                    "dot(%v, %v)",
                    "std(%v)",
                    "sum($n < n | %r)",
                    "prod($n < n | %r)",
                    "max(max($n < n | %r), -3)",
                    "mean($n < n | %r)",
                    "sum($i < 3 | %r)",
                    "sum($n < n | if @1 > 0 { v[@1 - 1] * %r } else { %r })",
                    "sum($n < n | where(%b, %r, %r))",
                    "fold($i < 3, $r = %r | %r)",
                    "fold($n < n, $r = %r | %r)",
                    "fold($i < k, $r = %r | %r)",
                    "fold($n < n, $r = %r, $r = %r | (%r, %r)).0",
                    "fold($n < n, $r = %r | if @1 == 0 { %r } else { v[@1 - 1] "
                    "* %r })",
                    "fold($i < 4, $r = %r, until = %b | %r)",
                    "fold($n < n - 2, $r = %r | %r)",
                    "fold($n < n - 2, $r = %r | v[@1 + 2] * %r)",
                    "fold($i < k - n, $r = %r | %r)",
                    "fold($n < n - 3, $r = %r, until = %b | %r)",
                    "{ let $r = norm(%v); (1 + @1) * exp(-@1) }",
                    "sqrt(dot(%v, %v))",
                    "helper(%r, %r)",
                    "remat(helper)(%r, %r)",
                    "if p[%n] >= 0 && p[%n] < n { %r } else { %r }",
                    "{ let $i = p[%n]; if @1 >= 0 && @1 < n { v[@1] * %r } "
                    "else { %r } }",
                    "{ let $i = %i; if @1 > 0 && @1 < n { w[@1] + %r } else "
                    "{ %r } }",
                    "{ let $r = %r; where(@1 > 0, sqrt(@1), 0) }",
                    "{ let $r = %r; if @1 > 0 { @1 * log(@1) } else { 0.0 } }",
                    "sum(where(v > 0, log(v), 0))",
                    "acos(clamp(%r, -1, 1))",
                    "sigmoid(%r)",
                    "softplus(%r)",
                    "log1p(%r)",
                    "hypot(%r, %r)",
                    "sum(%m)",
                    "sum(%m * %m)",
                    "trace(%m)",
                    "dot(%v, %m @ %v)",
                    "mean(max(%m, 0))",
                    "max(max(%m), -3)",
                    "norm(%m @ %v)",
                    "{ let $m = %m; sum(@1 @ @1') }",
                    "{ let $q = P(a = %r, b = %v); @1.a * sum(@1.b) }",
                    "{ let $q = P(a = %r, b = %v); dot(@1, P(a = %r, b = %v)) "
                    "}",
                    "fold($n < n, $q = P(a = %r, b = %v) | P(a = @2.a + "
                    "@2.b[@1], b = @2.a * %v)).a",
                    "sum(fold($i < 2, $m = %m | %m))",
                    "erf(%r)",
                    "atan2(%r, 1.5)",
                    "expm1(%r)",
                    "cbrt(%r)",
                    "cos(%r)",
                    "tan(%r)",
                    "asin(clamp(%r, -1, 1))",
                    "atan(%r)",
                    "sinh(%r)",
                    "cosh(%r)",
                    "abs(%r)^%r",
                    "erfc(%r)",
                    "erfcx(%r)",
                    "ndtr(%r)",
                    "log_ndtr(%r)",
                    "lgamma(1 + abs(%r))",
                    "digamma(1 + abs(%r))",
                    "lbeta(1 + abs(%r), 2 + abs(%r))",
                    "logaddexp(%r, %r)",
                    "xlogy(%r, %r)",
                    "xlog1py(%r, %r)",
                    "floor(%r + 0.137)",
                    "round(%r + 0.137)",
                    "sign(%r - 0.137)",
                    "stop(%r)",
                    "real(%i)",
                    "sum(onehot([$n < n | p[@1] % n]~, n) @ %v)",
                    "logdet(4 * eye(n) + tanh(%m) / 2)",
                    "det(4 * eye(n) + tanh(%m) / 2)",
                    "real(argmax(p))",
                },
        },
    [SORT_vector] =
        {
            .leaves = 2,
            .n = 48,
            .at =
                {
                    "v",
                    "w",
                    "[$n < n | %r]",
                    "(%v + %v)",
                    "(%r * %v)",
                    "(%v * %v)",
                    "(%v - %r)",
                    "(%v / %v)",
                    "sin(%v)",
                    "exp(%v)",
                    "sqrt(%v)",
                    "max(%v, %v)",
                    "max(%v, 0)",
                    "where(%v > %r - 0.137, %v, %v)",
                    "if %b { %v } else { %v }",
                    "cumsum(%v)",
                    "sort(%v)",
                    "softmax(%v)",
                    "scan($n < n, $r = %r | %r)",
                    "fold($i < 2, $v = %v | %v)",
                    "[$n < n | sum($n < n | %r)]",
                    "([$n < n, $n < n | %r]~ @ %v)",
                    "(%m @ %v)",
                    "(%v @ %m)",
                    "sum(%m, axis = 0)",
                    "sum(%m, axis = 1)",
                    "mean(%m * %m, axis = 0)",
                    "diagonal(%m)",
                    "%m[%n]",
                    "[$n < n | norm(%v)]",
                    "v[argsort(w)]",
                    "uniform(key(7), [n])",
                    "log_softmax(%v)",
                    "cumprod(%v)",
                    "(%v |> tanh)",
                    "[$n < n | w[p[@1] % n]]",
                    "[$n < n | sum($n < n | if p[@2] == @1 { %r } else { 0 })]",
                    "[$n < n | if @1 > 0 && @1 < n - 1 { v[@1-1] - 2 * v[@1] + "
                    "v[@1+1] } else { %r }]",
                    "concat(%v, %v)[:n]",
                    "concat(%v, %v)[n:]",
                    "reshape(concat(%v, %v), [2, n])[1]",
                    "%v[::-1]",
                    "roll(%v, 1)",
                    "logsumexp(%m, axis = 1)",
                    "prod(%m, axis = 0)",
                    "max(%m, axis = 0)",
                    "solve(4 * eye(n) + tanh(%m) / 2, %v)",
                    "solve_spd(4 * eye(n) + tanh(%m) / 2, %v)",
                },
        },
    [SORT_matrix] =
        {
            .leaves = 2,
            .n = 19,
            .at =
                {
                    "outer(v, w)",
                    "diag(v)",
                    "[$n < n, $n < n | %r]",
                    "(%m + %m)",
                    "(%m * %m)",
                    "(%m @ %m)",
                    "%m'",
                    "(%r * %m)",
                    "(%m + %v)",
                    "tanh(%m)",
                    "softmax(%m, axis = 0)",
                    "cumsum(%m, axis = 0)",
                    "%m[argsort(v)]",
                    "tril(%m)",
                    "scan($n < n, $v = %v | %v)",
                    "where(%m > 0.137, %m, %m)",
                    "inv(4 * eye(n) + tanh(%m) / 2)",
                    "cholesky(4 * eye(n) + tanh(%m) / 2)",
                    "[$n < n | %m[@1][::-1]]",
                },
        },
    [SORT_pair] = {.leaves = 1, .n = 1, .at = {""}}, /* a name */
    [SORT_int] = {.leaves = 3,
                  .n = 6,
                  .at = {"k", "1", "%n", "(%i + 1)", "(%i - 1)", "p[%n]"}},
    [SORT_index] = {.leaves = 1, .n = 1, .at = {""}}, /* a name */
    [SORT_bool] =
        {
            .leaves = 5,
            .n = 13,
            .at =
                {
                    "c",
                    "k > 0",
                    "x > 0.25",
                    "x > y + 0.137",
                    "%n == 0",
                    "%r > %r - 0.137",
                    "%r > 0.137",
                    "%i > 0",
                    "!(%b)",
                    "(%b && %b)",
                    "(%b || %b)",
                    "any(%v > 0.137)",
                    "all(%v > 0.137)",
                },
        },
};

static int choose(Writer *w, int n)
{
    int c = w->next < w->from->n ? w->from->at[w->next] : 0;

    w->next++;
    return c * n / 256;
}

static Sort sort_of(char letter)
{
    switch (letter) {
    case 'r':
        return SORT_real;
    case 'v':
        return SORT_vector;
    case 'm':
        return SORT_matrix;
    case 'q':
        return SORT_pair;
    case 'i':
        return SORT_int;
    case 'n':
        return SORT_index;
    }
    return SORT_bool;
}

/* One of the names of that sort, the latest first; every index is an int too.
 * False: there is none. */
static bool write_name(Writer *w, Sort sort)
{
    const Name *fit[MAX_NAMES];
    int n = 0;

    for (int i = w->nname - 1; i >= 0; i--)
        if (w->name[i].sort == sort ||
            (sort == SORT_int && w->name[i].sort == SORT_index))
            fit[n++] = &w->name[i];
    if (n == 0)
        return false;
    str_printf(w->to, "%s", fit[choose(w, n)]->text);
    return true;
}

static void write(Writer *w, Sort sort, int depth);

static bool has_index(const Writer *w)
{
    for (int i = 0; i < w->nname; i++)
        if (w->name[i].sort == SORT_index)
            return true;
    return false;
}

/* The pattern, or the simplest where it has no place here. */
static const char *pattern_for(Writer *w, Sort sort, int depth)
{
    const Patterns *p = &patterns[sort];
    bool last = depth >= MAX_DEPTH || w->parts > MAX_PARTS;
    const char *text = p->at[choose(w, last ? p->leaves : p->n)];

    return strstr(text, "%n") && !has_index(w) ? p->at[0] : text;
}

/* The names that a pattern has made; `open` of them are known. */
typedef struct Made {
    Name name[4];
    int n, open;
} Made;

static void make_name(Writer *w, Made *made, char letter)
{
    Name *n = &made->name[made->n++];

    n->sort = sort_of(letter);
    snprintf(n->text, sizeof n->text, "%c%d", letter == 'n' ? 'i' : letter,
             ++w->fresh);
    str_printf(w->to, "%s", n->text);
}

static void open_names(Writer *w, Made *made)
{
    for (; made->open < made->n; made->open++)
        if (w->nname < MAX_NAMES)
            w->name[w->nname++] = made->name[made->open];
}

static void write_pattern(Writer *w, const char *p, int depth)
{
    Made made = {.n = 0};
    int before = w->nname;

    for (; *p; p++) {
        if (*p == '|' || *p == ';')
            open_names(w, &made);
        if (*p == '%' && p[1] != ' ')
            write(w, sort_of(*++p), depth + 1);
        else if (*p == '$')
            make_name(w, &made, *++p);
        else if (*p == '~')
            w->nname = before;
        else if (*p == '@' && (p[1] == '1' || p[1] == '2'))
            str_printf(w->to, "%s", made.name[*++p - '1'].text);
        else
            str_add(w->to, p, 1);
    }
    w->nname = before;
}

static void write(Writer *w, Sort sort, int depth)
{
    w->parts++;
    if (sort == SORT_index) {
        if (!write_name(w, sort))
            die("a pattern with an index where there is none");
        return;
    }
    /* A name that is around, half of the time. */
    if (choose(w, 4) >= 2 && write_name(w, sort))
        return;
    write_pattern(w, pattern_for(w, sort, depth), depth);
}

static const char parameters[] =
    "x: real, y: real, v: real[n], w: real[n], k: int, p: int[n], c: bool";

/* Every function starts anew, but for the choices. */
static void write_function(Writer *w, Sort result, const char *head)
{
    w->nname = w->parts = 0;
    str_printf(w->to, "%s", head);
    write(w, result, 0);
    str_printf(w->to, ";\n");
}

const char *program_text(Arena *a, const Choices *c)
{
    Str s = str_new(a);
    Writer w = {.from = c, .to = &s};

    str_printf(&s, "struct P[n] { a: real, b: real[n] }\n");
    str_printf(&s, "fn f(%s) -> real =\n  ", parameters);
    write_function(&w, SORT_real, "");
    str_printf(&s, "fn each(%s) -> real[n] =\n  ", parameters);
    write_function(&w, SORT_vector, "");
    w.parts = MAX_PARTS; /* few choices for a helper */
    w.nname = 0;
    str_printf(&s, "fn helper(x: real, y: real) -> real = ");
    static const char *const body[] = {
        "x * y",
        "if x > 0 { sqrt(x) * y } else { y - x }",
        "fold(t < 2, s = x | tanh(s * y))",
        "where(x > y, x * x, y / x)",
    };
    str_printf(&s, "%s;\n", body[choose(&w, 4)]);
    str_printf(&s,
               "fn second(%s, e_x: real, e_y: real, e_v: real[n], e_w: "
               "real[n]) -> real {\n"
               "  let g = grad(f, x, y, v, w)(x, y, v, w, k, p, c);\n"
               "  e_x * g.0 + e_y * g.1 + dot(e_v, g.2) + dot(e_w, g.3)\n}\n",
               parameters);
    str_printf(&s,
               "fn full(start: int[m+1], column: int[e], value: real[e], n: "
               "int) -> real[m, n] =\n"
               "  [r < m, j < n | sum(k < e | if start[r] <= k && k < "
               "start[r+1] && column[k] == j { value[k] } else { 0 })];\n");
    str_printf(&s,
               "fn rows(%s) -> real[n, n] {\n"
               "  let (s, i, a) = sparse_jacobian(each, v)(x, y, v, w, k, p, "
               "c);\n  full(s, i, a, n)\n}\n",
               parameters);
    str_printf(&s,
               "fn bent(%s) -> real[n, n] {\n"
               "  let (s, i, a) = sparse_hessian(f, v)(x, y, v, w, k, p, "
               "c);\n  full(s, i, a, n)\n}\n",
               parameters);
    return s.at;
}
