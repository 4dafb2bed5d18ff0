"""Helpers of the tests: polling until a condition holds, and running other programs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import wspeer

ROOT = Path(__file__).resolve().parents[3]
LOCAL = "ws://127.0.0.1:0"


def until(done: Callable[[], Any], *endpoints: wspeer.Endpoint) -> Any:
    """Polls until `done` returns a true value, and returns it."""
    limit = time.monotonic() + 20
    while True:
        for endpoint in endpoints:
            endpoint.poll()
        found = done()
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError("not so within 20 s")
        wspeer.wait(endpoints, 0.01)


def event(endpoint: wspeer.Endpoint, *others: wspeer.Endpoint) -> wspeer.Event:
    """The next event of one endpoint, while all are polled."""
    return until(lambda: endpoint.events(limit=1), endpoint, *others)[0]


def event_of(kind: wspeer.EventType, endpoint: wspeer.Endpoint, *others: wspeer.Endpoint) -> wspeer.Event:
    """The next event of that type; earlier ones are discarded."""
    while True:
        found = event(endpoint, *others)
        if found.type == kind:
            return found


def open_pair(**config: Any) -> tuple[wspeer.Peer, wspeer.Peer]:
    """Both ends of a pair, once they are open."""
    ends = wspeer.pair(**config)
    for end in ends:
        event_of(wspeer.EventType.OPEN, end, *ends)
    return ends


def served(**config: Any) -> tuple[wspeer.Server, wspeer.Peer, wspeer.Peer]:
    """A server, an open client, and the server's object for that client."""
    server = wspeer.listen(LOCAL, **config)
    client = wspeer.connect(server.url)
    event_of(wspeer.EventType.OPEN, client, server)
    return server, client, event(server).peer


def python(code: str, *flags: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program in a new interpreter."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more.pop("env", {})}
    return subprocess.run(
        [sys.executable, *flags, "-c", code],
        capture_output=True,
        text=True,
        timeout=50,
        env=environment,
        check=False,
        **more,
    )
