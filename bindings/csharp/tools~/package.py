#!/usr/bin/env python3
"""The Unity package: import settings, and the steps of `make unity-package`.
Usage: package.py          puts bindings/web and the native libraries that this machine has built in place, and packs
                           build/com.wspeer.wspeer-VERSION.tgz
       package.py --metas  writes missing .meta files; the GUIDs are computed from the paths, so they are the
                           same everywhere
       package.py --check  checks the package: .meta files, GUIDs, JSON, versions"""
import gzip
import hashlib
import io
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
NAME = "com.wspeer.wspeer"
NOTICES = "Third Party Notices.md"
EMPTY = "  userData: \n  assetBundleName: \n  assetBundleVariant: \n"

# Path below Runtime/Plugins: the cargo target, and Unity's platforms for it: type, name, settings.
PLUGINS = {
    "linux-x86_64/libwspeer.so": (
        "x86_64-unknown-linux-gnu",
        [
            ("Editor", "Editor", {"CPU": "x86_64", "DefaultValueInitialized": "true", "OS": "Linux"}),
            ("Standalone", "Linux64", {"CPU": "x86_64"}),
        ],
    ),
    "windows-x86_64/wspeer.dll": (
        "x86_64-pc-windows-msvc",
        [
            ("Editor", "Editor", {"CPU": "x86_64", "DefaultValueInitialized": "true", "OS": "Windows"}),
            ("Standalone", "Win64", {"CPU": "x86_64"}),
        ],
    ),
    "windows-x86/wspeer.dll": ("i686-pc-windows-msvc", [("Standalone", "Win", {"CPU": "x86"})]),
    "macos/libwspeer.dylib": (
        "universal-apple-darwin",
        [
            ("Editor", "Editor", {"CPU": "AnyCPU", "DefaultValueInitialized": "true", "OS": "OSX"}),
            ("Standalone", "OSXUniversal", {"CPU": "AnyCPU"}),
        ],
    ),
    "android/arm64-v8a/libwspeer.so": ("aarch64-linux-android", [("Android", "Android", {"CPU": "ARM64"})]),
    "android/armeabi-v7a/libwspeer.so": ("armv7-linux-androideabi", [("Android", "Android", {"CPU": "ARMv7"})]),
    "android/x86_64/libwspeer.so": ("x86_64-linux-android", [("Android", "Android", {"CPU": "X86_64"})]),
    "ios/libwspeer.a": (
        "aarch64-apple-ios",
        [
            (
                "iPhone",
                "iOS",
                {"AddToEmbeddedBinaries": "false", "CPU": "ARM64", "CompileFlags": "", "FrameworkDependencies": ""},
            )
        ],
    ),
}
# Other cargo targets that build the same library.
ALSO = {
    "windows-x86_64/wspeer.dll": ["x86_64-pc-windows-gnu"],
    "windows-x86/wspeer.dll": ["i686-pc-windows-gnu"],
    "macos/libwspeer.dylib": ["aarch64-apple-darwin", "x86_64-apple-darwin"],
}
# The library for browsers, copied when the package is built.
PAGES = {f"WebGL/{path.stem}.jslib": path for path in sorted((ROOT / "bindings" / "web").glob("library_wspeer*.js"))}
ALL_PLATFORMS = ["Android", "Editor", "Linux64", "OSXUniversal", "WebGL", "Win", "Win64", "iOS", "tvOS"]


def guid(path):
    return hashlib.md5(f"{NAME}/{path}".encode()).hexdigest()


def platform_data(kind, name, enabled, settings):
    lines = "".join(f"        {key}: {value}\n" for key, value in sorted(settings.items()))
    return f"  - first:\n      {kind}: {name}\n    second:\n      enabled: {int(enabled)}\n      settings:{' {}' if not settings else ''}\n{lines}"


def plugin_meta(path):
    platforms = [("WebGL", "WebGL", {})] if path in PAGES else PLUGINS[path][1]
    taken = {name for _, name, _ in platforms}
    excluded = {f"Exclude {name}": int(name not in taken) for name in ALL_PLATFORMS}
    data = platform_data("", "Any", False, excluded) + platform_data("Any", "", False, {})
    data += "".join(platform_data(kind, name, True, settings) for kind, name, settings in platforms)
    return (
        "PluginImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  iconMap: {}\n  executionOrder: {}\n  defineConstraints: []\n  isPreloaded: 0\n"
        f"  isOverridable: 0\n  isExplicitlyReferenced: 0\n  validateReferences: 1\n  platformData:\n{data}{EMPTY}"
    )


def meta(path, folder):
    """The text of the .meta file for a path of the package."""
    path = str(path)
    below = path.removeprefix("Runtime/Plugins/")
    if folder:
        body = "folderAsset: yes\nDefaultImporter:\n  externalObjects: {}\n" + EMPTY
    elif below in PLUGINS or below in PAGES:
        body = plugin_meta(below)
    elif path.endswith(".cs"):
        body = (
            "MonoImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  defaultReferences: []\n  executionOrder: 0\n  icon: {instanceID: 0}\n"
            + EMPTY
        )
    elif path.endswith(".asmdef"):
        body = "AssemblyDefinitionImporter:\n  externalObjects: {}\n" + EMPTY
    elif path == "package.json":
        body = "PackageManifestImporter:\n  externalObjects: {}\n" + EMPTY
    else:
        body = "TextScriptImporter:\n  externalObjects: {}\n" + EMPTY
    return f"fileFormatVersion: 2\nguid: {guid(path)}\n{body}"


def hidden(path):
    """Unity ignores files and folders whose names begin with a dot or end with a tilde, and everything below them."""
    return any(part.startswith(".") or part.endswith("~") for part in path.parts)


def assets():
    """All assets that need a .meta: path, and whether it is a folder. Native libraries and pages count even if they do
    not exist."""
    found = {path.relative_to(HERE): path.is_dir() for path in HERE.rglob("*") if path.suffix != ".meta"}
    for plugin in [*PLUGINS, *PAGES]:
        path = pathlib.PurePath("Runtime/Plugins") / plugin
        found[path] = False
        found.update({parent: True for parent in list(path.parents)[:-1]})
    return {path: folder for path, folder in sorted(found.items()) if not hidden(path)}


def write_pages():
    for page, source in PAGES.items():
        target = HERE / "Runtime" / "Plugins" / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())


def write_metas():
    for path, folder in assets().items():
        target = HERE / f"{path}.meta"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(meta(path, folder))


def check():
    good = True

    def check(fine, what):
        nonlocal good
        good = good and fine
        print(f"{'ok' if fine else 'not ok'} - package: {what}")

    wanted = {f"{path}.meta" for path in assets()}
    there = {str(path.relative_to(HERE)) for path in HERE.rglob("*.meta") if not hidden(path.relative_to(HERE))}
    check(
        wanted == there,
        f"{len(wanted)} files and folders, each with a .meta and none without one {sorted(wanted ^ there) or ''}",
    )
    texts = {name: (HERE / name).read_text() for name in there}
    guids = {name: re.findall(r"^guid: ([0-9a-f]{32})$", text, re.M) for name, text in texts.items()}
    check(
        all(len(found) == 1 for found in guids.values())
        and len({found[0] for found in guids.values() if found}) == len(there),
        "every GUID is there once",
    )
    check(
        all(found == [guid(name.removesuffix(".meta"))] for name, found in guids.items()), "GUIDs follow from the paths"
    )
    stale = [
        name
        for name, text in texts.items()
        if name in wanted
        and text != meta(name.removesuffix(".meta"), assets()[pathlib.Path(name.removesuffix(".meta"))])
    ]
    check(not stale, f"import settings are what package.py says {stale or ''}")
    taken = {
        name: re.findall(r"Exclude (\w+): 0$", text, re.M)
        for name, text in texts.items()
        if name.endswith(".jslib.meta")
    }
    check(
        len(taken) == len(PAGES) and all(platforms == ["WebGL"] for platforms in taken.values()),
        f"Unity takes {len(taken)} files of bindings/web for WebGL alone",
    )
    definitions = {path: json.loads(path.read_text()) for path in HERE.rglob("*.asmdef")}
    names = {definition["name"] for definition in definitions.values()}
    check(
        names == {"Wspeer", "Wspeer.Unity"} and all(set(one["references"]) <= names for one in definitions.values()),
        f"assembly definitions {sorted(names)}",
    )
    check(
        all(path.stem == one["name"] for path, one in definitions.items()),
        "assembly definitions are named as their files",
    )
    package = json.loads((HERE / "package.json").read_text())
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
    project = re.search(r"<Version>(.*)</Version>", (HERE / "dotnet~/Wspeer.csproj").read_text()).group(1)
    check(
        package["version"] == version == project and re.fullmatch(r"\d+\.\d+\.\d+", version),
        f"version {version} in package.json, Wspeer.csproj and Cargo.toml",
    )
    check(f"## {version}" in (HERE / "CHANGELOG.md").read_text(), f"CHANGELOG.md has {version}")
    check(
        package["name"] == NAME
        and re.fullmatch(r"[a-z0-9.-]{1,214}", NAME)
        and re.fullmatch(r"\d{4}\.\d", package["unity"])
        and all(package[key] for key in ("displayName", "description", "license", "author")),
        "package.json has what a package needs",
    )
    samples = {sample["path"] for sample in package["samples"]}
    there = {f"Samples~/{path.name}" for path in (HERE / "Samples~").iterdir() if path.is_dir()}
    check(
        samples == there and all(sample["displayName"] and sample["description"] for sample in package["samples"]),
        f"package.json names the samples {sorted(there)}",
    )
    return 0 if good else 1


def built(plugin):
    """The path of the library built on this machine, or None."""
    name = pathlib.PurePath(plugin).name
    for triple in [PLUGINS[plugin][0], *ALSO.get(plugin, [])]:
        path = ROOT / "target" / triple / "release" / name
        if path.exists():
            return path
    own = {
        "Linux": "linux-x86_64/libwspeer.so",
        "Darwin": "macos/libwspeer.dylib",
        "Windows": "windows-x86_64/wspeer.dll",
    }.get(platform.system())
    for folder in (ROOT / "build", ROOT / "target" / "release"):
        if (
            plugin == own
            and (own != "linux-x86_64/libwspeer.so" or platform.machine() == "x86_64")
            and (folder / name).exists()
        ):
            return folder / name
    return None


def notices():
    """The licences of what the native libraries contain."""
    return (ROOT / "THIRD-PARTY.md").read_text()


def write(folder, libraries):
    """Packs the sources, the pages and the given libraries, by their places below Runtime/Plugins; returns the file."""
    given = {f"Runtime/Plugins/{place}": content for place, content in libraries.items()}
    given |= {f"Runtime/Plugins/{page}": source.read_bytes() for page, source in PAGES.items()}
    files = {
        str(path.relative_to(HERE)): path.read_bytes()
        for path in HERE.rglob("*")
        if path.is_file() and not path.relative_to(HERE).parts[0].startswith((".", "tools~"))
    }
    # Libraries that lie in the folder from an earlier `make unity-package` do not count.
    plugins = {f"Runtime/Plugins/{place}" for place in PLUGINS}
    files = {name: content for name, content in files.items() if name not in plugins} | given
    # Unity reports a .meta without its library, or of a folder without one, as an error.
    there = {name for name in files if not name.endswith(".meta")}
    there |= {str(parent) for name in there for parent in pathlib.PurePath(name).parents}
    files = {name: content for name, content in files.items() if name.removesuffix(".meta") in there}
    files[NOTICES], files[f"{NOTICES}.meta"] = notices().encode(), meta(NOTICES, False).encode()
    version = json.loads((HERE / "package.json").read_text())["version"]
    target = folder / f"{NAME}-{version}.tgz"
    target.parent.mkdir(exist_ok=True)
    with (
        open(target, "wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, 0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    print(f"{target.name}: {len(files)} files, native libraries: {', '.join(sorted(libraries)) or 'none'}")
    return target


def pack():
    placed = {}
    for plugin in PLUGINS:
        source = built(plugin)
        target = HERE / "Runtime" / "Plugins" / plugin
        if source:
            shutil.copyfile(source, target)
            if plugin == "linux-x86_64/libwspeer.so" and shutil.which("strip"):
                subprocess.run(["strip", "--strip-unneeded", target], check=True)
        if target.exists():
            placed[plugin] = target.read_bytes()
    write(ROOT / "build", placed)
    return 0


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    write_metas()
    if sys.argv[1:] == ["--metas"]:
        return 0
    write_pages()
    return pack()


if __name__ == "__main__":
    sys.exit(main())
