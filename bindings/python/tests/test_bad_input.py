"""Bad input: a clear exception, never a crash."""

from __future__ import annotations

import math
import pickle
import unittest
from typing import Any, Callable

from talk import LOCAL, event_of, open_pair, served, until

import wspeer
from wspeer import EventType

NOBODY = "ws://127.0.0.1:1"


class TestBadInput(unittest.TestCase):
    def reported(
        self, kind: type[Exception], part: str, call: Callable[..., object], *arguments: Any, **more: Any
    ) -> None:
        """Asserts that the call raises that exception with a text containing `part`."""
        with self.subTest(call=getattr(call, "__name__", call), arguments=str(arguments)[:60], more=str(more)[:60]):
            with self.assertRaises(kind) as caught:
                call(*arguments, **more)
            self.assertIn(part, str(caught.exception))
            if isinstance(caught.exception, wspeer.CallFailed):
                self.assertLess(caught.exception.result, 0)
                self.assertGreater(len(caught.exception.sentence), 20)

    def test_urls(self) -> None:
        for open_it in (wspeer.connect, wspeer.listen, wspeer.host, wspeer.join):
            for url in (5, None, b"ws://localhost", ["ws://localhost"]):
                self.reported(TypeError, "url is ", open_it, url)
            self.reported(wspeer.ArgumentError, "NUL at 8", open_it, "ws://loc\0alhost")
            self.reported(wspeer.TextError, "lone surrogate at 5", open_it, "ws://\ud800")
            for url in ("", "nothing", "http://localhost", "ws://", "ws://localhost:99999"):
                self.reported(wspeer.UrlError, "the URL cannot be used", open_it, url)
            self.reported(ValueError, "the URL cannot be used", open_it, "")
        with wspeer.listen(LOCAL) as server:
            for open_it in (wspeer.listen, wspeer.host):
                self.reported(wspeer.AddressError, "in use", open_it, server.url)

    def test_config(self) -> None:
        self.reported(TypeError, "is 'max_clients' meant?", wspeer.connect, NOBODY, max_clinets=5)
        self.reported(TypeError, "no option 'zzz'", wspeer.connect, NOBODY, zzz=5)
        self.reported(wspeer.ArgumentError, "max_clients is -1", wspeer.connect, NOBODY, max_clients=-1)
        self.reported(wspeer.ArgumentError, "max_clients is 4294967296", wspeer.listen, LOCAL, max_clients=2**32)
        for value in (1.5, "5", None, True):
            self.reported(TypeError, "max_clients is ", wspeer.connect, NOBODY, max_clients=value)
        for value in (1, 0, "yes", None):
            self.reported(TypeError, "deflate is ", wspeer.connect, NOBODY, deflate=value)
            self.reported(TypeError, "no_delay is ", wspeer.connect, NOBODY, no_delay=value)
        self.reported(wspeer.ConfigError, "deflate_level is 10", wspeer.connect, NOBODY, deflate=True, deflate_level=10)
        self.reported(wspeer.ConfigError, "on_full is 7: it must be", wspeer.listen, LOCAL, on_full=7)
        self.reported(
            wspeer.TlsError, "ca_pem has no certificate", wspeer.connect, "wss://127.0.0.1:1", ca_pem="nothing"
        )
        self.reported(TypeError, "key_pem is no PEM", wspeer.connect, NOBODY, key_pem=b"\xff\xfe")
        self.reported(TypeError, "ca_pem is int", wspeer.connect, NOBODY, ca_pem=5)
        self.reported(wspeer.ArgumentError, "ca_pem has a NUL", wspeer.connect, NOBODY, ca_pem="a\0b")
        self.reported(wspeer.ArgumentError, "user is -1", wspeer.connect, NOBODY, user=-1)
        self.reported(TypeError, "user is str", wspeer.connect, NOBODY, user="me")
        self.reported(TypeError, "expected str", wspeer.connect, NOBODY, subprotocols=[5])

    def test_headers(self) -> None:
        self.reported(wspeer.ConfigError, "line break", wspeer.connect, NOBODY, headers={"X-A": "1\r\nX-B: 2"})
        self.reported(wspeer.ConfigError, "no colon", wspeer.connect, NOBODY, headers=["nothing"])
        self.reported(wspeer.ArgumentError, "NUL", wspeer.connect, NOBODY, headers={"X-A": "\0"})
        self.reported(TypeError, "the header X-A is int", wspeer.connect, NOBODY, headers={"X-A": 5})
        self.reported(TypeError, "single text", wspeer.connect, NOBODY, headers="X-A: 1")
        self.reported(TypeError, "headers has an item of type tuple", wspeer.connect, NOBODY, headers=[(1, 2, 3)])
        self.reported(TypeError, "headers has an item of type NoneType", wspeer.connect, NOBODY, headers=[None])

    def test_messages(self) -> None:
        one, other = open_pair(max_message_bytes=1000)
        with one, other:
            for data in (5, None, 1.5, ["a"], object()):
                self.reported(TypeError, "the message is ", one.send, data)
            self.reported(TypeError, "text=False", one.send, "text", text=False)
            self.reported(wspeer.TextError, "lone surrogate at 1", one.send, "a\ud800")
            self.reported(wspeer.TextError, "UTF-8", one.send, b"a\xff", text=True)
            self.reported(wspeer.TooBig, "1001", one.send, bytes(1001))
            for data in (
                "",
                b"",
                "nul \0 within",
                bytearray(b"\0\1"),
                memoryview(b"abcdef")[::2],
                memoryview(bytes(8)).cast("I"),
            ):
                one.send(data)
                message = event_of(EventType.MESSAGE, other, one)
                self.assertEqual(message.message, data if isinstance(data, str) else memoryview(data).tobytes())
            one.send(b"text", text=True)
            self.assertEqual(event_of(EventType.MESSAGE, other, one).message, "text")

    def test_closes(self) -> None:
        one, other = open_pair()
        with one, other:
            self.reported(wspeer.ArgumentError, "123", one.close, 1000, "r" * 124)
            self.reported(wspeer.ArgumentError, "123", one.close, 1000, "é" * 62)
            self.reported(wspeer.ArgumentError, "NUL", one.close, 1000, "a\0b")
            self.reported(wspeer.TextError, "surrogate", one.close, 1000, "\udcff")
            self.reported(TypeError, "reason is bytes", one.close, 1000, b"bye")
            self.reported(TypeError, "code is str", one.close, "1000")
            for code in (999, 1004, 1005, 1006, 1015, 2999, 5000, -2):
                self.reported(wspeer.ArgumentError, str(code), one.close, code)
            # ctypes would truncate this to 1000.
            self.reported(wspeer.ArgumentError, "code is 4294968296", one.close, 2**32 + 1000)
            self.assertEqual(one.state, wspeer.State.OPEN)
            one.close(4999, "é" * 61)
            self.assertEqual(event_of(EventType.CLOSE_REQUEST, other, one).text, "é" * 61)

    def test_before_open_and_after_the_end(self) -> None:
        with wspeer.connect(NOBODY) as peer:
            self.reported(wspeer.StateError, "OPEN", peer.send, "early")
            failure = event_of(EventType.CLOSED, peer)
            with self.assertRaises(wspeer.ConnectionFailed) as caught:
                failure.raise_if_failed()
            error = caught.exception
            self.assertEqual(
                (error.phase, error.cause, error.code, error.unsent),
                (wspeer.Phase.TCP, wspeer.Cause.REFUSED, 1006, 0),
            )
            self.assertEqual(error.sentence, peer.error)
            self.assertIn("nothing listens there", str(error))
            self.assertIn("phase TCP, code 1006", str(error))
            self.assertGreater(error.os_error, 0)
            # As a process pool passes it on.
            again = pickle.loads(pickle.dumps(error))
            self.assertEqual((str(again), vars(again)), (str(error), vars(error)))
            self.reported(wspeer.StateError, "", peer.send, "late")

    def test_secrets(self) -> None:
        """No text of an exception and no object that it references contains something that may be secret."""
        for options in (
            {"headers": [("Authorization", "marked", "marked")]},
            {"headers": ["Authorization marked"]},
            {"headers": {"X": "marked\r\n"}},
            {"headers": {"X": "marked\0"}},
            {"headers": {"X": "marked\ud800"}},
            {"headers": ["X: marked\ud800"]},
            {"headers": "X: marked"},
            {"subprotocols": ["marked", "marked"]},
            {"subprotocols": "mar ked, marked/2"},
            {"subprotocols": ["marked\ud800"]},
            {"ca_pem": b"marked\xff"},
            {"ca_pem": "marked"},
            {"ca_pem": "marked\ud800"},
            {"cert_pem": b"marked", "key_pem": b"marked\xff"},
            {"cert_pem": "marked", "key_pem": "-----BEGIN PRIVATE KEY-----\nmarked\n-----END PRIVATE KEY-----\n"},
            {"pin_sha256": "marked"},
            {"heartbeat_ms": "marked"},
            {"insecure": "marked"},
        ):
            for url in (
                "wss://marked:marked@localhost:1/?marked",
                "ws://marked:marked@h:99999/?marked",
                "ws://localhost/?marked\ud800",
            ):
                with self.subTest(options=options, url=url):
                    with self.assertRaises(Exception) as caught:
                        wspeer.connect(url, **options)
                    error: BaseException | None = caught.exception
                    while error is not None:
                        reported = f"{error} {error!r} {error.args} {vars(error)}"
                        self.assertNotIn("marked", reported.lower())
                        error = error.__cause__ or error.__context__

    def test_freed(self) -> None:
        with wspeer.connect(NOBODY) as peer:
            peer.free()
            peer.free()
        for call in (peer.poll, peer.events, peer.packets, peer.flush, peer.close, peer.stats, peer.headers, peer.wait):
            arguments = ("x",) if call == peer.headers else ()
            self.reported(wspeer.HandleError, "", call, *arguments)
        self.reported(wspeer.HandleError, "freed", peer.send, "x")
        self.reported(wspeer.HandleError, "freed", peer.set_user, 5)
        texts = "url path query subprotocol close_reason error local_address remote_address peer_address body tls "
        texts += "extensions"
        for name in ("state", "available", "peer_id", *texts.split()):
            self.reported(wspeer.HandleError, "freed", getattr, peer, name)
        self.reported(wspeer.HandleError, "freed", lambda: peer.options.heartbeat_ms)
        self.reported(wspeer.HandleError, "freed", setattr, peer.options, "heartbeat_ms", 5000)
        self.assertIn("gone", repr(peer))

    def test_servers_and_targets(self) -> None:
        server, client, conn = served()
        with server, client:
            self.reported(wspeer.TargetError, "", server.send, "x", to=12345)
            self.reported(wspeer.TargetError, "", server.disconnect, 12345)
            self.reported(TypeError, "to is str", server.send, "x", to="all")
            self.reported(TypeError, "but is float", server.send, "x", but=1.5)
            self.reported(wspeer.ArgumentError, "to is 2147483648", server.send, "x", to=2**31)
            self.reported(wspeer.ArgumentError, "no target", server.send, "x", to=-(2**31))
            self.reported(wspeer.KindError, "", getattr, conn, "peer_id")
            self.reported(wspeer.KindError, "lends nothing", conn.packets, lend=True)
            client.close(-1)
            gone = event_of(EventType.DISCONNECTED, server, client)
            self.assertIs(gone.peer, conn)
            self.reported(wspeer.ConnectionFailed, "phase", gone.raise_if_failed)
            server.poll()
            for call in (
                conn.poll,
                conn.events,
                lambda: conn.send("x"),
                lambda: conn.remote_address,
                lambda: server.send("x", to=conn),
            ):
                self.reported(wspeer.CallFailed, "", call)
            server.close()
            ended = event_of(EventType.CLOSED, server)
            self.reported(wspeer.TargetError, "the server or the player itself", lambda: ended.peer)

    def test_multiplayer(self) -> None:
        with wspeer.host(LOCAL) as host, wspeer.join(host.url) as player:
            until(lambda: player.state == wspeer.State.OPEN, host, player)
            self.reported(wspeer.TargetError, "", host.send, "x", to=99)
            self.reported(wspeer.TargetError, "", player.send, "x", to=0)
            self.reported(TypeError, "to is str", host.send, "x", to="b")
            self.reported(wspeer.TargetError, "", host.peer, 99)
            self.reported(TypeError, "peer_id is str", host.peer, "a")
            self.reported(wspeer.KindError, "", player.clients)
            self.reported(wspeer.KindError, "", player.join_local)
            self.reported(wspeer.KindError, "", host.header, "x")
            self.reported(wspeer.KindError, "", getattr, host, "remote_address")
            self.reported(TypeError, "no option", host.join_local, zzz=1)
            self.assertEqual(host.peer(player.peer_id).peer_id, player.peer_id)

    def test_other_arguments(self) -> None:
        one, other = open_pair()
        with one, other:
            for limit in (0, -5):
                self.reported(wspeer.ArgumentError, "limit is", one.events, limit)
            self.reported(TypeError, "limit is str", one.packets, "5")
            self.reported(wspeer.ArgumentError, "timeout is -1", one.wait, -1)
            self.reported(wspeer.ArgumentError, "timeout is nan", wspeer.wait, [one], math.nan)
            self.reported(wspeer.ArgumentError, "level is 9", wspeer.set_log_level, 9)
            self.reported(wspeer.ArgumentError, "owner is -1", wspeer.free_owner, -1)
            self.reported(wspeer.ArgumentError, "7", wspeer.attach, 7)
            self.reported(TypeError, "role is str", wspeer.attach, "client")
            self.reported(wspeer.KindError, "", getattr, one.options, "max_clients")
            self.reported(TypeError, "coalesce is int", setattr, one.options, "coalesce", 1)
            self.reported(wspeer.ArgumentError, "heartbeat_ms is -1", setattr, one.options, "heartbeat_ms", -1)
            self.reported(wspeer.ArgumentError, "name has a NUL", one.header, "a\0b")
            self.reported(TypeError, "name is bytes", one.header, b"a")
            with self.assertRaises(AttributeError):
                one.nmae = "Ann"  # type: ignore[attr-defined]
        with wspeer.attach(wspeer.Role.SERVER) as attached:
            self.reported(TypeError, "data is str", attached.feed, "text")
            self.reported(TypeError, "data is int", attached.feed, 5)

    def test_every_sentence_of_a_failed_call_is_its_own(self) -> None:
        # Another failure in between, as in a handler, does not change the first exception.
        with self.assertRaises(wspeer.UrlError) as caught:
            wspeer.connect("nothing")
        with self.assertRaises(wspeer.ArgumentError):
            wspeer.attach(7)  # type: ignore[arg-type]
        self.assertIn("URL", caught.exception.sentence)
        self.assertIs(caught.exception.result, wspeer.Result.ERR_URL)
        self.assertIsInstance(caught.exception, (wspeer.Error, ValueError))
