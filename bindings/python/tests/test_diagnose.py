"""diagnose(), and `python -m wspeer diagnose URL`."""

from __future__ import annotations

import subprocess
import sys
import threading
import unittest

from talk import LOCAL, event

import wspeer
from wspeer import Cause, EventType, Phase


class TestDiagnose(unittest.TestCase):
    def test_the_steps_and_the_advice_of_a_working_server(self) -> None:
        with wspeer.listen(LOCAL) as server, wspeer.diagnose(server.url + "?token=topsecret") as peer:
            self.assertRaises(wspeer.StateError, peer.send, "x")
            steps = []
            while (step := event(peer, server)).type == EventType.STEP:
                steps.append(step)
            self.assertEqual((step.type, step.cause, step.code), (EventType.CLOSED, Cause.NONE, 1000))
            self.assertIn("Everything works", step.text)
            self.assertEqual(peer.error, step.text)
            self.assertEqual(sorted({Phase(one.phase) for one in steps}, key=int)[1:4], [1, 2, 5])
            self.assertFalse([one.text for one in steps if "topsecret" in one.text])

    def run_it(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "wspeer", "diagnose", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)

    def test_the_command_prints_them(self) -> None:
        ended = threading.Event()
        with wspeer.listen(LOCAL) as server:

            def serve() -> None:
                while not ended.is_set():
                    server.poll()
                    wspeer.wait([server], 0.01)

            thread = threading.Thread(target=serve)
            thread.start()
            good = self.run_it(server.url + "?token=topsecret", "--header", "X-Token: topsecret")
            ended.set()
            thread.join()
        self.assertEqual((good.returncode, good.stderr), (0, ""))
        self.assertRegex(good.stdout, r"(?m)^ +0\.0 ms +wspeer \d")
        self.assertRegex(good.stdout, r"(?m)^ +\d+\.\d ms   tcp       127\.0\.0\.1:\d+ accepted")
        self.assertIn("\n\nEverything works: ", good.stdout)
        self.assertNotIn("topsecret", good.stdout)
        bad = self.run_it("ws://127.0.0.1:1/")
        self.assertEqual(bad.returncode, 1)
        self.assertRegex(bad.stdout, r"(?m)^ +\d+\.\d ms ! tcp       127\.0\.0\.1:1 failed")
        self.assertIn("\n\nNothing listens on 127.0.0.1:1. ", bad.stdout)
        wrong = self.run_it("http://127.0.0.1/")
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertIn("ws://", wrong.stderr)
