"""The conformance program in Python: scenarios whose ends are all in this program."""

from __future__ import annotations

import re
import time
from typing import Any

from shared import (
    End,
    between_polls,
    free_all,
    peer_name,
    poll_all,
    put,
    reported,
    say,
    show,
    show_nodes,
    show_packet,
    show_value,
    until_state,
)

import wspeer
from wspeer import EventType, State
from wspeer.godot import decode_replication

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
        max_body_bytes=123,
        max_downloads=124,
        max_downloads_per_address=125,
        retry_min_ms=126,
        retry_max_ms=127,
        retry_tries=128,
        session_bytes=129,
        max_lost=130,
        max_topics=131,
        max_server_topics=132,
        max_total_mib=133,
        max_put_bytes=134,
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
        ("METHOD", one.method),
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


# ---- A bad network between two ends in memory, whose time this program advances ----


def simulate() -> None:
    for preset in wspeer.SimPreset:
        sim = wspeer.Sim.preset(preset)
        up = (sim.up_lag_us, sim.up_jitter_us, sim.up_bytes_per_s, sim.up_stall_for_ms, sim.up_stall_every_ms)
        down = (
            sim.down_lag_us,
            sim.down_jitter_us,
            sim.down_bytes_per_s,
            sim.down_stall_for_ms,
            sim.down_stall_every_ms,
        )
        print(f"preset {preset:d} up", *up, "down", *down)
    server, client = (End(name, ws) for name, ws in zip(("server", "client"), wspeer.pair()))
    client.ws.advance_time(0)
    server.take()
    client.take()

    with reported("set_sim"):
        client.ws.set_sim(wspeer.Sim(up_loss_ppm=1000001))
    sim = wspeer.Sim(up_lag_us=30000, down_loss_ppm=1000000, down_loss_stall_us=50000)
    client.ws.set_sim(sim)
    put(client.ws, "up")
    put(server.ws, "down")
    print("held", "yes" if client.ws.stats().sim_bytes else "no")
    poll_all()
    told = set()
    for ms in range(1, 61):
        client.ws.advance_time(1000)
        # What one end passes on, the other reads in its next poll.
        poll_all()
        poll_all()
        for end in (server, client):
            if end.ws.available == 1 and end.name not in told:
                told.add(end.name)
                print(f"{end.name} after {ms} ms")
    server.take()
    client.take()
    print("losses", client.ws.stats().sim_losses)

    client.ws.set_sim(sim._replace(up_lag_us=60000000))
    put(client.ws, "at once")
    client.ws.set_sim(None)
    server.take()

    with wspeer.listen("ws://127.0.0.1:0") as listening:
        listening.set_sim(sim)
        with reported("advance_time"):
            listening.advance_time(1)
    free_all()


# ---- Topics: who receives what a server or host publishes ----


def show_topics(name: str, topics: list[str]) -> None:
    print(f"topics of {name}: {','.join(topics)}")


def topics() -> None:
    server = End(
        "server", wspeer.listen("ws://127.0.0.1:0", coalesce=True, share_port=True, max_topics=2, max_server_topics=3)
    )
    clients: list[End] = []
    conns: list[wspeer.Peer] = []
    for name in "abc":
        clients.append(End(name, wspeer.connect(server.ws.url)))
        clients[-1].take()
        event = server.next_event()
        conns.append(event.peer)
        show("server", event)

    def subscribe(conn: wspeer.Peer, topic: str) -> None:
        with reported("subscribe"):
            conn.subscribe(topic)

    def publish(topic: str, data: str, but: wspeer.Peer | int = 0) -> None:
        with reported("publish"):
            server.ws.publish(topic, data, but=but)

    def take_all(*counts: int) -> None:
        for client, count in zip(clients, counts):
            client.take(count)

    a, b, c = conns
    for conn, topic in ((a, "red"), (a, "blue"), (a, "red"), (a, "green"), (b, "green"), (b, "red"), (c, "yellow")):
        subscribe(conn, topic)
    for client, conn in zip(clients, conns):
        show_topics(client.name, conn.topics())
    show_topics("server", server.ws.topics())
    stats = server.ws.stats()
    print("topics", stats.topics, "subscriptions", stats.subscriptions)

    publish("red", "to red")
    publish("red", "to red but a", but=a)
    publish("yellow", "to nobody")
    put(server.ws, "to all")
    take_all(2, 3, 1)
    # With coalesce only the newest of each key leaves.
    server.ws.publish_latest("red", 1, "one")
    server.ws.publish_latest("red", 2, "two")
    publish("red", "between")
    server.ws.publish_latest("red", 1, "one for a", but=b)
    server.ws.publish_latest("red", 2, "two again")
    take_all(3, 3)
    print("replaced", server.ws.stats().replaced)

    publish("red", "before")
    b.unsubscribe("red")
    b.unsubscribe("red")
    publish("red", "without b")
    a.unsubscribe()
    publish("red", "to nobody")
    put(server.ws, "to all")
    take_all(3, 2, 1)
    show_topics("server", server.ws.topics())
    subscribe(c, "")
    subscribe(c, "two\nlines")
    publish("", "")
    clients[1].ws.close(1000)
    server.until(EventType.DISCONNECTED)
    poll_all()
    show_topics("server", server.ws.topics())
    free_all()

    host = End("host", wspeer.host("ws://127.0.0.1:0"), 1)
    joins = []
    for name in "ab":
        join = End(name, wspeer.join(host.ws.url))
        settle(host, join)
        host.ws.peer(join.peer_id).subscribe("room")
        joins.append(join)
    host.ws.publish("room", "to both")
    host.ws.publish("room", "to b", but=joins[0].peer_id)
    host.ws.publish_latest("room", 1, "to a", but=joins[1].peer_id)
    with reported("publish"):
        host.ws.publish("room", "", but=-1)
    for join in joins:
        join.take(2)
    show_topics("host", host.ws.topics())
    free_all()


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


def hear_call(end: End) -> wspeer.Event:
    event = end.next_event()
    call = event.call
    assert call, event
    arguments = ", ".join(map(show_value, call.arguments))
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
    print("a value", show_value(wspeer.decode_variant(event.data)))

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


# ---- Replication: nodes that a host and a client spawn and synchronize ----


def declare_scene(end: End, spawner: str, authority: int, scene: int, synchronizers: str | None) -> None:
    with reported("declare_scene"):
        end.ws.declare_scene(spawner, authority, scene, synchronizers)


def spawn(end: End, spawner: str, scene: int, name: str, properties: dict[Any, Any], data: Any = None) -> int:
    with reported("spawn"):
        node: int = end.ws.spawn(spawner, scene, name, properties, data)
        say(end.name, f"spawned {name} {node}")
        return node
    return 0


def despawn(end: End, node: int) -> None:
    with reported("despawn"):
        end.ws.despawn(node)


def sync(end: End, node: int, properties: dict[str, Any]) -> None:
    with reported("sync"):
        end.ws.sync(node, properties)


def set_visible(end: End, node: int, visible: bool, peer_id: int = 0) -> None:
    with reported("set_visible"):
        end.ws.set_visible(node, visible, peer_id)


def vector2(*numbers: float) -> wspeer.Value:
    return wspeer.Value(wspeer.VariantType.VECTOR2, numbers)


def bad_replication(host: End) -> None:
    declare_scene(host, "", 0, 0, "")
    declare_scene(host, "Bad", -1, 0, "")
    declare_scene(host, "Bad", 0, 256, "")
    declare_scene(host, "Bad", 0, 0, ".:x always change")
    declare_scene(host, "Bad", 0, 0, ".:x, .:x")
    declare_scene(host, "Bad", 0, 0, None)
    with reported("declare_synchronizer"):
        host.ws.declare_synchronizer("Bad", 0, None)
    declare_scene(host, "Bad", 0, 0, ".:x")
    declare_scene(host, "Bad", 0, 0, ".:y")
    declare_scene(host, "Bad", 5, 1, "")
    declare_scene(host, "Theirs", 5, 0, ".:x")
    spawn(host, "Bad", 1, "One", {".:x": 5})
    spawn(host, "Theirs", 0, "One", {".:x": 5})
    spawn(host, "Bad", 0, "a/b", {".:x": 5})
    spawn(host, "Bad", 0, "One", {})
    spawn(host, "Bad", 0, "One", {".:x": 5, ".:y": 5})
    spawn(host, "Bad", 0, "One", {5: ".:x"})
    despawn(host, 99)
    sync(host, 99, {".:x": 5})
    set_visible(host, 99, True)
    declare_scene(host, "Bad", 0, 0, None)
    declare_scene(host, "Theirs", 5, 0, None)


def replication() -> None:
    spawner, custom, clock = "Game/Spawner", wspeer.CUSTOM_SCENE, ".:time spawn change, .:day always"
    mob = ".:position, .:skin spawn, .:health spawn change; Body:aim always"
    host = End("host", wspeer.host("ws://127.0.0.1:0", scene=True), 1)
    bad_replication(host)
    declare_scene(host, "/root/Game/Spawner", 1, 0, mob)
    declare_scene(host, spawner, 0, custom, "")
    a = End("a", wspeer.join(host.ws.url, scene=True))
    declare_scene(a, spawner, 1, 0, mob)
    declare_scene(a, spawner, 1, custom, "")
    settle(host, a)

    one = spawn(host, spawner, 0, "Mob", {".:position": vector2(1.5, -2), ".:skin": "red", ".:health": 5})
    a.take(2)
    # Each synchronizer with a property that is given sends all it sends always.
    sync(host, one, {".:position": vector2(2, 3)})
    a.take()
    sync(host, one, {"Body:aim": 0.5, ".:position": vector2(4, 5)})
    a.take()
    # The same value again is no change, and a spawn alone brings the skin.
    sync(host, one, {".:health": 4})
    sync(host, one, {".:health": 4})
    sync(host, one, {".:skin": "blue"})
    sync(host, one, {".:health": 3})
    a.take(2)

    # A late one gets what is there.
    b = End("b", host.ws.join_local())
    declare_scene(b, spawner, 1, 0, mob)
    declare_scene(b, spawner, 1, custom, "")
    settle(host, b)
    b.take(3)
    a.take()
    item = spawn(host, spawner, custom, "Item", {}, {"k": 2})
    a.take()
    b.take()

    # Hidden from all, shown to one, shown to all.
    set_visible(host, item, True, 5)
    set_visible(host, item, False)
    a.take()
    b.take()
    set_visible(host, item, True, b.peer_id)
    b.take()
    set_visible(host, item, True)
    a.take()
    set_visible(host, item, False, b.peer_id)
    despawn(host, one)
    despawn(host, one)
    a.take()
    b.take()

    # A client is the authority of another spawner.
    declare_scene(a, "Players", 0, 0, ".:position")
    declare_scene(host, "Players", a.peer_id, 0, ".:position")
    declare_scene(b, "Players", a.peer_id, 0, ".:position")
    other = spawn(a, "Players", 0, "A", {".:position": vector2(0, 1)})
    host.take()
    b.take()
    sync(a, other, {".:position": vector2(0, 2)})
    host.take()
    b.take()

    # A synchronizer by its path.
    node = host.ws.declare_synchronizer("Game/Clock", 0, clock)
    print("host synchronizer", node)
    print("b synchronizer", b.ws.declare_synchronizer("/root/Game/Clock", 1, clock))
    a.ws.declare_synchronizer("Game/Clock", 1, clock.split(", "))
    sync(host, node, {".:time": 1})
    a.take()
    b.take()
    sync(host, node, {".:day": 2})
    a.take()
    b.take()
    set_visible(host, node, False)
    set_visible(host, node, True, a.peer_id)
    sync(host, node, {".:day": 3})
    a.take(2)
    despawn(host, node)
    host.ws.declare_synchronizer("Game/Clock", 0, None)

    # The nodes of one that leaves are gone with it.
    a.ws.close(1000)
    a.until(EventType.CLOSED)
    host.until(EventType.DISCONNECTED)
    b.take()

    # What is not declared, of another authority, or with other properties does not arrive.
    declare_scene(b, "Secret", 0, 0, "")
    spawn(b, "Secret", 0, "One", {})
    host.take()
    declare_scene(b, "Game/Other", 0, 0, "")
    declare_scene(host, "Game/Other", 1, 0, "")
    spawn(b, "Game/Other", 0, "One", {})
    host.take()
    declare_scene(b, "Mine", 0, 0, ".:position")
    declare_scene(host, "Mine", b.peer_id, 0, ".:position, .:skin")
    mine = spawn(b, "Mine", 0, "One", {".:position": vector2(0, 1)})
    host.take()
    despawn(b, mine)
    host.take()

    # As packets, without the events.
    despawn(host, item)
    packets: list[wspeer.Packet] = []
    while not packets:
        poll_all()
        packets = b.ws.packets(limit=1, lend=True)
    show_nodes("b", "despawn", packets[0])
    free_all()

    # Packets as they are on the wire.
    gone = bytes([5, 1, 0, 0, 0])
    host = End("host", wspeer.host("ws://127.0.0.1:0", scene=True, raw_replication=True), 1)
    a = End("a", wspeer.join(host.ws.url, scene=True, raw_replication=True))
    settle(host, a)
    declare_scene(host, spawner, 0, 0, "")
    with reported("put"):
        host.ws.send_replication(gone)
    a.take()
    with reported("put_to"):
        a.ws.send_replication(gone, to=1)
    host.take()
    with reported("put_to"):
        a.ws.send_replication(b"\x03hello", to=1)
    free_all()

    with reported("decode_replication"):
        decode_replication(gone)
    host = End("host", wspeer.host("ws://127.0.0.1:0"), 1)
    declare_scene(host, spawner, 0, 0, "")
    free_all()


LOCAL_SCENARIOS = {
    "pair": pair,
    "attach": attach,
    "full": full,
    "options": options,
    "texts": texts,
    "library": library,
    "trust": trust,
    "scene": scene,
    "auth": auth,
    "simulate": simulate,
    "topics": topics,
    "replication": replication,
}
