"""wspeer serve."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

from harness import LIMIT, ROOT, InTerminal, Program, run, stands_still, unread, until
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

WORK = ROOT / "build" / "tests" / "cli" / "served"


@contextlib.contextmanager
def served(*arguments):
    """A server, and where it is found, "127.0.0.1:1234"."""
    with Program("serve", "--listen", "0", *arguments) as program:
        yield program, program.seen(rb"page https?://([^/]+)/")[1].decode()


def get(place, path, host=None, method="GET"):
    """The answer to a request, status and body, whatever the path."""
    address, _, port = place.rpartition(":")
    with socket.create_connection((address, int(port)), timeout=LIMIT) as raw:
        raw.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host or place}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while block := raw.recv(1 << 16):
            answer += block
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body


def test_two_cats_in_a_room_and_one_in_another():
    with served() as (server, place):
        with Program("cat", f"ws://{place}/kitchen") as ann, Program("cat", f"ws://{place}/kitchen") as ben:
            with Program("cat", f"ws://{place}/cellar") as eve:
                until(lambda: server.err.count(b"connected") == 3, "three connections", server)
                ann.say("hello, ben: ü\n".encode())
                ben.seen("hello, ben: ü\n".encode())
                ben.say(b"hello, ann\n")
                ann.seen(b"hello, ann\n")
                big = b"x" * 5_000_000 + b"\n"
                ann.say(big)
                until(lambda: ben.out.endswith(big), "a big message", ben)
                for program in (ann, ben, eve):
                    program.end_input()
                    assert program.wait() == 0, program.all()
                assert ann.out == b"hello, ann\n" and eve.out == b""


def test_echo_for_other_peers():
    with served() as (_, place):
        with connect(f"ws://{place}/echo", subprotocols=["one", "two"]) as python:
            assert python.subprotocol == "one"
            python.send("text")
            python.send(b"\x00\xff" * 500_000)
            assert python.recv(LIMIT) == "text"
            assert python.recv(LIMIT) == b"\x00\xff" * 500_000
        node = [str(ROOT / "tests/cli/peer.js"), "client", f"ws://{place}/echo"]
        said = subprocess.run(["node", *node], capture_output=True, text=True, timeout=LIMIT, cwd=ROOT)
        assert said.stdout.split() == ["[false,4]", "[true,100000]", '["closed",4321]'], said


def test_a_client_that_does_not_read_slows_down_itself_alone():
    line, count = b"x" * 1_000_000 + b"\n", 128
    with served() as (server, place), Program("cat", "--wait", "20", f"ws://{place}/echo", reads=False) as busy:

        def send():
            for _ in range(count):
                busy.say(line)
            busy.end_input()

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        until(lambda: stands_still(lambda: unread(busy.process.stdin)), "full queues", server)
        assert sender.is_alive()
        assert run("cat", "--count", "1", f"ws://{place}/echo", data=b"hi\n") == (0, b"hi\n", "")
        assert server.rss_kb() < 60_000 and busy.rss_kb() < 60_000, (server.rss_kb(), busy.rss_kb())
        busy.read()
        sender.join(LIMIT)
        until(lambda: len(busy.out) == count * len(line), "all answers", None)
        assert busy.stop() == 130 and busy.out == line * count


def test_who_does_not_read_is_sent_away_and_the_others_lose_nothing():
    with served() as (server, place):
        url = f"ws://{place}/room"
        with Program("cat", url, reads=False) as ben, Program("cat", url) as eve, Program("cat", url) as ann:
            until(lambda: server.err.count(b"connected") == 3, "three connections", server)
            lines = []
            # How much fits in between depends on the system's buffers.
            while b"the client did not read" not in server.err:
                assert len(lines) < 500, server.all()
                lines.append(b"%09d" % len(lines) * 100_000 + b"\n")
                ann.say(lines[-1])
            lines = b"".join(lines)
            until(lambda: len(eve.out) == len(lines), "all messages")
            assert eve.out == lines
            ben.read()
            assert ben.wait() in (0, 1) and lines.startswith(ben.out) and len(ben.out) < len(lines)


def test_the_page():
    with served() as (_, place):
        status, head, body = get(place, "/kitchen")
        assert status == 200 and "text/html" in head and "Content-Security-Policy" in head, head
        assert b"WebSocket" in body and body.rstrip().endswith(b"</script>")
        assert [get(place, path)[0] for path in ("/", "/favicon.ico", "/echo")] == [200, 404, 426]
        assert get(place, "/", method="POST")[0] == 405
        # A page of somebody else that has a name lead to this machine.
        assert get(place, "/", host="evil.example")[0] == 421
        for origin, good in (("http://localhost:5173", True), ("https://evil.example", False), ("null", False)):
            code = run("cat", "--count", "1", "-H", f"Origin: {origin}", f"ws://{place}/echo", data=b"hi\n")[0]
            assert code == int(not good), origin


def test_the_page_in_a_browser():
    script = ["node", str(ROOT / "tests/cli/page.js")]
    with served() as (_, place), Program("cat", f"ws://{place}/caf%C3%A9") as ben:
        with subprocess.Popen(
            [*script, f"http://{place}/caf%C3%A9", *os.environ.get("WSPEER_SCREENSHOT", "").split()],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as page:
            assert json.loads(page.stdout.readline()) == "connected"
            ben.say(b"<b>hello</b>\n")
            ben.seen(b"^Ann: hello from the page\n")
            ben.say(b"the other says bye\n")
            found = json.loads(page.stdout.readline())
            assert found == {"errors": [], "overflows": False, "title": "Room /café"}, found
        assert page.returncode == 0


def test_files_and_no_way_out_of_the_directory():
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "site" / "sub").mkdir(parents=True)
    (WORK / "secret.txt").write_text("secret")
    (WORK / "site" / "index.html").write_text("<p>index")
    (WORK / "site" / "sub" / "a.wasm").write_bytes(b"\0asm")
    (WORK / "site" / ".env").write_text("secret")
    (WORK / "site" / "link.txt").symlink_to("../secret.txt")
    with served(str(WORK / "site"), "--isolated") as (_, place):
        status, head, body = get(place, "/")
        assert (status, body) == (200, b"<p>index") and "cross-origin-opener-policy" in head.lower(), head
        status, head, body = get(place, "/sub/a.wasm")
        assert (status, body) == (200, b"\0asm") and "application/wasm" in head, head
        for path in (
            *["/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt", "/.env"],
            *["/link.txt", "//etc/passwd", "/sub/..%5c..%5csecret.txt", "/%00", "/sub/%2e%2e/%2e%2e/secret.txt"],
        ):
            status, _, body = get(place, path)
            assert status in (400, 404) and b"secret" not in body, (path, status, body)
        assert run("cat", "--count", "1", f"ws://{place}/echo", data=b"hi\n") == (0, b"hi\n", "")
    code, out, err = run("serve", "--listen", "0", str(WORK / "missing"))
    assert code == 2 and "missing" in err and err.count("\n") == 1, (code, err)
    code, _, err = run("serve", "--listen", "0", b"\xff\xfe")
    assert code == 2 and "UTF-8" in err, (code, err)


def test_a_certificate_made_on_the_spot():
    with served("--tls", "--quiet") as (server, place):
        pin = server.seen(rb"--pin ([0-9a-f]{64})")[1].decode()
        url = f"wss://{place}/echo"
        assert run("cat", "--pin", pin, "--count", "1", url, data=b"hi\n") == (0, b"hi\n", "")
        code, _, err = run("cat", url, data=b"hi\n")
        assert code == 1 and "signed by nobody" in err, (code, err)
        assert server.stop(signal.SIGTERM) == 0
        assert server.err == b""


def test_pages_of_named_hosts_may_connect():
    with served("--host", "Game.Example", "--host", "*.wild.example", "--host", "port.example:8000") as (_, place):
        for origin, may in [
            ("https://game.example", True),
            ("https://a.wild.example", True),
            ("http://port.example:8000", True),
            ("http://port.example:8001", False),
            ("https://wild.example", False),
            ("https://game.example.net", False),
        ]:
            try:
                with connect(f"ws://{place}/echo", origin=origin) as client:
                    client.send("hi")
                    assert may and client.recv(LIMIT) == "hi", origin
            except InvalidStatus as refused:
                assert not may and refused.response.status_code == 403, origin
    for host in ("", "a,b"):
        code, _, err = run("serve", "-l", "0", "--host", host)
        assert code == 2 and "give one name" in err, (code, err)


def test_interrupted_it_closes_its_clients():
    with served() as (server, place), connect(f"ws://{place}/room") as client:
        assert server.stop() == 0
        with contextlib.suppress(Exception):
            client.recv(LIMIT)
        assert client.protocol.close_code == 1001, client.protocol.close_code


def test_a_port_that_is_taken():
    with served() as (_, place):
        code, out, err = run("serve", "--listen", place)
        assert (code, out) == (2, b"") and err.count("\n") == 1 and place.split(":")[1] in err, (code, err)


def is_square(rows):
    return len(rows) >= 12 and len(set(map(len, rows))) == 1 and abs(len(rows[0]) - 2 * len(rows)) <= 2


def test_qr_codes():
    with served("--qr", "always") as (server, place):
        server.seen("\n(?:[ █▀▄]{20,}\n){12,}".encode())
        rows = [line for line in server.out.decode().splitlines() if re.fullmatch("[ █▀▄]{20,}", line)]
        # The light frame, and in it the corner patterns of a QR code, drawn light on dark.
        assert is_square(rows), rows
        assert rows[2].startswith("████ ▄▄▄▄▄ █") and rows[3].startswith("████ █   █ █"), rows
        assert b"\x1b" not in server.out
    with InTerminal("serve", "--listen", "0", "--lan") as server:
        server.seen(rb"(\x1b\[38;5;16;48;5;231m[^\n]+\x1b\[0m\r\n){12}")
        server.seen(rb"page \x1b\[1mhttp://")
        server.say(b"\x03")
        assert server.wait() == 0
