"""Builds the libraries of a platform, without paths of the machine in them."""

import dataclasses
import os
import pathlib
import re
import shutil
import sys

import crates
import needs
from files import ROOT, WORK, epoch, run
from platforms import GLIBC

# Libraries that every Linux system has (PEP 600); the C library of musl has another name.
SYSTEM_LIBRARIES = re.compile(r"lib(c|m|dl|pthread|rt)\.so\.\d+|ld-linux.*\.so\.\d+|lib(c|c\.musl-.*)\.so(\.1)?")
BUILD_STD = "-Zbuild-std=std,panic_abort,panic_unwind"
LIBRARY = ["rustc", "--release", "--locked", "--lib", "--crate-type", "cdylib,staticlib"]


@dataclasses.dataclass(frozen=True)
class Library:
    """Paths of the files that a platform has."""

    # With the names of functions, and without.
    shared: pathlib.Path
    stripped: pathlib.Path
    archive: pathlib.Path
    # Import libraries of Windows: for MinGW and for MSVC.
    imports: tuple = ()


def build(platform, quick=False, given=None):
    """Builds the libraries of a platform with cargo. `quick` leaves out optimisation, for tests of the packages.
    `given` is a libwspeer.a from `make library` that is linked anew, so that it runs with an old glibc too."""
    folder = WORK / "libraries" / platform.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if given:
        shared = folder / platform.shared
        archive = given
        relink(platform, given, shared)
    else:
        made = compile_rust(platform, quick, LIBRARY, flags_of_library(platform))
        shared, archive = folder / platform.shared, made / "libwspeer.a"
        shutil.copyfile(made / platform.shared, shared)
    objcopy("--strip-debug", archive, folder / "libwspeer.a")
    stripped = folder / "stripped" / platform.shared
    stripped.parent.mkdir()
    objcopy("-x" if platform.macos else "--strip-unneeded", shared, stripped)
    imports = ()
    if platform.windows:
        imports = (folder / "libwspeer.dll.a", folder / "wspeer.lib")
        import_libraries(platform, *imports)
    if not platform.windows and not platform.macos:
        check_elf(platform, shared)
    if not given:
        check_paths(shared)
    return Library(shared, stripped, folder / "libwspeer.a", imports)


def flags_of_library(platform):
    if platform.macos:
        return ["-Clink-arg=-Wl,-install_name,@rpath/libwspeer.dylib"]
    return ["-Ctarget-feature=-crt-static"] if platform.musl else []


def target_folder(suffix=""):
    """A target folder for cargo, apart from that of other builds."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / f"packages{suffix}"


def compile_rust(platform, quick, words, flags, suffix=""):
    """Runs cargo with these words, and rustc with these flags; returns the folder with the output."""
    folder = target_folder(f"{suffix}-quick" if quick else suffix)
    environment = dict(
        os.environ,
        CARGO_TARGET_DIR=str(folder),
        CARGO_INCREMENTAL="0",
        SOURCE_DATE_EPOCH=str(epoch()),
        # What cargo-zigbuild generates stays in the build folder.
        CARGO_ZIGBUILD_CACHE_DIR=str(needs.TOOLS / "zigbuild"),
    )
    if sys.platform != "darwin":
        environment["PATH"] = f"{needs.python().parent}:{os.environ['PATH']}"
    flags = [*(f"--remap-path-prefix={old}={new}" for old, new in moved()), *flags]
    if quick:
        for name, value in (("LTO", "false"), ("OPT_LEVEL", "0"), ("CODEGEN_UNITS", "16")):
            environment[f"CARGO_PROFILE_RELEASE_{name}"] = value
    words = [*words]
    target = platform.target
    apple = sys.platform == "darwin"
    rustup = apple or needs.rustup(platform)
    if apple:
        words[0:0] = ["cargo"]
    elif not rustup:
        needs.debian(*needs.RUST)
        environment.update(
            RUSTC="/usr/bin/rustc",
            RUSTC_BOOTSTRAP="1",
            PATH=f"{needs.python().parent}:{folder_of_objcopy()}:/usr/bin:/bin",
        )
        unpacked = needs.standard_library(platform)
        if unpacked:
            flags.append(f"--sysroot={unpacked}")
        else:
            needs.debian(*needs.SOURCES)
            words.append(BUILD_STD)
    if platform.windows:
        needs.debian(needs.MINGW[platform.name])
        words[0:0] = ["cargo"]
        if platform.name == "windows-i686" and not rustup:
            flags.append(f"-Lnative={startup(platform, environment)}")
    elif not apple:
        words[0:0] = ["cargo-zigbuild"]
    if platform.name.startswith("linux-") and not platform.musl:
        target += f".{GLIBC}"
    if platform.macos:
        flags += [] if apple else [f"-Lframework={frameworks()}"]
        environment["MACOSX_DEPLOYMENT_TARGET"] = platform.zig.partition(".")[2]
    environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
    environment.pop("RUSTFLAGS", None)
    run(*words, "--target", target, env=environment)
    return folder / platform.target / "release"


def startup(platform, environment):
    """A folder with the objects at the start and end of each library for 32-bit Windows, which register what unwinding
    needs. They are not part of the standard library that cargo builds."""
    folder = WORK / "startup" / platform.name
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("rsbegin", "rsend"):
        source = f"/usr/lib/rustlib/src/rust/library/rtstartup/{name}.rs"
        run(
            *(environment["RUSTC"], "--target", platform.target, "--emit=obj", "-o", folder / f"{name}.o"),
            source,
            env=environment,
        )
    return folder


def frameworks():
    """A folder with stubs of Apple's frameworks, which tell the linker what they export: the names that the crates
    declare. The programs load the real ones."""
    folder = WORK / "frameworks"
    for crate, name in (("security-framework-sys", "Security"), ("core-foundation-sys", "CoreFoundation")):
        sources = next(one.folder for one in crates.linked().values() if one.name == crate) / "src"
        declared = "\n".join(path.read_text() for path in sorted(sources.rglob("*.rs")))
        names = sorted(set("".join(pair) for pair in re.findall(r"\bpub (?:fn|static) (\w+)|\b(k[A-Z]\w+)", declared)))
        stub = folder / f"{name}.framework" / f"{name}.tbd"
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(
            "--- !tapi-tbd\ntbd-version: 4\ntargets: [ arm64-macos, x86_64-macos ]\n"
            f"install-name: '/System/Library/Frameworks/{name}.framework/Versions/A/{name}'\n"
            f"exports:\n  - targets: [ arm64-macos, x86_64-macos ]\n    symbols: [ _{', _'.join(names)} ]\n...\n"
        )
    return folder


def moved():
    """Folders whose paths a compiler would write into the library, and what stands for them."""
    home = pathlib.Path.home()
    yield ROOT, "/wspeer"
    yield pathlib.Path(os.environ.get("CARGO_HOME", home / ".cargo")), "/cargo"
    yield pathlib.Path(os.environ.get("RUSTUP_HOME", home / ".rustup")), "/rustup"
    yield pathlib.Path("/usr/lib/rustlib/src/rust"), "/rust"
    yield pathlib.Path("/usr/src"), "/rust"


def relink(platform, archive, shared):
    """Links a static library as cargo links the shared one, but with the symbols of an old glibc."""
    script = shared.with_suffix(".map")
    script.write_text("{ global: ws_*; local: *; };\n")
    run(
        *needs.zig("cc", "-target", platform.zig, "-shared", "-fPIC", "-O2"),
        *("-Wl,--whole-archive", archive, "-Wl,--no-whole-archive", f"-Wl,--version-script={script}"),
        *("-Wl,--gc-sections", "-Wl,-soname,libwspeer.so.0", "-Wl,-z,nodelete", "-Wl,--strip-debug"),
        *("-lunwind", "-lpthread", "-ldl", "-lm", "-o", shared),
    )
    script.unlink()


def import_libraries(platform, mingw, msvc):
    """The import library, from the exports of the header, by the names that MinGW and MSVC look for."""
    definition = mingw.with_suffix(".def")
    names = sorted(set(re.findall(r"^WS_API .*?\b(ws_\w+)\(", (ROOT / "include/wspeer.h").read_text(), re.M)))
    definition.write_text("LIBRARY wspeer.dll\nEXPORTS\n" + "".join(f"  {name}\n" for name in names))
    machine = "i386" if platform.name == "windows-i686" else "i386:x86-64"
    for path in (mingw, msvc):
        run(*needs.zig("dlltool", "-m", machine, "-d", definition, "-D", "wspeer.dll", "-l", path))
    definition.unlink()


def objcopy(*arguments):
    """LLVM's objcopy of the installed Rust toolchain, which reads the files of every system."""
    sysroot, program = toolchain()
    run(
        program,
        *arguments,
        env=dict(os.environ, LD_LIBRARY_PATH=str(sysroot / "lib"), DYLD_LIBRARY_PATH=str(sysroot / "lib")),
    )


def toolchain():
    """The folder of the installed Rust toolchain, and its objcopy."""
    sysroot = pathlib.Path(run("rustc", "--print", "sysroot").strip())
    return sysroot, next(sysroot.glob("lib/rustlib/*/bin/rust-objcopy"))


def folder_of_objcopy():
    """A folder for PATH with `rust-objcopy`, by which rustc strips libraries of macOS; Debian's rustc has none."""
    sysroot, program = toolchain()
    script = needs.TOOLS / "bin" / "rust-objcopy"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{sysroot}/lib" exec "{program}" "$@"\n')
    script.chmod(0o755)
    return script.parent


def check_elf(platform, shared):
    """No newer glibc is needed than the tag of the wheel says, and no library that a system may lack."""
    said = run("readelf", "-dVW", "--dyn-syms", shared)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", said)
    strange = [name for name in needed if not SYSTEM_LIBRARIES.fullmatch(name)]
    if strange:
        raise SystemExit(f"release: {shared} needs {', '.join(strange)}")
    newest = max((tuple(map(int, one.split("."))) for one in re.findall(r"GLIBC_([\d.]+)", said)), default=(0,))
    if newest > tuple(map(int, GLIBC.split("."))) and not platform.musl:
        raise SystemExit(f"release: {shared} needs glibc {'.'.join(map(str, newest))}")
    if not re.search(r"\(SONAME\).*\[libwspeer\.so\.0\]", said):
        raise SystemExit(f"release: {shared} has another soname")


def check_paths(path):
    """No path of this machine is in the library or program."""
    content = path.read_bytes()
    # Debian's standard library has paths below /usr/src, the same on every machine.
    found = [str(old) for old, _ in moved() if f"{old}/".encode() in content and old.parts[1:2] != ("usr",)]
    if found:
        raise SystemExit(f"release: {path} has paths below {found[0]}")
