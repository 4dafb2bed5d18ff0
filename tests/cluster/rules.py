"""The rules of presence and of a room's history, against models, without processes."""

from history import History
from presence import AWAY, HERE, Presence


def check_presence(rng):
    """Three nodes, whose announcements are lost now and then, and players who come, go and move between them: in the
    end all nodes see the same, and what they see is true."""
    views = {}
    nodes = {}
    # Of each player: its link, its node and its rooms.
    players = {}
    links = {}
    queue = []
    now = 0.0
    for node in "abc":
        views[node] = {}

        def changed(room, player, is_in, view=views[node]):
            members = view.setdefault(room, set())
            assert (player in members) != is_in
            (members.add if is_in else members.discard)(player)

        def moved(player, link, node=node):
            assert players.get(player) != (link, node)

        nodes[node] = Presence(node, 5.0, 0.5, changed, moved)

    def deliver(lossy):
        nonlocal queue
        messages, queue = queue, []
        for message in messages:
            for node in nodes.values():
                if lossy and rng.random() < 0.2:
                    continue
                if "ask" in message:
                    if message["ask"] == node.node:
                        queue.append(node.snapshot())
                elif (asked := node.receive(message, now)) is not None:
                    queue.append({"ask": asked})

    def beat(lossy):
        nonlocal now
        now += 0.5
        for node in nodes.values():
            node.tick()
            queue.append(node.announcement())
        for _ in range(4):
            deliver(lossy)

    for _ in range(40):
        player = f"p{rng.randrange(5)}"
        what = rng.random()
        if what < 0.5:
            links[player] = link = links.get(player, 0) + 1
            node = rng.choice("abc")
            if not nodes[node].is_newer(player, link):
                raise AssertionError(f"link {link} of {player} is new")
            rooms = rng.sample(["x", "y", "z"], rng.randrange(1, 4))
            nodes[node].here(player, link, rooms)
            players[player] = (link, node)
        elif player in players:
            link, node = players.pop(player)
            (nodes[node].left if what < 0.7 else nodes[node].lost)(player, link)
        beat(lossy=True)
    # Nothing is lost any more; those whose link was lost expire.
    for _ in range(40):
        beat(lossy=False)
    for node, presence in nodes.items():
        for player, (link, home) in players.items():
            record = presence.records[player]
            assert (record.link, record.node, record.state) == (link, home, HERE), (node, player, record)
        assert set(presence.records) == set(players), (node, presence.records, players)
    for view in views.values():
        assert {room: members for room, members in view.items() if members} == nodes["a"].rooms
    # A silent node: its players go, but not while the engine is silent too.
    del nodes["a"]
    for _ in range(40):
        now += 0.5
        for node in nodes.values():
            node.tick()
    assert all(record.state != AWAY for node in nodes.values() for record in node.records.values())
    there = {player for player, (_, node) in players.items() if node != "a"}
    for _ in range(14):
        beat(lossy=False)
    for node in nodes.values():
        assert set(node.records) == there, (node.node, node.records, there)


def check_history(rng):
    """A store that keeps the last messages of a room, and a history that hears some live and reads the others."""
    limit = rng.choice([1, 3, 8])
    store, trimmed = [], 0
    history = History(limit)
    heard, gaps = [], []
    at = 0
    offset = 0
    for _ in range(60):
        for _ in range(rng.randrange(1, 4)):
            offset += rng.randrange(1, 4)
            previous = store[-1] if store else 0
            store.append(offset)
            if len(store) > limit:
                trimmed = store.pop(0)
            if rng.random() < 0.7 and not history.add(offset, previous, b""):
                # Missed one: as engine.read() does.
                read = [stored for stored in store if stored > history.seen]
                floor = read[0] - 1 if len(read) == limit else min(trimmed, history.seen)
                history.extend(floor, [(stored, b"") for stored in read], read[-1])
        if rng.random() < 0.3:
            gap, entries = history.after(at)
            if gap > at:
                gaps.append((at, gap))
                at = gap
            for entry, previous, _ in entries:
                assert previous <= at < entry, (previous, at, entry)
                heard.append(entry)
                at = entry
        assert len(history.entries) <= limit
    said = set(heard)
    assert len(heard) == len(said) and heard == sorted(heard)
    for after, upto in gaps:
        assert not any(after < entry <= upto for entry in said)
