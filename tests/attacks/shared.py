"""Shared by the attacks: the server, its honest players and their limits, and crowds of raw sockets."""

import atexit
import os
import pathlib
import random
import re
import selectors
import signal
import socket
import struct
import subprocess
import time

PLAYERS = 100
WS_DEFLATE = 32
# Far above the measured values, because a test machine has other work: the figures are printed.
P99_LIMIT_US = 250_000
MEMORY_LIMIT_KB = 256 * 1024
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = f"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
# The budget of a poll is 1 ms. Its CPU time does not depend on other work of the machine.
POLL_CPU_LIMIT_US = 5_000
failures = 0
# Set by run.py: the programs, the certificate, and the duration of an attack.
programs = {"attacked": "", "honest": "", "cert": "", "key": ""}
seconds = 2.0


def check(good, what):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - attacks: {what}", flush=True)


def frame(first, payload, length=None):
    """A client's frame with the masking key 0."""
    n = len(payload) if length is None else length
    if n < 126:
        head = struct.pack("!BB", first, 0x80 | n)
    elif n < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, n)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, n)
    return head + b"\0\0\0\0" + payload


def frames_of(data):
    """The complete frames at the start of a server's bytes, as (first byte, payload)."""
    found = []
    while len(data) >= 2:
        size, at = data[1] & 0x7F, 2
        if size >= 126:
            at = 4 if size == 126 else 10
            size = int.from_bytes(data[2:at], "big")
        if data[1] & 0x80 or len(data) < at + size:
            break
        found.append((data[0], data[at : at + size]))
        data = data[at + size :]
    return found


def close_code(data):
    """The code of the close frame at the end of a server's bytes, or None."""
    for first, payload in frames_of(data):
        if first == 0x88 and len(payload) >= 2:
            return int.from_bytes(payload[:2], "big")
    return None


class Crowd:
    """Many raw connections, none of which waits for another."""

    def __init__(self, port, count, many_addresses=False):
        self.port = port
        self.many = many_addresses
        self.sockets = []
        # Bytes still to be sent on a socket that was full: a frame is never truncated.
        self.unsent = {}
        self.gone = 0
        for _ in range(count):
            self.add()

    def add(self):
        one = socket.socket()
        if self.many:
            one.bind((f"127.{random.randrange(1, 250)}.{random.randrange(1, 250)}.{random.randrange(1, 250)}", 0))
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", self.port))
        self.sockets.append(one)
        return one

    def send(self, bytes_of):
        """Sends bytes_of(number) to each socket that has sent its previous bytes. Ended sockets are counted and
        closed."""
        for number, one in enumerate(list(self.sockets)):
            data = self.unsent.pop(one, b"") or bytes_of(number)
            try:
                data = data[one.send(data) :]
                if data:
                    self.unsent[one] = data
            except BlockingIOError:
                self.unsent[one] = data
                pass
            except OSError:
                self.end(one)

    def send_once(self, bytes_of):
        """As send, with the bytes that bytes_of has for a socket, which it loses."""
        order = list(self.sockets)
        self.send(lambda number: bytes_of.pop(order[number], b""))

    def read(self, most=65536):
        """Received bytes, one piece for each socket that had some."""
        return [data for _, data in self.read_each(most)]

    def read_each(self, most=65536):
        """Received bytes, with their socket."""
        answers = []
        for one in list(self.sockets):
            try:
                data = one.recv(most)
                if data:
                    answers.append((one, data))
                else:
                    self.end(one)
            except BlockingIOError:
                pass
            except OSError:
                self.end(one)
        return answers

    def open_all(self, request=REQUEST, limit=20):
        """Completes the opening handshakes. Returns the number of open connections."""
        waiting = {one: b"" for one in self.sockets}
        sent = set()
        end = time.monotonic() + limit
        opened = 0
        with selectors.DefaultSelector() as selector:
            for one in waiting:
                selector.register(one, selectors.EVENT_WRITE)
            while waiting and time.monotonic() < end:
                for key, _ in selector.select(0.2):
                    one = key.fileobj
                    try:
                        if one not in sent:
                            one.send(request)
                            sent.add(one)
                            selector.modify(one, selectors.EVENT_READ)
                            continue
                        data = one.recv(4096)
                    except BlockingIOError:
                        continue
                    except OSError:
                        data = b""
                    waiting[one] += data
                    if b"\r\n\r\n" in waiting[one] or not data:
                        opened += waiting[one].startswith(b"HTTP/1.1 101")
                        selector.unregister(one)
                        del waiting[one]
                        if not data:
                            self.end(one)
        return opened

    def end(self, one):
        one.close()
        self.sockets.remove(one)
        self.unsent.pop(one, None)
        self.gone += 1

    def close(self):
        for one in self.sockets:
            one.close()
        self.sockets.clear()


def memory_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


class AttackedServer:
    """The server and its honest players during an attack."""

    def __init__(self, name, flags=0, tls=False, least_s=0, handshake_timeout_ms=0, max_total_mib=None):
        self.name, self.tls, self.seconds = name, tls, max(seconds, least_s)
        self.max_total_mib = max_total_mib
        env = dict(os.environ, **({"MAX_TOTAL_MIB": str(max_total_mib)} if max_total_mib else {}))
        command = [programs["attacked"], str(flags), str(handshake_timeout_ms)] + (
            [programs["cert"], programs["key"]] if tls else []
        )
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        self.port = int(self.server.stdout.readline())
        url = f"{'wss' if tls else 'ws'}://127.0.0.1:{self.port}/"
        self.players = subprocess.Popen(
            [programs["honest"], url, str(PLAYERS)] + ([programs["cert"]] if tls else []),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        check(self.players.stdout.readline() == "open\n", f"{name}: {PLAYERS} players are connected")
        self.before = self.peak = memory_kb(self.server.pid)
        # After an attack that ends in an exception nothing else would end them.
        atexit.register(self.server.kill)
        atexit.register(self.players.kill)

    def rounds(self, every):
        """Yields until the time has passed."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            self.peak = max(self.peak, memory_kb(self.server.pid))
            began = time.monotonic()
            yield
            time.sleep(max(0, every - (time.monotonic() - began)))

    def judge(self, what=None, good=False):
        """Ends both, and checks that the players were not affected. `what` describes the result of the attack."""
        self.peak = max(self.peak, memory_kb(self.server.pid))
        self.players.send_signal(signal.SIGTERM)
        out, err = self.players.communicate(timeout=30)
        reported = dict(pair.split("=") for pair in out.split())
        self.server.send_signal(signal.SIGTERM)
        after = dict(pair.split("=") for pair in self.server.communicate(timeout=30)[0].split())
        if what:
            check(good, f"{self.name}: {what}")
        fair = (
            reported["lost"] == "0"
            and reported["ended"] == "0"
            and reported["sent"] == reported["got"]
            and int(reported["got"]) > PLAYERS * 20
        )
        check(
            fair and not err,
            f"{self.name}: the players lost nothing ({reported['got']} messages came back) {err[:300]}",
        )
        check(int(reported["p99_us"]) < P99_LIMIT_US, f"{self.name}: 99 of 100 came back within {P99_LIMIT_US} us")
        check(
            int(after["longest_poll_cpu_us"]) < POLL_CPU_LIMIT_US,
            f"{self.name}: every poll took less than {POLL_CPU_LIMIT_US} us of CPU time",
        )
        grown = self.peak - self.before
        # The allocator keeps some of what was freed.
        limit = self.max_total_mib * 1024 * 4 // 3 if self.max_total_mib else MEMORY_LIMIT_KB
        check(grown < limit, f"{self.name}: the server grew by less than {limit} kB")
        check(self.server.returncode == 0, f"{self.name}: the server exited with success")
        print(
            f"figure: {self.name}: p50 {reported['p50_us']} us, "
            f"p99 {reported['p99_us']} us, longest {reported['max_us']} us; "
            f"server +{grown} kB, longest poll {after['longest_poll_us']} us, "
            f"of processor time {after['longest_poll_cpu_us']} us",
            flush=True,
        )
        return after
