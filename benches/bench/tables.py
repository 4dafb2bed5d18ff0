"""The tables of the report, in Markdown."""
from .figures import calls, middle, rate, ratio
from .plan import CONTESTANTS, SCENARIOS

BASES = ("raw", "tung", "wslay")


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def table(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [head, *rows]]
    return "\n".join([lines[0], "|---|" + "--:|" * (len(head) - 1), *lines[1:], ""])


def named(runs):
    return [name for name in CONTESTANTS if name in runs]


def cost(runs):
    bases = [base for base in BASES if base in runs]
    in_call = any("in_call_ns" in row for rows in runs.values() for row in rows)
    idle = not any(row.get("messages") for rows in runs.values() for row in rows)
    head = ["contestant", *([] if idle else ["messages/s"]), f"CPU ns a {'poll' if idle else 'message'}"]
    head += [*(["in calls"] if in_call else []), *(f"× {base}" for base in bases)]
    rows = []
    for name in named(runs):
        row = [name, *([] if idle else [number(rate(runs, name))]), number(middle(runs, name, "cpu_ns"))]
        row += [number(middle(runs, name, "in_call_ns"))] if in_call else []
        rows.append(row + [number(ratio(runs, name, base), 2) for base in bases])
    return table(head, rows)


def counts(runs):
    keys = (("instructions", 0), ("system_calls", 2), ("allocations", 2))
    rows = [[name, *(number(middle(runs, name, key), digits) for key, digits in keys)] for name in named(runs)]
    return table(["contestant", "user instructions", "data system calls", "allocations"], rows)


def held(results, prefix):
    """Memory and idle polls, by the number of silent connections."""
    steps = {name.rsplit("-", 1)[1]: runs for name, runs in results.items() if name.startswith(prefix)}
    names = [name for name in CONTESTANTS if any(name in runs for runs in steps.values())]
    parts = []
    for title, key in (
        ("CPU ns of a poll with nothing to do", "idle_poll_ns"),
        ("Bytes of heap a connection, as the program asked for", "heap_after"),
        ("Bytes of resident memory a connection", "rss_after"),
    ):
        head = ["contestant", *(f"{int(step):,}" for step in steps)]
        rows = [[name, *(number(middle(runs, name, key)) for runs in steps.values())] for name in names]
        parts.append(f"{title}, by the number of connections:\n\n{table(head, rows)}")
    return "\n".join(parts)


def growth(results, prefix):
    steps = {name.rsplit("-", 1)[1]: runs for name, runs in results.items() if name.startswith(prefix)}
    names = [name for name in CONTESTANTS if any(name in runs for runs in steps.values())]
    key = "in_call_ns" if prefix == "queued-" else "cpu_ns"
    rows = [[name, *(number(middle(runs, name, key)) for runs in steps.values())] for name in names]
    return table(["contestant", *(f"{int(step):,}" for step in steps)], rows)


LIMITS = (13, 16, 18, 20, 21, 24)  # powers of two: 8 us to 17 ms


def histograms(results):
    head = [
        "contestant",
        "polls",
        *(f"< {2**limit / 1e6:.2g} ms" if limit >= 20 else f"< {2**limit // 1000} µs" for limit in LIMITS),
        "longest",
    ]
    rows = []
    for scenario, runs in results.items():
        for name in named(runs) if scenario.startswith("polls-") else []:
            found = calls(runs, name)
            if found:
                count, longest, buckets = found
                below = [f"{sum(buckets[: limit + 1]) / count:.2%}" for limit in LIMITS]
                title = f"{name}, {SCENARIOS[scenario].about.split(', ', 1)[1]}"
                rows.append([title, number(count), *below, f"{longest / 1e6:.2f} ms"])
    return table(head, rows)


def failures(results):
    lines = [
        f"- {scenario}, {name}: {row['error']}"
        for scenario, runs in results.items()
        for name, rows in runs.items()
        for row in rows
        if "error" in row
    ]
    return "\n".join(dict.fromkeys(lines))


GROUPS = (
    ("Client", ("W1c", "W1t", "W3ac", "W3bc", "W3at", "idle")),
    ("Client over TLS", ("wss-W1c", "wss-W3ac", "wss-W3bc")),
    ("Server", ("W1", "W1b", "W2", "W3a", "W3b", "W4")),
    ("Counts", ("counts-client", "counts-server")),
)


def everything(results):
    parts = []
    for title, names in GROUPS:
        names = [name for name in names if name in results]
        if names:
            parts.append(f"### {title}\n")
        for name in names:
            make = counts if SCENARIOS[name].kind == "counts" else cost
            parts.append(f"**{name}**: {SCENARIOS[name].about}\n\n{make(results[name])}")
    for prefix, title, make in (
        ("idle-clients-", "### Silent connections of a server", held),
        ("conns-", "### Growth: CPU ns a message by the number of connections, 64 B, window 8", growth),
        (
            "queued-",
            "### Growth: CPU ns a message inside the calls by the number of messages put before a flush, 64 B",
            growth,
        ),
    ):
        if any(name.startswith(prefix) for name in results):
            parts.append(f"{title}\n\n{make(results, prefix)}")
    if any(name.startswith("polls-") for name in results):
        parts.append(f"### How long one ws_poll takes, in thread CPU time\n\n{histograms(results)}")
    failed = failures(results)
    if failed:
        parts.append(f"### Failed runs\n\n{failed}\n")
    return "\n".join(parts)
