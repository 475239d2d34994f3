"""nncc: functions and derivatives compiled ahead of time, called with NumPy.

    m = nncc.load("digits.so")
    loss, d_net = m.loss_grad(net, x, y)

    f = nncc.compile("fn f(x: real[n]) -> real = sum(x * sin(x)); export value_and_grad(f);")
"""
from ._compile import CompileError, compile, load_params, save_params, train
from ._module import Error, Function, Module, Struct, load
from ._threads import set_threads

__all__ = [
    "CompileError",
    "Error",
    "Function",
    "Module",
    "Struct",
    "compile",
    "load",
    "load_params",
    "save_params",
    "set_threads",
    "train",
]
__version__ = "0.1.0"
