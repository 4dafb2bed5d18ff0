#!/usr/bin/env python3
"""permessage-deflate with real peers, in both roles: every combination of parameters, messages that share a context,
and the negotiated parameters."""
import functools
import itertools
import pathlib
import shutil
import sys
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

import certificates
import harness
from harness import Wrong, case, close, connection, has, opened, same, server
from python_common import pattern

DEFLATE, SERVER_FORGETS, CLIENT_FORGETS = 32, 64, 128
BITS = [None, 9, 12, 15]
TAKEOVERS = [0, SERVER_FORGETS, CLIENT_FORGETS, SERVER_FORGETS | CLIENT_FORGETS]
PARAMETERS = list(itertools.product(TAKEOVERS, BITS, BITS))
PAIRS = [("wspeer", "ws"), ("ws", "wspeer"), ("wspeer", "websockets"), ("websockets", "wspeer"), ("wspeer", "wspeer")]
# Messages sent without waiting: later ones repeat content of earlier ones, and some are below the threshold.
SHORT = [
    ("text", 300),
    ("binary", 300),
    ("text", 10),
    ("random", 500),
    ("text", 300),
    ("binary", 70_000),
    ("text", 0),
    ("random", 300),
    ("binary", 64),
    ("text", 63),
    ("random", 500),
    ("text", 20_000),
]
LONG = [
    ("text", 1 << 20),
    ("binary", 1 << 20),
    ("random", 1 << 20),
    ("text", 65_536),
    ("binary", 65_537),
    ("text", 1 << 20),
    ("random", 65_535),
]


@functools.lru_cache
def crc(type, size):
    data = pattern(type, size)
    return zlib.crc32(data.encode() if isinstance(data, str) else data)


def agreed(flags, server_bits, client_bits):
    parts = ["permessage-deflate"]
    parts += ["server_no_context_takeover"] * bool(flags & SERVER_FORGETS) + ["client_no_context_takeover"] * bool(
        flags & CLIENT_FORGETS
    )
    for name, bits in (("server", server_bits), ("client", client_bits)):
        if bits not in (None, 15):
            parts.append(f"{name}_max_window_bits={bits}")
    return "; ".join(parts)


def settings(flags, server_bits, client_bits, level, **more):
    wanted = {
        "deflate": "yes",
        "flags": DEFLATE | flags,
        "level": level,
        "server_bits": server_bits,
        "client_bits": client_bits,
        **more,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def exchange(peer, to, messages):
    """Sends all messages at once, and expects them back whole and in order."""
    for type, size in messages:
        peer.tell("put", type=type, size=size)
    for end in (to, peer):
        for type, size in messages:
            has(end.event("message", 30), type="text" if type == "text" else "binary", size=size, crc=crc(type, size))


def stats(end):
    end.tell("stats")
    return end.event("stats")


def compressed(peer, to, count):
    """Checks, where an end reports it, that messages over the threshold were compressed and saved bytes."""
    for end in (peer, to):
        if end.name.startswith("wspeer"):
            seen = stats(end)
            if seen["compressed_out"] < count:
                raise Wrong(f"{end.name} compressed {seen['compressed_out']} of {seen['messages_out']} messages")
            if seen["wire_out"] >= seen["bytes_out"]:
                raise Wrong(f"{end.name} wrote {seen['wire_out']} bytes for {seen['bytes_out']}")


def talk(kind, to, wanted, offer, messages=SHORT, least=4, **trust):
    to.forget()
    with connection(kind, to.url, **offer, **trust) as peer:
        for end in (opened(peer), to.event("open")):
            same("agreed on", end["extensions"], wanted)
        exchange(peer, to, messages)
        if least is not None:
            compressed(peer, to, least)
        close(peer, to)


def offered(client, to):
    """The client requests each combination, and the server grants all."""
    with (
        case(f"{client} to {to}: {len(PARAMETERS)} combinations offered by the client"),
        server(to, **settings(0, None, None, 1)) as peer,
    ):
        for index, (flags, server_bits, client_bits) in enumerate(PARAMETERS):
            level = (1, 9)[index % 2]
            try:
                # A server's counters include all its clients.
                talk(
                    client,
                    peer,
                    agreed(flags, server_bits, client_bits),
                    settings(flags, server_bits, client_bits, level),
                    least=4 * (index + 1) if client != "wspeer" else 4,
                )
            except Wrong as wrong:
                raise Wrong(f"{flags, server_bits, client_bits}: {wrong}") from None


def demanded(client):
    """wspeer as a server requires each combination from a client that allows all."""
    with case(f"{client} to wspeer: {len(PARAMETERS)} combinations required by the server"):
        for index, (flags, server_bits, client_bits) in enumerate(PARAMETERS):
            level = (9, 1)[index % 2]
            with server("wspeer", **settings(flags, server_bits, client_bits, level)) as peer:
                try:
                    talk(client, peer, agreed(flags, server_bits, client_bits), settings(0, None, None, 1))
                except Wrong as wrong:
                    raise Wrong(f"{flags, server_bits, client_bits}: {wrong}") from None


def demanded_of_wspeer(to):
    for flags, server_bits, client_bits in [(192, 9, 9), (64, 12, None), (128, None, 10), (0, 15, 15)]:
        with case(f"wspeer to {to}: the server requires {agreed(flags, server_bits, client_bits)}"):
            with server(to, **settings(flags, server_bits, client_bits, 6)) as peer:
                # npm ws limits the window only of clients that offered a limit.
                talk("wspeer", peer, agreed(flags, server_bits, client_bits), settings(0, None, None, 1))


def long_messages(client, to, secure):
    files = {"cert": certificates.path("chain.pem"), "key": certificates.path("leaf.key")} if secure else {}
    trust = {"ca": certificates.path("root.pem")} if secure else {}
    with server(to, **settings(0, None, None, 1), **files) as peer:
        for flags, bits, level in [(0, None, 1), (192, 9, 1), (0, 12, 9)] if not secure else [(0, None, 1)]:
            with case(
                f"{client} to {to}: up to 1 MiB, {agreed(flags, bits, bits)}, level {level}{', wss' if secure else ''}"
            ):
                talk(client, peer, agreed(flags, bits, bits), settings(flags, bits, bits, level), LONG, None, **trust)


def thresholds(client, to):
    """The number of messages that wspeer compresses at its threshold; 0 means 64, WS_OFF none."""
    for threshold, count in [(None, 2), (64, 2), (65, 1), (1, 4), (1000, 0), (0xFFFFFFFF, 0)]:
        messages = [("text", 10), ("text", 63), ("text", 64), ("text", 0), ("binary", 300)]
        with case(f"{client} to {to}: threshold {threshold}: {count} messages are compressed"):
            with server(to, **settings(0, None, None, 1, threshold=threshold)) as peer:
                with connection(client, peer.url, **settings(0, None, None, 1, threshold=threshold)) as own:
                    opened(own)
                    peer.event("open")
                    exchange(own, peer, messages)
                    for end in (own, peer):
                        if end.name.startswith("wspeer"):
                            same("compressed", stats(end)["compressed_out"], count)
                    close(own, peer)


def without(client, to):
    with case(f"{client} to {to}: the server has no permessage-deflate"), server(to, deflate="no") as peer:
        talk(client, peer, "", settings(0, None, None, 1), least=None)
    if client == "wspeer":
        with case(f"wspeer to {to}: the client does not offer it"), server(to, **settings(0, None, None, 1)) as peer:
            talk("wspeer", peer, "", {}, least=None)


def main():
    if not harness.have("node", "build/node/node_modules/ws", harness.PYTHON):
        return 0
    shutil.rmtree(harness.WORK, ignore_errors=True)
    certificates.make()
    for client, to in PAIRS:
        began = time.monotonic()
        offered(client, to)
        if to == "wspeer":
            demanded(client)
        else:
            demanded_of_wspeer(to)
        long_messages(client, to, False)
        long_messages(client, to, True)
        thresholds(client, to)
        without(client, to)
        print(f"figure: deflate {client} to {to}: {time.monotonic() - began:.1f} s", flush=True)
    harness.end_clients()
    return 1 if harness.failures else 0


sys.exit(main())
