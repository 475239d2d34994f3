"""sparse.py LIBRARY: sparse.nn beside SciPy, 40,000 numbers in rows of several lengths:
how many times as long SciPy takes, the least of rounds that take turns. The gradient by
the vector is a product with the transpose, made before; by the numbers SciPy has none, so
that is NumPy's product of what was gathered, the row of each number being known."""
import ctypes
import sys
import time

import numpy as np
import scipy.sparse as sp

ROUNDS, TIMES, NUMBERS = 20, 5, 40000
library = ctypes.CDLL(sys.argv[1])


def address(a):
    return a.ctypes.data_as(ctypes.c_void_p)


def took(f):
    start = time.perf_counter()
    for _ in range(TIMES):
        f()
    return (time.perf_counter() - start) / TIMES


def compare(name, ours, theirs, got, want):
    pairs = [(took(ours), took(theirs)) for _ in range(ROUNDS)]
    mine, other = (min(p) for p in zip(*pairs))
    assert np.allclose(got, want), name
    print(f"  {name}: {mine * 1e6:.1f} us, SciPy {other / mine:.2f} times")


for rows in 400, 4000, 8000:
    a = sp.random(rows, rows, density=NUMBERS / rows**2, format="csr", random_state=1)
    draw = np.random.default_rng(1)
    x, w = draw.standard_normal(rows), draw.standard_normal(rows)
    y, by_val, by_x = np.zeros(rows), np.zeros(a.nnz), np.zeros(rows)
    work = np.zeros(2 * (a.nnz + rows) + 64)
    sizes = [ctypes.c_int64(n) for n in (rows, a.nnz, rows)]
    given = [address(v) for v in (a.indptr, a.indices, a.data, x)]
    last = [ctypes.c_void_p((work.ctypes.data + 63) // 64 * 64), None]

    def call(name, arguments, result):
        f = getattr(library, "sparse_" + name)
        status = f(*arguments, *sizes, address(result), *last)
        assert status == 0, (name, status)

    turned = a.T.tocsr()
    row = np.repeat(np.arange(rows), np.diff(a.indptr))
    print(f"{a.nnz} numbers in {rows} rows")
    compare("product", lambda: call("product", given, y), lambda: a @ x, y, a @ x)
    compare("by_x", lambda: call("by_x", given + [address(w)], by_x), lambda: turned @ w, by_x, turned @ w)
    compare("by_val", lambda: call("by_val", given + [address(w)], by_val),
            lambda: w[row] * x[a.indices], by_val, w[row] * x[a.indices])
