"""small.py: small systems in great number, beside JAX, and what a call takes."""
import sys

sys.path.insert(0, sys.path[0] + "/..")
import turns

import numpy as np

jax = turns.jax(wide=True)
if jax:
    import jax.numpy as jnp
random = np.random.default_rng(1)


def beside(what, target, call, form, *given, most=1e-4):
    call()
    if not jax:
        return turns.without(what, target, "jax")
    given = [jnp.asarray(a) for a in given]
    f = jax.jit(form)
    turns.same(what, call.results, jax.tree.leaves(f(*given)), most)
    turns.rows(what, target, call, (turns.version(jax), turns.repeat(lambda: jax.block_until_ready(f(*given)))))


def det(a):
    return (a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
            + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]))


def parts(a):
    return [[a[:, i, j] for j in range(3)] for i in range(3)]


def dets(a):
    return det(parts(a))


def invs(a):
    a = parts(a)
    d = 1 / det(a)
    of = lambda i, j: d * (a[(j + 1) % 3][(i + 1) % 3] * a[(j + 2) % 3][(i + 2) % 3]
                           - a[(j + 1) % 3][(i + 2) % 3] * a[(j + 2) % 3][(i + 1) % 3])
    return jnp.stack([of(i, j) for i in range(3) for j in range(3)], 1).reshape(-1, 3, 3)


def density(a, b, c, rest):
    F = [[(b[i] - a[i]) * rest[0][j] + (c[i] - a[i]) * rest[1][j] for j in range(2)] for i in range(2)]
    stretch = jnp.log(F[0][0] * F[1][1] - F[0][1] * F[1][0])
    return (sum(v * v for row in F for v in row) - 2) / 2 - stretch + stretch**2


def energy(x, corner, rest, area):
    at = [[x[corner[:, k], i] for i in range(2)] for k in range(3)]
    return (area * density(*at, [[rest[:, i, j] for j in range(2)] for i in range(2)])).sum()


small = turns.Module("small/small.nn")
a = (random.random((10000, 3, 3)) + 2 * np.eye(3)).astype(np.float32)
for what, name, form in (
    ("10,000 determinants 3 x 3", "dets", dets),
    ("10,000 inverses 3 x 3", "invs", invs),
    ("gradient of 10,000 determinants", "squares_grad", jax and jax.grad(lambda a: (dets(a) ** 2).sum())),
    ("gradient of 10,000 inverses", "inverses_grad", jax and jax.grad(lambda a: (invs(a) ** 2).sum())),
):
    beside(what, 3, small.call(name, a, n=10000), form, a)

# 7,000 triangles: two in each of 50 x 70 squares, somewhat pulled about.
rows, columns = 50, 70
points = np.stack(np.meshgrid(np.arange(rows + 1), np.arange(columns + 1), indexing="ij"), -1).reshape(-1, 2)
first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).reshape(-1)
right, below = first + 1, first + columns + 1
corner = np.concatenate([np.stack([first, below, right], 1), np.stack([below + 1, right, below], 1)]).astype(np.int32)
rest = np.linalg.inv(np.stack([points[corner[:, 1]] - points[corner[:, 0]],
                               points[corner[:, 2]] - points[corner[:, 0]]], 2))
x = points + 0.1 * random.random(points.shape)
given = x, corner, rest, np.full(len(corner), 0.5)
fem = turns.Module("small/fem.nn", "f64")
for what, name, form in (
    ("energy of 7,000 triangles", "energy", energy),
    ("its gradient, 7,000 triangles", "force", jax and jax.grad(energy)),
):
    beside(what, 2, fem.call(name, *given, n=len(x), m=len(corner)), form, *given, most=1e-10)

beside("a call: gradient with two scalars", 80, turns.Module("small/call.nn").call("slope", 2, 3),
       jax and jax.grad(lambda x, y: x * y + x**2, (0, 1)), np.float32(2), np.float32(3))
