"""mlp.py jax|torch FOLDER: mlp.nn's training in a loop of JAX's or PyTorch's, one thread:
Adam with a rate that falls as a cosine, batches of 32, 10 passes. Prints the version, the seconds of training and the
accuracy on the test images. The loop of JAX is one compiled scan a pass; what compiling takes is not counted."""
import gzip
import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import numpy as np

BATCH, EPOCHS, RATE = 32, 10, 1e-3


def idx(path, offset):
    with gzip.open(path) as f:
        return np.frombuffer(f.read(), np.uint8, offset=offset)


def data(folder, part):
    x = idx(f"{folder}/{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    y = idx(f"{folder}/{part}-labels-idx1-ubyte.gz", 8)
    return x.astype(np.float32) / 255, y.astype(np.int32)


def of_jax(x, y, xt, yt):
    import jax
    import jax.numpy as jnp

    steps = EPOCHS * (len(x) // BATCH)

    def logits(p, x):
        return jax.nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]

    def loss(p, x, y):
        z = jax.nn.log_softmax(logits(p, x))
        return -jnp.mean(jnp.take_along_axis(z, y[:, None], 1))

    def step(s, rows):
        p, m, v, t = s
        g = jax.grad(loss)(p, x[rows], y[rows])
        t = t + 1
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
        v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
        rate = RATE * (1 + jnp.cos(jnp.pi * (t - 1) / steps)) / 2
        p = [a - rate * (b / (1 - 0.9**t)) / (jnp.sqrt(c / (1 - 0.999**t)) + 1e-8)
             for a, b, c in zip(p, m, v)]
        return (p, m, v, t), None

    run = jax.jit(lambda s, order: jax.lax.scan(step, s, order)[0], donate_argnums=0)
    x, y = jnp.asarray(x), jnp.asarray(y)
    k = jax.random.split(jax.random.PRNGKey(0))
    p = [jax.random.normal(k[0], (784, 256)) * (2 / 784) ** 0.5, jnp.zeros(256),
         jax.random.normal(k[1], (256, 10)) * (2 / 256) ** 0.5, jnp.zeros(10)]
    zero = lambda: [jnp.zeros_like(a) for a in p]
    random = np.random.default_rng(0)
    order = lambda: jnp.asarray(random.permutation(len(x))[: len(x) // BATCH * BATCH].reshape(-1, BATCH))
    copy = ([jnp.array(a) for a in p], zero(), zero(), jnp.float32(0))
    jax.block_until_ready(run(copy, order()))
    s = (p, zero(), zero(), jnp.float32(0))
    start = time.perf_counter()
    for _ in range(EPOCHS):
        s = run(s, order())
    jax.block_until_ready(s)
    took = time.perf_counter() - start
    return took, float((np.argmax(logits(s[0], xt), 1) == yt).mean())


def of_torch(x, y, xt, yt):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    with torch.no_grad():
        for layer, n in (net[0], 784), (net[2], 256):
            layer.weight.normal_(0, (2 / n) ** 0.5)
            layer.bias.zero_()
    adam = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    steps = EPOCHS * ((len(x) + BATCH - 1) // BATCH)
    falls = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    x, y = torch.tensor(x), torch.tensor(y, dtype=torch.long)
    start = time.perf_counter()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            adam.step()
            falls.step()
    took = time.perf_counter() - start
    with torch.no_grad():
        return took, float((net(torch.tensor(xt)).argmax(1).numpy() == yt).mean())


peer, folder = sys.argv[1:]
took, right = {"jax": of_jax, "torch": of_torch}[peer](*data(folder, "train"), *data(folder, "t10k"))
print(f"{sys.modules[peer].__version__} {took:.2f} {right:.4f}")
