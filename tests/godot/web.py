#!/usr/bin/env python3
"""The library of web exports. Its sources, compiled for this machine: the classes look as those of the native library do,
the demo runs with them as clients of the native ones, and what a page cannot do is refused. The module itself: what it
imports and exports, and that it loads. Usage: web.py NATIVE_ADDON"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from demo import DEMO, server_of
from engine import OURS, ROOT, WORK, Engine, check, end, figure, project
from servers import serving

HERE = ROOT / "tests" / "godot" / "web"
ENGINE_ADDON = (
    pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "build/godot-engine-addon/addons/wspeer"
)
# What the module may need of Godot's export template: the C library, and what each side module has.
C_LIBRARY = """abort atoi calloc clock_gettime free isalnum malloc memcmp memcpy memmove memset realloc snprintf siprintf
    strchr strcmp strcpy strcspn strlen strncmp strrchr strspn strstr strtod strtol __small_sprintf __multi3 ceil
    __stack_pointer __memory_base __table_base memory __indirect_function_table""".split()


def over_engine(source, name):
    """A copy of a project with the classes over the engine's WebSocketPeer."""
    folder = project(source, name, OURS)
    (folder / "addons" / "wspeer").unlink()
    (folder / "addons" / "wspeer").symlink_to(ENGINE_ADDON)
    return folder


def surface():
    """Scripts see the same classes."""
    seen = []
    for folder in (project(HERE, "web-surface-native"), over_engine(HERE, "web-surface")):
        engine = Engine(folder, "--script", "surface.gd")
        check(engine.finish() == 0, "web: the classes are listed", engine.text()[-400:])
        seen.append(engine.trace())
    differing = sorted(set(seen[0]) ^ set(seen[1]))
    check(
        seen[0] == seen[1] and len(seen[0]) > 500,
        f"web: the classes have the same {len(seen[0])} methods, properties, signals and constants",
        differing[:10],
    )


def echo(connection):
    """Sends every message back, and closes on request."""
    if connection.request.path == "/greet":
        connection.send(b"no id")
    for message in connection:
        found = re.fullmatch(r"close (\d+) (.*)", message) if isinstance(message, str) else None
        if found:
            connection.close(int(found[1]), found[2])
            return
        connection.send(message)


def chosen(connection, offered):
    return "chat" if "chat" in offered else None


def refused():
    with serving(echo, select_subprotocol=chosen) as port:
        url = f"ws://127.0.0.1:{port}/chat"
        engine = Engine(over_engine(HERE, "web-refused"), "--verbose", "--script", "refused.gd", "--", url)
        code = engine.finish(50)
        print("\n".join(line for line in engine.lines if re.match("(not )?ok - ", line)), flush=True)
        check(code == 0 and "END" in engine.lines, "web: the script ran to its end", engine.text()[-1500:])
        leaks = re.findall("leaked.*|Orphan StringName: (?!Node ).*", engine.text())
        check(not leaks, "web: nothing leaks", leaks)


def demo():
    """The demo's clients over the engine's class, with servers of the native library."""
    native, folder = project(DEMO, "web-servers"), over_engine(DEMO, "web-demo")
    server, port = server_of(native, "minimal/server.tscn", "PORT", ready="listening on PORT")
    url = f"ws://127.0.0.1:{port}"
    client = Engine(folder, "minimal/client.tscn", "--", url)
    check(
        client.finish() == 0 and client.trace()[1:] == ["text: hello", "bytes: [1, 2, 3]", "closed with 1000"],
        "web: the minimal client runs",
        client.trace(),
    )
    server.kill()
    nowhere = Engine(folder, "minimal/client.tscn", "--", url)
    check(nowhere.finish() == 0 and nowhere.trace() == ["closed with -1"], "web: a refused connection", nowhere.trace())
    server, port = server_of(native, "chat/server.tscn", "PORT", ready="listening on PORT")
    ada = Engine(folder, "chat/client.tscn", "--", f"ws://127.0.0.1:{port}", "Ada", "Good morning", "κόσμε 👋")
    expected = ["protocol chat", "Ada is here", "Ada: Good morning", "Ada: κόσμε 👋", "closed with 1000 "]
    check(ada.finish() == 0 and ada.trace() == expected, "web: the chat runs", ada.trace())
    server.kill()
    host, port = server_of(native, "game/game.tscn", "host", "PORT", ready=r"1 is at \(300\.0, 180\.0\)")
    url = f"ws://127.0.0.1:{port}"
    stays = Engine(native, "game/game.tscn", "--", "join", url, "right", "stay")
    check(stays.wait(r"\d+ is at \(20\.0, 0\.0\)"), "web: a native player walks")
    walks = Engine(folder, "game/game.tscn", "--", "join", url, "right", "down", "left", "left", "up")
    check(
        walks.finish() == 0 and walks.wait(r"\d+ is at \(0\.0, 20\.0\)"),
        "web: a player of the web's classes walks and leaves",
        walks.trace(),
    )
    check(stays.wait(r"left \d+") and host.wait(r"left \d+"), "web: all players see it leave")
    late = Engine(folder, "game/game.tscn", "--", "join", url, "stay")
    check(late.wait(r"\d+ is at \(20\.0, 0\.0\)"), "web: a late player sees the positions")
    host.kill()
    check(
        late.finish() == 0 and late.trace()[-1] == "the game is over", "web: it sees the end of the host", late.trace()
    )


def fallback():
    """The README's script, which runs with the addon and without it."""
    text = (ROOT / "bindings" / "godot" / "README.md").read_text()
    script = next(block for block in re.findall(r"```gdscript\n(.*?)```", text, re.S) if "ClassDB.instantiate" in block)
    script = script.replace("print(peer.get_packet()", 'print(peer.get_class(), " ", peer.get_packet()')

    def greet(connection):
        connection.send("welcome")
        connection.recv()

    with serving(greet) as port:
        url = f"ws://127.0.0.1:{port}"
        for name, wanted in (("native", "WSPeer"), ("without", "WebSocketPeer"), ("engine", "WSPeer")):
            folder = project(HERE, f"web-fallback-{name}")
            if name == "without":
                shutil.rmtree(folder / ".godot")
            if name == "engine":
                folder = over_engine(HERE, f"web-fallback-{name}")
            (folder / "main.gd").write_text("extends Node\n" + script.replace("wss://example.org/chat", url))
            (folder / "main.tscn").write_text(
                '[gd_scene load_steps=2 format=3]\n[ext_resource type="Script" path="res://main.gd" id="1"]\n'
                '[node name="Main" type="Node"]\nscript = ExtResource("1")\n'
            )
            engine = Engine(folder, "main.tscn")
            check(engine.wait(f"{wanted} welcome"), f"web: the README's script takes {wanted} ({name})", engine.text())
            engine.kill()


def module():
    """The WebAssembly module that Emscripten builds."""
    if not shutil.which("emcc"):
        print("SKIP: emcc is missing")
        return
    folder = WORK / "web-module"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for threads in ("", "1"):
        subprocess.run(
            ["make", "-s", "-C", ROOT / "bindings" / "godot", "web", f"ADDON={folder}", f"THREADS={threads}"],
            check=True,
            capture_output=True,
        )
        name = f"libwspeer_godot.web{'.threads' if threads else ''}.wasm32.wasm"
        path = folder / "bin" / name
        ask = (
            "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));"
            "console.log(JSON.stringify([WebAssembly.Module.imports(m), WebAssembly.Module.exports(m)]))"
        )
        imports, exports = json.loads(subprocess.run(["node", "-e", ask, path], check=True, capture_output=True).stdout)
        foreign = [one["name"] for one in imports if one["name"] not in C_LIBRARY]
        check(not foreign, f"web: {name} needs nothing but the C library", foreign)
        check(any(one["name"] == "wspeer_godot_init" for one in exports), f"web: {name} has its entry point")
        figure(f"{name} has {path.stat().st_size:,} bytes")
    script = folder / "load.js"
    environment = {"NODE_PATH": "/usr/share/nodejs"} if pathlib.Path("/usr/share/nodejs").exists() else {}
    subprocess.run(
        [
            "emcc",
            "-O1",
            "-sMAIN_MODULE=1",
            "-sWASM_BIGINT",
            HERE / "load.c",
            "--embed-file",
            f"{folder}/bin/libwspeer_godot.web.wasm32.wasm@/library.wasm",
            "-o",
            script,
        ],
        check=True,
        capture_output=True,
        env={**os.environ, **environment},
    )
    said = subprocess.run(["node", "--no-experimental-fetch", script], capture_output=True, text=True).stdout.strip()
    check(said == "result 0, asked for functions", "web: the module loads, and asks the engine for its functions", said)


def main():
    surface()
    refused()
    demo()
    fallback()
    module()
    return end()


if __name__ == "__main__":
    sys.exit(main())
