"""Lifetimes: loans, freed and unreferenced objects, exceptions, signals, threads, forks, and the end of the
interpreter."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import sys
import threading
import unittest
import warnings

from talk import LOCAL, event, event_of, open_pair, python, served, until

import wspeer
from wspeer import EventType, State


class TestLoans(unittest.TestCase):
    def setUp(self) -> None:
        self.one, self.other = open_pair()
        self.addCleanup(self.one.free)
        self.addCleanup(self.other.free)

    def lent(self, *messages: bytes) -> list[wspeer.Packet]:
        for message in messages:
            self.one.send(message)
        until(lambda: self.other.available == len(messages), self.one, self.other)
        return self.other.packets(lend=True)

    def test_lent_bytes_are_the_message_until_the_next_read(self) -> None:
        long = os.urandom(200_000)
        packets = self.lent(b"first", long, b"")
        for _ in range(10):
            self.one.poll()
            self.other.poll()
        self.assertEqual([bytes(packet.data) for packet in packets], [b"first", long, b""])
        for packet in packets:
            self.assertIsInstance(packet.data, memoryview)
            with self.assertRaises(TypeError):
                packet.data[:0] = b""  # type: ignore[index]
            # Lent bytes can be sent again.
            self.other.send(packet.data)
        self.assertEqual(self.other.packets(), [])
        for packet in packets:
            with self.assertRaises(ValueError):
                bytes(packet.data)
        until(lambda: self.one.available == 3, self.one, self.other)
        self.assertEqual([packet.data for packet in self.one.packets()], [b"first", long, b""])

    def test_a_slice_that_was_kept_refuses_the_next_read_and_loses_nothing(self) -> None:
        part = self.lent(b"0123456789")[0].data[2:5]
        self.one.send(b"next")
        until(lambda: self.other.available, self.one, self.other)
        for read in (self.other.packets, self.other.events, self.other.free):
            with self.assertRaisesRegex(BufferError, "bytes"):
                read()
        with self.assertRaises(BufferError):
            wspeer.shutdown()
        self.assertEqual(bytes(part), b"234")
        del part
        self.assertEqual(self.other.packets()[0].data, b"next")

    def test_what_exports_a_lent_view_refuses_the_next_read_too(self) -> None:
        data = self.lent(b"0123456789")[0].data
        array = memoryview(data).cast("H")
        del data
        with self.assertRaises(BufferError):
            self.other.packets()
        self.assertEqual(bytes(array), b"0123456789")
        array.release()
        self.assertEqual(self.other.packets(), [])

    def test_a_loan_keeps_its_connection_alive(self) -> None:
        one, other = open_pair()
        with one:
            kept = os.urandom(100_000)
            one.send(kept)
            until(lambda end=other: end.available, one, other)
            part = other.packets(lend=True)[0].data[:1000]
            with self.assertWarnsRegex(ResourceWarning, f"unclosed <wspeer.Peer {other.handle} "):
                del other
                gc.collect()
                self.assertEqual(part, kept[:1000])
                del part
                gc.collect()

    def test_events_lend_messages_alone(self) -> None:
        self.one.send(b"message")
        self.one.close(1000, "bye")
        until(lambda: self.other.state == State.CLOSED, self.one, self.other)
        message, request, closed = self.other.events(lend=True)
        self.assertEqual((bytes(message.data), request.text, closed.type), (b"message", "bye", EventType.CLOSED))
        self.assertEqual(self.other.events(lend=True), [])
        self.assertEqual(request.text, "bye")

    def test_a_lent_batch_is_bounded_and_a_copied_one_is_not(self) -> None:
        self.assertEqual(len(self.lent(*[b"x"] * 300)), 128)
        self.assertEqual(len(self.other.packets(limit=7, lend=True)), 7)
        self.assertEqual(len(self.other.packets(limit=150)), 150)
        self.assertEqual(len(self.other.packets()), 15)


class TestEnds(unittest.TestCase):
    def test_leaving_the_block_says_goodbye(self) -> None:
        for error, code in ((None, 1000), (RuntimeError("mine"), 1011)):
            server, client, _ = served()
            with server:
                try:
                    with client:
                        client.send("last words")
                        if error:
                            raise error
                except RuntimeError as caught:
                    self.assertIs(caught, error)
                self.assertEqual(event(server).text, "last words")
                self.assertEqual(event_of(EventType.DISCONNECTED, server).code, code)
                with self.assertRaises(wspeer.HandleError):
                    client.poll()

    def test_a_server_that_is_left_tells_its_clients(self) -> None:
        server, client, conn = served()
        with client:
            with server:
                pass
            self.assertEqual(event_of(EventType.CLOSED, client).code, 1001)
            self.assertIn("gone", repr(conn))

    def test_the_end_is_told_while_messages_wait_before_it(self) -> None:
        one, other = open_pair()
        with one, other:
            self.assertIsNone(other.end)
            one.send("first")
            one.close(4001, "enough")
            until(lambda: other.state == State.CLOSED, one, other)
            end = other.end
            assert end is not None
            self.assertEqual(
                (end.type, end.code, end.clean, end.phase),
                (EventType.CLOSED, 4001, True, wspeer.Phase.APP),
            )
            self.assertEqual((end.text, other.close_reason), (other.error, "enough"))
            self.assertEqual(
                [event.type for event in other.events()],
                [EventType.MESSAGE, EventType.CLOSE_REQUEST, EventType.CLOSED],
            )
        with wspeer.host(LOCAL) as host, self.assertRaises(wspeer.KindError):
            host.end  # noqa: B018

    def test_a_block_can_be_left_twice_and_after_free(self) -> None:
        one, other = open_pair()
        with one, other:
            one.free()
            other.close(-1)
        with one, other:
            pass

    def test_an_object_that_nobody_closed_is_freed_with_a_warning(self) -> None:
        server = wspeer.listen(LOCAL)
        with server:
            client = wspeer.connect(server.url)
            event_of(EventType.OPEN, client, server)
            event(server)
            number = client.handle
            with self.assertWarnsRegex(ResourceWarning, f"unclosed <wspeer.Peer {number} OPEN>.*free"):
                del client
                gc.collect()
            self.assertEqual(event_of(EventType.DISCONNECTED, server).code, 1001)

    def test_an_object_that_could_not_be_made_warns_of_nothing(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with self.assertRaises(wspeer.UrlError):
                wspeer.connect("nothing")
            gc.collect()

    def test_a_client_of_a_server_keeps_the_server_and_stays_the_same_object(self) -> None:
        server, client, conn = served()
        with client:
            self.assertIs(server.clients()[0], conn)
            self.assertEqual(server.waiting(), [])
            client.send("something to take")
            self.assertIs(until(server.waiting, server, client)[0], conn)
            self.assertEqual(conn.events()[0].text, "something to take")
            self.assertEqual(repr(conn), f"<wspeer.Peer {conn.handle} OPEN>")
            del server
            gc.collect()
            conn.send("still here")
            self.assertEqual(event(client).text, "still here")
            with self.assertWarns(ResourceWarning):
                del conn
                gc.collect()

    def test_objects_are_of_this_process_alone(self) -> None:
        one, other = open_pair()
        with one, other:
            for make in (copy.copy, copy.deepcopy, pickle.dumps):
                with self.assertRaisesRegex(TypeError, "cannot be copied or pickled"):
                    make(one)

    def test_free_owner_and_shutdown(self) -> None:
        mine = wspeer.pair(owner=7)
        yours = open_pair(owner=8)
        wspeer.free_owner(7)
        for peer in mine:
            with self.assertRaises(wspeer.HandleError):
                peer.poll()
            peer.free()
        yours[0].poll()
        wspeer.shutdown()
        with self.assertRaises(wspeer.HandleError):
            yours[0].poll()
        for peer in yours:
            peer.free()
        for peer in open_pair():
            peer.free()

    def test_the_interpreter_ends_with_open_connections(self) -> None:
        start = (
            "import wspeer, sys\n"
            "server = wspeer.listen('ws://127.0.0.1:0')\n"
            "peer = wspeer.connect(server.url)\n"
            "while peer.state == 0:\n    peer.poll(); server.poll()\n"
            "peer.send(b'x' * 100000)\n"
            "lent = [peer.events(lend=True), server.events(lend=True)]\n"
        )
        for end in (
            "",
            "sys.exit(0)",
            "cycle = [peer, server]; cycle.append(cycle)",
            "import threading; threading.Thread(target=lambda: peer.wait(0.2)).start()",
            "import threading; "
            "threading.Thread(target=lambda: [peer.poll() for _ in iter(int, 1)], daemon=True).start()",
            "import atexit; "
            "atexit.register(lambda: (peer.close(), peer.poll(), server.poll(), wspeer.shutdown()) and None); del lent",
        ):
            with self.subTest(end):
                done = python(start + end)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = python(start + "raise RuntimeError('mine')")
        self.assertEqual(done.returncode, 1)
        self.assertIn("RuntimeError: mine", done.stderr)
        done = python(start, "-X", "dev")
        self.assertEqual(done.returncode, 0)
        self.assertIn("ResourceWarning: unclosed <wspeer.", done.stderr)

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_after_a_fork_the_child_is_told_and_can_open_anew(self) -> None:
        done = python(
            "import wspeer, os, sys, threading\n"
            "server = wspeer.listen('ws://127.0.0.1:0')\n"
            "peer = wspeer.connect(server.url)\n"
            "held = threading.Event(); go = threading.Event()\n"
            "def hold():\n"
            "    with peer._gate:\n"
            "        held.set(); go.wait()\n"
            "thread = threading.Thread(target=hold); thread.start(); held.wait()\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    for call in (peer.poll, peer.events, server.poll, lambda: peer.send('x')):\n"
            "        try: call()\n"
            "        except wspeer.HandleError as error: assert len(error.sentence) > 10\n"
            "        else: os._exit(2)\n"
            "    peer.free(); server.free()\n"
            "    ends = wspeer.pair()\n"
            "    while ends[0].state != 1:\n"
            "        for end in ends: end.poll()\n"
            "    os._exit(7)\n"
            "go.set(); thread.join()\n"
            "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
            "while peer.state == 0:\n    peer.poll(); server.poll()\n"
            "assert peer.state == 1\n",
            "-W",
            "ignore",
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(hasattr(signal, "setitimer"), "needs signals")
    def test_a_signal_ends_a_wait_and_its_handler_may_close(self) -> None:
        one, other = open_pair()
        with one, other:

            def close(*_: object) -> None:
                one.close(4000, "by signal")

            before = signal.signal(signal.SIGALRM, close)
            self.addCleanup(signal.signal, signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            self.assertEqual(event_of(EventType.CLOSE_REQUEST, other, one).code, 4000)
            signal.signal(signal.SIGALRM, lambda *_: sys.exit("woken"))
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with wspeer.listen(LOCAL) as idle, self.assertRaises(SystemExit):
                while True:
                    idle.poll()
                    idle.wait()

    def test_a_read_within_a_read_is_refused(self) -> None:
        one, other = open_pair()
        with one, other:
            with one._gate:
                for call in (one.events, one.packets, one.free):
                    with self.assertRaisesRegex(wspeer.StateError, "signal handler"):
                        call()
                one.poll()
                one.send("while it is read")
            self.assertEqual(event(other, one).text, "while it is read")


class TestThreads(unittest.TestCase):
    def test_many_threads_share_a_connection(self) -> None:
        each, threads = 2000, 4
        one, other = open_pair()
        got: list[bytes] = []
        failures: list[BaseException] = []
        done = threading.Event()

        def send(number: int) -> None:
            try:
                for index in range(each):
                    while True:
                        try:
                            one.send(b"%d %d " % (number, index) + bytes(index % 3000))
                            break
                        except wspeer.QueueFull:
                            one.poll()
            except BaseException as error:
                failures.append(error)

        def read() -> None:
            try:
                while not done.is_set():
                    one.poll()
                    other.poll()
                    for packet in other.packets():
                        got.append(packet.data)
                        if len(got) == each * threads:
                            done.set()
            except BaseException as error:
                failures.append(error)
                done.set()

        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        self.addCleanup(sys.setswitchinterval, before)
        with one, other:
            running = [threading.Thread(daemon=True, target=send, args=(number,)) for number in range(threads)]
            running += [threading.Thread(daemon=True, target=read) for _ in range(3)]
            for thread in running:
                thread.start()
            for thread in running:
                thread.join(50)
        self.assertEqual(failures, [])
        self.assertEqual(len(set(got)), each * threads)
        self.assertTrue(all(len(message.split(b" ", 2)[2]) == int(message.split(b" ")[1]) % 3000 for message in got))

    def test_threads_read_clients_while_another_polls_and_frees(self) -> None:
        for _ in range(5):
            self.assertEqual(self.read_in_threads(), [])

    def read_in_threads(self) -> list[BaseException]:
        failures: list[BaseException] = []
        server = wspeer.listen(LOCAL)
        clients = [wspeer.connect(server.url, queue_before_open=True) for _ in range(8)]
        for client in clients:
            for size in (10, 5000, 100_000):
                client.send(bytes(size))
        until(lambda: all(client.state == State.OPEN for client in clients), server, *clients)
        for client in clients:
            client.close()
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                try:
                    for peer in server.clients():
                        if any(packet.data.strip(b"\0") for packet in peer.packets()):
                            failures.append(AssertionError("other bytes came"))
                except wspeer.HandleError:
                    pass
                except BaseException as error:
                    failures.append(error)

        threads = [threading.Thread(daemon=True, target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        gone: list[wspeer.Event] = []

        def all_gone() -> bool:
            gone.extend(one for one in server.events() if one.type == EventType.DISCONNECTED)
            return len(gone) == len(clients)

        try:
            until(all_gone, server, *clients)
            server.free()
        finally:
            stop.set()
        for thread in threads:
            thread.join(20)
        for client in clients:
            client.free()
        return failures

    def test_freed_while_another_thread_works(self) -> None:
        for _ in range(20):
            self.assertEqual(self.free_under_a_thread(), [])

    def free_under_a_thread(self) -> list[BaseException]:
        one, other = open_pair()
        failures: list[BaseException] = []

        def work() -> None:
            try:
                while True:
                    one.send(bytes(1000))
                    one.poll()
                    other.poll()
                    other.events()
            except wspeer.HandleError:
                pass
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(daemon=True, target=work)
        thread.start()
        until(lambda: one.stats().messages_out > 20)
        other.free()
        one.free()
        thread.join(20)
        if thread.is_alive():
            failures.append(AssertionError("it goes on"))
        return failures
