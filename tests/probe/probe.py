#!/usr/bin/env python3
"""Violates RFC 6455 in every way on a raw socket and checks wspeer's answer: the close code for each invalid frame, as
server and as client, and the HTTP status for each invalid request. Usage: probe.py PROBE_SERVER PROBE_CLIENT"""

import base64
import hashlib
import os
import socket
import struct
import subprocess
import sys
import time

SERVER, CLIENT = (sys.argv[1:] + ["", ""])[:2]
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
failures = 0


def check(name, good, seen=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - {name}" + ("" if good else f" (seen: {seen!r})"), flush=True)


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True, length=None, form=None):
    """One frame; `length` is a false length, `form` forces the 7, 16 or 64 bit encoding."""
    length = len(payload) if length is None else length
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = masked << 7
    head += {
        7: lambda: bytes([bit | length]),
        16: lambda: bytes([bit | 126]) + struct.pack(">H", length),
        64: lambda: bytes([bit | 127]) + struct.pack(">Q", length),
    }[form]()
    if masked:
        key = os.urandom(4)
        return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    return head + payload


class Raw:
    """A raw connection with a buffer."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""
        sock.settimeout(10)

    def more(self):
        try:
            piece = self.sock.recv(65536)
        except ConnectionResetError:
            raise EOFError("reset") from None
        except TimeoutError:
            raise EOFError("time-out") from None
        if not piece:
            raise EOFError("end")
        self.data += piece

    def take(self, count):
        while len(self.data) < count:
            self.more()
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def head(self):
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        return head.decode()

    def frame(self):
        first, second = self.take(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack(">H", self.take(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.take(8))[0]
        key = self.take(4) if second & 0x80 else b"\0\0\0\0"
        payload = bytes(byte ^ key[index % 4] for index, byte in enumerate(self.take(length)))
        return first >> 7, first & 0xF, payload, bool(second & 0x80)

    def close_code(self):
        """The code of the next close frame, after any other frames; then the transport must end without a reset."""
        while True:
            try:
                _, opcode, payload, _ = self.frame()
            except EOFError as end:
                return f"no close frame: {end}"
            if opcode == 8:
                break
        code = struct.unpack(">H", payload[:2])[0] if payload else None
        self.sock.shutdown(socket.SHUT_WR)
        try:
            while True:
                self.more()
        except EOFError as end:
            return code if str(end) == "end" else f"{code}, then {end}"


class Server:
    def __init__(self, *settings):
        self.process = subprocess.Popen([SERVER, *settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def raw(self):
        return Raw(socket.create_connection(("127.0.0.1", self.port)))

    def request(self, text, raw=None):
        raw = raw or self.raw()
        raw.sock.sendall(text if isinstance(text, bytes) else text.encode())
        return raw

    def open(self):
        raw = self.request(request())
        assert raw.head().startswith("HTTP/1.1 101 "), "not opened"
        return raw


def request(method="GET", path="/", version="HTTP/1.1", drop=(), **change):
    headers = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    headers.update({name.replace("_", "-"): value for name, value in change.items()})
    lines = [f"{name}: {value}" for name, value in headers.items() if name not in drop]
    return f"{method} {path} {version}\r\n" + "\r\n".join(lines) + "\r\n\r\n"


def broken_frames(masked):
    """(name, bytes, close code) for a peer that has to send masked or unmasked frames."""
    f = lambda *args, **options: frame(*args, **{"masked": masked, **options})
    for bit, name in ((4, "RSV1"), (2, "RSV2"), (1, "RSV3")):
        yield f"{name} set", f(1, b"x", rsv=bit), 1002
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"reserved opcode {opcode}", f(opcode, b"x"), 1002
    yield "wrongly masked" if not masked else "not masked", f(1, b"x", masked=not masked), 1002
    yield "ping of 126 bytes", f(9, b"x" * 126), 1002
    yield "close of 126 bytes", f(8, b"\x03\xe8" + b"x" * 124), 1002
    yield "fragmented ping", f(9, b"x", fin=False), 1002
    yield "fragmented close", f(8, b"\x03\xe8", fin=False), 1002
    yield "stray continuation", f(0, b"x"), 1002
    yield "stray unfinished continuation", f(0, b"x", fin=False), 1002
    yield "text inside a fragmented message", f(1, b"a", fin=False) + f(1, b"b"), 1002
    yield "binary inside a fragmented message", f(2, b"a", fin=False) + f(2, b"b", fin=False), 1002
    for name, text in (
        ("an overlong form", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("0xFF", b"ab\xffcd"),
        ("above U+10FFFF", b"\xf4\x90\x80\x80"),
    ):
        yield f"text with {name}", f(1, text), 1007
        yield f"text with {name}, split", f(1, text[:1], fin=False) + f(0, text[1:]), 1007
    yield "text cut inside a code point", f(1, "κ".encode()[:1]), 1007
    yield "fragmented text cut inside a code point", f(1, b"a", fin=False) + f(0, "κ".encode()[:1]), 1007
    yield "bad UTF-8 is seen before the message ends", f(1, b"\xff\xff", fin=False), 1007
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
        yield f"close with code {code}", f(8, struct.pack(">H", code)), 1002
    yield "close of 1 byte", f(8, b"\x03"), 1002
    yield "close reason that is not UTF-8", f(8, b"\x03\xe8\xff"), 1007
    yield "64-bit length with its top bit set", f(2, b"", length=1 << 63, form=64), 1002
    yield "message over the limit, by its header alone", f(2, b"", length=100_001, form=64), 1009
    yield "message over the limit in fragments", f(2, b"x" * 60_000, fin=False) + f(0, b"x" * 60_000), 1009
    yield "message over the limit in many fragments", f(2, b"x" * 30_000, fin=False) + f(
        0, b"x" * 30_000, fin=False
    ) * 2 + f(0, b"x" * 30_000), 1009
    yield "more fragments than allowed", f(2, b"x", fin=False) + f(0, b"x", fin=False) * 120, 1008
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999):
        yield f"close with code {code} is answered", f(8, struct.pack(">H", code) + b"why"), code
    yield "close without a code is answered", f(8), None


def probe_server_frames():
    with Server("max_message=100000", "max_fragments=100") as server:
        for name, data, wanted in broken_frames(True):
            raw = server.open()
            raw.sock.sendall(data)
            seen = raw.close_code()
            check(f"server: {name}: {wanted}", seen == wanted, seen)
        raw = server.open()
        raw.sock.sendall(
            frame(9, b"now")
            + frame(1, b"a", fin=False)
            + frame(9, b"inside")
            + frame(0, b"b")
            + frame(2, b"")
            + frame(10, b"unasked")
        )
        seen = [raw.frame() for _ in range(4)]
        check(
            "server: pings are answered with their payload, inside a fragmented message too",
            seen == [(1, 10, b"now", False), (1, 10, b"inside", False), (1, 1, b"ab", False), (1, 2, b"", False)],
            seen,
        )
        for cut in (1, 2, 3, 5, 7):
            raw = server.open()
            data = frame(1, b"hello") + frame(9, b"p") + frame(2, b"z" * 300)
            for index in range(0, len(data), cut):
                raw.sock.sendall(data[index : index + cut])
            seen = [raw.frame()[1:3] for _ in range(3)]
            # The pong is sent within the poll, the echoes after it.
            check(
                f"server: frames in pieces of {cut}", sorted(seen) == [(1, b"hello"), (2, b"z" * 300), (10, b"p")], seen
            )
        raw = server.request(request().encode() + frame(1, b"early"))
        raw.head()
        check("server: a frame in the segment of the request is accepted", raw.frame()[1:3] == (1, b"early"))
        # Non-minimal length encodings.
        for form, payload in ((16, b"hello"), (64, b"hello"), (64, b"x" * 300)):
            raw = server.open()
            raw.sock.sendall(frame(2, payload, form=form))
            seen = raw.close_code()
            check(f"server: length {len(payload)} in {form} bits: 1002", seen == 1002, seen)
    with Server("rate=50") as server:
        raw = server.open()
        raw.sock.sendall(frame(1, b"x") * 200)
        seen = raw.close_code()
        check("server: more messages a second than allowed: 1008", seen == 1008, seen)


def status(server, text):
    raw = server.request(text)
    try:
        head = raw.head()
        while True:
            raw.more()
    except EOFError as end:
        if str(end) != "end":
            return f"{head if 'head' in dir() else ''} then {end}", "", ""
    return int(head.split()[1]), head, raw.data.decode()


def probe_requests():
    with Server() as server:
        bad = [
            ("POST", request(method="POST"), 405),
            ("DELETE", request(method="DELETE"), 405),
            ("HTTP/1.0", request(version="HTTP/1.0"), 400),
            ("no Host", request(drop=["Host"]), 400),
            ("two Hosts", request().replace("Host:", "Host: a\r\nHost:"), 400),
            ("no Upgrade", request(drop=["Upgrade"]), 426),
            ("Upgrade: h2c", request(Upgrade="h2c"), 426),
            ("Connection: close", request(Connection="close"), 426),
            ("no Connection", request(drop=["Connection"]), 426),
            ("version 8", request(Sec_WebSocket_Version="8"), 426),
            ("no version", request(drop=["Sec-WebSocket-Version"]), 426),
            ("no key", request(drop=["Sec-WebSocket-Key"]), 400),
            ("short key", request(Sec_WebSocket_Key="YWJj"), 400),
            ("key that is not base64", request(Sec_WebSocket_Key="!" * 24), 400),
            ("two keys", request().replace("Upgrade:", f"Sec-WebSocket-Key: {KEY}\r\nUpgrade:"), 400),
            ("a body", request(Content_Length="5") + "hello", 400),
            ("chunked", request(Transfer_Encoding="chunked"), 400),
            ("garbage", "garbage garbage\r\n\r\n", 400),
            ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 405)),
            ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200), 400),
            ("a header of 17 KiB", request(X="x" * 17_000), 431),
            ("130 headers", request(**{f"X{n}": "x" for n in range(130)}), 431),
            ("NUL in a header", request(X="a\0b"), 400),
            ("a name with a space", request().replace("Upgrade:", "Up grade: x\r\nUpgrade:"), 400),
        ]
        for name, text, wanted in bad:
            seen, head, body = status(server, text)
            wanted = wanted if isinstance(wanted, tuple) else (wanted,)
            check(
                f"request: {name}: {wanted[0]} with an error message",
                seen in wanted and len(body) > 10 and "Content-Length:" in head,
                (seen, head, body),
            )
            if seen == 426:
                check(f"request: {name}: the supported version is named", "Sec-WebSocket-Version: 13" in head, head)
        for name, text in [
            ("Connection: keep-alive, Upgrade", request(Connection="keep-alive, Upgrade")),
            ("connection: UPGRADE", request(Connection="UPGRADE")),
            ("upgrade: WebSocket", request(Upgrade="WebSocket")),
            ("15 KiB of cookies", request(Cookie="c=" + "x" * 15_000)),
            ("120 headers", request(**{f"X{n}": "x" for n in range(110)})),
        ]:
            raw = server.request(text)
            head = raw.head()
            digest = base64.b64encode(
                hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
            ).decode()
            check(f"request: {name}: 101", head.startswith("HTTP/1.1 101 ") and digest in head, head)
        raw = server.raw()
        for byte in request(Cookie="c=" + "x" * 2_000).encode():
            raw.sock.sendall(bytes([byte]))
        check("request: byte by byte: 101", raw.head().startswith("HTTP/1.1 101 "))
    with Server("path=/game", "subprotocols=chat.v2, chat.v1", "header=X-Game: yes") as server:
        check(
            "request: another path: 404",
            status(server, request(path="/other", Sec_WebSocket_Protocol="chat.v1"))[0] == 404,
        )
        check(
            "request: no common subprotocol: 400",
            status(server, request(path="/game", Sec_WebSocket_Protocol="x"))[0] == 400,
        )
        check("request: no subprotocol: 400", status(server, request(path="/game"))[0] == 400)
        head = server.request(request(path="/game?a=b", Sec_WebSocket_Protocol="x, chat.v1, chat.v2")).head()
        check(
            "request: the client's first known subprotocol is chosen",
            "Sec-WebSocket-Protocol: chat.v1\r\n" in head and "X-Game: yes" in head,
            head,
        )
    with Server("flags=16") as server:
        check("request: refused new clients: 503", status(server, request())[0] == 503)
    with Server("max_clients=2") as server:
        kept = [server.open(), server.open()]
        check("request: a full server: 503", status(server, request())[0] == 503)
        kept[0].sock.sendall(frame(8, b"\x03\xe8"))
        kept[0].close_code()
        check(
            "request: a full server accepts again after a client has left",
            server.request(request()).head().startswith("HTTP/1.1 101"),
        )
    with Server("per_address=1") as server:
        kept = server.open()
        check("request: too many from one address: 503", status(server, request())[0] == 503)
    with Server("handshake_timeout=300") as server:
        raw = server.raw()
        began, seen = time.monotonic(), ""
        try:
            while time.monotonic() - began < 8:
                raw.sock.sendall(b"G" if raw.data == b"" else b"")
                raw.sock.settimeout(0.05)
                try:
                    raw.more()
                except EOFError as end:
                    if str(end) != "time-out":
                        raise
        except (EOFError, OSError) as end:
            seen = str(end)
        check(
            "request: a slowly sent request is answered with 408",
            raw.data.startswith(b"HTTP/1.1 408") and time.monotonic() - began < 3,
            (raw.data, seen),
        )


def answer(key, **change):
    digest = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": digest}
    headers.update({name.replace("_", "-"): value for name, value in change.items()})
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return ("HTTP/1.1 101 Switching Protocols\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode()


def serve(reply, *arguments, act=None):
    """Lets the C client connect to a raw server. `reply` makes the response from the key; `act` gets the connection.
    Returns the client's last line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [CLIENT, f"ws://127.0.0.1:{port}/x?y=z", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        raw = Raw(listener.accept()[0])
        raw.process = process
        head = raw.head()
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        data = reply(key)
        for piece in data if isinstance(data, list) else [data]:
            raw.sock.sendall(piece)
        seen = act(raw) if act else raw.sock.close()
        out, _ = process.communicate(timeout=20)
    reported = dict(part.split("=", 1) for part in out.strip().split(" sentence=")[0].split(" ") if "=" in part)
    reported["sentence"] = out.strip().split(" sentence=")[-1]
    return head, seen, reported


def probe_client_frames():
    for name, data, wanted in broken_frames(False):

        def act(raw, data=data):
            raw.sock.sendall(data)
            return raw.close_code()

        if name == "more fragments than allowed":
            continue
        _, seen, reported = serve(answer, "", "100000", act=act)
        check(f"client: {name}: {wanted}", seen == wanted, (seen, reported))

    def act(raw):
        first = raw.frame()
        raw.sock.sendall(frame(8, b"\x03\xe8bye", masked=False))
        return first, raw.close_code()

    head, seen, reported = serve(lambda key: answer(key) + frame(1, b"behind the 101", masked=False), act=act)
    check(
        "client: a frame in the segment of the 101 is delivered and the echo is masked",
        seen == ((1, 1, b"behind the 101", True), 1000),
        seen,
    )
    check(
        "client: code and cleanness of the close are reported",
        reported["code"] == "1000" and reported["clean"] == "1" and reported["cause"] == "2",
        reported,
    )
    check(
        "client: the request has path, query and Host", head.startswith("GET /x?y=z HTTP/1.1\r\nHost: 127.0.0.1:"), head
    )


def probe_answers():
    plain = lambda text: lambda key: text.encode()
    body = lambda status, name, extra="": plain(f"HTTP/1.1 {status} {name}\r\n{extra}Content-Length: 4\r\n\r\nnope")
    for status_code, name, extra in (
        (404, "Not Found", ""),
        (401, "Unauthorized", ""),
        (302, "Found", "Location: ws://elsewhere/\r\n"),
        (200, "OK", ""),
        (503, "Busy", ""),
    ):
        _, _, reported = serve(body(status_code, name, extra))
        right = (
            reported["phase"] == "5"
            and reported["cause"] == "40"
            and reported["http"] == str(status_code)
            and reported["body"] == "nope"
        )
        check(
            f"client: {status_code} is reported with phase, status and body",
            right and str(status_code) in reported["sentence"],
            reported,
        )
        if extra:
            check("client: the target of a 302 is reported", "ws://elsewhere/" in reported["sentence"], reported)
    for name, reply, arguments, cause in [
        ("wrong Sec-WebSocket-Accept", lambda key: answer(key, Sec_WebSocket_Accept="x"), (), "41"),
        ("no Sec-WebSocket-Accept", lambda key: answer(key, Sec_WebSocket_Accept=None), (), "41"),
        ("no Upgrade", lambda key: answer(key, Upgrade=None), (), "41"),
        ("no Connection", lambda key: answer(key, Connection=None), (), "41"),
        (
            "an extension that was not offered",
            lambda key: answer(key, Sec_WebSocket_Extensions="permessage-deflate"),
            (),
            "41",
        ),
        ("a subprotocol that was not asked for", lambda key: answer(key, Sec_WebSocket_Protocol="chat"), (), "43"),
        ("no subprotocol though asked", answer, ("chat",), "43"),
        ("another subprotocol than asked", lambda key: answer(key, Sec_WebSocket_Protocol="other"), ("chat",), "43"),
        ("a header of 17 KiB", lambda key: answer(key, X="x" * 17_000), (), "42"),
        ("garbage", plain("garbage garbage\r\n\r\n"), (), "41"),
        ("HTTP/1.0", lambda key: answer(key).replace(b"HTTP/1.1", b"HTTP/1.0"), (), "41"),
        ("nothing and the end", plain(""), (), "4"),
        ("half an answer and the end", plain("HTTP/1.1 101 Swi"), (), "4"),
    ]:
        _, _, reported = serve(reply, *arguments)
        check(
            f"client: {name}: phase HTTP, cause {cause}",
            reported["phase"] == "5" and reported["cause"] == cause,
            reported,
        )
    close = lambda raw: (raw.sock.sendall(frame(8, b"\x03\xe8", masked=False)), raw.close_code())[1]
    for name, reply in [
        ("connection: keep-alive, Upgrade", lambda key: answer(key, Connection=None, connection="keep-alive, Upgrade")),
        ("upgrade: WebSocket", lambda key: answer(key, Upgrade="WebSocket")),
        ("byte by byte", lambda key: [bytes([byte]) for byte in answer(key)]),
    ]:
        _, seen, reported = serve(reply, act=close)
        check(f"client: answer with {name}: open", seen == 1000 and reported["code"] == "1000", (seen, reported))
    _, seen, reported = serve(lambda key: answer(key, Sec_WebSocket_Protocol="b"), "a, b", act=close)
    check("client: the chosen subprotocol is reported", reported["subprotocol"] == "b", reported)


if __name__ == "__main__":
    for probe in probe_server_frames, probe_requests, probe_client_frames, probe_answers:
        if os.environ.get("FILTER", "") in probe.__name__:
            probe()
    sys.exit(failures > 0)
