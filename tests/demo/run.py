#!/usr/bin/env python3
"""The demo in a pipe and in a terminal, its page in Chromium, and its players in Python and Godot.
Usage: run.py [PART]"""

import pathlib
import re
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree

from websockets.sync.client import connect

from picture import animated
from terminal import ENTER, RESTORED, Terminal, frames, plain

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "demo-tests"
PYTHON = str(ROOT / "build" / "venv" / "bin" / "python")
DEMO, RUN = str(ROOT / "build" / "demo"), str(ROOT / "examples" / "dots" / "run.sh")
GOOD = "nothing was lost, doubled or reordered, and every close was clean"
BAD = "SOMETHING IS MISSING"
# A row of the report.
ROW = re.compile(r"^(\w+) +(\d+)/(\d+) +(\d+)/(\d+) +(?:(\d+) +(\d+) +\d+ ms|no session: link not cut)$", re.M)
# What the players in Python and Godot print.
SAYS = r" says: (\d+) moves sent, (\d+) fields seen, 0 out of order; (\d+) links lost, (\d+) sessions resumed; closed"
failures = 0


def check(good, what, details=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - demo: {what}", flush=True)
    if not good:
        print("\n".join(f"# {line}" for line in str(details).splitlines()), flush=True)


class Demo:
    """The demo in a pipe. A thread reads what it prints."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [DEMO, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.text = ""
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        (self.port,) = self.wait_for(r"^open http://localhost:(\d+)/ to play").groups()

    def wait_for(self, pattern):
        with self.news:
            if not self.news.wait_for(lambda: re.search(pattern, self.text, re.M), 60):
                raise SystemExit(f"not ok - demo: no {pattern} in\n{self.text}")
            return re.search(pattern, self.text, re.M)

    def end(self):
        """Ctrl-C. Returns the exit code, and all that was printed."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        code = self.process.wait(90)
        self.reader.join()
        return code, self.text + self.process.stderr.read().decode()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.text += line.decode()
                self.news.notify_all()


def rows(text):
    """The report: for each player the numbers of its row, without those that it lacks."""
    return {row[0]: [int(number) for number in row[1:] if number] for row in ROW.findall(text)}


def whole(row):
    """Whether everything arrived, something was sent, and each link that was cut was replaced."""
    return row[0] == row[1] > 0 and row[2] == row[3] > 0 and (len(row) == 4 or row[4] == row[5] > 0)


def part_pipe():
    code, text = Demo("--seconds", "5", "--bots", "4").wait()
    lines = text.splitlines()
    check(code == 0 and lines[-1] == GOOD, "pipe: it ends by itself, and nothing is missing", text)
    check("\x1b" not in text, "pipe: it writes plain lines", text)
    check(re.match(r"hosting wss://localhost:\d+/? for 4 players in C$", lines[0]), "pipe: the bots use wss://", text)
    found = rows(text)
    check(
        sorted(found) == ["C1", "C2", "C3", "C4"] and all(map(whole, found.values())),
        "pipe: every link was cut, every session resumed, and all arrived",
        text,
    )
    second = r"^ *\d+ s: 4 players, \d+ fields, \d+ links cut, \d+ resumed$"
    check(len(re.findall(second, text, re.M)) >= 3, "pipe: a line of figures each second", text)
    total = re.search(r"^\d+ frames; (\d+) moves sent, (\d+) received; (\d+) fields sent, (\d+) seen$", text, re.M)
    sums = [sum(row[i] for row in found.values()) for i in (1, 0, 3, 2)]
    check(total and [int(number) for number in total.groups()] == sums, "pipe: the sums are those of the rows", text)
    cuts = re.search(
        r"^(\d+) links were cut, (\d+) sessions resumed; \d+ messages were sent again; longest", text, re.M
    )
    check(cuts and int(cuts[1]) == int(cuts[2]) >= 4, "pipe: the links that were cut are counted", text)


def part_terminal():
    terminal = Terminal([DEMO, "--seconds", "5", "--note", "a note"])
    code = terminal.wait()
    drawn = frames(terminal.text)
    shown = "\n".join("\n".join(plain(frame)) for frame in drawn)
    # Lines that wrap or scroll would tear the picture.
    check(
        code == 0 and len(drawn) > 20 and all(len(frame) == len(drawn[0]) <= 24 for frame in drawn),
        f"terminal: it draws {len(drawn)} pictures of the same height",
        terminal.text[-3000:],
    )
    widths = {len(row) for frame in drawn for row in frame}
    check(max(widths, default=99) <= 80, "terminal: no line is wider than 80 columns", widths)
    dots = [
        sum(row[:52].count("●") + row[:52].count("○") + row[:52].count("◉") for row in plain(frame)[1:19])
        for frame in drawn
    ]
    check(3 in dots, "terminal: the dots of three players", dots)
    signs = [sign for sign in ("link cut 0.", "resumed", "s left", "a note", "C1", "· ") if sign not in shown]
    check(not signs, "terminal: a link that is cut, one that is back, names, time and note are shown", signs)
    svg = xml.etree.ElementTree.fromstring(animated(drawn))
    words = {one.text for one in svg.iter("{http://www.w3.org/2000/svg}text")}
    rings = [one for one in svg.iter("{http://www.w3.org/2000/svg}circle") if one.get("class") == "o d"]
    check({"C1", "C2", "C3", "cut"} <= words and len(rings) > 1, "terminal: make demo-picture can draw it", words)
    after = terminal.text.rpartition("\x1b[?1049l")[2].replace("\r\n", "\n")
    check(
        after.strip().endswith(GOOD) and "\x1b" not in after and all(map(whole, rows(after).values())) and rows(after),
        "terminal: the report stands on the usual screen",
        after,
    )
    check(all(code in terminal.text for code in RESTORED), "terminal: the terminal is given back")

    terminal = Terminal([DEMO, "--seconds", "0"])
    good = terminal.read_until(lambda text: len(frames(text)) > 20)
    terminal.type("\x03")
    code = terminal.wait()
    after = terminal.text.rpartition("\x1b[?1049l")[2]
    restored = all(code in terminal.text for code in RESTORED)
    check(
        good and code == 0 and restored and after.strip().endswith(GOOD),
        "terminal: Ctrl-C ends it cleanly, with a report",
        f"ended with {code}\n{after}",
    )

    terminal = Terminal(["env", "TERM=dumb", DEMO, "--seconds", "1"])
    check(terminal.wait() == 0 and "\x1b" not in terminal.text, "terminal: a dumb one gets plain lines", terminal.text)


def part_truth():
    """The exit code when something is missing."""
    demo = Demo("--seconds", "0")
    with connect(f"ws://localhost:{demo.port}/liar!") as liar:
        check(liar.recv(30) == "you liar", "truth: a name has only letters and digits")
        for wild in ("at 0 9999 9999", "at 1 9999", "at", "\0", "field 1", "at 1 -999 1", "x" * 100_000):
            liar.send(wild)
        liar.send("at 2 1 1")
        liar.send("at 4 1 1")
        demo.wait_for("liar has joined")
        demo.process.send_signal(signal.SIGINT)
        while liar.recv(30) != "over":
            pass
        liar.send("bye 5 1 0")
        code, text = demo.wait()
    check(
        code == 1 and text.count(BAD) == 1 and "liar: 4 of 5 moves, 1 of " in text,
        "truth: it fails when a move is missing",
        f"ended with {code}\n{text}",
    )
    demo = Demo("--seconds", "0", "--expect", "1")
    demo.wait_for("C3 has joined")
    code, text = demo.end()
    check(
        code == 1 and BAD in text and "1 of 1 expected players did not join" in text,
        "truth: it fails when a player that was expected did not join",
        f"ended with {code}\n{text}",
    )


def part_page():
    demo = Demo("--seconds", "0")
    url = f"http://localhost:{demo.port}/"
    page = subprocess.Popen(
        ["node", "tests/demo/page.js", url, str(WORK / "page")], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    )
    last, is_over = "", False
    for line in page.stdout:
        if line == "ready\n":
            is_over = True
            demo.process.send_signal(signal.SIGINT)
        elif line.startswith(("ok", "not ok")):
            check(line.startswith("ok"), line.partition("demo: ")[2].strip(), line)
        else:
            last = line
    # A second signal would end it at once.
    code, text = demo.wait() if is_over else demo.end()
    check(page.wait() == 0 and code == 0 and GOOD in text, "page: the game ends well", f"ended with {code}\n{text}")
    row = rows(text).get("Ada", [])
    check(
        len(row) == 4
        and whole(row)
        and last.strip() == f"The game is over: {row[1]} moves sent, {row[2]} fields seen, 0 out of order.",
        "page: it reports what the server counted",
        f"{last}\n{row}",
    )


def part_players():
    def run(*arguments, **environment):
        return subprocess.run(
            [
                "env",
                f"PYTHON={PYTHON}",
                f"DOTS_WORK={WORK}/dots",
                *(f"{name}={value}" for name, value in environment.items()),
                RUN,
                *arguments,
            ],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            timeout=200,
        )

    done = run("--seconds", "5")
    text = done.stdout + done.stderr
    check(done.returncode == 0 and GOOD in text, "players: all join, and nothing is missing", text)
    found = rows(text)
    for name in ("Python", "Godot", "browser"):
        check(whole(found.get(name, [0] * 6)), f"players: {name} plays, and all arrived", text)
    for name in ("Python", "Godot"):
        says = re.search(f"^{name.lower()}{SAYS}", text, re.M)
        row = found.get(name, [0] * 6)
        check(
            says and [int(number) for number in says.groups()] == [row[1], row[2], row[4], row[5]],
            f"players: {name} reports what the server counted",
            text,
        )
    done = run("--seconds", "1", PYTHON="none", GODOT="none", CHROMIUM="none")
    lacks = [f"{name} does not play: install " for name in ("Python", "Godot", "Browser")]
    check(
        done.returncode == 0 and GOOD in done.stdout and all(line in done.stdout for line in lacks),
        "players: C alone is enough, and it says how to get the others",
        done.stdout + done.stderr,
    )

    # Ctrl-C reaches all of them.
    terminal = Terminal(
        [RUN, "--seconds", "0"], PYTHON=PYTHON, GODOT="none", CHROMIUM="none", DOTS_WORK=str(WORK / "dots")
    )
    good = terminal.read_until(lambda text: "Python " in text.partition(ENTER)[2])
    terminal.type("\x03")
    code = terminal.wait()
    after = terminal.text.rpartition("\x1b[?1049l")[2].replace("\r\n", "\n")
    check(
        good and code == 0 and GOOD in after and re.search(f"^python{SAYS}", after, re.M),
        "players: after Ctrl-C all say goodbye, and the report stands on the usual screen",
        f"ended with {code}\n{after}",
    )


PARTS = {"pipe": part_pipe, "terminal": part_terminal, "truth": part_truth, "page": part_page, "players": part_players}


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, part in PARTS.items():
        if wanted in name:
            part()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
