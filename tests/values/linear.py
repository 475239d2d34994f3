#!/usr/bin/env python3
"""The values of tests/e2e/std-linear.sh, by numpy."""
import json

import numpy as np


def matrix(n):
    i, j = np.indices((n, n)).astype(float)
    return np.sin(3 * i + 5 * j + i * j) + 2 * np.eye(n)


def show(name, *values):
    def listed(x):
        return x.tolist() if isinstance(x, np.ndarray) else float(x)

    keys = [name if len(values) == 1 else f"{name}_{k}" for k in range(len(values))]
    print(f"near '{json.dumps(dict(zip(keys, map(listed, values))))}' {name} n=", end="")


def general(n):
    A = matrix(n)
    b = np.cos(np.arange(n))
    sign, log = np.linalg.slogdet(A)
    show("general", np.linalg.solve(A, b), np.linalg.solve(A.T, b), np.linalg.inv(A)[0],
         np.linalg.det(A), (np.linalg.det(A) * np.linalg.inv(A).T)[0], sign, log)
    print(n)


def definite(n):
    A = matrix(n)
    S = A @ A.T / n + np.eye(n)
    b = np.cos(np.arange(n))
    show("definite", np.linalg.solve(S, b), np.linalg.inv(S)[0], np.linalg.slogdet(S)[1],
         np.linalg.cholesky(S)[-1])
    print(n)


def large(n):
    A = 1000 * matrix(n)
    S = A @ A.T / n + np.eye(n)
    inverse = np.linalg.inv(A)
    show("large", *np.linalg.slogdet(A), np.linalg.slogdet(S)[1], 1000 * np.sum(inverse),
         np.linalg.norm(inverse) * 1000)
    print(n)


general(4)
general(7)
definite(4)
definite(7)
large(500)
