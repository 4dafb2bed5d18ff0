"""The examples with each other: what they print, and that they end cleanly."""
import contextlib
import re
import signal

from certificates import path
from harness import ROOT, Lines, Wrong, case, same

# Paths of the programs; those in other languages print the same.
FOLDER = ROOT / "build"


def all_examples():
    echo("ws", [], [])
    echo("wss", [path("chain.pem"), path("leaf.key")], ["", path("root.pem")])
    chat()
    rooms()
    server_per_core()
    mistakes()


@contextlib.contextmanager
def example(*command):
    program = Lines([str(FOLDER / command[0]), *command[1:]], command[0])
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()


def line(program, pattern):
    """The next line, which must match. Returns its groups."""
    text = program.line()
    found = re.fullmatch(pattern, text or "")
    if not found:
        raise Wrong(f"{text!r} instead of {pattern!r}")
    return found.groups()


def interrupt(program):
    program.process.send_signal(signal.SIGINT)


def echo(scheme, server_files, client_files):
    with case(f"echo_server and minimal_client over {scheme}"), example("echo_server", "0", *server_files) as server:
        (port,) = line(server, rf"Listening on {scheme}://\*:(\d+)/?")
        url = f"{scheme}://localhost:{port}"
        with example("minimal_client", url, *client_files) as client:
            line(client, "Connected")
            (conn,) = line(server, r"\+ (\d+) connected from (?:127\.0\.0\.1|\[::1\]):\d+")
            line(client, "< Got text data from server: Test packet")
            interrupt(client)
            line(client, "Closed with code 1000: closed as the host asked")
            line(server, f"~ {conn} asks to close with code 1000: bye")
            line(server, f"- {conn} disconnected with code 1000, clean: the peer closed the connection with 1000: bye")
            same("the client's exit code", client.wait(), 0)
        with example("minimal_client", url, *client_files) as client:
            line(client, "Connected")
            (conn,) = line(server, r"\+ (\d+) connected from .*")
            line(client, "< Got text data from server: Test packet")
            interrupt(server)
            line(client, r"Closed with code 1001: the peer closed the connection with 1001 \(going away\)")
            line(server, f"- {conn} disconnected with code 1001, clean: .*")
            same("the client's exit code when the server ends", client.wait(), 0)
        same("the server's exit code", server.wait(), 0)
        same("the server's last line", server.line(), None)


def chat():
    with case("chat: a server and two clients over pipes"), example("chat", "server", "0") as server:
        (port,) = line(server, r"Chat on ws://\*:(\d+)/?")
        url = f"ws://localhost:{port}"
        with example("chat", "client", url, "Ann") as ann:
            all_see("Ann is here", server, ann)
            with example("chat", "client", url, "Bob") as bob:
                all_see("Bob is here", server, ann, bob)
                ann.write("hello, Bob: κόσμε")
                all_see("Ann: hello, Bob: κόσμε", server, ann, bob)
                bob.write("hello, Ann")
                bob.write("and goodbye")
                all_see("Bob: hello, Ann", server, ann, bob)
                all_see("Bob: and goodbye", server, ann, bob)
                server.write("be kind")
                all_see("server: be kind", server, ann, bob)
                bob.process.stdin.close()
                all_see("(closed as the host asked)", bob)
                same("Bob's exit code", bob.wait(), 0)
            all_see("Bob has left", server, ann)
            server.process.stdin.close()
            all_see("(the peer closed the connection with 1001 (going away): the server goes)", ann)
            same("Ann's exit code", ann.wait(), 0)
        all_see("Ann has left", server)
        same("the server's exit code", server.wait(), 0)
        same("the server's last line", server.line(), None)


def rooms():
    with case("rooms_server: what one says reaches those in the room"), example("rooms_server", "0") as server:
        (port,) = line(server, r"Rooms on ws://\*:(\d+)/?")
        url = f"ws://localhost:{port}"
        with (
            example("chat", "client", f"{url}/red", "Ann") as ann,
            example("chat", "client", f"{url}/red", "Bob") as bob,
            example("chat", "client", f"{url}/blue", "Cid") as cid,
        ):
            for player, room in ((ann, "/red"), (bob, "/red"), (cid, "/blue")):
                all_see(room, player)
            ann.write("hello, red")
            all_see("hello, red", bob)
            cid.write("join /red")
            cid.write("hello, both")
            all_see("hello, both", ann, bob)
            bob.write("at 5 7")
            all_see("at 5 7", ann, cid)
            cid.write("leave /red")
            cid.write("hello, nobody")
            for number in range(8):
                ann.write(f"join /{number}")
            all_see("the client has 8 topics, and max_topics allows 8", ann)
            ann.write("at home")
            all_see("at home", bob)
            interrupt(server)
            for player in (ann, bob, cid):
                all_see("(the peer closed the connection with 1001 (going away))", player)
        same("the server's exit code", server.wait(), 0)


def server_per_core():
    with case("server_per_core: two servers on one port"), example("server_per_core", "0", "2") as server:
        (port,) = line(server, r"2 servers listen on port (\d+)")
        for _ in range(6):
            with example("minimal_client", f"ws://localhost:{port}") as client:
                line(client, "Connected")
                line(client, "< Got text data from server: Test packet")
                interrupt(client)
                line(client, "Closed with code 1000: closed as the host asked")
        interrupt(server)
        counts = [
            line(server, rf"server {number}: (\d+) clients, (\d+) messages, [\d.]+ s of CPU") for number in range(2)
        ]
        same("clients and messages of both", [sum(map(int, column)) for column in zip(*counts)], [6, 6])
        same("the exit code", server.wait(), 0)


def all_see(text, *programs):
    for program in programs:
        same(program.name, program.line(), text)


def mistakes():
    with case("minimal_client: nobody listens"), example("minimal_client", "ws://127.0.0.1:1") as client:
        line(client, r"Closed with code 1006: .*refused.*")
        same("exit code", client.wait(), 1)
    with case("minimal_client: no URL"), example("minimal_client", "http//nothing") as client:
        same("exit code", client.wait(), 1)
    with (
        case("echo_server: a key of another certificate"),
        example("echo_server", "0", path("chain.pem"), path("rsa.key")) as server,
    ):
        same("exit code", server.wait(), 1)
