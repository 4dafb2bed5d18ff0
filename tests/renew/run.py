#!/usr/bin/env python3
"""Replaces the certificate of a server under many open connections, whose ends are in separate processes, because a
process may have some 20 000 descriptors. Part of `make test-long`; CLIENTS, PROCESSES as arguments (10000, 5)."""
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bindings/python/src"))
os.environ.setdefault("WSPEER_LIBRARY", str(ROOT / "build/libwspeer.so"))
import wspeer

BATCH = 100
# Longer than all handshakes take on a machine under load.
PATIENCE = 900


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def until(what, done, poll):
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            sys.exit(f"not ok - renew: {what} within {PATIENCE} s")
        poll()


def say(**fact):
    print(json.dumps(fact), flush=True)


def play(url, pin, count):
    """A process of clients: opens them, waits for one message to each, and reports what became of them."""
    clients = []
    while len(clients) < count:
        batch = [
            wspeer.connect(url, pin_sha256=pin, connect_timeout_ms=wspeer.OFF)
            for _ in range(min(BATCH, count - len(clients)))
        ]
        until(
            "the handshakes end",
            lambda batch=batch: all(client.state != wspeer.State.CONNECTING for client in batch),
            lambda batch=batch: [client.poll() for client in batch],
        )
        clients += batch
    say(open=sum(client.state == wspeer.State.OPEN for client in clients))
    received = set()

    def poll():
        for index, client in enumerate(clients):
            client.poll()
            if any(packet.data == b"after" for packet in client.packets()):
                received.add(index)

    until("the message arrives", lambda: len(received) == count, poll)
    say(open=sum(client.state == wspeer.State.OPEN for client in clients), received=len(received))
    sys.stdin.readline()


def visit(server, pin):
    """Why a client that trusts one certificate fails; None if it opens."""
    client = wspeer.connect(server.url, pin_sha256=pin)
    until("the handshake ends", lambda: client.state != wspeer.State.CONNECTING, lambda: (server.poll(), client.poll()))
    end = client.end
    client.free()
    return end.cause if end else None


def check(good, what):
    print(f"{'ok' if good else 'not ok'} - renew: {what}", flush=True)
    return good


def main(count, processes):
    raise_limit()
    first, second = (wspeer.make_certificate("localhost, 127.0.0.1", 30) for _ in range(2))
    server = wspeer.listen(
        "wss://127.0.0.1:0",
        cert_pem=first.cert_pem,
        key_pem=first.key_pem,
        max_clients=count + 10,
        handshake_timeout_ms=wspeer.OFF,
    )
    share = count // processes
    count = share * processes
    command = [sys.executable, __file__, "play", server.url, first.sha256, str(share)]
    players = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(processes)]
    for player in players:
        os.set_blocking(player.stdout.fileno(), False)

    def lines():
        """One line of each process, once all have one."""
        found = {player: b"" for player in players}

        def poll():
            server.poll()
            server.events()
            server.wait(0.005)
            for player in players:
                if player.poll() is not None:
                    sys.exit("not ok - renew: a process of clients ended")
                found[player] += player.stdout.read() or b""

        until("the clients report", lambda: all(line.endswith(b"\n") for line in found.values()), poll)
        return [json.loads(line) for line in found.values()]

    opened = lines()
    good = check(sum(line["open"] for line in opened) == count, f"{count} connections are open")
    server.set_certificate(second.cert_pem, second.key_pem)
    good &= check(visit(server, second.sha256) is None, "a new client sees the new certificate")
    good &= check(visit(server, first.sha256) == wspeer.Cause.CERTIFICATE_PIN, "and not the old one")
    server.send(b"after")
    after = lines()
    good &= check(
        all(line == {"open": share, "received": share} for line in after),
        "every connection is open afterwards and has received a message",
    )
    good &= check(server.stats().connections == count, "the server has lost none")
    print(f"figure: renew: {count} connections in {processes} processes; longest poll {server.stats().longest_poll_us} us")
    for player in players:
        player.communicate(b"\n")
    return 0 if good else 1


if sys.argv[1:2] == ["play"]:
    raise_limit()
    play(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    arguments = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(arguments or [10_000, 5])))
