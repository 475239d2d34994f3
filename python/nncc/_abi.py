"""What a compiled module says of itself: runtime/nn_abi.h in ctypes, and the
name of its one exported function, read from the ELF file."""
from __future__ import annotations

import ctypes as c
import struct
from typing import List

ABI_VERSION = 2
MAGIC = 0x4E4E4D31

#: Names, NumPy dtypes and C types by ``enum nn_dtype``.
DTYPES = ("bool", "u1", "i4", "i8", "f4", "f8", "u8")
NAMES = ("bool", "u8", "int", "i64", "f32", "f64", "key")
KEY = 6


class nn_error(c.Structure):
    _fields_ = [("size", c.c_uint32), ("place", c.c_int32), ("index", c.c_int64), ("limit", c.c_int64)]


class nn_exec(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("reserved", c.c_uint32),
        ("context", c.c_void_p),
        ("parallel_for", c.c_void_p),
        ("error", c.POINTER(nn_error)),
    ]


class nn_leaf(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("dtype", c.c_int32),
        ("path", c.c_char_p),
        ("offset", c.c_int64),
        ("shape", c.c_char_p),
        ("rank", c.c_int32),
        ("reserved", c.c_int32),
    ]


class nn_port(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("in_place", c.c_int32),
        ("name", c.c_char_p),
        ("type", c.c_char_p),
        ("leaf", c.POINTER(c.POINTER(nn_leaf))),
        ("nleaf", c.c_int32),
        ("has_value", c.c_int32),
        ("value", c.c_double),
        ("bytes", c.c_uint64),
    ]


class nn_place(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("status", c.c_int32),
        ("file", c.c_char_p),
        ("line", c.c_int32),
        ("column", c.c_int32),
        ("text", c.c_char_p),
    ]


CALL = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_void_p, c.c_void_p)
WORKSPACE = c.CFUNCTYPE(c.c_size_t, c.c_void_p)
SIZES = c.CFUNCTYPE(None, c.c_void_p, c.c_void_p)


class nn_function(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("kind", c.c_int32),
        ("name", c.c_char_p),
        ("nparam", c.c_int32),
        ("nresult", c.c_int32),
        ("ndim", c.c_int32),
        ("nplace", c.c_int32),
        ("param", c.POINTER(c.POINTER(nn_port))),
        ("result", c.POINTER(c.POINTER(nn_port))),
        ("dim", c.POINTER(c.c_char_p)),
        ("call", CALL),
        ("workspace", WORKSPACE),
        ("sizes", SIZES),
        ("place", c.POINTER(c.POINTER(nn_place))),
    ]


class nn_fit(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("nclass", c.c_int32),
        ("nfeature", c.c_int64),
        ("class_name", c.POINTER(c.c_char_p)),
        ("feature_name", c.POINTER(c.c_char_p)),
        ("label_name", c.c_char_p),
    ]


class nn_train(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("steps", c.c_int32),
        ("name", c.c_char_p),
        ("init", c.c_int32),
        ("step", c.c_int32),
        ("evaluate", c.c_int32),
        ("reserved", c.c_int32),
        ("update", c.c_int32),
        ("reserved_2", c.c_int32),
    ]


class nn_module(c.Structure):
    _fields_ = [
        ("magic", c.c_uint32),
        ("abi_version", c.c_uint32),
        ("size", c.c_uint32),
        ("real", c.c_int32),
        ("source_hash", c.c_uint64),
        ("interface_hash", c.c_uint64),
        ("name", c.c_char_p),
        ("function", c.POINTER(c.POINTER(nn_function))),
        ("metric", c.c_char_p),
        ("nfunction", c.c_int32),
        ("ntrain", c.c_int32),
        ("fit", c.POINTER(nn_fit)),
        ("train", c.POINTER(c.POINTER(nn_train))),
    ]


def module_symbols(path: str) -> List[str]:
    """The exported functions NAME_module of an ELF shared library (64 bits)."""
    with open(path, "rb") as f:
        image = f.read()
    if image[:4] != b"\x7fELF" or len(image) < 64 or image[4] != 2:
        raise ValueError(f"{path}: no shared library for this kind of machine")
    order = "<" if image[5] == 1 else ">"
    (offset,) = struct.unpack_from(order + "Q", image, 40)
    entry, count = struct.unpack_from(order + "HH", image, 58)
    try:
        sections = [struct.unpack_from(order + "IIQQQQIIQQ", image, offset + i * entry) for i in range(count)]
        found = []
        for s in sections:
            if s[1] != 11:  # SHT_DYNSYM
                continue
            strings = sections[s[6]][4]
            for at in range(s[4], s[4] + s[5], 24):
                name, info, _, section = struct.unpack_from(order + "IBBH", image, at)
                end = image.index(b"\0", strings + name)
                text = image[strings + name : end].decode()
                if info & 15 == 2 and section and text.endswith("_module"):
                    found.append(text)
    except (struct.error, ValueError, IndexError) as e:
        raise ValueError(f"{path}: a damaged shared library") from e
    return found
