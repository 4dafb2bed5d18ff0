"""The crate, as `cargo publish` would send it: cargo builds what it has packed."""

import os
import pathlib
import shutil

from files import ROOT, manifest, run, version


def write(folder):
    name = f"{manifest('name')}-{version()}.crate"
    run("cargo", "package", "--locked", "--package", manifest("name"))
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    shutil.copyfile(ROOT / target / "package" / name, folder / name)
    return folder / name
