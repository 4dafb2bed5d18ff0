"""The npm package wspeer-web: the libraries for Emscripten, and a module that says where they are."""

import json

from files import ROOT, File, below, read, tar_gz, text, version

SOURCES = ROOT / "bindings/web/npm"


def write(folder):
    about = json.loads((SOURCES / "package.json").read_text())
    about = {"name": about.pop("name"), "version": version(), **about}
    libraries = sorted((ROOT / "bindings/web").glob("library_wspeer*.js"))
    tree = {
        **{path.name: File(path.read_bytes(), path.name == "flags.js") for path in SOURCES.iterdir()},
        "package.json": text(json.dumps(about, indent=2) + "\n"),
        **{f"lib/{path.name}": File(path.read_bytes()) for path in libraries},
        **below("lib", read("bindings/web/wspeer.d.ts")),
        **below("include", read("include/wspeer.h", "bindings/cpp/wspeer.hpp")),
        # No crate is in these libraries.
        **read("LICENSE-MIT", "LICENSE-APACHE"),
    }
    return tar_gz(below("package", tree), folder / f"{about['name']}-{version()}.tgz")
