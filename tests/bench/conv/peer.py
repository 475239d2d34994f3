"""peer.py OURS.so: a step of conv.nn, batch 32, beside PyTorch's (channels last) and JAX's,
in turns, on one core: for each the ratio of their best times and of the medians. The first
losses have to be the same, or it is another network."""
import ctypes
import os
import statistics
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
BATCH, ROUNDS, STEPS, RATE = 32, 40, 3, 0.01
SHAPES = [(3, 3, 1, 32), (32,), (3, 3, 32, 32), (32,), (1568, 128), (128,), (128, 10), (10,)]

import numpy as np

random = np.random.default_rng(1)
images = random.random((BATCH, 28, 28, 1), dtype=np.float32)
labels = random.integers(0, 10, BATCH, dtype=np.int32)


def ours(library):
    lib = ctypes.CDLL(os.path.abspath(library))
    lib.ours_begin.restype = ctypes.POINTER(ctypes.c_float)
    base, at, parameters = lib.ours_begin(), 0, []
    for shape in SHAPES:
        n = int(np.prod(shape))
        parameters.append(np.ctypeslib.as_array(base, (at + n,))[at:].reshape(shape).copy())
        at += n
    loss = ctypes.c_float()
    x = images.ctypes.data_as(ctypes.c_void_p)
    y = labels.ctypes.data_as(ctypes.c_void_p)

    def step():
        if lib.ours_step(x, y, ctypes.byref(loss)):
            sys.exit("a step failed")
        return loss.value

    return step, parameters


def of_torch(parameters):
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)
    p = [torch.tensor(a) for a in parameters]
    for i in (0, 2):
        p[i] = p[i].permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    p[4] = p[4].reshape(7, 7, 32, 128).permute(3, 2, 0, 1).reshape(128, 1568).contiguous()
    p[6] = p[6].T.contiguous()
    for a in p:
        a.requires_grad_(True)
    x = torch.tensor(images).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    y = torch.tensor(labels, dtype=torch.int64)
    optimizer = torch.optim.SGD(p, lr=RATE, foreach=True)

    def step():
        h = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1], padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3], padding=1)), 2)
        h = F.relu(F.linear(h.flatten(1), p[4], p[5]))
        loss = F.cross_entropy(F.linear(h, p[6], p[7]), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, "torch " + torch.__version__.split("+")[0]


def of_jax(parameters):
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(images), jnp.asarray(labels)

    def block(h, w, b):
        h = jax.lax.conv_general_dilated(h, w, (1, 1), "SAME",
                                         dimension_numbers=("NHWC", "HWIO", "NHWC"))
        h = jnp.maximum(h + b, 0)
        return h.reshape(BATCH, h.shape[1] // 2, 2, h.shape[2] // 2, 2, -1).max((2, 4))

    def loss(p):
        h = block(block(x, p[0], p[1]), p[2], p[3]).reshape(BATCH, -1)
        z = jnp.maximum(h @ p[4] + p[5], 0) @ p[6] + p[7]
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()

    def update(p):
        value, d = jax.value_and_grad(loss)(p)
        return [a - RATE * b for a, b in zip(p, d)], value

    update = jax.jit(update, donate_argnums=0)
    state = [[jnp.asarray(a) for a in parameters]]

    def step():
        state[0], value = update(state[0])
        return float(value)

    return step, "jax " + jax.__version__


def timed(step):
    start = time.perf_counter()
    for _ in range(STEPS):
        loss = step()
    return (time.perf_counter() - start) / STEPS, loss


first, parameters = ours(sys.argv[1])
steps, names = [first], ["ours"]
for make in (of_torch, of_jax):
    try:
        step, name = make(parameters)
    except ImportError:
        continue
    steps.append(step)
    names.append(name)
times = [[] for _ in steps]
for turn in range(ROUNDS):
    losses = []
    for step, spent in zip(steps, times):
        seconds, loss = timed(step)
        spent.append(seconds)
        losses.append(loss)
    if turn == 0 and max(losses) - min(losses) > 1e-3 * max(losses):
        sys.exit("the losses differ: " + ", ".join(f"{n} {v:.6f}" for n, v in zip(names, losses)))
best, middle = [min(t) for t in times], [statistics.median(t[1:]) for t in times]
print(f"ours {best[0] * 1e3:.2f} ms; " + "; ".join(
    f"{n} {b / best[0]:.2f} (median {m / middle[0]:.2f})"
    for n, b, m in zip(names[1:], best[1:], middle[1:])) if len(steps) > 1 else "no peer is there")
