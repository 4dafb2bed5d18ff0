"""wspeer diagnose, bench, completions and man."""

import json
import re
import shutil
import subprocess
import time

from harness import ROOT, WSPEER, InTerminal, Node, Peer, Program, echo, run, until

WORK = ROOT / "build" / "tests" / "cli"


def test_diagnose_what_works():
    with Peer(echo) as peer:
        code, out, err = run("diagnose", "-H", "Cookie: secret", peer.url + "/room?token=secret")
        assert (code, err) == (0, "") and b"\nEverything works" in out and b"secret" not in out, (code, out, err)
        assert re.search(rb"\n +\d+\.\d ms   tcp       127.0.0.1:\d+ accepted", out), out
        assert b"\x1b" not in out
        code, out, err = run("diagnose", "--json", peer.url)
        steps = [json.loads(line) for line in out.splitlines()]
        assert code == 0 and all(step["ok"] for step in steps) and "Everything works" in steps[-1]["advice"]
        assert {"dns", "tcp", "http", "websocket"} <= {step["phase"] for step in steps}
        with InTerminal("diagnose", peer.url) as program:
            assert program.wait() == 0
            assert b"\x1b[32mEverything works" in program.out


def test_diagnose_what_does_not():
    code, out, err = run("diagnose", "ws://127.0.0.1:1/")
    assert (code, err) == (1, "") and b"! tcp " in out and b"nothing listens there" in out, (code, out)
    code, out, _ = run("diagnose", "--json", "ws://127.0.0.1:1/")
    last = json.loads(out.splitlines()[-1])
    assert code == 1 and (last["ok"], last["cause"], last["phase"]) == (False, "refused", "tcp"), last
    with InTerminal("diagnose", "ws://127.0.0.1:1/") as program:
        assert program.wait() == 1
        assert b"\x1b[31m!" in program.out


def test_bench_counts_round_trips():
    with Node() as node:
        code, out, err = run("bench", "-d", "60", "-n", "300", "-c", "3", "--size", "100", "--json", node.url)
        figures = json.loads(out)
        assert (code, err) == (0, "") and figures["round_trips"] == 300 and figures["unexpected"] == 0, (code, out, err)
        assert 0 < figures["p50_us"] <= figures["p99_us"] <= figures["max_us"] * 1.04, figures
        for more in (["--text"], ["-i", "16"], ["--rate", "1000"], ["--deflate", "-s", "100k"]):
            code, out, err = run("bench", "-d", "60", "-n", "64", *more, node.url)
            assert (code, err) == (0, "") and out.startswith(b"64 round trips of "), (more, code, out, err)
            assert b"round trips/s" in out and b"p99.9 " in out and b"\r" not in out and b"\x1b" not in out
            rows = re.findall(rb"\n +[\d.]+ [nums]+ #+ +(\d+)", out)
            assert sum(map(int, rows)) == 64, out


def test_bench_counts_what_came_back_in_time():
    def slow(connection):
        for message in connection:
            # No more than 50 a second.
            time.sleep(0.02)
            connection.send(message)

    with Peer(slow) as peer:
        code, out, err = run("bench", "-d", "1", "-i", "64", "--json", peer.url)
        figures = json.loads(out)
        assert (code, err) == (0, "") and 0 < figures["round_trips_per_s"] <= 51, figures
        assert figures["round_trips"] > figures["round_trips_per_s"] * figures["seconds"], figures


def test_bench_takes_only_what_it_sent():
    def other(connection):
        for message in connection:
            connection.send(message, text=True)

    with Peer(other) as peer:
        code, out, err = run("bench", "-d", "0.1", peer.url)
        assert code == 1 and "no message came back" in err, (code, out, err)


def test_bench_shows_progress_on_a_terminal():
    with Peer(echo) as peer, InTerminal("bench", "--duration", "0.5", peer.url) as program:
        assert program.wait() == 0
        shown = program.out.split(b"\r\x1b[K")
        assert re.match(rb"\[#+-+\] \d+ round trips/s, p50 ", shown[2]), shown[:3]
        assert b"[" not in shown[-1].split(b"round trips of")[0] and b"max \x1b[1m" in shown[-1], shown[-1]


def test_bench_needs_an_echo():
    def mute(connection):
        connection.send("welcome")
        for _ in connection:
            pass

    with Peer(mute) as peer:
        code, _, err = run("bench", "--duration", "0.05", peer.url)
        assert code == 1 and "no message came back" in err and "1 other messages came" in err, (code, err)
    code, out, err = run("bench", "-c", "3", "ws://127.0.0.1:1/")
    assert (code, out) == (1, b"") and err.count("nothing listens there") == 1, (code, err)
    with Peer(echo) as peer, Program("bench", "--duration", "1000", "--size", "1", peer.url) as program:
        # It prints what it has measured so far.
        until(lambda: program.switches() > 100, "being busy", program)
        assert program.stop() == 130
    assert b"round trips of 1 bytes" in program.out


def test_completions():
    for shell, part in (("bash", b"_wspeer"), ("zsh", b"#compdef wspeer"), ("fish", b"complete -c wspeer")):
        code, out, err = run("completions", shell)
        assert (code, err) == (0, "") and part in out and b"--close-code" in out.replace(b"-l ", b"--"), (shell, err)
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=out, check=True)
    script = (
        run("completions", "bash")[1]
        + b'\nCOMP_WORDS=(wspeer di); COMP_CWORD=1; _wspeer wspeer di wspeer; echo "${COMPREPLY[@]}"'
    )
    said = subprocess.run(["bash", "--norc"], input=script, capture_output=True, timeout=60)
    assert said.stdout == b"diagnose\n", said
    assert run("completions", "tcl")[0] == 2


def test_the_manual():
    code, page, err = run("man")
    assert (code, err) == (0, "") and b".TH wspeer 1" in page and b"Exit codes:" in page and b"130" in page
    shutil.rmtree(WORK / "man", ignore_errors=True)
    assert run("man", "--dir", str(WORK / "man"))[0] == 0
    pages = sorted(path.name for path in (WORK / "man").iterdir())
    assert [f"wspeer-{name}.1" for name in ("bench", "cat", "diagnose", "serve", "sim")] == [
        name for name in pages if name.split("-")[-1] in ("bench.1", "cat.1", "diagnose.1", "serve.1", "sim.1")
    ], pages
    assert "close\\-code" in (WORK / "man" / "wspeer-cat.1").read_text()
    code, out, _ = run("--help")
    assert code == 0 and b"Exit codes:" in out and b"completions" in out
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    assert run("--version") == (0, f"wspeer {version}\n".encode(), "")


def test_the_page_about_it_names_what_there_is():
    page = (ROOT / "docs/cli.md").read_text()
    helps = {name: run(name, "--help")[1].decode() for name in ("cat", "serve", "diagnose", "bench", "sim")}
    lines = re.findall(r"^(?:echo .*\| )?wspeer (\w+) ([^#\n]*)", page, re.M)
    assert len(lines) > 10, lines
    for name, arguments in lines:
        for option in re.findall(r"(?<!\S)(--[a-z-]+|-[a-zA-Z])\b", arguments):
            assert re.search(rf"{option}\b", helps[name]), (name, option)
    everything = "".join(helps.values()) + "--path"
    missing = [option for option in re.findall(r"`(--[a-z-]+)", page) if option not in everything]
    assert not missing, missing


def test_its_output_may_be_cut_off():
    shell = f"{WSPEER} man | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
    said = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
    assert said.stdout.strip() in ("0", "141") and said.stderr == "", said
