"""Compiled functions as others want them: SciPy's optimizers, PyTorch, JAX.

Each is imported when used, not before."""
from __future__ import annotations

from typing import Any, Callable, Tuple

import numpy as np

from ._module import Function, Struct

__all__ = ["Flat", "objective", "hessian_product", "residuals", "torch_function", "jax_function"]


class Flat:
    """Struct or array to vector and back: optimizers know nothing else."""

    def __init__(self, like: Any):
        self._bare = not isinstance(like, (Struct, dict))
        leaves = {"": np.asarray(like)} if self._bare else Struct.leaves(Struct(like))
        self._leaves = {k: (np.shape(a), np.asarray(a).dtype) for k, a in leaves.items()}
        self.size = sum(int(np.prod(shape)) for shape, _ in self._leaves.values())

    def pack(self, value: Any) -> np.ndarray:
        """As one vector of f64."""
        if self._bare:
            return np.asarray(value, "f8").ravel()
        leaves = Struct.leaves(value if isinstance(value, Struct) else Struct(value))
        return np.concatenate([np.asarray(leaves[k], "f8").ravel() for k in self._leaves] or [np.empty(0)])

    def pack_rows(self, value: Any) -> np.ndarray:
        """The same of a derivative that has a value for each of some rows."""
        leaves = {"": np.asarray(value)} if self._bare else Struct.leaves(Struct(value))
        blocks = []
        for k, (shape, _) in self._leaves.items():
            n = int(np.prod(shape))
            a = np.asarray(leaves[k], "f8")
            blocks.append(a.reshape(int(a.size // n) if n else 0, n))
        return np.concatenate(blocks, axis=1)

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


def residuals(
    f: Function, jacobian: Function, like: Any, *args: Any, **named: Any
) -> Tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """For ``scipy.optimize.least_squares(fun, x0, jac=jac)``: fun, jac and x0.

    f: gives residuals; jacobian: a ``jacobian`` of it by its first parameter."""
    flat = Flat(like)

    def fun(vector: np.ndarray) -> np.ndarray:
        return np.asarray(f(flat.unpack(vector), *args, **named), "f8").ravel()

    def jac(vector: np.ndarray) -> np.ndarray:
        return flat.pack_rows(jacobian(flat.unpack(vector), *args, **named))

    return fun, jac, flat.pack(like)


def torch_function(f: Function) -> Callable[..., Any]:
    """A function of PyTorch's from a ``value_and_grad`` by all or the first of its
    parameters, arrays: ``loss = g(x, w)`` has a gradient by those that it was
    differentiated by. The others get none."""
    import torch

    names = [p.name for p in f._params]
    by = [names.index(r.name[2:]) for r in f._results if r.name.startswith("d_") and r.name[2:] in names]
    if not by or len(by) != len(f._results) - 1:
        raise ValueError(f"{f.name} is no value_and_grad of arrays: {f._signature()}")

    class Compiled(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            value, *gradient = f(*[a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else a for a in args])
            ctx.gradient = {i: torch.from_numpy(np.ascontiguousarray(g)) for i, g in zip(by, gradient)}
            like = next((a for a in args if isinstance(a, torch.Tensor)), None)
            return torch.as_tensor(value, device=None if like is None else like.device)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, adjoint: Any) -> Any:
            return tuple(
                adjoint * ctx.gradient[i].to(adjoint.device) if needed and i in ctx.gradient else None
                for i, needed in enumerate(ctx.needs_input_grad)
            )

    return Compiled.apply


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
