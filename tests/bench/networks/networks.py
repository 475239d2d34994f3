"""networks.py: steps of training beside PyTorch's and JAX's, from the same parameters on the
same data. The first losses have to be the same, or it is another network."""
import sys

sys.path.insert(0, sys.path[0] + "/..")
import turns

import numpy as np

RATE = 0.01
jax, torch = turns.jax(), turns.torch()
if jax:
    import jax.numpy as jnp
if torch:
    import torch.nn.functional as F
random = np.random.default_rng(1)


def numbers(*shape):
    return random.standard_normal(shape, dtype=np.float32)


def classes(n):
    return random.integers(0, 10, n, dtype=np.int32)


def turned(w):
    return w.T.contiguous()


# For each network what of it is another with others: how PyTorch has the parameters, and
# the loss of both.


class Mlp:
    in_torch = {0: turned, 2: turned}

    def torch_loss(p, x, y):
        return F.cross_entropy(F.linear(F.relu(F.linear(x, p[0], p[1])), p[2], p[3]), y)

    def jax_loss(p, x, y):
        return cross_entropy(jnp.maximum(x @ p[0] + p[1], 0) @ p[2] + p[3], y)


class Conv:
    in_torch = {
        0: lambda w: w.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last),
        2: lambda w: w.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last),
        4: lambda w: w.reshape(7, 7, 32, 128).permute(3, 2, 0, 1).reshape(128, 1568).contiguous(),
        6: turned,
    }

    def torch_loss(p, x, y):
        h = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        h = F.max_pool2d(F.relu(F.conv2d(h, p[0], p[1], padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3], padding=1)), 2)
        h = F.relu(F.linear(h.flatten(1), p[4], p[5]))
        return F.cross_entropy(F.linear(h, p[6], p[7]), y)

    def jax_loss(p, x, y):
        def block(h, w, b):
            h = jax.lax.conv_general_dilated(h, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            h = jnp.maximum(h + b, 0)
            return h.reshape(len(x), h.shape[1] // 2, 2, h.shape[2] // 2, 2, -1).max((2, 4))

        h = block(block(x, p[0], p[1]), p[2], p[3]).reshape(len(x), -1)
        return cross_entropy(jnp.maximum(h @ p[4] + p[5], 0) @ p[6] + p[7], y)


class Lstm:
    in_torch = {0: turned, 1: turned, 3: turned}

    def torch_loss(p, x, y):
        zero = x.new_zeros(1, len(x), 128)
        h, _, _ = torch.lstm(x, (zero, zero), (p[0], p[1], p[2], torch.zeros_like(p[2])), True, 1, 0.0,
                             True, False, True)
        return F.mse_loss(F.linear(h[:, -1], p[3], p[4]), y)

    def jax_loss(p, x, y):
        def cell(state, z):
            h, c = state
            i, f, g, o = jnp.split(z + h @ p[1], 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        zero = jnp.zeros((len(x), 128), jnp.float32)
        (h, _), _ = jax.lax.scan(cell, (zero, zero), x.transpose(1, 0, 2) @ p[0] + p[2])
        return jnp.mean((h @ p[3] + p[4] - y) ** 2)


class Block:
    in_torch = {i: turned for i in (2, 4, 6, 8, 12, 14)}

    def torch_loss(p, x, y):
        h = F.layer_norm(x, (256,), p[0], p[1])
        heads = (F.linear(h, p[i], p[i + 1]).view(*x.shape[:2], 4, 64).transpose(1, 2) for i in (2, 4, 6))
        h = F.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).reshape(x.shape)
        h = x + F.linear(h, p[8], p[9])
        z = F.gelu(F.linear(F.layer_norm(h, (256,), p[10], p[11]), p[12], p[13]), approximate="tanh")
        return F.mse_loss(h + F.linear(z, p[14], p[15]), y)

    def jax_loss(p, x, y):
        def norm(h, scale, shift):
            d = h - h.mean(-1, keepdims=True)
            return d * jax.lax.rsqrt((d * d).mean(-1, keepdims=True) + 1e-5) * scale + shift

        b, t, _ = x.shape
        h = norm(x, p[0], p[1])
        q, k, v = ((h @ p[i] + p[i + 1]).reshape(b, t, 4, 64) for i in (2, 4, 6))
        h = jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(x.shape)
        h = x + h @ p[8] + p[9]
        z = jax.nn.gelu(norm(h, p[10], p[11]) @ p[12] + p[13], approximate=True)
        return jnp.mean((h + z @ p[14] + p[15] - y) ** 2)


def cross_entropy(z, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()


def of_torch(net, start, data, compiled):
    p = [torch.tensor(a) for a in start]
    p = [net.in_torch.get(i, lambda w: w)(a).requires_grad_(True) for i, a in enumerate(p)]
    x, y = (torch.tensor(a) for a in data)
    y = y if y.is_floating_point() else y.long()
    optimizer = torch.optim.SGD(p, lr=RATE, foreach=True)
    loss_of = torch.compile(net.torch_loss) if compiled else net.torch_loss

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(p, x, y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def of_jax(net, start, data):
    def update(p):
        value, d = jax.value_and_grad(net.jax_loss)(p, *data_there)
        return [a - RATE * b for a, b in zip(p, d)], value

    data_there = [jnp.asarray(a) for a in data]
    update = jax.jit(update, donate_argnums=0)
    state = [[jnp.array(a) for a in start]]

    def step():
        state[0], value = update(state[0])
        return float(value)

    return step


def network(what, file, net, target, *data, compiled=False, **dims):
    step, start = turns.training(turns.Module(file, options=[f"--dim={n}={v}" for n, v in dims.items()]), *data)
    peers = []
    if jax:
        peers.append((turns.version(jax), of_jax(net, start, data)))
    else:
        turns.without(what, target, "jax")
    if torch:
        peers.append((turns.version(torch), of_torch(net, start, data, False)))
        if compiled:
            peers.append((turns.version(torch) + " compiled", of_torch(net, start, data, True)))
    else:
        turns.without(what, target, "torch")
    step()
    for name, theirs in peers:
        turns.same(f"{what}, {name}", [step.results[0]], [theirs()], 1e-3)
    if peers:
        turns.rows(what, target, step, *((name, turns.repeat(theirs)) for name, theirs in peers))


for batch, target in (1, 3), (32, 1.6), (128, 1.2), (1024, 1.05):
    network(f"MLP 784-128-10, step, batch {batch}", "networks/mlp.nn", Mlp, target,
            numbers(batch, 784), classes(batch), b=batch, compiled=batch < 128)
network("conv net, step, batch 32", "networks/conv.nn", Conv, 1.5,
        random.random((32, 28, 28, 1), dtype=np.float32), classes(32), b=32)
network("LSTM 64-128, 64 steps, step, batch 32", "networks/lstm.nn", Lstm, 1.5,
        numbers(32, 64, 64), numbers(32, 8), b=32, t=64)
network("transformer block of 256, step, 8 of 128", "networks/block.nn", Block, 1.3,
        numbers(8, 128, 256), numbers(8, 128, 256), b=8, t=128, compiled=True)
