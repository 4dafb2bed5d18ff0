"""Attacks on a TLS port: garbage instead of a handshake, and handshake messages inside a session."""
import os
import random
import selectors
import socket
import ssl
import subprocess
import time

from shared import AttackedServer, Crowd, REQUEST, check, programs


def commanded(attacked, version, command, told, answer):
    """An openssl client opens a session and repeats a command up to 200 times, each time after the previous one was
    answered: the server must end the connection with `answer`."""
    words = [
        "openssl",
        "s_client",
        version,
        "-crlf",
        "-connect",
        f"127.0.0.1:{attacked.port}",
        "-CAfile",
        programs["cert"],
    ]
    # Unbuffered: bytes for a client that has ended would be written again, and fail again, when its input is closed.
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "bufsize": 0}
    with subprocess.Popen(words, **pipes) as client:
        heard, times, ends = b"", 0, time.monotonic() + 20
        os.set_blocking(client.stdout.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(client.stdout, selectors.EVENT_READ)
            client.stdin.write(REQUEST.replace(b"\r\n", b"\n"))
            client.stdin.flush()
            while time.monotonic() < ends:
                selector.select(0.1)
                piece = client.stdout.read()
                if piece == b"":
                    break
                heard += piece or b""
                if b"HTTP/1.1 101" in heard and heard.count(told) >= times and times < 200:
                    times += 1
                    try:
                        client.stdin.write(f"{command}\n".encode())
                        client.stdin.flush()
                    except BrokenPipeError:
                        pass
        client.kill()
    return (
        b"HTTP/1.1 101" in heard and answer in heard and times < 200,
        f"{attacked.name}: openssl {version} {command}, {times} times, ends in {answer.decode()}",
    )


def again():
    """Handshakes inside an open session: in plaintext, and as openssl's renegotiation and key updates."""
    attacked = AttackedServer("handshakes inside TLS sessions", tls=True)
    trust = ssl.create_default_context(cafile=programs["cert"])
    hello = bytes.fromhex("160303002f0100002b0303") + bytes(32) + bytes.fromhex("000004130113020100")
    kinds = {
        "a hello in the clear": hello,
        "a request for one": bytes.fromhex("160303000400000000"),
        "a change of cipher": bytes.fromhex("140303000101"),
        "early data": bytes.fromhex("1703030011") + bytes(17),
        "an alert in the clear": bytes.fromhex("15030300020100"),
        "a record of no type": bytes.fromhex("ff0303000101"),
        "a record that is too long": bytes.fromhex("170303ffff") + bytes(70_000),
    }
    for what, nonsense in kinds.items():
        tcp = socket.create_connection(("127.0.0.1", attacked.port), timeout=5)
        secret, wire = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = trust.wrap_bio(secret, wire, server_hostname="localhost")

        def step(act):
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    tcp.sendall(wire.read())
                    data = tcp.recv(65536)
                    if not data:
                        return b""
                    secret.write(data)

        step(session.do_handshake)
        session.write(REQUEST)
        opened = step(lambda: session.read(4096)).startswith(b"HTTP/1.1 101")
        tcp.sendall(wire.read() + nonsense)
        began = time.monotonic()
        try:
            while tcp.recv(65536):
                pass
            ended = True
        except TimeoutError:
            ended = False
        except OSError:
            ended = True
        tcp.close()
        check(opened and ended, f"{attacked.name}: {what} ends its connection (after {time.monotonic() - began:.2f} s)")
    for version, command, told, answer in [
        ("-tls1_2", "R", b"RENEGOTIATING", b"no renegotiation"),
        ("-tls1_3", "k", b"KEYUPDATE", b"alert unexpected message"),
        ("-tls1_3", "K", b"KEYUPDATE", b"alert unexpected message"),
    ]:
        check(*commanded(attacked, version, command, told, answer))
    for _ in attacked.rounds(0.2):
        pass
    attacked.judge()


def nonsense():
    attacked = AttackedServer("nonsense on a TLS port", tls=True)
    random.seed(7)
    hello = bytes.fromhex("1603010200010001fc0303")
    kinds = [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(1000),
        hello + random.randbytes(507),
        bytes.fromhex("15030300020228"),
        bytes.fromhex("160301ffff") + bytes(2000),
        REQUEST,
        b"\x80\x2e\x01\0\x02",
    ]
    made = 0
    for _ in attacked.rounds(0.05):
        crowd = Crowd(attacked.port, 20)
        crowd.send(lambda number: kinds[number % len(kinds)])
        made += 20
        time.sleep(0.02)
        crowd.read()
        crowd.close()
    attacked.judge(f"{made} were dropped", made > 100)
