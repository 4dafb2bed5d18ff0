"""The crates that are linked into the libraries or the command line on any platform."""

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
    # SHA-256 of the .crate file, from Cargo.lock; empty for the crates of the checkout.
    checksum: str
    # Keys of the crates that it uses.
    uses: tuple

    @property
    def key(self):
        return f"{self.name} {self.version}"


def linked(manifest="Cargo.toml", targets=(*{platform.target for platform in PLATFORMS}, *FORGE_TARGETS)):
    """The crates by their keys, the crate of the manifest first."""
    found = {}
    for target in sorted(targets):
        for key, uses in tree(manifest, target).items():
            found.setdefault(key, set()).update(uses)
    data = json.loads(cargo("metadata", manifest, "--format-version", "1"))
    packages = {f"{package['name']} {package['version']}": package for package in data["packages"]}
    checksums = dict(
        (f"{name} {version}", checksum)
        for name, version, checksum in re.findall(
            r'name = "(.*)"\nversion = "(.*)"\nsource = ".*"\nchecksum = "(.*)"',
            (ROOT / manifest).with_name("Cargo.lock").read_text(),
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


def tree(manifest, target):
    """What `cargo tree` says is linked for a target: each crate with what it uses. The features of tests and build
    scripts do not count, and macros are not linked."""
    words = ["--edges", "normal,no-proc-macro", "--target", target, "--prefix", "depth", "--no-dedupe", "-f", " {p}"]
    said = cargo("tree", manifest, *words)
    found, above = {}, []
    for line in said.splitlines():
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()
        key, depth = f"{name} {version}", int(depth)
        found.setdefault(key, set())
        if depth:
            found[above[depth - 1]].add(key)
        above[depth:] = [key]
    return found


def cargo(command, manifest, *arguments):
    command = ["cargo", command, "--locked", "--manifest-path", manifest, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
