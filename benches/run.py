#!/usr/bin/env python3
"""Measures wspeer and other WebSocket libraries. Writes results.json, benchmarks.md and benchmarks.svg into
build/bench, and with --docs the last two into docs. With --goals it measures only what bench/goals.py has goals for,
prints a table of them, and fails when wspeer misses one.

Within a round the contestants take turns in every scenario, and the order rotates from round to round; ratios are taken
within a round."""
import argparse
import json
import os
import pathlib
import sys
import time

from bench import goals, measure, report, tables
from bench.plan import CONTESTANTS, SCENARIOS


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="default 7, of --goals 5")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each run (default 1)")
    parser.add_argument(
        "--scenarios", default="", help=f"with commas; W1c- and the like: all that begin so: {', '.join(SCENARIOS)}"
    )
    parser.add_argument("--contestants", default="", help=f"with commas: {', '.join(CONTESTANTS)}")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, to see that everything runs; no figure to quote"
    )
    parser.add_argument("--goals", action="store_true", help="compare wspeer with its goals; writes goals.json")
    parser.add_argument("--out", help="name of the JSON file in build/bench (default results, or goals)")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md and docs/benchmarks.svg too")
    parser.add_argument("--again", metavar="FILE", help="measure nothing, write from this result")
    return parser.parse_args()


def chosen(table, text):
    words = [word for word in text.split(",") if word]
    names = [
        name
        for name in table
        if not words or name in words or any(name.startswith(word) for word in words if word.endswith("-"))
    ]
    unknown = [
        word
        for word in words
        if word not in table and not any(name.startswith(word) for name in names if word.endswith("-"))
    ]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(table)}")
    return [table[name] for name in names]


def measured(contestant, scenario, seconds):
    try:
        return measure.run(contestant, scenario, seconds)
    except measure.Broken as error:
        print(f"  {scenario.name} {contestant.name}: {error}", file=sys.stderr, flush=True)
        return {"error": str(error)}


def measure_all(options):
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for the contestant, one for the far end")
    scenarios = chosen(SCENARIOS, options.scenarios) if options.scenarios or not options.goals else goals.scenarios()
    contestants = chosen(CONTESTANTS, options.contestants or (",".join(goals.CONTESTANTS) if options.goals else ""))
    path = measure.OUT / f"{options.out}.json"
    result = {
        "machine": report.machine(),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "quick": options.quick,
        "runs": {},
    }
    began = time.monotonic()
    for number in range(options.rounds):
        for scenario in scenarios:
            if number >= scenario.rounds:
                continue
            able = [c for c in contestants if scenario.takes(c)]
            turn = number % len(able) if able else 0
            for contestant in able[turn:] + able[:turn]:
                rows = result["runs"].setdefault(scenario.name, {}).setdefault(contestant.name, [])
                rows.append(measured(contestant, scenario, options.seconds))
            path.write_text(json.dumps(result, indent=1))
        print(
            f"round {number + 1} of {options.rounds} done after {time.monotonic() - began:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return result


def compare_with_goals(result, options):
    if "counts" not in result:
        result["counts"] = goals.counted()
        (measure.OUT / f"{options.out}.json").write_text(json.dumps(result, indent=1))
    text, reached = goals.report(result)
    print("CPU time relative to raw TCP in the same round, unless a row says otherwise:\n")
    print(text)
    failed = tables.failures(result["runs"])
    print(failed, end="\n" if failed else "")
    return 0 if reached and not failed else 1


def main():
    options = arguments()
    options.rounds = options.rounds or (5 if options.goals else 7)
    options.out = options.out or ("goals" if options.goals else "results")
    if options.quick:
        options.rounds, options.seconds = 1, 0.3
    result = json.loads(pathlib.Path(options.again).read_text()) if options.again else measure_all(options)
    if options.goals:
        return compare_with_goals(result, options)
    print(tables.everything(result["runs"]))
    for folder in [measure.OUT, *([measure.ROOT / "docs"] if options.docs else [])]:
        report.write(result, folder)
        print(f"written: {(folder / 'benchmarks.md').relative_to(measure.ROOT)} and .svg")
    return 1 if tables.failures(result["runs"]) else 0


if __name__ == "__main__":
    sys.exit(main())
