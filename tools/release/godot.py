"""The addon's zip for Godot's Asset Library, with the libraries of all platforms that were built."""

import shutil
import sys

import needs
from files import NAME, ROOT, WORK, run, version

# What the addon calls the platforms. Zig's linker cannot limit the exports of a library for macOS, so
# .github/workflows/addon.yml builds those, with Apple's.
PLATFORMS = {
    "linux-x86_64": "linux.x86_64",
    "linux-aarch64": "linux.arm64",
    "windows-x86_64": "windows.x86_64",
}


def write(folder, libraries):
    work = WORK / "godot"
    shutil.rmtree(work, ignore_errors=True)
    for platform, made in libraries.items():
        if platform.name in PLATFORMS:
            where = [f"WORK={work}/{platform.name}", f"ADDON={work}/addon", f"WSPEER_A={made.archive}"]
            name = PLATFORMS[platform.name]
            run("make", "-s", "-C", "bindings/godot", f"PLATFORM={name}", f"CC={compiler(platform)}", *where)
    target = folder / f"{NAME}-godot-{version()}.zip"
    run(sys.executable, "bindings/godot/package.py", work / "addon/bin", target)
    return target


def compiler(platform):
    if platform.windows:
        return "x86_64-w64-mingw32-gcc"
    found = " ".join(map(str, needs.zig("cc", "-target", platform.zig)))
    return f"{found} -lunwind -Wno-unused-command-line-argument -ffile-prefix-map={ROOT}=/wspeer"
