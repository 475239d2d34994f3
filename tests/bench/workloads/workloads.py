"""workloads.py: the programs beside it against the same in JAX, each in the form that is
quickest there, and against plain C with -ffast-math. What they are is told in the .nn files;
ours are as one writes them."""
import ctypes
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")
import turns

import numpy as np

jax = turns.jax(wide=True)
if jax:
    import jax.numpy as jnp
    from jax import lax
    from jax.scipy.special import gammaln, logsumexp
random = np.random.default_rng(1)
library = turns.c_library("workloads", os.path.join(turns.here, "workloads/peers.c"),
                          flags=("-O3", "-march=native", "-ffast-math"))


def by_hand(name, *given):
    """A way to run a C function: arrays, then their sizes."""
    f = getattr(library, name)
    given = [a.ctypes.data_as(ctypes.c_void_p) if isinstance(a, np.ndarray) else ctypes.c_int(a) for a in given]
    return turns.repeat(lambda: f(*given))


def in_jax(f, *given):
    """A compiled call, and its results."""
    given = [jnp.asarray(a) for a in given]
    f = jax.jit(f)
    return turns.repeat(lambda: jax.block_until_ready(f(*given))), jax.tree.leaves(f(*given))


def workload(name, what, target, call, form, given, most=1e-10, c=None):
    """Ours beside JAX's form of it and, where there is one, a C function with its results."""
    what = f"{name}: {what}"
    call()
    peers = []
    if jax:
        way, results = in_jax(form, *given)
        turns.same(what, call.results, results, most)
        peers.append((turns.version(jax), way))
    else:
        turns.without(what, target, "jax")
    if c:
        way, results = c
        way()
        turns.same(what + ", C", call.results, results, most)
        peers.append((turns.gcc, way))
    if peers:
        turns.rows(what, target, call, *peers)


def lanes(what, call, way):
    """Without a target: what the machine can do."""
    turns.rows(what, "", call, (turns.gcc + ", lanes", way))


# The quadratic form of x has its products, of which only those of a triangle differ, and they
# carry no derivative.


def gmm(alpha, mu, q, l, x):
    n, d = x.shape
    k = len(alpha)
    a, b = np.tril_indices(d)
    below, at = np.tril_indices(d, -1)
    order = np.lexsort((below, at))

    def factor(q, l):
        return jnp.zeros((d, d)).at[below[order], at[order]].set(l) + jnp.diag(jnp.exp(q))

    def loss(alpha, mu, q, l):
        Q = jax.vmap(factor)(q, l)
        P = jnp.einsum("kia,kib->kab", Q, Q)
        form = P[:, a, b] * np.where(a == b, 1.0, 2.0)
        moved = jnp.einsum("kab,kb->ka", P, mu)
        away = products @ form.T - 2 * x @ moved.T + (moved * mu).sum(1)
        df = d + 1.0
        lg = d * (d - 1) / 4 * jnp.log(jnp.pi) + gammaln(df / 2 - jnp.arange(d) / 2).sum()
        prior = ((jnp.exp(q) ** 2).sum() + (l**2).sum()) / 2 - k * (-df * d * jnp.log(2.0) / 2 - lg)
        beta = alpha + q.sum(1) - away / 2
        return -n * d / 2 * jnp.log(2 * jnp.pi) + logsumexp(beta, axis=1).sum() - n * logsumexp(alpha) - prior

    products = x[:, a] * x[:, b]
    return jax.grad(loss, (0, 1, 2, 3))(alpha, mu, q, l)


def run_gmm(n, d, k):
    e = d * (d - 1) // 2
    given = [random.standard_normal(s) * by for s, by in
             [((k,), 1), ((k, d), 1), ((k, d), 0.1), ((k, e), 0.1), ((n, d), 1)]]
    call = turns.Module("workloads/gmm.nn", "f64").call("gradient", *given, n=n, d=d, k=k)
    workload("gmm", f"n = {n:,}, d = {d}, k = {k}", 1.3, call, gmm, given)


# The index of the nearest first, in pieces that stay in the cache: the largest of those with
# the least distance, as argmin does not run across lanes. Then what belongs to one centre is
# added up, and the Hessian's diagonal is a count.


def kmeans(points, centres):
    k = len(centres)

    def nearest(p):
        away = (centres**2).sum(1) - 2 * p @ centres.T
        return jnp.where(away == away.min(1, keepdims=True), jnp.arange(k, dtype=jnp.int32), -1).max(1)

    which = lax.map(nearest, points.reshape(-1, 50, points.shape[1])).reshape(-1)
    h = 2 * jnp.zeros(k).at[which].add(1.0)[:, None]
    g = h * centres - 2 * jnp.zeros_like(centres).at[which].add(points)
    return jnp.where(h == 0, 0, g / h)


def run_kmeans(n, k, d):
    given = random.standard_normal((n, d)), random.standard_normal((k, d))
    call = turns.Module("workloads/kmeans.nn", "f64").call("direction", *given, n=n, k=k, d=d)
    workload("kmeans", f"n = {n:,}, k = {k:,}, d = {d}", 1.3, call, kmeans, given)


# The maximum carries no derivative.


def lse(x):
    def loss(x):
        top = lax.stop_gradient(x.max())
        return jnp.log(jnp.exp(x - top).sum()) + top

    return jax.grad(loss)(x)


def run_lse(n):
    x, to = random.standard_normal(n), np.zeros(n)
    call = turns.Module("workloads/lse.nn", "f64").call("gradient", x, n=n)
    workload("lse", f"n = {n:,}", 1.3, call, lse, [x], c=(by_hand("lse", x, n, to), [to]))


# Horner's scheme for all samples at once.


def llsq(n):
    def form(x):
        t = -1 + 2 * jnp.arange(n) / (n - 1.0)

        def loss(x):
            y, _ = lax.scan(lambda y, c: (y * t + c, None), jnp.zeros(n), x[::-1], unroll=8)
            return ((jnp.sign(t) - y) ** 2).sum() / 2

        return jax.grad(loss)(x)

    return form


def run_llsq(n, m):
    x, to = random.standard_normal(m), np.zeros(m)
    call = turns.Module("workloads/llsq.nn", "f64").call("gradient", x, n, n=n, m=m)
    workload("llsq", f"n = {n:,}, m = {m}", 2, call, llsq(n), [x], c=(by_hand("llsq", x, n, m, to), [to]))
    lanes(f"llsq: n = {n:,}, m = {m}", call, by_hand("llsq_lanes", x, n, m, to))


# Layers skewed, so that at step s layer j is at time s - j: one operation for all of them.


def lstm(main, extra, state, seq):
    l, b = len(main) // 2, seq.shape[1]
    c = len(seq) - 1

    def loss(main, extra):
        w, bias = main[::2].reshape(l, 4, b), main[1::2].reshape(l, 4, b)

        def step(s, at):
            hid, cell = s
            x, now = at
            h = jnp.concatenate([x[None], hid[:-1]])
            f = jax.nn.sigmoid(h * w[:, 0] + bias[:, 0])
            i = jax.nn.sigmoid(hid * w[:, 1] + bias[:, 1])
            o = jax.nn.sigmoid(h * w[:, 2] + bias[:, 2])
            new = cell * f + i * jnp.tanh(hid * w[:, 3] + bias[:, 3])
            on = ((now - jnp.arange(l) >= 0) & (now - jnp.arange(l) < c))[:, None]
            hid = jnp.where(on, o * jnp.tanh(new), hid)
            return (hid, jnp.where(on, new, cell)), hid[-1]

        x = jnp.concatenate([seq[:-1] * extra[0], jnp.zeros((l - 1, b))])
        _, h = lax.scan(step, (state[::2], state[1::2]), (x, jnp.arange(c + l - 1)))
        y = h[l - 1:] * extra[1] + extra[2]
        return -(seq[1:] * (y - jnp.log(2 + jnp.exp(y).sum(1, keepdims=True)))).sum() / (c * b)

    return jax.grad(loss, (0, 1))(main, extra)


def run_lstm(l, c, b):
    given = [random.standard_normal(s) for s in [(2 * l, 4 * b), (3, b), (2 * l, b), (c, b)]]
    call = turns.Module("workloads/lstm.nn", "f64").call("gradient", *given, l=l, c=c, b=b)
    workload("lstm", f"{l} layers, {c:,} steps", 4, call, lstm, given)


# Observations across the lanes, a block of the Jacobian forward.


def ba(cams, points, w, feat, obs):
    def cross(a, b):
        return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])

    def residual(*v):
        r, centre, f, px, py, k1, k2, x, weight, fx, fy = (
            v[:3], v[3:6], v[6], v[7], v[8], v[9], v[10], v[11:14], v[14], v[15], v[16])
        x = [a - b for a, b in zip(x, centre)]
        square = r[0] ** 2 + r[1] ** 2 + r[2] ** 2
        angle = jnp.sqrt(jnp.where(square == 0, 1, square))
        axis = [a / angle for a in r]
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        along = (1 - cos) * sum(a * b for a, b in zip(axis, x))
        turned = [cos * a + sin * b + along * e for a, b, e in zip(x, cross(axis, x), axis)]
        small = [a + b for a, b in zip(x, cross(r, x))]
        y = [jnp.where(square == 0, a, b) for a, b in zip(small, turned)]
        u, v = y[0] / y[2], y[1] / y[2]
        far = u * u + v * v
        radial = (1 + k1 * far + k2 * far * far) * f
        return weight * (radial * u + px - fx), weight * (radial * v + py - fy)

    of = jnp.concatenate([cams[obs[:, 0]], points[obs[:, 1]], w[:, None], feat], 1).T
    one = [jax.jvp(lambda a, j=j: residual(*of[:j], a, *of[j + 1:]), (of[j],), (jnp.ones_like(w),))[1]
           for j in range(15)]
    blocks = jnp.stack([jnp.stack(part, 1) for part in zip(*one)], 1)
    return jnp.concatenate([blocks.reshape(-1), -2 * w])


def run_ba(n, m, p):
    uniform = random.uniform
    given = [uniform(0.1, 1, (n, 11)), uniform(2, 4, (m, 3)), uniform(0.5, 1, p), uniform(-1, 1, (p, 2)),
             np.stack([random.integers(0, n, p), random.integers(0, m, p)], 1).astype(np.int32)]
    call = turns.Module("workloads/ba.nn", "f64").call("values", *given, n=n, m=m, p=p)
    workload("ba", f"blocks of {p:,} observations", 2, call, ba, given, most=1e-6)


run_gmm(1000, 64, 100)
run_kmeans(10000, 1000, 16)
run_lse(1280000)
run_llsq(16392, 128)
run_lstm(6, 1024, 14)
run_ba(1000, 50000, 200000)
