"""mlp.py: mlp.nn beside CasADi's C, of scalars and of matrices."""
import ctypes
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")
import turns

import numpy as np

try:
    import casadi as ca
except ImportError:
    turns.without("MLP 4-64-64-4, product of 1,000", 1.5, "CasADi")
    sys.exit()

SHAPES = (4, 64), (64,), (64, 64), (64,), (64, 4), (4,)
peer = f"CasADi {ca.__version__}'s C"
random = np.random.default_rng(1)
ours = turns.Module("states/mlp.nn", "f64")


def c_of(function):
    """Of a function named KIND_NAME and of what is given to it: a peer's name, a way to run its
    C, and the results, which are by columns."""
    name = function.name()
    here = os.getcwd()
    os.chdir(turns.work)
    function.generate(name + ".c")
    os.chdir(here)
    f = getattr(turns.c_library(name, os.path.join(turns.work, name + ".c")), name)

    def on(*given):
        given = [np.ascontiguousarray(a, float) for a in given]
        results = [np.zeros(function.numel_out(i)) for i in range(function.n_out())]
        room = np.zeros(function.sz_w() + 1)
        whole = (ctypes.c_longlong * (function.sz_iw() + 1))()
        to = lambda arrays, n: (ctypes.c_void_p * n)(*(a.ctypes.data for a in arrays))
        args, res = to(given, function.sz_arg()), to(results, function.sz_res())

        def way(times=1):
            assert given and turns.helper.again_casadi(f, times, args, res, whole, ctypes.c_void_p(room.ctypes.data)) == 0

        return f"{peer}, {name.split('_')[0]}", way, results

    return on


def beside(what, target, call, *peers):
    call()
    for _, way, results in peers:
        way()
        turns.same(what, call.results, results, 1e-10)
    turns.rows(what, target, call, *((name, way) for name, way, _ in peers))


def layer(x, W, b):
    return ca.mtimes(W, x) + b


def network(kind, name):
    """f and its Jacobian. CasADi's matrices are by columns, so that what is W here is W' there."""
    x = kind.sym("x", 4)
    p = [kind.sym(f"p{i}", *s[::-1]) for i, s in enumerate(SHAPES)]
    y = layer(ca.tanh(layer(ca.tanh(layer(x, *p[:2])), *p[2:4])), *p[4:])
    J = ca.jacobian(y, x)
    return (c_of(ca.Function(name + "_f", [x, *p], [y])),
            c_of(ca.Function(name + "_both", [x, *p], [y, ca.densify(J).T])))


x = random.standard_normal(4)
p = [random.standard_normal(s) / s[0] ** 0.5 for s in SHAPES]
scalars, matrices = network(ca.SX, "scalars"), network(ca.MX, "matrices")
for i, (what, name) in enumerate((("f", "f"), ("f and its Jacobian", "both"))):
    beside(f"MLP 4-64-64-4: {what}", 2.5, ours.call(name, x, *p), scalars[i](x, *p), matrices[i](x, *p))

t = ca.SX.sym("t", 1000)
value = t[0]
for i in range(1, 1000):
    value = value * t[i]
given = 1 + 0.1 * random.standard_normal(1000)
beside("product of 1,000, value and gradient", 1.5, ours.call("slope", given),
       c_of(ca.Function("scalars_product", [t], [value, ca.gradient(value, t)]))(given))
