#!/usr/bin/env python3
"""Makes the packages of a release in build/release: all that this machine can build.

make.py                        everything
make.py --platform NAME …      with the libraries of these platforms only
make.py --kind KIND …          only these kinds: archive wheel deb unity nuget godot cli npm crate recipes sbom
make.py --native LIBWSPEER_A   takes this library for linux-x86_64 instead of building it, as the tests do
make.py --program WSPEER       the same with the command line
make.py --quick                builds without optimisation: for tests, never for a release
make.py --out FOLDER
"""

import argparse
import pathlib
import shutil
import sys
import time

import archive
import cli
import crate
import deb
import godot
import library
import npm
import nuget
import platforms
import recipes
import sbom
import unity
import wheel
from files import LEVEL, OUT, sha256

OF_LIBRARIES = ["archive", "wheel", "deb", "unity", "nuget", "godot", "recipes"]
KINDS = [*OF_LIBRARIES, "cli", "npm", "crate", "sbom"]


class Release:
    def __init__(self, quick):
        self.quick = quick
        # Rows of the table: the file, and its share of the seconds.
        self.rows = []
        self.failed = []
        # How long the libraries and programs of each platform took.
        self.seconds = {}

    def build(self, what, function, chosen, given):
        """What a function builds for each platform; `given` is taken for linux-x86_64."""
        built = {}
        for platform in chosen:
            print(f"# {what} for {platform.name}", flush=True)
            began = time.monotonic()
            try:
                built[platform] = function(platform, self.quick, given if platform.name == "linux-x86_64" else None)
            except SystemExit as error:
                print(error, file=sys.stderr)
                self.failed.append(f"{what} for {platform.name}")
            self.seconds.setdefault(what, []).append(f"{platform.name} {time.monotonic() - began:.0f} s")
        return built

    def make(self, what, function, *arguments):
        """Makes one package, or several."""
        print(f"# {what}", flush=True)
        began = time.monotonic()
        try:
            made = function(*arguments)
            paths = [made] if isinstance(made, pathlib.Path) else [*made]
        except SystemExit as error:
            print(error, file=sys.stderr)
            self.failed.append(what)
            return None
        seconds = time.monotonic() - began
        self.rows += [(path, seconds / len(paths)) for path in paths]
        return made

    def table(self):
        print(f"\n| {'file':62} | {'KiB':>7} | {'s':>6} |\n|{'-' * 64}|{'-' * 8}:|{'-' * 7}:|")
        for path, seconds in self.rows:
            print(f"| {path.name:62} | {path.stat().st_size / 1024:7.0f} | {seconds:6.1f} |")


def main():
    asked = arguments()
    chosen = platforms.named(asked.platform or [])
    kinds = asked.kind or KINDS
    if asked.quick:
        LEVEL["level"] = 1
    shutil.rmtree(asked.out, ignore_errors=True)
    asked.out.mkdir(parents=True)
    release = Release(asked.quick)

    libraries = release.build(
        "libraries", library.build, chosen if set(kinds) & set(OF_LIBRARIES) else [], asked.native
    )
    having = [platform for platform in chosen if platform.program and "cli" in kinds]
    programs = release.build("command line", cli.build, having, asked.program)

    archives = {}
    for platform, one in libraries.items():
        if "archive" in kinds or "recipes" in kinds:
            archives[platform] = release.make(f"archive for {platform.name}", archive.write, asked.out, platform, one)
        if "wheel" in kinds:
            release.make(f"wheel for {platform.name}", wheel.write, asked.out, platform, one)
        if "deb" in kinds and platform.deb:
            release.make(f"Debian packages for {platform.deb}", deb.write, asked.out, platform, one)
    for kind, module in (("unity", unity), ("nuget", nuget), ("godot", godot)):
        if kind in kinds:
            release.make(kind, module.write, asked.out, libraries)
    if programs:
        release.make("command line", cli.write_all, asked.out, programs)
    if "recipes" in kinds:
        release.make("recipes", recipes.write, asked.out, {key: path for key, path in archives.items() if path})
    for kind, module in (("npm", npm), ("crate", crate), ("sbom", sbom)):
        if kind in kinds:
            release.make(kind, module.write, asked.out)
    sums(asked.out)
    release.table()
    print("".join(f"\n{what}: {', '.join(spent)}" for what, spent in release.seconds.items()))
    if asked.quick:
        print("built without optimisation: not for a release")
    if release.failed:
        print(f"not made: {', '.join(release.failed)}")
    return bool(release.failed)


def sums(folder):
    """SHA256SUMS, as sha256sum writes and checks it."""
    paths = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    (folder / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in paths))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", action="append")
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--native", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
