#!/usr/bin/env python3
"""Attacks on a server while a hundred honest players keep their 60 messages a second: what the attackers get, how long the players wait, how much memory it takes.
Usage: run.py ARENA HONEST CERT KEY [--seconds N] [NAME...]"""
import os
import pathlib
import random
import re
import resource
import selectors
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
import zlib

PLAYERS = 100
WS_DEFLATE = 32
# Far above what is measured, as a test machine has other work: the figures are printed.
P99_LIMIT_US = 250_000
MEMORY_LIMIT_KB = 256 * 1024
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = f"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
# The budget of a poll is 1 ms. Its processor time does not grow with what else the machine does.
POLL_CPU_LIMIT_US = 5_000
failures = 0


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


class Crowd:
    """Many raw connections, none of which waits for another."""

    def __init__(self, port, count, many_addresses=False):
        self.port = port
        self.many = many_addresses
        self.sockets = []
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
        """What fits now of bytes_of(number) to each; those that have ended are counted and closed."""
        for number, one in enumerate(list(self.sockets)):
            try:
                one.send(bytes_of(number))
            except BlockingIOError:
                pass
            except OSError:
                self.end(one)

    def read(self, most=65536):
        answers = []
        for one in list(self.sockets):
            try:
                data = one.recv(most)
                if data:
                    answers.append(data)
                else:
                    self.end(one)
            except BlockingIOError:
                pass
            except OSError:
                self.end(one)
        return answers

    def open_all(self, request=REQUEST, limit=20):
        """Opening handshakes of all; returns how many are open."""
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
        self.gone += 1

    def close(self):
        for one in self.sockets:
            one.close()
        self.sockets.clear()


def memory_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


class Arena:
    """The server and its honest players, for one attack."""

    def __init__(self, name, flags=0, tls=False):
        self.name, self.tls = name, tls
        command = [ARENA, str(flags)] + ([CERT, CERT_KEY] if tls else [])
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.server.stdout.readline())
        url = f"{'wss' if tls else 'ws'}://127.0.0.1:{self.port}/"
        self.players = subprocess.Popen([HONEST, url, str(PLAYERS)] + ([CERT] if tls else []), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        check(self.players.stdout.readline() == "open\n", f"{name}: {PLAYERS} players are in")
        self.before = self.peak = memory_kb(self.server.pid)

    def rounds(self, every):
        """Yields until the time is over."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.peak = max(self.peak, memory_kb(self.server.pid))
            began = time.monotonic()
            yield
            time.sleep(max(0, every - (time.monotonic() - began)))

    def judge(self, what, good):
        """Ends both; the players must have noticed nothing."""
        self.peak = max(self.peak, memory_kb(self.server.pid))
        self.players.send_signal(signal.SIGTERM)
        out, err = self.players.communicate(timeout=30)
        told = dict(pair.split("=") for pair in out.split())
        self.server.send_signal(signal.SIGTERM)
        after = dict(pair.split("=") for pair in self.server.communicate(timeout=30)[0].split())
        check(good, f"{self.name}: {what}")
        fair = told["lost"] == "0" and told["ended"] == "0" and told["sent"] == told["got"] and int(told["got"]) > PLAYERS * 20
        check(fair and not err, f"{self.name}: the players lost nothing ({told['got']} messages came back) {err[:300]}")
        check(int(told["p99_us"]) < P99_LIMIT_US, f"{self.name}: 99 of 100 came back within {P99_LIMIT_US} us")
        check(int(after["longest_poll_cpu_us"]) < POLL_CPU_LIMIT_US, f"{self.name}: no poll took {POLL_CPU_LIMIT_US} us of the processor")
        grown = self.peak - self.before
        check(grown < MEMORY_LIMIT_KB, f"{self.name}: the server grew by less than {MEMORY_LIMIT_KB} kB")
        check(self.server.returncode == 0, f"{self.name}: the server ended well")
        print(f"figure: {self.name}: p50 {told['p50_us']} us, p99 {told['p99_us']} us, longest {told['max_us']} us; server +{grown} kB, longest poll {after['longest_poll_us']} us, of processor time {after['longest_poll_cpu_us']} us", flush=True)


def peace():
    arena = Arena("no attack")
    for _ in arena.rounds(0.1):
        pass
    arena.judge("nobody attacked", True)


def slow_headers():
    arena = Arena("slow headers from 1000 connections")
    crowd = Crowd(arena.port, 1000, many_addresses=True)
    at = 0
    for _ in arena.rounds(0.1):
        crowd.send(lambda number: REQUEST[at % len(REQUEST) : at % len(REQUEST) + 1])
        crowd.read()
        while len(crowd.sockets) < 1000:
            crowd.add()
        at += 1
    crowd.read()
    arena.judge(f"{crowd.gone} were dropped at the handshake's time-out", crowd.gone > 0 or SECONDS < 4)
    crowd.close()


def slow_frames():
    arena = Arena("slow frames from 1000 connections")
    crowd = Crowd(arena.port, 1000)
    opened = crowd.open_all()
    crowd.send(lambda number: frame(0x82, b"", 1 << 20))
    for _ in arena.rounds(0.1):
        crowd.send(lambda number: b"x")
    arena.judge(f"{opened} were let in, and hold what they sent alone", opened == 1000)
    crowd.close()


def flood(many):
    arena = Arena("a flood of connections from " + ("many addresses" if many else "one address"))
    made = 0
    for _ in arena.rounds(0.02):
        crowd = Crowd(arena.port, 50, many)
        crowd.send(lambda number: [b"", REQUEST, b"x", REQUEST[:40]][number % 4])
        made += 50
        crowd.close()
    arena.judge(f"{made} came and went", made > 300)


def header_bombs():
    arena = Arena("header bombs")
    bombs = [
        b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20),
        b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000,
        b"\r\n" * 100_000,
    ]
    answers = []
    for _ in arena.rounds(0.05):
        crowd = Crowd(arena.port, len(bombs))
        crowd.send(lambda number: bombs[number])
        end = time.monotonic() + 0.5
        while crowd.sockets and time.monotonic() < end:
            answers += crowd.read()
            time.sleep(0.005)
        crowd.close()
    refused = [answer for answer in answers if re.match(rb"HTTP/1\.1 4\d\d ", answer)]
    arena.judge(f"{len(refused)} were refused with a status", len(refused) > 10 and len(refused) == len([a for a in answers if a.startswith(b"HTTP")]))


def smuggling():
    arena = Arena("smuggled requests")
    head = REQUEST[:-2]
    tries = {
        "a body by its length": head + b"Content-Length: 10\r\n\r\n0123456789",
        "a chunked body": head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "both": head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a folded header": head + b"X: a\r\n b: c\r\n\r\n",
        "a space before the colon": head + b"Content-Length : 5\r\n\r\nhello",
        "a lone line feed in a value": head + b"X: a\nHost: other\r\n\r\n",
        "two hosts": head + b"Host: other\r\n\r\n",
        "two keys": head + KEY.encode() + b"\r\n\r\n",
        "a NUL in a value": head + b"X: a\0b\r\n\r\n",
        "a space in the path": REQUEST.replace(b"GET / ", b"GET /a b "),
        "no slash": REQUEST.replace(b"GET / ", b"GET a "),
        "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
        "a TLS hello": bytes.fromhex("1603010200010001fc0303") + bytes(500),
        "another method": REQUEST.replace(b"GET", b"POST"),
        "an old protocol": REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"),
        "no version": REQUEST.replace(b"Sec-WebSocket-Version: 13\r\n", b""),
    }
    for what, request in tries.items():
        with socket.create_connection(("127.0.0.1", arena.port), timeout=5) as one:
            one.sendall(request)
            answer = b""
            try:
                while data := one.recv(4096):
                    answer += data
            except OSError:
                pass
        check(re.match(rb"HTTP/1\.1 (400|405|426|431|505) ", answer) and answer.count(b"HTTP/1.1 ") == 1, f"{arena.name}: {what} is refused once: {answer[:40]}")
    for _ in arena.rounds(0.2):
        pass
    arena.judge("all were refused", True)


def origins():
    arena = Arena("other origins")
    good = b"https://game.example"
    tries = {
        "our page": ([good], True),
        "none": ([], False),
        "null": ([b"null"], False),
        "an empty one": ([b""], False),
        "another page": ([b"https://evil.example"], False),
        "a page whose name begins like ours": ([good + b".evil.example"], False),
        "a page whose name ends like ours": ([b"https://evil-game.example"], False),
        "another port": ([good + b":8443"], False),
        "another scheme": ([b"http://game.example"], False),
        "another case": ([b"https://GAME.example"], False),
        "a path": ([good + b"/"], False),
        "a user": ([b"https://game.example@evil.example"], False),
        "two in one": ([good + b", " + good], False),
        "ours, and another": ([good, b"https://evil.example"], False),
        "another, and ours": ([b"https://evil.example", good], False),
        "ours, twice": ([good, good], False),
    }
    for what, (headers, let_in) in tries.items():
        request = REQUEST.replace(b"GET /", b"GET /browser")[:-2] + b"".join(b"Origin: " + one + b"\r\n" for one in headers) + b"\r\n"
        with socket.create_connection(("127.0.0.1", arena.port), timeout=5) as one:
            # A move comes right behind the request.
            one.sendall(request + frame(0x81, b"move"))
            answer = b""
            try:
                while (data := one.recv(4096)) and b"move" not in answer + data:
                    answer += data
                answer += data
            except OSError:
                pass
        check((b"move" in answer) == let_in, f"{arena.name}: {what} is {'served' if let_in else 'not served'}: {answer[-20:]}")
    for _ in arena.rounds(0.2):
        pass
    arena.judge("only the page of the game was served", True)


def frame_flood(name, bytes_of, request=REQUEST, flags=0, count=20):
    arena = Arena(name, flags)
    crowd = Crowd(arena.port, count)
    opened = crowd.open_all(request)
    sent = 0
    for _ in arena.rounds(0.005):
        crowd.send(bytes_of)
        crowd.read()
        sent += 1
    arena.judge(f"{opened} attackers were let in, {crowd.gone} of them were closed", opened == count)
    crowd.close()


def ping_flood():
    frame_flood("a flood of pings", lambda number: frame(0x89, b"x" * 10) * 2_000)


def empty_flood():
    frame_flood("a flood of empty frames", lambda number: frame(0x82, b"") * 3_000)


def fragment_flood():
    frame_flood("a flood of fragments", lambda number: (frame(0x02, b"x") if number < 0 else b"") + frame(0x00, b"x") * 2_000)


def fragments_without_end():
    started = set()

    def bytes_of(number):
        first = frame(0x02, b"x") if number not in started else b""
        started.add(number)
        return first + frame(0x00, b"x") * 2_000

    frame_flood("messages of fragments without end", bytes_of)


def deflate_bombs():
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = (engine.compress(bytes(64 << 20)) + engine.flush(zlib.Z_SYNC_FLUSH))[:-4]
    offer = REQUEST[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    arena = Arena("bombs of permessage-deflate", WS_DEFLATE)
    closed = 0
    for _ in arena.rounds(0.05):
        crowd = Crowd(arena.port, 10)
        crowd.open_all(offer)
        crowd.send(lambda number: frame(0xC2, zeros))
        end = time.monotonic() + 2
        while crowd.sockets and time.monotonic() < end:
            closed += sum(b"\x88" in answer for answer in crowd.read())
            time.sleep(0.005)
        crowd.close()
    arena.judge(f"{closed} were closed", closed > 0)


def never_reading():
    arena = Arena("100 clients that never read what is sent to them")
    crowd = Crowd(arena.port, 100)
    opened = crowd.open_all(REQUEST.replace(b"GET /", b"GET /deaf"))
    for _ in arena.rounds(0.1):
        pass
    arena.judge(f"{opened} were let in", opened == 100)
    crowd.close()


def tls_again():
    """Handshakes inside an open session: in the clear, and as openssl's renegotiation and key updates."""
    arena = Arena("handshakes inside TLS sessions", tls=True)
    trust = ssl.create_default_context(cafile=CERT)
    hello = bytes.fromhex("160303002f0100002b0303") + bytes(32) + bytes.fromhex("000004130113020100")
    kinds = {
        "a hello in the clear": hello,
        "a request for one": bytes.fromhex("160303000400000000"),
        "a change of cipher": bytes.fromhex("140303000101"),
        "early data": bytes.fromhex("1703030011") + bytes(17),
        "an alert in the clear": bytes.fromhex("15030300020100"),
        "a record of no type": bytes.fromhex("ff0303000101"),
        "a record that is too long": bytes.fromhex("170303ffff") + bytes(70_000),
    }
    for what, nonsense in kinds.items():
        tcp = socket.create_connection(("127.0.0.1", arena.port), timeout=5)
        secret, wire = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = trust.wrap_bio(secret, wire, server_hostname="localhost")

        def step(act):
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    tcp.sendall(wire.read())
                    data = tcp.recv(65536)
                    if not data:
                        return b""
                    secret.write(data)

        step(session.do_handshake)
        session.write(REQUEST)
        opened = step(lambda: session.read(4096)).startswith(b"HTTP/1.1 101")
        tcp.sendall(wire.read() + nonsense)
        began = time.monotonic()
        try:
            while tcp.recv(65536):
                pass
            ended = True
        except TimeoutError:
            ended = False
        except OSError:
            ended = True
        tcp.close()
        check(opened and ended, f"{arena.name}: {what} ends its connection (after {time.monotonic() - began:.2f} s)")
    for version, command in [("-tls1_2", "R\n"), ("-tls1_3", "k\n" * 200), ("-tls1_3", "K\n" * 200)]:
        client = subprocess.Popen(["openssl", "s_client", version, "-connect", f"127.0.0.1:{arena.port}", "-CAfile", CERT], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for line in (REQUEST.decode().replace("\r\n", "\n") + command).splitlines(True):
                client.stdin.write(line.encode())
                client.stdin.flush()
                time.sleep(0.002)
            time.sleep(0.2)
            client.stdin.close()
            client.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            client.kill()
            client.wait()
    for _ in arena.rounds(0.2):
        pass
    arena.judge("each concerned its own connection alone", True)


def tls_nonsense():
    arena = Arena("nonsense on a TLS port", tls=True)
    random.seed(7)
    hello = bytes.fromhex("1603010200010001fc0303")
    kinds = [b"GET / HTTP/1.1\r\n\r\n", bytes(1000), hello + random.randbytes(507), bytes.fromhex("15030300020228"), bytes.fromhex("160301ffff") + bytes(2000), REQUEST, b"\x80\x2e\x01\0\x02"]
    made = 0
    for _ in arena.rounds(0.05):
        crowd = Crowd(arena.port, 20)
        crowd.send(lambda number: kinds[number % len(kinds)])
        made += 20
        time.sleep(0.02)
        crowd.read()
        crowd.close()
    arena.judge(f"{made} were dropped", made > 100)


ATTACKS = {
    "peace": peace,
    "slow_headers": slow_headers,
    "slow_frames": slow_frames,
    "flood_one": lambda: flood(False),
    "flood_many": lambda: flood(True),
    "header_bombs": header_bombs,
    "smuggling": smuggling,
    "ping_flood": ping_flood,
    "empty_flood": empty_flood,
    "fragment_flood": fragment_flood,
    "fragments_without_end": fragments_without_end,
    "deflate_bombs": deflate_bombs,
    "never_reading": never_reading,
    "tls_nonsense": tls_nonsense,
    "tls_again": tls_again,
    "origins": origins,
}

arguments = sys.argv[1:]
SECONDS = 2.0
if "--seconds" in arguments:
    at = arguments.index("--seconds")
    SECONDS = float(arguments[at + 1])
    del arguments[at : at + 2]
ARENA, HONEST, CERT, CERT_KEY = arguments[:4]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
for one in arguments[4:] or ATTACKS:
    ATTACKS[one]()
sys.exit(failures > 0)
