"""Locks and loans: prevent that bytes are read after the library has reused or freed their memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING

from wspeer._declared import EVENT, PACKET
from wspeer.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

BATCH = 128
"""Number of items that one call of the library takes."""


class Gate:
    """The lock and the loans of an opened object and its clients. The library's loans end with the next read, with a
    free, and for a client with the poll that retires it, so only one of these may run at a time. `with gate:` guards a
    read or a free; a poll takes only the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.count = ctypes.c_size_t()
        self.loans = Loans()
        self._busy = False
        self._events: ctypes.Array[ctypes.c_char] | None = None
        self._packets: ctypes.Array[ctypes.c_char] | None = None
        with _registering:
            _gates.add(self)

    def __enter__(self) -> None:
        self.lock.acquire()
        if self._busy:
            self.lock.release()
            raise StateError(
                "it is being read by the call that this one interrupted: "
                "a signal handler may only close it, or set a flag for the loop",
            )
        self._busy = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._busy = False
        self.lock.release()

    @property
    def events(self) -> ctypes.Array[ctypes.c_char]:
        """The buffer for a batch of events."""
        if self._events is None:
            self._events = ctypes.create_string_buffer(BATCH * EVENT.size)
        return self._events

    @property
    def packets(self) -> ctypes.Array[ctypes.c_char]:
        """The buffer for a batch of packets."""
        if self._packets is None:
            self._packets = ctypes.create_string_buffer(BATCH * PACKET.size)
        return self._packets

    def renew(self) -> None:
        """After a fork: the lock may be held by a thread that does not exist in the child."""
        self.lock = threading.RLock()
        self._busy = False


_gates: weakref.WeakSet[Gate] = weakref.WeakSet()
_registering = threading.Lock()


@contextlib.contextmanager
def all_gates() -> Iterator[None]:
    """Locks the gates of all endpoints and ends all loans."""
    with _registering:
        gates = sorted(_gates, key=id)
    with contextlib.ExitStack() as stack:
        for gate in gates:
            stack.enter_context(gate)
            gate.loans.end()
        yield


def _renew_all() -> None:
    global _registering  # noqa: PLW0603
    _registering = threading.Lock()
    for gate in list(_gates):
        gate.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)


class _Memory(ctypes.Array[ctypes.c_ubyte]):
    """Memory of the library. All views of lent bytes reference this object, which references the endpoint that lent
    them."""

    _type_ = ctypes.c_ubyte
    _length_ = sys.maxsize
    lender: object


class Loans:
    """The views that an endpoint has lent since its last read."""

    def __init__(self) -> None:
        self._given: list[tuple[weakref.ref[memoryview], weakref.ref[_Memory]]] = []

    def give(self, lender: object, address: int, length: int) -> memoryview:
        """A read-only view of lent memory."""
        memory = _Memory.from_address(address)
        memory.lender = lender
        view = memoryview(memory).cast("B")[:length].toreadonly()
        self._given.append((weakref.ref(view), weakref.ref(memory)))
        return view

    def end(self) -> None:
        """Releases the views. Raises BufferError, as bytearray and mmap do, if a slice of one is still in use."""
        if not self._given:
            return
        for view_of, _ in self._given:
            view = view_of()
            if view is not None:
                view.release()
        del view
        self._given = [loan for loan in self._given if loan[1]() is not None]
        if self._given:
            raise BufferError(
                "a slice of lent bytes is still in use: drop it before the next read, or keep bytes(slice) instead",
            )
