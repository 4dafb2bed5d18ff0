"""The remote peers of the scenarios: Python's websockets as server and clients, and a raw socket where a library does
not suffice. Each records what it sees."""
import base64
import contextlib
import hashlib
import http.client
import logging
import re
import socket
import ssl
import struct
import threading
import zlib

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

SHORT = 64
LIMIT = 10


def show(message):
    """A message in the format of a trace."""
    text = isinstance(message, str)
    data = message.encode() if text else message
    words = f" {message}" if text and 0 < len(data) <= SHORT else ""
    return f"{'text' if text else 'binary'} {len(data)} {zlib.adler32(data):08x}{words}"


class Far:
    """A server with a thread for each connection. `end` returns their notes, connection by connection."""

    def __init__(self, secure=False):
        self._notes = []
        self._busy = 0
        self._changed = threading.Condition()
        self.scheme = "wss" if secure else "ws"

    @property
    def url(self):
        return f"{self.scheme}://localhost:{self.port}"

    def _begin(self):
        """Called for a connection before its program can see it: returns the list for its notes."""
        notes = []
        with self._changed:
            self._busy += 1
            self._notes.append(notes)
        return notes

    @contextlib.contextmanager
    def _serving(self, notes):
        """Records an exception in a connection, which makes the scenario fail."""
        try:
            yield notes
        except Exception as error:
            notes.append(f"{type(error).__name__}: {error}")
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify()

    def end(self):
        self._stop()
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy == 0, LIMIT):
                self._notes.append(["a connection is still there"])
        return [line for notes in self._notes for line in notes]


class Library(Far):
    """Echoes at /echo, listens at /sink, closes at /close/CODE/REASON, refuses at /refuse/STATUS."""

    def __init__(self, certificate=None, subprotocols=None):
        super().__init__(certificate is not None)
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        self._server = serve(
            self._serve,
            "127.0.0.1",
            0,
            ssl=context,
            subprotocols=subprotocols,
            max_size=None,
            compression=None,
            process_request=self._request,
            process_response=self._response,
            logger=_silent(),
        )
        self.port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _stop(self):
        self._server.shutdown()

    def _request(self, connection, request):
        if request.path.startswith("/refuse/"):
            self._notes.append([f"refused path={request.path}"])
            answer = connection.respond(int(request.path.split("/")[2]), "no entry: κόσμε")
            answer.headers["X-Refused"] = "yes"
            return answer
        return None

    def _response(self, connection, _request, answer):
        if answer is not None and answer.status_code == 101:
            answer.headers["X-Answer"] = "one"
            answer.headers["X-Answer"] = "two, three"
            connection.notes = self._begin()
        return answer

    def _serve(self, ws):
        with self._serving(ws.notes) as notes:
            notes.append(f"open path={ws.request.path} protocol={ws.subprotocol or ''}")
            for value in ws.request.headers.get_all("X-Ask"):
                notes.append(f"header X-Ask={value}")
            verb, *rest = re.split("[/?]", ws.request.path)[1:]
            if verb == "close":
                ws.close(int(rest[0]), rest[1])
            with contextlib.suppress(ConnectionClosed):
                for message in ws:
                    notes.append(show(message))
                    if verb == "echo":
                        ws.send(message)
            notes.append(f"closed code={ws.close_code} reason={ws.close_reason}")


class Flaky(Library):
    """Loses the first link after a message, refuses the second, and echoes from the third on."""

    def __init__(self):
        super().__init__()
        self._links = 0

    def _request(self, connection, request):
        self._links += 1
        if self._links == 2:
            self._notes.append([f"refused path={request.path}"])
            return connection.respond(503, "come back")
        return None

    def _serve(self, ws):
        if self._links > 1:
            super()._serve(ws)
            return
        with self._serving(ws.notes) as notes:
            notes.append(f"open path={ws.request.path} protocol=")
            ws.send("gone soon")
            ws.socket.shutdown(socket.SHUT_RDWR)


class Relay(Far):
    """Forwards the bytes of each link to the port of 127.0.0.1 that its path begins with, without that part of the path.
    Cuts the first link on which the server sends the text "cut", which does not arrive."""

    CUT = b"\x81\x03cut"

    def __init__(self):
        super().__init__()
        self._has_cut = False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._forward, args=[connection, self._begin()], daemon=True).start()

    def _stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _forward(self, connection, notes):
        with self._serving(notes), connection:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(65536)
            _, port, rest = request.split(b"/", 2)
            notes.append(f"link /{rest.split()[0].decode()}")
            with socket.create_connection(("127.0.0.1", int(port))) as server:
                server.sendall(b"GET /" + rest)
                up = threading.Thread(target=_copy, args=[connection, server])
                up.start()
                with contextlib.suppress(OSError):
                    while (part := server.recv(65536)) and (self._has_cut or self.CUT not in part):
                        connection.sendall(part)
                    if part:
                        self._has_cut = True
                        notes.append("cut")
                        server.shutdown(socket.SHUT_RDWR)
                    connection.shutdown(socket.SHUT_RDWR)
                up.join()


class Raw(Far):
    """Sends frames byte by byte as the path requests, then reads to the end."""

    def __init__(self):
        super().__init__()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=[connection, self._begin()], daemon=True).start()

    def _stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _talk(self, connection, notes):
        with self._serving(notes), connection:
            connection.settimeout(LIMIT)
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(65536)
            path = request.split(b" ")[1].decode()
            key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)[1]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
            notes.append(f"open path={path}")
            answer = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            connection.sendall(answer.encode() + FRAMES[path])
            if path == "/close/drop":
                return
            received = b""
            while part := connection.recv(65536):
                received += part
                if len(received) > 1 and len(received) >= 6 + (received[1] & 127):
                    break
            mask, masked = received[2:6], received[6:]
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))
            code = int.from_bytes(payload[:2]) if payload else "none"
            notes.append(f"frame {received[:1].hex()} code={code} reason={payload[2:].decode()}")


class Proxy(Library):
    """An HTTP proxy in front of a Library for game.example: it refuses refused.example, and asks for a login to all
    others."""

    def __init__(self):
        super().__init__()
        self._behind = self.port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://player:secret@127.0.0.1:{self.port}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._tunnel, args=[connection, self._begin()], daemon=True).start()

    def _stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        super()._stop()

    def _tunnel(self, connection, notes):
        with self._serving(notes), connection:
            connection.settimeout(LIMIT)
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(65536)
            lines = request.decode().split("\r\n")
            notes.append(f"asked {lines[0]}, {'; '.join(lines[1:-2])}")
            host = lines[0].split(" ")[1].split(":")[0]
            if host != "game.example":
                status = "403 Forbidden" if host == "refused.example" else "407 x\r\nProxy-Authenticate: Basic"
                connection.sendall(
                    f"HTTP/1.1 {status}\r\nX-Proxy: far\r\nContent-Length: 8\r\n\r\nno entry".encode()
                )
                connection.recv(1)
                return
            with socket.create_connection(("127.0.0.1", self._behind)) as server:
                connection.sendall(b"HTTP/1.0 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=[server, connection])
                back.start()
                _copy(connection, server)
                back.join()


def _copy(source, to):
    """Copies bytes to the end, and ends the other direction then."""
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            to.sendall(part)
        to.shutdown(socket.SHUT_WR)


def frame(first, payload):
    length = bytes([len(payload)]) if len(payload) < 126 else struct.pack(">BH", 126, len(payload))
    return bytes([first]) + length + payload


FRAMES = {
    "/burst": b"".join(frame(0x81, f"message {i}".encode()) for i in range(100))
    + frame(0x88, struct.pack(">H", 4100) + b"that was all"),
    "/close/none": frame(0x88, b""),
    "/close/drop": b"",
    "/bad/utf8": frame(0x81, b"good") + frame(0x81, b"a\xff"),
    "/bad/reserved": frame(0xC1, b"reserved"),
    "/bad/big": frame(0x82, bytes(1001)),
}


def requests(port, notes):
    """Requests to the program's server: plain HTTP, a WebSocket that is refused, and one that is accepted."""
    for method, path, body in (("GET", "/health?from=far", None), ("POST", "/score", b"<b>42</b>"), ("HEAD", "/", None)):
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        asking.request(method, path, body)
        answer = asking.getresponse()
        text, kind = answer.read().decode(), answer.getheader("Content-Type")
        notes.append(f"{method} {answer.status} {answer.reason} type={kind} length={answer.getheader('Content-Length')} {text}")
        asking.close()
    options = {"compression": None, "open_timeout": LIMIT, "close_timeout": LIMIT, "proxy": None}
    try:
        connect(f"ws://127.0.0.1:{port}/room?token=bad", **options)
        notes.append("came in without a good token")
    except InvalidStatus as refused:
        answer = refused.response
        notes.append(f"refused {answer.status_code} {answer.headers['WWW-Authenticate']} {answer.body.decode()}")
    url = f"ws://127.0.0.1:{port}/room?token=good"
    with connect(url, subprotocols=["chat.v1", "chat.v2"], **options) as player:
        notes.append(f"open protocol={player.subprotocol} room={player.response.headers.get('X-Room')}")


def visitor(port, notes):
    """Asks the program's server for files, then joins it."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)

    def ask(method, path, **headers):
        asked.request(method, path, headers=headers)
        answer = asked.getresponse()
        body = answer.read()
        opener = answer.headers.get("Cross-Origin-Opener-Policy", "")
        words = body.decode().strip() if method == "GET" else ""
        notes.append(f"{method} {path}: {answer.status} {answer.headers.get('Content-Type', '')} {opener} {words}".rstrip())
        return answer

    tag = ask("GET", "/hello.txt").headers["ETag"]
    ask("HEAD", "/hello.txt")
    ask("GET", "/hello.txt", Range="bytes=0-4")
    ask("GET", "/hello.txt", **{"If-None-Match": tag})
    ask("GET", "/threads/hello.txt")
    ask("GET", "/../secret.txt")
    with connect(f"ws://127.0.0.1:{port}/threads/hello.txt", open_timeout=LIMIT, close_timeout=LIMIT, proxy=None) as ws:
        ws.send("stop")
        notes.append(show(ws.recv(timeout=LIMIT)))
        ask("GET", "/threads/hello.txt")
        asked.close()


def clients(port, notes):
    """The three clients of the program's server, step by step."""
    def open_one(number):
        options = {
            "additional_headers": {"X-Name": ["Ann", "Bob", "Eve"][number - 1]},
            "compression": None,
            "open_timeout": LIMIT,
            "close_timeout": LIMIT,
            "proxy": None,
        }
        one = connect(f"ws://127.0.0.1:{port}/room/{number}?x={number}", subprotocols=["chat"], **options)
        notes.append(f"{number} open protocol={one.subprotocol} answer={one.response.headers.get('X-Answer')}")
        hear(number, one)
        return one

    def hear(number, one):
        notes.append(f"{number} {show(one.recv(timeout=LIMIT))}")

    def ended(number, one):
        try:
            notes.append(f"{number} {show(one.recv(timeout=LIMIT))} instead of a close")
        except ConnectionClosed:
            notes.append(f"{number} closed code={one.close_code} reason={one.close_reason}")

    with contextlib.ExitStack() as stack:
        all_three = [stack.enter_context(open_one(number)) for number in (1, 2, 3)]
        a, b, c = all_three
        for message in ("all", b"\x00\xff", ""):
            a.send(message)
            for number, one in enumerate(all_three, 1):
                hear(number, one)
        b.send("others")
        hear(1, a)
        hear(3, c)
        c.send("me")
        hear(3, c)
        b.close(4002, "done")
        ended(2, b)
        hear(1, a)
        hear(3, c)
        c.send("end")
        ended(3, c)
        hear(1, a)
        a.send("stop")
        ended(1, a)


def unused_port():
    """A socket that is bound but does not listen, so that nobody else takes the port."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held


def _silent():
    logger = logging.getLogger("far")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
