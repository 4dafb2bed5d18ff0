"""Programs that are controlled by lines, and test cases."""
import contextlib
import json
import os
import pathlib
import queue
import shutil
import socket
import string
import subprocess
import threading
import time
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
WORK = ROOT / "build" / "peers"
# Without the proxies configured on this machine.
ENV = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
ENV |= {"NODE_PATH": str(ROOT / "build/node/node_modules"), "PATH": os.environ["PATH"] + ":/usr/sbin"}
PYTHON = str(ROOT / "build/venv/bin/python")

CLIENTS = {
    "wspeer": [str(ROOT / "build/tests/peer_client")],
    "ws": ["node", str(HERE / "node_client.js")],
    "websockets": [PYTHON, str(HERE / "python_client.py")],
}
SERVERS = {
    "wspeer": [str(ROOT / "build/tests/peer_server")],
    "ws": ["node", str(HERE / "node_server.js")],
    "websockets": [PYTHON, str(HERE / "python_server.py")],
}

failures = 0


class Settings(string.Template):
    """A settings file with @names to be replaced."""

    delimiter = "@"


class Wrong(Exception):
    """The output is not what was expected."""


@contextlib.contextmanager
def case(name):
    """One test: passes unless an error is raised in it. `.failed` of its result tells afterwards."""
    global failures
    outcome = types.SimpleNamespace(failed=False)
    try:
        yield outcome
    except Exception as error:  # a mistake in a test is a failed test
        failures += 1
        outcome.failed = True
        print(f"not ok - {name} ({type(error).__name__}: {error})", flush=True)
    else:
        print(f"ok - {name}", flush=True)


def same(what, seen, wanted):
    if seen != wanted:
        raise Wrong(f"{what}: {seen!r} instead of {wanted!r}")


def has(event, /, **wanted):
    """Checks the fields of an event."""
    wrong = {name: event.get(name) for name, value in wanted.items() if event.get(name) != value}
    if wrong:
        raise Wrong(f"{wrong} instead of { {name: wanted[name] for name in wrong} } in {event}")


class Lines:
    """A process and the lines that it prints."""

    def __init__(self, command, log, stdin=subprocess.PIPE):
        WORK.mkdir(parents=True, exist_ok=True)
        with open(WORK / f"{log}.log", "a") as errors:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8", env=ENV, cwd=ROOT
            )
        self.name = log
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line(self, limit=15):
        """The next line; None at the end of its output."""
        try:
            return self.lines.get(timeout=limit)
        except queue.Empty:
            raise Wrong(f"{self.name} printed nothing for {limit} s") from None

    def end(self):
        """Closes its input, which ends the program. Returns its exit code."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        return self.wait()

    def wait(self, limit=10):
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Wrong(f"{self.name} did not end") from None


class Peer(Lines):
    """A program with the commands and events of tests/c/peer.h."""

    # A client without a connection.
    idle = False

    def tell(self, verb, header=(), **fields):
        texts = [f"header={line}" for line in header] + [
            f"{name}={value}" for name, value in fields.items() if value is not None
        ]
        self.write("\t".join([verb, *texts]))

    def any_event(self, limit=15):
        line = self.line(limit)
        if line is None:
            raise Wrong(f"{self.name} ended with {self.process.wait(10)}")
        event = json.loads(line)
        self.idle = event["event"] == "closed"
        return event

    def event(self, kind, limit=15):
        event = self.any_event(limit)
        if event["event"] != kind:
            raise Wrong(f"{self.name} reported {event} instead of {kind}")
        return event

    def forget(self):
        """Drops events left by an earlier case."""
        while not self.lines.empty():
            self.lines.get()


@contextlib.contextmanager
def server(kind, header=(), **settings):
    """A server on a free port, `.port`."""
    fields = [f"header={line}" for line in header] + [f"{name}={value}" for name, value in settings.items()]
    peer = Peer([*SERVERS[kind], *fields], f"{kind}-server")
    try:
        peer.port = peer.event("listening")["port"]
        peer.url = f"{'wss' if 'cert' in settings else 'ws'}://localhost:{peer.port}"
        yield peer
    finally:
        peer.end()


# Clients that wait for their next connection.
_idle_clients = {}


@contextlib.contextmanager
def connection(kind, url, limit=15, **settings):
    """A client that the program is asked to connect; `.first` is its first event."""
    peer = _idle_clients.pop(kind, None) or Peer(CLIENTS[kind], f"{kind}-client")
    peer.idle = False
    try:
        peer.tell("connect", url=url, **settings)
        peer.first = peer.any_event(limit)
        yield peer
    finally:
        if peer.idle:
            _idle_clients[kind] = peer
        else:
            peer.end()


def end_clients():
    for peer in _idle_clients.values():
        peer.end()
    _idle_clients.clear()


def opened(peer):
    """The first event of a client, which must be open."""
    if peer.first["event"] != "open":
        raise Wrong(f"did not open: {peer.first}")
    return peer.first


def ended(peer):
    """The first event of a client, which must be its end."""
    if peer.first["event"] != "closed":
        raise Wrong(f"did not end: {peer.first}")
    return peer.first


@contextlib.contextmanager
def session(kind, to, path="/", url=None, **settings):
    """A client and a server that are connected: (client, server, the open event of each). The case has to close it."""
    to.forget()
    with connection(kind, (url or to.url) + path, **settings) as peer:
        yield peer, opened(peer), to.event("open")


def echo(peer, to, type, size, crc):
    """A message goes to the server and back: it must be whole at both ends."""
    peer.tell("put", type=type, size=size)
    for end in (to, peer):
        has(end.event("message", 30), type=type, size=size, crc=crc)


def close(peer, to, code=1000, reason="bye"):
    """The client closes, and both ends report it."""
    peer.tell("close", code=code, reason=reason)
    if "wspeer" in to.name:
        has(to.event("close_request"), code=code, reason=reason)
    has(to.event("closed"), code=code, reason=reason)
    has(peer.event("closed"), code=code)


def has_ipv6():
    with socket.socket(socket.AF_INET6) as sock, contextlib.suppress(OSError):
        sock.bind(("::1", 0))
        return True
    print("SKIP: this machine has no IPv6")
    return False


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def daemon(name, make):
    """A foreign program that cannot choose a free port: make(port) is its command, and other ports are tried if one is
    taken meanwhile."""
    for _ in range(5):
        port = free_port()
        process = Lines(make(port), name, stdin=subprocess.DEVNULL)
        if _listens(process.process, port):
            break
    else:
        raise Wrong(f"{name} does not start: see build/peers/{name}.log")
    try:
        yield port
    finally:
        process.process.terminate()
        process.wait()


def _listens(process, port):
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
        process.wait()
    return False


def have(*tools):
    """Whether all are installed. A missing one is a failure in CI, and a printed skip elsewhere."""
    missing = [tool for tool in tools if not (os.path.exists(tool) or shutil.which(tool, path=ENV["PATH"]))]
    for tool in missing:
        if os.environ.get("CI"):
            with case(f"{tool} is here"):
                raise Wrong("missing")
        else:
            print(f"SKIP: {tool} is missing")
    return not missing
