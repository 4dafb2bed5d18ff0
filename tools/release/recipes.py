#!/usr/bin/env python3
"""Recipes for package managers that take the archives of a release: vcpkg, Conan, xmake and Nix. The templates are in
recipes/; what they have of the archives is filled in here.
Usage: recipes.py FOLDER   fills them in again, for the archives in the folder"""

import hashlib
import pathlib
import sys

import files
import platforms
from files import NAME, SITE, read, tar_gz, text, version

TEMPLATES = pathlib.Path(__file__).parent / "recipes"


def write(folder, archives):
    """`archives` has the archive of each platform."""
    rows = {platform: Archive(platform, path) for platform, path in archives.items()}
    tables = {
        "@VERSION@": version(),
        "@URL@": f"{SITE}/releases/download/v{version()}",
        "@VCPKG@": "\n".join(f'set(wspeer_SHA512_{one.name} "{one.sha512}")' for one in rows.values()),
        "@CONAN@": conan(rows),
        "@XMAKE@": "\n".join(xmake(rows)),
        "@NIX@": "\n".join(
            f'    {platform.nix} = {{ file = "{one.file}"; sha256 = "{one.sha256}"; }};'
            for platform, one in rows.items()
            if platform.nix
        ),
    }
    tree = {}
    for path in sorted(TEMPLATES.rglob("*")):
        if path.is_file():
            made = path.read_text()
            for mark, table in tables.items():
                made = made.replace(mark, table)
            tree[str(path.relative_to(TEMPLATES))] = text(made)
    tree = files.below(f"{NAME}-{version()}-recipes", {**tree, **read("LICENSE-MIT", "LICENSE-APACHE")})
    return tar_gz(tree, folder / f"{NAME}-{version()}-recipes.tar.gz")


class Archive:
    def __init__(self, platform, path):
        content = path.read_bytes()
        self.name, self.file = platform.name, path.name
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.sha512 = hashlib.sha512(content).hexdigest()


def conan(rows):
    lines = []
    for platform, one in rows.items():
        if platform.musl:
            continue
        lines += [
            f'    "{platform.system}-{platform.conan_arch}":',
            f'      file: "{one.file}"',
            f'      sha256: "{one.sha256}"',
        ]
    return "\n".join(lines)


def xmake(rows):
    word = "if"
    for platform, one in rows.items():
        if platform.xmake:
            system, processor = platform.xmake.split("|")
            yield f'    {word} is_plat("{system}") and is_arch("{processor}") then'
            word = "elseif"
            yield f'        add_urls("{SITE}/releases/download/v$(version)/{one.file}")'
            yield f'        add_versions("{version()}", "{one.sha256}")'


def main():
    folder = pathlib.Path(sys.argv[1])
    paths = {one: folder / f"{NAME}-{version()}-{one.name}.{one.archive}" for one in platforms.PLATFORMS}
    print(write(folder, {platform: path for platform, path in paths.items() if path.exists()}))


if __name__ == "__main__":
    main()
