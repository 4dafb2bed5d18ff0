"""What the tests of the command line share: programs with pipes or a terminal, and servers to talk to."""

import contextlib
import fcntl
import json
import logging
import os
import pathlib
import pty
import queue
import re
import signal
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time
import traceback

from websockets.sync.server import serve

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WSPEER = os.environ["WSPEER"]
# A test that takes longer hangs.
LIMIT = 90
# Handlers end by exceptions when their connection does, which is no fault here.
logging.disable()


def until(condition, what, program=None):
    """Waits until something is true. Returns it."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"{what} did not happen; {program and program.all()!r}")


def stands_still(figure, checks=40):
    """Whether a figure above 0 is the same at so many checks in a row. In between all others may work."""
    first = figure()
    for _ in range(checks):
        time.sleep(0.005)
        if figure() != first:
            return False
    return first > 0


def unsent(connection):
    """Bytes that the system has taken of a connection and not sent."""
    return struct.unpack("i", fcntl.ioctl(connection.socket.fileno(), termios.TIOCOUTQ, bytes(4)))[0]


def unread(pipe):
    """Bytes in a pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4)))[0]


class Program:
    """`wspeer` with pipes, whose outputs are read all the time, unless `reads` is false."""

    def __init__(self, *arguments, env=None, reads=True, cwd=None):
        self.process = subprocess.Popen(
            [WSPEER, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(plain_env(), **(env or {})),
            cwd=cwd,
        )
        self.out, self.err = bytearray(), bytearray()
        self.threads = []
        if reads:
            self.read()

    def read(self):
        for pipe, kept in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            thread = threading.Thread(target=self.collect, args=(pipe, kept), daemon=True)
            thread.start()
            self.threads.append(thread)

    @staticmethod
    def collect(pipe, kept):
        while block := pipe.read1(1 << 16):
            kept += block

    def all(self):
        return bytes(self.out), bytes(self.err)

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end_input(self):
        self.process.stdin.close()

    def seen(self, pattern, where="out"):
        """Waits until an output has this. Returns the match."""
        kept = getattr(self, where)
        return until(lambda: re.search(pattern, bytes(kept)), f"{pattern!r} in {where}", self)

    def wait(self):
        """Waits until it has ended and its outputs are read. Returns the exit code, negative for a signal."""
        code = self.process.wait(LIMIT)
        for thread in self.threads:
            thread.join(LIMIT)
        return code

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.wait()

    def rss_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def switches(self):
        """How often its threads have gone to sleep."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/status")
        return sum(int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", task.read_text())[1]) for task in tasks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


class InTerminal(Program):
    """`wspeer` in a pseudo-terminal; `out` is what it shows."""

    def __init__(self, *arguments, env=None):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [WSPEER, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(plain_env(), TERM="xterm-256color", **(env or {})),
            start_new_session=True,
            # So that Ctrl+C is a signal.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.out = bytearray()
        self.threads = [threading.Thread(target=self.show, daemon=True)]
        self.threads[0].start()

    def show(self):
        # The end of a terminal is an error.
        with contextlib.suppress(OSError):
            while block := os.read(self.master, 1 << 16):
                self.out += block

    def all(self):
        return bytes(self.out)

    def say(self, data):
        os.write(self.master, data)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


def plain_env():
    return {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "WSPEER_LOG")}


def run(*arguments, data=b"", env=None):
    """Runs it to its end with this input. Returns exit code, output and errors."""
    done = subprocess.run(
        [WSPEER, *arguments], input=data, capture_output=True, timeout=LIMIT, env=dict(plain_env(), **(env or {}))
    )
    return done.returncode, done.stdout, done.stderr.decode()


class Peer:
    """A server of Python's "websockets". `handler(connection)` talks; what `note()` keeps can be waited for."""

    def __init__(self, handler, **settings):
        self.notes = queue.Queue()
        self.handler = handler
        self.server = serve(self.talk, "127.0.0.1", 0, max_size=None, **{"compression": None, **settings})
        scheme = "wss" if settings.get("ssl") else "ws"
        self.port = self.server.socket.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def talk(self, connection):
        try:
            self.handler(connection)
        finally:
            # Once the closing handshake is over.
            connection.close()
            self.notes.put((connection.protocol.close_code, connection.protocol.close_reason))

    def note(self):
        return self.notes.get(timeout=LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def echo(connection):
    for message in connection:
        connection.send(message)


class Node:
    """A server of Node's "ws"."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["node", str(ROOT / "tests/cli/peer.js"), "server"], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.url = f"ws://127.0.0.1:{self.seen('port')[1]}"

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def seen(self, what):
        while True:
            line = json.loads(self.lines.get(timeout=LIMIT))
            if line[0] == what:
                return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def certificate(folder):
    """A self-signed certificate for 127.0.0.1: cert.pem and key.pem. Returns a context of a server with it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    names += ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def main(groups):
    """Runs the test functions of modules. Returns the exit code."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = ran = 0
    for group in groups:
        for name, test in list(vars(group).items()):
            if not name.startswith("test_"):
                continue
            title = f"{group.__name__}: {name.removeprefix('test_').replace('_', ' ')}"
            if wanted not in title:
                continue
            ran += 1
            try:
                test()
                print(f"ok - cli: {title}", flush=True)
            except Exception as error:
                failed += 1
                print(f"not ok - cli: {title}: {error}", flush=True)
                traceback.print_exc(file=sys.stdout)
    return int(failed > 0 or ran == 0)
