"""linalg.py: values of factorisations and their gradients beside JAX, which has LAPACK."""
import sys

sys.path.insert(0, sys.path[0] + "/..")
import turns

import numpy as np

jax = turns.jax(wide=True)
if not jax:
    turns.without("factorisations with gradients", 0.7, "jax")
    sys.exit()
import jax.numpy as jnp

module = turns.Module("linalg/linalg.nn", "f64")
random = np.random.default_rng(1)


def solve(A, b):
    return (jnp.linalg.solve(A, b) ** 2).sum()


def inv(A):
    return (jnp.linalg.inv(A) ** 2).sum()


def cholesky(A):
    return (jnp.linalg.cholesky(A) ** 2).sum()


def logdet(A):
    return jnp.linalg.slogdet(A)[1]


def qr(A):
    Q, R = jnp.linalg.qr(A)
    return jnp.sin(Q).sum() + jnp.sin(R).sum()


def eigh(A):
    values, vectors = jnp.linalg.eigh(A)
    return jnp.sin(vectors).sum() + (values**2).sum()


def svd(A):
    U, s, Vt = jnp.linalg.svd(A)
    return jnp.sin(U).sum() + s.sum()


# The signs of vectors are each library's own, so that what uses them is not compared.
for n in 200, 500:
    A = random.uniform(-0.5, 0.5, (n, n))
    S = A + A.T + n * np.eye(n)
    for form, name, target, given, compared in (
        (solve, "solution_slope", 0.7, (A, A[0]), True),
        (inv, "inverse_slope", 0.7, (A,), True),
        (cholesky, "half_slope", 0.7, (S,), False),
        (logdet, "volume_slope", 0.7, (S,), True),
        (qr, "qr_slope", 0.5, (A,), False),
        (eigh, "own_slope", 0.5, (S,), False),
        (svd, "singular_slope", 0.5, (A,), False),
    ):
        if n == 500 and target == 0.5:
            continue
        call = module.call(name, *given, n=n)
        call()
        f = jax.jit(jax.value_and_grad(form, tuple(range(len(given)))))
        there = [jnp.asarray(a) for a in given]
        what = f"{form.__name__} and gradient, n = {n}"
        if compared:
            turns.same(what, call.results, jax.tree.leaves(f(*there)), 1e-6)
        turns.rows(what, target, call,
                   (turns.version(jax), turns.repeat(lambda: jax.block_until_ready(f(*there)))))
