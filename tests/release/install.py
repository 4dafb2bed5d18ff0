#!/usr/bin/env python3
"""Installs the packages that tools/release/make.py has made, each in an empty place, and runs a program that exchanges
a message with it. Usage: install.py FOLDER"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/release"))

import crates  # noqa: E402
import files  # noqa: E402
import needs  # noqa: E402
import platforms  # noqa: E402

PROGRAMS = ROOT / "tests/packages"
VERSION = files.version()
failures = 0


def check(good, what, why=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - release: {what}", flush=True)
    if not good:
        print("".join(f"# {line}\n" for line in str(why).splitlines()), end="", flush=True)


def runs(what, *command, says=None, **options):
    """A test that passes if the command succeeds, and prints exactly this line if one is given; returns its output."""
    options = {
        "cwd": ROOT,
        "text": True,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "timeout": 300,
        **options,
    }
    options["env"] = {
        name: value for name, value in (options.get("env") or os.environ).items() if name != "LD_LIBRARY_PATH"
    }
    try:
        done = subprocess.run([str(word) for word in command], **options)
        output, code = done.stdout, done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        output, code = str(error), -1
    good = code == 0 and (says is None or output.strip() == says)
    check(good, what, f"{' '.join(map(str, command))}\nended with {code}:\n{output}")
    return output


class Packages:
    def __init__(self, folder):
        self.folder = folder
        self.work = folder.parent / f"{folder.name}-installed"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)

    def path(self, pattern):
        return next(iter(sorted(self.folder.glob(pattern))), None)

    def empty(self, name):
        place = self.work / name
        place.mkdir(parents=True)
        return place

    def archive_of(self, platform):
        return self.path(f"wspeer-{VERSION}-{platform.name}.{platform.archive}")

    # What every release has.

    def sums(self):
        listed = {line.split("  ")[1] for line in (self.folder / "SHA256SUMS").read_text().splitlines()}
        there = {path.name for path in self.folder.iterdir()} - {"SHA256SUMS"}
        check(listed == there, f"SHA256SUMS lists the {len(there)} files", listed ^ there)
        runs("sha256sum confirms them", "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", cwd=self.folder)

    def bill(self):
        path = self.path("*.cdx.json")
        code = (
            "import sys; from cyclonedx.validation.json import JsonStrictValidator as V; "
            "from cyclonedx.schema import SchemaVersion; "
            "sys.exit(str(V(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()) or '') or None)"
        )
        runs("the SBOM is valid CycloneDX 1.5", ROOT / "build/venv/bin/python", "-c", code, path)
        said = json.loads(path.read_text())
        named = {f"{one['name']} {one['version']}" for one in said["components"] if "version" in one}
        linked = set(list(crates.linked())[1:])
        check(
            named == linked and len(named) > 50,
            f"the SBOM has the {len(linked)} crates that are linked",
            named ^ linked,
        )
        hashes = [one["hashes"][0]["content"] for one in said["components"] if "hashes" in one]
        lock = (ROOT / "Cargo.lock").read_text()
        check(len(hashes) == len(linked) and all(one in lock for one in hashes), "the SBOM has Cargo.lock's checksums")

    def recipes(self):
        place = self.empty("recipes")
        subprocess.run(["tar", "-xzf", self.path("*-recipes.tar.gz"), "--strip-components=1"], cwd=place, check=True)
        texts = {path.relative_to(place): path.read_text() for path in place.rglob("*") if path.is_file()}
        left = [str(name) for name, text in texts.items() if re.search(r"@[A-Z]+@", text)]
        check(not left, "recipes: nothing is left to fill in", left)
        known = {}
        for platform in platforms.PLATFORMS:
            path = self.archive_of(platform)
            if path:
                content = path.read_bytes()
                known[platform] = (path.name, hashlib.sha256(content).hexdigest(), hashlib.sha512(content).hexdigest())
        wrong = []
        for platform, (name, short, long) in known.items():
            if f'set(wspeer_SHA512_{platform.name} "{long}")' not in texts[pathlib.Path("vcpkg/portfile.cmake")]:
                wrong.append(f"vcpkg: {name}")
            if (
                not platform.musl
                and f'"{name}"\n      sha256: "{short}"' not in texts[pathlib.Path("conan/conandata.yml")]
            ):
                wrong.append(f"Conan: {name}")
            if platform.xmake and not re.search(
                rf'/{name}"\)\n +add_versions\("{VERSION}", "{short}"\)', texts[pathlib.Path("xmake/xmake.lua")]
            ):
                wrong.append(f"xmake: {name}")
            if platform.nix and f'file = "{name}"; sha256 = "{short}";' not in texts[pathlib.Path("nix/default.nix")]:
                wrong.append(f"Nix: {name}")
        check(known and not wrong, f"recipes: the checksums are those of {len(known)} archives", wrong)

    def conan(self):
        place = self.empty("conan")
        subprocess.run(["tar", "-xzf", self.path("*-recipes.tar.gz"), "--strip-components=1"], cwd=place, check=True)
        program = needs.python().with_name("conan")
        environment = dict(os.environ, CONAN_HOME=str(place / "home"), WSPEER_ARCHIVES=self.folder.as_uri())
        options = {"cwd": place / "conan", "env": environment}
        runs("Conan: it finds the compiler", program, "profile", "detect", **options)
        create = [program, "create", ".", "--version", VERSION, "--no-remote"]
        for name, shared in (("shared", "True"), ("static", "False")):
            said = runs(f"Conan: the {name} library", *create, "-o", f"&:shared={shared}", **options)
            check(said.rstrip().endswith("\nhello"), f"Conan: a program with the {name} library runs", said)

    # Programs in C.

    def archive(self, platform):
        """A program by each way that the archive's README names; for another platform by Zig, and run if it can be."""
        path = self.archive_of(platform)
        place = self.empty(f"archive-{platform.name}")
        if platform.archive == "zip":
            shutil.unpack_archive(path, place)
        else:
            subprocess.run(["tar", "-xzf", path], cwd=place, check=True)
        root = place / f"wspeer-{VERSION}-{platform.name}"
        check(
            all((root / "share/doc/wspeer" / name).exists() for name in files.licences()),
            f"{path.name} has the licences",
        )
        if platform.name == "linux-x86_64":
            self.by_cmake(root, place)
            self.by_pkg_config(root, place)
        else:
            self.by_zig(platform, root, place)

    def by_cmake(self, root, place):
        made = place / "cmake"
        flags = [f"-DCMAKE_PREFIX_PATH={root}", "-DCMAKE_BUILD_TYPE=Release"]
        runs("archive: find_package configures", "cmake", "-S", PROGRAMS / "find_package", "-B", made, *flags)
        runs("archive: it builds", "cmake", "--build", made)
        for program in ("wspeer_c", "wspeer_cc", "static_c", "static_cc"):
            runs(f"archive: {program} runs", made / program, says="hello")

    def by_pkg_config(self, root, place):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(root / "lib/pkgconfig"))
        said = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "wspeer"], env=environment, capture_output=True, text=True
        )
        flags = said.stdout.split()
        program = place / "by-pkg-config"
        source = [PROGRAMS / "main.c", "-o", program]
        runs(
            "archive: pkg-config builds",
            "cc",
            "-std=c99",
            "-Wall",
            "-Werror",
            *source,
            *flags,
            f"-Wl,-rpath,{root}/lib",
        )
        runs("archive: its program runs", program, says="hello")

    def by_zig(self, platform, root, place):
        name, program = platform.name, place / "program"
        source = [PROGRAMS / "main.c", f"-I{root}/include"]
        shared = [f"-L{root}/lib", "-lwspeer"]
        if platform.windows:
            program = program.with_suffix(".exe")
            shared = [root / "lib/libwspeer.dll.a"]
            shutil.copy(root / "bin/wspeer.dll", place)
        elif platform.macos:
            shared += ["-Wl,-rpath,@loader_path"]
        else:
            shared += ["-Wl,-rpath,$ORIGIN"] + (["-dynamic"] if platform.musl else [])
            shutil.copy(root / "lib/libwspeer.so.0", place)
        compiler = needs.zig("cc", "-target", platform.zig, "-std=c99", "-O2", "-o", program)
        runs(f"{name}: a program links", *compiler, *source, *shared)
        if platform.macos or (platform.windows and not platform.runner):
            print(f"# {name}: nothing here runs the program")
            return
        needs.debian(*platform.runner_packages)
        if platform.windows:
            self.shim(platform, place)
        runs(f"{name}: it runs", *platform.runner, program, says="hello")

    def shim(self, platform, place):
        """Makes the DLL that Wine 8 lacks, beside a program."""
        (ROOT / "build/windows").mkdir(parents=True, exist_ok=True)
        shim = needs.zig("cc", "-target", platform.zig, "-shared", "-o", place / "bcryptprimitives.dll")
        subprocess.run([*map(str, shim), str(ROOT / "tests/windows/shim.c"), "-lbcrypt"], check=True)

    def command_line(self, platform):
        """Its program serves, and another one of it gets its line back."""
        path = self.path(f"wspeer-cli-{VERSION}-{platform.name}.{platform.archive}")
        if not path:
            return
        place = self.empty(f"cli-{platform.name}")
        shutil.unpack_archive(path, place)
        root = place / f"wspeer-cli-{VERSION}-{platform.name}"
        documents, manual = root / "share/doc/wspeer-cli", root / "share/man/man1"
        there = [*(documents / name for name in files.licences()), manual / "wspeer.1", manual / "wspeer-cat.1"]
        check(all(one.exists() for one in there), f"{path.name} has the licences and the manual", there)
        program = next((root / "bin").glob("wspeer*"))
        if platform.macos or (platform.windows and not platform.runner):
            print(f"# {platform.name}: nothing here runs the command line")
            return
        needs.debian(*platform.runner_packages)
        if platform.windows:
            self.shim(platform, program.parent)
        command = [*platform.runner, program]
        runs(f"command line for {platform.name}: its version", *command, "--version", says=f"wspeer {VERSION}")
        options = {"cwd": ROOT, "text": True, "stdout": subprocess.PIPE}
        server = subprocess.Popen([*command, "serve", "--listen", "0", "--quiet"], **options)
        try:
            url = re.search(r"ws://[^/]+/echo", server.stdout.readline())[0]
            cat = [*command, "cat", "--count", "1", url]
            runs(f"command line for {platform.name}: an echo", *cat, input="hello\n", says="hello")
        finally:
            if platform.windows:
                subprocess.run([*platform.runner, "wineboot", "--kill"], cwd=ROOT, timeout=60)
            server.kill()
            server.wait()

    def debian(self, platform):
        place = self.empty(f"deb-{platform.deb}")
        for name in ("libwspeer0", "libwspeer-dev"):
            path = self.folder / f"{name}_{VERSION}_{platform.deb}.deb"
            subprocess.run(["dpkg", "-x", path, place], check=True)
        lib = place / "usr/lib" / platform.multiarch
        runs(
            f"{platform.deb}: dpkg reads what they need",
            "dpkg-deb",
            "-f",
            path,
            "Depends",
            says=f"libwspeer0 (= {VERSION})",
        )
        if platform.deb != "amd64":
            return
        environment = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(place), PKG_CONFIG_LIBDIR=str(lib / "pkgconfig"))
        said = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "wspeer"], env=environment, capture_output=True, text=True
        )
        program = place / "program"
        runs(
            "deb: a program builds", "cc", PROGRAMS / "main.c", "-o", program, *said.stdout.split(), f"-Wl,-rpath,{lib}"
        )
        runs("deb: it runs", program, says="hello")
        made = place / "cmake"
        flags = [f"-DCMAKE_PREFIX_PATH={place}/usr", "-DCMAKE_BUILD_TYPE=Release"]
        runs("deb: find_package configures", "cmake", "-S", PROGRAMS / "find_package", "-B", made, *flags)
        runs("deb: it builds", "cmake", "--build", made, "--target", "wspeer_c")
        runs("deb: its program runs", made / "wspeer_c", says="hello")

    # Other languages.

    def wheel(self):
        place = self.empty("wheel")
        subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
        python = place / "venv/bin/python"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WSPEER"))}
        options = {"env": environment, "cwd": place}
        install = ["-m", "pip", "install", "--no-index", "--disable-pip-version-check", "-q"]
        runs("wheel: pip installs it", python, *install, self.path("wspeer-*-manylinux*x86_64.whl"), **options)
        runs("wheel: a program runs", python, "-I", PROGRAMS / "start.py", says="hello", **options)
        about = (
            "from importlib.metadata import metadata, files; import wspeer; m = metadata('wspeer'); "
            "print(m['Version'] == wspeer.__version__, m['Author'], m['License-Expression'], "
            "sum('licenses' in str(f) for f in files('wspeer')), len(m.get_all('License-File')))"
        )
        said = f"True {files.AUTHOR} MIT OR Apache-2.0 3 3"
        runs("wheel: version, author, licences", python, "-I", "-c", about, says=said, **options)
        runs(
            "wheel: pip finds every file as recorded",
            python,
            "-m",
            "pip",
            "check",
            says="No broken requirements found.",
            **options,
        )

    def nuget(self):
        place = self.empty("nuget")
        shutil.unpack_archive(self.path("*.nupkg"), place, "zip")
        library, native = place / "lib/netstandard2.1/Wspeer.dll", place / "runtimes/linux-x64/native"
        program = place / "net" / "Start.dll"
        program.parent.mkdir()
        for source in (library, native / "libwspeer.so"):
            shutil.copy(source, program.parent)
        core = next(ROOT.glob("build/dotnet/dotnetcore2/bin/shared/Microsoft.NETCore.App/*/netstandard.dll"))
        compiler = ["tests/csharp/mcs-net", f"-r:{core}", f"-r:{library}", f"-out:{program}"]
        runs("nupkg: a program builds against .NET's assemblies", *compiler, PROGRAMS / "Start.cs")
        runs("nupkg: it runs on .NET", "tests/csharp/net", program, says="hello")
        described = (place / "Wspeer.nuspec").read_text()
        check(
            f"<authors>{files.AUTHOR}</authors>" in described and f"<version>{VERSION}<" in described,
            "nupkg: author and version",
        )

    def npm(self):
        place = self.empty("npm")
        (place / "package.json").write_text('{ "name": "game", "private": true, "type": "module" }\n')
        install = ["npm", "install", "--offline", "--no-audit", "--no-fund", "--silent", self.path("wspeer-web-*.tgz")]
        runs("npm: the package installs", *install, cwd=place)
        code = (
            "import { include, libraries } from 'wspeer-web'; "
            "console.log(libraries.length > 10 && include.endsWith('include'))"
        )
        runs(
            "npm: its module says where the libraries are",
            "node",
            "--input-type=module",
            "-e",
            code,
            says="true",
            cwd=place,
        )
        readme = (place / "node_modules/wspeer-web/README.md").read_text()
        server = subprocess.Popen([ROOT / "build/echo_server", "0"], stdout=subprocess.PIPE, text=True)
        try:
            port = re.search(r":(\d+)", server.stdout.readline())[1]
            (place / "game.c").write_text(re.search(r"```c\n(.*?)```", readme, re.S)[1].replace("9080", port))
            command = re.search(r"^emcc .*$", readme, re.M)[0].replace("game.html", "game.cjs")
            environment = dict(os.environ, NODE_PATH="/usr/share/nodejs")
            runs("npm: the README's program compiles by its command", "sh", "-c", command, cwd=place, env=environment)
            self.in_node(place)
        finally:
            server.kill()

    def in_node(self, place):
        """The page's program under Node.js with the WebSocket of the package ws; it goes on until it is stopped."""
        # Debian's Emscripten would ask Node's fetch for a file, which it does not read.
        socket = json.dumps(str(ROOT / "build/node/node_modules/ws"))
        start = f"globalThis.fetch = undefined; globalThis.WebSocket = require({socket}); require('./game.cjs')"
        command = ["node", "--input-type=commonjs", "-e", start]
        program = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        timer = threading.Timer(60, program.kill)
        timer.start()
        line = program.stdout.readline()
        check(line.strip() == "hello", "npm: it gets its message back", line)
        program.kill()
        timer.cancel()


def main():
    packages = Packages(pathlib.Path(sys.argv[1]).absolute())
    packages.sums()
    for platform in platforms.PLATFORMS:
        if packages.archive_of(platform):
            packages.archive(platform)
        if platform.deb and packages.path(f"libwspeer0_*_{platform.deb}.deb"):
            packages.debian(platform)
        packages.command_line(platform)
    for pattern, test in (
        ("wspeer-*-manylinux*x86_64.whl", packages.wheel),
        ("*.nupkg", packages.nuget),
        ("wspeer-web-*.tgz", packages.npm),
        ("*-recipes.tar.gz", packages.recipes),
        ("*.cdx.json", packages.bill),
    ):
        if packages.path(pattern):
            test()
    if packages.path("*-recipes.tar.gz") and packages.path("wspeer-[0-9]*-linux-x86_64.tar.gz"):
        packages.conan()
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
