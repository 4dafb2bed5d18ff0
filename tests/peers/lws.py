"""libwebsockets' own test server, over TLS."""
import signal
import zlib

from certificates import path
from harness import ROOT, Lines, case, connection, daemon, ended, has, opened, same
from talk import BY_HOST, HTTP, reported

TRUST = {"ca": path("root.pem")}
LINE = "d #ff0000 1 2 3 4;"


def test_server():
    # The certificate in its package is too weak for OpenSSL 3.
    def command(port):
        return ["libwebsockets-test-server", f"--port={port}", "--ssl", "-C", path("rsa.pem"), "-K", path("rsa.key")]

    with daemon("libwebsockets", command) as port:
        url = f"wss://localhost:{port}/"
        mirror(url)
        counter(url)
        with (
            case("libwebsockets: an unknown subprotocol"),
            connection("wspeer", url, subprotocols="no-such-protocol", **TRUST) as peer,
        ):
            has(ended(peer), phase=HTTP, code=1006)
        minimal_client(url)


def mirror(url):
    with case("libwebsockets: lws-mirror-protocol echoes a line"):
        with connection("wspeer", url, subprotocols="no-such-protocol, lws-mirror-protocol", **TRUST) as peer:
            has(opened(peer), subprotocol="lws-mirror-protocol")
            for line in [LINE, *(f"d #{number:06x} {number} 2 3 4;" for number in range(20))]:
                peer.tell("put", text=line)
                has(peer.event("message"), type="text", size=len(line), crc=zlib.crc32(line.encode()))
            peer.tell("close", code=1000, reason="drawn")
            reported(peer, 1000, None, BY_HOST)


def counter(url):
    with (
        case("libwebsockets: dumb-increment-protocol sends a counter"),
        connection("wspeer", url, subprotocols="dumb-increment-protocol", **TRUST) as peer,
    ):
        has(opened(peer), subprotocol="dumb-increment-protocol")
        seen = [peer.event("message") for _ in range(12)]
        first = next(number for number in range(1000) if zlib.crc32(str(number).encode()) == seen[0]["crc"])
        same(
            "numbers in order",
            [event["crc"] for event in seen],
            [zlib.crc32(str(first + step).encode()) for step in range(12)],
        )
        peer.tell("close", code=4000)
        while (event := peer.any_event())["event"] == "message":
            pass
        has(event, event="closed", code=4000, clean=1, cause=BY_HOST)


def minimal_client(url):
    with case("libwebsockets: examples-c/minimal_client"):
        program = Lines(
            [str(ROOT / "build/minimal_client"), url, "lws-mirror-protocol", path("root.pem")], "minimal_client"
        )
        same("first line", program.line(), "Connected")
        same("second line", program.line(), "< Got text data from server: Test packet")
        program.process.send_signal(signal.SIGINT)
        same("last line", program.line(), "Closed with code 1000: closed as the host asked")
        same("exit code", program.wait(), 0)
