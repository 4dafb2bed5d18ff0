"""Medians and ratios of the runs in results.json."""
from statistics import median


def values(runs, name, key):
    return [row.get(key) for row in runs.get(name, [])]


def middle(runs, name, key):
    found = [value for value in values(runs, name, key) if value is not None]
    return median(found) if found else None


def ratio(runs, name, base, key="cpu_ns"):
    """The median over the rounds of the contestant's value divided by the base's in the same round."""
    pairs = zip(values(runs, name, key), values(runs, base, key))
    found = [a / b for a, b in pairs if a is not None and b]
    return median(found) if found else None


def rate(runs, name):
    found = [
        row["messages"] / row["wall_ns"] * 1e9
        for row in runs.get(name, [])
        if row.get("wall_ns") and row.get("messages")
    ]
    return median(found) if found else None


def calls(runs, name):
    """The sum of the histograms of all rounds: (calls, longest in ns, counts by powers of two)."""
    rows = [row for row in runs.get(name, []) if "calls" in row]
    if not rows:
        return None
    buckets = [sum(column) for column in zip(*(row["below_2_to"] for row in rows))]
    return sum(row["calls"] for row in rows), max(row["longest_ns"] for row in rows), buckets
