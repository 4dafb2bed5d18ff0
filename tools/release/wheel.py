"""Python wheels. The metadata is what setuptools makes of bindings/python, as in `pip install bindings/python`."""

import base64
import functools
import hashlib
import os
import shutil
import sys

from files import NAME, ROOT, WORK, File, below, licences, run, text, version, zipped

PREPARE = "import sys, setuptools.build_meta as backend; print(backend.prepare_metadata_for_build_wheel(sys.argv[1]))"


def write(folder, platform, library):
    tags = [f"py3-none-{tag}" for tag in platform.wheel]
    info = f"{NAME}-{version()}.dist-info"
    sources = sorted((ROOT / "bindings/python/src/wspeer").glob("*.py"))
    tree = {
        **{f"wspeer/{path.name}": File(path.read_bytes()) for path in sources},
        "wspeer/py.typed": File(),
        f"wspeer/{platform.shared}": File(library.stripped.read_bytes(), executable=True),
        **below(f"{info}/licenses", licences()),
        f"{info}/METADATA": text(metadata()),
        f"{info}/top_level.txt": text("wspeer\n"),
        f"{info}/WHEEL": text(
            "Wheel-Version: 1.0\nGenerator: wspeer\nRoot-Is-Purelib: false\n" + "".join(f"Tag: {tag}\n" for tag in tags)
        ),
    }
    record = f"{info}/RECORD"
    tree[record] = text("".join(f"{row(name, file)}\n" for name, file in sorted(tree.items())) + f"{record},,\n")
    # As pip wants: what describes the wheel comes last.
    first = sorted(name for name in tree if not name.startswith(info))
    return zipped(tree, folder / f"{NAME}-{version()}-py3-none-{'.'.join(sorted(platform.wheel))}.whl", first)


def row(name, file):
    digest = base64.urlsafe_b64encode(hashlib.sha256(file.content).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(file.content)}"


@functools.cache
def metadata():
    """METADATA, from a copy of the sources: setuptools writes beside them."""
    copy = WORK / "wheel"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(
        ROOT / "bindings/python", copy, ignore=shutil.ignore_patterns("*.egg-info", "build", "*.so", "tests")
    )
    for name, file in licences().items():
        (copy / name).write_bytes(file.content)
    out = copy / "metadata"
    out.mkdir()
    said = run(python(), "-c", PREPARE, out, cwd=copy)
    return (out / said.strip().splitlines()[-1] / "METADATA").read_text()


def python():
    """An interpreter with a setuptools that knows SPDX licences; tests/setup.sh installs one."""
    tested = ROOT / "build/venv/bin/python"
    chosen = os.environ.get("WSPEER_PYTHON") or (tested if tested.exists() else sys.executable)
    run(
        chosen,
        "-c",
        "import setuptools; assert int(setuptools.__version__.split('.')[0]) >= 77, 'setuptools 77 is needed'",
    )
    return chosen
