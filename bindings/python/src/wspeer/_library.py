"""Finds and loads the shared library, and checks that it fits _declared.py."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from wspeer._declared import ABI_VERSION, FUNCTIONS, GROWING, SIZES

FILE = {"win32": "wspeer.dll", "darwin": "libwspeer.dylib"}.get(sys.platform, "libwspeer.so")


def _find() -> str:
    named = os.environ.get("WSPEER_LIBRARY")
    if named:
        return named
    inside = Path(__file__).with_name(FILE)
    if inside.exists():
        return str(inside)
    raise ImportError(
        f"wspeer: {inside} is missing: install the package with pip, or set WSPEER_LIBRARY to the path of the library",
    )


def _load(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"wspeer: the library cannot be loaded: {error}") from error
    try:
        for name, (result, *arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except AttributeError as error:
        raise ImportError(f"wspeer: {path} is another library, or older than this package: {error}") from error
    _assert_fit(path, library)
    return library


def _assert_fit(path: str, library: ctypes.CDLL) -> None:
    version = library.ws_abi_version()
    if version != ABI_VERSION:
        raise ImportError(
            f"wspeer: {path} has version {version} of the binary interface, "
            f"this package needs {ABI_VERSION}: install both anew",
        )
    sizes = [library.ws_struct_size(which) for which in SIZES]
    ours = list(SIZES.values())
    # A config, stats and a sim carry their size and may have grown; the other structs are elements of arrays.
    if any(size < own or (size > own and which not in GROWING) for which, size, own in zip(SIZES, sizes, ours)):
        raise ImportError(f"wspeer: the structs of {path} have {sizes} bytes, this package's {ours}: install both anew")


# Like ctypes.string_at, but without the cost of a Python function.
bytes_at = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi),
)

PATH = _find()
lib = _load(PATH)
