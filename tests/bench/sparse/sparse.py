"""sparse.py: sparse.nn beside SciPy, 40,000 numbers in rows of several lengths. The gradient
by the vector is a product with the transpose, made before; by the numbers SciPy has none, so
that is NumPy's product of what was gathered, the row of each number being known."""
import sys

sys.path.insert(0, sys.path[0] + "/..")
import turns

import numpy as np

try:
    import scipy
    import scipy.sparse as sp
except ImportError:
    turns.without("sparse matrix times vector", 1, "scipy")
    sys.exit()

NUMBERS = 40000
module = turns.Module("sparse/sparse.nn", "f64")
peer = turns.version(scipy)

for n in 400, 4000, 8000:
    a = sp.random(n, n, density=NUMBERS / n**2, format="csr", random_state=1)
    draw = np.random.default_rng(1)
    x, w = draw.standard_normal(n), draw.standard_normal(n)
    turned = a.T.tocsr()
    line = np.repeat(np.arange(n), np.diff(a.indptr))
    given = a.indptr, a.indices, a.data, x
    for name, more, theirs in (
        ("product", (), lambda: a @ x),
        ("by_x", (w,), lambda: turned @ w),
        ("by_val", (w,), lambda: w[line] * x[a.indices]),
    ):
        ours = module.call(name, *given, *more, n=n, e=a.nnz, m=n)
        what = f"sparse matrix, {n} rows: {name}"
        turns.rows(what, 1, ours, (peer, turns.repeat(theirs)))
        turns.same(what, ours.results, [theirs()], 1e-12)
