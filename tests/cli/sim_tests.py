"""wspeer sim."""

import contextlib
import http
import socket
import threading
import time

from harness import LIMIT, Node, Peer, Program, certificate, echo, run, stands_still, unsent, until
from serve_tests import WORK, served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

# Messages of 500,000 B, more than all buffers of two connections in a row have room for, whatever the system's limits.
AMPLE = 256


@contextlib.contextmanager
def simulated(target, *arguments):
    """A simulator before a target, and its URL."""
    with Program("sim", "0", target, *arguments) as program:
        yield program, program.seen(rb"(ws://[^ ]+) -> ")[1].decode()


def end_of(client):
    """The close code that a client gets, after all messages."""
    try:
        while True:
            client.recv(LIMIT)
    except ConnectionClosed:
        return client.protocol.close_code, client.protocol.close_reason


def test_what_passes_through_it():
    seen = []

    def talk(connection):
        seen.append((connection.request.path, connection.request.headers))
        for message in connection:
            connection.send(message)
            if message == "end":
                connection.close(4005, "as you like")

    def cookie(connection, request, response):
        response.headers["Set-Cookie"] = "seat=7"

    with Peer(talk, subprotocols=["beta"], process_response=cookie) as peer:
        with simulated(peer.url, "--network", "wifi", "--lag", "1", "--jitter", "0") as (sim, url):
            assert b"wifi; up 1 ms + 0 to 0 ms" in sim.out, sim.out
            headers = {"Cookie": "a=1", "Origin": "https://game.example"}
            offer = {"subprotocols": ["alpha", "beta"], "additional_headers": headers}
            with connect(url + "/room/7?token=x", max_size=None, **offer) as client:
                assert client.subprotocol == "beta"
                assert client.response.headers["Set-Cookie"] == "seat=7"
                for message in ("text ü", b"\x00\xff", "", "x" * 3_000_000, b"y" * 70_000):
                    client.send(message)
                    assert client.recv(LIMIT) == message
                client.send("end")
                assert end_of(client) == (4005, "as you like")
            assert peer.note()[0] == 4005
            with connect(url, subprotocols=["beta"]) as client:
                client.close(4006, "me first")
            assert peer.note() == (4006, "me first")
    path, headers = seen[0]
    assert path == "/room/7?token=x" and headers["Cookie"] == "a=1" and headers["Origin"] == "https://game.example"
    assert seen[1][0] == "/"


def test_cats_on_both_sides_of_it_with_other_peers():
    lines = "".join(f"line {number}\n" for number in range(500)).encode()
    with Node() as node, simulated(node.url, "--network", "4g", "--seed", "3", "--loss", "1") as (_, url):
        assert run("cat", "--wait", "20", "--count", "500", url, data=lines) == (0, lines, "")
        assert node.seen("close")[1] == 1000


def test_refusals_and_ends_pass_through_it():
    def refuse(connection, request):
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no ticket\n")

    with Peer(echo, process_request=refuse) as peer, simulated(peer.url) as (_, url):
        try:
            connect(url)
            raise AssertionError("it was not refused")
        except InvalidStatus as error:
            assert (error.response.status_code, error.response.body) == (401, b"no ticket\n")
    with simulated("ws://127.0.0.1:1") as (_, url):
        try:
            connect(url)
            raise AssertionError("it was not refused")
        except InvalidStatus as error:
            assert error.response.status_code == 502 and b"nothing listens there" in error.response.body
    with Peer(lambda connection: connection.socket.shutdown(socket.SHUT_RDWR)) as peer, simulated(peer.url) as (_, url):
        with connect(url) as client:
            assert end_of(client)[0] == 1006
    with Peer(echo) as peer, simulated(peer.url) as (sim, url):
        with connect(url) as client:
            client.socket.shutdown(socket.SHUT_RDWR)
        assert peer.note()[0] == 1006
        with connect(url) as client:
            assert sim.stop() == 0
            assert end_of(client)[0] == 1001
        assert peer.note()[0] == 1001


def test_the_lag_is_there():
    with Peer(echo) as peer, simulated(peer.url, "--lag", "40") as (_, url), connect(url) as client:
        for _ in range(3):
            began = time.monotonic()
            client.send("x")
            client.recv(LIMIT)
            assert time.monotonic() - began >= 0.08


def test_a_target_that_does_not_read_slows_down_its_program_alone():
    go = threading.Event()
    received = []

    def talk(connection):
        if connection.request.path == "/slow":
            # Nothing is read from the socket: the queue of the server is one message.
            connection.recv_messages.pause()
            go.wait(LIMIT)
            connection.recv_messages.resume()
            for message in connection:
                received.append(len(message))
        else:
            echo(connection)

    with Peer(talk, max_queue=1) as peer, simulated(peer.url, "--seed", "1") as (sim, url):
        with connect(url + "/slow", compression=None) as client, connect(url + "/other") as other:
            count = AMPLE
            sender = threading.Thread(target=lambda: [client.send(b"x" * 500_000) for _ in range(count)], daemon=True)
            sender.start()
            until(lambda: stands_still(lambda: unsent(client)), "full queues", sim)
            assert sender.is_alive()
            for number in range(20):
                other.send(str(number))
                assert other.recv(LIMIT) == str(number)
            assert sim.rss_kb() < 60_000, sim.rss_kb()
            go.set()
            sender.join(LIMIT)
            client.close()
        until(lambda: len(received) == count, "all messages", sim)
        assert set(received) == {500_000}


def test_interrupted_it_ends_though_the_target_does_not_read():
    go = threading.Event()

    def talk(connection):
        connection.recv_messages.pause()
        go.wait(LIMIT)
        connection.recv_messages.resume()
        with contextlib.suppress(ConnectionClosed):
            for _ in connection:
                pass

    with Peer(talk, max_queue=1) as peer, simulated(peer.url) as (sim, url):
        with connect(url, compression=None) as client:

            def send():
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        client.send(b"x" * 500_000)

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            until(lambda: stands_still(lambda: unsent(client)), "full queues", sim)
            assert sim.stop() == 0
            sender.join(LIMIT)
        go.set()


def test_a_program_that_does_not_read_slows_down_its_target():
    sent = []

    def talk(connection):
        for number in range(AMPLE):
            connection.send(b"x" * 500_000)
            sent.append(number)

    with Peer(talk) as peer, simulated(peer.url) as (sim, url):
        with connect(url, compression=None, max_queue=1) as client:
            until(lambda: stands_still(lambda: len(sent)), "full queues", sim)
            assert len(sent) < AMPLE and sim.rss_kb() < 60_000, (len(sent), sim.rss_kb())
            assert sum(len(client.recv(LIMIT)) for _ in range(AMPLE)) == AMPLE * 500_000
            assert end_of(client)[0] == 1000


def test_a_target_with_a_certificate_and_a_path():
    context = certificate(WORK.parent)
    paths = []

    def talk(connection):
        paths.append(connection.request.path)
        echo(connection)

    with Peer(talk, ssl=context) as peer:
        with simulated(peer.url + "/v2?key=1", "--ca", str(WORK.parent / "cert.pem")) as (_, url):
            assert run("cat", "--count", "1", url + "/room", data=b"hi\n") == (0, b"hi\n", "")
    assert paths == ["/v2/room?key=1"]


def test_nothing_happens_while_nothing_happens():
    with served() as (server, place), simulated(f"ws://{place}") as (sim, url), Peer(echo) as peer:
        with Program("cat", url + "/echo") as cat:
            cat.say(b"hi\n")
            cat.seen(b"hi\n")
            before = [program.switches() for program in (server, sim, cat)]
            # A second passes.
            assert run("bench", "--duration", "1", "--rate", "10", peer.url)[0] == 0
            slept = [program.switches() - count for program, count in zip((server, sim, cat), before, strict=True)]
            assert max(slept) <= 8, slept


def test_what_it_cannot_do():
    for arguments, part in ((["0", "http://x/"], "ws://"), (["x", "ws://127.0.0.1:1"], "port"), (["0"], "TARGET")):
        code, out, err = run("sim", *arguments)
        assert (code, out) == (2, b"") and part in err, (code, err)
