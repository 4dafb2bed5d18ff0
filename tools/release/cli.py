"""wspeer-cli-VERSION-PLATFORM.tar.gz or .zip: the command line, its man pages and completions, and the licences of what
is linked into it."""

import dataclasses
import os
import platform as machine
import re
import shutil
import sys

import crates
import library
import licences
import needs
from files import ROOT, WORK, File, below, read, run, tar_gz, text, version, zipped
from platforms import PLATFORMS

MANIFEST = "cli/Cargo.toml"
# Where each shell looks for completions, below a prefix such as /usr/local.
COMPLETIONS = {
    "bash": "share/bash-completion/completions/wspeer",
    "zsh": "share/zsh/site-functions/_wspeer",
    "fish": "share/fish/vendor_completions.d/wspeer.fish",
    "powershell": "share/powershell/wspeer.ps1",
}
DOCUMENTS = "share/doc/wspeer-cli"


def build(platform, quick=False, given=None):
    """Builds the program for a platform, or takes the one that is given, and returns its path."""
    program = WORK / "programs" / platform.name / ("wspeer.exe" if platform.windows else "wspeer")
    program.parent.mkdir(parents=True, exist_ok=True)
    if given:
        shutil.copyfile(given, program)
    else:
        target = dataclasses.replace(platform, target=platform.program)
        words = ["rustc", "--release", "--locked", "--bin", "wspeer", "--manifest-path", MANIFEST]
        # What the library is built with stays as it is: the program needs it in another form.
        made = library.compile_rust(
            target, quick, words, ["-Ctarget-feature=+crt-static"] if target.musl else [], "-cli"
        )
        shutil.copyfile(made / program.name, program)
        library.check_paths(program)
        if target.musl and re.search(r"\(NEEDED\)|INTERP", run("readelf", "-dlW", program)):
            raise SystemExit(f"release: {program} is not static")
    program.chmod(0o755)
    return program


def pages(programs):
    """The man pages and completions, as the program for this machine writes them."""
    system = {"linux": "linux", "darwin": "macos"}.get(sys.platform, sys.platform)
    here = f"{system}-{machine.machine().replace('arm64', 'aarch64')}"
    program = next((path for platform, path in programs.items() if platform.name == here), None)
    if not program:
        folder = library.target_folder("-cli")
        run(
            "cargo",
            "build",
            "--locked",
            "--manifest-path",
            MANIFEST,
            env=dict(os.environ, CARGO_TARGET_DIR=str(folder)),
        )
        program = folder / "debug" / "wspeer"
    manual = WORK / "man"
    shutil.rmtree(manual, ignore_errors=True)
    run(program, "man", "--dir", manual)
    return {
        **{f"share/man/man1/{path.name}": File(path.read_bytes()) for path in manual.glob("*.1")},
        **{path: text(run(program, "completions", shell)) for shell, path in COMPLETIONS.items()},
    }


def linked():
    """The crates of others that are linked into the program on any platform."""
    targets = [platform.program for platform in PLATFORMS if platform.program]
    return [crate for crate in crates.linked(MANIFEST, targets).values() if crate.checksum]


def write_all(folder, programs):
    """`programs` has the path of each platform's program."""
    common = {
        **below(DOCUMENTS, read("LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md")),
        f"{DOCUMENTS}/THIRD-PARTY.md": text(licences.page("the command line contains", linked())),
        **pages(programs),
    }
    return [write(folder, platform, program, common) for platform, program in programs.items()]


def write(folder, platform, program, common):
    name = f"wspeer-cli-{version()}-{platform.name}"
    tree = {
        f"bin/{program.name}": File(program.read_bytes(), executable=True),
        "README.md": text(readme(platform)),
        **common,
    }
    if not platform.windows and not platform.macos:
        tree[f"{DOCUMENTS}/COPYRIGHT.musl"] = File(needs.of_zig("libc/musl/COPYRIGHT").read_bytes())
    target = folder / f"{name}.{platform.archive}"
    return (tar_gz if platform.archive == "tar.gz" else zipped)(below(name, tree), target)


def readme(platform):
    program = "bin\\wspeer.exe" if platform.windows else "bin/wspeer"
    linux = not platform.windows and not platform.macos
    needed = "one static file, which any Linux runs" if linux else "one file that needs nothing else"
    install = "`sudo cp -r bin share /usr/local/` installs it with its man pages and completions."
    if platform.windows:
        install = "Add the folder `bin` to `PATH`."
    return f"""# wspeer {version()}, the command line, for {platform.name}

WebSockets from the command line: talk, serve, diagnose, measure, and try a bad network. `{program}` is {needed}.
{install}

    wspeer serve                              # a page with a chat room, and an echo: http://127.0.0.1:9080/
    wspeer cat ws://127.0.0.1:9080/echo       # lines to messages, messages to lines
    wspeer diagnose wss://game.example/room   # why a client cannot connect
    wspeer bench ws://127.0.0.1:9080/echo     # how long round trips take
    wspeer sim 9081 ws://127.0.0.1:9080 --network train
    wspeer --help

`share/man` has the manual, `{DOCUMENTS}` the changes and the licences of everything that the program contains.
"""
