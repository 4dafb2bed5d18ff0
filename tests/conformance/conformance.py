"""The conformance program in Python: runs one scenario of docs/conformance.md and prints its trace.
Usage: conformance.py SCENARIO [URL [CA.pem]]"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

from local import LOCAL_SCENARIOS
from shared import End, ends, free_all, put, reported, show, show_header, show_packet, until_state

import wspeer
from wspeer import EventType, State

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


def diagnose(url: str) -> None:
    """Sentences, and the number of steps, depend on the system."""
    for path in ("/echo", "/refuse/403"):
        free_all()
        client = End("", wspeer.diagnose(url + path))
        put(client.ws, "no message")
        last = None
        while (event := client.next_event()).type == EventType.STEP:
            if last != event.phase:
                print(f"step phase={event.phase:d}")
            last = event.phase
        line = f"advice code={event.code} clean={event.clean:d} phase={event.phase:d} cause={event.cause:d}"
        print(f"{line} status={event.http_status}")


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


def reconnect(url: str) -> None:
    with reported("connect"):
        open_client(url + "/echo?try=1", reconnect=True, retry_min_ms=1, retry_max_ms=wspeer.OFF)
    client = open_client(url + "/echo?try=1", reconnect=True, retry_min_ms=1, retry_max_ms=20)
    client.take(2)
    print(f"state {client.ws.state:d}")
    put(client.ws, "too early")
    with reported("set_url"):
        client.ws.set_url("http://localhost")
    client.ws.set_url(url + "/echo?try=2")
    client.ws.set_header("X-Ask", "again")
    client.take(2)
    put(client.ws, "back")
    client.take()
    close_client(client)


def latest(url: str) -> None:
    """Before OPEN, and with coalesce until it is flushed, only the newest message of each key waits."""
    client = End("", wspeer.connect(url + "/echo", coalesce=True, queue_before_open=True, max_message_bytes=1000))

    def put_latest(key: int, data: wspeer.Data) -> None:
        with reported("put_latest"):
            client.ws.send_latest(key, data)

    put_latest(1, "first")
    put(client.ws, "plain")
    put_latest(1, "second")
    client.take(3)
    put_latest(1, "one")
    put_latest(0xFFFFFFFF, b"\0")
    put(client.ws, "between")
    put_latest(1, "a longer one")
    put_latest(0xFFFFFFFF, b"\0\xff")
    put_latest(2, "")
    client.ws.flush()
    put_latest(1, "after")
    client.take(5)
    stats = client.ws.stats()
    print("replaced", stats.replaced, "out", stats.messages_out)
    put_latest(1, bytes(1001))
    close_client(client)
    put_latest(1, "too late")


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


# ---- A session. The remote peer is a relay, which cuts the first link in the place of the server's "cut" ----


def session(url: str) -> None:
    server = End("server", wspeer.listen("ws://127.0.0.1:0", session_ms=60000, node="node-1"))
    through = f"{url}/{server.ws.options.port}/room"
    client = End("client", wspeer.connect(through, session_ms=60000, retry_min_ms=1, retry_max_ms=20))
    client.take()
    event = server.next_event()
    seat = event.peer
    show("server", event)
    put(client.ws, "one")
    server.take()
    put(seat, "cut")
    client.take()
    # It does not come back before both have put.
    client.sleeps = True
    server.take()
    print(f"state {client.ws.state:d} {seat.state:d}")
    put(client.ws, "two")
    put(client.ws, "three")
    put(seat, "four")
    client.sleeps = False
    server.take(3)
    client.take(3)
    print(f"state {client.ws.state:d} {seat.state:d}")
    stats = server.ws.stats()
    print("losses", stats.losses, "resumed", stats.resumed)
    put(seat, "five")
    client.take()
    with reported("close"):
        client.ws.close(4000, "bye")
    client.until(EventType.CLOSED)
    server.until(EventType.DISCONNECTED)
    free_all()

    # A server without sessions.
    server = End("server", wspeer.listen("ws://127.0.0.1:0"))
    client = End("client", wspeer.connect(server.ws.url, session_ms=60000))
    client.take(2)
    server.take()
    put(client.ws, "without")
    server.take()
    for hint in wspeer.Hint:
        client.ws.hint(hint)
    with reported("drain"):
        server.ws.drain(5000, url="http://localhost")
    server.ws.drain(5000)
    client.until(EventType.CLOSED)
    server.until(EventType.DISCONNECTED)
    print(f"server event {server.next_event().type:d}")


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


# ---- Clients that a server turns away ----


def refused() -> None:
    url, hosts = "ws://127.0.0.1:0", ["localhost", "127.0.0.1"]
    with reported("listen"):
        wspeer.listen(url, allowed_hosts="localhost, game.example/")
    with reported("listen"):
        wspeer.listen(url, allowed_hosts=hosts, allowed_origins="game.example")
    origins = ["https://game.example", "https://*.game.example"]
    server = End("server", wspeer.listen(url, allowed_hosts=hosts, allowed_origins=origins, report_refused=True))

    def knock(origin: str) -> None:
        End("client", wspeer.connect(server.ws.url, headers={"Origin": origin})).take()
        server.take()

    knock("https://evil.example")
    knock("https://www.game.example")
    server.ws.options.refuse_new = True
    knock("https://game.example")
    stats = server.ws.stats()
    print(f"refused {stats.refused} request {stats.refused_request} limit {stats.refused_limit}")
    free_all()


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


# ---- A server that serves a directory. The driver's client asks for files, then joins and says "stop" ----


def files(directory: str) -> None:
    server = End("server", wspeer.listen("ws://127.0.0.1:0"))
    print(f"port {server.ws.options.port}", flush=True)
    for prefix, path in (("page", directory), ("/.git", directory), ("/", "no such directory")):
        with reported("serve"):
            server.ws.serve(prefix, path)
    with reported("stop_serving"):
        server.ws.serve("/threads", None)
    server.ws.serve("/", Path(directory))
    server.ws.serve("/threads", directory, isolated=True)
    event = server.next_event()
    show("server", event)
    server.take()
    server.ws.serve("/threads", None)
    put(event.peer, "stopped")
    server.take(2)
    print(f"served {server.ws.stats().served}")


# ---- A server that decides on requests. The driver's clients come one by one ----


def decide(event: wspeer.Event) -> None:
    peer = event.peer
    line = f"request websocket={event.count} method={peer.method} path={peer.path} query={peer.query}"
    print(f"{line} body={event.text}", flush=True)

    def accept(subprotocol: str | None = None, *headers: str) -> None:
        with reported("accept"):
            peer.accept(subprotocol, headers)

    def reply(status: int, body: wspeer.Data, *headers: str) -> None:
        with reported("reply"):
            peer.reply(status, body, headers)

    if event.count == 0:
        accept()
        reply(200, event.data, "Content-Type: text/html")
    elif peer.query == "token=good":
        accept("chat.v9")
        accept("chat.v2", "X-Room: 7\r\nX-Other: 8")
        accept("chat.v2", "X-Room: 7")
        reply(200, "no")
    else:
        reply(101, "no")
        reply(401, "no", "WWW-Authenticate: Bearer")


def requests() -> None:
    server = End("", wspeer.listen("ws://127.0.0.1:0", ask=True))
    print(f"port {server.ws.options.port}", flush=True)
    connected = False
    while True:
        event = server.next_event()
        if event.type == EventType.REQUEST:
            decide(event)
            continue
        connected |= event.type == EventType.CONNECTED
        show("", event)
        if connected and event.type == EventType.DISCONNECTED:
            break
    free_all()


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


SCENARIOS: dict[str, Callable[..., None]] = {
    "echo": echo,
    "sizes": sizes,
    "wss": wss,
    "subprotocol": subprotocol,
    "headers": headers,
    "certificate": certificate,
    "status": status,
    "nobody": nobody,
    "diagnose": diagnose,
    "proxy": proxy,
    "reconnect": reconnect,
    "session": session,
    "close-here": close_here,
    "close-there": close_there,
    "burst": burst,
    "bad-peer": bad_peer,
    "bad-open": bad_open,
    "bad-put": bad_put,
    "bad-text": bad_text,
    "bad-close": bad_close,
    "stale": stale,
    "requests": requests,
    "renew": renew,
    "proxied": proxied,
    "refused": refused,
    "server": serve,
    "files": files,
    "multiplayer": lambda: multiplayer(False),
    "multiplayer3": lambda: multiplayer(True),
    "heartbeat": heartbeat,
    "latest": latest,
    **LOCAL_SCENARIOS,
}


if __name__ == "__main__":
    SCENARIOS[sys.argv[1]](*sys.argv[2:])
    free_all()
    wspeer.shutdown()
