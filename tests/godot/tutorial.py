#!/usr/bin/env python3
"""The scripts of Godot 3's tutorial, in which only the class names and the syntax differ: against libwebsockets' server
and client, against each other, and beside the tutorial's own scripts in Godot 3.6."""

import re
import shutil
import subprocess
import sys

from engine import OURS, ROOT, WORK, Engine, Engine3, await_port, check, end, free_port, project

sys.path.insert(0, str(ROOT / "tests" / "peers"))

import certificates
import harness
from certificates import path
from servers import serving
from websockets.sync.client import connect

DEMO = ROOT / "bindings" / "godot" / "demo"
MIRROR = "lws-mirror-protocol"
# The calls and signals of the tutorial's two scripts, in its 3.x form.
TUTORIAL = {
    "client": (
        'connect_to_url(websocket_url, ["lws-mirror-protocol"])',
        "get_peer(1).put_packet(",
        "get_peer(1).get_packet()",
        "connection_closed.connect(_closed)",
        "connection_error.connect(_closed)",
        "connection_established.connect(_connected)",
        "data_received.connect(_on_data)",
        "_client.poll()",
    ),
    "server": (
        "listen(PORT)",
        "get_peer(id).get_packet()",
        "get_peer(id).put_packet(pkt)",
        "client_connected.connect(_connected)",
        "client_disconnected.connect(_disconnected)",
        "client_close_request.connect(_close_request)",
        "data_received.connect(_on_data)",
        "_server.poll()",
    ),
}


def replace(folder, replaced):
    for script in folder.glob("tutorial_*.gd"):
        text = script.read_text()
        for old, new in replaced.get(script.stem, ()):
            assert old in text, f"{script.name} has no {old!r}"
            text = text.replace(old, new)
        script.write_text(text)


def scripts(name, **replaced):
    """A copy of the demo project, with texts replaced in the tutorial's scripts."""
    folder = project(DEMO, name, OURS)
    replace(folder, replaced)
    return folder


def url(text):
    return [('"wss://libwebsockets.org"', f'"{text}"')]


def calls():
    for kind, wanted in TUTORIAL.items():
        text = (DEMO / f"tutorial_{kind}.gd").read_text()
        missing = [call for call in wanted if call not in text]
        check(not missing, f"tutorial: the {kind} makes the tutorial's calls", missing)


def libwebsockets_server():
    """The client's URL and trust are those of the test; the script itself is unchanged."""
    certificates.make()

    def command(port):
        return ["libwebsockets-test-server", f"--port={port}", "--ssl", "-C", path("rsa.pem"), "-K", path("rsa.key")]

    with harness.daemon("libwebsockets", command) as port:
        folder = scripts("tutorial-client", tutorial_client=url(f"wss://localhost:{port}"))
        client = Engine(folder, "tutorial_client.tscn", SSL_CERT_FILE=path("root.pem"))
        check(
            client.wait(f"Connected with protocol: {MIRROR}"),
            "tutorial: the client connects to libwebsockets' server over TLS",
        )
        check(client.wait("Got data from server: Test packet"), "tutorial: it receives the packet that it sent")
        untrusting = Engine(folder, "tutorial_client.tscn")
        check(
            untrusting.wait("Closed, clean: false"),
            "tutorial: without the certificate the connection fails as an error",
        )
    check(client.wait("Closed, clean: .*"), "tutorial: it notices the server's end")
    client.kill()


def of_godot_3(name, **replaced):
    """The tutorial's own scripts, for Godot 3.6."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "godot" / "tutorial3", folder)
    replace(folder, replaced)
    return folder


KINDS = {"WSClient and WSServer": (scripts, Engine), "Godot 3.6": (of_godot_3, Engine3)}


def said(engine):
    """What a script printed, with the id of the last client as ID."""
    text = "\n".join(line for line in engine.trace() if re.match("(Client|Got data|Connected|Closed|Unable)", line))
    return re.sub(r"(?i)(clean: )(true|false)", lambda found: found[0].lower(), re.sub(r"\b\d{5,}\b", "ID", text))


def each_other():
    """Both pairs and the mixed ones print the same."""
    seen = {}
    for number, (serving, (make_server, server_engine)) in enumerate(KINDS.items()):
        port = free_port()
        # As in Godot 3, a client that asks for a subprotocol needs a server that has it.
        listen = [("PORT = 9080", f"PORT = {port}"), ("listen(PORT)", f'listen(PORT, ["{MIRROR}"])')]
        for joining, (make_client, client_engine) in KINDS.items():
            server = server_engine(
                make_server(f"tutorial-server{number}", tutorial_server=listen), "tutorial_server.tscn"
            )
            await_port(port, server)
            folder = make_client(f"tutorial-client{number}", tutorial_client=url(f"ws://127.0.0.1:{port}"))
            client = client_engine(folder, "tutorial_client.tscn")
            good = client.wait("Got data from server: Test packet")
            client.kill()
            good = good and server.wait("(?i)Client \\d+ disconnected, clean: false")
            server.kill()
            seen[serving, joining] = said(server), said(client)
            check(good, f"tutorial: {joining} as a client of {serving}", seen[serving, joining])
    check(len(set(seen.values())) == 1, "tutorial: all four pairs print the same", seen)


def take_and_close(connection):
    connection.recv()
    connection.close(4002, "go")


def with_another_library():
    """The ends of connections, which the scripts report alike."""
    seen = {}
    for name, (make, kind) in KINDS.items():
        port = free_port()
        folder = make("tutorial-ends", tutorial_server=[("PORT = 9080", f"PORT = {port}")])
        server = kind(folder, "tutorial_server.tscn")
        await_port(port, server)
        with connect(f"ws://127.0.0.1:{port}") as other:
            other.send(b"bytes")
            echoed = other.recv(10)
            other.close(4001, "bye")
        server.wait("(?i)Client \\d+ disconnected, clean: true")
        server.kill()
        with serving(take_and_close, subprotocols=[MIRROR]) as port:
            closed = kind(make("tutorial-ends", tutorial_client=url(f"ws://127.0.0.1:{port}")), "tutorial_client.tscn")
            closed.wait("(?i)Closed, clean: true")
            closed.kill()
        with serving(take_and_close) as port:
            refused = kind(make("tutorial-ends", tutorial_client=url(f"ws://127.0.0.1:{port}")), "tutorial_client.tscn")
            refused.wait("(?i)Closed, clean: false")
            refused.kill()
        seen[name] = echoed, said(server), said(closed), said(refused)
        print(f"# {name}: {seen[name]}")
    ours, stock = seen.values()
    for what, one, other in zip(
        ("a packet comes back", "a client that closes", "a server that closes", "a server without the subprotocol"),
        ours,
        stock,
    ):
        check(one == other, f"tutorial: {what}, as in Godot 3.6", (one, other))


def libwebsockets_client():
    """The server's script is unchanged but for the port."""
    port = free_port()
    folder = scripts("tutorial-server", tutorial_server=[("PORT = 9080", f"PORT = {port}")])
    server = Engine(folder, "tutorial_server.tscn")
    await_port(port, server)
    other = subprocess.Popen(
        ["libwebsockets-test-client", "localhost", f"--port={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    check(
        server.wait(r"Client \d+ connected with protocol: .*"), "tutorial: libwebsockets' client connects to the server"
    )
    check(server.wait(r"Got data from client \d+: c #.*"), "tutorial: and its lines arrive, to be sent back")
    other.kill()
    other.wait()
    check(server.wait(r"Client \d+ disconnected, clean: false"), "tutorial: and it notices the client's end")
    server.kill()


def main():
    calls()
    libwebsockets_server()
    each_other()
    with_another_library()
    libwebsockets_client()
    return end()


if __name__ == "__main__":
    sys.exit(main())
