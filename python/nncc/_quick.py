"""The quick way through a call: a Python function that is written for a signature.

Where arguments are as they should be (arrays of the dtype in one piece, numbers,
structs as `Struct`) and others of their shapes came before, a call needs no more
than their addresses."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

#: What a quick function returns for what it leaves to the careful way.
SLOW = object()

#: Numbers that need no conversion that could be refused, by dtype.kind.
_NUMBERS = {"f": (float, int, np.float64, np.float32), "i": (int, np.int32, np.int64), "b": (bool, np.bool_)}


def _fields(tree: Sequence[Tuple[str, Any]], name: Callable[[int], str]) -> str:
    parts = (f"{k!r}: " + (name(v) if type(v) is int else _fields(v, name)) for k, v in tree)
    return "struct({" + ", ".join(parts) + "})"


class _Writer:
    """Lines of the function, and what they name."""

    def __init__(self, **names: Any):
        self.lines: List[str] = []
        self.names: Dict[str, Any] = names

    def add(self, line: str, deep: int = 2) -> None:
        self.lines.append("    " * deep + line)

    def name(self, of: str, what: Any) -> str:
        self.names[of] = what
        return of

    def array(self, k: int, dtype: Any, deep: int = 2, overwritten: bool = False) -> None:
        """Nothing else than arrays has such a dtype and may be written as a buffer."""
        d = self.name(f"D{k}", dtype)
        if overwritten:
            self.add(f"if type(v{k}) is not ndarray: return SLOW", deep)
        self.add(f"if v{k}.dtype is not {d}: return SLOW", deep)
        self.add(f"p{k} = addressof(from_buffer(v{k}))", deep)

    def number(self, k: int, dtype: Any) -> None:
        """One number, or an array without axes."""
        types = self.name(f"N{k}", _NUMBERS[dtype.kind])
        self.add(f"if type(v{k}) in {types}:")
        self.add(f"own.{dtype.name}[{k * 8 // dtype.itemsize}] = v{k}", 3)
        self.add(f"p{k} = own.first + {8 * k}; s{k} = ()", 3)
        self.add("else:")
        self.array(k, dtype, 3)
        self.add(f"s{k} = v{k}.shape", 3)

    def leaf(self, k: int, value: str, leaf: Any, overwritten: bool) -> str:
        """Its shape."""
        self.add(f"v{k} = {value}")
        if leaf.rank or overwritten or leaf.dtype.kind not in _NUMBERS:
            self.array(k, leaf.dtype, 2, overwritten)
            return f"v{k}.shape"
        self.number(k, leaf.dtype)
        return f"s{k}"

    def fields(self, value: str, tree: Sequence[Tuple[str, Any]], to: Dict[int, str]) -> None:
        """Where the leaves below a struct are."""
        of = f"f{len(self.lines)}"
        self.add(f"{of} = {value}.__dict__ if type({value}) is Struct else {value}")
        self.add(f"if type({of}) is not dict: return SLOW")
        for name, part in tree:
            if type(part) is int:
                to[part] = f"{of}[{name!r}]"
            else:
                inner = f"g{len(self.lines)}"
                self.add(f"{inner} = {of}[{name!r}]")
                self.fields(inner, part, to)

    def arguments(self, params: Sequence[Any], overwritten: Any) -> Tuple[List[str], List[str]]:
        """Addresses and shapes."""
        at: List[str] = []
        shapes: List[str] = []
        for i, p in enumerate(params):
            value = {0: f"a{i}"} if p.bare else {}
            if not p.bare:
                self.fields(f"a{i}", p.tree, value)
            for j, leaf in enumerate(p.leaves):
                shapes.append(self.leaf(len(at), value[j], leaf, i in overwritten))
                at.append(f"p{len(at)}")
        return at, shapes

    def results(self, results: Sequence[Any], numbers: Sequence[int], at: List[str]) -> List[str]:
        """What is returned, after lines that make room for it."""
        found = []
        for i, r in enumerate(results):
            first = len(at)
            for leaf in r.leaves:
                k = len(at)
                at.append("own.first" if r.in_place >= 0 else f"own.first + {8 * k}" if k in numbers else f"p{k}")
                if r.in_place < 0 and k not in numbers:
                    self.add(f"v{k} = empty(s{k}, {self.name(f'D{k}', leaf.dtype)}); p{k} = addressof(from_buffer(v{k}))")
            if r.in_place >= 0:
                found.append(f"a{r.in_place}")
            elif first in numbers:
                found.append(f"own.numbers[{self.name(f'D{first}', r.leaves[0].dtype)}][{first}]")
            else:
                found.append(f"v{first}" if r.bare else _fields(r.tree, lambda k, f=first: f"v{f + k}"))  # type: ignore[misc]
        return found


def write(f: Any, local: Any, struct: Any, new: Callable[[Dict[str, Any]], Any]) -> Callable[[Tuple[Any, ...]], Any]:
    """Of the Function f; `local` holds each thread's workspace."""
    w = _Writer(
        SLOW=SLOW, Struct=struct, struct=new, ndarray=np.ndarray, empty=np.empty, local=local, plans=f._quick_plans,
        from_buffer=ctypes.c_char.from_buffer, addressof=ctypes.addressof, pack=f._pack, call=f._call, failed=f._failed,
        defaults=f._defaults,
    )  # fmt: skip
    values = "".join(f"a{i}, " for i in range(len(f._params)))
    if values:
        w.add(f"if len(args) != {len(f._params)}: args += defaults[len(args):]")
        w.add(f"{values}= args")
    w.add("own = local.space")
    at, shapes = w.arguments(f._params, f._overwritten)
    made = [f"s{k}" for k in f._made]
    w.add(f"{', '.join(['dims', 'need', *made])} = plans[({''.join(s + ', ' for s in shapes)})]")
    results = w.results(f._results, f._numbers, at)
    w.add("if need > own.size: own.grow(need)")
    w.add("except (AttributeError, KeyError, TypeError, ValueError, BufferError, OverflowError): return SLOW", 1)
    w.add(f"status = call(pack({', '.join(at)}), dims, own.address, own.exec_address)", 1)
    w.add("if status: raise failed(status, own.error)", 1)
    w.add(f"return {results[0] if len(results) == 1 else '(' + ''.join(r + ', ' for r in results) + ')'}", 1)
    text = "\n".join(["def quick(args):", "    try:", *w.lines])
    exec(compile(text, f"<nncc {f.name}>", "exec"), w.names)
    return w.names["quick"]
