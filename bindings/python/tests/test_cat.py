"""`python -m wspeer cat URL`, and the messages that are there."""

from __future__ import annotations

import subprocess
import sys
import threading
import unittest
from contextlib import contextmanager
from typing import TYPE_CHECKING

from talk import LOCAL, until

import wspeer
from wspeer import EventType, State

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def upper_case_server() -> Iterator[wspeer.Server]:
    ended = threading.Event()
    with wspeer.listen(LOCAL) as server:

        def serve() -> None:
            while not ended.is_set():
                server.poll()
                for event in server.events():
                    if event.type == EventType.MESSAGE and event.text == "drop":
                        event.peer.close(-1)
                    elif event.type == EventType.MESSAGE:
                        server.send(event.text.upper(), to=event.peer)
                server.wait(0.01)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join()


class TestCat(unittest.TestCase):
    def run_it(self, lines: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "wspeer", *arguments]
        return subprocess.run(command, input=lines, capture_output=True, text=True, timeout=50, check=False)

    def test_lines_become_messages_and_messages_lines(self) -> None:
        with upper_case_server() as server:
            many = "".join(f"line {number}\n" for number in range(3_000))
            said = self.run_it("hello\n\nüber\n" + many, "cat", "--wait", "3", server.url)
            self.assertEqual((said.returncode, said.stderr), (0, ""))
            self.assertEqual(said.stdout, "HELLO\n\nÜBER\n" + many.upper())

    def test_failures_are_told(self) -> None:
        with upper_case_server() as server:
            dropped = self.run_it("drop\n", "cat", "--wait", "20", server.url)
        self.assertEqual((dropped.returncode, dropped.stdout), (1, ""))
        self.assertIn("without a closing handshake", dropped.stderr)
        nobody = self.run_it("", "cat", "ws://127.0.0.1:1/")
        self.assertEqual((nobody.returncode, nobody.stdout), (1, ""))
        self.assertIn("nothing listens there", nobody.stderr)
        wrong = self.run_it("", "cat", "http://127.0.0.1/")
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertIn("ws://", wrong.stderr)

    def test_the_version(self) -> None:
        self.assertEqual(self.run_it("", "--version").stdout, f"wspeer {wspeer.__version__}\n")
        self.assertEqual(wspeer.__version__, wspeer.library_version())


class TestPacketsThatAreThere(unittest.TestCase):
    def test_for_packet_in_peer(self) -> None:
        with wspeer.listen(LOCAL) as server, wspeer.connect(server.url) as peer:
            until(lambda: peer.state == State.OPEN, peer, server)
            for data in ("one", b"two", "three"):
                server.send(data)
            until(lambda: peer.stats().queued_packets_in == 3, peer, server)
            for packet in peer:
                self.assertEqual(packet.bytes.decode(), "one")
                break
            self.assertEqual([packet.message for packet in peer], [b"two", "three"])
            self.assertEqual(list(peer), [])
            self.assertIs(type(packet.bytes), bytes)
            server.send("lent")
            until(lambda: peer.stats().queued_packets_in == 1, peer, server)
            lent = peer.packets(lend=True)[0]
            self.assertEqual(lent.bytes, b"lent")
            self.assertEqual([event.type for event in peer.events()], [EventType.OPEN])
