"""The crates that are linked into the libraries of any platform."""

import dataclasses
import json
import pathlib
import re
import subprocess

from files import ROOT
from platforms import FORGE_TARGETS, PLATFORMS


@dataclasses.dataclass(frozen=True)
class Crate:
    name: str
    version: str
    # An SPDX expression.
    licence: str
    folder: pathlib.Path
    description: str
    repository: str
    # SHA-256 of the .crate file, from Cargo.lock; empty for the crate of the checkout.
    checksum: str
    # Keys of the crates that it uses.
    uses: tuple

    @property
    def key(self):
        return f"{self.name} {self.version}"


def linked():
    """The crates by their keys, the crate of the library first."""
    found = {}
    for target in sorted({platform.target for platform in PLATFORMS} | set(FORGE_TARGETS)):
        for key, uses in tree(target).items():
            found.setdefault(key, set()).update(uses)
    data = json.loads(cargo("metadata", "--format-version", "1"))
    packages = {f"{package['name']} {package['version']}": package for package in data["packages"]}
    checksums = dict(
        (f"{name} {version}", checksum)
        for name, version, checksum in re.findall(
            r'name = "(.*)"\nversion = "(.*)"\nsource = ".*"\nchecksum = "(.*)"', (ROOT / "Cargo.lock").read_text()
        )
    )
    root = next(iter(found))
    return {
        key: Crate(
            package["name"],
            package["version"],
            package["license"].replace("/", " OR "),
            pathlib.Path(package["manifest_path"]).parent,
            (package["description"] or "").strip().replace("\n", " "),
            package["repository"] or "",
            checksums.get(key, ""),
            tuple(sorted(found[key])),
        )
        for key, package in ((key, packages[key]) for key in [root, *sorted(set(found) - {root})])
    }


def tree(target):
    """What `cargo tree` says is linked for a target: each crate with what it uses. The features of tests and build
    scripts do not count, and macros are not linked."""
    said = cargo(
        "tree", "--edges", "normal,no-proc-macro", "--target", target, "--prefix", "depth", "--no-dedupe", "-f", " {p}"
    )
    found, above = {}, []
    for line in said.splitlines():
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()
        key, depth = f"{name} {version}", int(depth)
        found.setdefault(key, set())
        if depth:
            found[above[depth - 1]].add(key)
        above[depth:] = [key]
    return found


def cargo(*arguments):
    command = ["cargo", *arguments, "--locked"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
