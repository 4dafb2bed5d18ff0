"""The conformance program in Python: runs one scenario of docs/conformance.md and prints its trace.
Usage: conformance.py SCENARIO [URL [CA.pem]]"""

from __future__ import annotations

import contextlib
import re
import sys
import time
import zlib
from pathlib import Path
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
    line = f"{'text' if packet.is_text else 'binary'} {len(packet.data)} {zlib.adler32(packet.data):08x}"
    if packet.peer_id:
        line += f" peer={peer_name(packet.peer_id)}"
    if packet.is_text and 0 < len(packet.data) <= SHORT:
        line += f" {packet.text}"
    say(name, line)


def show(name: str, event: wspeer.Event) -> None:
    if event.type == EventType.MESSAGE:
        show_packet(name, event)
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


# ---- Scenarios of a client; each connects to URL, or URL and a path ----


def open_client(url: str, **config: Any) -> End:
    """A client that is polled until it is open or has ended."""
    free_all()
    client = End("", wspeer.connect(url, **config))
    client.take()
    return client


def close_client(client: End, code: int = 1000, reason: str = "") -> None:
    with reported("close"):
        client.ws.close(code, reason)
    client.until(EventType.CLOSED)


def echo(url: str) -> None:
    client = open_client(url + "/echo")
    for text in ("hello", "κόσμε 🎮"):
        put(client.ws, text)
        client.take()
    close_client(client)


def sizes(url: str) -> None:
    big = 1 << 20
    text = bytes(ord("a") + i % 26 for i in range(big)).decode()
    binary = bytes(i % 251 for i in range(big))
    client = open_client(url + "/echo")
    for data in (text, binary):
        for length in (0, 1, 125, 126, 65535, 65536, big):
            put(client.ws, data[:length])
            client.take()
    close_client(client)


def wss(url: str, ca: str) -> None:
    client = open_client(url + "/echo", only_ca_pem=True, ca_pem=Path(ca).read_text())
    print("tls", "yes" if client.ws.tls else "no")
    put(client.ws, "secret")
    client.take()
    close_client(client)


def subprotocol(url: str) -> None:
    close_client(open_client(url + "/echo", subprotocols=["chat.v3", "chat.v2"]))
    open_client(url + "/echo", subprotocols="other")


def headers(url: str) -> None:
    client = open_client(url + "/echo?a=1&b=%20", headers=[("X-Ask", "one"), ("X-Ask", "two words")])
    for index in range(3):
        show_header("", client.ws, "x-answer", index)
    show_header("", client.ws, "x-missing", 0)
    close_client(client)


def certificate(url: str, _ca: str) -> None:
    open_client(url + "/echo")


def status(url: str) -> None:
    client = open_client(url + "/refuse/403")
    show_header("", client.ws, "x-refused", 0)
    print("body", client.ws.body)


def nobody(url: str) -> None:
    open_client(url + "/")


def proxy(url: str) -> None:
    """The URL is that of the proxy."""
    client = open_client("ws://game.example/echo", proxy=url)
    put(client.ws, "through")
    client.take()
    close_client(client)
    client = open_client("ws://refused.example/", proxy=url)
    show_header("", client.ws, "x-proxy", 0)
    print("body", client.ws.body)
    open_client("ws://login.example/", proxy=url)
    with reported("connect"):
        open_client("ws://game.example/", proxy="ftp://127.0.0.1:1")


def heartbeat(url: str) -> None:
    """The server has no application heartbeat."""
    client = open_client(url + "/echo", app_heartbeat=True)
    put(client.ws, "hello")
    client.take(2)
    close_client(client)


def close_here(url: str) -> None:
    for code, reason in ((0, ""), (1000, "bye"), (1001, ""), (3000, "κόσμε"), (4999, "r" * 123)):
        client = open_client(url + "/sink")
        put(client.ws, "last")
        close_client(client, code, reason)
    close_client(open_client(url + "/echo"), -1)


def close_there(url: str) -> None:
    for path in ("/close/1000/", "/close/1001/going", "/close/4001/bye"):
        open_client(url + path).until(EventType.CLOSED)


def burst(url: str) -> None:
    client = open_client(url + "/burst")
    until_state(client.ws, lambda state: state == State.CLOSED)
    print(f"state {client.ws.state:d} available {client.ws.available}")
    while packets := client.ws.packets(limit=32, lend=True):
        for packet in packets:
            show_packet("", packet)
    client.until(EventType.CLOSED)


def bad_peer(url: str) -> None:
    for path in ("/close/none", "/close/drop", "/bad/utf8", "/bad/reserved", "/bad/big"):
        open_client(url + path, max_message_bytes=1000).until(EventType.CLOSED)


# ---- Bad input ----


def bad_open() -> None:
    for url in ("", "game.example:9080", "http://127.0.0.1/", "ws://127.0.0.1:99999", "ws://"):
        with reported("connect"):
            wspeer.connect(url)
    for url in ("nothing", "ws://game.example:0", "wss://127.0.0.1:0"):
        with reported("listen"):
            wspeer.listen(url)
    with reported("connect"):
        wspeer.connect("ws://127.0.0.1:1", headers={"X-Bad": "one\r\nX-Worse: two"})
    with reported("connect"):
        wspeer.connect("ws://127.0.0.1:1", headers=["no colon"])
    with reported("connect"):
        wspeer.connect("wss://127.0.0.1:1", ca_pem="no certificate")
    with reported("connect"):
        wspeer.connect("ws://127.0.0.1:1", deflate=True, deflate_level=10)


def bad_put(url: str) -> None:
    with wspeer.connect(url, max_message_bytes=1000) as early:
        put(early, "too early")
    client = open_client(url + "/echo", max_message_bytes=1000)
    put(client.ws, bytes(1001))
    put(client.ws, bytes(1000))
    client.take()
    close_client(client)
    put(client.ws, "too late")


def bad_text(url: str) -> None:
    client = open_client(url + "/echo")
    with reported("put"):
        client.ws.send(b"a\xce", text=True)
    put(client.ws, "good")
    client.take()
    close_client(client)


def bad_close(url: str) -> None:
    client = open_client(url + "/echo")
    for code, reason in ((1000, "r" * 124), (999, ""), (1005, ""), (5000, "")):
        with reported("close"):
            client.ws.close(code, reason)
    close_client(client)


# ---- Objects that have ended ----


def stale(url: str) -> None:
    freed = open_client(url + "/echo").ws
    freed.free()
    put(freed, "to nobody")
    with reported("close"):
        freed.close(1000)
    with reported("poll"):
        freed.poll()
    freed.free()

    # A server's client retires in the poll after its DISCONNECTED.
    ends.clear()
    server = End("server", wspeer.listen("ws://127.0.0.1:0"))
    client = End("client", wspeer.connect(server.ws.url))
    client.take()
    event = server.next_event()
    conn = event.peer
    show("server", event)
    client.ws.close(-1)
    server.until(EventType.DISCONNECTED)
    put(conn, "just gone")
    server.ws.poll()
    put(conn, "to nobody")
    put(server.ws, b"", to=12345)
    free_all()


# ---- A certificate that is replaced while the server runs ----


def renew() -> None:
    for names, days in (("", 30), ("localhost:443", 30), ("localhost", 0)):
        with reported("make_certificate"):
            wspeer.make_certificate(names, days)
    first, second = (wspeer.make_certificate(["localhost", "127.0.0.1", "::1"], 30) for _ in range(2))
    print("sha256", len(first.sha256))
    with wspeer.listen("ws://127.0.0.1:0") as plain, reported("set_certificate"):
        plain.set_certificate(first.cert_pem, first.key_pem)

    server = End("server", wspeer.listen("wss://127.0.0.1:0", cert_pem=first.cert_pem, key_pem=first.key_pem))

    def visit(name: str, **trust: Any) -> End:
        client = End(name, wspeer.connect(server.ws.url, **trust))
        client.take()
        return client

    def replace(cert_pem: str, key_pem: str) -> None:
        with reported("set_certificate"):
            server.ws.set_certificate(cert_pem, key_pem)

    a = visit("a", pin_sha256=first.sha256)
    server.take()
    replace(second.cert_pem, second.key_pem)
    visit("b", pin_sha256=second.sha256)
    server.take()
    put(a.ws, "still here")
    server.take()
    visit("c", only_ca_pem=True, ca_pem=first.cert_pem)
    replace(first.cert_pem, second.key_pem)
    replace("no certificate", second.key_pem)
    visit("d", only_ca_pem=True, ca_pem=second.cert_pem)
    server.take()
    free_all()


# ---- A client behind a proxy, which is this program ----


def visit_behind(trusted: Any, **how: Any) -> None:
    """A server with these settings, and a client that sends both headers."""
    server = End("server", wspeer.listen("ws://127.0.0.1:0", trusted_proxies=trusted, **how))
    lines = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "Forwarded": "for=198.51.100.2"}
    End("client", wspeer.connect(server.ws.url, headers=lines)).take()
    event = server.next_event()
    show("server", event)
    print("remote", event.peer.remote_address.split(":")[0])
    print("peer", event.peer.peer_address.split(":")[0])
    free_all()


def proxied() -> None:
    url, trusted = "ws://127.0.0.1:0", ["127.0.0.0/8", "::1"]
    with reported("listen"):
        wspeer.listen(url, forwarded=True)
    with reported("listen"):
        wspeer.listen(url, forwarded=True, trusted_proxies="127.0.0.1/33")
    with reported("listen"):
        wspeer.listen(url, forwarded=True, x_forwarded_for=True, trusted_proxies=trusted)
    visit_behind(trusted, x_forwarded_for=True)
    visit_behind(trusted, forwarded=True)
    # The client is none of the proxies, so it sends no header of the PROXY protocol.
    visit_behind("192.0.2.0/24", proxy_protocol=True)


# ---- A server. The driver's clients connect one by one, and their messages say what to do ----


def serve() -> None:
    server = End("", wspeer.listen("ws://127.0.0.1:0", subprotocols="chat", headers={"X-Answer": "yes"}))
    ws: wspeer.Server = server.ws
    print(f"port {ws.options.port}", flush=True)
    names: dict[wspeer.Peer, int] = {}
    while (event := server.next_event()).type != EventType.CLOSED:
        peer = event.peer
        name = str(names.setdefault(peer, len(names) + 1))
        show(name, event)
        if event.type == EventType.CONNECTED:
            show_header(name, peer, "x-name", 0)
            put(peer, f"welcome {name}")
        elif event.type == EventType.MESSAGE and event.text == "me":
            put(ws, event.message, to=peer)
        elif event.type == EventType.MESSAGE and event.text == "others":
            with reported("put_to"):
                ws.send(event.message, but=peer)
        elif event.type == EventType.MESSAGE and event.text == "end":
            with reported("disconnect"):
                ws.disconnect(peer, 4004, "as you wish")
        elif event.type == EventType.MESSAGE and event.text == "stop":
            with reported("close"):
                ws.close(4100, "over")
        elif event.type == EventType.MESSAGE:
            put(ws, event.message)
        elif event.type == EventType.DISCONNECTED and ws.state == State.OPEN:
            put(ws, f"{name} has left")
    print("server closed")


# ---- A game: a host and three joins, in either format ----


def multiplayer(godot3: bool) -> None:
    def words(text: str) -> str | bytes:
        return text.encode() if godot3 else text

    host = End("host", wspeer.host("ws://127.0.0.1:0", godot3=godot3), 1)
    players: list[End] = []
    for name in "abc":
        player = End(name, wspeer.join(host.ws.url, godot3=godot3))
        until_state(player.ws, lambda state: state != State.CONNECTING)
        player.peer_id = player.ws.peer_id
        host.take()
        player.take(2 + len(players) if godot3 else 2)
        for other in players if godot3 else ():
            other.take()
        players.append(player)
    a, b, c = players

    put(host.ws, words("to all"))
    for player in players:
        player.take()
    put(host.ws, words("to b"), to=b.peer_id)
    b.take()
    put(host.ws, words("not to c"), to=-c.peer_id)
    a.take()
    b.take()
    put(host.ws, words("to myself"), to=1)
    for player in players:
        put(player.ws, words("from me"))
        host.take()
        for other in players if godot3 else ():
            if other is not player:
                other.take()
    put(a.ws, words("to the host"), to=1)
    host.take()
    put(a.ws, words("to c"), to=c.peer_id)
    if godot3:
        c.take()

    with reported("disconnect"):
        host.ws.disconnect(b.peer_id, 4003, "kicked")
    host.until(EventType.DISCONNECTED)
    b.until(EventType.CLOSED)
    if godot3:
        a.take()
        c.take()
    with reported("close"):
        c.ws.close(4005, "leaving")
    host.until(EventType.DISCONNECTED)
    c.until(EventType.CLOSED)
    if godot3:
        a.take()
    with reported("close"):
        host.ws.close(0, "the game is over")
    host.until(EventType.DISCONNECTED)
    a.until(EventType.CLOSED)


# ---- Two ends in memory ----


def pair() -> None:
    both = wspeer.pair(
        queue_before_open=True,
        coalesce=True,
        deflate=True,
        server_no_context_takeover=True,
        client_no_context_takeover=True,
        owner=7,
        user=11,
    )
    server, client = (End(name, ws) for name, ws in zip(("server", "client"), both))
    put(server.ws, "early")
    server.take()
    client.take(2)
    print("extensions", client.ws.extensions)

    taken = client.ws.send_many(["one", b"\0\xff", "three"])
    client.ws.flush()
    print("taken", taken, "wait", "WS_OK" if wspeer.wait([server.ws, client.ws], 10) else "WS_EMPTY")
    limit = time.monotonic() + 10
    while server.ws.available < 3 and time.monotonic() < limit:
        poll_all()
    first = server.ws.packets(limit=1)[0]
    show_packet("server", first)
    print("user", first.user)
    for event in server.ws.events(limit=8):
        show("server", event)
    server.ws.set_user(12)
    put(client.ws, "more")
    event = server.next_event()
    show("server", event)
    print("user", event.user)
    stats = server.ws.stats()
    print("messages in", stats.messages_in, "out", stats.messages_out)

    print("ended", "yes" if client.ws.end else "no")
    with reported("close"):
        client.ws.close(4000, "done")
    print(f"state {client.ws.state:d}")
    until_state(client.ws, lambda state: state == State.CLOSED)
    print(f"ended yes code={client.ws.end.code} cause={client.ws.end.cause:d}")
    server.until(EventType.CLOSED)
    client.until(EventType.CLOSED)
    wspeer.free_owner(7)
    with reported("poll"):
        server.ws.poll()
    free_all()


# ---- Two connections whose bytes this program carries ----


def carry(source: wspeer.AttachedPeer, to: wspeer.AttachedPeer) -> None:
    data = source.take_output()
    while data:
        data = data[to.feed(data) :]


def attach() -> None:
    big = bytes(300000)
    server = End("server", wspeer.attach(wspeer.Role.SERVER, outbound_packets=1))
    client = End("client", wspeer.attach(wspeer.Role.CLIENT, outbound_packets=1))
    between_polls.append(lambda: carry(client.ws, server.ws))
    between_polls.append(lambda: carry(server.ws, client.ws))
    client.take()
    server.take()
    put(client.ws, "hello")
    server.take()
    # The transport takes a part of the first, and the second does not fit in the queue behind it.
    put(client.ws, big)
    put(client.ws, big)
    server.take()
    client.take()
    between_polls.clear()
    with reported("feed"):
        server.ws.feed(None)
    server.take()
    with reported("feed"):
        server.ws.feed(b"x")
    free_all()


# ---- A queue that is full ----


def full() -> None:
    big = bytes(300000)

    def put_big() -> None:
        with reported("put"):
            print("put", "WS_OK" if host.ws.send(big) else "WS_PARTIAL")

    host = End("host", wspeer.host("ws://127.0.0.1:0", outbound_packets=1, on_full=wspeer.OnFull.SKIP), 1)
    a = End("a", host.ws.join_local())
    until_state(a.ws, lambda state: state == State.OPEN)
    a.peer_id = a.ws.peer_id
    host.take()
    a.take(2)

    print("conn of", peer_name(host.ws.peer(a.peer_id).peer_id))
    with reported("get_conn"):
        host.ws.peer(-1)

    a.sleeps = True
    put_big()
    put_big()
    host.take()
    host.ws.options.on_full = wspeer.OnFull.ALL_OR_NONE
    put_big()
    a.sleeps = False
    a.take()
    host.take()
    a.sleeps = True
    host.ws.options.on_full = wspeer.OnFull.DISCONNECT
    put_big()
    put_big()
    a.sleeps = False
    event = host.next_event()
    print(f"host event {event.type:d} code={event.code} cause={event.cause:d}")
    free_all()


# ---- Options and texts ----


def options() -> None:
    """Every option of a host: its value, then the value after it was set to 1, or to 0 if it was 1."""
    with wspeer.host(
        "ws://127.0.0.1:0",
        poll_budget_us=101,
        connect_timeout_ms=102,
        handshake_timeout_ms=103,
        close_timeout_ms=104,
        heartbeat_ms=105,
        pong_timeout_ms=106,
        max_message_bytes=107,
        max_fragments=108,
        max_header_bytes=1090,
        inbound_packets=110,
        inbound_bytes=111,
        outbound_packets=112,
        outbound_bytes=113,
        max_messages_per_s=114,
        max_bytes_per_s=115,
        max_clients=116,
        max_clients_per_address=117,
        max_pending_handshakes=118,
        on_full=wspeer.OnFull.ALL_OR_NONE,
        no_delay=False,
        deflate_level=9,
        deflate_threshold_bytes=119,
        server_max_window_bits=12,
        client_max_window_bits=13,
        max_inflate_ratio=120,
        max_call_bytes=121,
        max_call_items=122,
        ipv6_prefix_bits=56,
        deflate=True,
        scene=True,
    ) as host:
        for name in [name for name in vars(wspeer.Options) if not name.startswith("_")]:
            before = getattr(host.options, name)
            if name == "port":
                print("option PORT", "yes" if before else "no")
                continue
            setattr(host.options, name, type(before)(int(before) != 1))
            print("option", name.upper(), int(before), int(getattr(host.options, name)))


def texts() -> None:
    """Every text of a server's client, and the lists of clients. The first client is refused."""
    server = End("server", wspeer.listen("ws://127.0.0.1:0", subprotocols="chat", deflate=True, refuse_new=True))
    url = server.ws.url + "/room?x=1"
    refused = End("client", wspeer.connect(url, subprotocols="chat", deflate=True))
    refused.take()
    refused.sleeps = True
    server.ws.options.refuse_new = False
    End("client", wspeer.connect(url, subprotocols="chat", deflate=True)).take()

    limit = time.monotonic() + 10
    while not (waiting := server.ws.waiting()) and time.monotonic() < limit:
        poll_all()
    clients = server.ws.clients()
    print("clients", len(clients), "waiting", len(waiting))
    server.take()
    one = clients[0]
    for name, text in (
        ("URL", one.url),
        ("PATH", one.path),
        ("QUERY", one.query),
        ("SUBPROTOCOL", one.subprotocol),
        ("CLOSE_REASON", one.close_reason),
        ("ERROR", one.error),
        ("LOCAL_ADDRESS", one.local_address),
        ("REMOTE_ADDRESS", one.remote_address),
        ("BODY", one.body),
        ("TLS", one.tls),
        ("EXTENSIONS", one.extensions),
        ("PEER_ADDRESS", one.peer_address),
    ):
        print("text", name, re.sub(r":\d+", ":PORT", text))
    free_all()


# ---- The library itself ----


def library() -> None:
    # The package compares the structs when it is imported.
    print("fits yes")
    print("version", "yes" if wspeer.library_version() else "no")
    print(f"features {wspeer.features():d}")
    for level in wspeer.LogLevel:
        wspeer.set_log_level(level)
        wspeer.listen("ws://127.0.0.1:0").free()
        print(f"log {level:d}", "yes" if wspeer.log_lines() else "no")


# ---- Certificates that a client trusts, or not ----


def trust() -> None:
    made = wspeer.make_certificate("game.example", 30)
    server = End("server", wspeer.listen("wss://127.0.0.1:0", cert_pem=made.cert_pem, key_pem=made.key_pem))
    End("strict", wspeer.connect(server.ws.url, only_ca_pem=True, ca_pem=made.cert_pem)).take()
    trusts: list[tuple[str, dict[str, Any]]] = [
        ("named", {"only_ca_pem": True, "ca_pem": made.cert_pem, "server_name": "game.example"}),
        ("any name", {"only_ca_pem": True, "ca_pem": made.cert_pem, "any_name": True}),
        ("insecure", {"insecure": True}),
    ]
    for name, how in trusts:
        End(name, wspeer.connect(server.ws.url, **how)).take()
        server.take()
    free_all()


# ---- Scenes ----


def shown(value: Any) -> str:
    """A value of a remote call, as the trace has it."""
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
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{shown(key)}: {shown(one)}' for key, one in value.items())}}}"
    if isinstance(value, wspeer.Value):
        return f"{value.type.name.capitalize()}({', '.join(map(shown, value.value))})"
    return str(value)


def hear_call(end: End) -> wspeer.Event:
    event = end.next_event()
    call = event.call
    assert call, event
    arguments = ", ".join(map(shown, call.arguments))
    say(end.name, f"call {call.path}.{call.method}({arguments}) peer={peer_name(event.peer_id)}")
    return event


def settle(host: End, player: End) -> None:
    until_state(player.ws, lambda state: state == State.OPEN)
    player.peer_id = player.ws.peer_id
    host.take()
    player.take(2)


def scene() -> None:
    host = End("host", wspeer.host("ws://127.0.0.1:0", scene=True), 1)
    a = End("a", wspeer.join(host.ws.url, scene=True))
    settle(host, a)
    b = End("b", host.ws.join_local())
    settle(host, b)
    b.take()
    a.take()
    for end in (host, a, b):
        end.ws.declare_node("/root/Game", "hello, move")

    arguments = [None, True, -5, 1.5, "κόσμε", [1, "x"], {"k": 2}, b"\x01\x02\xff"]
    a.ws.call("Game", "hello", *arguments, to=1)
    received = hear_call(host)
    call = received.call
    assert call
    host.ws.call(call.path, call.method, *call.arguments, to=received.peer_id)
    hear_call(a)
    place = wspeer.Value(wspeer.VariantType.VECTOR2, (1.5, -2.0))
    host.ws.call("Game", "move", place)
    hear_call(a)
    hear_call(b)
    b.ws.call("Game", "move", place, to=a.peer_id)
    hear_call(a)

    # A value as the bytes of a packet.
    put(host.ws, wspeer.encode_variant(arguments[5]), to=a.peer_id)
    event = a.next_event()
    show("a", event)
    print("a value", shown(wspeer.decode_variant(event.data)))

    # A node that the host has not declared.
    a.ws.declare_node("Secret", "open")
    a.ws.call("Secret", "open", to=1)
    host.take()
    a.ws.declare_node("Secret", None)
    a.ws.close(4001, "bye")
    host.until(EventType.DISCONNECTED)
    a.until(EventType.CLOSED)
    b.take()
    free_all()


# ---- Authentication; the clients do not learn of each other ----


def knock(host: End, name: str) -> End:
    one = End(name, wspeer.join(host.ws.url, scene=True, auth=True, no_relay=True))
    event = host.next_event()
    one.peer_id = event.peer_id
    show("host", event)
    one.take()
    return one


def auth() -> None:
    host = End("host", wspeer.host("ws://127.0.0.1:0", scene=True, auth=True, no_relay=True), 1)
    players = []
    for name in "ab":
        one = knock(host, name)
        one.ws.send_auth(1, b"password")
        host.take()
        host.ws.send_auth(one.peer_id, b"welcome")
        one.take()
        host.ws.complete_auth(one.peer_id)
        one.ws.complete_auth(1)
        host.take()
        one.take(2)
        players.append(one)
    put(players[0].ws, b"to all", to=0)
    host.take()
    put(host.ws, b"to both", to=0)
    for one in players:
        one.take()
    c = knock(host, "c")
    with reported("disconnect"):
        host.ws.disconnect(c.peer_id, 4003, "wrong password")
    c.until(EventType.CLOSED)
    host.until(EventType.DISCONNECTED)
    free_all()


SCENARIOS: dict[str, Callable[..., None]] = {
    "echo": echo,
    "sizes": sizes,
    "wss": wss,
    "subprotocol": subprotocol,
    "headers": headers,
    "certificate": certificate,
    "status": status,
    "nobody": nobody,
    "proxy": proxy,
    "close-here": close_here,
    "close-there": close_there,
    "burst": burst,
    "bad-peer": bad_peer,
    "bad-open": bad_open,
    "bad-put": bad_put,
    "bad-text": bad_text,
    "bad-close": bad_close,
    "stale": stale,
    "renew": renew,
    "proxied": proxied,
    "server": serve,
    "multiplayer": lambda: multiplayer(False),
    "multiplayer3": lambda: multiplayer(True),
    "heartbeat": heartbeat,
    "pair": pair,
    "attach": attach,
    "full": full,
    "options": options,
    "texts": texts,
    "library": library,
    "trust": trust,
    "scene": scene,
    "auth": auth,
}


if __name__ == "__main__":
    SCENARIOS[sys.argv[1]](*sys.argv[2:])
    free_all()
    wspeer.shutdown()
