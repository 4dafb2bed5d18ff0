#!/usr/bin/env python3
"""Packs the addon as Godot's Asset Library wants it: a zip with addons/wspeer at its root. The same files make the same
zip. Usage: package.py FOLDER_OF_LIBRARIES ZIP"""

import pathlib
import re
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ADDON = HERE / "addons" / "wspeer"
SITE = "https://github.com/wspeer/wspeer/blob/main"
# The earliest time that a zip can have.
TIME = (1980, 1, 1, 0, 0, 0)


def libraries():
    """The names of all libraries in wspeer.gdextension."""
    return re.findall(r'^[\w.]+ = "bin/([^"]+)"$', (ADDON / "wspeer.gdextension").read_text(), re.M)


def readme():
    """The README, whose links lead to the site instead of into the sources."""
    text = (HERE / "README.md").read_text()
    text = re.sub(r"\]\((?:\.\./){2}", f"]({SITE}/", text)
    return re.sub(r"\]\((?!https?:|#)", f"]({SITE}/bindings/godot/", text)


def notices():
    """The licences of what the libraries contain."""
    return (ROOT / "THIRD-PARTY.md").read_text()


def contents(folder):
    """The files, by their place in addons/wspeer."""
    files = {str(path.relative_to(ADDON)): path.read_bytes() for path in ADDON.rglob("*") if path.is_file()}
    for path in (HERE / "demo").glob("tutorial_*.gd"):
        files[f"demo/{path.name}"] = path.read_bytes()
    files["README.md"] = readme().encode()
    files["THIRD_PARTY_NOTICES.md"] = notices().encode()
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        files[name] = (ROOT / name).read_bytes()
    for name in libraries():
        if (folder / name).exists():
            files[f"bin/{name}"] = (folder / name).read_bytes()
    return files


def main():
    folder, target = map(pathlib.Path, sys.argv[1:])
    files = contents(folder)
    built = [name for name in libraries() if f"bin/{name}" in files]
    if not built:
        sys.exit(f"package: {folder} has no library that wspeer.gdextension names: run `make godot` first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"addons/wspeer/{name}", TIME)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            packed.writestr(entry, content)
    missing = [name for name in libraries() if name not in built]
    print(f"{target}: {len(files)} files, libraries: {', '.join(built)}; without {', '.join(missing) or 'none'}")


if __name__ == "__main__":
    main()
