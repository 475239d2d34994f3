/* test_check.c: what programs mean: values, signatures, errors, limits. */
#include "programs.h"
#include "suite.h"

#include <check.h>
#include <string.h>

/* Values: an expression without parameters, and what it is. */

static const char library[] =
    "use nn; use optim;\n"
    "const A = [[0.0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]];\n"
    "const v = [1.0, 2.0, 4.0];\n"
    "const k = [2, 0];\n"
    "const half = 1 / 2;\n"
    "struct P { a: real, b: real[2] }\n"
    "struct Q[n, T] { a: T, b: real[n] = 7 }\n"
    "const p = P(a = 3, b = [1, 2]);\n"
    "const s = [p, P(a = 5, b = [6, 7]), 2 * p];\n"
    "fn sq(x: real) -> real = x * x;\n"
    "fn poly(x: real, y: real) -> real = x ^ 3 * y + y;\n"
    "fn twice(f: fn(real) -> real, x: real) -> real = f(f(x));\n"
    "fn det(M: real[n, n]) -> real =\n"
    "  if n == 1 { M[0, 0] }\n"
    "  else { if n == 2 { M[0, 0] * M[1, 1] - M[0, 1] * M[1, 0] }\n"
    "  else { M[0, 0] * det(M[1:, 1:]) } };\n"
    "fn fact(x: real[n]) -> int = if n == 0 { 1 } else { n * fact(x[1:]) };\n"
    "fn size(x: real[n + 1, 2 * m]) -> int = n * 100 + m;\n"
    "fn mean_of(x: real[.., n]) -> real[..] = sum(x, axis = -1) / real(n);\n"
    "fn pick(x: real[n], i: int = -1) -> real = x[i];\n"
    "fn energy(p: P) -> real = p.a ^ 2 + dot(p.b, p.b);\n"
    "fn step(p: P, lr: real) -> real = "
    "energy(p - lr * grad(energy)(p));\n"
    "fn cube(x: real) -> real = x ^ 3;\n"
    "derivative cube(x; y, y_bar) = 30 * x ^ 2 * y_bar;\n"
    "fn both(x: real, y: real[n], k: int) -> real[n] =\n  x * y ^ real(k);\n"
    "derivative both(x, y, k; z, z_bar) =\n"
    "  (sum(z_bar * z) / x, x * real(k) * y ^ real(k - 1) * z_bar);\n";

static const struct {
    const char *expression;
    int n;
    double value[8];
} values[] = {
    {"1 + 2 * 3 ^ 2", 1, {19}},
    {"-2 ^ 2", 1, {-4}},
    {"7 / 2", 1, {3}},
    {"-7 / 2", 1, {-4}},
    {"-7 % 3", 1, {2}},
    {"7.0 / 2", 1, {3.5}},
    {"half * 3.0", 1, {1.5}},
    {"real(half)", 1, {0.5}},
    {"int(2.9)", 1, {2}},
    {"2 ^ 10", 1, {1024}},
    {"2 ^ -1 * 1.0", 1, {0.5}},
    {"real(k)", 2, {2, 0}},
    {"1 < 2 && 2 >= 2 || false", 1, {1}},
    {"!(1 == 2)", 1, {1}},
    {"int(1 != 2) + int(true)", 1, {2}},
    {"A[1, 2]", 1, {12}},
    {"A[-1, -1]", 1, {23}},
    {"A[1]", 4, {10, 11, 12, 13}},
    {"A[:, 1]", 3, {1, 11, 21}},
    {"A[1:, :2]", 4, {10, 11, 20, 21}},
    {"A[::2, 1::2]", 4, {1, 3, 21, 23}},
    {"A[0, ::-1]", 4, {3, 2, 1, 0}},
    {"A[0, -2:]", 2, {2, 3}},
    {"A[k, 1]", 2, {21, 1}},
    {"A[k][:, 1]", 2, {21, 1}},
    {"A[k, k]", 2, {22, 0}},
    {"A[k, [1, 3]]", 2, {21, 3}},
    {"A[1, k]", 2, {12, 10}},
    {"A[argmax(v), argmin(v)]", 1, {20}},
    {"A[[[0, 1], [2, 0]], 1]", 4, {1, 11, 21, 1}},
    {"sum(A)", 1, {138}},
    {"sum(A, axis = 0)", 4, {30, 33, 36, 39}},
    {"sum(A, axis = -1)", 3, {6, 46, 86}},
    {"sum(A, axis = (0, 1))", 1, {138}},
    {"sum(A, axis = 1, keepdims = true)[2, 0]", 1, {86}},
    {"prod(v)", 1, {8}},
    {"max(v)", 1, {4}},
    {"max(A, axis = 1)", 3, {3, 13, 23}},
    {"min(A, axis = 0)", 4, {0, 1, 2, 3}},
    {"max(v, 2)", 3, {2, 2, 4}},
    {"min(v, [3, 1, 5])", 3, {1, 1, 4}},
    {"mean(v)", 1, {7.0 / 3}},
    {"any(v > 3)", 1, {1}},
    {"all(v > 3)", 1, {0}},
    {"argmax(A)", 1, {11}},
    {"argmax(A, axis = 0)", 4, {2, 2, 2, 2}},
    {"exp(logsumexp(log(v)))", 1, {7}},
    {"v + A[:, :1]", 8, {1, 2, 4, 11, 12, 14, 21, 22}},
    {"v * 2", 3, {2, 4, 8}},
    {"[1, 2] + 0.5", 2, {1.5, 2.5}},
    {"v @ v", 1, {21}},
    {"A' @ v", 4, {100, 107, 114, 121}},
    {"v @ A", 4, {100, 107, 114, 121}},
    {"(A @ A')[1, 2]", 1, {10 * 20 + 11 * 21 + 12 * 22 + 13 * 23}},
    {"reshape(A, [4, -1])[3]", 3, {21, 22, 23}},
    {"transpose(A)[1]", 3, {1, 11, 21}},
    {"transpose(A, 1, 0)[1]", 3, {1, 11, 21}},
    {"broadcast(v, [2, 3])", 6, {1, 2, 4, 1, 2, 4}},
    {"concat(v, [8.0])", 4, {1, 2, 4, 8}},
    {"concat(A[:, :1], A[:, 3:], axis = 1)[1]", 2, {10, 13}},
    {"stack(v, v + 1, axis = 1)", 6, {1, 2, 2, 3, 4, 5}},
    {"pad(v, 1, 2)", 6, {0, 1, 2, 4, 0, 0}},
    {"flip(v)", 3, {4, 2, 1}},
    {"zeros([2]) + ones(2)", 2, {1, 1}},
    {"full([2], 3) / 2.0", 2, {1.5, 1.5}},
    {"iota(4) * 2", 4, {0, 2, 4, 6}},
    {"onehot(k, 3)", 6, {0, 0, 1, 1, 0, 0}},
    {"eye(2)", 4, {1, 0, 0, 1}},
    {"diag([3.0, 4.0])", 4, {3, 0, 0, 4}},
    {"trace(A[:, :3])", 1, {33}},
    {"outer([1.0, 2.0], [3.0, 4.0])", 4, {3, 4, 6, 8}},
    {"norm([3.0, 4.0])", 1, {5}},
    {"dot(v, [1, 2, 3])", 1, {17}},
    {"sum(softmax(A), axis = 1)", 3, {1, 1, 1}},
    {"exp(log_softmax(v * 0))", 3, {1.0 / 3, 1.0 / 3, 1.0 / 3}},
    {"clamp(v, 1.5, 3)", 3, {1.5, 2, 3}},
    {"where(v > 1.5, v, 0)", 3, {0, 2, 4}},
    {"if v[0] > 0 { 1.0 } else { 2 }", 1, {1}},
    {"(1, v).1", 3, {1, 2, 4}},
    {"{ let (a, b) = (2, 3.0); let c: real = 4; a * b + c }", 1, {10}},
    {"{ let ((a, (b, c)), d) = ((1, (2, 3)), 4); a - b * c + d }", 1, {-1}},
    {"{ let x = 1; let x = x + 1; x * 2.0 }", 1, {4}},
    {"{ fn f(x: real) -> real = x + 1; twice(f, 1) }", 1, {3}},
    {"{ let c = 5.0; twice(fn(x) = x * c, 2) }", 1, {50}},
    {"twice(sq, 3)", 1, {81}},
    {"twice(grad(sq), 3)", 1, {12}},
    {"twice(f = sq, x = 2)", 1, {16}},
    {"3 |> sq |> sq", 1, {81}},
    {"p.b", 2, {1, 2}},
    {"sum(p)", 1, {6}},
    {"dot(p, p)", 1, {14}},
    {"(p + 2 * p).b", 2, {3, 6}},
    {"sqrt(p * p).a", 1, {3}},
    {"(-p).b", 2, {-1, -2}},
    {"s[1].b", 2, {6, 7}},
    {"s[k[0]].b", 2, {2, 4}},
    {"s[1:][1].a", 1, {6}},
    {"sum(s)", 1, {36}},
    {"Q(a = v, b = [1, 2]).a", 3, {1, 2, 4}},
    {"Q[2, real](a = 1).b", 2, {7, 7}},
    {"det(A[1:, 2:])", 1, {12 * 23 - 13 * 22}},
    {"fact(ones(5))", 1, {120}},
    {"size(zeros([4, 10]))", 1, {305}},
    {"mean_of(A)", 3, {1.5, 11.5, 21.5}},
    {"mean_of(v)", 1, {7.0 / 3}},
    {"pick(v) + pick(v, 0)", 1, {5}},
    {"grad(sq)(5)", 1, {10}},
    {"grad(grad(poly, x), y)(2, 1)", 1, {12}},
    {"grad(poly, y, x)(2, 3).1", 1, {36}},
    {"value_and_grad(poly)(2, 3).0", 1, {27}},
    {"jvp(poly, x)(2, 3, 0.5).1", 1, {18}},
    {"jvp(poly, x, y)(2, 3, x_dot = 0, y_dot = 1).1", 1, {9}},
    {"vjp(sq)(3, y_bar = 10).1", 1, {60}},
    {"vjp(fn(x: real[n]) = x * x, x)(v, v).1", 3, {2, 8, 32}},
    {"grad(energy)(p).b", 2, {2, 4}},
    {"step(p, 0.5)", 1, {0}},
    {"grad(step, lr)(p, 0)", 1, {-56}},
    {"{ let x = 3.0; grad(fn(y) = x * y)(x) }", 1, {3}},
    {"grad(fn(x) = stop(x) * x)(4.0)", 1, {4}},
    {"stop(p).a", 1, {3}},
    {"grad(sin)(0)", 1, {1}},
    {"relu([-1.0, 2.0])", 2, {0, 2}},
    {"leaky_relu([-1.0, 2.0])", 2, {-0.01, 2}},
    {"mse(v, v + 2)", 1, {4}},
    {"cross_entropy(zeros([2, 4]), k)", 1, {1.3862943611198906}},
    {"accuracy([[0.0, 1, 3], [1, 0, 0]], k)", 1, {1}},
    {"he(8)", 1, {0.5}},
    {"xavier(3, 5)", 1, {0.5}},
    {"linear([1.0, 1], Linear(W = A[:2], b = ones(4)))", 4, {11, 13, 15, 17}},
    {"sgd(p, p, SgdState(), 0.5).0.b", 2, {0.5, 1}},
    {"momentum(p, p, MomentumState(v = p)).0.a", 1, {3 - 0.057}},
    {"adam(1.0, 2.0, AdamState(m = 0.0, v = 0.0), lr = 0.5).0", 1, {0.5}},
    {"sin(pi / 2) + real(inf > 1)", 1, {2}},
    {"atan2(1, 1) * 4 == pi", 1, {1}},
    {"u8(300 - 45) / u8(2)", 1, {127}},
    {"i64(3000000000) * 2", 1, {6e9}},
    {"einsum(\"ij,kj->ik\", A, A)[1, 2]",
     1,
     {10 * 20 + 11 * 21 + 12 * 22 + 13 * 23}},
    {"einsum(\"ij\", A)[1]", 4, {10, 11, 12, 13}},
    {"einsum(\"ba\", A)[1]", 3, {1, 11, 21}},
    {"einsum(\"ij->\", A)", 1, {138}},
    {"einsum(\"ii->i\", A[:, 1:])", 3, {1, 12, 23}},
    {"einsum(\"ii\", A[:, 1:])", 1, {36}},
    {"einsum(\"i,ij,j->\", v, A[:, :3], v)", 1, {770}},
    {"einsum(\"...j,j\", A, [1, 0, 0, 2.0])", 3, {6, 36, 66}},
    {"einsum(\"i,j\", v, v)[2]", 3, {4, 8, 16}},
    {"jacobian(fn(x: real[n]) = x * x)(v)", 8, {2, 0, 0, 0, 4, 0, 0, 0}},
    {"jacobian(fn(x: real[3]) = A[:, :3] @ x)(v)",
     8,
     {0, 1, 2, 10, 11, 12, 20, 21}},
    {"jacobian(fn(x: real[n]) = sum(x) * x[0])(v)", 3, {8, 1, 1}},
    {"jacobian(poly, y, x)(2, 3).1", 1, {36}},
    {"jacobian(fn(p: P) = p.a * p.b)(p)[1].b", 2, {0, 3}},
    {"jacobian(fn(p: P) = 2 * p)(p).b[1].b", 2, {0, 2}},
    {"jacobian(fn(x: real) = (x, x * v))(2.0).1", 3, {1, 2, 4}},
    {"hessian(fn(x: real[n]) = sum(x) ^ 3 + x[1] ^ 2)(v)",
     8,
     {42, 42, 42, 42, 44, 42, 42, 42}},
    {"hessian(poly, x, y)(2, 3).0.1", 1, {12}},
    {"hessian(poly, x, y)(2, 3).0.0", 1, {36}},
    {"hessian(energy)(p).a.a", 1, {2}},
    {"hessian(energy)(p).b[1].b", 2, {0, 2}},
    {"hessian(energy)(p).b[0].a", 1, {0}},
    {"hvp(energy)(p, 2 * p).b", 2, {4, 8}},
    {"hvp(poly, x, y)(2, 3, 1, v_y = 1).0", 1, {48}},
    {"hvp(fn(x: real[n]) = sum(x ^ 3))(v, v = [1, 1, 0])", 3, {6, 12, 0}},
    {"grad(hessian(fn(x) = x ^ 4))(2.0)", 1, {48}},
    /* of more factors than a divisor is looked at for */
    {"grad(grad(grad(grad(grad(grad(grad(grad(grad(grad(grad(grad("
     "fn(t: real) = 1 / t))))))))))))(2.0)",
     1,
     {479001600.0 / 8192}},
    {"grad(fn(x: real) = sum(jacobian(fn(y) = x * y * y)(v)))(2.0)", 1, {14}},
    {"remat(sq)(3)", 1, {9}},
    {"grad(remat(sq))(3)", 1, {6}},
    {"grad(fn(x) = remat(fn(y) = x * y * y)(x))(2.0)", 1, {12}},
    {"grad(grad(remat(fn(x) = exp(2 * x))))(0.0)", 1, {4}},
    {"jvp(remat(sq))(3, 2).1", 1, {12}},
    {"remat(energy)(p = p)", 1, {14}},
    {"cube(2)", 1, {8}},
    {"grad(cube)(2)", 1, {120}},
    {"grad(fn(x) = cube(x) * x)(2.0)", 1, {248}},
    {"jvp(cube)(2, 1).1", 1, {120}},
    {"grad(grad(cube))(2)", 1, {120}},
    {"grad(fn(x) = sum(both(x, v, 2)))(3.0)", 1, {21}},
    {"grad(fn(y: real[n]) = sum(both(3, y, 2)))(v)", 3, {6, 12, 24}},
    {"uniform(key(7), [3]) == uniform(key(7), [3])", 3, {1, 1, 1}},
    {"any(uniform(key(7), [3]) == uniform(key(8), [3]))", 1, {0}},
    {"uniform(split(key(7)).1) == uniform(split(key(7), 4)[1])", 1, {1}},
    {"abs(mean(normal(key(1), [4000]))) < 0.05", 1, {1}},
    {"abs(mean(normal(key(1), [4000]) ^ 2) - 1) < 0.05", 1, {1}},
    {"abs(mean(uniform(key(1), [40, 100])) - 0.5) < 0.02", 1, {1}},
    {"abs(mean(real(bernoulli(key(1), 0.3, [4000]))) - 0.3) < 0.02", 1, {1}},
    {"bernoulli(key(1), [0, 1])", 2, {0, 1}},
    {"bernoulli(key(1), 1.0)", 1, {1}},
};

START_TEST(values_are_right)
{
    ck_value(compile(library), values[_i].expression, values[_i].n,
             values[_i].value, 1e-7);
}
END_TEST

/* einsum with random texts against one sum over all axes at once. */

enum { EINSUMS = 80, MOST_OPERANDS = 3, MOST_AXES = 4 };

static char pick(uint32_t *seed, const char *among)
{
    *seed = *seed * 1664525u + 1013904223u;
    return among[(*seed >> 16) % strlen(among)];
}

/* b has 3 places, the others 2; z is what '...' stands for. */
static int places(char axis) { return axis == 'b' ? 3 : 2; }

static void put_subscript(Str *text, const char *axes)
{
    for (; *axes; axes++)
        str_printf(text, *axes == 'z' ? "..." : "%c", *axes);
}

/* before i_a, i_b after, bounded or not; nothing without axes. */
static void put_indices(Str *to, const char *before, const char *axes,
                        bool bounded, const char *after)
{
    for (const char *a = axes; *a; a++) {
        str_printf(to, "%s i_%c", a == axes ? before : ",", *a);
        if (bounded)
            str_printf(to, " < %d", places(*a));
    }
    str_printf(to, "%s", *axes ? after : "");
}

START_TEST(einsum_is_a_sum_of_products)
{
    static const char *const orders[] = {"abcz", "zcba", "bzac"};
    static const double yes = 1;
    uint32_t seed = (uint32_t)_i;
    char used[5] = "", out[5] = "", summed[5] = "";
    Str text = str_new(arena), product = str_new(arena), e = str_new(arena);
    int n = pick(&seed, "123") - '0';

    str_printf(&e, "{");
    for (int k = 0; k < n; k++) {
        char axes[MOST_AXES + 1] = "";

        for (int left = pick(&seed, "0123") - '0'; left > 0; left--) {
            char a[2] = {pick(&seed, "abcz"), '\0'};

            if (*a != 'z' || !strchr(axes, 'z'))
                strcat(axes, a);
            if (!strchr(used, *a))
                strcat(used, a);
        }
        str_printf(&text, k ? "," : "");
        put_subscript(&text, axes);
        str_printf(&e, " let x%d = reshape(sin(%d + real(iota(", k, k);
        for (const char *a = axes; *a; a++)
            str_printf(&e, "%d * ", places(*a));
        str_printf(&e, "1))), [");
        for (const char *a = axes; *a; a++)
            str_printf(&e, "%s%d", a == axes ? "" : ", ", places(*a));
        str_printf(&e, *axes ? "]);" : "1])[0];");
        str_printf(&product, "%sx%d", k ? " * " : "", k);
        put_indices(&product, "[", axes, false, "]");
    }
    for (const char *a = orders[pick(&seed, "012") - '0']; *a; a++)
        if (strchr(used, *a))
            strncat(pick(&seed, "01") == '0' ? out : summed, a, 1);
    str_printf(&text, "->");
    put_subscript(&text, out);
    str_printf(&e, " max(abs(einsum(\"%s\"", text.at);
    for (int k = 0; k < n; k++)
        str_printf(&e, ", x%d", k);
    str_printf(&e, ") - ");
    put_indices(&e, "[", out, true, " | ");
    put_indices(&e, "sum(", summed, true, " | ");
    str_printf(&e, "%s%s%s)) < 1e-5 }", product.at, *summed ? ")" : "",
               *out ? "]" : "");
    ck_value(compile(library), e.at, 1, &yes, 0.5);
}
END_TEST

/* Signatures: the last function that a program exports. */

static const struct {
    const char *program, *signature;
} signatures[] = {
    {"fn f(x: real[n]) -> real[n] = x; export f;",
     "f(x: real[n]; n) -> f: real[n]"},
    {"fn f(y: real[m], x: real[n, m]) -> real[n] = x @ y; export f as g;",
     "g(y: real[m], x: real[n, m]; m, n) -> f: real[n]"},
    {"fn f(x: real[n], y: real[n + 1]) -> real[2 * n + 1] = concat(x, y);"
     "export f;",
     "f(x: real[n], y: real[n + 1]; n) -> f: real[2*n + 1]"},
    {"fn f(x: f32, i: i64, u: u8[3], c: bool) = (x, i); export f;",
     "f(x: f32, i: i64, u: u8[3], c: bool; ) -> f_0: f32, f_1: i64"},
    {"fn f(x: real, y: real[n]) = x * sum(y); export grad(f);",
     "f_grad(x: real, y: real[n]; n) -> d_x: real"},
    {"fn f(x: real, y: real[n]) = x * sum(y);"
     "export value_and_grad(f, y, x) as g;",
     "g(x: real, y: real[n]; n) -> f: real, d_y: real[n], d_x: real"},
    {"fn f(x: real[n]) = x * x; export jvp(f);",
     "f_jvp(x: real[n], x_dot: real[n]; n) -> f: real[n], f_dot: real[n]"},
    {"fn f(x: real[n]) = x * x; export vjp(f, x) as g;",
     "g(x: real[n], y_bar: real[n]; n) -> f: real[n], x_bar: real[n]"},
    {"fn f(x: real) = x ^ 3; export grad(grad(f));",
     "f_grad_grad(x: real; ) -> d_x: real"},
    {"fn f(x: real) = x ^ 3; export value_and_grad(grad(f)) as g;",
     "g(x: real; ) -> f_grad: real, d_x: real"},
    {"export fn(x: real) = x as id;", "id(x: real; ) -> id: real"},
    {"struct S[n] { a: real[n], b: [(real, int); 4] }"
     "fn f(s: S[k]) -> real[k] = s.a; export f;",
     "f(s: S[k]; k) -> f: real[k]"},
    {"struct S { a: real[2] ~ uniform(-1, 1), b: real = 3 }"
     "export init(S);",
     "init(seed: key; ) -> init: S"},
    {"fn f(x: [[real; 2]; n]) = x[0]; export f;",
     "f(x: real[n, 2]; n) -> f: real[2]"},
    {"fn f(n: real[m]) = m; export f;", "f(n: real[m]; m) -> f: int"},
    {"fn f(x: real[m], n: int) -> real[n] = zeros(n); export f;",
     "f(x: real[m]; m, n) -> f: real[n]"},
    {"fn f(x: real[m], n: int) -> real = x[n]; export f;",
     "f(x: real[m], n: int; m) -> f: real"},
    {"fn f(n: int, x: real[n]) -> real = sum(x) * real(n); export grad(f, x);",
     "f_grad(x: real[n]; n) -> d_x: real[n]"},
    {"fn f(k: int, n: int = 3) -> real = sum(zeros(n)) + real(k); export f;",
     "f(k: int; n) -> f: real"},
    {"fn f(x: real[n], y: real[m]) -> real[n] = x * sum(y);"
     "export jacobian(f, x, y);",
     "f_jacobian(x: real[n], y: real[m]; n, m) -> jac_x: real[n, n], "
     "jac_y: real[n, m]"},
    {"fn f(x: real[n]) -> real = sum(x ^ 3); export hessian(f);",
     "f_hessian(x: real[n]; n) -> hess_x: real[n, n]"},
    {"fn f(x: real[n]) -> real = sum(x ^ 3); export hvp(f);",
     "f_hvp(x: real[n], v: real[n]; n) -> hv_x: real[n]"},
    {"fn f(x: real, v: real) -> real = x * v; export hvp(f, x, v) as h;",
     "h(x: real, v: real, v_x: real, v_v: real; ) -> hv_x: real, hv_v: real"},
    {"fn f(x: real, v: real) -> real = x * v; export hvp(f, x) as h;",
     "h(x: real, v: real, v2: real; ) -> hv_x: real"},
    {"struct P { a: real[2], b: real }"
     "fn g(p: P) -> real[3] = zeros(3) * p.b; export jacobian(g);",
     "g_jacobian(p: P; ) -> jac_p: [P; 3]"},
    {"fn f(y: real[n]) -> real[n] = y * y; export vjp(f);",
     "f_vjp(y: real[n], y_bar2: real[n]; n) -> f: real[n], y_bar: real[n]"},
    {"fn f(k: key, n: int) -> real[n] = normal(k, [n]); export f;",
     "f(k: key; n) -> f: real[n]"},
    {"fn f(x: real) -> real = x; export remat(f) as g;",
     "g(x: real; ) -> f: real"},
};

static void print_ports(Str *s, const Port *p, int n)
{
    for (int i = 0; i < n; i++)
        str_printf(s, "%s%s: %s", i ? ", " : "", p[i].name, p[i].type->text);
}

static const char *signature(const Function *f)
{
    Str s = str_new(arena);

    str_printf(&s, "%s(", f->name);
    print_ports(&s, f->param, f->nparam);
    str_printf(&s, "; ");
    for (int i = 0; i < f->nvar; i++)
        str_printf(&s, "%s%s", i ? ", " : "", dim_var_name(f->var[i]));
    str_printf(&s, ") -> ");
    print_ports(&s, f->result, f->nresult);
    return s.at;
}

START_TEST(signatures_are_right)
{
    Program *p = compile(signatures[_i].program);
    const Module *m;

    ck_assert_msg(p, "%s", messages());
    m = program_module(p);
    ck_assert_str_eq(signature(m->function.at[m->function.n - 1]),
                     signatures[_i].signature);
}
END_TEST

static void verify_function(Graph *g, const Function *f)
{
    for (int i = 0; i < f->nresult; i++)
        graph_verify(g, f->result[i].nleaf, f->result[i].leaf);
    for (int i = 0; i < f->nparam; i++)
        ck_assert_int_eq(f->param[i].nleaf, f->param[i].type->nleaf);
    for (int i = 0; i < f->nresult; i++)
        ck_assert_int_eq(f->result[i].nleaf, f->result[i].type->nleaf);
}

static const char training[] =
    "use nn; use optim;\n"
    "struct Net { l: Linear[4, 3] }\n"
    "fn logits(net: Net, x: real[b, 4]) = linear(x, net.l);\n"
    "fn loss(x: real[b, 4], net: Net, y: int[b]) -> real =\n"
    "  cross_entropy(logits(net, x), y);\n"
    "train loss(net) { optimizer = adam(lr = 0.25);\n"
    "                  metric = accuracy(logits); }\n";

START_TEST(training_is_three_functions)
{
    Program *p = compile(training);
    const Module *m;

    ck_assert_msg(p, "%s", messages());
    m = program_module(p);
    ck_assert_int_eq(m->function.n, 3);
    ck_assert_str_eq(signature(m->init),
                     "init(seed: key; ) -> net: Net, state: AdamState[Net]");
    ck_assert_str_eq(
        signature(m->training.at[0].step),
        "step(net: Net, state: AdamState[Net], x: real[b, 4], y: int[b], "
        "lr: real, beta1: real, beta2: real, eps: real; b) -> "
        "loss: real, net: Net, state: AdamState[Net]");
    ck_assert_str_eq(signature(m->training.at[0].evaluate),
                     "evaluate(net: Net, x: real[b, 4], y: int[b]; b) -> "
                     "loss: real, accuracy: real");
    ck_assert_str_eq(m->metric, "accuracy");
    ck_assert_int_eq(m->init->kind, FN_init);
    ck_assert_int_eq(m->training.at[0].step->kind, FN_step);
    ck_assert_int_eq(m->training.at[0].evaluate->kind, FN_evaluate);
    ck_assert_int_eq(m->training.at[0].step->result[0].in_place, -1);
    ck_assert_int_eq(m->training.at[0].step->result[1].in_place, 0);
    ck_assert_int_eq(m->training.at[0].step->result[2].in_place, 1);
    ck_assert(m->training.at[0].step->param[4].has_default &&
              !m->training.at[0].step->param[3].has_default);
    ck_assert(m->training.at[0].step->param[4].value == 0.25);
    ck_assert(m->training.at[0].step->param[6].value == 0.999);
    for (int i = 0; i < m->function.n; i++)
        verify_function(m->graph, m->function.at[i]);
}
END_TEST

static const char carrying[] =
    "use nn; use optim;\n"
    "struct Net { l: Linear[4, 3] }\n"
    "struct Seen { mean: real[4] = 0, n: int = 0 }\n"
    "fn logits(net: Net, seen: Seen, x: real[b, 4]) -> real[b, 3] =\n"
    "  linear(x - seen.mean, net.l);\n"
    "fn loss(net: Net, k: key, seen: Seen, x: real[b, 4], y: int[b],\n"
    "        beta: real = 0.5) -> (real, Seen) =\n"
    "  (beta * cross_entropy(logits(net, seen, x), y),\n"
    "   Seen(mean = mean(x, axis = 0), n = seen.n + 1));\n"
    "fn test(net: Net, seen: Seen, x: real[b, 4], y: int[b]) -> real =\n"
    "  cross_entropy(logits(net, seen, x), y);\n"
    "train loss(net) { optimizer = adam(lr = 0.25); state = seen; key = k;\n"
    "                  metrics = (accuracy(logits), accuracy(logits));\n"
    "                  evaluate = test; clip_norm = 1; clip_value = 0.5;\n"
    "                  accumulate = 4; }\n";

START_TEST(training_carries_what_is_asked)
{
    Program *p = compile(carrying);
    const Module *m;
    const Port *state;

    ck_assert_msg(p, "%s", messages());
    m = program_module(p);
    ck_assert_str_eq(signature(m->init),
                     "init(seed: key; ) -> net: Net, seen: Seen, "
                     "state: TrainState");
    ck_assert_str_eq(
        signature(m->training.at[0].step),
        "step(net: Net, seen: Seen, state: TrainState, x: real[b, 4], "
        "y: int[b], beta: real, lr: real, beta1: real, beta2: real, eps: real, "
        "clip_norm: real, clip_value: real, accumulate: int; b) -> "
        "loss: real, net: Net, seen: Seen, state: TrainState");
    ck_assert_str_eq(signature(m->training.at[0].evaluate),
                     "evaluate(net: Net, seen: Seen, x: real[b, 4], y: int[b], "
                     "beta: real; b) -> "
                     "loss: real, accuracy: real, accuracy_2: real");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(m->training.at[0].step->result[i + 1].in_place, i);
    state = &m->training.at[0].step->param[2];
    ck_assert_int_eq(state->type->npart, 5);
    ck_assert_str_eq(state->type->field[1], "key");
    ck_assert_str_eq(state->type->field[4], "count");
    ck_assert(m->training.at[0].step->param[5].has_default &&
              m->training.at[0].step->param[12].has_default);
    ck_assert(m->training.at[0].step->param[5].value == 0.5);
    ck_assert(m->training.at[0].step->param[12].value == 4);
    for (int i = 0; i < m->function.n; i++)
        verify_function(m->graph, m->function.at[i]);
}
END_TEST

START_TEST(derivatives_have_a_primal)
{
    Program *p = compile("fn f(x: real, y: real[n]) = x * sum(y * y);"
                         "export jvp(f, y, x) as g;");
    const Function *g, *f;

    ck_assert_msg(p, "%s", messages());
    g = program_module(p)->function.at[0];
    f = g->primal;
    ck_assert_int_eq(g->deriv, DERIV_jvp);
    ck_assert_int_eq(g->nby, 2);
    ck_assert_int_eq(g->by[0], 1);
    ck_assert_int_eq(g->by[1], 0);
    ck_assert_str_eq(signature(f), "f(x: real, y: real[n]; n) -> f: real");
    ck_assert_ptr_ne(f->param[0].leaf[0], g->param[0].leaf[0]);
}
END_TEST

/* Each mode, by one parameter and by two, takes and gives what its row says. */
START_TEST(modes_are_as_their_rows_say)
{
    const DerivMode *mode = &deriv_modes[_i];
    const char *head = "fn f(x: real, y: real[n]) = x * sum(y * y);";

    for (int nby = 1; nby <= 2; nby++) {
        Program *p = compile(arena_printf(arena, "%s export %s(f, y%s);", head,
                                          mode->name, nby == 2 ? ", x" : ""));
        const Function *g = p ? program_module(p)->function.at[mode->sparse]
                              : NULL; /* behind the pattern */
        int given = mode->whole || mode->sparse ? 1 : nby;
        int rows = mode->matrix && mode->second ? nby : 1;

        ck_assert_msg(g, "%s: %s", mode->name, messages());
        ck_assert_int_eq(deriv_named(mode->name), _i);
        ck_assert_str_eq(g->name, arena_printf(arena, "f_%s", mode->name));
        ck_assert_int_eq(g->deriv, _i);
        ck_assert_int_eq(g->nby, nby);
        ck_assert_int_eq(g->nparam, 2 + (mode->tangent                   ? nby
                                         : mode->adjoint || mode->sparse ? 1
                                                                         : 0));
        ck_assert_int_eq(g->nresult, mode->value + given * rows);
        ck_assert_int_eq(g->primal->deriv,
                         mode->second ? DERIV_grad : DERIV_none);
    }
    ck_assert_msg(!compile(arena_printf(
                      arena, "fn v(x: real[n]) = x * x; export %s(v, x);",
                      mode->name)) == mode->scalar,
                  "%s", mode->name);
}
END_TEST

START_TEST(dimensions_are_fixed)
{
    const char *const name[] = {"b", "q"};
    const int64_t size[] = {64, 1};
    CheckOptions o = {
        .real = DT_f32, .dim_name = name, .dim_value = size, .ndim = 1};
    const char *text = "fn f(x: real[b, n]) = sum(x, axis = 0); export f;";
    Program *p = compile_with(text, &o);

    ck_assert_msg(p, "%s", messages());
    ck_assert_str_eq(signature(program_module(p)->function.at[0]),
                     "f(x: real[64, n]; n) -> f: real[n]");
    o.ndim = 2;
    ck_assert_ptr_null(compile_with(text, &o));
}
END_TEST

START_TEST(expressions_share_parameters)
{
    Program *p = compile("use nn;");
    Function *f[2];
    const char *good[] = {"fn(A: real[n, m], v: real[m]) = "
                          "A @ v + grad(fn(x: real[m]) = 0 * v @ x)(v)[0]",
                          "fn(A: real[n, m], v: real[m]) = A @ v + 0 * v[0]"};
    const char *unknown[] = {"fn(x: real) = x", "fn(x: real) = y"};
    const char *broken[] = {"fn(x: real) = x +", "fn(x: real) = x"};

    ck_assert_msg(p, "%s", messages());
    ck_assert(program_alike(p, 2, good, f));
    ck_assert_ptr_eq(f[0]->param[0].leaf[0], f[1]->param[0].leaf[0]);
    ck_assert_int_eq(f[0]->nvar, 2);
    ck_assert(!program_alike(p, 2, unknown, f));
    ck_assert(!program_alike(p, 2, broken, f));
}
END_TEST

/* Programs that are refused, and the kind of the first message. */

static const struct {
    const char *program, *kind;
} refused[] = {
    {"fn f(x: real[n], y: real[m]) = x + y;", "shape-mismatch"},
    {"fn f(x: real[n, 2], y: real[3, 2]) = x * y;", "shape-mismatch"},
    {"fn f(x: real[n], y: real[m]) = x @ y;", "shape-mismatch"},
    {"fn f(x: real, y: real[m]) = x @ y;", "shape-mismatch"},
    {"fn f(x: real, n: int) = x * n;", "type-mismatch"},
    {"fn f(x: bool) = x + 1;", "type-mismatch"},
    {"fn f(n: int) = sin(n);", "type-mismatch"},
    {"fn f(n: int) = n && true;", "type-mismatch"},
    {"fn f(n: int, x: real) = n ^ 2.5;", "type-mismatch"},
    {"fn f(x: real) -> int = x;", "result-type"},
    {"fn f(x: real) { let y: bool = x; y }", "type-mismatch"},
    {"fn f(x: real) = if x { 1 } else { 2 };", "condition"},
    {"fn f(c: bool, x: real[n]) = if c { x } else { 0 };", "type-mismatch"},
    {"fn f(c: bool[n]) = if c { 1 } else { 0 };", "condition"},
    {"fn f(x: real) = where(x, 1, 2);", "condition"},
    {"fn f(x: real) = x / y;", "unknown-name"},
    {"fn f(x: rael) = x;", "unknown-type"},
    {"fn f(x: real) = x.y;", "unknown-field"},
    {"struct S { a: real } fn f(s: S) = s.b;", "unknown-field"},
    {"struct S { a: real } fn f(x: real) = S(b = x);", "unknown-field"},
    {"struct S { a: real } fn f(x: real) = S();", "missing-field"},
    {"struct S { a: real } fn f(x: int) = S(a = x);", "type-mismatch"},
    {"struct S[n] { a: real[n] } fn f(x: S) = x.a;", "type-arguments"},
    {"struct S[n] { a: real } fn f(x: real) = S(a = x);", "unsolved"},
    {"struct S { a: real, a: int }", "duplicate"},
    {"struct S { a: [S; 2] }", "recursive-struct"},
    {"struct S { a: T } struct T { a: S }", "recursive-struct"},
    {"struct real { a: int }", "duplicate"},
    {"fn f(x: real, x: int) = 1;", "duplicate"},
    {"fn f() = 1; fn f() = 2;", "duplicate"},
    {"fn f(x: real) = x; const c = f(1, 2);", "argument-count"},
    {"fn f(x: real) = x; const c = f();", "argument-count"},
    {"fn f(x: real) = x; const c = f(y = 2);", "argument-name"},
    {"fn f(x: real) = x; const c = f(1, x = 2);", "argument-twice"},
    {"fn f(x: real[n], y: real[n]) = x; const c = f([1], [1, 2]);", "argument"},
    {"fn f(x: real[2 * n]) = x; const c = f([1, 2, 3]);", "argument"},
    {"fn f(x: real[n * m]) = x; const c = f([1, 2, 3]);", "unsolved"},
    {"fn f(x: real[..], y: real[..]) = x; const c = f([1], [[1]]);",
     "argument"},
    {"fn f(g: fn(real) -> real) = g(1); const c = f(atan2);", "argument"},
    {"fn f(g: fn(real) -> real) = g(1); const c = f(3);", "argument"},
    {"const c = 3; const d = c(4);", "not-a-function"},
    {"const c = d; const d = c;", "circular-const"},
    {"const c: int = 1.5;", "type-mismatch"},
    {"const c = 3000000000; fn f(n: int) = n; const d = f(c);", "range"},
    {"const c = [1, [2]];", "shape-mismatch"},
    {"const c = [1, true];", "type-mismatch"},
    {"const c = [1, 2][2];", "index-range"},
    {"const c = [1, 2][-3];", "index-range"},
    {"const c = [1, 2][0:3];", "index-range"},
    {"const c = [1, 2][1:0];", "range"},
    {"const c = [1, 2][::0];", "range"},
    {"const c = [1, 2][0, 0];", "index"},
    {"const c = [1, 2][0.5];", "index"},
    {"const c = (1, 2)[0];", "index"},
    {"const c = (1, 2).2;", "tuple-part"},
    {"const c = { let (a, b) = (1, 2, 3); a };", "tuple-pattern"},
    {"const c = { let (a, (b, d)) = (1, 2); a };", "tuple-pattern"},
    {"const c = 1 / 0;", "zero-division"},
    {"const c = zeros([2 / 0]);", "zero-division"},
    {"const c = zeros([-1]);", "negative-dimension"},
    {"const c = zeros([1000000000, 1000000000]);", "too-large"},
    {"const c = sum([1], axis = 1);", "axis"},
    {"const c = sum([1], axis = (0, 0));", "axis"},
    {"const c = sum([1], axs = 1);", "argument-name"},
    {"const c = sum();", "argument-count"},
    {"const c = reshape([1, 2], [3]);", "shape-mismatch"},
    {"const c = concat([1], [[1]]);", "shape-mismatch"},
    {"const c = onehot(0.5, 3);", "type-mismatch"},
    {"const c = mean(3 > 2);", "type-mismatch"},
    {"const c = [1]';", "shape-mismatch"},
    {"struct S { a: int } const c = S;", "type-as-value"},
    {"const c = grad;", "derivative"},
    {"const c = grad(3);", "derivative"},
    {"fn f(x: real[n]) = x; const c = grad(f)([1, 2]);", "derivative"},
    {"fn f(n: int) = 1.0; const c = grad(f)(2);", "derivative"},
    {"fn f(x: real) = x; const c = grad(f, y);", "derivative"},
    {"fn f(x: real) = x; const c = grad(f, x, x);", "derivative"},
    {"fn f() = 1.0; const c = grad(f);", "derivative"},
    {"fn f(x: real) = x; const c = jvp(f)(1, [1]);", "argument"},
    {"const c = einsum(1);", "einsum"},
    {"fn f(n: int) -> real[n] = zeros(n);"
     "fn g(x: real[n]) -> real = sum(f(argmax(x)));",
     "dimension"},
    {"const c = fold(3);", "binder"},
    {"const c = \"text\";", "text"},
    {"fn f(x: real[n]) -> real = f(x) + 1; export f;", "too-deep"},
    {"export f;", "unknown-name"},
    {"export 3;", "export"},
    {"export sin;", "export"},
    {"export softmax;", "export"},
    {"fn f(x: real) = x; export f, f;", "export"},
    {"fn f(x: real) = x; export f, f as f_workspace;", "export"},
    {"fn f(x: real) = x; export f as module;", "export"},
    {"fn f(x: real) = x; export f as double;", "c-name"},
    {"fn f(x: real[n], n: real) = x; export f;", "dimension"},
    {"fn f(f: real) = f; export f;", "c-name"},
    {"struct S { a: real } export init(S);", "initialiser"},
    {"struct S { a: int ~ normal(0, 1) } export init(S);", "initialiser"},
    {"struct S { a: real ~ beta(0, 1) } export init(S);", "initialiser"},
    {"use nothing_there;", "file"},
    {"use nn as a; const c = a.b;", "unknown-name"},
    {"derivative f(x; y, y_bar) { x }", "custom-derivative"},
    {"fn f(x: real) = x; train f(x) { }", "setting"},
    {"", "empty"},
    {"const c = [];", ""},
    {"fn f(x: real) = (((", ""},
};

START_TEST(wrong_programs_are_refused)
{
    const char *text, *kind;

    ck_assert_msg(!compile(refused[_i].program), "%s", refused[_i].program);
    ck_assert_int_gt(diags_errors(diags), 0);
    text = messages();
    kind = strchr(text, '[');
    ck_assert_msg(kind, "%s", text);
    text = arena_printf(arena, "%.*s", (int)strcspn(text, "\n"), text);
    ck_assert_msg(strstr(text, arena_printf(arena, "[%s", refused[_i].kind)),
                  "%s\n%s", refused[_i].program, text);
}
END_TEST

/* Every prefix of a good program is refused or accepted, never worse. */
START_TEST(prefixes_end_well)
{
    const char *whole = _i ? carrying : training;

    for (size_t n = 1; n <= strlen(whole); n += 3) {
        const CheckOptions o = {.real = DT_f32};
        Arena *a = arena_new();

        check_program(a, diags_new(a), "test.nn",
                      arena_printf(a, "%.*s", (int)n, whole), n, &o);
        arena_free(a);
    }
}
END_TEST

static const char *repeat(const char *head, const char *each, int n,
                          const char *tail)
{
    Str s = str_new(arena);

    str_printf(&s, "%s", head);
    for (int i = 0; i < n; i++)
        str_printf(&s, each, i, i + 1);
    str_printf(&s, "%s", tail);
    return s.at;
}

START_TEST(long_programs_are_linear)
{
    enum { N = 20000 };

    ck_assert_ptr_nonnull(
        compile(repeat("fn f(x: real) -> real { let a0 = x; ",
                       "let a%2$d = a%1$d * sin(a%1$d); ", N, "a20000 }")));
    ck_assert_ptr_nonnull(compile(
        repeat("fn f(x: real) -> real = x", " + x", N, "; export grad(f);")));
}
END_TEST

START_TEST(growth_is_bounded)
{
    static const struct {
        const char *head, *each, *tail;
    } bombs[] = {
        {"fn f0(x: real) = x; ",
         "fn f%2$d(x: real) = f%1$d(x) + f%1$d(%2$d * x + 1);", ""},
        {"struct S0 { a: real } ", "struct S%2$d { a: S%1$d, b: S%1$d }", ""},
        {"fn f(x: real) { let t = (x, x); ",
         "let t%1$d%2$d = 0; let t = (t, t);", " sum(t) }"},
        {"fn f0(x: real[n]) = x;",
         "fn f%2$d(x: real[n]) = "
         "concat(f%1$d(x), f%1$d(x));",
         ""},
    };

    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++)
        compile(repeat(bombs[i].head, bombs[i].each, 64, bombs[i].tail));
    ck_assert_int_gt(diags_errors(diags), 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("check");
    TCase *t = tcase_create("programs");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, values_are_right, 0,
                        (int)(sizeof values / sizeof *values));
    tcase_add_loop_test(t, einsum_is_a_sum_of_products, 0, EINSUMS);
    tcase_add_loop_test(t, signatures_are_right, 0,
                        (int)(sizeof signatures / sizeof *signatures));
    tcase_add_loop_test(t, wrong_programs_are_refused, 0,
                        (int)(sizeof refused / sizeof *refused));
    tcase_add_test(t, training_is_three_functions);
    tcase_add_test(t, training_carries_what_is_asked);
    tcase_add_test(t, derivatives_have_a_primal);
    tcase_add_loop_test(t, modes_are_as_their_rows_say, DERIV_grad, NDERIVS);
    tcase_add_test(t, dimensions_are_fixed);
    tcase_add_test(t, expressions_share_parameters);
    tcase_add_loop_test(t, prefixes_end_well, 0, 2);
    tcase_add_test(t, long_programs_are_linear);
    tcase_add_test(t, growth_is_bounded);
    suite_add_tcase(s, t);
    return run_suite(s);
}
