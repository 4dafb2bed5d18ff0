"""From results to tables, docs/benchmarks.md and docs/benchmarks.svg."""
import platform
import re
import pathlib
from statistics import median

from .plan import CONTESTANTS, SCENARIOS


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu.group(1) if cpu else platform.machine(), "kernel": platform.release()}


def values(runs, name, key):
    return [row[key] if key in row else None for row in runs.get(name, [])]


def middle(runs, name, key):
    found = [value for value in values(runs, name, key) if value is not None]
    return median(found) if found else None


def ratio(runs, name, base, key):
    """The median over the rounds of this contestant divided by the base in the same round."""
    pairs = zip(values(runs, name, key), values(runs, base, key))
    found = [a / b for a, b in pairs if a is not None and b]
    return median(found) if found else None


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def rate(runs, name):
    found = [row["messages"] / row["wall_ns"] * 1e9 for row in runs.get(name, []) if row.get("wall_ns") and row.get("messages")]
    return median(found) if found else None


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1), *("| " + " | ".join(row) + " |" for row in rows)])


def cpu_table(scenario, runs):
    bases = [base for base in ("raw", "tung", "wslay") if base in runs]
    in_call = any("in_call_ns" in row for rows in runs.values() for row in rows)
    head = ["contestant", "msg/s", "CPU ns a message", *(["in calls"] if in_call else []), *(f"x {base}" for base in bases)]
    rows = []
    for name in CONTESTANTS:
        if name not in runs:
            continue
        cells = [name, number(rate(runs, name)), number(middle(runs, name, "cpu_ns")), *([number(middle(runs, name, "in_call_ns"))] if in_call else [])]
        rows.append(cells + [number(ratio(runs, name, base, "cpu_ns"), 2) for base in bases])
    return table(head, rows)


def counts_table(scenario, runs):
    head = ["contestant", "user instructions", "data system calls", "allocations"]
    return table(head, [[name, number(middle(runs, name, "instructions")), number(middle(runs, name, "system_calls"), 2), number(middle(runs, name, "allocations"), 2)] for name in CONTESTANTS if name in runs])


def tables(results):
    parts = []
    for name, scenario in SCENARIOS.items():
        if name in results["runs"]:
            make = {"counts": counts_table}.get(scenario.kind, cpu_table)
            parts.append(f"**{name}**: {scenario.about}\n\n{make(scenario, results['runs'][name])}\n")
    return "\n".join(parts)


def write_docs(results):
    raise NotImplementedError
