#!/usr/bin/env python3
"""Attacks a server while a hundred honest players send 60 messages a second each: measures what the attackers receive,
how long the players wait, and how much memory it takes.
Usage: run.py ARENA HONEST CERT KEY [--seconds N] [PART-OF-A-NAME]"""
import random
import re
import resource
import socket
import sys
import time
import zlib

import shared
import tls
from shared import AttackedServer, Crowd, KEY, REQUEST, WS_DEFLATE, check, close_code, frame


def peace():
    attacked = AttackedServer("no attack")
    for _ in attacked.rounds(0.1):
        pass
    attacked.judge()


def slow_headers():
    # Longer than the server's handshake timeout of 1 s.
    attacked = AttackedServer("slow headers from 1000 connections", least_s=3, handshake_timeout_ms=1000)
    crowd = Crowd(attacked.port, 1000, many_addresses=True)
    at = 0
    for _ in attacked.rounds(0.1):
        crowd.send(lambda number: REQUEST[at % len(REQUEST) : at % len(REQUEST) + 1])
        crowd.read()
        while len(crowd.sockets) < 1000:
            crowd.add()
        at += 1
    crowd.read()
    attacked.judge(f"{crowd.gone} were dropped at the handshake's time-out", crowd.gone >= 256)
    crowd.close()


def slow_frames():
    attacked = AttackedServer("slow frames from 1000 connections")
    crowd = Crowd(attacked.port, 1000)
    opened = crowd.open_all()
    crowd.send(lambda number: frame(0x82, b"", 1 << 20))
    for _ in attacked.rounds(0.1):
        crowd.send(lambda number: b"x")
    attacked.judge(f"{opened} were let in, and hold what they sent alone", opened == 1000)
    crowd.close()


def flood(many):
    attacked = AttackedServer("a flood of connections from " + ("many addresses" if many else "one address"))
    made = 0
    for _ in attacked.rounds(0.02):
        crowd = Crowd(attacked.port, 50, many)
        crowd.send(lambda number: [b"", REQUEST, b"x", REQUEST[:40]][number % 4])
        made += 50
        crowd.close()
    attacked.judge(f"{made} came and went", made > 300)


def header_bombs():
    attacked = AttackedServer("header bombs")
    bombs = [
        b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20),
        b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000,
        b"\r\n" * 100_000,
    ]
    answers = []
    for _ in attacked.rounds(0.05):
        crowd = Crowd(attacked.port, len(bombs))
        crowd.send(lambda number: bombs[number])
        end = time.monotonic() + 0.5
        while crowd.sockets and time.monotonic() < end:
            answers += crowd.read()
            time.sleep(0.005)
        crowd.close()
    refused = [answer for answer in answers if re.match(rb"HTTP/1\.1 4\d\d ", answer)]
    attacked.judge(
        f"{len(refused)} were refused with a status",
        len(refused) > 10 and len(refused) == len([a for a in answers if a.startswith(b"HTTP")]),
    )


def smuggling():
    attacked = AttackedServer("smuggled requests")
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
        with socket.create_connection(("127.0.0.1", attacked.port), timeout=5) as one:
            one.sendall(request)
            answer = b""
            try:
                while data := one.recv(4096):
                    answer += data
            except OSError:
                pass
        check(
            re.match(rb"HTTP/1\.1 (400|405|426|431|505) ", answer) and answer.count(b"HTTP/1.1 ") == 1,
            f"{attacked.name}: {what} is refused with one response: {answer[:40]}",
        )
    for _ in attacked.rounds(0.2):
        pass
    attacked.judge()


def origins():
    attacked = AttackedServer("other origins")
    good = b"https://game.example"
    tries = {
        "our page": ([good], True),
        "none, as programs have none": ([], True),
        "null": ([b"null"], False),
        "an empty one": ([b""], False),
        "another page": ([b"https://evil.example"], False),
        "a page whose name begins like ours": ([good + b".evil.example"], False),
        "a page whose name ends like ours": ([b"https://evil-game.example"], False),
        "another port": ([good + b":8443"], False),
        "another scheme": ([b"http://game.example"], False),
        "another case": ([b"https://GAME.example"], True),
        "its default port": ([good + b":443"], True),
        "a path": ([good + b"/"], False),
        "a user": ([b"https://game.example@evil.example"], False),
        "two in one": ([good + b", " + good], False),
        "ours, and another": ([good, b"https://evil.example"], False),
        "another, and ours": ([b"https://evil.example", good], False),
        "ours, twice": ([good, good], False),
    }
    for what, (headers, let_in) in tries.items():
        request = (
            REQUEST[:-2]
            + b"".join(b"Origin: " + one + b"\r\n" for one in headers)
            + b"\r\n"
        )
        with socket.create_connection(("127.0.0.1", attacked.port), timeout=5) as one:
            # A message follows the request immediately.
            one.sendall(request + frame(0x81, b"move"))
            answer = b""
            try:
                while (data := one.recv(4096)) and b"move" not in answer + data:
                    answer += data
                answer += data
            except OSError:
                pass
        check(
            (b"move" in answer) == let_in,
            f"{attacked.name}: {what} is {'served' if let_in else 'not served'}: {answer[-20:]}",
        )
    for _ in attacked.rounds(0.2):
        pass
    attacked.judge()


def frame_flood(name, bytes_of, request=REQUEST, flags=0, count=20):
    attacked = AttackedServer(name, flags)
    crowd = Crowd(attacked.port, count)
    opened = crowd.open_all(request)
    sent = 0
    for _ in attacked.rounds(0.005):
        crowd.send(bytes_of)
        crowd.read()
        sent += 1
    attacked.judge(f"{opened} attackers were let in, {crowd.gone} of them were closed", opened == count)
    crowd.close()


def ping_flood():
    frame_flood("a flood of pings", lambda number: frame(0x89, b"x" * 10) * 2_000)


def empty_flood():
    frame_flood("a flood of empty frames", lambda number: frame(0x82, b"") * 3_000)


def fragment_flood():
    frame_flood(
        "a flood of fragments", lambda number: frame(0x02, b"x") + frame(0x00, b"x") * 2_000 + frame(0x80, b"x")
    )


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
    attacked = AttackedServer("bombs of permessage-deflate", WS_DEFLATE)
    bombs = closed = 0
    for _ in attacked.rounds(0.05):
        crowd = Crowd(attacked.port, 10)
        crowd.open_all(offer)
        bombs += len(crowd.sockets)
        crowd.send(lambda number: frame(0xC2, zeros))
        heard = {}
        end = time.monotonic() + 10
        while crowd.sockets and time.monotonic() < end:
            for one, data in crowd.read_each():
                heard[one] = heard.get(one, b"") + data
            crowd.send(lambda number: b"")
            time.sleep(0.005)
        closed += sum(close_code(data) == 1008 for data in heard.values())
        crowd.close()
    attacked.judge(f"{closed} of {bombs} were closed with 1008", closed == bombs > 0)


def never_reading():
    attacked = AttackedServer("100 clients that never read what is sent to them")
    crowd = Crowd(attacked.port, 100)
    opened = crowd.open_all(REQUEST.replace(b"GET /", b"GET /deaf"))
    for _ in attacked.rounds(0.1):
        pass
    attacked.judge(f"{opened} were let in", opened == 100)
    crowd.close()


def ceiling():
    """All at once, with no limit but the one on what all clients together make the server hold."""
    most_mib, count = 96, 4096 if shared.seconds > 10 else 256
    attacked = AttackedServer(
        f"3 x {count} clients that fill memory, and {count // 4} that never read", WS_DEFLATE, least_s=6, max_total_mib=most_mib
    )
    offer = REQUEST[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    sizes = (count // 4, count, count, count)
    deaf, long, half, bombs = (Crowd(attacked.port, size, many_addresses=True) for size in sizes)
    opened = deaf.open_all(REQUEST.replace(b"GET /", b"GET /deaf"))
    opened += long.open_all() + bombs.open_all(offer)
    half.send(lambda number: REQUEST[:40])
    begun = {one: frame(0x82, bytes(1 << 20), 16 << 20) for one in long.sockets}
    # The beginning of a message of 4 MiB in a hundredth of that, below the ratio at which it would be closed.
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    inflated = (random.randbytes(64) + bytes(12_000)) * 340
    bomb = frame(0x42, engine.compress(inflated) + engine.flush(zlib.Z_SYNC_FLUSH))
    begun.update({one: bomb for one in bombs.sockets})
    for _ in attacked.rounds(0.05):
        for crowd in (long, bombs):
            crowd.send_once(begun)
    gone = long.gone + bombs.gone
    deaf.read(1 << 20)
    after = attacked.judge(f"{opened} were let in", opened == 2 * count + count // 4)
    held_kb, ended = int(after["most_held_kb"]), int(after["ceiling_ended"])
    check(
        most_mib * 1024 * 7 // 8 < held_kb < (most_mib + 4) * 1024,
        f"{attacked.name}: at most {held_kb} kB were held, and {most_mib} MiB is the limit",
    )
    print(f"figure: {attacked.name}: at most {held_kb} kB held of {most_mib * 1024} kB, {ended} clients ended, {gone} of them had sent")
    for crowd in (deaf, long, half, bombs):
        crowd.close()


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
    "ceiling": ceiling,
    "tls_nonsense": tls.nonsense,
    "tls_again": tls.again,
    "origins": origins,
}

arguments = sys.argv[1:]
if "--seconds" in arguments:
    at = arguments.index("--seconds")
    shared.seconds = float(arguments[at + 1])
    del arguments[at : at + 2]
shared.programs.update(zip(shared.programs, arguments))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
for name, attack in ATTACKS.items():
    if "".join(arguments[4:5]) in name:
        attack()
sys.exit(shared.failures > 0)
