"""What the files of the conformance program in Python share: the trace, and polling."""

from __future__ import annotations

import contextlib
import sys
import time
import zlib
from typing import TYPE_CHECKING, Any, Callable

import wspeer
from wspeer import EventType, State

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = 64

# ---- The trace ----


class End:
    """An object of a scenario, and its name at the start of lines: "" if there is only one."""

    def __init__(self, name: str, ws: Any, peer_id: int = 0) -> None:
        self.name, self.ws, self.peer_id = name, ws, peer_id
        self.sleeps = False
        ends.append(self)

    def next_event(self) -> wspeer.Event:
        """The next event within 10 s; all objects are polled."""
        limit = time.monotonic() + 10
        while True:
            events: list[wspeer.Event] = self.ws.events(limit=1)
            if events:
                return events[0]
            if time.monotonic() > limit:
                sys.exit(f"nothing came to '{self.name}' for 10 s")
            poll_all()

    def take(self, count: int = 1) -> None:
        for _ in range(count):
            show(self.name, self.next_event())

    def until(self, kind: EventType) -> None:
        while True:
            event = self.next_event()
            show(self.name, event)
            if event.type == kind:
                return


# All ends that do not sleep are polled while one is waited for.
ends: list[End] = []
# What a scenario does in each round of polling besides.
between_polls: list[Callable[[], None]] = []


def say(name: str, line: str) -> None:
    print(f"{name} {line}" if name else line, flush=True)


@contextlib.contextmanager
def reported(verb: str) -> Iterator[None]:
    """A failed call prints a line with its verb, the name of the result and the error message."""
    try:
        yield
    except wspeer.CallFailed as error:
        print(f"failed {verb} WS_{error.result.name}: {error.sentence}", flush=True)


def peer_name(peer_id: int) -> str:
    return "host" if peer_id == 1 else next((end.name for end in ends if end.peer_id == peer_id), "nobody")


def show_packet(name: str, packet: wspeer.Packet) -> None:
    form = "text" if packet.is_text else "replication" if packet.is_replication else "binary"
    line = f"{form} {len(packet.data)} {zlib.adler32(packet.data):08x}"
    if packet.peer_id:
        line += f" peer={peer_name(packet.peer_id)}"
    if packet.is_text and 0 < len(packet.data) <= SHORT:
        line += f" {packet.text}"
    say(name, line)


def show_value(value: Any) -> str:
    """A value of a remote call or a property, as the trace has it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bytes):
        return f"bytes {len(value)} {zlib.adler32(value):08x}"
    if isinstance(value, list):
        return f"[{', '.join(map(show_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{show_value(key)}: {show_value(one)}' for key, one in value.items())}}}"
    if isinstance(value, wspeer.Value):
        return f"{value.type.name.capitalize()}({', '.join(map(show_value, value.value))})"
    return str(value)


def show_nodes(name: str, verb: str, packet: wspeer.Packet) -> None:
    """What a SPAWN, DESPAWN or SYNC brings, one line for each node."""
    for node in packet.nodes:
        scene = 256 if node.scene is None else node.scene
        line = f"{verb} path={node.path} name={node.name} node={node.node} scene={scene}"
        if node.data is not None:
            line += f" data={show_value(node.data)}"
        line += "".join(f" {key}={show_value(value)}" for key, value in node.properties.items())
        say(name, f"{line} peer={peer_name(packet.peer_id)}")


def show(name: str, event: wspeer.Event) -> None:
    if event.type == EventType.MESSAGE:
        show_packet(name, event)
        return
    if event.type in (EventType.SPAWN, EventType.DESPAWN, EventType.SYNC):
        show_nodes(name, event.type.name.lower(), event)
        return
    end = next((end.ws for end in ends if end.ws.handle == event.conn), None) or event.peer
    if event.type == EventType.OPEN:
        line = f"open protocol={end.subprotocol}"
    elif event.type == EventType.CONNECTED:
        line = (
            "connected" if event.peer_id else f"connected path={end.path} query={end.query} protocol={end.subprotocol}"
        )
    elif event.type == EventType.CLOSE_REQUEST:
        line = f"close-request code={event.code} reason={event.text}"
    elif event.type == EventType.LOST:
        line = f"lost code={event.code} phase={event.phase:d} cause={event.cause:d}"
        line += f" status={event.http_status} unsent={event.unsent}"
    elif event.type == EventType.RESUMED:
        line = f"resumed count={event.count}"
    elif event.type in (EventType.CLOSED, EventType.DISCONNECTED):
        word = "closed" if event.type == EventType.CLOSED else "disconnected"
        line = f"{word} code={event.code} clean={event.clean:d} phase={event.phase:d} cause={event.cause:d}"
        line += f" status={event.http_status} unsent={event.unsent}"
        line += f" reason={end.close_reason} error={event.text}"
    elif event.type == EventType.WRITABLE:
        line = "writable"
    elif event.type == EventType.SKIPPED:
        line = f"skipped count={event.count}"
    elif event.type == EventType.ERROR:
        line = f"error phase={event.phase:d} cause={event.cause:d} count={event.count}"
        # A text about a peer has its random id.
        line += "" if event.peer_id else f" error={event.text}"
    elif event.type == EventType.REFUSED:
        line = f"refused phase={event.phase:d} cause={event.cause:d} status={event.http_status} count={event.count}"
        line += f" error={event.text.partition(': ')[2]}"
    elif event.type == EventType.AUTHENTICATING:
        line = "authenticating"
    elif event.type == EventType.AUTH:
        line = f"auth {len(event.data)} {zlib.adler32(event.data):08x}"
    else:
        line = f"event {event.type:d}"
    if event.peer_id and event.type != EventType.OPEN:
        line += f" peer={peer_name(event.peer_id)}"
    say(name, line)


def show_header(name: str, peer: wspeer.Peer, header: str, index: int) -> None:
    values = peer.headers(header)
    say(name, f"header {header} {index}={values[index]}" if index < len(values) else f"no header {header} {index}")


def poll_all() -> None:
    for between in between_polls:
        between()
    for end in ends:
        if not end.sleeps:
            end.ws.poll()
    time.sleep(0.0005)


def until_state(ws: Any, done: Callable[[State], bool]) -> None:
    limit = time.monotonic() + 10
    while not done(ws.state) and time.monotonic() < limit:
        poll_all()


def put(ws: Any, data: wspeer.Data, **where: Any) -> None:
    with reported("put_to" if "to" in where else "put"):
        ws.send(data, **where)


def free_all() -> None:
    for end in ends:
        end.ws.free()
    ends.clear()
