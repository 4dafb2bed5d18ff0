"""Measures one server with many clients: the server and its clients are separate processes, on separate cores where
there are two. All costs are CPU time."""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import select
import subprocess
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "build" / "bench"
CERT = BENCH / "cert"
# Connections of one process of clients. Each process has an own source address, as an address has some 28,000 ports.
PER_PROCESS = 5000
# Descriptors that a process needs beside its connections.
SPARE_FILES = 64
# A command that is not answered for so long has failed.
PATIENCE_S = 90
PING_S = 22
MESSAGE, BROADCAST, COMPRESSED, ROOM, HZ, FRAMES_HZ = 32, 64, 200, 10, 20, 60


class Broken(Exception):
    """A program ended with an error or does not answer."""


@dataclasses.dataclass(frozen=True)
class Contestant:
    name: str
    command: tuple
    about: str
    raw: bool = False
    tls: bool = False
    deflate: bool = False
    # Measured in frames: needs server_more() of benches/harness/bench.h.
    frames: bool = False
    publishes: bool = False
    # Only up to this number of connections.
    most: int = 1_000_000


@dataclasses.dataclass(frozen=True)
class Plan:
    frame_seconds: float
    # Broadcasts after a second of rest, and those that follow at once.
    rested: int
    repeated: int
    # Time after which memory counts as that of idle connections.
    settle_s: float = 1.5
    # Percentages of the clients that send.
    active: tuple = (1, 10)


def contestants():
    wspeer = (BENCH / "wspeer", "scale", "--variant")
    node = ("node", ROOT / "benches" / "contestants" / "node_ws.mjs", ROOT / "build" / "node")
    own = {"frames": True, "publishes": True}
    rows = [
        Contestant(
            "raw", (BENCH / "raw", "scale"), "TCP with epoll, no WebSocket", raw=True, frames=True, publishes=True
        ),
        Contestant("minimal", (BENCH / "minimal", "scale"), "C with epoll, no checks", publishes=True),
        Contestant("wspeer", (*wspeer, "now,quiet"), "wspeer", **own),
        Contestant("wspeer-wss", (*wspeer, "now,quiet"), "wspeer, wss", tls=True, **own),
        Contestant(
            "wspeer-deflate",
            (*wspeer, "now,quiet,deflate,reset"),
            "wspeer, permessage-deflate, WS_SERVER_NO_CONTEXT_TAKEOVER",
            deflate=True,
        ),
        Contestant(
            "wspeer-takeover", (*wspeer, "now,quiet,deflate"), "wspeer, permessage-deflate", deflate=True, most=5000
        ),
        Contestant("tung8k", (BENCH / "tungstenite", "scale", "--variant", "8k"), "tungstenite, mio, buffers of 8 KiB"),
        Contestant("fastws", (BENCH / "fastwebsockets", "scale"), "fastwebsockets, hyper, tokio"),
        Contestant("lws", (BENCH / "lws", "scale"), "libwebsockets, poll()", most=5000),
        Contestant("lws-uv", (BENCH / "lws", "scale", "--variant", "uv"), "libwebsockets, libuv"),
        Contestant(
            "lws-uv-wss",
            (BENCH / "lws", "scale", "--variant", "uv"),
            "libwebsockets, libuv, wss",
            tls=True,
            most=5000,
        ),
        Contestant("node", node, "Node, ws"),
        Contestant("node-wss", node, "Node, ws, wss", tls=True, most=5000),
    ]
    return {row.name: row for row in rows}


def files_needed(size):
    """The hard limit of descriptors that the server's process needs."""
    return size + SPARE_FILES


def can_open(size):
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= files_needed(size)


class Program:
    """A program that answers each line with a line of JSON."""

    def __init__(self, words, core):
        cores = sorted(os.sched_getaffinity(0))
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            preexec_fn=lambda: os.sched_setaffinity(0, {cores[core % len(cores)]}),
        )
        self.rest = b""

    def line(self):
        while b"\n" not in self.rest:
            ready = select.select([self.process.stdout], [], [], PATIENCE_S)[0]
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                self.process.kill()
                raise Broken(self.process.communicate()[1].decode()[-300:] or "does not answer")
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def tell(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise Broken(self.process.communicate()[1].decode()[-300:]) from None

    def answer(self):
        return json.loads(self.line())

    def ask(self, line):
        self.tell(line)
        return self.answer()

    def end(self):
        self.process.kill()
        self.process.communicate()


class Crowd:
    """The clients, in one or more processes."""

    def __init__(self, contestant, size, port):
        self.contestant = contestant
        self.sizes = [min(PER_PROCESS, size - first) for first in range(0, size, PER_PROCESS)]
        words = [BENCH / "load", "crowd", "--port", port, "--len", MESSAGE]
        words += ["--raw"] * contestant.raw + ["--tls"] * contestant.tls + ["--deflate"] * contestant.deflate
        if contestant.deflate:
            words += ["--payload", compressed(MESSAGE).hex()]
        self.programs = [
            Program([*words, "--conns", size, "--from", f"127.0.0.{2 + number}"], core=1)
            for number, size in enumerate(self.sizes)
        ]

    def ask(self, *lines):
        """One line for each program, or the same for all. Returns the sums of their answers."""
        lines = lines * len(self.programs) if len(lines) == 1 else lines
        for program, line in zip(self.programs, lines):
            program.tell(line)
        answers = [program.answer() for program in self.programs]
        return {key: sum(answer[key] for answer in answers) for key in answers[0]}

    def send(self, share, hz=HZ):
        self.before = [program.ask("await 0 0") for program in self.programs]
        for program, size in zip(self.programs, self.sizes):
            program.tell(f"send {max(1, round(size * share))} {hz}")

    def received(self):
        got = self.ask("await 0 0")
        return got["bytes"] / MESSAGE if self.contestant.raw else got["messages"]

    def stop(self):
        """Stops the senders, and waits for the echoes."""
        for program in self.programs:
            program.tell("stop")
        sent = [program.answer()["sent"] - before["sent"] for program, before in zip(self.programs, self.before)]
        self.ask(*(self.until(more, MESSAGE, before) for more, before in zip(sent, self.before)))

    def until(self, more, length, answer):
        """The command that waits for so many messages beyond `answer`."""
        if self.contestant.raw:
            return f"await 0 {answer['bytes'] + more * length}"
        return f"await {answer['messages'] + more} 0"

    def end(self):
        for program in self.programs:
            program.end()


def compressed(length):
    """A message as permessage-deflate sends it (RFC 7692 section 7.2.1)."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(b"x" * length) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def cpu_s(pid):
    """CPU time of a process, all its threads, as clock_getcpuclockid() would name the clock."""
    return time.clock_gettime(~pid << 3 | 2)


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1)) * 1024


def slab_bytes():
    """Memory of the kernel's objects, of the whole machine."""
    return int(re.search(r"Slab:\s+(\d+) kB", pathlib.Path("/proc/meminfo").read_text()).group(1)) * 1024


def measure(contestant, size, plan):
    """Everything but topics."""
    with started(contestant, size, plan) as run:
        run.connect()
        if contestant.frames:
            run.idle()
            for percent in plan.active:
                run.active(percent)
        if contestant.deflate:
            run.everyone_sends()
        run.broadcast()
        run.rest()
        return run.result


def measure_topics(contestant, size, plan):
    with started(contestant, size, plan) as run:
        run.connect()
        return run.publish()


def measure_pings(size, plan):
    """Idle frames of wspeer in which each client gets a ping: the first comes 20 s after its connection."""
    pinging = Contestant("wspeer", (BENCH / "wspeer", "scale", "--variant", "now"), "", frames=True)
    with started(pinging, size, plan) as run:
        run.connect()
        cpu = cpu_s(run.pid)
        row = run.frames(PING_S)
        row["cpu_percent"] = (cpu_s(run.pid) - cpu) / PING_S * 100
        return row


@contextlib.contextmanager
def started(contestant, size, plan):
    words = [*contestant.command]
    words += ["--cert", CERT / "cert.pem", "--key", CERT / "key.pem"] if contestant.tls else []
    server, crowd = Program(words, core=0), None
    try:
        port = server.line().split()[1]
        crowd = Crowd(contestant, size, port)
        crowd.ask("await 0 0")  # all have begun
        yield Run(contestant, size, plan, server, crowd)
    finally:
        for programs in (crowd, server):
            if programs:
                programs.end()


class Run:
    def __init__(self, contestant, size, plan, server, crowd):
        self.contestant, self.size, self.plan, self.server, self.crowd = contestant, size, plan, server, crowd
        self.pid = server.process.pid
        self.result = {}

    def connect(self):
        self.empty, slab = resident_bytes(self.pid), slab_bytes()
        cpu, wall = cpu_s(self.pid), time.monotonic()
        self.crowd.ask("connect")
        self.result["accept_us"] = (cpu_s(self.pid) - cpu) / self.size * 1e6
        self.result["accept_wall_s"] = time.monotonic() - wall
        time.sleep(self.plan.settle_s)
        self.result["resident"] = self.per_connection()
        # The sockets of both ends are on this machine.
        self.result["kernel"] = (slab_bytes() - slab) / self.size / 2

    def per_connection(self):
        return (resident_bytes(self.pid) - self.empty) / self.size

    def frames(self, seconds):
        answer = self.server.ask(f"frames {FRAMES_HZ} {seconds}")
        return {
            "frame_us": answer["frame_ns"] / 1e3,
            "median_us": answer["median_ns"] / 1e3,
            "longest_poll_us": answer["longest_ns"] / 1e3,
            "polls": answer["polls"],
            "frames": answer["frames"],
            "late": answer["late"],
        }

    def idle(self):
        self.result["poll_ns"] = self.server.ask("polls 4000")["poll_ns"]
        self.result["idle"] = self.frames(self.plan.frame_seconds)

    def active(self, percent):
        share = percent / 100
        before = self.per_connection()
        self.crowd.send(share)
        # What is measured begins when all senders are at work.
        time.sleep(0.3)
        cpu, wall, got = cpu_s(self.pid), time.monotonic(), self.crowd.received()
        row = self.frames(self.plan.frame_seconds)
        messages, cpu, wall = self.crowd.received() - got, cpu_s(self.pid) - cpu, time.monotonic() - wall
        row |= {
            "messages": messages,
            "message_us": cpu / messages * 1e6,
            "cpu_percent": cpu / wall * 100,
            "resident_more": (self.per_connection() - before) / share,
        }
        self.result[f"active_{percent}"] = row
        self.crowd.stop()

    def everyone_sends(self):
        """One message from each client, so that compression has been used in both directions."""
        wanted = self.crowd.received() + self.size
        self.crowd.send(1, hz=1)
        while self.crowd.received() < wanted:
            time.sleep(0.01)
        self.crowd.stop()

    def deliver(self, command, length, calls=1):
        """Sends one message to each client. Returns the server's answer, with the CPU time for each message."""
        at = [program.ask("await 0 0") for program in self.crowd.programs]
        cpu = cpu_s(self.pid)
        answer = self.server.ask(command)
        self.crowd.ask(*(self.crowd.until(size, length, each) for size, each in zip(self.crowd.sizes, at)))
        answer["message_us"] = (cpu_s(self.pid) - cpu) / self.size * 1e6
        if self.contestant.frames:
            polls = self.server.ask("longest")
            answer |= {"polls": polls["calls"], "longest_poll_us": polls["longest_ns"] / 1e3}
        return answer

    def broadcast(self):
        length = COMPRESSED if self.contestant.deflate else BROADCAST
        rested = []
        for _ in range(self.plan.rested):
            time.sleep(1)
            rested.append(self.deliver(f"put {length}", length))
        repeated = [self.deliver(f"put {length}", length) for _ in range(self.plan.repeated)]
        self.result["broadcast"] = self.summary(repeated)
        if rested:
            self.result["broadcast_rested"] = self.summary(rested)
        self.result["resident_broadcast"] = self.per_connection()

    def publish(self):
        """The memory of a subscription counts its topic too, as each has ten."""
        before, rooms = self.per_connection(), self.size // ROOM
        subscribe_us = self.server.ask("rooms")["rooms_ns"] / self.size / 1e3
        resident = self.per_connection() - before
        runs = [self.deliver(f"publish {rooms} {BROADCAST}", BROADCAST) for _ in range(self.plan.repeated)]
        longest = max(run["longest_ns"] for run in runs) / 1e3
        return {**self.summary(runs), "longest_call_us": longest, "subscribe_us": subscribe_us, "resident": resident}

    def summary(self, runs):
        middle = lambda key: sorted(run[key] for run in runs)[len(runs) // 2]
        row = {"message_us": middle("message_us"), "call_us": middle("call_ns") / 1e3}
        row["longest_call_us"] = max(run["call_ns"] for run in runs) / 1e3
        if "polls" in runs[0]:
            row |= {"polls": middle("polls"), "longest_poll_us": max(run["longest_poll_us"] for run in runs)}
        return row

    def rest(self):
        time.sleep(self.plan.settle_s)
        self.result["resident_rested"] = self.per_connection()
