#!/usr/bin/env python3
"""Losses and stalls of Godot's own WebSocket classes, each tried with our classes and the stock ones: ours must not
have them, and those of the stock ones are printed.
Usage: defects.py SLOW_DNS_LIBRARY [KIND ...]"""
import base64
import socket
import struct
import sys
import threading
import time

from case import BINARY, CLOSE, CLOSED, NORMAL, OPEN, PING, Case, numbered, numbers
from engine import OURS, STOCK, check, end
from probe import Raw, frame, request

def fragments(case):
    name, raw = case.open_client()
    piece = bytes(30000)
    raw.sock.sendall(
        frame(BINARY, piece, fin=False, masked=False)
        + frame(0, piece, fin=False, masked=False)
        + frame(0, piece, masked=False)
        + frame(PING, masked=False)
    )
    sizes = [len(base64.b64decode(message)) for message in case.godot(f'read("{name}", 1, 1000)')]
    case.says(sizes == [90000], "a message of 90 000 bytes in fragments arrives", f"sizes {sizes}")
    case.drop(name, raw)


def large_frame(case):
    name, raw = case.open_client()
    raw.sock.sendall(frame(BINARY, bytes(65536), masked=False))
    sizes = [len(base64.b64decode(message)) for message in case.godot(f'read("{name}", 1, 500)')]
    code = case.godot(f"{name}.get_close_code()")
    case.says(sizes == [65536], "a frame of 65 536 bytes arrives", f"sizes {sizes}, close code {code}")
    case.drop(name, raw)


def large_send(case):
    name, raw = case.open_client(settings={"outbound_buffer_size": 2000000})
    error = case.godot(f"{name}.send(filled(1048576, 7))")
    got = None
    if error == 0:
        thread = threading.Thread(target=lambda: results.append(raw.frame()))
        results = []
        thread.start()
        limit = time.monotonic() + 10
        while thread.is_alive() and time.monotonic() < limit:
            case.godot(f"{name}.poll()")
        got = len(results[0][2]) if results else None
    case.says(error == 0 and got == 1048576, "a message of 1 MiB can be sent", f"error {error}, arrived {got}")
    case.drop(name, raw)


def ping_flood(case):
    name, raw = case.open_client()
    raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 15)
    flood = frame(PING, masked=False) * 20000
    stop = time.monotonic() + 0.3

    def send():
        try:
            while time.monotonic() < stop:
                raw.sock.sendall(flood)
        except OSError:
            pass

    def drain():
        try:
            while raw.sock.recv(1 << 16):
                pass
        except OSError:
            pass

    for work in (send, drain):
        threading.Thread(target=work, daemon=True).start()
    seen = case.godot(f'spin("{name}", 700)')
    case.says(
        seen["cpu"] < 30_000 and seen["wall"] < 500_000,
        "a flood of pings does not stall a frame",
        f"longest poll {seen['wall'] / 1000:.1f} ms, CPU {seen['cpu'] / 1000:.1f} ms",
    )
    case.drop(name, raw)


def last_words(case):
    for how, tail in (
        ("a close", frame(CLOSE, NORMAL, masked=False)),
        ("the end of TCP", b""),
        ("a frame over every limit", frame(BINARY, masked=False, length=1 << 40)),
    ):
        name, raw = case.open_client()
        raw.sock.sendall(numbered(100) + tail)
        if not tail:
            raw.sock.shutdown(socket.SHUT_WR)
        got = numbers(case.godot(f'read("{name}", 100, 500)'))
        case.says(got == list(range(100)), f"100 messages before {how} are all read", f"{len(got)} read")
        case.drop(name, raw)
    name, raw = case.open_client()
    raw.sock.sendall(numbered(100) + frame(CLOSE, NORMAL, masked=False))
    case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 3000)')
    got = numbers(case.godot(f'read("{name}", 100, 200)'))
    case.says(got == list(range(100)), "packets can be read once the peer is CLOSED", f"{len(got)} read")
    case.drop(name, raw)


def last_words_to_a_multiplayer_client(case):
    greeting = frame(BINARY, struct.pack("<i", 77), masked=False)
    name, raw = case.client(first=greeting, multiplayer=True)
    case.godot(f'until("{name}", "get_connection_status", 2, 3000)')
    raw.sock.sendall(numbered(100) + frame(CLOSE, NORMAL, masked=False))
    got = numbers(case.godot(f'read("{name}", 100, 500)'))
    case.says(got == list(range(100)), "a multiplayer client reads 100 packets before a close", f"{len(got)} read")
    case.drop(name, raw)


def last_words_to_a_multiplayer_server(case):
    name, port = case.server()
    raw, number = case.admitted(name, port)
    raw.sock.sendall(numbered(100, masked=True) + frame(CLOSE, NORMAL))
    got = numbers(case.godot(f'read("{name}", 100, 500)'))
    case.says(got == list(range(100)), "a multiplayer server reads 100 packets before a close", f"{len(got)} read")
    reports = []
    limit = time.monotonic() + 3
    while not reports and time.monotonic() < limit:
        case.godot(f"{name}.poll()")
        reports = case.godot("reported()")
    case.says(reports == [["peer_disconnected", number]], "it then emits peer_disconnected", reports)
    case.drop(name, raw)


def stalled_client(case):
    """Reliable packets to a client that does not read: each arrives, or the game is notified."""
    name, port = case.server()
    raw, number = case.admitted(name, port, receive_buffer=4096)
    case.godot(f"{name}.set_target_peer({number})")
    case.godot(f"{name}.set_transfer_mode(2)")
    taken = case.godot(f'put_many("{name}", 8000, 1000)')
    got = []

    def read():
        try:
            while len(got) < taken:
                got.append(struct.unpack("<I", raw.frame()[2][:4])[0])
        except (EOFError, OSError, struct.error):
            pass

    reader = threading.Thread(target=read, daemon=True)
    raw.sock.settimeout(1)
    reader.start()
    while reader.is_alive():
        case.godot(f"{name}.poll()")
        reader.join(0.002)
    reports = case.godot("reported()")
    complete = got == list(range(len(got)))
    reported = ["peer_disconnected", number] in reports
    case.says(
        complete and (len(got) == taken or reported),
        "8 000 reliable packets to a stalled client are delivered or reported",
        f"taken {taken}, arrived {len(got)}, reports {reports}",
    )
    case.drop(name, raw)


def no_loss_at_a_full_queue(case):
    name, raw = case.open_client()
    thread = threading.Thread(
        target=raw.sock.sendall,
        args=(numbered(10000, size=16) + numbered(20, size=60000) + frame(PING, b"alive", masked=False),),
        daemon=True,
    )
    thread.start()
    for _ in range(200):
        case.godot(f"{name}.poll()")
    queued = case.godot(f"{name}.get_available_packet_count()")
    got = numbers(case.godot(f'read("{name}", 10020, 5000)'))
    case.says(
        queued < 10020 and got == [*range(10000), *range(20)],
        "a full inbound queue slows the sender and loses nothing",
        f"{queued} queued unread, {len(got)} read",
    )
    case.drop(name, raw)


def many_at_once(case):
    """Accepts in one poll. Godot's listener queues no more than 8."""
    name, port = case.server()
    raws = []
    for _ in range(8):
        raws.append(Raw(socket.create_connection(("127.0.0.1", port))))
        raws[-1].sock.sendall(request().encode())
    polls = 0
    connected = 0
    while connected < 8 and polls < 200:
        case.godot(f"{name}.poll()")
        polls += 1
        connected += len(case.godot("reported()"))
    case.says(
        connected == 8 and polls <= 4,
        "8 clients that connect at once are accepted within 4 polls",
        f"{connected} in {polls} polls",
    )
    case.drop(name, *raws)


def many_answers(case):
    """Not a defect of Godot: small messages in succession do not wait for acknowledgements."""
    name, raw = case.accepted()
    took = []

    def talk():
        began = time.monotonic()
        for _ in range(20):
            raw.sock.sendall(frame(BINARY, b"ask"))
            for _ in range(8):
                raw.frame()
        took.append(time.monotonic() - began)

    client = threading.Thread(target=talk, daemon=True)
    client.start()
    case.godot(f'answer_many("{name}", 8, 20, 5000)')
    client.join(5)
    # If the sender waited for acknowledgements, each of the 20 would take 40 ms.
    case.says(took and took[0] < 0.5, "the small messages of a frame are sent at once through accept_stream", took)
    case.drop(name, raw)


def keep_alive(case):
    for what, headers in (
        ("Connection: keep-alive, Upgrade", {"Connection": "keep-alive, Upgrade"}),
        ("headers of 8 KB", {"X-Filler": "x" * 8000}),
    ):
        name, raw = case.client(headers=headers)
        state = (
            OPEN
            if case.godot(f'until("{name}", "get_ready_state", {OPEN}, 700)') >= 0
            else case.godot(f"{name}.get_ready_state()")
        )
        case.says(state == OPEN, f"an answer with {what} connects", f"state {state}")
        case.drop(name, raw)


def slow_name(case):
    slow, name = case.name(), case.name()
    case.godot(f'make("{slow}", "{case.godot.peer}")')
    case.godot(f'{slow}.connect_to_url("ws://a.blackhole.test:9")')
    case.godot(f"{slow}.poll()")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        case.godot(f'make("{name}", "{case.godot.peer}")')
        case.godot(f'{name}.connect_to_url("ws://localhost:{listener.getsockname()[1]}")')
        listener.settimeout(0.05)
        limit = time.monotonic() + 2
        began, reached = time.monotonic(), None
        while time.monotonic() < limit and reached is None:
            case.godot(f"{name}.poll()")
            try:
                listener.accept()[0].close()
                reached = time.monotonic() - began
            except TimeoutError:
                pass
    case.says(
        reached is not None and reached < 1,
        "a slow name lookup does not delay localhost",
        f"reached after {reached if reached is None else round(reached, 2)} s of 2",
    )
    case.drop(name)
    case.drop(slow)


def own_reason(case):
    """A close whose answer has the code, and no reason."""
    name, raw = case.open_client()
    case.godot(f'{name}.close(4001, "bye")')
    case.godot(f"{name}.poll()")
    raw.sock.settimeout(10)
    _, _, payload, _ = raw.frame()
    raw.sock.sendall(frame(CLOSE, payload[:2], masked=False))
    case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 3000)')
    seen = [case.godot(f"{name}.get_close_code()"), case.godot(f"{name}.get_close_reason()")]
    case.says(seen == [4001, "bye"], "one's own reason is kept when the answer has none", seen)
    case.drop(name, raw)


def kicked_peer(case):
    """A peer that is disconnected while it sends, and that does not answer the close."""
    for how in ("disconnect_peer({})", "get_peer({}).close()"):
        name, port = case.server()
        raw, number = case.admitted(name, port)
        raw.sock.sendall(numbered(200, masked=True))
        for _ in range(50):
            case.godot(f"{name}.poll()")
        before = case.godot(f"{name}.get_available_packet_count()")
        raw.sock.sendall(numbered(200, masked=True))
        case.godot(f"{name}.{how.format(number)}")
        case.godot(f"{name}.poll()")
        reports = case.godot("reported()")
        raw.sock.sendall(numbered(200, masked=True))
        got = len(case.godot(f'read("{name}", 1, 300)'))
        case.says(
            before > 0 and got == 0 and reports == [["peer_disconnected", number]],
            f"{how.format('id')} ends a peer with the next poll, and nothing of it is delivered",
            f"{before} waited, {got} read, reports of the next poll {reports}",
        )
        raw.sock.settimeout(10)
        _, opcode, payload, _ = raw.frame()
        case.says(opcode == CLOSE and payload == NORMAL, "it gets a close frame", payload)
        case.drop(name, raw)


def unanswered_close(case):
    """A close that the peer does not answer."""
    name, raw = case.open_client()
    case.godot(f'{name}.close(1000, "bye")')
    case.godot(f"{name}.poll()")
    raw.sock.settimeout(10)
    _, opcode, payload, _ = raw.frame()
    check(
        opcode == CLOSE and payload == NORMAL + b"bye",
        f"{case.kind}: the close frame has the code and the reason",
        payload,
    )
    took = case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 4500)')
    case.says(took >= 0, "an unanswered close ends", f"after {took} ms of 4500")
    case.drop(name, raw)


def main():
    library, *kinds = sys.argv[1:]
    for kind in kinds or [STOCK, OURS]:
        case = Case(kind, library)
        for defect in (
            fragments,
            large_frame,
            large_send,
            ping_flood,
            last_words,
            last_words_to_a_multiplayer_client,
            last_words_to_a_multiplayer_server,
            stalled_client,
            no_loss_at_a_full_queue,
            many_at_once,
            many_answers,
            keep_alive,
            own_reason,
            kicked_peer,
            unanswered_close,
            slow_name,
        ):
            began = time.monotonic()
            try:
                defect(case)
            except (RuntimeError, AssertionError, OSError, EOFError) as error:
                case.says(False, defect.__name__, repr(error))
            print(f"# {defect.__name__} took {time.monotonic() - began:.1f} s")
        if kind == STOCK:
            # The stock engine would wait for the lookup.
            case.godot.kill()
        else:
            began = time.monotonic()
            code = case.godot.close()
            check(
                code == 0 and time.monotonic() - began < 5,
                "the engine ends while a name is looked up",
                f"{code} after {time.monotonic() - began:.1f} s",
            )
    return end()


if __name__ == "__main__":
    sys.exit(main())
