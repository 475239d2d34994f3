#!/usr/bin/env python3
"""The values of tests/e2e/std-factors.sh, by numpy and scipy."""
import json

import numpy as np
import scipy.linalg


def matrix(m, n):
    i, j = np.indices((m, n)).astype(float)
    return np.sin(3 * i + 5 * j + i * j) + 2 * np.eye(m, n)


def show(name, arguments, *values):
    def listed(x):
        return x.tolist() if isinstance(x, np.ndarray) else float(x)

    keys = [name if len(values) == 1 else f"{name}_{k}" for k in range(len(values))]
    print(f"near '{json.dumps(dict(zip(keys, map(listed, values))))}' {name} {arguments}")


def signs(V):
    return np.where(V.sum(axis=0) < 0, -1, 1)


def by_reflections(m, n):
    A = matrix(m, n)
    b = np.cos(np.arange(m))
    Q, R = np.linalg.qr(A)
    show("by_reflections", f"m={m} n={n}", Q[-1], R[0], R[n - 1], np.linalg.lstsq(A, b, rcond=None)[0])


def of_few_rows(m, n):
    show("of_few_rows", f"m={m} n={n}", np.linalg.lstsq(matrix(m, n), np.cos(np.arange(m)), rcond=None)[0])


def by_rotations(m, n):
    A = matrix(m, n)
    S = A.T @ A
    w, V = np.linalg.eigh(S)
    U, s, Wt = np.linalg.svd(A, full_matrices=False)
    by = signs(Wt.T)
    show("by_rotations", f"m={m} n={n}", w, (V * signs(V))[0], s, (U * by)[0], (Wt.T * by)[0],
         np.linalg.pinv(A)[0])


def deficient(m, n):
    A = matrix(m, n)
    A[:, 1] = A[:, 0]
    show("deficient", f"m={m} n={n}", np.linalg.pinv(A)[0], np.linalg.pinv(A.T)[0],
         np.linalg.svd(A)[1][:-1])


def exponential(n, scale):
    show("exponential", f"n={n} scale={scale}", scipy.linalg.expm(scale * matrix(n, n))[0])


def banded(k, n):
    d, j = np.indices((2 * k + 1, n)).astype(float)
    bands = np.sin(5 * d + 3 * j + d * j) + 0.3 * (d == k)
    show("banded", f"k={k} n={n}", scipy.linalg.solve_banded((k, k), bands, np.cos(np.arange(n))))


def transforms(n):
    x = np.cos(3 * np.arange(n)) + np.arange(n) % 5
    z = x + 1j * np.sin(np.arange(n) ** 2 % 7)
    y = np.fft.fft(z)
    k = n // 3
    pair = [y[k].real, y[k].imag, y[n - 1].real, y[n - 1].imag]
    r = np.fft.rfft(x)
    show("transforms", f"n={n}", np.array(pair), np.array([r[-1].real, r[-1].imag]),
         np.array([np.fft.irfft(r, n // 2 * 2 + 1)[n // 2]]))


by_reflections(4, 3)
by_reflections(23, 17)
of_few_rows(3, 4)
of_few_rows(7, 18)
by_rotations(4, 3)
by_rotations(21, 19)
deficient(6, 4)
for args in (3, 0.25), (5, 4), (18, 0.01):
    exponential(*args)
for args in (0, 2), (1, 6), (2, 9), (4, 3):
    banded(*args)
for n in 1, 2, 3, 8, 13, 17, 30, 96, 143, 1009, 1024, 2000:
    transforms(n)
