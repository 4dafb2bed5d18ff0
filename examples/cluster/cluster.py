"""Starts and ends the processes of a cluster on this machine: NATS, three nodes, HAProxy. All files are in a folder."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Callable

HERE = pathlib.Path(__file__).resolve().parent
NODES = ("one", "two", "three")
PATIENCE_S = 15
PATH = os.environ.get("PATH", "") + ":/usr/sbin"


class NotStarted(Exception):
    """A process has not started, or not ended."""


class Cluster:
    """`url` is the balancer's, where players connect."""

    def __init__(self, folder: pathlib.Path, history: int = 256, gone_s: float = 5.0) -> None:
        self.folder, self.history, self.gone_s = folder, history, gone_s
        self.engine_port = free_port()
        self.engine: subprocess.Popen[bytes]
        self.balancer: subprocess.Popen[bytes]
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}
        self.url = ""

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        engine, balancer = getattr(self, "engine", None), getattr(self, "balancer", None)
        for process in (balancer, *self.nodes.values(), engine):
            if process and process.poll() is None:
                process.kill()
                process.wait()

    @property
    def engine_url(self) -> str:
        return f"nats://127.0.0.1:{self.engine_port}"

    def start_engine(self) -> None:
        """Starts NATS with the store that it had before, on the same port."""
        command = ["nats-server", "-a", "127.0.0.1", "-p", str(self.engine_port), "-js"]
        self.engine = self._run("nats", [*command, "-sd", str(self.folder / "store")])
        until("NATS listens", self.engine, lambda: listens(self.engine_port))

    def create_stream(self) -> None:
        """Once for each store, before the nodes."""
        subprocess.run([sys.executable, str(HERE / "engine.py"), self.engine_url, str(self.history)], check=True)

    def start_node(self, name: str) -> None:
        """Starts a node, on the port that it had before."""
        self.start_nodes([name])

    def start_nodes(self, names: Sequence[str]) -> None:
        for name in names:
            command = [sys.executable, str(HERE / "node.py"), "--name", name, "--engine", self.engine_url]
            command += ["--address", f"127.0.0.1:{self.ports.get(name, 0)}", "--gone-s", str(self.gone_s)]
            self.nodes[name] = self._run(name, command)
        for name in names:
            self._await_node(name)

    def drain_node(self, name: str) -> None:
        """Sends SIGTERM: the players go to other nodes, then the process ends."""
        self.nodes[name].terminate()

    def kill_node(self, name: str) -> None:
        self.nodes[name].kill()
        self.nodes[name].wait()

    def stop_engine(self) -> None:
        self.engine.send_signal(signal.SIGSTOP)

    def continue_engine(self) -> None:
        self.engine.send_signal(signal.SIGCONT)

    def kill_engine(self) -> None:
        self.engine.kill()
        self.engine.wait()

    def _start(self) -> None:
        for _ in range(5):
            with contextlib.suppress(NotStarted):
                self.start_engine()
                break
            self.engine_port = free_port()
        else:
            raise NotStarted(f"NATS: see {self.folder}/nats.log")
        self.create_stream()
        self.start_nodes(NODES)
        for _ in range(5):
            with contextlib.suppress(NotStarted):
                self._start_balancer()
                return
        raise NotStarted(f"HAProxy: see {self.folder}/haproxy.log")

    def _await_node(self, name: str) -> None:
        log, line = self.folder / f"{name}.log", "listening on "
        until(f"node {name} listens", self.nodes[name], lambda: line in log.read_text())
        self.ports[name] = int(log.read_text().partition(line)[2].split()[0])

    def _start_balancer(self) -> None:
        port = free_port()
        addresses = {f"NODE_{name.upper()}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        environment = {**os.environ, **addresses, "BALANCER": f"127.0.0.1:{port}"}
        self.balancer = self._run("haproxy", ["haproxy", "-db", "-f", str(HERE / "haproxy.cfg")], environment)
        until("HAProxy listens", self.balancer, lambda: listens(port))
        self.url = f"ws://127.0.0.1:{port}"

    def _run(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        program = shutil.which(command[0], path=PATH)
        if program is None:
            raise SystemExit(f"{command[0]} is missing: on Debian, apt install {command[0]}")
        # A node that starts again begins a new log, in which it says that it listens.
        log = self.folder / f"{name}.log"
        if log.exists():
            log.rename(self.folder / f"{name}.{time.monotonic_ns()}.log")
        with open(log, "wb") as output:
            return subprocess.Popen(
                [program, *command[1:]], stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )


def until(what: str, process: subprocess.Popen[bytes], done: Callable[[], bool]) -> None:
    """Waits for a condition while the process runs."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            process.wait()
            raise NotStarted(f"it did not come to pass that {what}")
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
