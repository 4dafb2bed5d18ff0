"""The plan of the measurement: the contestants (WebSocket libraries, and plain TCP as the lower limit) and the
scenarios.

Names of scenarios: W1 is 64 B on one connection, W2 is 100 connections, W3a is 64 KiB, W3b 1 MiB, W4 a broadcast. A
final `c` means frames of a client, a final `t` its tight loop; W1b is bursts to a server. `wss-` is over TLS."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contestant:
    name: str
    program: str  # in build/bench
    variant: str = ""  # a setting of the program, for --variant; empty: none
    client: bool = True  # has the client role
    server: bool = True  # has the server role
    tls: bool = False  # has the client role over TLS
    about: str = ""  # for docs/benchmarks.md

    def command(self, role):
        return [self.program, role, *(["--variant", self.variant] if self.variant else [])]


CONTESTANTS = {
    c.name: c
    for c in [
        Contestant("raw", "raw", about="recv and send of the same bytes without WebSocket: the lower limit"),
        Contestant("wspeer", "wspeer", tls=True, about="WS_COALESCE, one ws_flush per frame, ws_get_packet"),
        Contestant("wspeer-batch", "wspeer", "batch", tls=True, about="the same, with ws_get_packets, 64 at a time"),
        Contestant("wspeer-now", "wspeer", "now", about="without WS_COALESCE: every put is written at once"),
        Contestant(
            "wspeer-late", "wspeer", "late", server=False, about="takes messages only when all are queued (growth only)"
        ),
        Contestant("minimal", "minimal", client=False, about="a server in C: epoll, unmasking, framing; no checks"),
        Contestant(
            "tung",
            "tungstenite",
            tls=True,
            about="default settings: `write` per message, one `flush` per frame; mio; rustls with ring for wss",
        ),
        Contestant("tung8k", "tungstenite", "8k", about="the same, with a read buffer of 8 KiB"),
        Contestant("tungsend", "tungstenite", "send", about="`send` (write and flush) per message"),
        Contestant(
            "fastws",
            "fastwebsockets",
            client=False,
            about="as in its echo example: tokio, hyper, one task per connection",
        ),
        Contestant(
            "tokiows",
            "tokio_websockets",
            client=False,
            about="tokio-websockets as in its README: one task per connection; whole messages in one frame",
        ),
        Contestant("sockudo", "sockudo", client=False, about="sockudo-ws as in its simple_echo example"),
        Contestant("lws", "lws", about="several lws_write per writeable callback; buffers of 64 KiB; poll"),
        Contestant(
            "wslay",
            "wslay",
            about="every message queued and sent at once, recv and send in callbacks, as Godot's WebSocketPeer does",
        ),
        Contestant("websocketpp", "websocketpp", about="asio without threads, `poll()` as client"),
    ]
}


@dataclass(frozen=True)
class Scenario:
    name: str
    # client, server, tls (client over TLS), hold (memory of silent connections), counts (instructions and the like)
    kind: str
    about: str
    # Command-line options without their --, for measure.py to pass on. With counts also role, short and long.
    options: dict = field(default_factory=dict)
    only: tuple = ()  # names of contestants; empty: all that have the role, except wspeer-late
    rounds: int = 1000  # maximum; --rounds may ask for fewer

    def takes(self, contestant):
        """Whether the contestant takes part."""
        if contestant.name not in self.only if self.only else contestant.name == "wspeer-late":
            return False
        role = self.options.get("role", self.kind)
        return {
            "client": contestant.client,
            "server": contestant.server,
            "tls": contestant.tls,
            "hold": contestant.server,
        }[role]


def frames(length, count, sleep_us=4000, **more):
    """A client's game loop: put `count` messages, flush, sleep, poll until all are back."""
    return {"mode": "frame", "len": length, "burst": count, "sleep-us": sleep_us, **more}


def tight(length, window):
    """A client that keeps at most `window` messages outstanding and never sleeps."""
    return {"mode": "tight", "len": length, "burst": window}


def echo(conns, window, length, mode="window", **more):
    """A server that echoes. On each connection `window` messages are outstanding: one is replaced as soon as it is
    back, or, in mode "burst", all of them when the last one is back."""
    return {"mode": mode, "conns": conns, "window": window, "len": length, **more}


def counted(role, options):
    """Runs of 100 and of 600 frames or bursts. Their difference, as measure.counts() takes it, leaves out the start."""
    return {"role": role, "short": 100, "long": 600, **options}


def burst(count):
    """One frame of `count` messages. The sleep, 4 µs a message, leaves time for all of them to come back."""
    return frames(64, count, max(4000, 4 * count))


KIB64, MIB = 64 << 10, 1 << 20
# Contestants of idle-clients: every library with its defaults, and tungstenite also with a small read buffer.
PLAIN = ("raw", "wspeer", "tung", "tung8k", "fastws", "lws", "wslay", "websocketpp")
# Contestants of conns and queued.
GROWING = ("raw", "wspeer", "wspeer-late", "tung", "wslay")


def many(name, kind, about, steps, options, only=()):
    """One scenario for each of several sizes: `steps` are the sizes, `options` turns one into the options."""
    return [Scenario(f"{name}-{step}", kind, about.format(f"{step:,}"), options(step), only) for step in steps]


SCENARIOS = {
    s.name: s
    for s in [
        Scenario(
            "W1c", "client", "frames of 32 x 64 B: put, flush, 4 ms sleep, poll until all are back", frames(64, 32)
        ),
        Scenario("W1t", "client", "tight loop, 64 B, window 32", tight(64, 32)),
        Scenario("W3ac", "client", "frames of 4 x 64 KiB", frames(KIB64, 4)),
        Scenario("W3bc", "client", "frames of 1 x 1 MiB", frames(MIB, 1)),
        Scenario("W3at", "client", "tight loop, 64 KiB, window 8", tight(KIB64, 8)),
        Scenario("idle", "client", "one poll with nothing to read", {"mode": "idle"}),
        Scenario("W1", "server", "1 connection, 64 B, window 32", echo(1, 32, 64)),
        Scenario("W1b", "server", "1 connection, bursts of 32 x 64 B", echo(1, 32, 64, "burst")),
        Scenario("W2", "server", "100 connections, 64 B, window 8", echo(100, 8, 64)),
        Scenario("W3a", "server", "1 connection, 64 KiB, window 8", echo(1, 8, KIB64)),
        Scenario("W3b", "server", "1 connection, 1 MiB, window 2", echo(1, 2, MIB)),
        Scenario(
            "W4",
            "server",
            "256 B to 1,000 connections at 60 Hz",
            {"mode": "fanout", "len": 256, "conns": 1000, "hz": 60, "warm": 1},
        ),
        Scenario("wss-W1c", "tls", "wss, frames of 32 x 64 B", frames(64, 32)),
        Scenario("wss-W3ac", "tls", "wss, frames of 4 x 64 KiB", frames(KIB64, 4)),
        Scenario("wss-W3bc", "tls", "wss, frames of 1 x 1 MiB", frames(MIB, 1)),
        *many(
            "idle-clients",
            "hold",
            "{} connections after one message each",
            (100, 1_000, 10_000),
            lambda n: {"conns": n},
            PLAIN,
        ),
        *many(
            "conns", "server", "{} connections, 64 B, window 8", (1, 10, 100, 1_000), lambda n: echo(n, 8, 64), GROWING
        ),
        *many(
            "queued",
            "client",
            "{} messages of 64 B put before the flush",
            (1, 10, 100, 1_000, 10_000, 100_000),
            burst,
            GROWING,
        ),
        Scenario(
            "polls-small",
            "client",
            "thread CPU of single polls, client, frames of 32 x 64 B",
            frames(64, 32, histogram=True),
            ("wspeer",),
        ),
        Scenario(
            "polls-64k",
            "client",
            "thread CPU of single polls, client, frames of 4 x 64 KiB",
            frames(KIB64, 4, histogram=True),
            ("wspeer",),
        ),
        Scenario(
            "polls-1m",
            "client",
            "thread CPU of single polls, client, frames of 1 x 1 MiB",
            frames(MIB, 1, histogram=True),
            ("wspeer",),
        ),
        Scenario(
            "polls-server",
            "server",
            "thread CPU of single polls, server, 1,000 connections, 64 B, window 8",
            echo(1000, 8, 64, histogram=True),
            ("wspeer",),
        ),
        Scenario(
            "polls-fanout",
            "server",
            "thread CPU of single polls, server, 256 B to 1,000 connections at 60 Hz",
            {"mode": "fanout", "len": 256, "conns": 1000, "hz": 60, "warm": 1, "histogram": True},
            ("wspeer", "wspeer-now"),
        ),
        Scenario(
            "polls-flood",
            "client",
            "thread CPU of single polls, client, frames of 50,000 x 64 B",
            frames(64, 50_000, histogram=True),
            ("wspeer",),
        ),
        Scenario(
            "counts-client",
            "counts",
            "per 64 B message, client, frames of 32",
            counted("client", frames(64, 32, 8000)),
            rounds=3,
        ),
        Scenario(
            "counts-server",
            "counts",
            "per 64 B message, server, bursts of 32",
            counted("server", echo(1, 32, 64, "burst")),
            rounds=3,
        ),
    ]
}
