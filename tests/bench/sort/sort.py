"""sort.py: sorting beside JAX."""
import sys

sys.path.insert(0, sys.path[0] + "/..")
import turns

import numpy as np

jax = turns.jax()
if jax:
    import jax.numpy as jnp
module = turns.Module("sort/sort.nn")
random = np.random.default_rng(1)

for what, target, name, n, form in (
    ("sort of 100,000 f32", 1, "sorted", 100000, jax and jnp.sort),
    ("the 10 largest of 100,000", 1, "largest", 100000, jax and (lambda x: jax.lax.top_k(x, 10)[0])),
    ("the 10 largest of 1,000,000", 1, "largest", 1000000, jax and (lambda x: jax.lax.top_k(x, 10)[0])),
):
    x = random.standard_normal(n, dtype=np.float32)
    call = module.call(name, x, n=n)
    call()
    if not jax:
        turns.without(what, target, "jax")
        continue
    f, there = jax.jit(form), jnp.asarray(x)
    turns.same(what, call.results, [f(there)], 0)
    turns.rows(what, target, call, (turns.version(jax), turns.repeat(lambda: f(there).block_until_ready())))
