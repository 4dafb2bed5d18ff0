"""Engines as child processes, and their projects."""

import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "tests" / "engines"
ADDON = ROOT / "build" / "godot-addon" / "addons" / "wspeer"
GODOT = str(ROOT / "build" / "godot" / "godot4")
STOCK, OURS = "stock", "ours"
NAMES = {STOCK: ("WebSocketPeer", "WebSocketMultiplayerPeer"), OURS: ("WSPeer", "WSMultiplayerPeer")}
LIMIT = 60
# Output of an engine that reports a fault.
FAULTS = re.compile(r"SCRIPT ERROR|Parse Error|handle_crash|[Ll]eaked|still in use at exit")

failures = 0


def check(good, name, detail=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - {name}{'' if good or detail == '' else f': {detail}'}", flush=True)
    return good


def figure(text):
    print(f"figure: {text}", flush=True)


def quoted(text):
    """A GDScript literal."""
    return json.dumps(text, ensure_ascii=False)


def free_port():
    """A port that nothing listens on, below those that the system gives to clients: one of them could take it before an
    engine does."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as one:
            try:
                one.bind(("0.0.0.0", port))
                return port
            except OSError:
                pass


def await_port(port, server):
    """Waits until an engine listens."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit and not server.ended:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}: {server.text()}")


def project(source, name, kind=OURS):
    """A copy of a project in the work folder with our addon; for the stock kind without it, with our class names
    replaced."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    if kind == OURS:
        (folder / "addons").mkdir(exist_ok=True)
        (folder / "addons" / "wspeer").symlink_to(ADDON)
        (folder / ".godot").mkdir(exist_ok=True)
        (folder / ".godot" / "extension_list.cfg").write_text("res://addons/wspeer/wspeer.gdextension\n")
    else:
        shutil.rmtree(folder / ".godot", ignore_errors=True)
        for script in folder.rglob("*.gd"):
            text = script.read_text()
            for ours, stock in zip(NAMES[OURS], NAMES[STOCK]):
                text = re.sub(rf"\b{ours}\b", stock, text)
            script.write_text(text)
    return folder


class Engine:
    """A running engine. A thread reads its output, so that it never blocks."""

    running = []
    COMMAND = (GODOT, "--headless", "--max-fps", "250")

    def __init__(self, folder, *args, limit=LIMIT, **environment):
        environment = dict(os.environ, HOME=str(WORK / "home"), **environment)
        (WORK / "home").mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [
                "timeout",
                "-s",
                "KILL",
                str(limit),
                *self.COMMAND,
                "--path",
                str(folder),
                *map(str, args),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
        self.folder = folder
        self.lines = []
        self.news = threading.Condition()
        self.ended = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        Engine.running.append(self)

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait(self, pattern, timeout=30, after=0):
        """The match of the first line from that index on which the pattern matches completely, or None."""
        end = time.monotonic() + timeout
        at = after
        with self.news:
            while True:
                while at < len(self.lines):
                    match = re.fullmatch(pattern, self.lines[at])
                    at += 1
                    if match:
                        return match
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    print(f"# never said {pattern!r}:", *self.lines[-40:], sep="\n#   ")
                    return None
                self.news.wait(left)

    def text(self):
        with self.news:
            return "\n".join(self.lines)

    def pid(self):
        """The process id of the engine, the child of timeout."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def finish(self, timeout=30):
        """Waits for its end. Returns the exit code, or None if it does not end."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        self.reader.join(5)
        return code

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.reader.join(5)

    def trace(self):
        """The output of the scripts, without the engine's own lines."""
        return [line for line in self.lines if line and not line.startswith("Godot Engine v")]

    def faults(self):
        return FAULTS.findall(self.text())


class Engine3(Engine):
    """Godot 3.6."""

    COMMAND = (str(ROOT / "build" / "godot" / "godot3"),)


class Remote(Engine):
    """An engine whose objects a test controls: see remote/remote.gd."""

    def __init__(self, kind, *options, **environment):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            folder = project(ROOT / "tests" / "godot" / "remote", f"remote-{kind}", kind)
            super().__init__(folder, *options, "--script", "remote.gd", "--", listener.getsockname()[1], **environment)
            listener.settimeout(20)
            self.sock, _ = listener.accept()
        self.answers = self.sock.makefile("r")
        self.peer, self.multiplayer_peer = NAMES[kind]

    def __call__(self, expression, timeout=40):
        """The value of an expression in the engine."""
        self.sock.settimeout(timeout)
        self.sock.sendall(expression.encode() + b"\n")
        answer = json.loads(self.answers.readline() or '{"error": "the engine has ended"}')
        if "error" in answer:
            raise RuntimeError(f"{expression}: {answer['error']}\n" + "\n".join(self.lines[-10:]))
        return answer["value"]

    def close(self):
        """Ends the engine. Returns the exit code."""
        self.answers.close()
        self.sock.close()
        return self.finish()


def end():
    """Ends running engines, reports faults of any engine, and returns the exit code."""
    for one in Engine.running:
        one.kill()
        if one.faults():
            check(
                False, "an engine without errors", "\n".join([line for line in one.lines if FAULTS.search(line)][:10])
            )
    return 1 if failures else 0
