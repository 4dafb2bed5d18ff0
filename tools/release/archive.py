"""wspeer-VERSION-PLATFORM.tar.gz or .zip: headers, libraries, CMake package, pkg-config file, licences."""

from files import NAME, ROOT, File, below, licences, read, tar_gz, text, version, zipped
from platforms import Platform

SYSTEM = {
    "linux": ["pthread", "dl", "m"],
    # As `rustc --print native-static-libs` says.
    "windows": ["ws2_32", "bcrypt", "ntdll", "userenv", "crypt32", "secur32", "advapi32", "synchronization"],
    "macos": ["-framework Security", "-framework CoreFoundation"],
}


def write(folder, platform, library):
    name = f"{NAME}-{version()}-{platform.name}"
    target = folder / f"{name}.{platform.archive}"
    tree = below(name, contents(platform, library))
    return tar_gz(tree, target) if platform.archive == "tar.gz" else zipped(tree, target)


def contents(platform: Platform, library):
    tree = {
        **below("include", read("include/wspeer.h", "bindings/cpp/wspeer.hpp")),
        **below("share/doc/wspeer", {**licences(), **read("CHANGELOG.md")}),
        "README.md": text(readme(platform)),
        "lib/libwspeer.a": File(library.archive.read_bytes()),
        "lib/pkgconfig/wspeer.pc": text(pkg_config(platform)),
        **below("lib/cmake/wspeer", cmake(platform)),
    }
    shared = File(library.shared.read_bytes(), executable=True)
    if platform.windows:
        tree["bin/wspeer.dll"] = shared
        tree.update({f"lib/{path.name}": File(path.read_bytes()) for path in library.imports})
    elif platform.macos:
        tree["lib/libwspeer.dylib"] = shared
    else:
        tree["lib/libwspeer.so.0"] = shared
        tree["lib/libwspeer.so"] = File(link="libwspeer.so.0")
    return tree


def system(platform):
    return SYSTEM["windows" if platform.windows else "macos" if platform.macos else "linux"]


def pkg_config(platform, prefix="${pcfiledir}/../..", libdir="${prefix}/lib"):
    made = (ROOT / "cmake/wspeer.pc.in").read_text().replace("@VERSION@", version()).replace("@PREFIX@", prefix)
    private = " ".join(one if one.startswith("-") else f"-l{one}" for one in system(platform))
    lines = []
    for line in made.splitlines():
        line = f"libdir={libdir}" if line.startswith("libdir=") else line
        line = f"Libs.private: {private}" if line.startswith("Libs.private:") else line
        lines.append(line)
    return "\n".join(lines) + "\n"


def cmake(platform, lib="lib", up="../../.."):
    """The CMake package: the config of `make install` with the file names of the platform."""
    config = (ROOT / "cmake/wspeerConfig.cmake").read_text().replace("/../../..", f"/{up}")
    changes = {"/lib/": f"/{lib}/"}
    values = ""
    if platform.windows:
        changes["/lib/libwspeer.so.0"] = "/bin/wspeer.dll"
        values = (
            'if(MSVC)\n  set(wspeer_IMPORT "${wspeer_PREFIX}/lib/wspeer.lib")\nelse()\n'
            '  set(wspeer_IMPORT "${wspeer_PREFIX}/lib/libwspeer.dll.a")\nendif()\n'
        )
    elif platform.macos:
        changes["/lib/libwspeer.so.0"] = "/lib/libwspeer.dylib"
    values += f'set(wspeer_SYSTEM "{";".join(system(platform))}")\n'
    for old, new in sorted(changes.items(), key=lambda pair: -len(pair[0])):
        config = config.replace(old, new)
    config = config.replace("include(", values + "include(")
    final = (ROOT / "cmake/wspeerConfigVersion.cmake.in").read_text().replace("@VERSION@", version())
    return {
        "wspeerConfig.cmake": text(config),
        "wspeerConfigVersion.cmake": text(final),
        **read("cmake/wspeerTargets.cmake"),
    }


def readme(platform):
    static = " ".join(one if one.startswith("-") else f"-l{one}" for one in system(platform))
    loads = {
        "windows": "Put `bin/wspeer.dll` beside the program. With MSVC link `lib/wspeer.lib`; the static library is "
        "for MinGW.",
        "macos": "Put `lib/libwspeer.dylib` beside the program, whose rpath is `@loader_path`.",
    }.get(
        "windows" if platform.windows else "macos" if platform.macos else "",
        "Ship `lib/libwspeer.so.0` beside the program: `-Wl,-rpath,'$ORIGIN'` makes it look there.",
    )
    return f"""# wspeer {version()} for {platform.name}

WebSockets that a game engine polls from its frame loop. `include/wspeer.h` is the manual; `share/doc/wspeer` has the
changes and the licences of everything that the libraries contain. The folder can lie anywhere.

    cmake -DCMAKE_PREFIX_PATH=THIS_FOLDER …        # find_package(wspeer CONFIG), then wspeer::wspeer or wspeer::static
    PKG_CONFIG_PATH=THIS_FOLDER/lib/pkgconfig pkg-config --cflags --libs wspeer
    cc -ITHIS_FOLDER/include game.c -LTHIS_FOLDER/lib -lwspeer

{loads} To link
`lib/libwspeer.a` instead, compile with `-DWS_STATIC` and add `{static}`.
"""
