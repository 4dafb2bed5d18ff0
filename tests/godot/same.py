#!/usr/bin/env python3
"""Compares what a script sees of our classes and of the stock ones in the same situations: return values, states,
codes, texts and the bytes on the wire must be equal. DIFFERENT lists intended differences with their reasons."""

import re
import socket
import struct
import sys
import time

from case import BINARY, CLOSE, CLOSED, OPEN, PING, Case, numbered
from engine import OURS, STOCK, check, end, free_port, quoted
from probe import Raw, answer, frame, request

TEXT = 1
# A scenario, a pattern of its steps, and the reason.
DIFFERENT = [
    ("urls", r".*/a b'.*", "Godot sends a request that is none"),
    ("closed by the other", r"(answer to|after) one byte", "half a code is an error by RFC 6455 section 5.5.1"),
    ("closed by the other", r"after no code", "RFC 6455 section 7.1.5 calls it 1005, as Godot does in a browser"),
    ("a new multiplayer peer", r"create_server\(-1\)|get_connection_status\(\) \(2\)", "there is no such port"),
    ("greetings", r"(3 bytes|5 bytes|1|0|-5|empty)", "what is no id ends it at once"),
    ("accepting", r"then, (version 8|no key)", "a request that was refused has no URL"),
    ("accepting", r"answered, .*", "a refused request gets a reason"),
    ("accepting", r".*, asked, none known", "a server may go on without a subprotocol, RFC 6455 section 4.2.2"),
    ("closed by us", r"(frame|end) of close\((0|999|1006|2999|5000).*", "no close frame may have such a code"),
    ("closed by us", r"end of close\(4002.*, without a reason\)", "its own reason says more than none"),
    ("connecting", r"get_connected_(host|port)\(\).*", "known once the connection is open"),
    ("sizes", r"a host's put of .*", "a packet that is lost is an error"),
    ("timeouts", r".*handshake_timeout\(0\.0\).*", "0 means no limit"),
]


class Seen(dict):
    """Steps, and what was observed at each."""

    def __init__(self, case):
        super().__init__()
        self.godot = case.godot

    def __call__(self, step, value):
        name, count = step, 1
        while name in self:
            count += 1
            name = f"{step} ({count})"
        self[name] = value

    def ask(self, name, *calls):
        for call in calls:
            self(call, self.godot(f"{name}.{call}"))


END = ("get_ready_state()", "get_close_code()", "get_close_reason()", "get_available_packet_count()")
WHERE = (
    "get_requested_url()",
    "get_selected_protocol()",
    "get_connected_host()",
    "get_current_outbound_buffered_amount()",
)


def a_new_peer(case, seen):
    name = case.name()
    case.godot(f'make("{name}", "{case.godot.peer}")')
    seen.ask(
        name,
        *END,
        *WHERE,
        "get_connected_port()",
        "was_string_packet()",
        "poll()",
        "get_packet()",
        "get_packet_error()",
        "send(filled(1, 1))",
        'send_text("x")',
        "put_packet(filled(1, 1))",
        "close()",
        "set_no_delay(true)",
        *END,
    )
    case.drop(name)


def urls(case, seen):
    for url in (
        "",
        "nonsense",
        "http://127.0.0.1",
        "ws://",
        "ws://127.0.0.1:99999",
        "ws://127.0.0.1:port",
        "WS://127.0.0.1:9",
        "ws://127.0.0.1:9/a b",
        "wss://127.0.0.1:9",
        "ws://127.0.0.1:9/p#x",
        "ws://127.0.0.1:9/p?q#x?y",
        "ws://[::1]:9",
        "127.0.0.1:9",
    ):
        name = case.name()
        case.godot(f'make("{name}", "{case.godot.peer}")')
        seen(f"connect_to_url({url!r})", case.godot(f"{name}.connect_to_url({quoted(url)})"))
        seen(f"its state, {url!r}", case.godot(f"{name}.get_ready_state()"))
        case.drop(name)


def connecting(case, seen):
    name = case.name()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        case.godot(f'make("{name}", "{case.godot.peer}")')
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        case.godot(f'{name}.connect_to_url("{url}")')
        case.godot(f"{name}.poll()")
        seen.ask(
            name,
            *END,
            *WHERE[1:],
            "send(filled(1, 1))",
            'send_text("x")',
            "put_packet(filled(1, 1))",
            "send(filled(70000, 1))",
            "get_packet()",
            "get_packet_error()",
            "get_connected_port() > 0",
        )
        seen("connect_to_url() again", case.godot(f'{name}.connect_to_url("{url}")'))
        seen("requested", case.godot(f"{name}.get_requested_url()") == url)
        case.godot(f"{name}.close()")
        seen.ask(name, *END)
        case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 1000)')
        seen.ask(name, *END)
    case.drop(name)


def nobody(case, seen):
    name = case.name()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    case.godot(f'make("{name}", "{case.godot.peer}")')
    case.godot(f'{name}.connect_to_url("ws://127.0.0.1:{port}")')
    seen("ends", case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 3000)') >= 0)
    seen.ask(name, *END)
    case.drop(name)


def requests(case, seen):
    for what, path, settings in (
        ("plain", "", {}),
        ("a path", "/a/b?c=d&e=%20", {}),
        ("a fragment", "/a?b=c#part", {}),
        (
            "other protocols",
            "/",
            {"supported_protocols": 'str_to_var(\'PackedStringArray("v1/json", "graphql:ws", "two", "k=v")\')'},
        ),
        (
            "protocols and headers",
            "/",
            {
                "supported_protocols": 'str_to_var(\'PackedStringArray("one", "two")\')',
                "handshake_headers": 'str_to_var(\'PackedStringArray("X-Test: 1", "x-more:  two ")\')',
            },
        ),
    ):
        name, raw = case.client(
            path=path, settings=settings, headers={"Sec-WebSocket-Protocol": "two"} if settings else None
        )
        lines = raw.request.split("\r\n")
        seen(f"first line, {what}", lines[0])
        fields = sorted(line for line in lines[1:] if not line.startswith(("Sec-WebSocket-Key", "Host: 127.0.0.1:")))
        # White space has no meaning there.
        seen(f"headers, {what}", [re.sub(r"\s", "", field) for field in fields])
        case.godot(f'until("{name}", "get_ready_state", {OPEN}, 1000)')
        seen.ask(name, "get_ready_state()", "get_selected_protocol()")
        seen("host", case.godot(f"{name}.get_connected_host()"))
        case.drop(name, raw)


def answers(case, seen):
    def replies():
        yield "404", lambda key: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        yield "another accept", lambda key: answer("AAAAAAAAAAAAAAAAAAAAAA==")
        yield "no Upgrade", lambda key: answer(key, Upgrade=None)
        yield "no Connection", lambda key: answer(key, Connection=None)
        yield "Connection: upgrade", lambda key: answer(key, Connection="upgrade")
        yield "Upgrade: WebSocket", lambda key: answer(key, Upgrade="WebSocket")
        yield "a protocol that was not asked for", lambda key: answer(key, Sec_WebSocket_Protocol="other")
        yield "not HTTP", lambda key: b"hello\r\n\r\n"

    for what, reply in replies():
        name, raw = case.client(reply=reply)
        case.godot(f'read("{name}", 1, 100)')
        seen(what, [case.godot(f"{name}.{call}") for call in END])
        case.drop(name, raw)
    name, raw = case.client(settings={"supported_protocols": 'str_to_var(\'PackedStringArray("one")\')'})
    case.godot(f'read("{name}", 1, 100)')
    seen("a protocol was asked for and none came", [case.godot(f"{name}.{call}") for call in END])
    case.drop(name, raw)


def messages(case, seen):
    name, raw = case.open_client()
    seen.ask(name, *END)
    for call in (
        "send(filled(3, 65))",
        "send(filled(3, 65), 0)",
        'send_text("κόσμε")',
        "put_packet(filled(2, 66))",
        "put_var([1, \"two\"])",
        'send_text("")',
        "send(filled(0, 0))",
    ):
        seen.ask(name, call)
        case.godot(f"{name}.poll()")
        seen(f"bytes of {call}", [str(part) for part in raw.frame()])
    raw.sock.sendall(
        frame(TEXT, "κόσμε".encode(), masked=False)
        + frame(BINARY, b"\0\xff", masked=False)
        + frame(TEXT, b"", masked=False)
        + frame(TEXT, b"a", fin=False, masked=False)
        + frame(0, b"b", masked=False)
    )
    case.godot(f"{name}.poll()")
    case.godot(f"{name}.poll()")
    for _ in range(5):
        seen.ask(name, "get_available_packet_count()", "get_packet()", "was_string_packet()", "get_packet_error()")
    seen.ask(name, "get_packet_error()")
    raw.sock.sendall(frame(9, b"ping", masked=False))
    case.godot(f"{name}.poll()")
    case.godot(f"{name}.poll()")
    seen("the answer to a ping", [str(part) for part in raw.frame()])
    case.drop(name, raw)


def closed_by_the_other(case, seen):
    for what, bytes_ in (
        ("1000 bye", frame(CLOSE, struct.pack(">H", 1000) + b"bye", masked=False)),
        ("1001", frame(CLOSE, struct.pack(">H", 1001), masked=False)),
        ("4001", frame(CLOSE, struct.pack(">H", 4001) + "κόσμε".encode(), masked=False)),
        ("no code", frame(CLOSE, b"", masked=False)),
        ("one byte", frame(CLOSE, b"\x03", masked=False)),
        ("1005", frame(CLOSE, struct.pack(">H", 1005), masked=False)),
        ("bad text", frame(TEXT, b"\xff\xfe", masked=False)),
        ("masked", frame(TEXT, b"x")),
        ("a reserved bit", frame(TEXT, b"x", rsv=4, masked=False)),
        ("a bad opcode", frame(3, b"x", masked=False)),
        ("a stray continuation", frame(0, b"x", masked=False)),
        ("the end", None),
    ):
        name, raw = case.open_client()
        if bytes_ is None:
            raw.sock.shutdown(socket.SHUT_WR)
        else:
            raw.sock.sendall(bytes_)
        case.godot(f'until("{name}", "get_available_packet_count", 1, 50)')
        if bytes_:
            try:
                # Ours gives an explanation in the reason when it fails the connection.
                _, opcode, payload, _ = raw.frame()
                is_own = payload[:2] in (b"\x03\xea", b"\x03\xef")
                seen(f"answer to {what}", [opcode, (payload[:2] if is_own else payload).hex()])
            except EOFError as error:
                seen(f"answer to {what}", str(error))
            raw.sock.close()
        case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 1000)')
        at_the_end = [case.godot(f"{name}.{call}") for call in END]
        if at_the_end[1] in (1002, 1007):
            # Text of this end, in its own words.
            at_the_end[2] = at_the_end[2] != ""
        seen(f"after {what}", at_the_end)
        seen(f"send after {what}", case.godot(f'{name}.send_text("x")'))
        case.drop(name, raw)


def closed_by_us(case, seen):
    for arguments in (
        "",
        '1000, "bye"',
        '4001, "κόσμε"',
        '4002, "bye", without a reason',
        "1001",
        "-1",
        "3000",
        *(f'{code}, "why"' for code in (0, 999, 1006, 2999, 5000)),
    ):
        name, raw = case.open_client()
        without = arguments.endswith(", without a reason")
        case.godot(f"{name}.close({arguments.removesuffix(', without a reason')})")
        seen(f"state at once, close({arguments})", case.godot(f"{name}.get_ready_state()"))
        case.godot(f"{name}.poll()")
        try:
            _, opcode, payload, _ = raw.frame()
            seen(f"frame of close({arguments})", [opcode, payload.hex()])
            raw.sock.sendall(frame(CLOSE, payload[:2] if without else payload, masked=False))
        except EOFError as error:
            seen(f"frame of close({arguments})", str(error))
        raw.sock.shutdown(socket.SHUT_WR)
        case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 1000)')
        seen(f"end of close({arguments})", [case.godot(f"{name}.{call}") for call in END])
        seen(f"again after close({arguments})", case.godot(f'{name}.connect_to_url("ws://127.0.0.1:9")'))
        seen(f"code then, close({arguments})", case.godot(f"{name}.get_close_code()"))
        case.drop(name, raw)


def accepting(case, seen):
    """accept_stream(), with several requests."""
    for what, settings, text in (
        ("plain", [], request()),
        ("a path", [], request(path="/a?b=c")),
        ("common protocol", ["two", "one"], request(Sec_WebSocket_Protocol="one, two")),
        ("no common protocol", ["three"], request(Sec_WebSocket_Protocol="one, two")),
        ("none asked for", ["one"], request()),
        ("names with signs", ["v2/json", "graphql:ws"], request(Sec_WebSocket_Protocol="v1/json, k=v, graphql:ws")),
        ("asked, none known", [], request(Sec_WebSocket_Protocol="one")),
        ("version 8", [], request(Sec_WebSocket_Version="8")),
        ("no key", [], request(drop=("Sec-WebSocket-Key",))),
        ("POST", [], request(method="POST")),
    ):
        name, tcp, stream = case.name(), case.name(), case.name()
        case.godot(f'make("{name}", "{case.godot.peer}")')
        case.godot(f'make("{tcp}", "TCPServer")')
        case.godot(f'{tcp}.listen(0, "127.0.0.1")')
        if settings:
            case.godot(
                f'{name}.set("supported_protocols", str_to_var({quoted("PackedStringArray(" + ", ".join(map(quoted, settings)) + ")")}))'
            )
        raw = Raw(socket.create_connection(("127.0.0.1", case.godot(f"{tcp}.get_local_port()"))))
        limit = time.monotonic() + 5
        while not case.godot(f"{tcp}.is_connection_available()") and time.monotonic() < limit:
            pass
        case.godot(f'hold("{stream}", {tcp}.take_connection())')
        seen(f"accept_stream, {what}", case.godot(f"{name}.accept_stream({stream})"))
        seen(f"state at once, {what}", case.godot(f"{name}.get_ready_state()"))
        raw.sock.sendall(text.encode())
        case.godot(f'until("{name}", "get_ready_state", {OPEN}, 100)')
        seen(
            f"then, {what}",
            [
                case.godot(f"{name}.{call}")
                for call in (*END, "get_selected_protocol()", "get_requested_url()", "get_connected_host()")
            ],
        )
        raw.sock.settimeout(0.3)
        try:
            head = raw.head()
            seen(f"answered, {what}", head.split("\r\n")[0])
            if " 101 " in head:
                seen(f"headers, {what}", sorted(head.split("\r\n")[1:]))
                raw.sock.sendall(frame(TEXT, b"hello"))
                case.godot(f'until("{name}", "get_available_packet_count", 1, 500)')
                seen(
                    f"talk, {what}",
                    [
                        case.godot(f"{name}.{call}")
                        for call in ("get_packet()", "was_string_packet()", 'send_text("back")')
                    ],
                )
                case.godot(f"{name}.poll()")
                seen(f"back, {what}", [str(part) for part in raw.frame()])
                raw.sock.sendall(frame(CLOSE, struct.pack(">H", 4000) + b"done"))
                case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 1000)')
                seen(f"end, {what}", [case.godot(f"{name}.{call}") for call in END])
        except EOFError as error:
            seen(f"answered, {what}", str(error))
        case.drop(name, raw)
        case.drop(stream)
        case.drop(tcp)


STATUS = ("get_connection_status()", "get_available_packet_count()", "is_refusing_new_connections()")
SIGNALS = '["peer_connected", "peer_disconnected"]'


def multiplayer(case, name):
    case.godot(f'make("{name}", "{case.godot.multiplayer_peer}")')
    case.godot(f'watch("{name}", {SIGNALS})')
    return name


def a_new_multiplayer_peer(case, seen):
    name = multiplayer(case, case.name())
    seen.ask(
        name,
        *STATUS,
        "get_unique_id()",
        "poll()",
        "get_packet()",
        "get_packet_error()",
        "put_packet(filled(1, 1))",
        "get_transfer_mode()",
        "get_transfer_channel()",
        "is_server_relay_supported()",
        'create_client("http://127.0.0.1")',
        'create_client("")',
        "create_server(-1)",
        "get_connection_status()",
        "close()",
        *STATUS,
    )
    seen.ask(
        name,
        "set_transfer_mode(0)",
        "get_transfer_mode()",
        "set_transfer_channel(3)",
        "get_transfer_channel()",
        "set_refuse_new_connections(true)",
        *STATUS,
    )
    seen("signals", case.godot("reported()"))
    case.drop(name)


def till_told(case, name):
    """Polls until signals are emitted, and returns them."""
    limit = time.monotonic() + 1
    while time.monotonic() < limit:
        case.godot(f"{name}.poll()")
        reported = case.godot("reported()")
        if reported:
            return reported
    return []


def a_host(case, seen):
    name, port = case.server()
    seen.ask(
        name,
        *STATUS,
        "get_unique_id()",
        "put_packet(filled(1, 1))",
        "create_server(0)",
        'create_client("ws://127.0.0.1:9")',
    )
    raws, ids = zip(*(case.admitted(name, port) for _ in range(2)))
    first, second = raws
    for target in (0, ids[0], -ids[0], 12345, -12345):
        label = {ids[0]: "one", -ids[0]: "all but one"}.get(target, target)
        case.godot(f"{name}.set_target_peer({target})")
        seen(f"put to {label}", case.godot(f"{name}.put_packet(filled(2, 65))"))
    case.godot(f"{name}.set_target_peer(0)")
    seen("empty", case.godot(f"{name}.put_packet(filled(0, 0))"))
    seen("the end mark", case.godot(f"{name}.put_packet(filled(1, 90))"))
    case.godot(f"{name}.poll()")
    for number, raw in enumerate(raws):
        got = []
        while not got or got[-1] != "5a":
            got.append(raw.frame()[2].hex())
        seen(f"what {number} got", got)
    first.sock.sendall(frame(BINARY, b"from 0"))
    second.sock.sendall(frame(BINARY, b"from 1"))
    case.godot(f'until("{name}", "get_available_packet_count", 2, 1000)')
    for number in range(2):
        # The sender of the next packet.
        seen(f"sender {number}", case.godot(f"{name}.get_packet_peer()") == ids[number])
        seen.ask(name, "get_packet()", "get_packet_mode()", "get_packet_channel()")
    seen(
        "address",
        [
            case.godot(f"{name}.get_peer_address({ids[0]})"),
            case.godot(f"{name}.get_peer_port({ids[0]})") == first.sock.getsockname()[1],
        ],
    )
    seen("state of its peer", case.godot(f"{name}.get_peer({ids[0]}).get_ready_state()"))
    # What has come and was not polled is not delivered any more.
    first.sock.sendall(numbered(50, masked=True))
    case.godot(f"{name}.disconnect_peer({ids[0]})")
    seen("signals of disconnect_peer at once", case.godot("reported()"))
    case.godot(f"{name}.poll()")
    seen("signals of disconnect_peer", [[word, ids.index(number)] for word, number in case.godot("reported()")])
    first.sock.sendall(numbered(50, masked=True))
    for _ in range(10):
        case.godot(f"{name}.poll()")
    seen.ask(name, "get_available_packet_count()", "get_packet_peer()")
    seen("it is forgotten", case.godot(f"{name}.get_peer({ids[0]})"))
    seen("its close", [part if isinstance(part, int) else part.hex() for part in first.frame()])
    first.sock.close()
    case.godot(f"{name}.disconnect_peer({ids[1]}, true)")
    seen("signals of force", [[word, ids.index(number)] for word, number in case.godot("reported()")])
    case.godot(f"{name}.poll()")
    seen("signals after force", [[word, ids.index(number)] for word, number in case.godot("reported()")])
    try:
        seen("bytes of force", second.frame()[2].hex())
    except EOFError as error:
        seen("bytes of force", str(error))
    case.godot(f"{name}.set_refuse_new_connections(true)")
    seen.ask(name, *STATUS)
    case.godot(f"{name}.set_refuse_new_connections(false)")
    third, number = case.admitted(name, port)
    third.sock.sendall(frame(CLOSE, struct.pack(">H", 1000)))
    seen("signals of one that leaves", [word for word, _ in till_told(case, name)])
    fourth, number = case.admitted(name, port)
    case.godot(f"{name}.close()")
    seen("signals of close", [word for word, _ in case.godot("reported()")])
    seen.ask(name, *STATUS, "get_unique_id()")
    seen("again", case.godot(f'{name}.create_client("ws://127.0.0.1:9")'))
    case.drop(name, *raws, third, fourth)


def refusing(case, seen):
    """A host that takes no new peers: they wait, unanswered, and come in when it takes them again."""
    name, port = case.server()
    case.godot(f"{name}.set_refuse_new_connections(true)")
    raw = Raw(socket.create_connection(("127.0.0.1", port)))
    raw.sock.sendall(request().encode())
    for _ in range(100):
        case.godot(f"{name}.poll()")
    raw.sock.setblocking(False)
    try:
        seen("bytes while refused", len(raw.sock.recv(100)))
    except BlockingIOError:
        seen("bytes while refused", "none, and it is open")
    seen("signals while refused", case.godot("reported()"))
    case.godot(f"{name}.set_refuse_new_connections(false)")
    seen("signals then", [word for word, _ in till_told(case, name)])
    raw.sock.settimeout(5)
    seen("answer then", raw.head().split("\r\n")[0])
    case.drop(name, raw)


def ipv6(case, seen):
    """The text of addresses with colons."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        name = case.name()
        case.godot(f'make("{name}", "{case.godot.peer}")')
        seen("connects", case.godot(f'{name}.connect_to_url("ws://[::1]:{listener.getsockname()[1]}")'))
        case.godot(f"{name}.poll()")
        listener.settimeout(5)
        raw = Raw(listener.accept()[0])
        case.godot(f"{name}.poll()")
        seen.ask(name, "get_connected_host()")
        case.drop(name, raw)
    for bound, to in (("::1", "::1"), ("*", "::1"), ("*", "127.0.0.1")):
        host, port = case.name(), free_port()
        case.godot(f'make("{host}", "{case.godot.multiplayer_peer}")')
        case.godot(f'watch("{host}", {SIGNALS})')
        seen(f"listens on {bound}", case.godot(f'{host}.create_server({port}, "{bound}")'))
        raw = Raw(socket.create_connection((to, port)))
        raw.sock.sendall(request().encode())
        number = till_told(case, host)[0][1]
        seen(f"who comes to {bound} from {to}", case.godot(f"{host}.get_peer_address({number})"))
        seen(f"the same, its peer, {bound} from {to}", case.godot(f"{host}.get_peer({number}).get_connected_host()"))
        case.drop(host, raw)


def sizes(case, seen):
    """Packets around outbound_buffer_size."""
    name, raw = case.open_client()
    raw.sock.settimeout(5)
    for size in (65535, 65536, 70000):
        for call in (f"send(filled({size}, 65))", f"put_packet(filled({size}, 65))"):
            error = case.godot(f"{name}.{call}")
            seen(call, error)
            if error == 0:
                case.godot(f"{name}.poll()")
                seen(f"bytes of {call}", len(raw.frame()[2]))
    seen.ask(name, "get_ready_state()")
    case.godot(f'{name}.set("outbound_buffer_size", 100000)')
    seen.ask(name, "send(filled(70000, 65))", "send(filled(100001, 65))")
    case.godot(f"{name}.poll()")
    seen("bytes with a larger buffer", len(raw.frame()[2]))
    case.drop(name, raw)
    name, port = case.server()
    raw, number = case.admitted(name, port)
    case.godot(f"{name}.set_target_peer({number})")
    for size in (65535, 65536, 70000):
        seen(f"a host's put of {size}", case.godot(f"{name}.put_packet(filled({size}, 65))"))
    case.godot(f"{name}.poll()")
    raw.sock.settimeout(5)
    seen("bytes from a host", len(raw.frame()[2]))
    seen("a host's peer", case.godot(f"{name}.get_peer({number}).get_ready_state()"))
    case.drop(name, raw)


def timeouts(case, seen):
    for kind, calls in (
        (case.godot.peer, ("heartbeat_interval",)),
        (case.godot.multiplayer_peer, ("handshake_timeout",)),
    ):
        name = case.name()
        case.godot(f'make("{name}", "{kind}")')
        for property_ in calls:
            for value in ("2.5", "-1.0", "0.0"):
                case.godot(f"{name}.set_{property_}({value})")
                seen(f"after set_{property_}({value})", case.godot(f"{name}.get_{property_}()"))
        case.drop(name)


def heartbeat(case, seen):
    """Pings that are not answered: their number, and the end."""
    name, raw = case.open_client(settings={"heartbeat_interval": 0.3})
    seen("ends", case.godot(f'until("{name}", "get_ready_state", {CLOSED}, 5000)') >= 0)
    raw.sock.settimeout(5)
    got = []
    try:
        while True:
            got.append(raw.frame()[1])
    except (EOFError, OSError):
        # Ours may send another ping when it gives up.
        seen("frames", [got[0], len(got) < 3, set(got) == {PING}])
    seen.ask(name, *END)
    case.drop(name, raw)


def greetings(case, seen):
    """A client with various first messages of a host."""
    for what, first in (
        ("7 or so", frame(BINARY, struct.pack("<i", 77), masked=False)),
        ("the largest", frame(BINARY, struct.pack("<i", 0x7FFFFFFF), masked=False)),
        ("3 bytes", frame(BINARY, b"abc", masked=False)),
        ("5 bytes", frame(BINARY, b"abcde", masked=False)),
        ("1", frame(BINARY, struct.pack("<i", 1), masked=False)),
        ("0", frame(BINARY, struct.pack("<i", 0), masked=False)),
        ("-5", frame(BINARY, struct.pack("<i", -5), masked=False)),
        ("empty", frame(BINARY, b"", masked=False)),
    ):
        name, raw = case.client(first=first, multiplayer=True)
        case.godot(f'watch("{name}", {SIGNALS})')
        case.godot(f'until("{name}", "get_connection_status", 2, 150)')
        seen(what, [case.godot(f"{name}.get_connection_status()"), case.godot("reported()")])
        if case.godot(f"{name}.get_connection_status()") == 2:
            seen(f"id, {what}", case.godot(f"{name}.get_unique_id()"))
        case.drop(name, raw)


def a_join(case, seen):
    name, raw = case.client(multiplayer=True)
    case.godot(f'watch("{name}", {SIGNALS})')
    seen.ask(
        name,
        *STATUS,
        "put_packet(filled(1, 1))",
        "put_packet(filled(70000, 1))",
        "get_packet()",
        "get_packet_error()",
        "get_packet_peer()",
        "get_unique_id()",
        "get_peer(1).get_ready_state()",
    )
    raw.sock.sendall(frame(BINARY, struct.pack("<i", 77), masked=False))
    seen("signals", till_told(case, name))
    seen.ask(name, *STATUS, "get_unique_id()", 'create_client("ws://127.0.0.1:9")')
    for target in (1, 0, -1, 5, -5):
        case.godot(f"{name}.set_target_peer({target})")
        seen(f"put to {target}", case.godot(f"{name}.put_packet(filled(2, 65))"))
        case.godot(f"{name}.poll()")
        seen(f"bytes to {target}", [str(part) for part in raw.frame()])
    raw.sock.sendall(
        frame(BINARY, b"abc", masked=False) + frame(TEXT, b"text", masked=False) + frame(BINARY, b"", masked=False)
    )
    case.godot(f'until("{name}", "get_available_packet_count", 3, 1000)')
    for _ in range(3):
        seen.ask(name, "get_packet_peer()", "get_packet()", "get_packet_mode()", "get_packet_channel()")
    seen.ask(name, "get_packet_peer()", "get_packet()", "get_packet_error()", "put_packet(filled(70000, 1))")
    seen("its peer", case.godot(f"{name}.get_peer(1).get_ready_state()"))
    raw.sock.sendall(frame(CLOSE, struct.pack(">H", 1000) + b"over", masked=False))
    seen("signals of the end", till_told(case, name))
    seen.ask(name, *STATUS, "get_unique_id()")
    case.drop(name, raw)
    name, raw = case.client(first=frame(BINARY, struct.pack("<i", 77), masked=False), multiplayer=True)
    case.godot(f'watch("{name}", {SIGNALS})')
    till_told(case, name)
    case.godot(f"{name}.close()")
    seen("signals of close", case.godot("reported()"))
    seen.ask(name, *STATUS)
    case.drop(name, raw)
    for force in ("false", "true"):
        name, raw = case.client(first=frame(BINARY, struct.pack("<i", 77), masked=False), multiplayer=True)
        case.godot(f'watch("{name}", {SIGNALS})')
        till_told(case, name)
        case.godot(f"{name}.disconnect_peer(1, {force})")
        raw.sock.sendall(numbered(20))
        for _ in range(20):
            case.godot(f"{name}.poll()")
        seen(f"after disconnect_peer(1, {force})", [case.godot(f"{name}.{call}") for call in (*STATUS, "get_unique_id()")])
        seen(f"its frame, {force}", [part if isinstance(part, int) else part.hex() for part in raw.frame()])
        if force == "false":
            raw.sock.sendall(frame(CLOSE, struct.pack(">H", 1000), masked=False))
            seen("its signals", till_told(case, name))
        seen(f"then, {force}", [case.godot(f"{name}.{call}") for call in STATUS])
        seen(f"signals then, {force}", case.godot("reported()"))
        case.drop(name, raw)


def main():
    cases = [Case(STOCK, ""), Case(OURS, "")]
    for scenario in (
        a_new_peer,
        urls,
        connecting,
        nobody,
        requests,
        answers,
        messages,
        closed_by_the_other,
        closed_by_us,
        accepting,
        ipv6,
        sizes,
        timeouts,
        heartbeat,
        a_new_multiplayer_peer,
        a_host,
        refusing,
        greetings,
        a_join,
    ):
        began = time.monotonic()
        stock, ours = Seen(cases[0]), Seen(cases[1])
        for case, seen in zip(cases, (stock, ours)):
            scenario(case, seen)
        name = scenario.__name__.replace("_", " ")
        wrong = []
        for step in {**stock, **ours}:
            theirs, mine = stock.get(step, "nothing"), ours.get(step, "nothing")
            if theirs == mine:
                continue
            reason = next(
                (reason for where, pattern, reason in DIFFERENT if where == name and re.fullmatch(pattern, step)), None
            )
            if reason:
                print(f"# {name}: {step}: Godot's {theirs}, ours {mine}: {reason}")
            else:
                wrong.append(f"{step}: Godot's {theirs}, ours {mine}")
        check(not wrong, f"the same: {name}, {len(stock)} steps", "\n  " + "\n  ".join(wrong))
        print(f"# {scenario.__name__} took {time.monotonic() - began:.1f} s")
    for case in cases:
        case.godot.close()
    return end()


if __name__ == "__main__":
    sys.exit(main())
