#!/usr/bin/env python3
"""Breaks the links of many players with sessions, 60 messages a second to and from each, in all the ways that networks
have: all resume, and every message arrives once and in order. Prints how long it took, and the memory.
Usage: run.py [--long] [--namespaces SERVERS PLAYERS] [PART-OF-A-NAME]
--namespaces: the names of two network namespaces as tests/suites/players.sh makes them, for the faults of a real link.
--long: 1000 players, with longer faults, and a table in build/players.md."""
import argparse
import concurrent.futures
import dataclasses
import math
import os
import pathlib
import selectors
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "tests"
# Far longer than any fault takes: a test that waits for so long has failed.
PATIENCE_S = 150
# Messages that each end must have received from the other before a fault, and again behind it.
SOME = 30
# The servers' address in their namespace, and the players' before and after it changes.
SERVER_ADDRESS, OLD_ADDRESS, NEW_ADDRESS = "10.98.7.1", "10.98.7.2", "10.98.7.3"
failures = 0


def check(good, what):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - players: {what}", flush=True)


class Program:
    """A program that is steered by lines: it answers some of them with one line."""

    def __init__(self, command, namespace):
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        self.command = command
        self.process = subprocess.Popen(
            prefix + [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.rest = b""

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")

    def line(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.rest:
                data = os.read(self.process.stdout.fileno(), 65536) if selector.select(PATIENCE_S) else b""
                if not data:
                    raise RuntimeError(f"{self.command} does not answer, or has ended")
                self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def ask(self, line):
        """The fields of the answer: numbers, or lists of them."""
        self.tell(line)
        fields = dict(field.split("=") for field in self.line().split()[1:])
        return {
            name: [float(one) for one in text.split(",")[:-1]] if text.endswith("-") else int(text)
            for name, text in fields.items()
        }

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Game:
    """A server and its players, through a proxy if wanted, and what is measured of them."""

    def __init__(self, players, heartbeat_ms=0, proxy=False, namespaces=None):
        self.count = players
        self.namespaces = namespaces
        at_server, at_players = namespaces or (None, None)
        host = SERVER_ADDRESS if namespaces else "127.0.0.1"
        self.server = Program([BUILD / "crowd", "server", f"ws://{host}:0"], at_server)
        self.server_port = self.server.line().rpartition(":")[2].rstrip("/")
        self.cutter, self.port = None, self.server_port
        if proxy:
            self.port = 0
            self.start_proxy()
        url = f"ws://{host}:{self.port}"
        self.players = Program([BUILD / "crowd", "players", url, players, heartbeat_ms], at_players)
        self.ends = [self.server, self.players]
        self.until("all are open", lambda ends: all(end["open"] == players for end in ends))
        opened = self.reports()
        self.until("they play", lambda ends: all(end["least"] >= opened[0]["least"] + SOME for end in ends))
        self.before = self.reports()
        frames, late = (
            min(after[name] - before[name] for after, before in zip(self.before, opened)) for name in ("frames", "late")
        )
        self.rate = 60 * frames / (frames + late)
        for end in self.ends:
            end.tell("mark")

    def start_proxy(self):
        self.cutter = Program([BUILD / "cutter", "127.0.0.1", self.port, "127.0.0.1", self.server_port], None)
        self.port = int(self.cutter.line().split()[1])

    def reports(self):
        return [end.ask("report") for end in self.ends]

    def until(self, what, done, ends=None):
        end = time.monotonic() + PATIENCE_S
        while not done(reports := [one.ask("report") for one in ends or self.ends]):
            if any(report["wrong"] for report in reports):
                raise RuntimeError(f"something went wrong before {what}: the log above says what: {reports}")
            if time.monotonic() > end:
                raise RuntimeError(f"it did not come to pass in {PATIENCE_S} s that {what}: {reports}")
            time.sleep(0.02)
        return reports

    def hold(self, seconds):
        """A fault lasts while each player plays so many frames: a slow machine makes it longer, not weaker."""
        frames = self.players.ask("report")["frames"] + 60 * seconds
        self.until("the players play on", lambda ends: ends[0]["frames"] >= frames, [self.players])

    def back(self, at=None):
        at = at or time.monotonic()
        for end in self.ends:
            end.tell(f"back\t{at:.6f}")

    def finish(self):
        """Waits until all play again, then compares what was put and what arrived. Returns the measured values."""
        self.until(
            "all play again",
            lambda ends: all(
                end["open"] == self.count and not end["lost"] and end["least_since"] >= SOME for end in ends
            ),
        )
        times = self.players.ask("times")
        after = self.reports()
        for end in self.ends:
            end.tell("end")
        self.until(
            "the last messages arrive",
            lambda ends: all(end["complete"] == self.count for end in ends),
        )
        last = self.reports()
        for end in self.ends:
            end.tell("close")
        self.until("all close", lambda ends: all(end["closed"] == self.count for end in ends))
        closed = self.reports()
        return Measured(self, times, after, last, closed)

    def kill(self):
        for program in [*self.ends, self.cutter]:
            if program:
                program.kill()


def percentile(values, share):
    ordered = sorted(max(0.0, value) for value in values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def triple(values):
    """p50, p99 and the longest, in seconds."""
    if not values:
        return "-"
    return " / ".join(f"{percentile(values, share) / 1e3:.2f}" for share in (0.5, 0.99, 1))


@dataclasses.dataclass
class Measured:
    game: Game
    times: dict
    after: list
    last: list
    closed: list

    def judge(self, name, must_lose):
        server, players = self.last
        count = self.game.count
        wrong = sum(end["wrong"] for end in self.closed)
        check(wrong == 0, f"{name}: every message came once and in order, and nobody was kicked ({wrong} complaints)")
        up, down = (players["sent"], server["received"]), (server["sent"], players["received"])
        check(
            up[0] == up[1] and down[0] == down[1] and all(end["complete"] == count for end in self.last),
            f"{name}: all that was put arrived: {up[1]} of {up[0]} from the players, {down[1]} of {down[0]} to them",
        )
        resumed = players["resumed"]
        check(
            players["losses"] == resumed and (not must_lose or resumed >= count),
            f"{name}: all {count} players play on; {players['losses']} links were lost, and {resumed} resumed",
        )

    def figure(self, name):
        """Prints all, and returns the row of the table. Sizes are of the whole process; the memory of a lost player is
        the growth of the server's process, or of the players', at its peak."""
        megabytes = [
            " / ".join(f"{size / 1024:.1f}" for size in (before["rss_kb"], after["peak_kb"], after["rss_kb"]))
            for before, after in zip(self.game.before, self.after)
        ]
        growth = [max(0, after["peak_kb"] - before["rss_kb"]) for before, after in zip(self.game.before, self.after)]
        lost = min(self.game.count, self.after[1]["losses"])
        each = [f"{size / lost:.0f}" if lost else "-" for size in growth]
        unacked = [end["unacked_peak"] / 1024 for end in self.after]
        most = max(end["unacked_most"] for end in self.after) / 1024
        poll = self.after[0]["longest_poll_us"] / 1e3
        print(
            f"figure: {name}: {self.game.count} players at {self.game.rate:.0f} Hz,"
            f" {self.after[1]['losses']} links lost, {self.after[1]['failed_tries']} failed tries,"
            f" {self.after[1]['sent_again']} + {self.after[0]['sent_again']} messages sent again; p50 / p99 / longest in s: LOST to RESUMED"
            f" {triple(self.times['lost'])}, end of the fault to RESUMED {triple(self.times['back'])}, to the next"
            f" message {triple(self.times['again'])}; memory before / peak / after in MB: server {megabytes[0]},"
            f" players {megabytes[1]}; for each lost player at the peak: server {each[0]} kB, player {each[1]} kB;"
            f" unacknowledged at the peak: server {unacked[0]:.0f} kB, players {unacked[1]:.0f} kB, the fullest session"
            f" {most:.1f} kB; the server's longest poll {poll:.1f} ms of CPU",
            flush=True,
        )
        return (
            f"| {name} | {self.game.rate:.0f} | {self.after[1]['losses']:,} | {triple(self.times['lost'])} |"
            f" {triple(self.times['back'])} | {triple(self.times['again'])} | {megabytes[0]} | {each[0]} + {each[1]} |"
            f" {unacked[0] / 1024:.1f} + {unacked[1] / 1024:.1f} |"
        )


def stop(game, seconds):
    os.kill(game.server.process.pid, signal.SIGSTOP)
    game.hold(seconds)
    at = time.monotonic()
    os.kill(game.server.process.pid, signal.SIGCONT)
    game.back(at)


def cut(game):
    """Killed and started twice: the second time while players are coming back."""
    for share in (0.5, 1):
        game.cutter.kill()
        game.until("all notice", lambda ends: ends[0]["lost"] == game.count, [game.players])
        game.start_proxy()
        game.back()
        game.until(
            "they come back", lambda ends, share=share: ends[0]["lost"] <= game.count * (1 - share), [game.players]
        )


def half_open(game, seconds):
    """The proxy discards everything for a while, or until each player's heartbeat has found it out."""
    game.cutter.tell("swallow")
    if seconds:
        game.hold(seconds)
    else:
        game.until("all notice", lambda ends: ends[0]["lost"] == game.count, [game.players])
    game.cutter.tell("reset")
    game.back()


def ip(namespace, *words):
    subprocess.run(["ip", "-n", namespace, *words], check=True)


def cable(game, seconds):
    ip(game.namespaces[0], "link", "set", "va", "down")
    game.hold(seconds)
    ip(game.namespaces[0], "link", "set", "va", "up")
    game.back()


def address(game, hint):
    ip(game.namespaces[1], "addr", "del", f"{OLD_ADDRESS}/24", "dev", "vb")
    ip(game.namespaces[1], "addr", "add", f"{NEW_ADDRESS}/24", "dev", "vb")
    if hint:
        game.players.tell("hint")
    game.back()


@dataclasses.dataclass
class Fault:
    name: str
    what: object
    # Whether each player must lose its link: not where TCP bridges the gap.
    must_lose: bool = True
    proxy: bool = False
    wired: bool = False
    heartbeat_ms: int = 0


def faults(long):
    # The short form finds dead links sooner than the default of a session does, 15 s.
    heartbeat_ms = 0 if long else 1000
    yield Fault("server stopped for 2 s", lambda game: stop(game, 2), must_lose=False)
    yield Fault("proxy killed twice", cut, proxy=True)
    if long:
        yield Fault("server stopped for 20 s", lambda game: stop(game, 20))
        yield Fault("half-open until found out", lambda game: half_open(game, None), proxy=True)
    else:
        yield Fault("half-open for 1 s", lambda game: half_open(game, 1), proxy=True)
    yield Fault("cable pulled for 3 s", lambda game: cable(game, 3), must_lose=False, wired=True)
    if long:
        yield Fault("cable pulled for 20 s", lambda game: cable(game, 20), wired=True)
    yield Fault("address changed, with a hint", lambda game: address(game, True), wired=True)
    yield Fault("address changed", lambda game: address(game, False), wired=True, heartbeat_ms=heartbeat_ms)


def run(fault, players, namespaces):
    """Returns the fault's row of the table, or None when it failed."""
    if fault.wired:
        subprocess.run(["ip", "-n", namespaces[1], "addr", "flush", "dev", "vb"], check=True)
        ip(namespaces[1], "addr", "add", f"{OLD_ADDRESS}/24", "dev", "vb")
    game = None
    try:
        game = Game(players, fault.heartbeat_ms, fault.proxy, namespaces if fault.wired else None)
        fault.what(game)
        measured = game.finish()
        measured.judge(fault.name, fault.must_lose)
        return measured.figure(fault.name)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        check(False, f"{fault.name}: {error}")
    finally:
        if game:
            game.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--namespaces", nargs=2)
    parser.add_argument("filter", nargs="?", default="")
    arguments = parser.parse_args()
    players = 1000 if arguments.long else 60
    chosen = [
        fault
        for fault in faults(arguments.long)
        if arguments.filter in fault.name and (arguments.namespaces or not fault.wired)
    ]
    # Those of the proxy run beside those of the cable, but not where they would share the time of two processors.
    groups = [chosen] if arguments.long else [[f for f in chosen if f.wired], [f for f in chosen if not f.wired]]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        rows = pool.map(lambda group: [run(fault, players, arguments.namespaces) for fault in group], groups)
        rows = [row for group in rows for row in group if row]
    if arguments.long:
        rows = [
            "| fault | Hz | links lost | LOST to RESUMED, s | fault's end to RESUMED, s |"
            " fault's end to the next message, s | the server's memory, MB |"
            " for each lost player, server + player, kB | not acknowledged, server + players, MiB |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
            *rows,
        ]
        (ROOT / "build" / "players.md").write_text("\n".join(rows) + "\n")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
