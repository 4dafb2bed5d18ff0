"""Runs one contestant against the load program once, and returns the measurements as a dict. The contestant runs on
core 0, the load program on core 1."""
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench"
CONTESTANT_CORE, FAR_CORE = {0}, {1}
DATA_CALLS = "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,poll,ppoll,epoll_wait,epoll_pwait,epoll_pwait2,select,pselect6"


class Broken(Exception):
    """A contestant or the load program ended with an error."""


def start(words, core, wrap=(), env=None):
    words = [*wrap, *(str(word) for word in words)]
    return subprocess.Popen(
        words, cwd=OUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})}, preexec_fn=lambda: os.sched_setaffinity(0, core),
    )


def program(words):
    return [OUT / words[0], *words[1:]]


def flags(options, names):
    return [word for name in names if name in options for word in (f"--{name}", options[name])]


def finish(process, seconds):
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Broken(f"did not end within {seconds} s") from None
    if process.returncode != 0:
        raise Broken(err.strip()[-300:] or f"code {process.returncode}")
    return out


def stop(process, number=signal.SIGTERM):
    """Ends a server, also one under strace, which must not be killed so that it can write its table. Returns the
    server's last output."""
    if process.poll() is None:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in [int(child) for child in children] or [process.pid]:
            os.kill(pid, number)
    try:
        return process.communicate(timeout=20)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def line(process, what):
    text = process.stdout.readline().strip()
    if not text:
        process.kill()
        raise Broken(f"no {what}: {process.communicate()[1].strip()[-300:]}")
    return text


def port(process):
    return line(process, "port").split()[1]


class Far:
    """Runs the echo server of the load program, for clients."""

    def __init__(self, tls=False):
        cert = ["--cert", OUT / "cert" / "cert.pem", "--key", OUT / "cert" / "key.pem"] if tls else []
        self.process = start([OUT / "load", "echo", *cert], FAR_CORE)

    def __enter__(self):
        return port(self.process)

    def __exit__(self, *_):
        stop(self.process)


def client(contestant, options, length, tls=False, wrap=(), env=None, limit=60):
    """`length` is ["--seconds", n] or ["--count", messages]."""
    with Far(tls) as far:
        words = program(contestant.command("client")) + [
            "--port",
            far,
            *(["--ca", OUT / "cert" / "cert.pem"] if tls else []),
        ]
        words += flags(options, ["mode", "len", "burst", "sleep-us"]) + (
            ["--histogram"] if options.get("histogram") else []
        )
        return json.loads(finish(start(words + length, CONTESTANT_CORE, wrap, env), limit))


def server(contestant, options, length, wrap=(), env=None, limit=90):
    words = program(contestant.command("server")) + (["--histogram"] if options.get("histogram") else [])
    words += ["--fanout", options["len"], "--hz", options["hz"]] if options["mode"] == "fanout" else []
    process = start(words, CONTESTANT_CORE, wrap, env)
    try:
        out = finish(start(drive(contestant, process, options) + length, FAR_CORE), limit)
        last = stop(process) if options.get("histogram") else ""
        return json.loads(out or "{}") | json.loads(last or "{}")
    except Broken as error:
        raise Broken(
            f"{error}{'' if process.poll() is None else '; the server: ' + process.stderr.read().strip()[-300:]}"
        ) from None
    finally:
        if not process.stdout.closed:
            stop(process)


def drive(contestant, process, options):
    words = [
        OUT / "load",
        "drive",
        "--port",
        port(process),
        "--pid",
        process.pid,
        *(["--raw"] if contestant.program == "raw" else []),
    ]
    return words + flags(options, ["mode", "conns", "window", "len"])


def counts(contestant, options):
    """Per message: user instructions, data system calls and allocations, as the difference of two run lengths."""
    each = options["burst"] if options["role"] == "client" else options["window"]
    run = client if options["role"] == "client" else server

    def difference(total):
        few, many = options["short"] * each, options["long"] * each
        return (total(many) - total(few)) / (many - few)

    def instructions(messages):
        path = OUT / "callgrind.out"
        run(
            contestant,
            options,
            ["--count", messages],
            wrap=["valgrind", "--tool=callgrind", f"--callgrind-out-file={path}"],
            limit=300,
        )
        return int(re.search(r"^(?:summary|totals): (\d+)", path.read_text(), re.M).group(1))

    def system_calls(messages):
        path = OUT / "strace.out"
        run(
            contestant,
            options,
            ["--count", messages],
            wrap=["strace", "-f", "-c", "-o", str(path), "-e", f"trace={DATA_CALLS}"],
            limit=300,
        )
        return sum(
            int(row.split()[3])
            for row in path.read_text().splitlines()
            if re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+\d+", row) and "total" not in row
        )

    def allocations(messages):
        with Allocations() as counter:
            run(contestant, options, ["--count", messages], env=counter.env)
            return counter.read()[0]

    return {
        "instructions": difference(instructions),
        "system_calls": difference(system_calls),
        "allocations": difference(allocations),
    }


class Allocations:
    """The counter of harness/allocs.c: (allocations, live bytes)."""

    def __init__(self):
        self.path = OUT / "allocs.count"
        self.env = {"LD_PRELOAD": str(OUT / "allocs.so"), "BENCH_ALLOCS": str(self.path)}

    def __enter__(self):
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_):
        self.path.unlink(missing_ok=True)

    def read(self):
        return struct.unpack("<Qq", self.path.read_bytes()[:16])


def anonymous_bytes(pid):
    return int(re.search(r"RssAnon:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def hold(contestant, options):
    """Memory per connection, after connecting and after one message each, and the cost of a poll of silent connections.
    """
    with Allocations() as counter:
        process = start(program(contestant.command("server")), CONTESTANT_CORE, env=counter.env)
        far = None
        try:
            words = drive(contestant, process, {"mode": "hold", "len": 64, "window": 1, "conns": options["conns"]})
            states = [(anonymous_bytes(process.pid), counter.read()[1])]
            far = start(words, FAR_CORE)
            for state in ("connected", "idle"):
                line(far, state)
                time.sleep(1)  # a few polls without traffic, so that buffers can shrink
                states.append((anonymous_bytes(process.pid), counter.read()[1]))
                if state == "connected":
                    far.stdin.write("\n")
                    far.stdin.flush()
            process.send_signal(signal.SIGUSR1)
            result = json.loads(line(process, "cost of an idle poll"))
        finally:
            if far:
                far.kill()
                far.communicate()
            stop(process)
    (rss, live), (rss1, live1), (rss2, live2) = states
    n = options["conns"]
    return {
        **result,
        "rss_connected": (rss1 - rss) / n,
        "heap_connected": (live1 - live) / n,
        "rss_after": (rss2 - rss) / n,
        "heap_after": (live2 - live) / n,
    }


def run(contestant, scenario, seconds):
    length = ["--seconds", seconds, "--warm", scenario.options.get("warm", min(0.3, seconds))]
    if scenario.kind == "client":
        return client(contestant, scenario.options, length)
    if scenario.kind == "tls":
        return client(contestant, scenario.options, length, tls=True)
    if scenario.kind == "server":
        return server(contestant, scenario.options, length)
    if scenario.kind == "hold":
        return hold(contestant, scenario.options)
    return counts(contestant, scenario.options)
