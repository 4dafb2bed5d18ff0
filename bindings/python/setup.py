"""Puts the native library into the package: built from the checkout that contains this folder, or the file named by
WSPEER_LIBRARY."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
FILE = {"win32": "wspeer.dll", "darwin": "libwspeer.dylib"}.get(sys.platform, "libwspeer.so")


def library() -> Path:
    named = os.environ.get("WSPEER_LIBRARY")
    if named:
        return Path(named)
    if not (CHECKOUT / "Cargo.toml").exists():
        sys.exit(
            "wspeer: the Rust sources are not here: install from a checkout (pip install bindings/python), "
            "or set WSPEER_LIBRARY to a library to put inside",
        )
    if not shutil.which("cargo"):
        sys.exit("wspeer: cargo is missing: install Rust, or set WSPEER_LIBRARY to a library to put inside")
    # The same cargo command as in `make` and CMake, so that one build serves all.
    subprocess.run(
        ["cargo", "rustc", "--release", "--locked", "--lib", "--crate-type", "cdylib,staticlib"],
        cwd=CHECKOUT,
        check=True,
    )
    return CHECKOUT / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / FILE


class BuildPy(build_py):
    def run(self) -> None:
        super().run()
        package = Path("src" if self.editable_mode else self.build_lib) / "wspeer"
        shutil.copy2(library(), package / FILE)


class BdistWheel(bdist_wheel):
    def get_tag(self) -> tuple[str, str, str]:
        """The native library is for one platform, but works with any Python 3."""
        return "py3", "none", super().get_tag()[2]


class WithLibrary(Distribution):
    def has_ext_modules(self) -> bool:
        return True


# The licences are at the root of the checkout, and a package can contain only files below its folder.
for licence in ("LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.md"):
    if (CHECKOUT / licence).exists():
        shutil.copy2(CHECKOUT / licence, HERE / licence)

setup(distclass=WithLibrary, cmdclass={"build_py": BuildPy, "bdist_wheel": BdistWheel})
