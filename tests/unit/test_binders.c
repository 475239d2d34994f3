/* test_binders.c: comprehensions, reductions over binders, fold and scan. */
#include "graph/op.h"
#include "programs.h"
#include "suite.h"

#include <check.h>
#include <string.h>

/* Values: an expression without parameters, and what it is. */

static const char library[] =
    "const A = [[0.0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]];\n"
    "const S = [[2.0, 0, 1], [1, 3, 0], [0, 1, 4]];\n"
    "const v = [1.0, 2.0, 4.0];\n"
    "const k = [2, 0];\n"
    "struct P { a: real, b: real[2] }\n"
    "fn at(x: real[n], i: int) -> real = x[i];\n"
    "fn sq(x: real) -> real = x * x;\n"
    "fn sign_of(j: int) -> real = if j % 2 == 0 { 1 } else { -1 };\n"
    "fn minor(M: real[n, n], k: int) -> real[n - 1, n - 1] =\n"
    "  [i < n - 1, j < n - 1 | M[i + 1, if j < k { j } else { j + 1 }]];\n"
    "fn det(M: real[n, n]) -> real = if n == 1 { M[0, 0] }\n"
    "  else { sum(j < n | sign_of(j) * M[0, j] * det(minor(M, j))) };\n"
    "fn sums(x: real[n]) -> real[n] = if n == 1 { x }\n"
    "  else { [i < n | sum(sums(x[1:])) + real(i)] };\n"
    "fn tower(x: real[n]) -> real = if n == 1 { x[0] }\n"
    "  else { fold(t < 2, h = 0 | h + tower(x[1:]) + real(t)) };\n"
    "fn rk4(f: fn(real[d]) -> real[d], y: real[d], h: real) -> real[d] {\n"
    "  let a = f(y); let b = f(y + h / 2 * a); let c = f(y + h / 2 * b);\n"
    "  y + h / 6 * (a + 2 * b + 2 * c + f(y + h * c))\n"
    "}\n";

static const struct {
    const char *expression;
    int n;
    double value[12];
} values[] = {
    {"[i < 3 | v[i] ^ 2]", 3, {1, 4, 16}},
    {"[i | v[i] ^ 2]", 3, {1, 4, 16}},
    {"[i, j | v[i] * A[0, j]]", 8, {0, 1, 2, 3, 0, 2, 4, 6}},
    {"[i, j | A[j, i]]", 6, {0, 10, 20, 1, 11, 21}},
    {"[i | [j | A[j, i]]][1]", 3, {1, 11, 21}},
    {"[i < 2, j < 2 | A[i + 1, 2 * j]]", 4, {10, 12, 20, 22}},
    {"[i < 2 | A[2 - i, 1 + 2 * i]]", 2, {21, 13}},
    {"[i < 3 | A[i, i]]", 3, {0, 11, 22}},
    {"[i < 3 | A[i, 3 - i]]", 3, {3, 12, 21}},
    {"[i < 3 | A[(i + 1) % 3, 0]]", 3, {10, 20, 0}},
    {"[i < 6 | v[i / 2]]", 6, {1, 1, 2, 2, 4, 4}},
    {"[i < 2 | A[k[i], i]]", 2, {20, 1}},
    {"[i < 2 | A[k[i]]][0]", 4, {20, 21, 22, 23}},
    {"[i < 3 | A[i][1]]", 3, {1, 11, 21}},
    {"[i < 3 | A[i, k]][1]", 2, {12, 10}},
    {"[i < 2 | A[k, i]][1]", 2, {21, 1}},
    {"[i < 3 | A[1, i : i + 2]][2]", 2, {12, 13}},
    {"[i < 2 | A[1, 2 * i : 2 * i + 2]]", 4, {10, 11, 12, 13}},
    {"[i < 2 | A[1, i : i + 3 : 2]]", 4, {10, 12, 11, 13}},
    {"[i < 2 | v[1 - i : 3 - i]]", 4, {2, 4, 1, 2}},
    {"[i < 3 | at(v, i)]", 3, {1, 2, 4}},
    {"[i | at(v, i)]", 3, {1, 2, 4}},
    {"[i | { let w = v[i]; w * w }]", 3, {1, 4, 16}},
    {"[i | { fn g(y: real[m]) -> real = y[i] + v[i]; g(v) }]", 3, {2, 4, 8}},
    {"fold(t, h = 0 | { fn g(y: real[m]) -> real = y[t]; h + g(v) })", 1, {7}},
    {"[i < 2 | 3]", 2, {3, 3}},
    {"0.5 + [i < 2 | 3]", 2, {3.5, 3.5}},
    {"[i < 2 | v][1]", 3, {1, 2, 4}},
    {"[i < 3 | i * i]", 3, {0, 1, 4}},
    {"[i < 3 | i64(i) * 5000000000][2]", 1, {1e10}},
    {"[i < 3 | i % 2 == 0]", 3, {1, 0, 1}},
    {"[i < 3 | if i > 0 { v[i - 1] } else { 7 }]", 3, {7, 1, 2}},
    {"[i < 3 | where(i < 2, v[i + 1], 7)]", 3, {2, 4, 7}},
    {"[i < 3 | i > 0 && v[i - 1] > 1]", 3, {0, 0, 1}},
    {"[i < 3 | i == 0 || v[i - 1] > 1]", 3, {1, 0, 1}},
    {"[i < 3 | P(a = v[i], b = [1, v[i]])][2].b", 2, {1, 4}},
    {"[i < 3 | P(a = v[i], b = [1, v[i]])][1].a", 1, {2}},
    {"[i < 3 | (v[i], i)][2].1", 1, {2}},
    {"[i, j < 2 | P(a = v[i], b = v[:2])][1][0].a", 1, {2}},
    {"sum([i | P(a = v[i], b = v[:2])])", 1, {16}},
    {"sum(i | v[i])", 1, {7}},
    {"sum(i < 3 | 2)", 1, {6}},
    {"sum(i < 3 | 0.5)", 1, {1.5}},
    {"sum(i, j | A[i, j])", 1, {138}},
    {"sum(i | A[i])", 4, {30, 33, 36, 39}},
    {"sum(i | P(a = v[i], b = v[:2])).b", 2, {3, 6}},
    {"[i, j | sum(l | A[i, l] * A[j, l])][1]", 3, {74, 534, 994}},
    {"[i < 2 | sum(p < 2 | v[i + p] * v[p])]", 2, {5, 10}},
    {"prod(i | v[i])", 1, {8}},
    {"max(i | v[i])", 1, {4}},
    {"min(i, j | A[i, j] - v[i])", 1, {-1}},
    {"max(i < 3 | i * (2 - i))", 1, {1}},
    {"mean(i | v[i])", 1, {7.0 / 3}},
    {"any(i | v[i] > 3)", 1, {1}},
    {"all(i | v[i] > 3)", 1, {0}},
    {"exp(logsumexp(i | log(v[i])))", 1, {7}},
    {"argmax(i | v[i])", 1, {2}},
    {"argmin(i, j | abs(A[i, j] - 12))", 1, {6}},
    {"[i | argmax(j | -abs(A[i, j] - 11))]", 3, {3, 1, 0}},
    {"[i < 3 | sum(j < i | v[j])]", 3, {0, 1, 3}},
    {"[i < 3 | sum(j < i + 1 | v[i - j])]", 3, {1, 3, 7}},
    {"[i < 3 | prod(j < i | v[j])]", 3, {1, 1, 2}},
    {"[i < 3 | max(j < 3 - i | v[j])]", 3, {4, 2, 1}},
    {"[i < 3 | max(j < 3 - i | j)]", 3, {2, 1, 0}},
    {"[i < 3 | mean(j < i + 1 | v[j])]", 3, {1, 1.5, 7.0 / 3}},
    {"[i < 3 | argmin(j < i + 1 | -v[j])]", 3, {0, 1, 2}},
    {"[i < 3 | any(j < i | v[j] > 1)]", 3, {0, 0, 1}},
    {"[i < 2 | sum(j < k[i] | v[j])]", 2, {3, 0}},
    {"[i < 3 | sum(j < i - 1 | 1)]", 3, {0, 0, 1}},
    {"sum(i < 3 | sum(j < i | A[i, j]))", 1, {10 + 20 + 21}},
    {"sum(i < 3, j < i | A[i, j])", 1, {10 + 20 + 21}},
    {"[i | grad(sq)(v[i])]", 3, {2, 4, 8}},
    {"[i | grad(fn(y) = y * v[i] ^ 2)(1.0)]", 3, {1, 4, 16}},
    {"grad(fn(x: real[n]) = sum(i | x[i] ^ 2))(v)", 3, {2, 4, 8}},
    {"grad(fn(x: real[n]) = sum(i < 2 | x[i] * x[i + 1]))(v)", 3, {2, 5, 2}},
    {"grad(fn(x: real[n]) = sum(i < 3, j < i | x[j]))(v)", 3, {2, 1, 0}},
    {"grad(fn(x: real[n]) = max(i < 3 | x[i] * v[i]))(v)", 3, {0, 0, 4}},
    {"det(S)", 1, {25}},
    {"grad(det)(S)[0]", 3, {12, -4, 1}},
    {"sums(v)", 3, {9, 10, 11}},
    {"tower(v)", 1, {19}},
    {"fold(t < 5, h = 1 | h * 2)", 1, {32}},
    {"fold(t < 5, h = 1.5 | h * 2)", 1, {48}},
    {"fold(t < 0, h = 1.5 | h * 2)", 1, {1.5}},
    {"fold(t, h = 0 | h + v[t])", 1, {7}},
    {"fold(t, h = 0 | h + A[t])", 4, {30, 33, 36, 39}},
    {"fold(t < 4, h = 0 | h + t)", 1, {6}},
    {"fold(t < 4, h = 0 | h + real(t) / 2)", 1, {3}},
    {"fold(t < 3, a = 0, b = 1 | (b, a + b)).0", 1, {2}},
    {"fold(t < 3, a = 0, b = 0 | (b, a + v[t])).1", 1, {5}},
    {"fold(t < 3, p = (0, 1.0) | (p.0 + 1, p.1 * v[t])).1", 1, {8}},
    {"fold(t < 3, p = P(a = 0, b = v[:2]) | P(a = p.a + 1, b = p.b * 2)).b",
     2,
     {8, 16}},
    {"fold(t < 9, h = 16.0, until = h < 3 | h / 2)", 1, {2}},
    {"fold(t < 2, h = 16.0, until = h < 3 | h / 2)", 1, {4}},
    {"fold(t < 9, h = 1.0, until = h < 3 | h / 2)", 1, {1}},
    {"fold(t < 9, h = 16.0, n = 0, until = h < 3 | (h / 2, n + 1)).1", 1, {3}},
    {"fold(t, h = 0 | fold(u, g = h | g + A[t, u]))", 1, {138}},
    {"fold(t < 2, h = v | [i | h[i] + sum(j | h[j])])", 3, {36, 37, 39}},
    {"fold(t < 2, h = 0 | h + sum(v[t : t + 2]))", 1, {9}},
    {"fold(t < k[0], h = 0 | h + v[t])", 1, {3}},
    {"fold(t < 3, h = 1.0 | h - 0.25 * grad(sq)(h))", 1, {0.125}},
    {"fold(t < 2, x = key(3) | split(x).0) == split(split(key(3)).0).0",
     1,
     {1}},
    {"fold(t < 10, z = [1.0, 0.0] | rk4(fn(q) = [q[1], -q[0]], z, 0.1))",
     2,
     {0.54030230586813977, -0.8414709848078965}},
    {"scan(t, h = 0 | h + v[t])", 3, {1, 3, 7}},
    {"scan(t, h = v[0] | h * v[t])", 3, {1, 2, 8}},
    {"scan(t < 4, a = 0, b = 1 | (b, a + b)).0", 4, {1, 1, 2, 3}},
    {"scan(t < 2, p = P(a = 0, b = v[:2]) | P(a = p.a, b = p.b * 2))[1].b",
     2,
     {4, 8}},
    {"scan(t < 4, h = 8.0, until = h < 3 | h / 2)", 4, {4, 2, 2, 2}},
    {"scan(t < 2, h = 1.0, until = h < 3 | h / 2)", 2, {1, 1}},
    {"[i < 3 | fold(t < i, h = 1 | h * 2)]", 3, {1, 2, 4}},
    {"[i | fold(t, h = 0 | h + A[i, t])]", 3, {6, 46, 86}},
    {"[i | scan(t, h = 0 | h + A[i, t])][1]", 4, {10, 21, 33, 46}},
    {"sum(i < 3 | fold(t < 2, h = v[i] | h * h))", 1, {1 + 16 + 256}},
};

START_TEST(values_are_right)
{
    ck_value(compile(library), values[_i].expression, values[_i].n,
             values[_i].value, 1e-6);
}
END_TEST

/* Every reduction, in every way that there is to write it. */

/* A row's name in the language, or that of the mean that it makes; NULL: it is
 * no reduction, or makes none. */
static const char *reduction_name(int i)
{
    const Op *row = op_table[i / 2];

    if (row->cls != OPC_reduce)
        return NULL;
    return i % 2 ? row->mean : op_surface(i / 2);
}

START_TEST(reductions_are_one_however_written)
{
    static const char *const way[] = {
        "(v, axis = 0)",  "(v, axis = 0, keepdims = true)[0]", "(i | v[i])",
        "(i < 2 | v[i])", "(i < 2, j < 1 | v[i + j])",
    };
    const char *name = reduction_name(_i);
    const Op *row = op_table[_i / 2];
    bool bools = row->takes == ON_bool;
    const char *type = bools ? "bool" : "real";
    const char *data = bools ? "[true, false]" : "[3.0, -1.5]";
    Program *p;
    double *want;

    ck_assert(row->cls != OPC_reduce || (row->takes && op_surface(_i / 2)));
    if (!name)
        return;
    p = compile(arena_printf(
        arena,
        "const v = %s;\n"
        "fn two(x: %s[n]) -> %s = if n == 1 { x[0] }\n"
        "  else { %s(j < 2 | if j == 0 { x[0] } else { two(x[1:]) }) };\n",
        data, type, type, name));
    if (!p) /* of a position, no element of x */
        p = compile(arena_printf(arena, "const v = %s;\n", data));
    else
        ck_value(p, arena_printf(arena, "%s(v) == two(v)", name), 1,
                 (double[]){1}, 1e-12);
    want = value_of(p, arena_printf(arena, "%s(v)", name));
    for (size_t k = 0; k < sizeof way / sizeof *way; k++)
        ck_value(p, arena_printf(arena, "%s%s", name, way[k]), 1, want, 1e-12);
    ck_value(p, arena_printf(arena, "[n < 3 | %s(i < n | v[i])][2]", name), 1,
             want, 1e-12);
}
END_TEST

static const char *some_argument(const Op *row, int i)
{
    if (i == 0 && row->flags & (OP_MASKS | OP_ORDER))
        return row->flags & OP_MASKS ? "true" : "1";
    return row->takes & ON_real ? "0.5" : row->takes & ON_bool ? "true" : "1";
}

static bool reduces(const char *name)
{
    for (int i = 0; i < 2 * NOPS; i++)
        if (reduction_name(i) && strcmp(reduction_name(i), name) == 0)
            return true;
    return false;
}

/* What has a name can be called; what is no reduction takes no binders. */
START_TEST(rows_are_called_by_their_names)
{
    const char *name = op_surface(_i), *x;
    const Op *row = op_table[_i];
    Str s = str_new(arena);

    if (!name || (row->cls != OPC_ewise && row->cls != OPC_reduce))
        return;
    x = some_argument(row, row->arity - 1);
    ck_assert_msg(
        !compile(arena_printf(arena, "const v = [%s]; const a = %s(i | v[i]);",
                              x, name)) == !reduces(name),
        "%s: %s", name, messages());
    for (int i = 0; i < row->arity; i++)
        str_printf(&s, "%s%s", i ? ", " : "", some_argument(row, i));
    ck_assert_msg(
        compile(arena_printf(arena,
                             row->cls == OPC_reduce ? "const a = %s([%s]);"
                                                    : "const a = %s(%s);",
                             name, s.at)),
        "%s: %s", name, messages());
}
END_TEST

/* Every dtype is a type and, but for keys, a conversion under one name. */
START_TEST(dtypes_convert)
{
    const char *name = _i < NDTYPES ? dtype_word(_i) : "real";
    Program *p;

    p = compile(arena_printf(
        arena, "fn f(x: %s) -> %s = x;\nfn g(i: int) = f(%s(i));\n", name, name,
        name));
    ck_assert_msg(p, "%s: %s", name, messages());
    ck_assert(!compile(arena_printf(arena, "struct %s { x: real }\n", name)));
}
END_TEST

/* What becomes of a body: operators that are in it, or not. */

static int count(Program *p, const char *expression, OpId op)
{
    Function *f = program_function(p, expression);
    Graph *g = program_module(p)->graph;
    bool *live;
    int n = 0;

    ck_assert_msg(f, "%s: %s", expression, messages());
    live = graph_reach(g, arena, false, f->result[0].nleaf, f->result[0].leaf);
    for (int i = 0; i < graph_count(g); i++)
        n += live[i] && graph_node(g, i)->op == op;
    return n;
}

static const char *const unchecked[] = {
    "fn(x: real[n]) = [i | x[i]]",
    "fn(x: real[n]) = [i < n - 1 | x[i + 1] - x[i]]",
    "fn(x: real[n]) = [i < n | x[n - 1 - i]]",
    "fn(x: real[n]) = [i < n / 2 | x[2 * i]]",
    "fn(x: real[n]) = [i < n / 2 | x[2 * i + 1]]",
    "fn(x: real[n]) = [i < n | x[(i + 1) % n]]",
    "fn(x: real[n]) = [i < n | x[i / 2]]",
    "fn(x: real[n]) = [i < n | x[min(i + 3, n - 1)]]",
    "fn(x: real[n]) = [i < n | x[max(i - 3, 0)]]",
    "fn(x: real[n], w: real[p]) = [i < n - p + 1 | sum(k | x[i + k] * w[k])]",
    "fn(x: real[n, n]) = [i | x[i, i]]",
    "fn(x: real[n, n]) = [i < n | sum(j < i | x[i, j])]",
    "fn(x: real[n, m]) = [i < n * m | x[i / m, i % m]]",
    "fn(x: real[n * m]) = [i < n, j < m | x[i * m + j]]",
    "fn(x: real[n]) = [i < n - 2 | sum(x[i : i + 3])]",
    "fn(x: real[n]) = fold(t < n - 1, h = 0 | h + x[t + 1] * x[t])",
    "fn(x: real[n], y: real[n, m]) = [i, j | y[i, j] * x[i]]",
    /* How far an index goes is found after it was needed. */
    "fn(x: real[n], y: real[n - 1]) = [i | x[i + 1] * y[i]]",
    "fn(x: real[n], y: real[n - 1]) = fold(t, h = 0 | h + x[t + 1] * y[t])",
    "fn(x: real[n], y: real[n - 1]) = "
    "fold(t, h = 0 | h + max(j < 2 | x[min(t + j, n - 1)]) * y[t])",
    "fn(x: real[n]) = [i | sum(j < i | 1.0) + x[i]]",
    "fn(x: real[n]) = prod(k | max(j < k | x[k] * x[j]))",
    /* Every u8 is in range. */
    "fn(x: real[256], k: u8[n]) = [i | x[int(k[i])]]",
    /* Inside where it is asked for, and in too many places for a view. */
    "fn(x: real[n], w: real[p]) = [i < n | sum(k < p | "
    "if i + k >= p / 2 && i + k < n + p / 2 { w[k] * x[i + k - p / 2] } "
    "else { 0 })]",
};

START_TEST(proven_indices_are_not_checked)
{
    Program *p = compile("use nn;");

    ck_assert_msg(p, "%s", messages());
    ck_assert_msg(count(p, unchecked[_i], OP_index_check) == 0, "%s",
                  unchecked[_i]);
}
END_TEST

START_TEST(other_indices_are_checked)
{
    Program *p = compile("use nn;");

    ck_assert_int_eq(
        count(p, "fn(x: real[n], k: int[m]) = [i | x[k[i]]]", OP_index_check),
        1);
    ck_assert_int_eq(
        count(p, "fn(x: real[n], y: real[m]) = [i < n | y[i]]", OP_index_check),
        1);
    ck_assert_int_eq(
        count(p, "fn(x: real[n + 4]) = [i < n | x[3 - i]]", OP_index_check), 1);
}
END_TEST

#define SHIFT(cond, then)                                                      \
    "fn(x: real[n]) = [i < n | if " cond " { " then " } else { 1 }]"

static const char *const guarded[] = {
    SHIFT("i > 0", "x[i - 1]"),
    SHIFT("1 <= i && i + 1 < n", "x[i - 1] * x[i + 1]"),
    SHIFT("!(i == 0)", "x[i - 1]"),
    SHIFT("i != n - 1", "x[i + 1]"),
    SHIFT("i == 2", "x[i - 1]"),
    SHIFT("2 * i + 1 < n", "x[2 * i] + x[2 * i + 1]"),
    SHIFT("i > 0 && x[i - 1] > 0", "x[i - 1]"),
    SHIFT("i == 0", "x[0]"),
    SHIFT("i > 1", "if x[i - 1] > 2 { x[i - 2] } else { x[n - 1] }"),
    SHIFT("i > 0 && i < n - 1", "sum(x[i - 1 : i + 2])"),
    SHIFT("i > 0", "sum(p < 2 | x[i + p - 1])"),
    "fn(x: real[n]) = [i < n | if i == 0 || i == n - 1 { x[i] } "
    "else { x[i - 1] + x[i + 1] }]",
    "fn(x: real[n, m]) = [i < n, j < m | "
    "if i > 0 && i < n - 1 && j > 0 && j < m - 1 "
    "{ x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1] } else { 0 }]",
    "fn(x: real[n, n]) = [i < n | if i > 0 { x[i, i - 1] } else { x[0, 0] }]",
    /* The same read under several conditions, some the same for all j. */
    "fn(x: real[n, m]) = [i < n, j < m | if i > 1 && j > 0 { x[i - 1, j] } "
    "else if i == 0 { x[i, j] } else if j == 0 { x[i - 1, j] } else { 0 }]",
    "fn(x: real[n], y: real[m]) = [i < n | if i < m { y[i] } else { x[i] }]",
    "fn(x: real[n]) = [i < n | sum(j < min(i, 3) | x[j + 1])]",
    "fn(x: real[n], y: real[n]) = "
    "[i | (if i > 0 { x[i - 1] } else { 0 }) + y[i]]",
    SHIFT("i == 0", "x[i]") " + [i < n | if i > 0 || i > 3 { x[i - 1] } "
                            "else { 0 }]",
};

START_TEST(guarded_indices_are_views)
{
    Program *p = compile("use nn;");
    const char *e = guarded[_i];

    ck_assert_msg(p, "%s", messages());
    ck_assert_msg(count(p, e, OP_index_check) == 0, "%s", e);
    ck_assert_msg(count(p, e, OP_gather) == 0, "%s", e);
}
END_TEST

static const char *const unguarded[] = {
    SHIFT("i >= 0", "x[i - 1]"),
    SHIFT("i > 0 || x[i] > 0", "x[i - 1]"),
    SHIFT("i < n", "x[i + 1]"),
    SHIFT("i != 3", "x[i - 1]"),
    SHIFT("2 * i < n", "x[2 * i + 1]"),
    /* Inside of all of x, but not of its row. */
    "fn(x: real[n, n]) = "
    "[i < n - 1 | if x[i, i] > 0 { x[i + 1, i - 1] } else { 0 }]",
    SHIFT("n > 3", "x[i + 1]"),
};

START_TEST(unguarded_indices_are_checked)
{
    Program *p = compile("use nn;");

    ck_assert_msg(count(p, unguarded[_i], OP_index_check) == 1, "%s",
                  unguarded[_i]);
}
END_TEST

/* A place that moves with two long indices is no view; and where a tensor may
 * have no element at all, 0 is none of its indices. */
START_TEST(two_long_indices_are_no_view)
{
    Program *p = compile("use nn;");
    const char *inside = "fn(x: real[n], w: real[p]) = [i < n, k < p | "
                         "if i + k < n { x[i + k] } else { w[k] }]";
    const char *empty = "fn(x: real[n], w: real[p], y: real[m]) = "
                        "[i < n, k < p | if i + k < m { y[i + k] } "
                        "else { x[i] + w[k] }]";

    ck_assert_msg(p, "%s", messages());
    ck_assert_int_eq(count(p, inside, OP_gather), 1);
    ck_assert_int_eq(count(p, inside, OP_index_check), 0);
    ck_assert_int_eq(count(p, empty, OP_index_check), 1);
}
END_TEST

/* What a call gives under a condition is not what it gives without. */
START_TEST(guarded_calls_are_not_shared)
{
    Program *p = compile("fn back(x: real[n], i: int) -> real = x[i - 1];");

    ck_assert_msg(p, "%s", messages());
    ck_assert_int_eq(
        count(p,
              "fn(x: real[n]) = [i < n | (if i > 0 { back(x, i) } else { 0 })"
              " + (if x[i] > 0 { back(x, i) } else { 0 })]",
              OP_index_check),
        1);
}
END_TEST

START_TEST(affine_indices_are_views)
{
    Program *p = compile("use nn;");

    ck_assert_int_eq(
        count(p, "fn(x: real[n]) = [i < n / 2 | x[2 * i]]", OP_gather), 0);
    ck_assert_int_eq(count(p,
                           "fn(A: real[n, m], B: real[m, k]) = "
                           "[i, j | sum(l | A[i, l] * B[l, j])]",
                           OP_contract),
                     1);
    ck_assert_int_eq(count(p,
                           "fn(A: real[n, m], B: real[m, k]) = "
                           "[i, j | sum(l | A[i, l] * B[l, j])]",
                           OP_gather),
                     0);
}
END_TEST

/* The same loop, evaluated on what stands for its arguments: one. */
START_TEST(equal_loops_are_one)
{
    Program *p = compile(
        "fn f(x: real[n]) -> real = fold(t < n, h = 0 | tanh(h) + x[t]);");

    ck_assert_msg(p, "%s", messages());
    ck_assert_int_eq(count(p,
                           "fn(x: real[n]) = "
                           "f(2 * x) + value_and_grad(f)(2 * x).0",
                           OP_loop),
                     1);
}
END_TEST

/* n·2^(n-1) products for the n! that are written. */
START_TEST(recursion_shares)
{
    Program *p = compile(
        "fn minor(M: real[n, n], k: int) -> real[n - 1, n - 1] =\n"
        "  [i < n - 1, j < n - 1 | M[i + 1, if j < k { j } else { j + 1 }]];\n"
        "fn det(M: real[n, n]) -> real = if n == 1 { M[0, 0] }\n"
        "  else { sum(j < n | M[0, j] * det(minor(M, j))) };\n");

    ck_assert_msg(p, "%s", messages());
    ck_assert_int_eq(count(p, "fn(M: real[8, 8]) = det(M)", OP_mul),
                     8 * 128 - 8);
}
END_TEST

/* The message that a program leads to. */

static const struct {
    const char *program, *kind;
} wrong[] = {
    {"fn f(x: real) = [i | x];", "[bound]"},
    {"fn f(x: real) = fold(t, h = x | h);", "[bound]"},
    {"fn f(x: real) = fold(h = x | h);", "[loop]"},
    {"fn f(x: real[n]) = [i < n | x[i + 1]];", "[index-range]"},
    {"fn f(x: real[n]) = [i | x[i + 1] + x[i]];", "[index-range]"},
    {"fn f(x: real[n]) = fold(t, h = 0 | h + x[t + 1] * x[t]);",
     "[index-range]"},
    {"fn f(x: real[n], k: int[m]) = "
     "[i < m | sum(j < k[i] | if x[0] > 0 { x[j + 1] } else { 0 })];",
     "[bound]"},
    {"fn f(x: real[n], k: int[m]) = "
     "[i < m | fold(t < k[i], s = 0, r = 0 | (s + x[t - r], t)).0];",
     "[bound]"},
    {"fn f(x: real[n]) = [i < n, j < i | x[i]];", "[ragged]"},
    {"fn f(x: real[n]) = [i < n | zeros([i])];", "[dimension]"},
    {"fn f(x: real[n]) = fold(t < 2, h = x | sum(h));", "[carry]"},
    {"fn f(x: real[n]) = fold(t < n, h = x, until = t > 1 | h);",
     "[condition]"},
    {"fn f(x: real[n]) = scan(t < int(x[0]), h = x | h);", "[bound]"},
    {"fn f(x: real[n]) = [i < n | sum(x[i:])];", "[range]"},
    {"fn f(x: real[n], y: real[m]) = [i | x[i] + y[i]];", "[bound]"},
    {"fn f(x: real[n]) = sum(i | [i < n | x[i]]);", "[binder]"},
};

START_TEST(wrong_programs_are_told)
{
    ck_assert_ptr_null(compile(wrong[_i].program));
    ck_assert_int_eq(diags_errors(diags), 1);
    ck_assert_msg(strstr(messages(), wrong[_i].kind), "%s", messages());
}
END_TEST

/* Towers of comprehensions end with a value or a message, soon. */
START_TEST(towers_end)
{
    Str s = str_new(arena);

    str_printf(&s, "fn f(x: real) = ");
    for (int i = 0; i < 100; i++)
        str_printf(&s, "sum(i%d < 2 | ", i);
    str_printf(&s, "x");
    for (int i = 0; i < 100; i++)
        str_printf(&s, ")");
    str_printf(&s, "; export f;");
    ck_assert_msg(compile(s.at), "%s", messages());
    s = str_new(arena);
    str_printf(&s, "fn f(x: real) = ");
    for (int i = 0; i < 100; i++)
        str_printf(&s, "[i%d < 2 | ", i);
    str_printf(&s, "x");
    for (int i = 0; i < 100; i++)
        str_printf(&s, "]");
    str_printf(&s, "; export f;");
    ck_assert_ptr_null(compile(s.at));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("binders");
    TCase *t = tcase_create("binders");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, values_are_right, 0, sizeof values / sizeof *values);
    tcase_add_loop_test(t, reductions_are_one_however_written, 0, 2 * NOPS);
    tcase_add_loop_test(t, rows_are_called_by_their_names, 0, NOPS);
    tcase_add_loop_test(t, dtypes_convert, 0, NDTYPES + 1);
    tcase_add_loop_test(t, proven_indices_are_not_checked, 0,
                        sizeof unchecked / sizeof *unchecked);
    tcase_add_test(t, other_indices_are_checked);
    tcase_add_loop_test(t, guarded_indices_are_views, 0,
                        sizeof guarded / sizeof *guarded);
    tcase_add_loop_test(t, unguarded_indices_are_checked, 0,
                        sizeof unguarded / sizeof *unguarded);
    tcase_add_test(t, two_long_indices_are_no_view);
    tcase_add_test(t, guarded_calls_are_not_shared);
    tcase_add_test(t, affine_indices_are_views);
    tcase_add_test(t, equal_loops_are_one);
    tcase_add_test(t, recursion_shares);
    tcase_add_loop_test(t, wrong_programs_are_told, 0,
                        sizeof wrong / sizeof *wrong);
    tcase_add_test(t, towers_end);
    suite_add_tcase(s, t);
    return s;
}

int main(void) { return run_suite(suite()); }
