"""Threads that functions work with: a pool of libnn's."""
from __future__ import annotations

import ctypes
import os
from typing import Any, Optional

from . import _abi
from ._compile import compiler
from ._module import use_parallel

__all__ = ["set_threads"]

_library: Optional[Any] = None
_pool = ctypes.c_void_p()


def _find() -> str:
    """Beside the compiler, where it was built or installed; or the loader's."""
    folder = os.path.dirname(os.path.realpath(compiler()))
    for path in (folder, os.path.join(folder, "..", "lib")):
        found = os.path.join(path, "libnn.so.1")
        if os.path.exists(found):
            return found
    return "libnn.so.1"


def _libnn() -> Any:
    global _library
    if _library is None:
        _library = ctypes.CDLL(_find())
        _library.nncc_last_error.restype = ctypes.c_char_p
        _library.nncc_pool_exec.restype = ctypes.POINTER(_abi.nn_exec)
    return _library


def set_threads(n: int) -> None:
    """From here on calls of all functions use so many threads: 1, as at first,
    the caller's alone; 0, one for each processor. Results are the same to the
    last bit. Not while another thread is in a call."""
    global _pool
    if n == 1 and not _pool:
        return
    lib, new = _libnn(), ctypes.c_void_p()
    if lib.nncc_pool_new(ctypes.c_int(n), ctypes.byref(new)):
        raise ValueError(lib.nncc_last_error().decode())
    pool = lib.nncc_pool_exec(new).contents
    use_parallel(pool.context, pool.parallel_for)
    lib.nncc_pool_free(_pool)
    _pool = new
