#!/usr/bin/env python3
"""Runs the demo project with our classes and with the stock ones: the printed traces must be equal. Usage: demo.py
[KIND ...]"""

import re
import shutil
import sys

from engine import OURS, ROOT, STOCK, Engine, await_port, check, end, free_port, project
from websockets.sync.client import connect

DEMO = ROOT / "bindings" / "godot" / "demo"


def main():
    kinds = sys.argv[1:] or [STOCK, OURS]
    for demo in (minimal, chat, game):
        traces = {}
        for kind in kinds:
            traces[kind] = demo(project(DEMO, f"demo-{kind}", kind), kind)
        if len(kinds) == 2:
            check(traces[STOCK] == traces[OURS], f"{demo.__name__}: equal traces", f"{traces[STOCK]}\n{traces[OURS]}")
    if OURS in kinds:
        first_run()
    return end()


# For each server of the demo: its client, and what that prints.
PAIRS = {
    "minimal/server.tscn": ("minimal/client.tscn", "text: hello"),
    "minimal/short_server.tscn": ("minimal/client.tscn", "text: hello"),
    "tutorial_server.tscn": ("tutorial_client.tscn", "Got data from server: Test packet"),
    "chat/server.tscn": ("chat/client.tscn", "Ada is here"),
    "-- host": ("-- join", r"\d+ is at .*"),
}


def first_run():
    """The README's commands in a project that no editor has opened, as written but for ports and hosts."""
    port = str(free_port())
    folder = project(DEMO, "demo-fresh", OURS)
    # As it is in a fresh copy.
    shutil.rmtree(folder / ".godot")
    shutil.copytree(DEMO / ".godot", folder / ".godot", ignore=lambda _, names: set(names) - {"extension_list.cfg"})
    for script in [*folder.glob("*.gd"), *folder.glob("*/*.gd")]:
        text = script.read_text().replace("9080", port)
        # As in Godot 3, the tutorial's client needs a server that has its subprotocol.
        text = text.replace("wss://libwebsockets.org", f"ws://localhost:{port}")
        script.write_text(text.replace("listen(PORT)", 'listen(PORT, ["lws-mirror-protocol"])'))
    rows = re.findall(r"^\| [^|]+ \| (`godot .*`) \|$", (DEMO / "README.md").read_text(), re.M)
    commands = [re.findall(r"`godot (?:--headless )?--path \. ([^`]*)`", row.replace("9080", port)) for row in rows]
    check(len(commands) == len(PAIRS), "first run: the README has each example", commands)
    for row in commands:
        # The short server has the client of the first row.
        serve, join = row if len(row) == 2 else (row[0], commands[0][1])
        first = next(name for name in PAIRS if serve.startswith(name))
        client_first, seen = PAIRS[first]
        server = Engine(folder, *serve.split())
        await_port(port, server)
        client = Engine(folder, *join.split())
        check(
            join.startswith(client_first) and client.wait(seen),
            f"first run: `{serve}` and `{join}` work as written",
            client.text() + server.text(),
        )
        client.kill()
        server.kill()


def trace(engines, port):
    """The output, with the port and the ids replaced."""
    text = "\n".join("\n".join([f"[{name}]", *one.trace()]) for name, one in engines.items())
    text = text.replace(str(port), "PORT")
    ids = []
    for found in re.findall(r"\b\d{5,}\b", text):
        if found not in ids:
            ids.append(found)
    for number, found in enumerate(ids):
        text = re.sub(rf"\b{found}\b", f"ID{number}", text)
    return text


def server_of(folder, scene, *args, ready):
    """A server on a free port, and the port."""
    for _ in range(5):
        port = free_port()
        server = Engine(folder, scene, "--", *[port if word == "PORT" else word for word in args])
        if server.wait(ready.replace("PORT", str(port))):
            return server, port
        server.kill()
    raise SystemExit(f"{scene} did not start")


def minimal(folder, kind):
    server, port = server_of(folder, "minimal/server.tscn", "PORT", ready="listening on PORT")
    client = Engine(folder, "minimal/client.tscn", "--", f"ws://127.0.0.1:{port}")
    check(client.finish() == 0, f"minimal, {kind}: the client ends by itself")
    check(server.wait("a client left with 1000 that was all"), f"minimal, {kind}: the server sees it leave")
    server.kill()
    check(
        client.trace()[1:] == ["text: hello", "bytes: [1, 2, 3]", "closed with 1000"],
        f"minimal, {kind}: text and bytes are echoed",
        client.trace(),
    )
    nowhere = Engine(folder, "minimal/client.tscn", "--", f"ws://127.0.0.1:{port}")
    check(
        nowhere.finish() == 0 and nowhere.trace() == ["closed with -1"],
        f"minimal, {kind}: a refused connection closes with -1",
        nowhere.trace(),
    )
    if kind == OURS:
        short(folder)
    return trace({"server": server, "client": client, "nowhere": nowhere}, port)


def short(folder):
    """The server, which only our classes have."""
    server, port = server_of(folder, "minimal/short_server.tscn", "PORT", ready="listening on PORT")
    client = Engine(folder, "minimal/client.tscn", "--", f"ws://127.0.0.1:{port}")
    check(
        client.finish() == 0 and client.trace()[1:] == ["text: hello", "bytes: [1, 2, 3]", "closed with 1000"],
        "minimal: WSServer echoes",
        client.trace(),
    )
    check(server.wait("a client left cleanly"), "minimal: WSServer sees the client leave")
    server.kill()


def chat(folder, kind):
    server, port = server_of(folder, "chat/server.tscn", "PORT", ready="listening on PORT")
    url = f"ws://127.0.0.1:{port}"
    heard = []
    with connect(url, subprotocols=["chat"]) as guest:
        guest.send("Grace")
        heard.append(guest.recv(10))
        ada = Engine(folder, "chat/client.tscn", "--", url, "Ada", "Good morning", "κόσμε 👋")
        check(ada.finish() == 0, f"chat, {kind}: a guest ends by itself")
        heard += [guest.recv(10) for _ in range(4)]
        other = Engine(folder, "chat/client.tscn", "--", url, "Grace")
        check(
            other.finish() == 0 and other.trace()[-1] == "closed with 4000 that name is taken",
            f"chat, {kind}: a taken name is refused",
            other.trace(),
        )
    check(server.wait("Grace has left"), f"chat, {kind}: the last one's leaving is shown")
    server.kill()
    expected = ["Grace is here", "Ada is here", "Ada: Good morning", "Ada: κόσμε 👋", "Ada has left"]
    check(heard == expected, f"chat, {kind}: another library received everything", heard)
    check(
        ada.trace() == ["protocol chat", *expected[1:4], "closed with 1000 "],
        f"chat, {kind}: the guest received everything",
        ada.trace(),
    )
    return trace({"server": server, "ada": ada, "other": other}, port)


def game(folder, kind):
    host, port = server_of(folder, "game/game.tscn", "host", "PORT", ready=r"1 is at \(300\.0, 180\.0\)")
    url = f"ws://127.0.0.1:{port}"
    stays = Engine(folder, "game/game.tscn", "--", "join", url, "right", "stay")
    check(stays.wait(r"\d+ is at \(20\.0, 0\.0\)"), f"game, {kind}: a player walks")
    walks = Engine(folder, "game/game.tscn", "--", "join", url, "right", "down", "down", "left", "left", "up")
    check(walks.finish() == 0, f"game, {kind}: another player walks and leaves")
    check(stays.wait(r"left \d+") and host.wait(r"left \d+"), f"game, {kind}: all players see it leave")
    late = Engine(folder, "game/game.tscn", "--", "join", url)
    check(
        late.finish() == 0 and late.wait(r"\d+ is at \(20\.0, 0\.0\)"),
        f"game, {kind}: a late player sees the positions",
    )
    check(
        host.wait(r"left \d+", after=host.lines.index(host.wait(r"left \d+").group()) + 1),
        f"game, {kind}: the late player leaves",
    )
    host.kill()
    check(
        stays.finish() == 0 and stays.trace()[-1] == "the game is over",
        f"game, {kind}: players see the host end the game",
        stays.trace(),
    )
    places = [re.sub(r"^\d+", "", line) for line in walks.trace() if " is at " in line][-7:]
    expected = [
        " is at (0.0, 0.0)",
        " is at (20.0, 0.0)",
        " is at (20.0, 20.0)",
        " is at (20.0, 40.0)",
        " is at (0.0, 40.0)",
        " is at (0.0, 40.0)",
        " is at (0.0, 20.0)",
    ]
    check(places == expected, f"game, {kind}: the host limits positions to the field", places)
    return trace({"host": host, "stays": stays, "walks": walks, "late": late}, port)


if __name__ == "__main__":
    sys.exit(main())
