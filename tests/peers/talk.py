"""Every peer as client and as server of wspeer: messages, subprotocols, headers, closes and refusals, over ws and
wss."""
import zlib

from certificates import path
from harness import Wrong, case, close, connection, echo, ended, has, same, server, session

SIZES = [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 16 << 20]
UNIT = "abé€🎮".encode()
HTTP, APP = 5, 7
BY_HOST, BY_PEER, STATUS, NO_SUBPROTOCOL = 1, 2, 40, 43
PAIRS = [("wspeer", "ws"), ("ws", "wspeer"), ("wspeer", "websockets"), ("websockets", "wspeer"), ("wspeer", "wspeer")]
CLOSES = [(1000, ""), (1000, "bye"), (1001, "going away"), (1011, "an error"), (3000, "κόσμε"), (4999, "r" * 123)]


def pattern(type, size):
    if type == "binary":
        return (bytes(range(251)) * (size // 251 + 1))[:size]
    return UNIT * (size // len(UNIT)) + b"x" * (size % len(UNIT))


CRCS = {(type, size): zlib.crc32(pattern(type, size)) for type in ("text", "binary") for size in SIZES}


def all_pairs():
    for client, to in PAIRS:
        for secure in (False, True):
            files = {"cert": path("chain.pem"), "key": path("leaf.key")} if secure else {}
            trust = {"ca": path("root.pem")} if secure else {}
            name = f"{client} to {to} over {'wss' if secure else 'ws'}"
            with server(to, header=["X-Answer: one", "X-Answer: two, three"], show="X-Ask", **files) as peer:
                messages(name, client, peer, trust)
                headers(name, client, peer, trust)
                closes(name, client, peer, trust)
                if not secure:
                    refusals(name, client, to, peer)
            if not secure:
                subprotocols(name, client, to)


def messages(name, client, to, trust):
    with case(f"{name}: opens and closes"), session(client, to, **trust) as (peer, _, _):
        for type, size in CRCS:
            with case(f"{name}: {type} of {size} B is echoed") as one:
                echo(peer, to, type, size, CRCS[type, size])
            if one.failed:
                raise Wrong("the rest of the messages is not tried")
        with case(f"{name}: the server sends first"):
            to.tell("put", type="text", size=126)
            has(peer.event("message"), type="text", size=126, crc=CRCS["text", 126])
        close(peer, to)


def headers(name, client, to, trust):
    asked = ["X-Ask: first", "X-Ask: a \"b\" \\c"]
    with case(f"{name}: headers, path and query at both ends"):
        with session(client, to, "/deep/path?a=1&b=%20", header=asked, show="x-answer", **trust) as (peer, here, there):
            has(here, shown=["one", "two, three"])
            has(there, shown=["first", "a \"b\" \\c"], path="/deep/path", query="a=1&b=%20")
            same("TLS at both ends", [bool(end["tls"]) for end in (here, there)], [bool(trust)] * 2)
            close(peer, to)


def closes(name, client, to, trust):
    for code, reason in CLOSES if not trust else CLOSES[1:2]:
        with (
            case(f"{name}: the client closes with {code} and {len(reason.encode())} B"),
            session(client, to, **trust) as (peer, _, _),
        ):
            peer.tell("close", code=code, reason=reason)
            reported(to, code, reason, BY_PEER)
            reported(peer, code, None, BY_HOST)
        with (
            case(f"{name}: the server closes with {code} and {len(reason.encode())} B"),
            session(client, to, **trust) as (peer, _, _),
        ):
            to.tell("close", code=code, reason=reason)
            reported(peer, code, reason, BY_PEER)
            reported(to, code, None, BY_HOST)
    if client == "ws":
        with case(f"{name}: the client closes without a code"), session(client, to, **trust) as (peer, _, _):
            peer.tell("close")
            reported(to, 1005, "", BY_PEER)
            reported(peer, 1005, "", BY_HOST)
    if to.name == "ws-server":
        with case(f"{name}: the server closes without a code"), session(client, to, **trust) as (peer, _, _):
            to.tell("close")
            reported(peer, 1005, "", BY_PEER)
            reported(to, 1005, "", BY_HOST)
    with case(f"{name}: the client drops"), session(client, to, **trust) as (peer, _, _):
        peer.tell("drop")
        has(to.event("closed"), code=1006, reason="")
        has(peer.event("closed"), code=1006)


def reported(peer, code, reason, cause):
    """One end of a clean close. wspeer first reports CLOSE_REQUEST of the peer, and who began."""
    own = peer.name.startswith("wspeer")
    if own and cause == BY_PEER:
        has(peer.event("close_request"), code=code, reason=reason)
    event = peer.event("closed")
    has(event, code=code)
    if reason is not None:
        has(event, reason=reason)
    if own:
        has(event, clean=1, phase=APP, cause=cause, unsent=0)


def refusals(name, client, to, peer):
    if to == "wspeer":
        with server("wspeer", path="/game") as game:
            refused(
                f"{name}: another path: 404 with a body",
                client,
                game.url + "/other",
                404,
                "there is no WebSocket at this path\n",
            )
            with case(f"{name}: the right path opens"), session(client, game, "/game?x") as (own, _, there):
                has(there, path="/game", query="x")
                close(own, game)
        with server("wspeer", flags=16) as full:
            refused(
                f"{name}: no new clients: 503 with a Retry-After", client, full.url, 503, None, "Retry-After", ["5"]
            )
        return
    for status in (401, 403, 503):
        refused(
            f"{name}: {status} with headers and body",
            client,
            f"{peer.url}/refuse/{status}",
            status,
            "no entry: κόσμε\n",
            "X-Refused",
            ["yes"],
        )
    if to == "ws":
        with server("ws", http="yes") as plain:
            for status in (401, 404, 200):
                # Chunked, on a connection that is kept alive: the client must not wait for its end.
                one = f"{name}: {status} of a server without WebSocket, chunked"
                refused(one, client, f"{plain.url}/{status}", status, "not here: κόσμε\n", "X-Refused", ["yes"])


def refused(name, client, url, status, body, show="", shown=()):
    with case(name), connection(client, url, show=show, limit=4) as peer:
        event = ended(peer)
        has(event, code=1006, status=status, shown=list(shown))
        if body is not None:
            has(event, body=body)
        if client == "wspeer":
            has(event, clean=0, phase=HTTP, cause=STATUS)
            same("the error message names the status", str(status) in event["sentence"], True)


def subprotocols(name, client, to):
    with server(to, subprotocols="chat.v1, chat.v2") as peer:
        with (
            case(f"{name}: one subprotocol in common"),
            session(client, peer, subprotocols="chat.v3, chat.v2") as (own, here, there),
        ):
            has(here, subprotocol="chat.v2")
            has(there, subprotocol="chat.v2")
            close(own, peer)
        with (
            case(f"{name}: no subprotocol in common"),
            connection(client, peer.url, subprotocols="other, another") as own,
        ):
            # npm ws accepts without a subprotocol, which the client must refuse; the others answer 400.
            not_answered(client, ended(own)) if to == "ws" else not_agreed(client, ended(own), 400)
    with server(to) as peer, case(f"{name}: subprotocols at a server without any"):
        with connection(client, peer.url, subprotocols="chat.v1, chat.v2") as own:
            if client == "websockets":
                # This client accepts a response without a subprotocol.
                has(own.first, event="open", subprotocol="")
                has(peer.event("open"), subprotocol="")
                close(own, peer)
            else:
                not_answered(client, ended(own))


def not_agreed(client, event, status):
    has(event, code=1006, status=status)
    if client == "wspeer":
        has(event, phase=HTTP, cause=STATUS)


def not_answered(client, event):
    has(event, code=1006)
    if client == "wspeer":
        has(event, phase=HTTP, cause=NO_SUBPROTOCOL, status=101)
