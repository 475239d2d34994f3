"""gpt.py TEXT SEED: examples/chars/gpt.nn in PyTorch, with the same settings (AdamW, rate as a
cosine after 50 steps of warm-up, batches of 8, 10 passes, norm of gradients held at 1).
Prints the seconds of training, the bits for a character of the held-out last fifth, the version."""
import math
import sys
import time

import torch
import torch.nn.functional as F

K, T, D, HEADS, BLOCKS = 60, 64, 64, 4, 2
BATCH, EPOCHS, RATE, WARMUP = 8, 10, 4e-3, 50

torch.set_num_threads(1)
torch.manual_seed(int(sys.argv[2]))


def linear(n, m):
    layer = torch.nn.Linear(n, m)
    with torch.no_grad():
        layer.weight.normal_(0, math.sqrt(2 / n))
        layer.bias.zero_()
    return layer


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.before, self.middle = torch.nn.LayerNorm(D), torch.nn.LayerNorm(D)
        self.q, self.k, self.v, self.out = (linear(D, D) for _ in range(4))
        self.up, self.down = linear(D, 4 * D), linear(4 * D, D)

    def forward(self, x):
        h = self.before(x)
        heads = lambda a: a.view(*a.shape[:2], HEADS, -1).transpose(1, 2)
        y = F.scaled_dot_product_attention(heads(self.q(h)), heads(self.k(h)), heads(self.v(h)),
                                           is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.middle(x)), approximate="tanh"))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = torch.nn.Parameter(0.02 * torch.randn(K, D))
        self.pos = torch.nn.Parameter(0.02 * torch.randn(T, D))
        self.blocks = torch.nn.ModuleList(Block() for _ in range(BLOCKS))
        self.after = torch.nn.LayerNorm(D)

    def loss(self, x, y):
        h = self.emb[x] + self.pos
        for block in self.blocks:
            h = block(h)
        return F.cross_entropy((self.after(h) @ self.emb.T).flatten(0, 1), y.flatten())


text = open(sys.argv[1]).read()
place = {c: i for i, c in enumerate(sorted(set(text)))}
codes = torch.tensor([place[c] for c in text])
starts = range(0, len(codes) - T, T)
x = torch.stack([codes[i : i + T] for i in starts])
y = torch.stack([codes[i + 1 : i + T + 1] for i in starts])
held = len(x) // 5
xt, yt, x, y = x[-held:], y[-held:], x[:-held], y[:-held]
net = Net()
steps = EPOCHS * math.ceil(len(x) / BATCH)
rate = lambda t: min((t + 1) / WARMUP, 1) * 0.5 * (
    1 + math.cos(math.pi * max(t - WARMUP, 0) / (steps - WARMUP)))
adam = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.1)
falls = torch.optim.lr_scheduler.LambdaLR(adam, rate)
start = time.perf_counter()
for _ in range(EPOCHS):
    for rows in torch.randperm(len(x)).split(BATCH):
        adam.zero_grad()
        net.loss(x[rows], y[rows]).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        falls.step()
took = time.perf_counter() - start
with torch.no_grad():
    bits = sum(net.loss(a[None], b[None]) for a, b in zip(xt, yt)) / held / math.log(2)
print(f"{took:.2f} {bits:.4f} {torch.__version__}")
