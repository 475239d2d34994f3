#!/usr/bin/env python3
"""closed.py: makes scalar.txt and matrix.txt beside it: functions in the
language with their values, gradients and Hessians at points, from derivatives
that SymPy takes of the same formulas. tests/unit/test_closed.c holds the
compiler to them. Not run by make; needs sympy.

A case is the function, then lines `NAME SIZE…: NUMBERS` for what it takes, by
the first of which it is differentiated, then `value:`, `gradient:` and
`hessian:`, and an empty line."""
import pathlib
import random

import mpmath
import sympy as sp

mpmath.mp.dps = 50
here = pathlib.Path(__file__).parent
t = sp.Symbol("t", positive=True)



class Whole(sp.Function):
    """floor, away from whole numbers."""

    def fdiff(self, argindex=1):
        return sp.Integer(0)


# How the language's functions read in SymPy.
words = {
    "expm1": lambda a: sp.exp(a) - 1,
    "log1p": lambda a: sp.log(1 + a),
    "rsqrt": lambda a: 1 / sp.sqrt(a),
    "cbrt": lambda a: a ** sp.Rational(1, 3),
    "sigmoid": lambda a: 1 / (1 + sp.exp(-a)),
    "softplus": lambda a: sp.log(1 + sp.exp(a)),
    "erfcx": lambda a: sp.exp(a**2) * sp.erfc(a),
    "ndtr": lambda a: sp.erfc(-a / sp.sqrt(2)) / 2,
    "log_ndtr": lambda a: sp.log(sp.erfc(-a / sp.sqrt(2)) / 2),
    "lgamma": sp.loggamma,
    "hypot": lambda a, b: sp.sqrt(a**2 + b**2),
    "logaddexp": lambda a, b: sp.log(sp.exp(a) + sp.exp(b)),
    "xlogy": lambda a, b: a * sp.log(b),
    "xlog1py": lambda a, b: a * sp.log(1 + b),
    "lbeta": lambda a, b: sp.loggamma(a) + sp.loggamma(b) - sp.loggamma(a + b),
    # away from kinks
    "abs": lambda a: sp.Piecewise((a, a > 0), (-a, True)),
    "max": lambda a, b: sp.Piecewise((a, a > b), (b, True)),
    "min": lambda a, b: sp.Piecewise((a, a < b), (b, True)),
    "where": lambda c, a, b: sp.Piecewise((a, c), (b, True)),
    "clamp": lambda a, b, c: sp.Piecewise((b, a < b), (c, a > c), (a, True)),
    "sign": lambda a: sp.Piecewise((1, a > 0), (-1, True)),
    "floor": lambda a: Whole(a),
    "mod": lambda a, b: a - b * Whole(a / b),
}

scalar = """
x + y * z
x - y / z
(x * y - z) / (x + y + 3)
-(x - y)^2 * (-z)
x^2 + y^3 + z^4
x^5 * y^(-2) * z
x^y + y^z
x^2.5 * y^0.5 * z^(-1.5)
(x^2 + y^2)^1.5 / z
2^x * y^z
x / (y / z) + (x / y) / z
1 / (1 / x + 1 / y + 1 / z)
(x + y) * (y + z) * (z + x)
(1 + x * (1 + y * (1 + z)))^3
x * y * z * x * y * z
(x - y) / (x + y) + (y - z) / (y + z)
1 / (1 + x^2) / (1 + y^2) / (1 + z^2)
sqrt(x) * sqrt(y) * sqrt(z)
sqrt(x * y + z^2) / x
rsqrt(x^2 + y^2 + z^2)
cbrt(x * y + z) - cbrt(z)
x / sqrt(x^2 + y^2 + z^2)
sqrt(x + sqrt(y + sqrt(z)))
exp(x) * exp(-y) * exp(z / 2)
exp(-(x^2 + y^2) / (2 * z^2)) / z
exp(exp(x / 4) - y * z)
expm1(x * y) - expm1(z)
exp(x + y) / exp(x - z)
log(x) + log(y) * log(z)
log(x * y / z)
log(x)^2 / x + y * z
x * log(x) + y * log(y) + z * log(z)
log1p(x * y) - log1p(z^2)
log(exp(x) + exp(y) + exp(z))
log(log(x + 2) + y) * z
sin(x) * cos(y) * tan(z / 4)
sin(x)^2 + cos(x)^2 + y * z
sin(x * y) / x + cos(z)^3
sin(cos(sin(x + y))) * z
tan(x / 3)^2 - 1 / cos(y / 3)^2 + z^2
cos(x) / sin(y) + sin(z) / z
asin(x / 4) + acos(y / 4) * atan(z)
atan(x * y) - atan(z / x)
atan2(x, y) * z + atan2(y - 3, z)
asin(sin(x / 2)) * acos(cos(y / 2)) + z^3
x * atan(y) - log(1 + y^2) / 2 + z
hypot(x, y) * hypot(y, z)
hypot(x - 2 * y, 3 * z)^3
sinh(x) * cosh(y) - tanh(z)
cosh(x)^2 - sinh(x)^2 + tanh(y * z)
log(cosh(x - y)) * z
tanh(x) * (1 - tanh(y)^2) * z
tanh(x + 2 * tanh(y + 3 * tanh(z)))
sigmoid(x) * (1 - sigmoid(y)) + sigmoid(-z)
sigmoid(x * y - z)^2
softplus(x) - softplus(-y) * softplus(z / 2)
x * sigmoid(1.5 * x) + y * z
-log(sigmoid(x)) - z * log(1 - sigmoid(y))
erf(x / 2) * erfc(y) + erf(z)
x * erf(x / sqrt(2)) + y * erfc(z) * exp(z^2)
erfcx(x) * y - erfcx(z / 2)
ndtr(x) * ndtr(-y) / ndtr(z)
log_ndtr(x - y) + z * log_ndtr(-z)
x * ndtr(x) + y * z
lgamma(x) + lgamma(y) * digamma(z)
lgamma(x + y) - lgamma(x) - lgamma(y) + z
digamma(x * y) - log(x * y) + z^2
lbeta(x, y) * z
logaddexp(x, y) * logaddexp(y, z)
logaddexp(2 * x, -y)^2 - z
xlogy(x, y) - xlog1py(y, z)
xlogy(x * y, z) / xlogy(y, x + 3)
max(x, y) * min(y, z) + x * z
max(x * y, z) / min(x, y + 5)
abs(x - y) * abs(y - z) + abs(z)
abs(x^3 - y)^1.5 * z
clamp(x * y, 0.25, 100) + clamp(z, -1, 0.125) * x
sign(x - y) * (x^2 + y^2) + z
floor(x + 0.3) * y + z^2
(x * y) % 0.7 + z^2
where(x > y, x^2 * y, y^2 * z)
where(x * y < z, sin(x), exp(y) * z) + x * y
if x > 2 { sqrt(x - 1) * y } else { log(x + 1) / y + z }
if x + y > z { x * y * z } else { x / y / z }
where(z > 0, x / z, y) * where(x > 10, y, x * x)
{ let r = x^2 + y^2; r * log(r) + z / r }
{ let a = x * y; let b = a * z; let c = a + b; a * b * c }
{ let s = sin(x); let c = cos(y); (s + c) / (s^2 + c^2) + z * s }
fold(i < 3, s = x | s * y + z)
fold(i < 4, s = x / 2 | sin(s) + y * z / 8)
fold(i < 2, s = x, p = y | (s + p, s * p * z)).1
sum(i < 4 | x^i * sin(y + real(i)) / (z + real(i)))
prod(i < 3 | x + real(i) * y - z / 4)
mean(i < 5 | (x * real(i) - y)^2) * z
exp(-x) * sin(3 * y) * z^2 + x * exp(y) / (1 + z^2)
(1 - x)^2 + 100 * (y - x^2)^2 + (1 - y)^2 * z
log(x) + x * y - sin(y) + z
x * y * sin(z) * exp(x * y) / sqrt(1 + x * y)
(exp(x) - exp(-x)) / (exp(y) + exp(-y)) * tanh(z)^3
1 / (exp(x / y) - 1) + z
sqrt(1 + x^2) - x * log(x + sqrt(1 + x^2)) + y / z
(x^2 * y - z)^3 / (1 + (x * z)^2)^2
"""


def formula(text, x, y, z):
    """A scalar expression of the language as SymPy's."""
    env = dict(words, sqrt=sp.sqrt, exp=sp.exp, log=sp.log, sin=sp.sin, cos=sp.cos,
               tan=sp.tan, asin=sp.asin, acos=sp.acos, atan=sp.atan, atan2=sp.atan2,
               sinh=sp.sinh, cosh=sp.cosh, tanh=sp.tanh, erf=sp.erf, erfc=sp.erfc,
               digamma=sp.digamma, x=x, y=y, z=z)

    def read(s):
        s = s.strip()
        if s.startswith("{"):  # lets
            *lets, last = s[1:-1].split(";")
            before = dict(env)
            for let in lets:
                name, value = let.strip()[4:].split("=", 1)
                env[name.strip()] = read(value)
            r = read(last)
            env.clear()
            env.update(before)
            return r
        if s.startswith("if "):
            c, rest = s[3:].split("{", 1)
            a, b = rest.split("} else {")
            return sp.Piecewise((read(a), read(c)), (read(b.rstrip("} ")), True))
        if s.startswith("fold("):
            return fold(s)
        if "| " in s:  # sum(i < n | e) * rest
            word, rest = s.split("(", 1)
            head, rest = rest.split("|", 1)
            depth = 0
            for end, c in enumerate(rest):
                depth += (c == "(") - (c == ")")
                if depth < 0:
                    break
            body, after = rest[:end], rest[end + 1:]
            n = int(head.split("<")[1])
            terms = [read(body.replace("real(i)", str(i)).replace("x^i", "x^%d" % i))
                     for i in range(n)]
            r = sp.prod(terms) if word == "prod" else sum(terms)
            return read_plain("V" + after, V=r / n if word == "mean" else r)
        return read_plain(s)

    def fold(s):
        inner, _, which = s[5:].rpartition(")")
        head, body = inner.split("|")
        n, *starts = head.split(",")
        before = dict(env)
        state = []
        for start in starts:
            name, value = start.split("=")
            state.append(name.strip())
            env[name.strip()] = read(value)
        parts = [body] if len(state) == 1 else body.strip()[1:-1].split(",")
        for _ in range(int(n.split("<")[1])):
            env.update(zip(state, [read(p) for p in parts]))
        r = env[state[int(which[1:]) if which else 0]]
        env.clear()
        env.update(before)
        return r

    def read_plain(s, **more):
        s = s.replace("^", "**")
        if "%" in s:
            a, b = s.split("%")
            b, rest = b.strip().split(" ", 1)
            s = "mod(%s, %s) %s" % (a, b, rest)
        return eval(exact(s), {"Rational": sp.Rational}, dict(env, **more))

    return read(text)


def exact(s):
    """Numbers as rationals."""
    import re
    return re.sub(r"(?<![\w.])(\d+\.?\d*)(?![\w.])", r"Rational('\1')", s)


def digits(v):
    return mpmath.nstr(v, 20, min_fixed=-3, max_fixed=4)


def numbers(name, sizes, values):
    head = " ".join([name] + [str(s) for s in sizes])
    return "%s: %s\n" % (head, " ".join(digits(mpmath.mpf(v)) for v in values))


def write_case(to, text, e, variables, args, limits=False):
    """args: (name, sizes, values, symbols), that of the variables first."""
    g = [sp.diff(e, v) for v in variables]
    h = [[sp.diff(a, v) for v in variables[:i + 1]] for i, a in enumerate(g)]
    given = {s: sp.Rational(v) for _, _, vs, ss in args for s, v in zip(ss, vs)}

    flat = [e] + g + [b for row in h for b in row]
    if limits:  # at a removable singularity
        at = {s: v + t * (k + 1) for k, (s, v) in enumerate(given.items())}
        found = [sp.limit(sp.simplify(a.subs(at)), t, 0, "+") for a in flat]
        values = [mpmath.mpf(sp.N(v, 40)) for v in found]
    else:
        names = list(given)
        f = sp.lambdify(names, flat, [{"Whole": mpmath.floor}, "mpmath"], cse=True)
        values = f(*[mpmath.mpf(v.p) / v.q for v in given.values()])
    n = len(variables)
    row = iter(values[1 + n:])
    half = [[next(row) for _ in range(i + 1)] for i in range(n)]
    full = [half[max(i, k)][min(i, k)] for i in range(n) for k in range(n)]
    to.write(text + "\n")
    for name, sizes, vs, _ in args:
        to.write(numbers(name, sizes, vs))
    to.write(numbers("value", [], values[:1]))
    to.write(numbers("gradient", [], values[1:1 + n]))
    to.write(numbers("hessian", [], full) + "\n")


points = [("1.25", "0.75", "1.5"), ("0.5", "2.25", "0.625"), ("2.5", "1.125", "0.375")]

# Removable singularities: the limits there.
special = [
    ("x^2 * log(x^2 + y^2 + z^2 + 1)", ("0", "0", "0")),
    ("(1 + sqrt(x^2 + y^2 + z^2)) * exp(-sqrt(x^2 + y^2 + z^2))", ("0", "0", "0")),
    ("(x^2 + y^2 + z^2)^1.5", ("0", "0", "0")),
    ("x^3 * y^2 * z", ("0", "0", "2")),
    ("x^2 * sqrt(x^2 + y^2)", ("0", "0", "1")),
]


def scalars():
    x, y, z = sp.symbols("x y z", real=True)
    with open(here / "scalar.txt", "w") as to:
        todo = [(s, p, False) for s in scalar.strip().split("\n") for p in points]
        todo += [(s, p, True) for s, p in special]
        for s, p, limits in todo:
            body = s[1:-1].strip() if s.startswith("{") else s
            text = ("fn f(v: real[3]) -> real { let x = v[0]; let y = v[1]; "
                    "let z = v[2]; %s }" % body)
            write_case(to, text, formula(s, x, y, z), [x, y, z],
                       [("v", [3], p, [x, y, z])], limits)
    return len(scalar.strip().split("\n"))


# Matrices


def inverse(A):
    return A.adjugate() / A.det(method="berkowitz")


def cholesky(A):
    n = A.rows
    L = sp.zeros(n, n)
    for i in range(n):
        for j in range(i + 1):
            s = A[i, j] - sum(L[i, k] * L[j, k] for k in range(j))
            L[i, j] = sp.sqrt(s) if i == j else s / L[j, j]
    return L


def every(f, *A):
    return sp.Matrix(A[0].rows, A[0].cols, lambda i, j: f(*[a[i, j] for a in A]))


def total(A):
    return sum(list(A))


def norm(A):
    return sp.sqrt(total(every(lambda a: a**2, A)))


def lse(v):
    return sp.log(total(every(sp.exp, v)))


def softmax(v):
    e = every(sp.exp, v)
    return e / total(e)


def power_sum(A, n):
    r = A
    for _ in range(n - 1):
        r = r * A
    return r.trace()


hadamard = lambda A, B: every(lambda a, b: a * b, A, B)
sigmoid = words["sigmoid"]

# (types of X and of what is constant, the function, the same in SymPy)
matrix = [
    ("X[3] A[3,3]", "dot(X, A @ X)", lambda X, A: (X.T * A * X)[0]),
    ("X[3] A[3,3] b[3]", "0.5 * sum((A @ X - b)^2)", lambda X, A, b: total(every(lambda a: a**2, A * X - b)) / 2),
    ("X[3] b[3]", "dot(X, b) / (norm(X) * norm(b))", lambda X, b: (X.T * b)[0] / (norm(X) * norm(b))),
    ("X[4]", "norm(X)", lambda X: norm(X)),
    ("X[4]", "norm(X)^3 + 1 / norm(X)", lambda X: norm(X)**3 + 1 / norm(X)),
    ("X[3] A[4,3] b[4]", "logsumexp(A @ X + b)", lambda X, A, b: lse(A * X + b)),
    ("X[4] b[4]", "dot(softmax(X), b)", lambda X, b: (softmax(X).T * b)[0]),
    ("X[4] b[4]", "-sum(b * log(softmax(X)))", lambda X, b: -(b.T * every(sp.log, softmax(X)))[0]),
    ("X[3] A[4,3] y[4]", "sum(log(1 + exp(-y * (A @ X))))", lambda X, A, y: total(every(lambda a: sp.log(1 + sp.exp(-a)), hadamard(y, A * X)))),
    ("X[3] A[4,3]", "sum(tanh(A @ X))", lambda X, A: total(every(sp.tanh, A * X))),
    ("X[3] A[3,3] B[3,3]", "dot(sigmoid(A @ X), B @ X)", lambda X, A, B: (every(sigmoid, A * X).T * (B * X))[0]),
    ("X[4]", "sum(X^4)", lambda X: total(every(lambda a: a**4, X))),
    ("X[4]", "prod(X) + sum(X)^3", lambda X: sp.prod(list(X)) + total(X)**3),
    ("X[4]", "std(X) + mean(X)^2", lambda X: sp.sqrt(total(every(lambda a: (a - total(X) / 4)**2, X)) / 4) + (total(X) / 4)**2),
    ("X[4]", "sum(cumsum(X)^2) + dot(cumprod(X), X)", lambda X: sum((sum(X[:i + 1]))**2 + sp.prod(X[:i + 1]) * X[i] for i in range(4))),
    ("X[3] a[3] A[3,3]", "dot(a, solve(A + outer(X, X), X))", lambda X, a, A: (a.T * inverse(A + X * X.T) * X)[0]),
    ("X[2,2] A[2,2]", "trace(X' @ A @ X)", lambda X, A: (X.T * A * X).trace()),
    ("X[2,3] A[3,2] B[2,2]", "trace(A @ B @ X)", lambda X, A, B: (A * B * X).trace()),
    ("X[2,2]", "trace(X @ X @ X)", lambda X: power_sum(X, 3)),
    ("X[2,2]", "trace(X @ X') * sum(X)", lambda X: (X * X.T).trace() * total(X)),
    ("X[2,2]", "det(X)", lambda X: X.det()),
    ("X[3,3]", "det(X)", lambda X: X.det()),
    ("X[2,2]", "log(det(X)^2)", lambda X: sp.log(X.det()**2)),
    ("X[3,3]", "logdet(X)", lambda X: sp.log(X.det()**2) / 2),
    ("X[2,2]", "logdet(X' @ X)", lambda X: sp.log(X.det()**2)),
    ("X[2,2] b[2]", "dot(b, inv(X) @ b)", lambda X, b: (b.T * inverse(X) * b)[0]),
    ("X[3,3]", "trace(inv(X))", lambda X: inverse(X).trace()),
    ("X[2,2] A[2,2]", "trace(inv(X) @ A)", lambda X, A: (inverse(X) * A).trace()),
    ("X[2,2] A[2,2]", "sum(inv(X @ X' + A))", lambda X, A: total(inverse(X * X.T + A))),
    ("X[3,3] a[3] b[3]", "dot(a, solve(X, b))", lambda X, a, b: (a.T * inverse(X) * b)[0]),
    ("X[2,2] A[2,2]", "sum(solve(X, A)^2)", lambda X, A: total(every(lambda a: a**2, inverse(X) * A))),
    ("X[2,2] A[2,2]", "sum(cholesky(X @ X' + A' @ A))", lambda X, A: total(cholesky(X * X.T + A.T * A))),
    ("X[2,2]", "sum(log(diagonal(cholesky(X' @ X))))", lambda X: sp.log(X.det()**2) / 2),
    ("X[2,2]", "norm(X @ X - X')", lambda X: norm(X * X - X.T)),
    ("X[2,2] A[2,2]", "sum(X * A * X) / sum(A * X')", lambda X, A: total(hadamard(hadamard(X, A), X)) / total(hadamard(A, X.T))),
    ("X[2,2] A[2,3] W[2,3]", "sum([i < 2, k < 2, j < 3, l < 3 | X[i, k] * A[j % 2, l] * X[k, i] * W[i, j]])", lambda X, A, W: sum(X[i, k] * A[j % 2, l] * X[k, i] * W[i, j] for i in range(2) for k in range(2) for j in range(3) for l in range(3))),
    ("X[2,2] A[2,2]", "sum([i < 2, j < 2, k < 2, l < 2 | (X[i, j] * A[k, l] - X[k, l])^2])", lambda X, A: total(every(lambda a: a**2, sp.Matrix(4, 4, lambda r, c: X[r // 2, c // 2] * A[r % 2, c % 2] - X[r % 2, c % 2])))),
    ("X[2,2] A[3,2] b[3,2]", "0.5 * sum((A @ X - b)^2) + 0.125 * norm(X)^2", lambda X, A, b: total(every(lambda a: a**2, A * X - b)) / 2 + total(every(lambda a: a**2, X)) / 8),
    ("X[2,3] x[2] y[3]", "sum(max(x @ X, -9) * softmax(y * (x @ X)))", lambda X, x, y: total(hadamard((x.T * X).T, softmax(hadamard(y, (x.T * X).T))))),
    ("X[2,2] u[2] v[2]", "dot(u, exp(X) @ v) / sum(exp(X) @ v)", lambda X, u, v: (u.T * every(sp.exp, X) * v)[0] / total(every(sp.exp, X) * v)),
    ("X[3,2] y[3]", "sum(i < 3 | logsumexp(X[i]) - X[i, i % 2]) + dot(y, X @ X[1])", lambda X, y: sum(lse(X[i, :]) - X[i, i % 2] for i in range(3)) + (y.T * X * X[1, :].T)[0]),
    ("X[2,2]", "sum(triu(X @ X)) - sum(tril(X' @ X))", lambda X: sum((X * X)[i, j] for i in range(2) for j in range(i, 2)) - sum((X.T * X)[i, j] for i in range(2) for j in range(i + 1))),
]


def drawn(rng, sizes):
    """Multiples of 1/64; near a multiple of one where it is square."""
    n = sp.prod(sizes)
    v = [rng.randrange(16, 160) / 64 * (1 if rng.randrange(4) else -1) for _ in range(n)]
    if len(sizes) == 2 and sizes[0] == sizes[1]:
        for i in range(sizes[0]):
            v[i * sizes[1] + i] = abs(v[i * sizes[1] + i]) + 3
    return [sp.Rational(a) for a in v]


def matrices():
    rng = random.Random(1)
    with open(here / "matrix.txt", "w") as to:
        for types, text, f in matrix:
            args, symbols, params = [], [], []
            for p in types.split():
                name, size = p.rstrip("]").split("[")
                sizes = [int(s) for s in size.split(",")]
                n = int(sp.prod(sizes))
                s = sp.symbols(" ".join("%s_%d" % (name, i) for i in range(n)), real=True)
                s = [s] if n == 1 else list(s)
                args.append((name, sizes, drawn(rng, sizes), s))
                symbols.append(sp.Matrix(sizes[0], n // sizes[0], s))
                params.append("%s: real[%s]" % (name, size.replace(",", ", ")))
            head = "fn f(%s) -> real = %s;" % (", ".join(params), text)
            write_case(to, head, f(*symbols), args[0][3], args)
    return len(matrix)


if __name__ == "__main__":
    print(scalars(), "scalar expressions")
    print(matrices(), "matrix expressions")
