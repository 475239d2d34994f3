"""Compiled functions as others want them: SciPy's optimizers, JAX.

Each is imported when used, not before."""
from __future__ import annotations

from typing import Any, Callable, Tuple

import numpy as np

from ._module import Function, Struct

__all__ = ["Flat", "objective", "hessian_product", "jax_function"]


class Flat:
    """Struct or array to vector and back: optimizers know nothing else."""

    def __init__(self, like: Any):
        self._bare = not isinstance(like, (Struct, dict))
        leaves = {"": np.asarray(like)} if self._bare else Struct(like).leaves()
        self._leaves = {k: (np.shape(a), np.asarray(a).dtype) for k, a in leaves.items()}
        self.size = sum(int(np.prod(shape)) for shape, _ in self._leaves.values())

    def pack(self, value: Any) -> np.ndarray:
        """As one vector of f64."""
        if self._bare:
            return np.asarray(value, "f8").ravel()
        leaves = Struct(value).leaves() if not isinstance(value, Struct) else value.leaves()
        return np.concatenate([np.asarray(leaves[k], "f8").ravel() for k in self._leaves] or [np.empty(0)])

    def unpack(self, vector: np.ndarray) -> Any:
        """The other way: arrays of the dtypes that there were."""
        if np.shape(vector) != (self.size,):
            raise ValueError(f"expected a vector of {self.size} numbers, not {np.shape(vector)}")
        at, found = 0, {}
        for k, (shape, dtype) in self._leaves.items():
            n = int(np.prod(shape))
            found[k] = np.ascontiguousarray(vector[at : at + n], dtype).reshape(shape)
            at += n
        return found[""] if self._bare else Struct.from_leaves(found)


def objective(f: Function, like: Any, *args: Any, **named: Any) -> Tuple[Callable[[np.ndarray], Any], np.ndarray]:
    """For ``scipy.optimize.minimize(fun, x0, jac=True)``: fun and x0.

    f: a ``value_and_grad`` by its first parameter; like: a value of that, where
    to begin; the others are what f takes besides."""
    flat = Flat(like)

    def fun(vector: np.ndarray) -> Tuple[float, np.ndarray]:
        value, gradient = f(flat.unpack(vector), *args, **named)
        return float(value), flat.pack(gradient)

    return fun, flat.pack(like)


def hessian_product(f: Function, like: Any, *args: Any, **named: Any) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """For ``minimize(…, hessp=…)``: of an ``hvp`` by its first parameter. Its
    direction is the argument that f has last."""
    flat = Flat(like)
    direction = f._params[-1].name

    def product(vector: np.ndarray, along: np.ndarray) -> np.ndarray:
        return flat.pack(f(flat.unpack(vector), *args, **{direction: flat.unpack(along)}, **named))

    return product


def jax_function(f: Function) -> Callable[..., Any]:
    """A function of JAX's from a ``value_and_grad`` by its first parameter, an
    array: what is differentiated there calls what was compiled here."""
    import jax
    import jax.numpy as jnp

    def call(x: Any, *args: Any) -> Any:
        value, gradient = f(*[np.asarray(a) for a in (x, *args)])
        return np.asarray(value), np.asarray(gradient)

    def compiled(x: Any, args: Any) -> Any:
        shape = (jax.ShapeDtypeStruct((), x.dtype), jax.ShapeDtypeStruct(x.shape, x.dtype))
        return jax.pure_callback(call, shape, x, *args)

    @jax.custom_vjp
    def function(x: Any, args: Any) -> Any:
        return compiled(x, args)[0]

    def forward(x: Any, args: Any) -> Any:
        value, gradient = compiled(x, args)
        return value, (gradient, args)

    def backward(kept: Any, adjoint: Any) -> Any:
        gradient, args = kept
        zeros = tuple(
            jnp.zeros_like(a) if jnp.issubdtype(jnp.asarray(a).dtype, jnp.floating) else np.zeros(np.shape(a), jax.dtypes.float0)
            for a in args
        )
        return adjoint * gradient, zeros

    function.defvjp(forward, backward)
    return lambda x, *args: function(x, args)
