"""Interoperability with Python's websockets in both roles, over ws:// and wss:// with a private CA."""

from __future__ import annotations

import sys
import unittest
import warnings
import zlib
from pathlib import Path
from typing import Any

from talk import ROOT, event, event_of, until

import wspeer
from wspeer import EventType, State

sys.path.append(str(ROOT / "tests" / "peers"))
import certificates
import harness

SIZES = (0, 1, 126, 65_536, 1 << 20)


def pem(name: str) -> str:
    return Path(certificates.path(name)).read_text()


def reported(there: harness.Peer, server: wspeer.Server) -> dict[str, Any]:
    """The next line that the other program prints, while the server is polled."""
    found: dict[str, Any] = until(lambda: not there.lines.empty() and there.any_event(), server)
    return found


@unittest.skipUnless(Path(harness.PYTHON).exists(), "needs build/venv")
class TestPeers(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        certificates.make()
        # The pipes of the other programs.
        warnings.filterwarnings("ignore", "unclosed file", ResourceWarning)

    @classmethod
    def tearDownClass(cls) -> None:
        harness.end_clients()

    def test_a_client_of_their_server(self) -> None:
        with harness.server("websockets", header=["X-Answer: yes"], subprotocols="b, a") as there:  # noqa: SIM117
            with wspeer.connect(there.url + "/p?q=1", subprotocols=["a", "c"], deflate=True) as peer:
                self.assertEqual(event(peer).type, EventType.OPEN)
                self.assertEqual(
                    (peer.subprotocol, peer.header("x-answer"), peer.headers("X-ANSWER"), peer.header("x-none", "-")),
                    ("a", "yes", ["yes"], "-"),
                )
                self.assertIn("permessage-deflate", peer.extensions)
                self.assertEqual(there.event("open")["path"], "/p")
                self.echoed(peer)
                there.tell("close", code=4002, reason="κόσμε")
                request = event_of(EventType.CLOSE_REQUEST, peer)
                closed = event(peer)
                self.assertEqual(
                    (request.code, request.text, closed.clean, peer.close_reason),
                    (4002, "κόσμε", True, "κόσμε"),
                )

    def test_a_client_of_their_server_over_tls_with_a_private_ca(self) -> None:
        with harness.server(
            "websockets",
            cert=certificates.path("chain.pem"),
            key=certificates.path("leaf.key"),
        ) as there:
            with wspeer.connect(there.url, ca_pem=pem("root.pem"), only_ca_pem=True) as peer:
                self.assertEqual(event(peer).type, EventType.OPEN)
                self.assertIn("TLSv1", peer.tls.replace("_", ""))
                self.echoed(peer)
            with wspeer.connect(there.url) as peer:
                with self.assertRaises(wspeer.ConnectionFailed) as caught:
                    event(peer).raise_if_failed()
                self.assertEqual(
                    (caught.exception.phase, caught.exception.cause),
                    (wspeer.Phase.TLS, wspeer.Cause.CERTIFICATE_UNTRUSTED),
                )
                self.assertIn("ca_pem", caught.exception.sentence)
            with wspeer.connect(there.url, pin_sha256=certificates.fingerprint("leaf")) as peer:
                self.assertEqual(event(peer).type, EventType.OPEN)

    def test_a_refusal_is_told(self) -> None:
        with harness.server("websockets") as there, wspeer.connect(there.url + "/refuse/403") as peer:
            failed = event(peer)
            self.assertEqual(
                (failed.phase, failed.cause, failed.http_status),
                (wspeer.Phase.HTTP, wspeer.Cause.HTTP_STATUS, 403),
            )
            self.assertEqual((peer.header("X-Refused"), peer.body), ("yes", "no entry: κόσμε\n"))

    def test_their_client_at_a_server(self) -> None:
        for scheme, config, trust in (
            ("ws", {}, {}),
            ("wss", {"cert_pem": pem("chain.pem"), "key_pem": pem("leaf.key")}, {"ca": certificates.path("root.pem")}),
        ):
            with (
                self.subTest(scheme),
                wspeer.listen(f"{scheme}://localhost:0", headers={"X-Here": "1"}, **config) as server,
            ):
                there = harness.Peer(harness.CLIENTS["websockets"], "websockets-client")
                there.tell(
                    "connect",
                    url=f"{scheme}://localhost:{server.options.port}/path",
                    header=["X-There: 2"],
                    **trust,
                )
                conn = event(server).peer
                self.assertEqual((conn.path, conn.header("x-there"), bool(conn.tls)), ("/path", "2", scheme == "wss"))
                self.assertEqual(reported(there, server)["event"], "open")
                for type_name in ("text", "binary"):
                    for size in SIZES:
                        there.tell("put", type=type_name, size=size)
                        message = event(server)
                        self.assertEqual((message.is_text, len(message.data)), (type_name == "text", size))
                        conn.send(message.message)
                        came = reported(there, server)
                        self.assertEqual((came["type"], came["crc"]), (type_name, zlib.crc32(message.data)))
                conn.close(4001, "enough")
                self.assertEqual(event_of(EventType.DISCONNECTED, server).code, 4001)
                self.assertEqual(there.any_event()["code"], 4001)
                there.end()

    def echoed(self, peer: wspeer.Peer) -> None:
        for size in SIZES:
            for message in ("x" * size, bytes(size)):
                peer.send(message)
                self.assertEqual(event(peer).message, message)
        self.assertEqual(peer.state, State.OPEN)
        self.assertEqual(peer.stats().messages_in, 2 * len(SIZES))
