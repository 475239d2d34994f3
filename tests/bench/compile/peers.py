"""peers.py PROGRAM: what JAX takes to trace and compile a program of
workloads/ or examples/gpt2 with its derivatives, in milliseconds of processor
time: its name, the least and the median of five. Importing it is not counted."""
import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import jax
import jax.numpy as jnp
from jax import lax, random
from jax.scipy.special import gammaln, logsumexp


def array(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def whole(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.int32)


def gmm():
    n, d, k = 1000, 16, 25

    def factor(q, l):
        rows, columns = jnp.tril_indices(d, -1)
        order = jnp.lexsort((rows, columns))
        return jnp.diag(jnp.exp(q)).at[rows[order], columns[order]].set(l)

    def loss(alpha, mu, q, l, x):
        full = jax.vmap(factor)(q, l)
        away = jnp.einsum("cab,icb->ica", full, x[:, None] - mu[None])
        beta = alpha + q.sum(1) - (away**2).sum(2) / 2
        df = d + 1.0
        lg = d * (d - 1) / 4 * jnp.log(jnp.pi) + gammaln(df / 2 - jnp.arange(d) / 2).sum()
        prior = ((jnp.exp(q) ** 2).sum() + (l**2).sum()) / 2 - k * (-df * d * jnp.log(2.0) / 2 - lg)
        return -n * d / 2 * jnp.log(2 * jnp.pi) + logsumexp(beta, axis=1).sum() - n * logsumexp(alpha) - prior

    both = lambda *a: (loss(*a), jax.grad(loss, (0, 1, 2, 3))(*a))
    return both, (array(k), array(k, d), array(k, d), array(k, d * (d - 1) // 2), array(n, d))


def lstm():
    l, b, c = 6, 14, 100

    def cell(h, s, w, bias):
        hid, mem = s
        f = jax.nn.sigmoid(h * w[:b] + bias[:b])
        i = jax.nn.sigmoid(hid * w[b : 2 * b] + bias[b : 2 * b])
        o = jax.nn.sigmoid(h * w[2 * b : 3 * b] + bias[2 * b : 3 * b])
        mem = mem * f + i * jnp.tanh(hid * w[3 * b :] + bias[3 * b :])
        return o * jnp.tanh(mem), mem

    def layer(x, part):
        new = cell(x, part[0], part[1], part[2])
        return new[0], new

    def loss(main, extra, state, seq):
        weights, biases = main[::2], main[1::2]

        def step(s, at):
            x, y = at
            h, s = lax.scan(layer, x * extra[0], (s, weights, biases))
            z = h * extra[1] + extra[2]
            return s, (y * (z - jnp.log(2 + jnp.exp(z).sum()))).sum()

        total = lax.scan(step, (state[::2], state[1::2]), (seq[:-1], seq[1:]))[1].sum()
        return -total / ((c - 1) * b)

    both = lambda *a: (loss(*a), jax.grad(loss, (0, 1))(*a))
    return both, (array(2 * l, 4 * b), array(3, b), array(2 * l, b), array(c, b))


def ba():
    n, m, p = 21, 11315, 36455

    def rotate(r, x):
        square = r @ r
        angle = jnp.sqrt(jnp.where(square == 0, 1, square))
        axis = r / angle
        c, s = jnp.cos(angle), jnp.sin(angle)
        turned = c * x + s * jnp.cross(axis, x) + (1 - c) * (axis @ x) * axis
        return jnp.where(square == 0, x + jnp.cross(r, x), turned)

    def residual(v, feat):
        y = rotate(v[:3], v[11:14] - v[3:6])
        plane = y[:2] / y[2]
        square = plane @ plane
        seen = (1 + v[9] * square + v[10] * square**2) * v[6] * plane + v[7:9]
        return v[14] * (seen - feat)

    def involved(cams, points, w, obs):
        return jnp.concatenate([cams[obs[:, 0]], points[obs[:, 1]], w[:, None]], 1)

    def errors(cams, points, w, feat, obs):
        return jax.vmap(residual)(involved(cams, points, w, obs), feat), 1 - w * w

    def values(cams, points, w, feat, obs):
        blocks = jax.vmap(jax.jacfwd(residual))(involved(cams, points, w, obs), feat)
        return jnp.concatenate([blocks.reshape(-1), -2 * w])

    def pattern(obs):
        r, i, k = jnp.arange(3 * p + 1), jnp.arange(p), jnp.arange(15)
        rows = jnp.where(r <= 2 * p, 15 * r, 28 * p + r)
        point = 11 * n + 3 * obs[:, 1:] + k - 11
        last = (11 * n + 3 * m + i)[:, None]
        one = jnp.where(k < 11, 11 * obs[:, :1] + k, jnp.where(k < 14, point, last))
        blocks = jnp.repeat(one[:, None], 2, 1)
        return rows, jnp.concatenate([blocks.reshape(-1), last[:, 0]])

    def all_of(cams, points, w, feat, obs, v, f):
        of = cams, points, w, feat, obs
        return errors(*of), values(*of), pattern(obs), jax.jacfwd(residual)(v, f)

    return all_of, (array(n, 11), array(m, 3), array(p), array(p, 2), whole(p, 2), array(15), array(2))


def gpt2():
    """With a loop over the blocks, which is the quickest to compile."""
    words, t, d, heads, blocks, batch = 50257, 1024, 768, 12, 12, 1

    def norm(x, g, b):
        m = x.mean(-1, keepdims=True)
        return (x - m) / jnp.sqrt(((x - m) ** 2).mean(-1, keepdims=True) + 1e-5) * g + b

    def attention(x, w):
        q, k, v = jnp.split(x @ w["qkv"] + w["bqkv"], 3, -1)
        cut = lambda a: a.reshape(batch, t, heads, -1).transpose(0, 2, 1, 3)
        s = cut(q) @ cut(k).swapaxes(2, 3) / (d / heads) ** 0.5
        s = jnp.where(jnp.tril(jnp.ones((t, t), bool)), s, -jnp.inf)
        y = (jax.nn.softmax(s) @ cut(v)).transpose(0, 2, 1, 3).reshape(batch, t, d)
        return y @ w["out"] + w["bout"]

    def block(x, w):
        y = x + attention(norm(x, w["g1"], w["b1"]), w)
        up = jax.nn.gelu(norm(y, w["g2"], w["b2"]) @ w["up"] + w["bup"])
        return y + up @ w["down"] + w["bdown"], None

    def loss(net, x, y):
        h = lax.scan(block, net["emb"][x] + net["pos"], net["blocks"])[0]
        z = jax.nn.log_softmax(norm(h, net["g"], net["b"]) @ net["emb"].T)
        return -jnp.take_along_axis(z, y[..., None], -1).mean()

    def start(key):
        shape = dict(qkv=(d, 3 * d), bqkv=(3 * d,), out=(d, d), bout=(d,), g1=(d,), b1=(d,),
                     g2=(d,), b2=(d,), up=(d, 4 * d), bup=(4 * d,), down=(4 * d, d), bdown=(d,))
        one = {n: 0.02 * random.normal(key, (blocks, *s)) for n, s in shape.items()}
        return dict(blocks=one, emb=0.02 * random.normal(key, (words, d)),
                    pos=0.02 * random.normal(key, (t, d)), g=jnp.ones(d), b=jnp.zeros(d))

    def step(net, m, v, count, x, y):
        value, g = jax.value_and_grad(loss)(net, x, y)
        length = jnp.sqrt(sum((a**2).sum() for a in jax.tree.leaves(g)))
        g = jax.tree.map(lambda a: a / jnp.maximum(1, length), g)
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        rate = 6e-4 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        net = jax.tree.map(lambda p, a, b: p - rate * a / (jnp.sqrt(b) + 1e-8) - 6e-5 * p, net, m, v)
        return net, m, v, count + 1, value

    def both(key, net, m, v, count, x, y):
        return start(key), loss(net, x, y), step(net, m, v, count, x, y)

    key = jax.eval_shape(lambda: random.PRNGKey(0))
    net = jax.eval_shape(start, key)
    return both, (key, net, net, net, array(), whole(batch, t), whole(batch, t))


def main():
    make = dict(gmm=gmm, lstm=lstm, ba=ba, gpt2=gpt2)[sys.argv[1]]
    jax.jit(lambda x: x + 1).lower(array(3)).compile()
    took = []
    for _ in range(5):
        f, args = make()
        jax.clear_caches()
        begin = time.process_time()
        jax.jit(f).lower(*args).compile()
        took.append(1000 * (time.process_time() - begin))
    print(f"JAX {jax.__version__} {min(took):.0f} {sorted(took)[2]:.0f}")


main()
