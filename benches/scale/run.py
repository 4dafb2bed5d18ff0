#!/usr/bin/env python3
"""Measures what thousands of connections cost a server on this machine, and checks that no cost for each connection
grows with their number.
  run.py             1,000, 5,000 and 15,000 connections, wspeer and others; writes results.json, and docs/scale.md and
                     its plots by report.py
  run.py --short     500, 1,000 and 2,000 connections, only wspeer, ten seconds; part of `make test`
  --rounds N         rounds of the long form (default 3)
  --only NAME,...    these contestants only, and nothing else is kept
  --topics           only the part about topics, added to the results that are there"""
import argparse
import datetime
import json
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

import measure
from measure import Broken, Plan, can_open, contestants, files_needed

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
SIZES, SHORT_SIZES = (1_000, 5_000, 15_000), (500, 1_000, 2_000)
LONG = Plan(frame_seconds=3, rested=2, repeated=5, settle_s=1)
SHORT = Plan(frame_seconds=0.5, rested=0, repeated=5, settle_s=0.5, active=(10,))
# A cost for each connection may grow by this factor from the smallest number of connections to the largest: caches
# explain some growth, which raw TCP shows too. A cost that grows with the number of connections would grow fifteenfold,
# and fourfold in the short form.
MOST_GROWTH, MOST_GROWTH_SHORT = 2.0, 1.5
MOST_MEMORY_GROWTH = 1.25
# A cost that must not depend on the number of connections, such as that of an idle poll, may differ by this.
NOISE_NS = 400

# Name, path in the results, whether it is memory.
COSTS = (
    ("memory of an idle connection", ("resident",), True),
    ("CPU of an accept", ("accept_us",), False),
    ("CPU of a message of 1 % of the clients", ("active_1", "message_us"), False),
    ("CPU of a message of 10 % of the clients", ("active_10", "message_us"), False),
    ("CPU of a broadcast, for each client", ("broadcast", "message_us"), False),
    ("CPU of a publish, for each client", ("publish", "message_us"), False),
)
failures = 0


def check(good, what):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - scale: {what}", flush=True)


def value(rows, path, middle=statistics.median):
    """The median of the rounds; None: not measured."""
    values = []
    for row in rows:
        for key in path:
            row = row.get(key) if row else None
        if row is not None:
            values.append(row)
    return middle(values) if values else None


def judge(name, sizes, results, middle, most_growth):
    """Compares the costs with few and with many connections. Yields for each cost whether it is good, and a line."""
    for what, path, is_memory in COSTS:
        costs = [value(results[name][size], path, middle) for size in sizes]
        if None in costs:
            continue
        grown, most = costs[-1] / costs[0], MOST_MEMORY_GROWTH if is_memory else most_growth
        raw = [value(results["raw"][size], path) for size in sizes] if "raw" in results and not is_memory else []
        beside = f"; raw TCP {raw[-1] / raw[0]:.2f}" if raw and None not in raw else ""
        unit, digits = ("B", 0) if is_memory else ("us", 2)
        yield (
            grown <= most,
            f"{name}: {what} grows by at most {most} from {sizes[0]:,} to {sizes[-1]:,}: "
            f"{' / '.join(f'{cost:,.{digits}f}' for cost in costs)} {unit}, {grown:.2f}{beside}",
        )
    polls = [value(results[name][size], ("poll_ns",), middle) for size in sizes]
    if None not in polls:
        yield (
            polls[-1] <= polls[0] * 1.25 + NOISE_NS,
            f"{name}: an idle poll does not depend on the number of clients: "
            f"{' / '.join(f'{poll:.0f}' for poll in polls)} ns",
        )


def run(names, sizes, rounds, plan, results, part="all", save=lambda: None):
    """Adds the rows of each round: results[name][size] is a list of them. Part "topics": adds to the rows."""
    known = contestants()
    for number in range(rounds):
        for size in sizes:
            for name in names:
                if size > known[name].most:
                    continue
                began = time.monotonic()
                try:
                    row = {} if part == "topics" else measure.measure(known[name], size, plan)
                    if (name, size, part) == ("wspeer", SIZES[-1], "all"):
                        row["pings"] = measure.measure_pings(size, plan)
                    if known[name].publishes:
                        row["publish"] = measure.measure_topics(known[name], size, plan)
                except Broken as error:
                    check(False, f"{name}, {size:,} connections: {error}")
                    continue
                row["load"] = float(pathlib.Path("/proc/loadavg").read_text().split()[0])
                rows = results.setdefault(name, {}).setdefault(size, [])
                if part == "topics":
                    rows[number]["publish"] = row["publish"]
                else:
                    rows.append(row)
                save()
                print(
                    f"round {number + 1}: {name}, {size:,}: {time.monotonic() - began:.0f} s, load {row['load']}",
                    file=sys.stderr,
                )


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", pathlib.Path("/proc/cpuinfo").read_text(), re.M))
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) / 2**20
    return {
        "cpu": cpu.group(1) if cpu else platform.processor(),
        "cores": cores,
        "memory_gib": round(memory),
        "wspeer": subprocess.check_output(
            ["git", "-C", HERE, "rev-parse", "--short", "HEAD"], text=True, stderr=subprocess.DEVNULL
        ).strip(),
        "kernel": platform.release().split("-")[0],
    }


def load_results():
    stored = json.loads(RESULTS.read_text())["results"]
    return {name: {int(size): rows for size, rows in sizes.items()} for name, sizes in stored.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--topics", action="store_true")
    arguments = parser.parse_args()
    sizes = SHORT_SIZES if arguments.short else SIZES
    if not can_open(sizes[-1]):
        sys.exit(f"{sizes[-1]:,} connections need a hard limit of {files_needed(sizes[-1]):,} descriptors (ulimit -Hn)")
    if arguments.short:
        check_short()
    else:
        check_long(arguments, [name for name in arguments.only.split(",") if name])
    sys.exit(1 if failures else 0)


def check_short():
    """Other work on the machine only adds to a cost, so the best of up to three rounds counts."""
    results = {}
    for _ in range(3):
        run(["wspeer"], SHORT_SIZES, 1, SHORT, results)
        if failures:
            return
        lines = list(judge("wspeer", SHORT_SIZES, results, min, MOST_GROWTH_SHORT))
        if all(good for good, _ in lines):
            break
    for good, line in lines:
        check(good, line)
    print_figures(results["wspeer"][SHORT_SIZES[-1]])


def print_figures(rows):
    costs = [
        f"{what} {value(rows, path, min):.1f} us"
        for what, path, is_memory in COSTS
        if not is_memory and value(rows, path, min) is not None
    ]
    print(
        f"figure: scale: {SHORT_SIZES[-1]:,} connections: {value(rows, ('resident',), min):,.0f} B each, "
        f"{', '.join(costs)}, an idle poll {value(rows, ('poll_ns',), min):.0f} ns"
    )


def check_long(arguments, names):
    results = load_results() if arguments.topics else {}
    names = names or [name for name, row in contestants().items() if row.publishes or not arguments.topics]
    head = {"date": f"{datetime.date.today()}", "command": "make scale", "machine": machine()}
    head["rounds"] = arguments.rounds
    part = "topics" if arguments.topics else "all"
    run(names, SIZES, arguments.rounds, LONG, results, part, lambda: save(head, results))
    for name in results:
        if name.startswith("wspeer") and SIZES[-1] in results[name]:
            for good, line in judge(name, SIZES, results, statistics.median, MOST_GROWTH):
                check(good, line)


def save(head, results):
    """One line for each row, with four digits of each number."""
    blocks = []
    for name, sizes in results.items():
        rows = [
            f'  "{size}": [\n' + ",\n".join(f"   {json.dumps(rounded(row))}" for row in rows) + "\n  ]"
            for size, rows in sizes.items()
        ]
        blocks.append(f' "{name}": {{\n' + ",\n".join(rows) + "\n }")
    lines = json.dumps(head, indent=1)[:-2]
    RESULTS.write_text(lines + ',\n "results": {\n' + ",\n".join(blocks) + "\n}}\n")


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
