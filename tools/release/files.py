"""Files of packages: trees in memory, written as archives that depend on nothing but their content."""

import dataclasses
import gzip
import hashlib
import io
import os
import pathlib
import re
import subprocess
import tarfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "release-work"
OUT = ROOT / "build" / "release"
AUTHOR = "the wspeer developers"
SITE = "https://github.com/wspeer/wspeer"
SUMMARY = "WebSockets that a game engine polls from its frame loop"
# The name of the library and its packages; the crate may have another one.
NAME = "wspeer"
# How hard archives are compressed.
LEVEL = {"level": 9}


@dataclasses.dataclass
class File:
    content: bytes = b""
    executable: bool = False
    # The target of a symbolic link.
    link: str = ""


def manifest(key):
    """A value of [package] in Cargo.toml."""
    return re.search(rf'^{key} = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]


def version():
    return manifest("version")


def epoch():
    """The time of all files in packages: SOURCE_DATE_EPOCH, or that of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    said = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    # The earliest time that a zip can have.
    return int(said or 315532800)


def read(*paths):
    """A tree of files of the checkout, each by its name."""
    return {pathlib.PurePath(path).name: File((ROOT / path).read_bytes()) for path in paths}


def text(content):
    return File(content.encode())


def below(folder, tree):
    return {f"{folder}/{name}": file for name, file in tree.items()}


def licences():
    return read("LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.md")


def tar(tree):
    """The bytes of a .tar with the sorted tree."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as packed:
        for name, file in sorted(tree.items()):
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode = epoch(), 0o755 if file.executable else 0o644
            if file.link:
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, file.link, 0o777
            entry.size = len(file.content)
            packed.addfile(entry, io.BytesIO(file.content))
    return out.getvalue()


def tar_gz(tree, target):
    target.write_bytes(gzip.compress(tar(tree), LEVEL["level"], mtime=0))
    return target


def zipped(tree, target, first=()):
    """A .zip; the names in `first` come first, the others are sorted."""
    moment = time.gmtime(epoch())[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL["level"]) as packed:
        for name in [*first, *sorted(set(tree) - set(first))]:
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = (0o100755 if tree[name].executable else 0o100644) << 16
            packed.writestr(entry, tree[name].content)
    return target


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*command, **options):
    """Runs a command; its output is shown only when it fails."""
    options = {"cwd": ROOT, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
    done = subprocess.run([str(word) for word in command], **options)
    if done.returncode:
        raise SystemExit(f"{done.stdout or ''}\nrelease: {' '.join(map(str, command))} ended with {done.returncode}")
    return done.stdout
