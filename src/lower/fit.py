#!/usr/bin/env python3
"""fit.py NAME…: the coefficients of the minimax fits in this folder, made anew.

A fit is n(x)/d(x) of least relative error against f on [a, b], by Remez' exchange
in 60 digits (needs mpmath). fixed: both polynomials start with 1, and the others
of n are those that are printed first.
"""
import sys

from mpmath import mp, mpf, matrix, lu_solve
import mpmath as m

mp.dps = 60


def value(c, x):
    r = mpf(0)
    for k in reversed(c):
        r = r * x + k
    return r


class Fit:
    """n coefficients above, d below besides the 1 there; weight: of the error,
    relative to 1 (None: to f)."""

    def __init__(self, f, a, b, n, d=0, weight=None, fixed=False):
        self.f, self.a, self.b = f, mpf(a), mpf(b)
        self.n, self.d, self.fixed = n, d, fixed
        self.weight = weight or (lambda x: 1 / f(x))
        self.top, self.bottom = [mpf(0)] * n, [mpf(0)] * d

    def quotient(self, x):
        top, bottom = value(self.top, x), 1 + x * value(self.bottom, x)
        return ((1 + x * top) if self.fixed else top) / bottom

    def error(self, x):
        return (self.quotient(x) - self.f(x)) * self.weight(x)

    def solve(self, points):
        """Equal errors of alternating sign at the points."""
        size = self.n + self.d + 1
        for _ in range(1 if self.d == 0 else 12):
            a, b = matrix(size, size), matrix(size, 1)
            for i, x in enumerate(points):
                f, at = self.f(x), x if self.fixed else mpf(1)
                for j in range(self.n):
                    a[i, j] = at * x**j
                for j in range(self.d):
                    a[i, self.n + j] = -f * x ** (j + 1)
                below = 1 + x * value(self.bottom, x)
                a[i, size - 1] = (-1) ** i * below / self.weight(x)
                b[i] = f - 1 if self.fixed else f
            c = lu_solve(a, b)
            self.top = list(c[: self.n])
            self.bottom = list(c[self.n : size - 1])

    def run(self, rounds=10, grid=400):
        size = self.n + self.d + 1
        middle, half = (self.a + self.b) / 2, (self.b - self.a) / 2
        nodes = [middle - half * m.cos(m.pi * (i + mpf("0.5")) / grid) for i in range(grid)]
        points = [middle - half * m.cos(m.pi * (i + mpf("0.5")) / size) for i in range(size)]
        for _ in range(rounds):
            self.solve(points)
            errors = [self.error(x) for x in nodes]
            best = []
            for x, e in zip(nodes, errors):
                if best and (e > 0) == (best[-1][1] > 0):
                    if abs(e) > abs(best[-1][1]):
                        best[-1] = (x, e)
                else:
                    best.append((x, e))
            while len(best) > size:
                drop = 0 if abs(best[0][1]) < abs(best[-1][1]) else -1
                best.pop(drop)
            if len(best) < size:
                break
            points = [x for x, _ in best]
        return max(abs(e) for e in errors)


def root(f):
    """f of the square root of its argument."""
    return lambda z: f(m.sqrt(z))


SINE = root(lambda r: (m.sin(r) - r) / r**3)
COSINE = root(lambda r: (m.cos(r) - 1 + r**2 / 2) / r**4)
TANGENT = root(lambda r: m.tan(r) / r)
TANGENT_REST = root(lambda r: (m.tan(r) - r) / r**3)
ARCSINE = root(lambda x: (m.asin(x) - x) / x**3)
ARCTANGENT = root(lambda x: (m.atan(x) - x) / x**3)
ERF_SMALL = root(lambda x: m.erf(x) / x - 1)


def erf_whole(x):
    return -m.log(m.erfc(x)) / x if x > mpf(10) ** -15 else 2 / m.sqrt(m.pi) + x * 2 / m.pi


def erfcx_part(t):
    a = 4 * (1 + t) / (1 - t)
    return m.exp(a * a) * m.erfc(a) * (a + 4)


def erfcx_integral(k, c, shift):
    """The k-th integral of erfc, 1 or 2, times exp(a^2) (a + shift)^(k + 1)."""

    def part(t):
        a = c * (1 + t) / (1 - t)
        w0 = m.exp(a * a) * m.erfc(a)
        w1 = 1 / m.sqrt(m.pi) - a * w0
        return (w1 if k == 1 else (w0 - 2 * a * w1) / 4) * (a + mpf(shift)) ** (k + 1)

    return part


def excess_part(t):
    a = 4 * (1 + t) / (1 - t)
    y = a / m.sqrt(2)
    return (m.sqrt(2 / m.pi) / (m.exp(y * y) * m.erfc(y)) - a) * (a + mpf("1.25"))


def lgamma_part(t):
    y = t + mpf(7) / 4
    y += TINY**2 if abs((y - 1) * (y - 2)) < TINY**2 else 0
    return m.loggamma(y) / ((y - 1) * (y - 2))


def erf_weight(x):
    return m.erfc(x) * x / m.erf(x)


TINY, TURN = mpf(10) ** -8, (m.pi / 4 * mpf("1.001")) ** 2
EIGHTH = (m.tan(m.pi / 8) * mpf("1.0001")) ** 2


def fits():
    return {
        # trig.c
        "sin_short": Fit(SINE, TINY, TURN, 3, weight=root(lambda r: r**3 / m.sin(r))),
        "cos_short": Fit(COSINE, TINY, TURN, 3, weight=root(lambda r: r**4 / m.cos(r))),
        "tan_f64": Fit(TANGENT, TINY, TURN, 3, 3, fixed=True),
        "tan_f32": Fit(TANGENT_REST, TINY, TURN, 6, weight=root(lambda r: r**3 / m.tan(r))),
        "asin_f64": Fit(ARCSINE, TINY, 0.25, 12, weight=root(lambda x: x**3 / m.asin(x))),
        "atan_f64": Fit(ARCTANGENT, TINY, EIGHTH, 10, weight=root(lambda x: x**3 / m.atan(x))),
        # explog.c
        "inverse_root": Fit(lambda t: (t + mpf(3) / 2) ** (-mpf(1) / 3), -0.5, 0.5, 5),
        # gamma.c
        "lgamma_table": Fit(lgamma_part, -0.75, 0.75, 24),
        # erf.c
        "erf_f64": Fit(erf_whole, TINY, 5.93, 24, weight=erf_weight),
        "erf_f32": Fit(erf_whole, TINY, 3.93, 9, weight=erf_weight),
        "small_f64": Fit(ERF_SMALL, TINY, 0.25, 9, weight=root(lambda x: x / m.erf(x))),
        "small_f32": Fit(ERF_SMALL, TINY, 0.25, 5, weight=root(lambda x: x / m.erf(x))),
        "erfcx_f64": Fit(erfcx_part, -1, 1 - 1e-5, 24),
        "erfcx_f32": Fit(erfcx_part, -1, 1 - 1e-5, 12),
        "erfcx_1": Fit(erfcx_integral(1, 4, 1), -1, 1, 28),
        "erfcx_2": Fit(erfcx_integral(2, 4, "0.9"), -1, 1, 30),
        "excess_f64": Fit(excess_part, -1, 1, 32),
        "excess_f32": Fit(excess_part, -1, 1, 16),
    }


def main():
    known = fits()
    for name in sys.argv[1:] or known:
        fit = known[name]
        error = fit.run()
        print(f"{name}: error 2^{float(m.log(error, 2)):.1f}")
        for part in fit.top, fit.bottom:
            for c in part:
                print(f"    {float(c)!r},")


main()
