#!/usr/bin/env python3
"""Shows players that are kicked although both ends go on and the network recovers: while a session is resumed, the
network stalls for longer than the connect timeout, so the client gives that link up.

  announcement  of the server's answer only the HTTP response arrives in time: the client takes it for a server without
                sessions, and ends its session
  grant         the server's announcement arrives too: the client gives the link up with a close frame of 1008, which
                ends the session at the server, which has resumed it

Usage: WSPEER_LIBRARY=build/libwspeer.so PYTHONPATH=bindings/python/src late_grant.py announcement|grant
The status is 1 when the player was kicked. Not part of a suite."""
import socket
import sys
import threading
import time

import wspeer

PATIENCE_S = 30


class Proxy:
    """Forwards both directions. Of the links that begin while `late` is a number, only the HTTP response and so many
    frames come back, until the others are released."""

    def __init__(self, port):
        self.server_port = port
        self.late, self.links, self.released = None, [], threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.server_port))
            self.links.append((client, server))
            threading.Thread(target=self.forward, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self.forward, args=(server, client, self.late), daemon=True).start()

    def forward(self, source, target, late):
        try:
            begun = b""
            while data := source.recv(65536):
                if late is not None:
                    begun += data
                    end = self.end_of(begun, late)
                    if end is None:
                        continue
                    target.sendall(begun[:end])
                    self.released.wait()
                    data, late = begun[end:], None
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def end_of(data, frames):
        """Where the HTTP response and so many short frames behind it end; None: they have not arrived."""
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return None
        for _ in range(frames):
            if len(data) < end + 2 or len(data) < end + 2 + data[end + 1]:
                return None
            end += 2 + data[end + 1]
        return end

    def cut(self):
        for link in self.links:
            for one in link:
                one.shutdown(socket.SHUT_RDWR)


def main():
    server = wspeer.listen("ws://127.0.0.1:0", session_ms=60000)
    proxy = Proxy(server.options.port)
    client = wspeer.connect(f"ws://127.0.0.1:{proxy.port}", session_ms=60000, connect_timeout_ms=1000)
    seen = []

    def until(*any_of):
        end = time.monotonic() + PATIENCE_S
        while not any(one in seen for one in any_of):
            if time.monotonic() > end:
                sys.exit(f"none of {any_of} came")
            for name, one in (("server", server), ("client", client)):
                one.poll()
                for event in one.events():
                    seen.append((name, event.type.name))
                    print(name, event.type.name, event.code or "", event.text, flush=True)
            time.sleep(0.005)

    until(("client", "OPEN"))
    until(("server", "CONNECTED"))
    proxy.late = {"announcement": 0, "grant": 1}[sys.argv[1]]
    proxy.cut()
    until(("client", "ERROR"), ("client", "CLOSED"))
    # The proxy is sound again: the next try should resume.
    proxy.late = None
    proxy.released.set()
    until(("client", "RESUMED"), ("client", "CLOSED"))
    sys.exit(("client", "CLOSED") in seen)


if __name__ == "__main__":
    main()
