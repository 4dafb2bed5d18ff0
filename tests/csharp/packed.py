#!/usr/bin/env python3
"""Checks the output of make unity-package as Unity would. Usage: packed.py TGZ FOLDER unpacks into the folder"""
import ctypes
import pathlib
import re
import shutil
import sys
import tarfile

failures = 0


def tell(good, what):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - packed: {what}")


def main():
    folder = pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(sys.argv[1]) as tar:
        names = [member.name for member in tar]
        tell(
            all(member.isfile() and member.mtime == 0 for member in tar),
            f"{len(names)} files, nothing that changes from build to build",
        )
        tar.extractall(folder)
    root = folder / "package"
    seen = {path.relative_to(root) for path in root.rglob("*")}
    visible = {path for path in seen if not any(part.startswith(".") or part.endswith("~") for part in path.parts)}
    assets = {str(path) for path in visible if path.suffix != ".meta"}
    metas = {str(path) for path in visible if path.suffix == ".meta"}
    tell(
        metas == {f"{asset}.meta" for asset in assets},
        f"{len(assets)} files and folders with a .meta each, and none without {sorted(metas ^ {f'{asset}.meta' for asset in assets}) or ''}",
    )
    guids = [re.search(r"^guid: (.*)$", (root / meta).read_text(), re.M).group(1) for meta in metas]
    tell(len(set(guids)) == len(guids), "every GUID once")
    libraries = sorted(
        asset for asset in assets if asset.startswith("Runtime/Plugins/") and "." in pathlib.PurePath(asset).name
    )
    tell("Runtime/Plugins/linux-x86_64/libwspeer.so" in libraries, f"native libraries: {', '.join(libraries)}")
    pages = {path.name: path.read_bytes() for path in (root / "Runtime/Plugins/WebGL").glob("*.jslib")}
    web = pathlib.Path(__file__).resolve().parents[2] / "bindings" / "web"
    sources = {f"{path.stem}.jslib": path.read_bytes() for path in web.glob("library_wspeer*.js")}
    tell(pages == sources and len(pages) > 5, f"{len(pages)} files of bindings/web for WebGL")
    own = root / "Runtime/Plugins/linux-x86_64/libwspeer.so"
    tell(ctypes.CDLL(str(own.resolve())).ws_abi_version() == 1, f"the library loads ({own.stat().st_size // 1024} KiB)")
    notices = (root / "Third Party Notices.md").read_text()
    tell(
        all(f"\n| {crate} " in notices for crate in ("rustls", "ring", "mio", "webpki-roots"))
        and "Permission is hereby granted" in notices,
        f"the licences of {len(re.findall(r'^[|] [a-z][^|]* [|] [^|]+ [|] [0-9, ]+ [|]$', notices, re.M))} crates",
    )
    return 1 if failures else 0


sys.exit(main())
