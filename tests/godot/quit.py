#!/usr/bin/env python3
"""Engines that quit with connections in any state: they end at once, with exit code 0, and leak nothing. Usage: quit.py
SLOW_DNS_LIBRARY [KIND]"""
import contextlib
import socket
import sys
import time

from engine import OURS, Remote, check, end, free_port


def connecting(godot, stack):
    silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    godot(f'make("a", "{godot.peer}")')
    godot(f'a.connect_to_url("ws://127.0.0.1:{silent.getsockname()[1]}")')
    godot("a.poll()")


def encrypting(godot, stack):
    connecting(godot, stack)
    silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    godot(f'make("b", "{godot.peer}")')
    godot(f'b.connect_to_url("wss://127.0.0.1:{silent.getsockname()[1]}")')
    for _ in range(5):
        godot("b.poll()")


def looking_up(godot, stack):
    godot(f'make("a", "{godot.peer}")')
    godot('a.connect_to_url("ws://a.blackhole.test:9")')
    godot("a.poll()")


def opened(godot, stack):
    """Both ends in this engine, with unread messages and an unsent one."""
    godot(f'make("host", "{godot.multiplayer_peer}")')
    port = free_port()
    while godot(f'host.create_server({port}, "127.0.0.1")') != 0:
        port = free_port()
    godot(f'make("join", "{godot.multiplayer_peer}")')
    godot(f'join.create_client("ws://127.0.0.1:{port}")')
    limit = time.monotonic() + 10
    while godot("join.get_connection_status()") != 2 and time.monotonic() < limit:
        godot("[host.poll(), join.poll()]")
    godot('hold("end", join.get_peer(1))')
    godot("host.put_packet(filled(1000, 1))")
    godot("[host.poll(), join.poll(), join.poll()]")
    godot("join.put_packet(filled(60000, 1))")


def closing(godot, stack):
    opened(godot, stack)
    godot('[end.close(1000, "bye"), host.close()]')


def playing(godot, stack):
    """As the scene's multiplayer peer."""
    opened(godot, stack)
    godot('play("host")')
    godot("api.send_bytes(filled(10, 1))")


def quits(kind, state, library):
    with contextlib.ExitStack() as stack:
        godot = Remote(kind, "--verbose", LD_PRELOAD=library)
        state(godot, stack)
        began = time.monotonic()
        godot("quit(0)")
        code = godot.finish(40)
        took = time.monotonic() - began
    check(
        code == 0 and took < 5 and not godot.faults(),
        f"{kind}: quits while {state.__name__}",
        f"code {code} after {took:.1f} s {godot.faults()} " + "\n".join(godot.lines[-20:]),
    )


def main():
    library, kind = (sys.argv[1:] + [OURS])[:2]
    for state in (encrypting, closing, playing, looking_up):
        quits(kind, state, library)
    return end()


if __name__ == "__main__":
    sys.exit(main())
