#!/usr/bin/env python3
"""Measures wspeer beside its peers and writes build/bench/results.json, docs/benchmarks.md and docs/benchmarks.svg.

Within a round the contestants take turns in every scenario, and the order rotates from round to round; ratios are taken within a round."""
import argparse
import json
import os
import sys
import time

from bench import measure, report
from bench.plan import CONTESTANTS, SCENARIOS


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run (default 2)")
    parser.add_argument("--scenarios", default="", help=f"names or their beginnings, with commas: {', '.join(SCENARIOS)}")
    parser.add_argument("--contestants", default="", help=f"with commas: {', '.join(CONTESTANTS)}")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that everything runs; no figure to quote")
    parser.add_argument("--out", default="results", help="name of the JSON file in build/bench (default results)")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md and .svg from the result")
    return parser.parse_args()


def chosen(table, text):
    words = [word for word in text.split(",") if word]
    names = [name for name in table if not words or name in words or any(name.startswith(word) for word in words if word.endswith("-"))]
    unknown = [word for word in words if word not in table and not word.endswith("-")]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(table)}")
    return [table[name] for name in names]


def measured(contestant, scenario, seconds):
    try:
        return measure.run(contestant, scenario, seconds)
    except measure.Broken as error:
        print(f"  {scenario.name} {contestant.name}: {error}", file=sys.stderr, flush=True)
        return {"error": str(error)}


def main():
    options = arguments()
    if options.quick:
        options.rounds, options.seconds = 1, 0.3
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for the contestant, one for the far end")
    scenarios, contestants = chosen(SCENARIOS, options.scenarios), chosen(CONTESTANTS, options.contestants)
    path = measure.OUT / f"{options.out}.json"
    results = {"machine": report.machine(), "rounds": options.rounds, "seconds": options.seconds, "quick": options.quick, "runs": {}}
    began = time.monotonic()
    for number in range(options.rounds):
        for scenario in scenarios:
            if scenario.once and number > 0:
                continue
            able = [c for c in contestants if scenario.takes(c)]
            turn = number % len(able) if able else 0
            for contestant in able[turn:] + able[:turn]:
                rows = results["runs"].setdefault(scenario.name, {}).setdefault(contestant.name, [])
                rows.append(measured(contestant, scenario, options.seconds))
            path.write_text(json.dumps(results, indent=1))
        print(f"round {number + 1} of {options.rounds} done after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(report.tables(results))
    print(f"written: {path.relative_to(measure.ROOT)}")
    if options.docs:
        report.write_docs(results)


if __name__ == "__main__":
    main()
