/* test_near.c: near-misses. What differs in one respect from the pattern of a
 * rule or an identity (another operand, axis, constant or operator, a part used
 * twice) is no instance of it, and must keep its value.
 *
 * Both sides of every rule's identity and of every line of identities.txt, and
 * what else is near to a rule, are changed token by token. What is still a
 * right program is evaluated twice: as simplified and expanded, and in a graph
 * that is left as it was written. */

#include <check.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "check/check.h"
#include "eval/eval.h"
#include "simplify/simplify.h"
#include "suite.h"

/* At the last point ints are no indices, now and then. */
enum { MAX_FORMULAS = 1000, MAX_TEXT = 1024, POINTS = 2, OUTSIDE = POINTS };

typedef struct Formula {
    char *file, *params, *text;
    bool
        whole; /* a right program as it is; others are when changed, at least */
} Formula;

static Formula formulas[MAX_FORMULAS];
static int nformulas;

/* Other forms of rules, and what is near to them. */
static const char *const others[] = {
    "(x - v) - expand(logsumexp(x - v, axis = 0), 0)",
    "(x - expand(v, 1)) - expand(logsumexp(x - expand(v, 1), axis = 1), 1)",
    "(x - y) - expand(logsumexp(x - y, axis = 1), 1)",
    "logsumexp(x - s) + s",
    "logsumexp(x - s) + t",
    "exp(x) / expand(sum(exp(x), axis = 0), 0)",
    "exp(x) / sum(exp(x))",
    "exp(x) / sum(x)",
    "log(s * ndtr(x))",
    "log(ndtr(x) * 0.25)",
    "log(ndtr(x) / 4)",
    "log(4 / ndtr(x))",
    "log(ndtr(x) / s)",
    "log(erfc(x) / 2)",
    "log(0.5 * erfc(x))",
    "log(s * x)",
    "(exp(x) - 1) * (1 - exp(x))",
    "1 / (exp(x) + 1) + exp(x) / (1 + exp(x))",
    "(y - x) @ (x' @ z)",
    "(x @ x') @ z",
    "z' @ (x @ x')",
    "(z' @ x) @ (y' @ z)",
    "(v @ x') @ (y @ v)",
    "sum((x @ y') * s, axis = 0)",
    "exp(x - max(logsumexp(x), s))",
    "exp(x - sin(max(logsumexp(x), -1.7976931348623157e308)))",
    ("exp(concat(z[:, 0], [t]) - concat(max(logsumexp(x, axis = 1), "
     "-1.7976931348623157e308), [s]))"),
};
enum { OTHERS = sizeof others / sizeof *others };

/* Parts of one tensor, long ones too, and where only a run tells where. */
static const char *const parts[] = {
    "concat(w[:40], w[40:80])",  "concat(w[:70], w[1:])",
    "concat(w, w[::2])",         "concat([i < 70 | w[i * i % 90]], w[:3])",
    "concat(z[n:n + 2], z[:1])", "concat(z[:2], z[1:3])",
    "concat(z[n:n + 2], z)",
};
enum { PARTS = sizeof parts / sizeof *parts };

/* Where a place is an index, or is asked whether it is one. */
static const char *const places[] = {
    "[i < n + 2 | sum(k < m + 3 | where(k == p[i], A[i, k], 0))]",
    "[i < n + 2 | sum(k < m + 3 | where(k == p[i], v[k] * 2, 0) * w[i])]",
    "[i < n + 2, j < n + 2 | sum(k < m + 3 | where(k == p[i], A[j, k], 0))]",
    "[i < n + 2, k < m + 3 | where(k == p[i], 2.5, 0)] @ v",
    "w @ [i < n + 2, k < m + 3 | where(i == q[k] && w[i] > 0, v[k], 0)]",
    "[k < m + 23 | sum(i < n + 2 | where(k == p[i], w[i], 0))]",
    "[k < m + 23 | sum(i < n + 2 | where(k == p[i], w[i] + real(k), 0))]",
    "[k < m + 23 | sum(i < n + 2, j < m + 3 | where(k == p[i], w[i], 0))]",
    "[k < m + 23 | sum(j < m + 3, i < n + 2 | where(k == p[i], w[i], 0))]",
    "sum(i < n + 2, k < m + 3 | where(k == p[i], w[i], 0))",
    "[j < m + 3 | sum(i < n + 2, k < m + 3 | where(k == q[j], v[k], 0))]",
    "[k < 20, j < m + 3 | sum(i < n + 2 | where(k == p[i], A[i, j] + real(k), "
    "0))]",
    "[k < 9 | sum(i < n + 2 | where(k == p[i], w[i], 0))]",
    ("[k < m + 23 | sum(i < n + 2, j < m + 3 | where(k == r[i, j], A[i, j], 0) "
     "* w[i])]"),
    "[k < n + 22, i < n + 2 | real(k == p[i])] @ A",
    "A' @ [i < n + 2, k < n + 22 | where(k == p[i], w[i], 0)]",
    "[i < n + 2, j < m + 3 | sum(k < n + 2 | where(k == i, w[k], 0)) + v[j]]",
    "[i < n + 2 | sum(k < n + 2 | where(k + 1 == i, w[k], 0))]",
    "[i < n + 2 | sum(k < n + 2 | where(k == 2 * i, w[k], 0))]",
    "sum(k < m + 3 | where(k == q[k], v[k], 0))",
    "sum(k < m + 3 | where(k == m + 2 - k, v[k] + 1, 0))",
    "sum(i < n + 2, k < m + 3 | where(k == p[i], A[i, k], 0))",
    "[i < n + 2 | where(any(k < m + 3 | k == p[i]), w[i], 0)]",
    "where(any(i < n + 2, k < m + 3 | k == p[i]), w, 0)",
    "[i < n + 2, j < m + 3 | A[p[i], q[j]]]",
    "[i < n + 2 | A[p[i], p[p[i]]]]",
    "[i < n + 2, j < m + 3 | A'[q[j], i]]",
    "[k < 3, i < n + 2 | A'[[2, 0, 1][k], i]]",
    "[k < 3, i < 2 | A[1:, 1:]'[[1, 0, 1][k], i]]",
    "[k < 4 | v[::-1][[1, 0, 1, 2][k]]]",
    "[k < 4, j < 2 | (v + expand(w, 1))[j, [1, 0, 1, 2][k]]]",
    "[k < 4 * n | u[reshape([i < n, j < 4 | 4 * i + j], 4 * n)[k]]]",
    "[k < 4 * n | u[reshape([j < 4, i < n | 4 * i + j], 4 * n)[k]]]",
    "[i < n + 2 | A[i, i + 1]]",
    "[i < n, j < 4 | u[4 * i + j + 1]]",
    "[i < n, j < 4 | u[4 * i + 2 * j + 1]]",
    "[i < n + 2 | if i > 0 { w[i - 1] } else { 0 }]",
    "[i < n + 2 | if i < n { w[i + 2] } else { w[i] }]",
    "[i < n + 2 | if i > 0 && i < n { w[i + 1] - w[i - 1] } else { 2 }]",
    "[i < n + 2, j < m + 3 | if i > j { A[i - 1, j] } else { A[0, 1] }]",
    "[i < n + 2 | if 2 * i < n { w[2 * i + 1] } else { 0 }]",
    "[i < n + 2 | if p[i] >= 0 && p[i] < n { w[p[i]] } else { 0 }]",
    "fold(t < m - 2, s = w[0] | s + sum([i < n + 2 | v[p[i]]]) * real(t))",
    "[i < 5 | if i + 70000 < n { w[i + 70000] } else { w[1] * real(i) }]",
};
enum { PLACES = sizeof places / sizeof *places };

/* Views of views and of what is made of parts, and their adjoints. */
static const char *const views[] = {
    "A[1:, ::2]'[::-1]",
    "A'[:2][::-1]",
    "A'[1:]'[:, 1:]",
    "(A' - B')[1:, 0]",
    "(A @ B')'[::-1]",
    "(A' @ A)' - B' @ B",
    "concat(v[1:], w)[1:4]",
    "concat(w[::-1], v)[2:]",
    "[i < 4 | concat(u, w)[n * i + 1]]",
    "concat(A, B, axis = 1)[:, 2:m + 4]",
    "concat(A, B, axis = 1)'[m + 3:]",
    "[k < 3 | v[[2, 0, 1][k]]][::-1]",
    "[k < 3, i < n + 2 | A[i, [2, 0, 1][k]]]'[:, 1:]",
    "sort(v)[::-1] - sort(v[::-1])",
    "expand(v, 0)[:, 1:] + expand(v[1:], 0)",
    "(expand(w, 1) * A)[1:, 1] - expand(w[1:], 1)",
    "reshape(reshape(A', [m + 3, 1, n + 2]), [m + 3, n + 2])",
    "reshape(expand(v, 1), [1, m + 3])",
    "reshape(A, [m + 3, 1, n + 2])",
    "reshape(expand(A, 0), [m + 3, n + 2])",
    ("(fn(b: real[3, m + 3]) = [i < 3 | b[i, i]])([k < 3, j < m + 3 | A[[1, 0, "
     "1][k], j]])"),
    ("(fn(b: real[n + 2]) = [i < n, k < 3 | b[i + k]])(grad(fn(a: real[n + 2]) "
     "= sum([i < n, k < 3 | a[i + k] ^ 2]))(w))"),
    "grad(fn(a: real[4 * n + 8]) = sum([i < 4 | a[n * i + 1] ^ 2]))(u)",
    "reshape(A, [(n + 2) * (m + 3)])[::2]",
    "reshape(A', [(n + 2) * (m + 3)])[1:]",
    "reshape(u[:4 * n], [n, 4])[:, 1:]",
    "reshape(u[8:], [4, n])'[1:]",
    ("grad(fn(a: real[n + 2, m + 3]) = sum(a[1:, :2] * B[1:, :2]) + sum(a[:, "
     "1:] * a[:, :m + 2]))(A)"),
    "grad(fn(a: real[n + 2]) = sum(a[::2] ^ 2) + sum(a[1:] * a[:n + 1]))(w)",
    "grad(fn(a: real[n + 2]) = sum(a[::-1] * w) + sum(a[2:] * w[1:n + 1]))(w)",
    ("grad(fn(a: real[n + 2, m + 3]) = sum(a[:, 1] * w) + sum((a @ v) * a[:, "
     "0]))(A)"),
    ("grad(fn(a: real[m + 3]) = sum(concat(a, w, a[1:]) * concat(v, w, "
     "v[:m + 2])))(v)"),
    "grad(fn(a: real[m + 3]) = sum((expand(a, 0) * A)[1:] * B'[:, 1:]'))(v)",
    ("grad(fn(a: real[n + 2, n + 2]) = sum([i < n + 2, j < n + 2 | where(p[i] "
     "== p[j], a[i, j] * w[i] * 3, 0)]))(A @ A')"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum([i < n + 2, j < m + 3 | where(i == "
     "j, a[i, j] * w[i] * v[j], 0)]))(A)"),
    "grad(fn(a: real[4 * n + 8]) = sum(reshape(a[8:], [n, 4])[:, 1:] ^ 2))(u)",
    ("grad(fn(a: real[n + 2]) = sum([i < n, k < 3 | a[i + k] * (A @ B')[i, k] "
     "* "
     "A[i, k]]))(w)"),
    ("grad(fn(a: real[n + 4]) = sum([i < n, j < 3, k < 3 | a[i + j + k] * w[i] "
     "* "
     "A[j, k]]))(u[:n + 4])"),
    "(w[0] * (A @ B'))[1:, :2] + (2 * (A @ B'))[1:, :2]",
    "(w[0] * A)[1:, :2] + (w[0] * (v[0] + 1 + 0 * A))[1:, :2]",
    ("grad(fn(a: real[3, 3]) = reshape(a, [9])[4] ^ 2)([i < 3, j < 3 | A[i % "
     "2, "
     "j % 3]])"),
    ("grad(fn(a: real[3, 3]) = sum(reshape(a, [9])[0:9:3] ^ 2))([i < 3, j < 3 "
     "| "
     "A[i % 2, j % 3]])"),
    ("grad(fn(a: real[4, 4]) = sum(reshape(a, [16])[0:15:5] ^ 2))([i < 4, j < "
     "4 "
     "| A[i % 2, j % 3]])"),
    ("grad(fn(a: real[3, 6]) = sum(reshape(a, [18])[0:12:4] ^ 2))([i < 3, j < "
     "6 "
     "| A[i % 2, j % 3]])"),
    ("grad(fn(a: real[3, 3, 2]) = sum(reshape(a, [18])[0:12:4] ^ 2))([i < 3, j "
     "< 3, k < 2 | A[i % 2, j % 3]])"),
};
enum { VIEWS = sizeof views / sizeof *views };

/* Matrices that are 0 but on some diagonals, as Jacobians are. */
static const char *const banded[] = {
    ("jacobian(fn(a: real[n + 2]) = [i < n | sin(a[i + 2]) - 2 * exp(a[i"
     " + 1]) * w[i] + a[i] ^ 2])(w)"),
    ("hessian(fn(a: real[n + 2]) = sum([i < n | (a[i + 2] - 2 * a[i + 1]"
     " + a[i]) ^ 2]))(w)"),
    ("jacobian(fn(a: real[n + 2]) = [i < n + 2 | if i > 0 && i < n + 1 {"
     " a[i - 1] - 2 * a[i] + a[i + 1] } else { a[i] ^ 2 }])(w)"),
    ("jacobian(fn(a: real[4 * n + 8]) = [i < n + 2 | a[i + n] * a[i + 2]"
     " + a[i]])(u)"),
    ("jacobian(fn(a: real[4 * n + 8]) = [i < n + 2 | a[2 * i] * a[i]])(u"
     ")"),
    ("jacobian(fn(a: real[4 * n + 8]) = [i < n | a[i] * a[i + 1] + a[i +"
     " 2] * a[i + 3] + a[i + 4] * a[i + 5] + a[i + 6] * a[i + 7] + a[i +"
     " 8] * a[0]])(u)"),
    ("jacobian(fn(a: real[n + 2, m + 3]) = [i < n + 1, j < m + 2 | a[i +"
     " 1, j] * a[i, j + 1]])(A)"),
    ("jacobian(fn(a: real[n + 2]) = [i < n + 1, j < n + 1 | a[i] * a[j +"
     " 1]])(w)"),
    ("jacobian(fn(a: real[n + 2]) = [i < n + 2, j < n + 2 | a[i] + a[j]]"
     ")(w)"),
    ("jacobian(fn(a: real[n + 2]) = where(w > 0, a * w, 0) + where(w[0] "
     "> 0, a ^ 2, 0))(w)"),
    "jacobian(fn(a: real[n + 2]) = concat(a[1:] * w[1:], a[:1] ^ 2))(w)",
    ("jacobian(fn(a: real[n + 2]) = { let t = a[1:]; [i < n + 2 | if i >"
     " 0 { t[i - 1] * w[i] } else { 1 }] })(w)"),
    ("jacobian(fn(a: real[n + 2]) = jacobian(fn(b: real[n + 2]) = b ^ 2 "
     "* a)(a)')(w)"),
    ("jacobian(fn(a: real[n + 2]) = [i < n + 2, k < m + 3 | where(i == k"
     " + 1, a[i] * v[k], 2)])(w)"),
    "[i < n + 2, k < n + 3 | where(k == i + 1, w[i], 2)][1:, ::2]",
    ("[i < n + 2, k < n + 3 | where(k == i + 1, w[i] * v[0], where(k == "
     "p[i], w[i] * 2, 0))][1:]"),
    "[i < n + 2, k < n + 3 | where(k <= i, w[i], 0)][1:, 1:]",
    ("grad(fn(a: real[n + 2, m + 3]) = sum(a[1:] * [i < n + 1, k < m + 3"
     " | where(k == i, w[i] * v[k], 0)]))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(a[1:] * [i < n + 1, k < m + 3"
     " | where(k == i + 1, v[k], 0)]))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(a[:, 1:] * [i < n + 2, k < m "
     "+ 2 | where(k + 1 == i, w[i], 0)]))(A)"),
    ("jacobian(fn(a: real) = [i < n + 2, k < m + 3 | where(k == i, a * w"
     "[0], 0) + where(k == i, a, where(k + 1 == i + 1, a ^ 2, 0))])(w[0]"
     ")"),
    ("jacobian(fn(a: real) = exp(a) * [i < n + 2, k < m + 3 | where(k =="
     " i, w[i], 2)])(w[0])"),
    ("jacobian(fn(a: real) = exp(a) * [i < n + 2 | where(i == i + n - 2,"
     " w[i], 0)])(w[0])"),
    ("[i < n + 2, k < n + 13 | where(k == i + 9, 9, where(k == i + 8, 8,"
     " where(k == i + 7, 7, where(k == i + 6, 6, where(k == i + 5, 5, wh"
     "ere(k == i + 4, 4, where(k == i + 3, 3, where(k == i + 2, 2, where"
     "(k == i + 1, 1, where(k == i, w[i], 0))))))))))][1:]"),
};
enum { BANDED = sizeof banded / sizeof *banded };

/* Where something is the largest of its row, and products with that; roots of
 * squares and of others. */
static const char *const extremes[] = {
    ("grad(fn(a: real[n + 2, m + 3]) = sum([i < n + 2 | min(j < n + 2 | "
     "sum(k < m + 3 | (a[i, k] - B[j, k]) ^ 2))]))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(w * [i < n + 2 | max(j < n + "
     "2 | sum(k < m + 3 | a[i, k] * B[j, k]))]))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(v * max(B' @ a, axis = 1)))(A"
     ")"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(v / max(B' @ a, axis = 0)))(A"
     ")"),
    ("[i < n + 2, j < m + 3 | where(A[i, j] == max(k < m + 3 | where(A[i"
     ", k] < max(l < m + 3 | A[i, l]), A[i, k], -9)), v[j], 0)] @ [j < m"
     " + 3, i < n + 2 | B[i, j]]"),
    ("[i < n + 2, j < m + 3 | where(A[i, j] == max(k < m + 3 | A[i, k]),"
     " v[j], 0)] @ B'"),
    ("[i < n + 2, j < m + 3 | where(A[i, j] == max(k < m + 3 | A[i, k]),"
     " v[j], 2)] @ B'"),
    "[i < n + 2, j < m + 3 | where(A[i, j] == max(A), v[j], 0)] @ B'",
    ("[i < n + 2, j < m + 3 | where(A[i, j] >= max(k < m + 3 | A[i, k]),"
     " v[j], 0)] @ B'"),
    ("[i < n + 2, j < m + 3 | where(A[i, j] == sum(k < m + 3 | A[i, k]),"
     " v[j], 0)] @ B'"),
    ("[i < n + 2, j < m + 3 | where(floor(A[i, j] * 2) == max(k < m + 3 "
     "| floor(A[i, k] * 2)), v[j], 0)] @ B'"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(sqrt(sum(a * a, axis = 0)) * "
     "v))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(sqrt(sum(a * a, axis = 1)) * "
     "w))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = norm(a[:, 0] - w) * norm(a[1]))(A"
     ")"),
    "grad(fn(a: real[n + 2]) = norm(A' @ a))(w)",
    ("grad(fn(a: real[4 * n + 8]) = norm(reshape(a, [n + 2, 4]) @ [i < 4"
     " | u[i]]))(u)"),
    ("grad(fn(a: real[4 * n + 8]) = sum(sqrt(sum(reshape(a * u, [n + 2, "
     "4]) ^ 2, axis = 1)) * w))(u)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(v * sqrt(sum(a * a * exp(a * "
     "B), axis = 0))))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sum(w * sqrt(sum(exp(a) * cosh(B)"
     " + a * a * B * B, axis = 1))))(A)"),
    ("grad(fn(a: real[n + 2, m + 3]) = sqrt(sum(a * a / (B * B + 1)) + s"
     "um(exp(a))))(A)"),
    "jvp(fn(a: real[n + 2, m + 3]) = norm(a[1:] * 2))(A, B).1",
    ("jvp(fn(a: real[n + 2, m + 3]) = sum(w * sqrt(sum(reshape(a * a, [n"
     " + 2, m + 3]), axis = 1))))(A, B).1"),
    ("jvp(fn(a: real[4 * n + 8]) = sum(sqrt(sum(reshape(a * a, [n + 2, 4"
     "]), axis = 1)) * w))(u, u * u).1"),
    "[i < n + 2 | w[i] * real(n / 2 + m % 2 + 1)]",
    ("diagonal([i < n + 2, j < n + 2 | where(A[i] @ B[j] == A[j] @ B[i],"
     " w[i], 1)])"),
    "diagonal(where(A @ B' <= 1, A @ B', expand(w, 1)))",
};
enum { EXTREMES = sizeof extremes / sizeof *extremes };

/* Derivatives, which have a normal form; of products too long for it, too. */
#define MANY                                                                   \
    "(sin(s) * cos(s) * exp(s) * tanh(s) * atan(s) * erf(s) * sinh(s) * t * "  \
    "exp(t) * sin(t) * cos(t) * tanh(t) * atan(t) * erf(t))"
static const char *const derived[] = {
    "grad(fn(a: real[3, 3]) = sum(a * a' * y))(x)",
    "grad(fn(a: real[3, 3]) = sum(sqrt(a * a + 1) * y / (a' + 3)))(x)",
    "grad(fn(a: real[3, 3]) = sum(a * a * expand(v, 0) / expand(v, 1)))(x)",
    ("grad(fn(a: real[3, 3]) = sum(exp(x) * a / (a + 3) - a * exp(y) / (a + "
     "3)))(x)"),
    "grad(fn(a: real) = (a * s - t) / (a + s) ^ 2)(t)",
    "grad(fn(a: real) = sqrt(a * a) * s / a)(t)",
    "grad(fn(a: real) = sqrt(s * s) * a / s + sqrt(a * a) * t / a)(t)",
    "grad(fn(a: real) = a ^ 3 * s - a ^ 2 * t / a + 0.3 * a)(s)",
    "grad(fn(a: real) = a * (s + t) * (s - t) - a * s * s)(s)",
    "grad(fn(a: real) = s * a / (t * (a + 2)) - a / (a + 2))(s)",
    ("grad(fn(a: real) = a * a * " MANY ")(s)"),
    ("grad(fn(a: real) = 3 - a * a / " MANY ")(s)"),
    ("grad(fn(a: real) = where(t > 0, -a * " MANY " * (a + t), 0))(s)"),
    ("grad(fn(a: real) = a * sin(s) * (s + t + exp(t)) + a * cos(s) * (s - t + "
     "exp(s)) + a * exp(s) * (t + sin(t) + cos(t)))(t)"),
    "grad(fn(a: real) = exp(s) * a / t + a * t * sin(s))(s)",
    "grad(fn(a: real) = where(s > 0, a * t, 0) * where(t > 0, a, 0))(s)",
    "grad(fn(a: real) = where(s > 0, a * t, 0) + where(s > 0, a, 1))(s)",
    "grad(fn(a: real) = grad(fn(b: real) = sqrt(b * t + 3) * b)(a) * s)(s)",
    ("grad(fn(a: real[3, 3]) = sum([i, j | a[i, j] * sum(k | x[i, k] * "
     "exp(x[i, j] * y[j, k]))]) + sum([i, j | a[i, j] * sum(k | y[j, k] * "
     "exp(x[i, j] * y[j, k]))]))(x)"),
    "jacobian(fn(a: real[3]) = a * sum(a * v))(v)",
    "jacobian(fn(a: real[3]) = softmax(a) * v)(v)",
    "jacobian(fn(a: real[3]) = x @ (a / sqrt(sum(a * a) + 1)))(v)",
    "hessian(fn(a: real[3]) = sum(a * a * v) / (1 + sum(a * a)))(v)",
    ("jacobian(fn(a: real[3]) = [i < 3 | sum(j < 3 | where(i == j, a[i] * y[i, "
     "j], 0) * a[j])])(v)"),
};
enum { DERIVED = sizeof derived / sizeof *derived };

/* Sums of what is left when a mean is taken away. */
static const char *const centred[] = {
    ("grad(fn(b: real[3]) = sum((x - expand(sum(x, axis = 0) / 3, 1)) * "
     "expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((x - mean(x, axis = 1, keepdims = true)) "
     "* expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((x - mean(x, axis = 0, keepdims = true)) "
     "* expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((x - expand(sum(x, axis = 1) / 3, 1)) * "
     "expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((x - expand(max(x, axis = 1) / 3, 1)) * "
     "expand(b, 1)))(v)"),
    "grad(fn(a: real[3]) = sum((a - sum(a) / 3) ^ 2))(v)",
    "grad(fn(a: real[3]) = sum((a * a - mean(a)) ^ 2))(v)",
    ("grad(fn(b: real[3]) = sum(((x - mean(x, axis = 1, keepdims = true)) "
     "* expand(v, 1)) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((expand(v, 0) * (x - mean(x, axis = 1, "
     "keepdims = true))) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum(((x - mean(x, axis = 1, keepdims = true)) "
     "/ expand(v, 0)) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum(((x - mean(x, axis = 1, keepdims = true)) "
     "/ expand(v, 1)) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((expand(v, 1) * (x - mean(x, axis = 1, "
     "keepdims = true)) + s * (y - mean(y, axis = 1, keepdims = true))) * "
     "expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((-(x - mean(x, axis = 1, keepdims = "
     "true)) - y) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((y / s - (x - mean(x, axis = 1, keepdims "
     "= true))) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum(((x - mean(x, axis = 1, keepdims = true)) "
     "+ x) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum(((y - mean(y, axis = 1, keepdims = true)) "
     "- (x - mean(x, axis = 1, keepdims = true))) * expand(b, 1)))(v)"),
    ("grad(fn(b: real[3]) = sum((exp(x) + (x - mean(x, axis = 1, keepdims "
     "= true))) * expand(b, 1)))(v)"),
};
enum { CENTRED = sizeof centred / sizeof *centred };

static char indexed_params[] =
    "A: real[n + 2, m + 3], B: real[n + 2, m + 3], v: real[m + 3], "
    "w: real[n + 2], u: real[4 * n + 8], p: int[n + 2], q: int[m + 3], "
    "r: int[n + 2, m + 3]";

/* Reading */

static Arena *texts;

static char *trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && strchr(" \t\r\n", to[-1]))
        to--;
    texts = texts ? texts : arena_new();
    return arena_printf(texts, "%.*s", (int)(to - from), from);
}

static void add_identity(char *file, char *params, const char *text)
{
    const char *eq = strstr(text, " == ");

    if (!eq || nformulas + 2 > MAX_FORMULAS)
        return;
    formulas[nformulas++] = (Formula){file, params, trimmed(text, eq), false};
    formulas[nformulas++] =
        (Formula){file, params, trimmed(eq + 4, text + strlen(text)), false};
}

static void add_formula(char *params, const char *text, bool whole)
{
    formulas[nformulas++] =
        (Formula){NULL, params, trimmed(text, text + strlen(text)), whole};
}

static void read_formulas(void)
{
    /* Square ones have a second axis that fits. */
    static char params[] = "x: real[3, 4], y: real[3, 4], z: real[3, 1], "
                           "v: real[4], s: real, t: real";
    static char arrays[] = "w: real[100], z: real[n + 4]";
    static char square[] = "x: real[3, 3], y: real[3, 3], z: real[3, 1], "
                           "v: real[3], s: real, t: real";
    FILE *f = fopen("tests/identities.txt", "r");
    char line[MAX_TEXT], *file = NULL, *names = NULL;

    for (int i = 0; i < simplify_nrules; i++) {
        add_identity(NULL, params, simplify_rules[i].identity);
        add_identity(NULL, square, simplify_rules[i].identity);
    }
    for (int i = 0; i < PARTS; i++)
        add_formula(arrays, parts[i], true);
    for (int i = 0; i < PLACES; i++)
        add_formula(indexed_params, places[i], true);
    for (int i = 0; i < VIEWS; i++)
        add_formula(indexed_params, views[i], true);
    for (int i = 0; i < BANDED; i++)
        add_formula(indexed_params, banded[i], true);
    for (int i = 0; i < EXTREMES; i++)
        add_formula(indexed_params, extremes[i], true);
    for (int i = 0; i < DERIVED; i++)
        add_formula(square, derived[i], true);
    for (int i = 0; i < CENTRED; i++)
        add_formula(square, centred[i], true);
    for (int i = 0; i < OTHERS; i++) {
        add_formula(params, others[i], false);
        add_formula(square, others[i], false);
    }
    while (f && fgets(line, sizeof line, f)) {
        char *end = line + strlen(line);
        if (*line == '%')
            file = trimmed(line + 1, end);
        else if (*line == '@')
            names = trimmed(line + 1, end);
        else if (*line != '#')
            add_identity(file, names, line);
    }
    if (f)
        fclose(f);
}

/* Changing */

typedef struct Changes {
    Arena *arena;
    LIST(const char *) text;
} Changes;

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static size_t token_length(const char *s)
{
    size_t n = 0;

    while (is_word(s[n]))
        n++;
    return n ? n : 1;
}

static bool is_token(const char *s, size_t n, const char *token)
{
    return strlen(token) == n && strncmp(s, token, n) == 0;
}

/* text with the token of n bytes at `at` replaced, and once more with all that
 * are the same. */
static void replace(Changes *c, const char *text, size_t at, size_t n,
                    const char *by)
{
    Str all = str_new(c->arena);
    int count = 0;

    list_push(
        c->arena, &c->text,
        arena_printf(c->arena, "%.*s%s%s", (int)at, text, by, text + at + n));
    for (size_t i = 0, k; text[i]; i += k) {
        bool same;
        k = token_length(text + i);
        same = k == n && strncmp(text + i, text + at, n) == 0;
        if (same && count++ == 0 && i != at)
            return; /* done at the first */
        str_printf(&all, "%.*s", same ? (int)strlen(by) : (int)k,
                   same ? by : text + i);
    }
    if (count > 1)
        list_push(c->arena, &c->text, all.at);
}

/* What may stand in the place of each other. */
static const char *const families[][8] = {
    {"exp", "log", "sin", "tanh", "sqrt", "expm1", "sigmoid"},
    {"cos", "cosh", "abs", "sinh", "atan", "erf"},
    {"sum", "max", "mean", "logsumexp", "prod"},
    {"log1p", "softplus", "erfc", "tan"},
    {"max", "min", "hypot"},
    {"softmax", "log_softmax"},
    {"+", "-", "*", "/"},
    {"0", "1", "2"},
};
enum { NFAMILIES = sizeof families / sizeof *families };

static void change_in_families(Changes *c, const char *text, size_t at,
                               size_t n)
{
    for (int f = 0; f < NFAMILIES; f++) {
        bool member = false;
        for (int i = 0; i < 8 && families[f][i]; i++)
            member |= is_token(text + at, n, families[f][i]);
        for (int i = 0; member && i < 8 && families[f][i]; i++)
            if (!is_token(text + at, n, families[f][i]))
                replace(c, text, at, n, families[f][i]);
    }
}

/* The names of parameters: words before a colon. */
static void change_names(Changes *c, const char *params, const char *text,
                         size_t at, size_t n)
{
    char other[64];
    bool is_name = false;

    for (int pass = 0; pass < 2; pass++)
        for (const char *p = params; *p; p += token_length(p)) {
            size_t k = token_length(p);
            if (!is_word(*p) || p[k] != ':' || k >= sizeof other)
                continue;
            if (k == n && strncmp(p, text + at, n) == 0) {
                is_name = true;
            } else if (pass == 1 && is_name) {
                snprintf(other, sizeof other, "%.*s", (int)k, p);
                replace(c, text, at, n, other);
            }
        }
}

/* Another use of a call in the text: the whole, and the part taken off. */
static void use_twice(Changes *c, const char *text, size_t at, size_t n)
{
    const char *open = text + at + n;
    int depth = 0;
    size_t end = at + n;

    if (*open != '(' || !is_word(text[at]))
        return;
    do {
        depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
        end++;
    } while (depth > 0 && text[end]);
    if (depth == 0)
        list_push(c->arena, &c->text,
                  arena_printf(c->arena, "(%s) - %.*s", text, (int)(end - at),
                               text + at));
}

static Changes changed(Arena *a, const Formula *p)
{
    Changes c = {.arena = a};

    for (size_t at = 0; p->text[at];) {
        size_t n = token_length(p->text + at);
        change_in_families(&c, p->text, at, n);
        change_names(&c, p->params, p->text, at, n);
        use_twice(&c, p->text, at, n);
        at += n;
    }
    return c;
}

/* Evaluating */

typedef struct Side {
    Program *program;
    Diags *diags;
    Function *f;
    Node *root;
} Side;

static Side side_open(Arena *a, const char *file, bool plain)
{
    static const char text[] = "use nn;\n";
    CheckOptions o = {.real = DT_f64, .plain = plain};
    Side s = {.diags = diags_new(a)};

    s.program =
        file ? check_program(a, s.diags, file, NULL, 0, &o)
             : check_program(a, s.diags, "near.nn", text, sizeof text - 1, &o);
    ck_assert_ptr_nonnull(s.program);
    return s;
}

/* False where the text is no right program. */
static bool side_take(Side *s, const char *params, const char *text)
{
    Graph *g = program_module(s->program)->graph;
    Arena *a = graph_arena(g);
    const char *fn = arena_printf(a, "fn(%s) = %s", params, text);

    if (!program_alike(s->program, 1, &fn, &s->f) || s->f->nresult != 1 ||
        s->f->result[0].nleaf != 1)
        return false;
    s->root = s->f->result[0].leaf[0];
    simplify(g, 1, &s->root);
    if (!graph_is_plain(g))
        expand(g, 1, &s->root);
    return true;
}

static int64_t elements(const Function *f, const Node *n, const int64_t *size)
{
    int64_t count = 1, v;

    for (int k = 0; k < n->rank; k++) {
        ck_assert(dim_eval(n->dim[k], f->nvar, f->var, size, &v));
        count *= v;
    }
    return count;
}

static int64_t int_at(int point, int64_t k)
{
    return point == OUTSIDE ? k * 3 % 7 - 1 : (k + point) % 2;
}

static bool has_ints(const Function *f)
{
    for (int p = 0; p < f->nparam; p++)
        if (dtype_is_int(f->param[p].leaf[0]->dtype))
            return true;
    return false;
}

/* A number that depends on the place alone. */
static double number(int point, int param, int64_t k)
{
    uint64_t z = (uint64_t)(point * 1000003 + param * 1009) + (uint64_t)k;

    z = (z + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (double)((z ^ z >> 32) % 2000) / 1000 - (point ? 1 : -0.1);
}

static EvalStatus evaluate(Arena *a, const Side *s, int point, double **out)
{
    EvalInput in[32];
    int64_t size[32];
    const Function *f = s->f;

    for (int i = 0; i < f->nvar; i++)
        size[i] = 2 + (i + point) % 3;
    for (int p = 0; p < f->nparam; p++) {
        Node *leaf = f->param[p].leaf[0];
        int64_t n = elements(f, leaf, size);
        double *data = NEWN(a, double, n + 1);
        for (int64_t k = 0; k < n; k++)
            data[k] = dtype_is_int(leaf->dtype) ? (double)int_at(point, k)
                                                : number(point, p, k);
        in[p] = (EvalInput){leaf, data};
    }
    return eval_nodes(a, program_module(s->program)->graph, 1, &s->root,
                      f->nparam, in, f->nvar, f->var, size, out);
}

static int64_t result_elements(const Side *s, int point)
{
    int64_t size[32];

    for (int i = 0; i < s->f->nvar; i++)
        size[i] = 2 + (i + point) % 3;
    return elements(s->f, s->root, size);
}

static void compare(Arena *a, const char *text, const Side *made,
                    const Side *plain, int point)
{
    double *got, *want;

    if (evaluate(a, plain, point, &want) != EVAL_OK)
        return;
    ck_assert_int_eq(evaluate(a, made, point, &got), EVAL_OK);
    for (int64_t k = 0; k < result_elements(plain, point); k++)
        ck_assert_msg(!isfinite(want[k]) ||
                          fabs(got[k] - want[k]) <= 1e-9 * (1 + fabs(want[k])),
                      "%s: element %d is %.17g, and %.17g as written", text,
                      (int)k, got[k], want[k]);
}

START_TEST(near_misses_keep_their_value)
{
    const Formula *p = &formulas[_i];
    Arena *a = arena_new();
    Changes c = changed(a, p);
    Side made = side_open(a, p->file, false);
    Side plain = side_open(a, p->file, true);
    int right = 0;
    bool both = false;

    list_push(a, &c.text, p->text);
    for (int i = 0; i < c.text.n; i++) {
        both = side_take(&made, p->params, c.text.at[i]) &&
               side_take(&plain, p->params, c.text.at[i]);
        int points = both && has_ints(plain.f) ? POINTS + 1 : POINTS;
        right += both;
        for (int point = 0; both && point < points; point++)
            compare(a, c.text.at[i], &made, &plain, point);
    }
    ck_assert_msg(p->whole ? both : right > 0, "%s is no program", p->text);
    arena_free(a);
}
END_TEST

/* What is infinite or no number stays so: where something else than squares is
 * divided by, at 0; where a sum of nothing is asked for more than a share. */
#define ZERO "max(s - 9, 0)"
static const char *const infinite[] = {
    "exp(s - sin(logsumexp(v - inf)))",
    "grad(fn(b: real) = grad(fn(a: real) = t * log(a))(b))(" ZERO ")",
    "grad(fn(b: real) = grad(fn(a: real) = t / (s * s * a))(b))(" ZERO ")",
    ("grad(fn(b: real) = grad(fn(a: real) = t * log(s * s + a))(b))(" ZERO
     " - s * s)"),
    ("grad(fn(b: real) = grad(fn(a: real) = t * log(sum(v) + a))(b))(" ZERO
     " - sum(v))"),
    ("grad(fn(b: real) = grad(fn(a: real) = t * log(where(t > -9, a, a * a)))"
     "(b))(" ZERO ")"),
    "grad(fn(b: real) = grad(fn(a: real) = t * sqrt(a))(b))(" ZERO ")",
};
enum { INFINITE = sizeof infinite / sizeof *infinite };

START_TEST(what_is_no_number_stays_none)
{
    static const char params[] = "v: real[3], s: real, t: real";
    Arena *a = arena_new();
    Side made = side_open(a, NULL, false);
    double *got;

    ck_assert_msg(side_take(&made, params, infinite[_i]), "%s", infinite[_i]);
    for (int point = 0; point < POINTS; point++) {
        ck_assert_int_eq(evaluate(a, &made, point, &got), EVAL_OK);
        ck_assert_msg(!isfinite(*got), "%s: %g", infinite[_i], *got);
    }
    arena_free(a);
}
END_TEST

/* Derivatives near to those that have a form of their own, and by hand. */
static const char *const closed[][3] = {
    {"grad(fn(a: real[3, 3]) = sqrt(sum(a * a') + 9))(x)",
     "x' / sqrt(sum(x * x') + 9)"},
    {"grad(fn(a: real[3, 3]) = sqrt(sum(a * a)))(x)", "x / sqrt(sum(x * x))"},
    {"grad(fn(a: real[3, 3]) = sum(sqrt([i, j | 2 + sum(k | a[i, k] * a[k, "
     "j])])))(x)",
     "[i, j | sum(k | x[j, k] / sqrt(2 + sum(l | x[i, l] * x[l, k]))) / 2 + "
     "sum(k | x[k, i] / sqrt(2 + sum(l | x[k, l] * x[l, j]))) / 2]"},
    {"grad(fn(a: real[3, 3]) = sum(expand(v, 1) * (a / v)))(x)",
     "expand(v, 1) / v"},
    {"grad(fn(a: real[3, 3]) = sum(v * (a / v)))(x)", "0 * x + 1"},
    {"grad(fn(a: real[3, 3]) = sum(y * log(a * a)))(x)", "2 * y / x"},
    {"grad(fn(a: real[3, 3]) = sum(a' * log(a * a)))(x)",
     "log(x * x)' + 2 * x' / x"},
    {"grad(fn(a: real[3, 3]) = sum(exp(a - logsumexp(a')) * y))(x)",
     "exp(x - logsumexp(x)) * (y - sum(y * exp(x - logsumexp(x))))"},
    {"grad(fn(b: real[3, 3]) = { let h = [i < 3, j < 3, k < 3 | exp(x[i, j] * "
     "y[j, k])]; let q = [i, j | sum(k | h[i, j, k]) / 3]; sum([i, j, k | b[i, "
     "j] * (h[i, j, k] - q[i, j])]) })(y)",
     "0 * x"},
    {"grad(fn(b: real[3, 3]) = { let h = [i < 3, j < 3, k < 3 | exp(x[i, j] * "
     "y[j, k])]; let q = [i, j | sum(k | h[i, j, k]) / 3]; sum([i, j, k | b[i, "
     "j] * (h[i, j, k] - q[j, i])]) })(y)",
     "[i, j | sum(k | exp(x[i, j] * y[j, k]) - exp(x[j, i] * y[i, k]))]"},
    {"jvp(fn(a: real[n + 2, n + 2]) = solve_lower(a, w))(A @ A', B @ B').1",
     "-solve_lower(A @ A', [i < n + 2 | sum(j < n + 2 | where(j <= i, B[i] @ "
     "B[j], 0) * solve_lower(A @ A', w)[j])])",
     indexed_params},
    {"jvp(fn(a: real[n + 2, n + 2]) = solve_upper(a, w))(A @ A', B @ B').1",
     "-solve_upper(A @ A', [i < n + 2 | sum(j < n + 2 | where(i <= j, B[i] @ "
     "B[j], 0) * solve_upper(A @ A', w)[j])])",
     indexed_params},
};
enum { CLOSED = sizeof closed / sizeof *closed };

START_TEST(derivatives_have_their_closed_form)
{
    static const char square[] = "x: real[3, 3], y: real[3, 3], v: real[3]";
    const char *params = closed[_i][2] ? closed[_i][2] : square;
    Arena *a = arena_new();
    Side got = side_open(a, NULL, false), want = side_open(a, NULL, true);

    ck_assert_msg(side_take(&got, params, closed[_i][0]), "%s", closed[_i][0]);
    ck_assert_msg(side_take(&want, params, closed[_i][1]), "%s", closed[_i][1]);
    for (int point = 0; point < POINTS; point++)
        compare(a, closed[_i][0], &got, &want, point);
    arena_free(a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("near-misses");
    TCase *t = tcase_create("near");

    read_formulas();
    if (nformulas <= 2 * simplify_nrules) {
        fprintf(stderr, "run from the top of the project\n");
        return 1;
    }
    tcase_add_loop_test(t, near_misses_keep_their_value, 0, nformulas);
    tcase_add_loop_test(t, derivatives_have_their_closed_form, 0, CLOSED);
    tcase_add_loop_test(t, what_is_no_number_stays_none, 0, INFINITE);
    suite_add_tcase(s, t);
    return run_suite(s);
}
