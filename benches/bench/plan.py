"""The contestants and the scenarios."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contestant:
    name: str
    program: str
    variant: str = ""
    client: bool = True
    server: bool = True
    tls: bool = False
    about: str = ""

    def command(self, role):
        return [self.program, role, *(["--variant", self.variant] if self.variant else [])]


CONTESTANTS = {
    c.name: c
    for c in [
        Contestant("raw", "raw", about="recv and send of the same bytes, no WebSocket at all: the limit"),
        Contestant("wspeer", "wspeer", tls=True, about="WS_COALESCE, one ws_flush a frame, ws_get_packet"),
        Contestant("wspeer-batch", "wspeer", "batch", about="the same, with ws_get_packets, 64 at a time"),
        Contestant("wspeer-now", "wspeer", "now", about="without WS_COALESCE: every put is written at once"),
        Contestant("wspeer-late", "wspeer", "late", server=False, about="takes messages only when all wait in the queue (growth only)"),
        Contestant("tung", "tungstenite", tls=True, about="as it comes: `write` a message, one `flush` a frame; mio; rustls with ring for wss"),
        Contestant("tung8k", "tungstenite", "8k", about="the same, with a read buffer of 8 KiB"),
        Contestant("tungsend", "tungstenite", "send", about="`send`, that is write and flush, a message"),
    ]
}


@dataclass(frozen=True)
class Scenario:
    name: str
    kind: str  # client, server, tls, hold, counts
    about: str
    options: dict = field(default_factory=dict)
    only: tuple = ()  # contestants; empty: all that can, but wspeer-late
    once: bool = False  # what a second round would only repeat

    def takes(self, contestant):
        if self.only:
            return contestant.name in self.only
        if contestant.name == "wspeer-late":
            return False
        role = self.options.get("role", self.kind)
        return {"client": contestant.client, "server": contestant.server, "tls": contestant.tls, "hold": contestant.server}[role]


def frames(length, burst, **more):
    return {"mode": "frame", "len": length, "burst": burst, "sleep-us": 4000, **more}


def tight(length, window):
    return {"mode": "tight", "len": length, "burst": window}


def echo(conns, window, length, mode="window"):
    return {"mode": mode, "conns": conns, "window": window, "len": length}


KIB64, MIB = 64 << 10, 1 << 20
GROWING = ("raw", "wspeer", "tung", "wslay")
SCENARIOS = {
    s.name: s
    for s in [
        Scenario("W1c", "client", "frames of 32 x 64 B: put, flush, 4 ms sleep, poll until all are back", frames(64, 32)),
        Scenario("W1t", "client", "tight loop, 64 B, window 32", tight(64, 32)),
        Scenario("W3ac", "client", "frames of 4 x 64 KiB", frames(KIB64, 4)),
        Scenario("W3bc", "client", "frames of 1 x 1 MiB", frames(MIB, 1)),
        Scenario("W3at", "client", "tight loop, 64 KiB, window 8", tight(KIB64, 8)),
        Scenario("idle", "client", "one poll with nothing to read", {"mode": "idle"}),
        Scenario("W1b", "server", "1 connection, bursts of 32 x 64 B", echo(1, 32, 64, "burst")),
        Scenario("W2", "server", "100 connections, 64 B, window 8", echo(100, 8, 64)),
        Scenario("W3a", "server", "1 connection, 64 KiB, window 8", echo(1, 8, KIB64)),
        Scenario("W3b", "server", "1 connection, 1 MiB, window 2", echo(1, 2, MIB)),
        Scenario("counts-client", "counts", "per 64 B message, client, frames of 32", {"role": "client", "short": 100, "long": 600, **frames(64, 32)}, once=True),
        Scenario("counts-server", "counts", "per 64 B message, server, bursts of 32", {"role": "server", "short": 100, "long": 600, **echo(1, 32, 64, "burst")}, once=True),
    ]
}
