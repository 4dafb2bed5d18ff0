"""The Unity package (UPM), with the libraries of all platforms that Unity knows and that were built."""

import importlib.util
import struct

from files import ROOT

PACKAGE = ROOT / "bindings/csharp/tools~/package.py"


def write(folder, libraries):
    spec = importlib.util.spec_from_file_location("unity_package", PACKAGE)
    package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    placed = {
        platform.unity: library.stripped.read_bytes() for platform, library in libraries.items() if platform.unity
    }
    apple = [library.stripped.read_bytes() for platform, library in libraries.items() if platform.macos]
    if apple:
        placed["macos/libwspeer.dylib"] = universal(apple)
    return package.write(folder, placed)


def universal(slices):
    """A Mach-O file with a library for each processor."""
    # Pages of Apple's processors have 2^14 bytes.
    align = 14
    header = struct.pack(">II", 0xCAFEBABE, len(slices))
    at, body = 1 << align, b""
    for one in slices:
        processor, kind = struct.unpack("<II", one[4:12])
        header += struct.pack(">IIIII", processor, kind, at, len(one), align)
        padded = one + bytes(-len(one) % (1 << align))
        body += padded
        at += len(padded)
    return header + bytes((1 << align) - len(header)) + body
