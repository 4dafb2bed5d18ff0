"""Bad networks, to play a game on.

Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from wspeer import _declared
from wspeer._library import lib
from wspeer.codes import OFF, SimPreset
from wspeer.errors import check, whole


class Sim(NamedTuple):
    """A bad network, for set_sim(). The fields up_* are about the bytes from the client to the server, down_* about
    those from the server to the client, whichever end simulates."""

    seed: int = 0
    """Seed of the random numbers. The same seed has the same effect."""
    up_lag_us: int = 0
    """Time that each byte takes, in microseconds; at most 60000000."""
    down_lag_us: int = 0
    """As up_lag_us."""
    up_jitter_us: int = 0
    """Up to this time is added for each packet, uniformly distributed, in microseconds; at most 60000000. Bytes
    never overtake others: a late packet holds up those behind it, and they arrive together."""
    down_jitter_us: int = 0
    """As up_jitter_us."""
    up_bytes_per_s: int = 0
    """Bandwidth in bytes per second. 0: unlimited."""
    down_bytes_per_s: int = 0
    """As up_bytes_per_s."""
    up_burst_bytes: int = 0
    """Bytes that may leave at once after a pause, the size of the token bucket. 0: 14000."""
    down_burst_bytes: int = 0
    """As up_burst_bytes."""
    up_loss_ppm: int = 0
    """Packets out of a million that are lost. TCP repeats them: they arrive loss_stall_us later, and all behind
    them waits. A packet has up to 1400 bytes of one write."""
    down_loss_ppm: int = 0
    """As up_loss_ppm."""
    up_loss_stall_us: int = 0
    """Time that a loss costs, in microseconds; at most 60000000. 0: lag_us of both directions and 200000."""
    down_loss_stall_us: int = 0
    """As up_loss_stall_us."""
    up_buffer_bytes: int = 0
    """Bytes that may wait to leave; at most 16777216. 0: 65536. Beside them a line holds those that are under way,
    at most 4 MiB of them. Each packet counts 64 bytes more."""
    down_buffer_bytes: int = 0
    """As up_buffer_bytes."""
    up_stall_from_ms: int = 0
    """Nothing arrives from this time on, in milliseconds since the link is OPEN, or since the call."""
    down_stall_from_ms: int = 0
    """As up_stall_from_ms."""
    up_stall_for_ms: int = 0
    """Duration of the stall in milliseconds; then all arrives at once. 0: no stall."""
    down_stall_for_ms: int = 0
    """As up_stall_for_ms."""
    up_stall_every_ms: int = 0
    """Another stall begins this time after the one before has begun, in milliseconds; more than stall_for_ms. 0:
    there is only one."""
    down_stall_every_ms: int = 0
    """As up_stall_every_ms."""
    up_half_open_bytes: int = 0
    """After this number of bytes nothing arrives any more, and no error tells of it. 0: never."""
    down_half_open_bytes: int = 0
    """As up_half_open_bytes."""
    up_cut_bytes: int = 0
    """After this number of bytes the link is cut, at both ends: it ends with Cause.RESET here. 0: never."""
    down_cut_bytes: int = 0
    """As up_cut_bytes."""

    @classmethod
    def preset(cls, preset: SimPreset) -> Sim:
        """The figures of a preset; change some of them with _replace()."""
        sim = _declared.Sim()
        check(lib.ws_sim_init(sim, ctypes.sizeof(sim), whole("preset", preset, -(2**31), 2**31 - 1)))
        return cls(*(getattr(sim, name) for name in cls._fields))

    def _native(self) -> _declared.Sim:
        numbers = (whole(name, value, 0, OFF) for name, value in zip(self._fields, self))
        return _declared.Sim(ctypes.sizeof(_declared.Sim), *numbers)
