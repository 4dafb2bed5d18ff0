"""The only call that blocks."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Iterable
from typing import Protocol

from wspeer._library import lib
from wspeer.codes import Result
from wspeer.errors import ArgumentError, check

# Maximum time of one call of the library, so that Python's signal handlers can run between two.
_SLICE = 0.1


class HasHandle(Protocol):
    """What wait() accepts: a Peer, a Server, a MultiplayerPeer."""

    @property
    def handle(self) -> int:
        """The library's handle."""


def wait(endpoints: Iterable[HasHandle], timeout: float | None = None) -> bool:
    """Waits until one of several has something to poll or to read, for programs without frames, at most `timeout`
    seconds (None: no limit). False if the time is over."""
    if timeout is not None and (math.isnan(timeout) or timeout < 0):
        raise ArgumentError(f"timeout is {timeout}: give seconds, 0 for a look, or None to wait without end")
    handles = [endpoint.handle for endpoint in endpoints]
    array = (ctypes.c_uint32 * len(handles))(*handles)
    end = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        left = min(max(end - time.monotonic(), 0), _SLICE)
        if check(lib.ws_wait(array, len(handles), math.ceil(left * 1000))) == Result.OK:
            return True
        if time.monotonic() >= end:
            return False
