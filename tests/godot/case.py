"""An engine controlled by a test, and raw peers of its objects."""

import base64
import pathlib
import re
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "probe"))

from engine import OURS, Remote, check, figure, free_port
from probe import Raw, answer, frame, request

CONNECTING, OPEN, CLOSING, CLOSED = range(4)
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
NORMAL = struct.pack(">H", 1000)


class Case:
    """One engine of a kind, and the result of each defect."""

    def __init__(self, kind, library):
        self.kind = kind
        self.godot = Remote(kind, LD_PRELOAD=library)
        self.count = 0

    def says(self, good, name, seen):
        if self.kind == OURS:
            check(good, name, seen)
            print(f"# {name}: {seen}")
        else:
            figure(f"Godot's own, {name}: {'yes' if good else 'NO'} ({seen})")

    def name(self):
        self.count += 1
        return f"o{self.count}"

    def client(self, first=b"", multiplayer=False, headers=None, reply=None, settings=None, path=""):
        """An object that connects, or has connected, to a raw server, and the raw server's socket. `reply` makes the
        response from the key; `first` is sent after it."""
        name = self.name()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            kind = self.godot.multiplayer_peer if multiplayer else self.godot.peer
            self.godot(f'make("{name}", "{kind}")')
            for setting, value in (settings or {}).items():
                self.godot(f'{name}.set("{setting}", {value})')
            self.godot(
                f'{name}.{"create_client" if multiplayer else "connect_to_url"}("ws://127.0.0.1:{listener.getsockname()[1]}{path}")'
            )
            self.godot(f"{name}.poll()")
            listener.settimeout(10)
            raw = Raw(listener.accept()[0])
        # A poll may send only a part of the request.
        while True:
            self.godot(f"{name}.poll()")
            raw.sock.settimeout(0.02)
            try:
                raw.request = raw.head()
                break
            except EOFError:
                pass
        raw.sock.settimeout(10)
        key = re.search(r"Sec-WebSocket-Key: (\S+)", raw.request)[1]
        raw.sock.sendall((reply(key) if reply else answer(key, **(headers or {}))) + first)
        return name, raw

    def open_client(self, **options):
        name, raw = self.client(**options)
        if self.godot(f'until("{name}", "get_ready_state", {OPEN}, 5000)') < 0:
            raise RuntimeError("never open")
        return name, raw

    def accepted(self):
        """An object that has accepted a raw client, after the opening handshake, and the raw client."""
        name, listener = self.name(), self.name()
        self.godot(f'make("{name}", "{self.godot.peer}")')
        self.godot(f'make("{listener}", "TCPServer")')
        self.godot(f'{listener}.listen(0, "127.0.0.1")')
        raw = Raw(socket.create_connection(("127.0.0.1", self.godot(f"{listener}.get_local_port()"))))
        raw.sock.sendall(request().encode())
        limit = time.monotonic() + 5
        while not self.godot(f"{listener}.is_connection_available()") and time.monotonic() < limit:
            pass
        self.godot(f"{name}.accept_stream({listener}.take_connection())")
        self.godot(f'until("{name}", "get_ready_state", {OPEN}, 3000)')
        assert raw.head().startswith("HTTP/1.1 101 "), "not opened"
        self.drop(listener)
        return name, raw

    def server(self):
        """A multiplayer server with watched signals, and its port."""
        name = self.name()
        self.godot(f'make("{name}", "{self.godot.multiplayer_peer}")')
        self.godot(f'watch("{name}", ["peer_connected", "peer_disconnected"])')
        port = free_port()
        while self.godot(f'{name}.create_server({port}, "127.0.0.1")') != 0:
            port = free_port()
        return name, port

    def admitted(self, name, port, receive_buffer=None):
        """A raw client of a multiplayer server, and its id."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(("127.0.0.1", port))
        sock.sendall(request().encode())
        raw = Raw(sock)
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            self.godot(f"{name}.poll()")
            reported = self.godot("reported()")
            if reported:
                break
        assert raw.head().startswith("HTTP/1.1 101 "), "not opened"
        number = struct.unpack("<i", raw.frame()[2])[0]
        assert reported == [["peer_connected", number]], reported
        return raw, number

    def drop(self, name, *raws):
        self.godot(f'drop("{name}")')
        for raw in raws:
            raw.sock.close()


def numbered(count, masked=False, size=8):
    return b"".join(
        frame(BINARY, struct.pack("<I", number) + bytes(size - 4), masked=masked) for number in range(count)
    )


def numbers(messages):
    """The numbers that numbered() has put into messages, given in base64."""
    return [struct.unpack("<I", base64.b64decode(message)[:4])[0] for message in messages]
