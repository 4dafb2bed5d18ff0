#!/usr/bin/env python3
"""The scripts of Godot 3's tutorial, in which only the class names and the syntax differ: against libwebsockets' server
and client, against each other, and against another library; and their lines beside the tutorial's."""

import subprocess
import sys

from engine import OURS, ROOT, Engine, await_port, check, end, free_port, project

sys.path.insert(0, str(ROOT / "tests" / "peers"))

import certificates
import harness
from certificates import path
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


def scripts(name, **replaced):
    """A copy of the demo project, with texts replaced in the tutorial's scripts."""
    folder = project(DEMO, name, OURS)
    for script in folder.glob("tutorial_*.gd"):
        text = script.read_text()
        for old, new in replaced.get(script.stem, ()):
            assert old in text, f"{script.name} has no {old!r}"
            text = text.replace(old, new)
        script.write_text(text)
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
            untrusting.wait("Closed, clean: false"), "tutorial: without the certificate the connection fails as an error"
        )
    check(client.wait("Closed, clean: .*"), "tutorial: it notices the server's end")
    client.kill()


def each_other():
    port = free_port()
    # As in Godot 3, a client that asks for a subprotocol needs a server that has it.
    folder = scripts(
        "tutorial-both",
        tutorial_server=[("PORT = 9080", f"PORT = {port}"), ("listen(PORT)", f'listen(PORT, ["{MIRROR}"])')],
        tutorial_client=url(f"ws://localhost:{port}"),
    )
    server = Engine(folder, "tutorial_server.tscn", limit=90)
    await_port(port, server)
    client = Engine(folder, "tutorial_client.tscn")
    check(client.wait(f"Connected with protocol: {MIRROR}"), "tutorial: its client connects to its server")
    found = server.wait(rf"Client (\d+) connected with protocol: {MIRROR}")
    check(found, "tutorial: the server reports it")
    number = found[1] if found else 0
    check(server.wait(rf"Got data from client {number}: Test packet \.\.\. echoing"), "tutorial: the server gets the packet")
    check(client.wait("Got data from server: Test packet"), "tutorial: and sends it back")
    client.kill()
    check(server.wait(f"Client {number} disconnected, clean: false"), "tutorial: a client that is killed is not clean")
    with connect(f"ws://localhost:{port}", subprotocols=[MIRROR]) as other:
        other.send(b"bytes")
        check(other.recv(10) == b"bytes", "tutorial: another library gets its packet back")
        other.close(4001, "bye")
    check(
        server.wait(r"Client \d+ disconnecting with code: 4001, reason: bye"),
        "tutorial: the server reports the client's code and reason",
    )
    check(server.wait(r"Client \d+ disconnected, clean: true"), "tutorial: and its clean end")
    server.kill()


def libwebsockets_client():
    """The server's script is unchanged but for the port."""
    port = free_port()
    folder = scripts("tutorial-server", tutorial_server=[("PORT = 9080", f"PORT = {port}")])
    server = Engine(folder, "tutorial_server.tscn")
    await_port(port, server)
    other = subprocess.Popen(
        ["libwebsockets-test-client", "localhost", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    check(server.wait(r"Client \d+ connected with protocol: .*"), "tutorial: libwebsockets' client connects to the server")
    check(server.wait(r"Got data from client \d+: c #.*"), "tutorial: and its lines arrive, to be sent back")
    other.kill()
    other.wait()
    check(server.wait(r"Client \d+ disconnected, clean: false"), "tutorial: and it notices the client's end")
    server.kill()


def main():
    calls()
    libwebsockets_server()
    each_other()
    libwebsockets_client()
    return end()


if __name__ == "__main__":
    sys.exit(main())
