#!/usr/bin/env python3
"""The archive for MSVC, made on Windows. To a program the DLL is the same as that of MinGW; the static library can be
linked by MSVC only. Usage: msvc.py NAME FOLDER_OF_CARGO OUT"""

import pathlib
import sys

import archive
from files import NAME, File, below, licences, read, text, version, zipped

README = """# wspeer {version} for {name}

`include/wspeer.h` is the manual. Link `lib/wspeer.dll.lib` and put `bin/wspeer.dll` beside the program, or define
`WS_STATIC` and link `lib/wspeer.lib` with {system}.
"""


def main():
    name, built, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    libraries = ", ".join(f"{one}.lib" for one in archive.SYSTEM["windows"])
    tree = {
        **below("include", read("include/wspeer.h", "bindings/cpp/wspeer.hpp")),
        **below("share/doc/wspeer", {**licences(), **read("CHANGELOG.md")}),
        "README.md": text(README.format(version=version(), name=name, system=libraries)),
        "bin/wspeer.dll": File((built / "wspeer.dll").read_bytes(), executable=True),
        "lib/wspeer.dll.lib": File((built / "wspeer.dll.lib").read_bytes()),
        "lib/wspeer.lib": File((built / "wspeer.lib").read_bytes()),
    }
    package = f"{NAME}-{version()}-{name}"
    print(zipped(below(package, tree), out / f"{package}.zip"))


if __name__ == "__main__":
    main()
