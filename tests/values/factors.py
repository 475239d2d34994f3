#!/usr/bin/env python3
"""The values of tests/e2e/std-factors.sh, by numpy and scipy."""
import json

import numpy as np


def matrix(m, n):
    i, j = np.indices((m, n)).astype(float)
    return np.sin(3 * i + 5 * j + i * j) + 2 * np.eye(m, n)


def show(name, arguments, *values):
    def listed(x):
        return x.tolist() if isinstance(x, np.ndarray) else float(x)

    keys = [f"{name}_{k}" for k in range(len(values))]
    print(f"near '{json.dumps(dict(zip(keys, map(listed, values))))}' {name} {arguments}")


def signs(V):
    return np.where(V.sum(axis=0) < 0, -1, 1)


def by_reflections(m, n):
    A = matrix(m, n)
    b = np.cos(np.arange(m))
    Q, R = np.linalg.qr(A)
    show("by_reflections", f"m={m} n={n}", Q[-1], R[0], R[n - 1], np.linalg.lstsq(A, b, rcond=None)[0])


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


by_reflections(4, 3)
by_reflections(23, 17)
by_rotations(4, 3)
by_rotations(21, 19)
deficient(6, 4)
