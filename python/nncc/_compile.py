"""The compiler as a command: programs to modules, models to trained parameters."""
from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from ._module import Module, Struct

__all__ = ["CompileError", "compile", "load_params", "save_params", "train"]


class CompileError(Exception):
    """What the compiler says of a program, or of a training, that is wrong."""


def compiler() -> str:
    """The command: $NNCC, or nncc on the path."""
    found = os.environ.get("NNCC") or shutil.which("nncc")
    if not found:
        raise CompileError("nncc is not on the path: install it, or set NNCC")
    return found


def _run(*arguments: str, cwd: Optional[str] = None) -> str:
    p = subprocess.run([compiler(), *arguments], capture_output=True, text=True, cwd=cwd)
    if p.returncode:
        raise CompileError(p.stderr.strip() or f"nncc ended with status {p.returncode}")
    return p.stdout


def _cache() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(base, "nncc")
    os.makedirs(folder, exist_ok=True)
    return folder


def _is_path(source: str) -> bool:
    return "\n" not in source and (os.path.exists(source) or source.endswith(".nn"))


def _uses_files(text: str) -> bool:
    return any(line.strip().startswith("use ") for line in text.splitlines())


def compile(
    source: str,
    *,
    real: str = "f32",
    dims: Optional[Mapping[str, int]] = None,
    name: str = "model",
    cpu: str = "native",
) -> Module:
    """A module of a program: its text, or the path of a .nn file.

    real: "f32" or "f64". dims: sizes to fix. What was compiled is kept under
    ~/.cache/nncc by its content, and not compiled again. CompileError has the
    compiler's text."""
    path = os.fspath(source)
    folder = None
    if _is_path(path):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        name = os.path.splitext(os.path.basename(path))[0]
        folder = os.path.dirname(os.path.abspath(path))
    else:
        text = path
    options = [f"--real={real}", f"--cpu={cpu}", *(f"--dim={k}={v}" for k, v in sorted((dims or {}).items()))]
    key = hashlib.sha256()
    for part in (text, _beside(text, folder), *options, _run("--version"), _stamp()):
        key.update(part.encode() + b"\0")
    to = os.path.join(_cache(), f"{name}-{key.hexdigest()[:32]}")
    made = os.path.join(to, f"{name}.so")
    if not os.path.exists(made):
        _make(text, path if folder else None, name, options, to)
    return Module(made)


def _stamp() -> str:
    """Of the compiler itself, and of the machine."""
    st = os.stat(compiler())
    return f"{st.st_mtime_ns} {st.st_size} {os.uname().machine} {os.uname().nodename}"


def _beside(text: str, folder: Optional[str]) -> str:
    """Programs that this one may use."""
    if folder is None or not _uses_files(text):
        return ""
    found = []
    for entry in sorted(os.listdir(folder)):
        if entry.endswith(".nn"):
            with open(os.path.join(folder, entry), encoding="utf-8", errors="replace") as f:
                found.append(entry + "\0" + f.read())
    return "\0".join(found)


def _make(text: str, path: Optional[str], name: str, options: list, to: str) -> None:
    """In a folder of its own, which then gets its name: others see all or nothing."""
    with tempfile.TemporaryDirectory(dir=_cache()) as work:
        if path is None:
            path = os.path.join(work, f"{name}.nn")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        new = os.path.join(work, "new")
        os.mkdir(new)
        _run(path, "-o", os.path.join(new, f"{name}.so"), *options)
        try:
            os.rename(new, to)
        except OSError:
            if not os.path.isdir(to):  # another process was quicker
                raise


# Parameters in files

_KINDS = {"BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4", "I64": "<i8"}
_KINDS.update({"U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8"})
_NAMES = {np.dtype(v): k for k, v in _KINDS.items()}


class _Unknown(ValueError):
    """A file that is right, but not for NumPy."""


def _read_tensors(path: str) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    with open(path, "rb") as f:
        image = f.read()
    try:
        (n,) = struct.unpack_from("<Q", image)
        header = json.loads(image[8 : 8 + n])
        texts = header.pop("__metadata__", {})
        found = {}
        for name, e in header.items():
            at, end = e["data_offsets"]
            if e["dtype"] not in _KINDS:
                raise _Unknown(f"{path}: '{name}' is of dtype {e['dtype']}, which NumPy does not have")
            part = image[8 + n + at : 8 + n + end]
            found[name] = np.frombuffer(part, _KINDS[e["dtype"]]).reshape(e["shape"]).copy()
    except _Unknown:
        raise
    except (struct.error, ValueError, KeyError, TypeError) as e:
        raise ValueError(f"{path}: no safetensors file, or damaged") from e
    return found, texts


def load_params(path: str) -> Struct:
    """The parameters of a safetensors file, as ``nncc train --save`` writes it:
    ``load_params("net.safetensors").net.hidden.W``."""
    tensors, _ = _read_tensors(path)
    return Struct.from_leaves({k: v for k, v in tensors.items() if not k.startswith("nncc.")})


def save_params(path: str, params: Mapping[str, Any]) -> None:
    """The other way, for ``nncc --load``: ``save_params(path, {"net": net})``."""
    leaves = {k: np.asarray(v) for k, v in Struct.leaves(Struct(params)).items()}
    header: Dict[str, Any] = {}
    at = 0
    for name, a in leaves.items():
        if a.dtype not in _NAMES:
            raise TypeError(f"'{name}' is of dtype {a.dtype}, which safetensors files do not have")
        header[name] = {"dtype": _NAMES[a.dtype], "shape": list(np.shape(a)), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for a in leaves.values():
            f.write(a.tobytes())
    os.replace(path + ".part", path)


class Trained(Struct):
    """What `train` gives: the parameters by name, and `log`, the printed lines."""


def train(
    model: str,
    *,
    data: Any,
    params: Optional[Mapping[str, Any]] = None,
    **options: Any,
) -> Tuple[Struct, Dict[str, float]]:
    """Trains the `train` item of a .nn file; gives parameters and last numbers.

    data: a file, or arrays for the loss's parameters by name
    (``{"x": x, "y": y}``). params: what to begin with. Options are those of
    ``nncc train``, with ``_`` for ``-``: epochs=20, lr=0.01, standardise=True;
    of what may be given several times a list: columns=["x=0:4", "y=4"]."""
    with tempfile.TemporaryDirectory() as work:
        saved = os.path.join(work, "trained.safetensors")
        words = ["train", os.fspath(model), f"--save={saved}"]
        if isinstance(data, Mapping):
            given = os.path.join(work, "data.safetensors")
            save_params(given, {k: np.asarray(v) for k, v in data.items()})
            data = given
        words.append(f"--data={os.fspath(data)}")
        if params is not None:
            start = os.path.join(work, "start.safetensors")
            save_params(start, params)
            words.append(f"--load={start}")
        for name, v in options.items():
            if v is True:
                words.append(f"--{name}")
            elif v is not None and v is not False:
                several = v if isinstance(v, (list, tuple)) else [v]
                words += [f"--{name}={one}" for one in several]
        log = _run(*words)
        return load_params(saved), _numbers(log)


def _numbers(log: str) -> Dict[str, float]:
    """"test loss: 0.1" of the last lines."""
    found = {}
    for line in log.splitlines():
        name, colon, rest = line.partition(": ")
        try:
            if colon and not line.startswith("epoch"):
                found[name] = float(rest.split()[0])
        except (ValueError, IndexError):
            pass
    return found
