#!/usr/bin/env python3
"""Checks how the guard and the goals of benches/ judge, with invented counts."""
import contextlib
import io
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "benches"))
sys.dont_write_bytecode = True

import guard  # noqa: E402
from bench import goals  # noqa: E402

HERE = {"rustc": "1.0.0", "processor": f"{guard.platform.machine()} avx2", "libc": "glibc 1"}
guard.tools = lambda: HERE
failed = 0


def check(good, what):
    global failed
    failed += not good
    print(f"{'ok' if good else 'not ok'} - benches: {what}")


def judged(record, made_with=HERE, **counts):
    """How many scenarios the guard fails, and what it prints."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        record = {"x": {count: {"most": most} for count, most in record.items()}}
        return guard.judge({"x": counts}, record, made_with), text.getvalue()


def guard_judges():
    check(judged({"instructions": 100}, instructions=102)[0] == 0, "2 % over a record passes")
    check(judged({"instructions": 100}, instructions=102.1)[0] == 1, "more fails")
    check(judged({"allocations": 0}, allocations=0.001)[0] == 1, "one allocation where the record has none fails")
    check(judged({}, allocations=0)[0] == 1, "a count without a record fails")
    check("--record" in judged({"instructions": 100}, instructions=97)[1], "a gain is noted")
    for name, other in (("rustc", "1.1.0"), ("libc", "glibc 2"), ("processor", guard.platform.machine())):
        made_with = HERE | {name: other}
        check(judged({"instructions": 100}, made_with, instructions=114)[0] == 0, f"another {name}: instructions 14 %")
        check(judged({"instructions": 100}, made_with, instructions=116)[0] == 1, f"another {name}: not 16 %")
        check(judged({"bytes_written": 100}, made_with, bytes_written=103)[0] == 1, f"another {name}: bytes not 3 %")
    made_with = HERE | {"processor": "another"}
    check(judged({"instructions": 100}, made_with, instructions=999)[0] == 0, "another architecture: any instructions")


def guard_records():
    record = {"x": {"instructions": {"most": 100, "when": "then", "why": "before"}}}
    with contextlib.redirect_stdout(io.StringIO()):
        guard.update(record, {"x": {"instructions": 100.1, "allocations": 1}}, "now")
    check(record["x"]["instructions"]["why"] == "before", "a record that still holds keeps its reason")
    check(record["x"]["allocations"]["why"] == "now", "a changed one has the new reason")


def result(over=None):
    """A measurement in which wspeer reaches every goal, except `over`."""
    runs, counts = {}, {}
    for goal in goals.GOALS:
        value = goal.most * (1.01 if goal is over else 1)
        if goal.scenario:
            rounds = [(1, value), (2, 2 * value), (1, 9 * value)]
            runs[goal.scenario] = {goal.base: [{"cpu_ns": base} for base, _ in rounds]}
            runs[goal.scenario]["wspeer"] = [{"cpu_ns": own} for _, own in rounds]
        for scenario, count in goal.counts:
            counts.setdefault(scenario, {})[count] = 0
    for scenario, count in over.counts[-1:] if over else ():
        counts[scenario][count] = over.most * 1.01
    return {"runs": runs, "counts": counts}


def goals_judge():
    check(goals.report(result())[1], "goals: all reached")
    for over in goals.GOALS:
        text, reached = goals.report(result(over))
        check(not reached and text.count("| no |") == 1, f"goals: missed: {over.about}")
    unmeasured = result()
    del unmeasured["runs"][goals.GOALS[0].scenario]
    check(not goals.report(unmeasured)[1], "goals: what was not measured is not reached")


guard_judges()
guard_records()
goals_judge()
sys.exit(1 if failed else 0)
