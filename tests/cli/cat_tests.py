"""wspeer cat."""

import os
import signal
import socket
import subprocess
import threading
import time

from harness import (
    LIMIT,
    ROOT,
    WSPEER,
    InTerminal,
    Node,
    Peer,
    Program,
    certificate,
    echo,
    run,
    stands_still,
    unread,
    until,
)

WORK = ROOT / "build" / "tests" / "cli"


def test_lines_become_messages_and_messages_lines():
    text = "hello\n\nüber\r\n" + "".join(f"line {number}\n" for number in range(3000)) + "the last without an end"
    with Peer(echo) as peer:
        lines = str(text.count("\n") + 1)
        code, out, err = run("cat", "--wait", "60", "--count", lines, peer.url, data=text.encode())
        assert (code, err) == (0, ""), (code, err)
        assert out.decode() == text.replace("\r", "") + "\n"
        assert peer.note() == (1000, "")


def test_headers_subprotocols_and_the_close_code():
    seen = []

    def talk(connection):
        seen.append((connection.request.headers, connection.subprotocol, connection.request.path))
        echo(connection)

    with Peer(talk, subprotocols=["beta"]) as peer:
        code, out, err = run(
            *["cat", "-H", "Authorization: Bearer x", "--header", "X-Two: 2", "--protocol", "alpha"],
            *["--subprotocol", "beta", "--close-code", "4003", "--close-reason", "enough", "--count", "1"],
            peer.url + "/room?a=b",
            data=b"hi\n",
        )
        assert (code, out, err) == (0, b"hi\n", ""), (code, out, err)
        assert peer.note() == (4003, "enough")
    headers, subprotocol, path = seen[0]
    assert (headers["Authorization"], headers["X-Two"]) == ("Bearer x", "2")
    assert (subprotocol, path) == ("beta", "/room?a=b")


def test_count_ends_it_though_the_input_goes_on():
    def talk(connection):
        for number in range(5):
            connection.send(str(number))
        for _ in connection:
            pass

    with Peer(talk) as peer, Program("cat", "--count", "2", peer.url) as program:
        assert program.wait() == 0
        assert program.all() == (b"0\n1\n", b"")
        assert peer.note() == (1000, "")


def test_binary_input_and_output_are_unchanged():
    data = os.urandom(300_000)
    with Node() as node, Program("cat", "--binary", "--wait", "0", node.url) as program:
        program.say(data)
        until(lambda: len(program.out) >= len(data), "an answer", program)
        program.end_input()
        assert program.wait() == 0
        assert program.all() == (data, b"")
        assert node.seen("close")[1:] == [1000, ""]


def test_messages_of_ten_megabytes():
    lines = b"a" * 10_000_000 + b"\n" + b"b" * 9_000_000 + b"\n"
    with Peer(echo) as peer:
        code, out, err = run("cat", "--deflate", "--count", "2", peer.url, data=lines)
        assert (code, err) == (0, "") and out == lines, (code, err, len(out))


def test_a_line_that_cannot_be_sent_is_named():
    with Peer(echo) as peer:
        code, out, err = run("cat", "--max-message-bytes", "1k", peer.url, data=b"one\n" + b"x" * 2000 + b"\n")
        assert code == 2 and err.startswith("wspeer: line 2 of the input: ") and "1024" in err, (code, err)
        assert peer.note()[0] == 1000
        code, out, err = run("cat", peer.url, data=b"one\ntwo\n\xff\xfe\n")
        assert code == 2 and "line 3 of the input" in err and "UTF-8" in err and "--binary" in err, (code, err)


def test_how_the_server_ends_it():
    with Peer(lambda connection: connection.close(4001, "go away")) as peer, Program("cat", peer.url) as program:
        assert program.wait() == 0
        assert b"4001" in program.err and b"go away" in program.err, program.err
    with Peer(lambda connection: connection.socket.shutdown(socket.SHUT_RDWR)) as peer:
        with Program("cat", peer.url) as program:
            assert program.wait() == 1
            assert b"without a closing handshake" in program.err and program.err.count(b"\n") == 1, program.err


def test_exit_codes_and_plain_sentences():
    for arguments, wanted, part in (
        (["cat", "ws://127.0.0.1:1/"], 1, "nothing listens there"),
        (["cat", "http://127.0.0.1/"], 2, "ws://"),
        (["cat", "--ca", "missing.pem", "ws://127.0.0.1:1/"], 2, "missing.pem: No such file"),
        (["cat", "-H", "no colon", "ws://127.0.0.1:1/"], 2, "header"),
        (["cat", "--close-code", "1005", "ws://127.0.0.1:1/"], 2, "3000 to 4999"),
        (["cat", "--wait", "nan", "ws://127.0.0.1:1/"], 2, "number from 0"),
        (["cat"], 2, "URL"),
        (["cat", b"ws://\xff/"], 2, "UTF-8"),
        ([b"\xff\xfe"], 2, "\ufffd"),
        ([], 2, "Usage"),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (wanted, b"") and part in err and "panicked" not in err, (arguments, code, out, err)
        assert "\x1b" not in err


def test_certificates():
    context = certificate(WORK)
    with Peer(echo, ssl=context) as peer:
        code, out, err = run("cat", peer.url, data=b"hi\n")
        assert (code, out) == (1, b"") and "signed by nobody that is trusted here" in err, (code, err)
        for trust in (["--ca", WORK / "cert.pem"], ["-k"], ["--insecure"]):
            assert run("cat", *trust, "--count", "1", peer.url, data=b"hi\n") == (0, b"hi\n", ""), trust
        code, _, err = run("cat", "--pin", "0" * 64, peer.url, data=b"hi\n")
        assert code == 1 and "SHA-256" in err, (code, err)


def test_the_end_of_the_input():
    ended = threading.Event()

    def talk(connection):
        ended.wait(LIMIT)
        connection.send("late")
        connection.close(1000)

    with Peer(talk) as peer, Program("cat", "--no-close", "--wait", "0", peer.url) as program:
        program.end_input()
        # Without --no-close it would have closed by then.
        assert run("cat", "--wait", "0", peer.url)[0] == 0
        ended.set()
        assert program.wait() == 0
        assert program.all() == (b"late\n", b"")


def test_answers_come_after_the_end_of_the_input():
    def talk(connection):
        connection.send(connection.recv(LIMIT).upper())

    with Peer(talk) as peer:
        # The server closes behind its answer.
        assert run("cat", "--wait", "60", peer.url, data=b"question\n") == (0, b"QUESTION\n", "")


def flood(connection):
    for number in range(100_000):
        connection.send(f"{number:1000}")


def test_nobody_reads_the_output():
    with Peer(flood) as peer, Program("cat", peer.url, reads=False) as program:
        assert len(program.process.stdout.readline()) == 1001
        program.process.stdout.close()
        assert program.process.wait(LIMIT) == -signal.SIGPIPE
        assert program.process.stderr.read() == b""


def test_a_slow_reader_of_the_output_slows_the_server():
    sent = []

    def talk(connection):
        for number in range(100_000):
            connection.send(f"{number:1000}")
            sent.append(number)

    with Peer(talk) as peer, Program("cat", peer.url, reads=False) as program:
        until(lambda: stands_still(lambda: len(sent)), "full queues")
        assert len(sent) < 100_000
        assert program.rss_kb() < 60_000, program.rss_kb()
        program.read()
        assert program.wait() == 0
        numbers = [int(line) for line in program.out.split()]
        assert numbers == list(range(100_000)), len(numbers)


def test_an_output_that_is_read_late_gets_everything():
    sent = []

    def talk(connection):
        for number in range(100_000):
            connection.send(f"{number:1000}")
            sent.append(number)
        for _ in connection:
            pass

    with Peer(talk) as peer, Program("cat", "--wait", "0.2", peer.url, reads=False) as program:
        program.end_input()
        until(lambda: stands_still(lambda: len(sent)), "full queues")
        assert len(sent) < 100_000
        # Longer than --wait: nothing was taken for so long, but much has come.
        time.sleep(0.6)
        program.read()
        assert program.wait() == 0
        numbers = [int(line) for line in program.out.split()]
        assert numbers == list(range(100_000)), len(numbers)


def test_an_interrupt_ends_it_though_nobody_reads_the_output():
    with Peer(flood) as peer, Program("cat", peer.url, reads=False) as program:
        until(lambda: unread(program.process.stdout) > 0, "output", None)
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(LIMIT) == 130


def test_an_input_that_cannot_be_read():
    folder = os.open("/", os.O_RDONLY)
    with Peer(echo) as peer:
        said = subprocess.run([WSPEER, "cat", peer.url], stdin=folder, capture_output=True, timeout=LIMIT)
        os.close(folder)
        assert said.returncode == 2 and b"cannot read the input: Is a directory" in said.stderr, said


def test_signals():
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with Peer(echo) as peer, Program("cat", peer.url) as program:
            program.say(b"hi\n")
            program.seen(b"hi\n")
            assert program.stop(number) == code
            assert peer.note() == (1000, "") and program.err == b""


def test_pings():
    with Node() as node, Program("cat", "--ping", "1", node.url) as program:
        node.seen("ping")
        assert program.stop() == 130
        assert node.seen("close")[1] == 1000


def test_reconnecting():
    def talk(connection):
        for message in connection:
            if message == "drop":
                connection.socket.shutdown(socket.SHUT_RDWR)
            else:
                connection.send(message)

    with Peer(talk) as peer, Program("cat", "--reconnect", peer.url) as program:
        program.say(b"one\n")
        program.seen(b"one\n")
        program.say(b"drop\n")
        program.seen(b"\n", "err")
        program.say(b"two\n")
        program.seen(b"two\n")
        program.end_input()
        assert program.wait() == 0
        assert program.out == b"one\ntwo\n"


def test_a_terminal_is_spared_control_characters():
    def talk(connection):
        connection.send("red \x1b[31m and a bell \x07")
        for message in connection:
            connection.send(message.upper())

    with Peer(talk) as peer:
        with InTerminal("cat", peer.url) as program:
            program.seen(rb"red \\u\{1b\}\[31m and a bell \\u\{7\}")
            program.seen(rb"\x1b\[2mconnected")
            program.say(b"typed\n")
            program.seen(b"TYPED")
            # Ctrl+C
            program.say(b"\x03")
            assert program.wait() == 130
        with Program("cat", "--count", "1", peer.url) as program:
            assert program.wait() == 0
            assert program.all() == (b"red \x1b[31m and a bell \x07\n", b"")


def test_colours_of_errors():
    url = "ws://127.0.0.1:1/"
    for program, colours in (
        (InTerminal("cat", url), True),
        (InTerminal("cat", url, env={"NO_COLOR": "1"}), False),
        (InTerminal("cat", url, env={"NO_COLOR": ""}), True),
        (InTerminal("--color", "never", "cat", url), False),
        (Program("cat", url), False),
        (Program("cat", "--color", "always", url), True),
    ):
        with program:
            assert program.wait() == 1
            text = bytes(program.out) + bytes(getattr(program, "err", b""))
            assert b"wspeer:" in text and (b"\x1b[31m" in text) == colours, (program.process.args, text)
