"""Compiled modules and their functions, called with NumPy arrays."""
from __future__ import annotations

import ctypes
import os
import struct
import threading
import weakref
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np

from . import _abi, _quick

__all__ = ["Error", "Function", "Module", "Struct", "load"]

_STATUS = {
    1: "null pointer where data is needed",
    2: "dimension negative, too large, or zero where divided by",
    3: "workspace missing or not aligned",
    4: "label or index out of range",
    5: "loss or gradient infinite or not a number",
}


class Error(RuntimeError):
    """A call that a compiled function ended early. `status` is its enum nn_status."""

    def __init__(self, message: str, status: int = 0):
        super().__init__(message)
        self.status = status


class Struct(Mapping[str, Any]):
    """A value of a struct or tuple: fields as attributes and as a mapping.

    Nested; leaves are arrays. ``Struct({"hidden": {"W": w, "b": b}})``. A field
    called as a method is (``items``) hides it: nothing here calls one of a value."""

    __slots__ = ("__dict__",)

    def __init__(self, fields: Optional[Mapping[str, Any]] = None, **more: Any):
        own = fields.__dict__ if isinstance(fields, Struct) else fields or {}
        for name, v in {**own, **more}.items():
            self.__dict__[name] = Struct(v) if isinstance(v, dict) else v

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    def __repr__(self) -> str:
        return "Struct(" + ", ".join(f"{k}={v!r}" for k, v in self.__dict__.items()) + ")"

    def leaves(self) -> Dict[str, np.ndarray]:
        """The arrays by their paths: ``{"hidden.W": …}``."""
        found: Dict[str, np.ndarray] = {}
        for name, v in self.__dict__.items():
            if isinstance(v, Struct):
                found.update({f"{name}.{k}": leaf for k, leaf in Struct.leaves(v).items()})
            else:
                found[name] = v
        return found

    @staticmethod
    def from_leaves(leaves: Mapping[str, Any]) -> "Struct":
        """The other way."""
        top = Struct()
        for path, v in leaves.items():
            *outer, last = path.split(".")
            at = top
            for name in outer:
                at = at.__dict__.setdefault(name, Struct())
            at.__dict__[last] = v
        return top


def _part(value: Any, path: str, whole: str) -> Any:
    """value.path, of objects, mappings, sequences."""
    for name in path.split("."):
        if isinstance(value, Mapping):
            found = value[name] if name in value else _part
        elif isinstance(value, (list, tuple)) and not hasattr(value, name):
            i = int(name.lstrip("_")) if name.lstrip("_").isdigit() else len(value)
            found = value[i] if i < len(value) else _part
        else:
            found = getattr(value, name, _part)
        if found is _part:
            raise TypeError(f"{whole} lacks '{path}'")
        value = found
    return value


class _Leaf:
    __slots__ = ("path", "dtype", "name", "rank", "shape", "port")

    def __init__(self, leaf: _abi.nn_leaf, port: str):
        self.path = leaf.path.decode()
        self.dtype = np.dtype(_abi.DTYPES[leaf.dtype])
        self.name = _abi.NAMES[leaf.dtype]
        self.rank = int(leaf.rank)
        self.shape = leaf.shape.decode()
        self.port = f"{port}.{self.path}" if self.path else port


def _tree(paths: List[List[str]], first: int) -> List[Tuple[str, Any]]:
    """Fields in order: each the number of a leaf or fields of its own."""
    if not any(paths):
        return []
    found: Dict[str, List[Tuple[int, List[str]]]] = {}
    for k, path in enumerate(paths, first):
        found.setdefault(path[0], []).append((k, path[1:]))
    return [(name, at[0][0] if not at[0][1] else _tree([p for _, p in at], at[0][0])) for name, at in found.items()]


def _struct(fields: Dict[str, Any], new: Any = Struct.__new__, of: Any = Struct) -> Struct:
    """Of what belongs to it from now on."""
    to: Struct = new(of)
    to.__dict__ = fields
    return to


def _built(tree: List[Tuple[str, Any]], leaves: List[Any], first: int) -> Struct:
    return _struct(
        {name: leaves[first + part] if type(part) is int else _built(part, leaves, first) for name, part in tree}
    )


class _Port:
    __slots__ = ("name", "type", "leaves", "in_place", "default", "tree")

    def __init__(self, p: _abi.nn_port):
        self.name = p.name.decode()
        self.type = p.type.decode()
        self.in_place = int(p.in_place)
        self.default = float(p.value) if p.has_value else None
        self.leaves = [_Leaf(p.leaf[i].contents, self.name) for i in range(p.nleaf)]
        self.tree = _tree([leaf.path.split(".") if leaf.path else [] for leaf in self.leaves], 0)

    @property
    def bare(self) -> bool:
        return len(self.leaves) == 1 and not self.leaves[0].path


#: Single numbers that a call may have; more are arrays.
_NUMBERS = 64
#: Dtypes of numbers that are written there.
_MEMORY = ("bool", "int32", "int64", "float32", "float64")


#: Of all threads that have called something, and what these are given to run
#: in parallel: a pool of libnn's and its function, or nothing.
_spaces: "weakref.WeakSet[_Workspace]" = weakref.WeakSet()
_parallel: Tuple[Optional[int], Optional[int]] = (None, None)


def use_parallel(context: Optional[int], parallel_for: Optional[int]) -> None:
    global _parallel
    _parallel = (context, parallel_for)
    for space in list(_spaces):
        space.use_threads()


class _Workspace:
    """What a call needs besides arrays, of each thread its own: memory for
    intermediate values, which grows, memory for numbers, and where it stopped."""

    _OTHERS = ("error", "exec", "exec_address", "__weakref__")
    __slots__ = ("block", "address", "size", "numbers", "first", *_OTHERS, *_MEMORY)

    def __init__(self) -> None:
        self.block = np.empty(0, "u1")
        self.address = self.size = 0
        numbers = np.zeros(_NUMBERS, "u8")
        #: The same memory as each dtype: number i is in 8 bytes of its own.
        self.numbers = {np.dtype(t): numbers.view(t)[:: 8 // np.dtype(t).itemsize] for t in _abi.DTYPES}
        for name in _MEMORY:  # all of it: the quickest way to write one
            setattr(self, name, memoryview(numbers.view(name)))
        self.first = numbers.ctypes.data
        self.error = _abi.nn_error(ctypes.sizeof(_abi.nn_error), -1, 0, 0)
        self.exec = _abi.nn_exec(ctypes.sizeof(_abi.nn_exec), 0, None, None, ctypes.pointer(self.error))
        self.exec_address = ctypes.addressof(self.exec)
        _spaces.add(self)
        self.use_threads()

    def use_threads(self) -> None:
        self.exec.context, self.exec.parallel_for = _parallel

    def grow(self, n: int) -> None:
        self.block = np.empty(n + 128, "u1")
        self.address = (self.block.ctypes.data + 63) & ~63
        self.size = n + 64


class _Local(threading.local):
    def __init__(self) -> None:
        self.space = _Workspace()


_local = _Local()


_from_buffer = ctypes.c_char.from_buffer
_addressof = ctypes.addressof


def _address(a: np.ndarray) -> int:
    try:  # the quickest way, of what may be written and has elements
        return _addressof(_from_buffer(a))  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return a.ctypes.data


def _number(p: "_Port") -> Any:
    """The default of p, in as few digits as its dtype needs."""
    v = p.default or 0.0
    return int(v) if v.is_integer() else str(p.leaves[0].dtype.type(v))


class Function:
    """A function of a module: called with arrays, gives arrays.

    Arguments come in the order of the program or by name; those with defaults
    may be left out; a free dimension that no array tells is given by its name.
    A struct is anything with its fields: a `Struct`, a dict, an object. An
    argument that the function overwrites (`step`'s net, say) must be an array
    of the right type, and is changed in place.
    One result is returned as it is, several as a tuple."""

    def __init__(self, module: "Module", f: _abi.nn_function):
        self._module = module  # keeps the library open
        self.name: str = f.name.decode()
        self.kind: int = int(f.kind)
        self._params = [_Port(f.param[i].contents) for i in range(f.nparam)]
        self._results = [_Port(f.result[i].contents) for i in range(f.nresult)]
        self.dims: Tuple[str, ...] = tuple(f.dim[i].decode() for i in range(f.ndim))
        self._call, self._need, self._sizes = f.call, f.workspace, f.sizes
        self._places = [f.place[i].contents for i in range(f.nplace)]
        self._names = [p.name for p in self._params]
        self._leaves = [leaf for p in self._params + self._results for leaf in p.leaves]
        self._nparam = sum(len(p.leaves) for p in self._params)
        self._overwritten = {r.in_place for r in self._results if r.in_place >= 0}
        self._plans: Dict[Any, _Plan] = {}
        self._bare = all(r.bare for r in self._results) and not self._overwritten
        self._defaults = tuple(p.default for p in self._params)
        self._pack = struct.Struct(f"{len(self._leaves)}P").pack
        # Leaves of results that get an array; those that are a number of their own.
        self._made: List[int] = []
        self._numbers: List[int] = []
        k = self._nparam
        for r in self._results:
            for leaf in r.leaves:
                if r.in_place < 0:
                    (self._numbers if r.bare and not leaf.rank and k < _NUMBERS else self._made).append(k)
                k += 1
        self._quick_plans: Dict[Any, Any] = {}
        self._quick = _quick.write(self, _local, Struct, _struct) if self._nparam <= _NUMBERS else None
        self.__doc__ = self._signature()

    def _signature(self) -> str:
        def port(p: _Port) -> str:
            return f"{p.name}: {p.type}" + ("" if p.default is None else f" = {_number(p)}")

        results = ", ".join(f"{p.name}: {p.type}" for p in self._results)
        return f"{self.name}({', '.join(map(port, self._params))}) -> {results}"

    def __repr__(self) -> str:
        return f"<nncc function {self._signature()}>"

    # Dimensions

    def _all_sizes(self, dims: List[int]) -> List[Tuple[int, ...]]:
        at = (ctypes.c_int64 * max(len(dims), 1))(*dims)
        to = (ctypes.c_int64 * max(sum(leaf.rank for leaf in self._leaves), 1))()
        self._sizes(ctypes.addressof(at), ctypes.addressof(to))
        found, k = [], 0
        for leaf in self._leaves:
            found.append(tuple(to[k : k + leaf.rank]))
            k += leaf.rank
        return found

    def _solve(self, shapes: List[Tuple[int, ...]], given: Dict[str, int]) -> List[int]:
        """Dimensions from shapes: each axis is an affine function of one of them,
        or of others that are known by then."""
        n = len(self.dims)
        known: List[Optional[int]] = [given.get(d) for d in self.dims]
        probe = [101 + 2 * i for i in range(n)]
        base = self._all_sizes(probe)
        moved = [self._all_sizes(probe[:k] + [probe[k] + 1] + probe[k + 1 :]) for k in range(n)]
        for _ in range(n):
            trial = [probe[k] if v is None else v for k, v in enumerate(known)]
            now = self._all_sizes(trial)
            for leaf, shape in enumerate(shapes):
                for axis, size in enumerate(shape):
                    on = [k for k in range(n) if known[k] is None and moved[k][leaf][axis] != base[leaf][axis]]
                    if len(on) != 1:
                        continue
                    k = on[0]
                    step = self._all_sizes(trial[:k] + [trial[k] + 1] + trial[k + 1 :])[leaf][axis] - now[leaf][axis]
                    rest = size - now[leaf][axis]
                    if step and rest % step == 0:
                        trial[k] += rest // step
                        known[k] = trial[k]
                        now = self._all_sizes(trial)
        lacking = [d for d, v in zip(self.dims, known) if v is None]
        if lacking:
            raise TypeError(f"{self.name}: dimension '{lacking[0]}' does not follow from the arrays: give it by name")
        return [int(v) for v in known if v is not None]

    def _plan(self, shapes: List[Tuple[int, ...]], given: Dict[str, int]) -> "_Plan":
        dims = self._solve(shapes, given)
        if any(d < 0 for d in dims):
            raise ValueError(f"{self.name}: a dimension would be negative: {dict(zip(self.dims, dims))}")
        sizes = self._all_sizes(dims)
        for leaf, have, want in zip(self._leaves, shapes, sizes):
            if tuple(have) != want:
                raise ValueError(f"{self.name}: '{leaf.port}' is {list(have)}; expected {leaf.shape}, here {list(want)}")
        at = (ctypes.c_int64 * max(len(dims), 1))(*dims)
        need = int(self._need(_addressof(at)))
        k = self._nparam
        out: List[Tuple[Tuple[int, ...], Any, int]] = []
        for r in self._results:
            # What is overwritten is no argument of its own; a number needs no array.
            for leaf in r.leaves:
                out.append((sizes[k] if r.in_place < 0 else (0,), leaf.dtype, k if k in self._numbers else -1))
                k += 1
        return _Plan(at, need, out)

    # Arguments

    def _bind(self, args: Tuple[Any, ...], named: Dict[str, Any]) -> Tuple[List[Any], Dict[str, int]]:
        if len(args) > len(self._params):
            raise TypeError(f"{self.name} takes {len(self._params)} arguments, not {len(args)}: {self._signature()}")
        values = list(args) + [_bind_default] * (len(self._params) - len(args))
        dims: Dict[str, int] = {}
        for name, v in named.items():
            if name in self._names:
                i = self._names.index(name)
                if values[i] is not _bind_default:
                    raise TypeError(f"{self.name}: '{name}' is given twice")
                values[i] = v
            elif name in self.dims:
                dims[name] = int(v)
            else:
                raise TypeError(f"{self.name} has no parameter '{name}': {self._signature()}")
        for i, (p, v) in enumerate(zip(self._params, values)):
            if v is _bind_default:
                if p.default is None:
                    raise TypeError(f"{self.name} needs '{p.name}': {self._signature()}")
                values[i] = p.default
        return values, dims

    def _array(self, leaf: _Leaf, v: Any, overwritten: bool) -> np.ndarray:
        a = v if type(v) is np.ndarray else np.asarray(v)
        if a.dtype != leaf.dtype or not a.flags.c_contiguous:
            if overwritten:
                raise TypeError(
                    f"{self.name} overwrites '{leaf.port}': expected a contiguous array of {leaf.name}, not of {a.dtype}"
                )
            if leaf.dtype.kind in "iub" and a.size and a.dtype.kind not in "iub":
                whole = a.astype(leaf.dtype)
                if not np.array_equal(whole, a):
                    raise TypeError(f"{self.name}: '{leaf.port}' takes {leaf.name}; not all of it are whole numbers")
            a = np.ascontiguousarray(a, leaf.dtype).reshape(a.shape)
        if overwritten and (type(v) is not np.ndarray or not a.flags.writeable):
            raise TypeError(f"{self.name} overwrites '{leaf.port}': expected an array that may be changed")
        if a.ndim != leaf.rank:
            raise ValueError(f"{self.name}: '{leaf.port}' has {a.ndim} axes; expected {leaf.shape or 'a number'}")
        return a

    def _arrays(self, values: List[Any]) -> List[np.ndarray]:
        found = []
        for i, (p, v) in enumerate(zip(self._params, values)):
            over = i in self._overwritten
            if p.bare:
                found.append(self._array(p.leaves[0], v, over))
            else:
                found.extend(self._array(leaf, _part(v, leaf.path, p.name), over) for leaf in p.leaves)
        return found

    def _failed(self, status: int, error: _abi.nn_error) -> Error:
        text = _STATUS.get(status, f"status {status}")
        place, error.place = error.place, -1
        if 0 <= place < len(self._places):
            p = self._places[place]
            where = f"{p.file.decode()}:{p.line}: " if p.file else ""
            text = f"{where}'{p.text.decode()}': {text}"
            if status == 4:
                text += f": {error.index} is not in 0 … {error.limit - 1}"
        return Error(f"{self.name}: {text}", status)

    def _carefully(
        self, args: Tuple[Any, ...], named: Dict[str, Any]
    ) -> Tuple[List[Any], List[np.ndarray], Dict[str, int]]:
        values, given = self._bind(args, named)
        return values, self._arrays(values), given

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self._quick:
            result = self._quick(self._in_order(args, named) if named else args)
            if result is not _quick.SLOW:
                return result
        return self._slowly(args, named)

    def _in_order(self, args: Tuple[Any, ...], named: Dict[str, Any]) -> Tuple[Any, ...]:
        """All arguments; something else if there is anything to say about them."""
        rest = range(len(args), len(self._names))
        found = [named.get(self._names[i], self._defaults[i]) for i in rest]
        used = sum(self._names[i] in named for i in rest)
        return (*args, *found) if used == len(named) else (None,)

    def _slowly(self, args: Tuple[Any, ...], named: Dict[str, Any]) -> Any:
        own = _local.space
        values, arrays, given = self._carefully(args, named)
        at, shapes = [_address(a) for a in arrays], [a.shape for a in arrays]
        key: Any = tuple(shapes)
        if given:
            key = (key, tuple(given.items()))
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) > 256:
                self._plans.clear()
                self._quick_plans.clear()
            plan = self._plans[key] = self._plan(shapes, given)
            if not given:
                self._quick_plans[key] = (plan.dims_at, plan.need, *(plan.out[k - self._nparam][0] for k in self._made))
        out: List[Any] = []
        for size, dtype, number in plan.out:
            if number < 0:
                a = np.empty(size, dtype)
                out.append(a)
                at.append(_address(a))
            else:
                out.append(number)
                at.append(own.first + 8 * number)
        if plan.need > own.size:
            own.grow(plan.need)
        status = self._call(self._pack(*at), plan.dims_at, own.address, own.exec_address)
        if status:
            raise self._failed(status, own.error)
        return self._outcome(values, plan, out, own)

    def _outcome(self, values: Any, plan: "_Plan", out: List[Any], own: _Workspace) -> Any:
        for i, dtype, number in plan.numbers:
            out[i] = own.numbers[dtype][number]
        if self._bare:
            return out[0] if len(out) == 1 else tuple(out)
        at, results = 0, []
        for r in self._results:
            if r.in_place >= 0:
                results.append(values[r.in_place])
            elif r.bare:
                results.append(out[at])
            else:
                results.append(_built(r.tree, out, at))
            at += len(r.leaves)
        return results[0] if len(results) == 1 else tuple(results)


class _Plan:
    """What follows from the arguments' shapes."""

    __slots__ = ("dims", "dims_at", "need", "out", "numbers")

    def __init__(self, dims: Any, need: int, out: List[Tuple[Tuple[int, ...], Any, int]]):
        self.dims, self.need, self.out = dims, need, out
        self.dims_at = _addressof(dims)
        self.numbers = [(i, dtype, number) for i, (_, dtype, number) in enumerate(out) if number >= 0]


_bind_default = object()


def _names(of: Any, n: int) -> Optional[List[str]]:
    return [of[i].decode() for i in range(n)] if of else None


class Module:
    """An open module: its functions are attributes. See `load`."""

    def __init__(self, path: str):
        path = os.fspath(path)
        symbols = _abi.module_symbols(path)
        own = os.path.splitext(os.path.basename(path))[0] + "_module"
        if own in symbols:
            symbols = [own]
        if len(symbols) != 1:
            raise ValueError(f"{path}: no module compiled by nncc")
        self.path = path
        self._library = ctypes.CDLL(os.path.abspath(path))
        get = getattr(self._library, symbols[0])
        get.restype = ctypes.POINTER(_abi.nn_module)
        d = get().contents
        if d.magic != _abi.MAGIC or d.abi_version != _abi.ABI_VERSION:
            raise ValueError(f"{path}: made by another version of nncc")
        self.name: str = d.name.decode()
        #: The NumPy dtype of `real`.
        self.real = np.dtype(_abi.DTYPES[d.real])
        #: Of a module with its parameters (``nncc --with``): what it was trained on.
        self.class_names: Optional[List[str]] = None
        self.feature_names: Optional[List[str]] = None
        if d.size >= ctypes.sizeof(_abi.nn_module) and d.fit:
            fit = d.fit.contents
            self.class_names = _names(fit.class_name, fit.nclass)
            self.feature_names = _names(fit.feature_name, fit.nfeature)
        self.functions: Dict[str, Function] = {}
        for i in range(d.nfunction):
            f = Function(self, d.function[i].contents)
            self.functions[f.name] = f
            self.__dict__.setdefault(f.name, f)  # found without a search

    def __getattr__(self, name: str) -> Function:
        functions = self.__dict__.get("functions", {})
        if name in functions:
            return functions[name]
        raise AttributeError(f"{self.__dict__.get('path')} has no function '{name}'; it has {', '.join(functions)}")

    def __dir__(self) -> List[str]:
        return [*super().__dir__(), *self.functions]

    def __repr__(self) -> str:
        lines = "".join(f"\n  {f._signature()}" for f in self.functions.values())
        return f"<nncc module {self.name}, real = {self.real}>{lines}"


def load(path: str) -> Module:
    """Opens a shared library that ``nncc model.nn -o model.so`` has made."""
    return Module(path)
