#!/usr/bin/env python3
"""The addon's zip: equal from two builds, complete, and enough for an empty project, by the commands that its README
gives. Usage: package.py WSPEER_A"""

import hashlib
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zipfile

from engine import ROOT, WORK, Engine, await_port, check, end, figure, free_port

GODOT = ROOT / "bindings" / "godot"
AT = "addons/wspeer/"


def build(name, library):
    """A build and package in folders of its own."""
    folder = WORK / f"package-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    zipped = folder / "wspeer.zip"
    subprocess.run(
        ["make", "-s", "-C", GODOT, f"WSPEER_A={library}", f"WORK={folder}/objects", f"ADDON={folder}/addon"],
        check=True,
    )
    said = subprocess.run(
        [GODOT / "package.py", folder / "addon" / "bin", zipped], check=True, capture_output=True, text=True
    )
    figure(said.stdout.strip().replace(str(folder) + "/", ""))
    return zipped


def contents(zipped):
    with zipfile.ZipFile(zipped) as packed:
        names = packed.namelist()
        check(all(name.startswith(AT) for name in names), "zip: everything is below addons/wspeer", names)
        files = {name.removeprefix(AT): packed.read(name) for name in names}
    extension = files["wspeer.gdextension"].decode()
    icons = re.findall(r'"(icons/[^"]+)"', extension)
    wanted = [
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "THIRD_PARTY_NOTICES.md",
        "icon.png",
        "demo/tutorial_client.gd",
        "demo/tutorial_server.gd",
        "demo/tutorial_client.tscn",
        "demo/tutorial_server.tscn",
        *icons,
    ]
    # What the editor writes beside these when it first sees them; without it each project has ids of its own.
    wanted += [f"{name}.import" for name in ["icon.png", *icons]]
    wanted += [f"{name}.uid" for name in files if name.endswith((".gd", ".gdextension"))]
    missing = [name for name in wanted if not files.get(name)]
    check(not missing, "zip: it has licences, README, icons, scripts, and their .import and .uid files", missing)
    libraries = re.findall(r'^[\w.]+ = "(bin/[^"]+)"$', extension, re.M)
    named = {name for name in files if name.startswith("bin/")}
    check(named and named <= set(libraries), "zip: it has the library of this machine", sorted(named))
    check(
        all(f"| `{name.removeprefix('bin/')}` |" in files["README.md"].decode() for name in libraries),
        "zip: its README says of each library who builds it",
    )
    classes = re.findall(r'^(\w+) = "icons/', extension, re.M)
    documented = sorted(path.stem for path in (GODOT / "doc_classes").glob("*.xml"))
    check(sorted(classes) == documented, "zip: every class has an icon", classes)
    width, height = struct.unpack(">II", files["icon.png"][16:24])
    check(
        files["icon.png"].startswith(b"\x89PNG") and width == height >= 128,
        "zip: icon.png is a square of 128 pixels or more",
        (width, height),
    )
    links = re.findall(r"\]\(([^)]+)\)", files["README.md"].decode())
    check(
        all(link.startswith(("https://", "#")) for link in links),
        "zip: the links of its README lead to the site",
        links,
    )


def unpacked(zipped, name):
    """An empty project with the zip."""
    folder = WORK / f"unpacked-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "project.godot").write_text("config_version=5\n")
    with zipfile.ZipFile(zipped) as packed:
        packed.extractall(folder)
    return folder


def prepared(folder):
    """The README's line that makes the classes known without an editor."""
    text = (folder / AT / "README.md").read_text()
    lines = re.findall(r"^ +(mkdir -p \.godot && echo \S+ > \.godot/extension_list\.cfg)$", text, re.M)
    assert len(lines) == 1, f"the README has the line for CI {len(lines)} times"
    return lines[0]


def commands(folder):
    """The README's commands for the tutorial's scripts: the line, and then the engine's arguments."""
    text, line = (folder / AT / "README.md").read_text(), re.escape(prepared(folder))
    found = re.findall(rf"^ +{line} && godot --headless --path \. ({AT}demo/\w+\.tscn)$", text, re.M)
    check(len(found) == 2, "zip: its README has a command for each script", found)
    return found


def runs(zipped):
    """Both scripts, each with one command, in a project that no editor has opened."""
    folder = unpacked(zipped, "empty")
    port = free_port()
    for name, *changes in (
        ("server", ("PORT = 9080", f"PORT = {port}"), ("listen(PORT)", 'listen(PORT, ["lws-mirror-protocol"])')),
        ("client", ("wss://libwebsockets.org", f"ws://localhost:{port}")),
    ):
        script = folder / AT / "demo" / f"tutorial_{name}.gd"
        text = script.read_text()
        for old, new in changes:
            assert old in text, f"{script} has no {old}"
            text = text.replace(old, new)
        script.write_text(text)
    serve, join = commands(folder)
    subprocess.run(["sh", "-c", prepared(folder)], cwd=folder, check=True)
    server = Engine(folder, serve)
    await_port(port, server)
    subprocess.run(["sh", "-c", prepared(folder)], cwd=folder, check=True)
    client = Engine(folder, join)
    check(
        client.wait("Got data from server: Test packet") and server.wait(r"Got data from client \d+: Test packet .*"),
        "zip: in an empty project the tutorial's scripts run with one command each",
        client.text() + server.text(),
    )
    client.kill()
    server.kill()


def in_ci(zipped):
    """What the line is for."""
    folder = unpacked(zipped, "ci")
    (folder / "typed.gd").write_text(
        "extends SceneTree\n\nvar client: WSClient = WSClient.new()\n\nfunc _initialize():\n\tprint(client is WSClient)\n\tquit()\n"
    )
    fresh = Engine(folder, "--script", "typed.gd")
    check(fresh.wait('.*Could not find type "WSClient".*'), "zip: without the line a script does not know the classes")
    fresh.kill()
    Engine.running.remove(fresh)
    subprocess.run(["sh", "-c", prepared(folder)], cwd=folder, check=True)
    known = Engine(folder, "--script", "typed.gd")
    check(known.finish() == 0 and known.wait("true"), "zip: with it a script does", known.text())


def imported(zipped):
    """The editor's import changes none of the addon's files."""
    folder = unpacked(zipped, "imported")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # In the run that first finds an extension, Godot 4.6.3 often aborts at its end.
    editor = Engine(folder, "--import", limit=90)
    editor.finish(90)
    after = {path: path.read_bytes() for path in (folder / "addons").rglob("*") if path.is_file()}
    changed = [str(path) for path, content in after.items() if before.get(path) != content]
    check(not changed, "zip: the editor's import adds and changes nothing in the addon", changed)
    Engine.running.remove(editor)


def main():
    library = pathlib.Path(sys.argv[1]).resolve()
    zips = [build(name, library) for name in ("one", "two")]
    digests = {hashlib.sha256(zipped.read_bytes()).hexdigest() for zipped in zips}
    check(len(digests) == 1, "zip: two builds are equal", digests)
    contents(zips[0])
    runs(zips[0])
    in_ci(zips[0])
    imported(zips[0])
    return end()


if __name__ == "__main__":
    sys.exit(main())
