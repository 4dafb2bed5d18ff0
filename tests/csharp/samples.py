#!/usr/bin/env python3
"""Runs the C# samples like the C examples: with each other, and with those in C. Usage: samples.py FOLDER"""
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
import harness

harness.WORK = harness.WORK.parent / "csharp" / "samples"
import certificates
import examples

PROGRAMS = {"echo_server": "EchoServer.exe", "minimal_client": "MinimalClient.exe", "chat": "Chat.exe"}
FOLDER = pathlib.Path(sys.argv[1]).resolve()
lines = harness.Lines


def in_csharp(names):
    """Replaces these programs by the C# ones."""

    def start(command, log, **more):
        name = pathlib.Path(command[0]).name
        if name in names:
            command = ["mono", "--debug", str(FOLDER / PROGRAMS[name]), *command[1:]]
        return lines(command, log, **more)

    examples.Lines = start


def interrupt(program):
    """C programs close on Ctrl-C, C# programs at the end of input: this does both."""
    program.process.stdin.close()
    if program.process.args[0] != "mono":
        program.process.send_signal(signal.SIGINT)


def main():
    shutil.rmtree(harness.WORK, ignore_errors=True)
    examples.interrupt = interrupt
    certificates.make()
    with_c = [{"echo_server"}, {"minimal_client"}]
    for names in [set(PROGRAMS), *with_c]:
        in_csharp(names)
        print(f"# in C#: {' '.join(sorted(names))}", flush=True)
        if "chat" in names:
            examples.chat()
        if names - {"chat"}:
            examples.echo("ws", [], [])
            examples.echo(
                "wss",
                [certificates.path("chain.pem"), certificates.path("leaf.key")],
                ["", certificates.path("root.pem")],
            )
    in_csharp(set(PROGRAMS))
    examples.mistakes()
    return 1 if harness.failures else 0


sys.exit(main())
