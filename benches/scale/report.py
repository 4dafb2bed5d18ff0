#!/usr/bin/env python3
"""From results.json: the plots docs/scale/*.svg, and the tables of docs/scale.md, which stand between the lines
`<!-- generated: NAME, by make scale -->` and `<!-- /generated -->`."""
import json
import math
import pathlib
import re
import statistics
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benches" / "scale" / "results.json"
PAGE = ROOT / "docs" / "scale.md"
PLOTS = ROOT / "docs" / "scale"
COMPUTED = 30_000
# Messages a second of a client that sends; of measure.py.
HZ = 20
TITLES = {
    "raw": "raw TCP, epoll",
    "minimal": "minimal C server",
    "wspeer": "wspeer",
    "wspeer-wss": "wspeer, wss",
    "wspeer-deflate": "wspeer, compressing, no takeover",
    "wspeer-takeover": "wspeer, compressing",
    "tung8k": "tungstenite, mio",
    "fastws": "fastwebsockets, tokio",
    "lws": "libwebsockets, poll",
    "lws-uv": "libwebsockets, libuv",
    "lws-uv-wss": "libwebsockets, libuv, wss",
    "node": "ws on Node",
    "node-wss": "ws on Node, wss",
}


class Results:
    def __init__(self, stored):
        self.head = stored
        self.rows = {
            name: {int(size): rows for size, rows in sizes.items()} for name, sizes in stored["results"].items()
        }
        self.names = [name for name in TITLES if name in self.rows]
        self.sizes = sorted({size for sizes in self.rows.values() for size in sizes})

    def values(self, name, size, *path):
        found = []
        for row in self.rows.get(name, {}).get(size, []):
            for key in path:
                row = row.get(key) if isinstance(row, dict) else None
            found.append(row)
        return found

    def value(self, name, size, *path):
        """The median of the rounds; None: not measured."""
        found = [value for value in self.values(name, size, *path) if value is not None]
        return statistics.median(found) if found else None

    def most(self, name, size, *path):
        found = [value for value in self.values(name, size, *path) if value is not None]
        return max(found) if found else None

    def ratio(self, name, base, size, *path):
        """The median of the ratios within a round."""
        pairs = zip(self.values(name, size, *path), self.values(base, size, *path))
        found = [one / other for one, other in pairs if one is not None and other]
        return statistics.median(found) if found else None

    def loads(self):
        return [row["load"] for sizes in self.rows.values() for rows in sizes.values() for row in rows]

    def memory_of(self, name, size):
        """Computed from the growth between the two largest measured numbers of connections."""
        few, many = self.sizes[-2:]
        if self.value(name, many, "resident") is None:
            return None
        totals = [self.value(name, n, "resident") * n for n in (few, many)]
        return totals[1] + (totals[1] - totals[0]) * (size - many) / (many - few)


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def table(head, rows):
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in [head, *rows]]
    return "\n".join([lines[0], "|---|" + "--:|" * (len(head) - 1), *lines[1:]])


def machine(r):
    m = r.head["machine"]
    return (
        f"{r.head['date']}, `{r.head['command']}`, median of {r.head['rounds']} rounds; {m['cpu']}, {m['cores']} cores,"
        f" {m['memory_gib']} GiB, Linux {m['kernel']}; wspeer {m['wspeer']}; load of the machine during the runs"
        f" {min(r.loads()):.1f} to {max(r.loads()):.1f}."
    )


def memory(r):
    last = r.sizes[-1]
    head = ["B a connection", *(f"{size:,}" for size in r.sizes)]
    head += ["after broadcasts", "and a second of rest", f"{COMPUTED:,}, computed, MiB"]
    rows = []
    for name in r.names:
        row = [TITLES[name], *(number(r.value(name, size, "resident")) for size in r.sizes)]
        largest = max(r.rows[name])
        total = r.memory_of(name, COMPUTED)
        row += [number(r.value(name, largest, key)) for key in ("resident_broadcast", "resident_rested")]
        rows.append(row + [number(total / 2**20 if total else None)])
    more = [
        f"{number(r.value(name, last, 'active_10', 'resident_more'))} B ({TITLES[name]})"
        for name in ("raw", "wspeer", "wspeer-wss")
        if r.value(name, last, "active_10", "resident_more") is not None
    ]
    kernel = [value for name in r.names for value in r.values(name, last, "kernel") if value]
    return table(head, rows) + (
        "\n\nThe kernel's objects for one end of a connection (socket, file, epoll) take"
        f" {number(statistics.median(kernel))} B beside, whatever the library. While {last // 10:,} of {last:,} clients"
        f" send 32 B twenty times a second, each of these takes {', '.join(more)} more."
    )


def polls(r):
    names = [name for name in ("raw", "wspeer", "wspeer-wss") if name in r.rows]
    head = ["server", "connections", "idle poll, ns", "idle frame, us"]
    for percent in (1, 10):
        head += [f"{percent} %: a frame, us", "a message, us", "% of a core"]
    rows = []
    for name in names:
        for size in r.sizes:
            row = [TITLES[name], f"{size:,}", number(r.value(name, size, "poll_ns"))]
            row += [number(r.value(name, size, "idle", "median_us"), 1)]
            for active in (1, 10):
                each = r.value(name, size, f"active_{active}", "message_us")
                row += [number(r.value(name, size, f"active_{active}", "median_us"))]
                row += [number(each, 1), number(percent_of(each, active, size), 1)]
            rows.append(row)
        costs = {share: r.value(name, r.sizes[-1], f"active_{share}", "message_us") for share in (1, 10)}
        one, ten = (percent_of(cost, share, COMPUTED) for share, cost in costs.items())
        rows.append([TITLES[name], f"{COMPUTED:,}, computed", *"----", number(one, 1), "-", "-", number(ten, 1)])
    text = table(head, rows)
    size = r.sizes[-1]
    pings = r.value("wspeer", size, "pings", "frame_us")
    if pings:
        text += (
            f"\n\nPings are in no row. With the default of one in 20 s for each client, {size:,} idle clients cost"
            f" {number(pings)} us a frame in the mean, {number(r.value('wspeer', size, 'pings', 'cpu_percent'), 1)} %"
            " of a core, and the longest poll took"
            f" {number(r.most('wspeer', size, 'pings', 'longest_poll_us') / 1e3, 2)} ms."
        )
    return text


def percent_of(message_us, share, size):
    """The share of a core for `size` clients of which `share` percent send at HZ."""
    return message_us and message_us * size * share / 100 * HZ / 1e4


def sends(r):
    names = [name for name in r.names if r.value(name, r.sizes[0], "broadcast", "message_us") is not None]
    head = ["broadcast of 64 B: us for each client", *(f"{size:,}" for size in r.sizes)]
    head += [*(f"× raw, {size:,}" for size in (r.sizes[0], r.sizes[-1])), f"the call, {r.sizes[-1]:,}, ms"]
    head += [f"all, {r.sizes[-1]:,}, ms", f"all, {COMPUTED:,}, computed, ms"]
    rows = []
    for name in names:
        row = [TITLES[name], *(number(r.value(name, size, "broadcast", "message_us"), 1) for size in r.sizes)]
        row += [number(r.ratio(name, "raw", size, "broadcast", "message_us"), 2) for size in (r.sizes[0], r.sizes[-1])]
        call, each = (r.value(name, r.sizes[-1], "broadcast", key) for key in ("call_us", "message_us"))
        row += [number(call and call / 1e3, 1), number(each and each * r.sizes[-1] / 1e3)]
        rows.append(row + [number(each and each * COMPUTED / 1e3)])
    text = table(head, rows)
    if r.value("wspeer", r.sizes[0], "publish", "message_us") is None:
        return text
    head = ["publish of 64 B to rooms of ten: us for each client", *(f"{size:,}" for size in r.sizes)]
    head += [*(f"× raw, {size:,}" for size in (r.sizes[0], r.sizes[-1])), f"one call, {r.sizes[-1]:,}, us"]
    rows = []
    for name in names:
        if r.value(name, r.sizes[0], "publish", "message_us") is None:
            continue
        row = [TITLES[name], *(number(r.value(name, size, "publish", "message_us"), 1) for size in r.sizes)]
        row += [number(r.ratio(name, "raw", size, "publish", "message_us"), 2) for size in (r.sizes[0], r.sizes[-1])]
        rows.append(row + [number(r.value(name, r.sizes[-1], "publish", "call_us"), 1)])
    return text + "\n\n" + table(head, rows)


def accepts(r):
    head = ["CPU of an accept, us", *(f"{size:,}" for size in r.sizes), "accepts a second of a core"]
    head += [f"× minimal, {size:,}" for size in (r.sizes[0], r.sizes[-1])]
    rows = []
    for name in r.names:
        largest = max(r.rows[name])
        row = [TITLES[name], *(number(r.value(name, size, "accept_us"), 1) for size in r.sizes)]
        row += [number(1e6 / r.value(name, largest, "accept_us"))]
        row += [number(r.ratio(name, "minimal", size, "accept_us"), 2) for size in (r.sizes[0], r.sizes[-1])]
        rows.append(row)
    return table(head, rows)


def longest(r):
    head = ["longest call of wspeer, ms"]
    names = [name for name in ("wspeer", "wspeer-wss") if name in r.rows]
    head += [f"{TITLES[name]}, {size:,}" for name in names for size in r.sizes]
    parts = (
        ("`ws_poll`, nobody sends", ("idle", "longest_poll_us")),
        ("`ws_poll`, 1 % send", ("active_1", "longest_poll_us")),
        ("`ws_poll`, 10 % send", ("active_10", "longest_poll_us")),
        ("`ws_poll`, a broadcast is written", ("broadcast", "longest_poll_us")),
        ("`ws_put_packet` to all, soon after another", ("broadcast", "longest_call_us")),
        ("`ws_put_packet` to all, after a second of rest", ("broadcast_rested", "longest_call_us")),
        ("`ws_publish` to ten", ("publish", "longest_call_us")),
    )
    rows = []
    for what, path in parts:
        costs = [r.most(name, size, *path) for name in names for size in r.sizes]
        if any(cost is not None for cost in costs):
            rows.append([what, *(number(cost and cost / 1e3, 2) for cost in costs)])
    return table(head, rows)


# ---- Plots ----

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 820, 380, 84, 210, 64, 56
COLOURS = 9
STYLE = """<style>
svg { background: #ffffff; color: #1b1f24; }
.grid { stroke: #d5dae1; } .axis { stroke: #6b7480; } .quiet { fill: #59626d; } text { fill: #1b1f24; }
.c0 { color: #1f6feb; } .c1 { color: #1a7f37; } .c2 { color: #59626d; } .c3 { color: #9a6700; }
.c4 { color: #bc4c00; } .c5 { color: #8250df; } .c6 { color: #bf3989; } .c7 { color: #1b7c83; } .c8 { color: #a40e26; }
.line { stroke: currentColor; fill: none; } .dot { fill: currentColor; } .name { fill: currentColor; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; color: #e6edf3; }
.grid { stroke: #30363d; } .axis { stroke: #848d97; } .quiet { fill: #9aa4b2; } text { fill: #e6edf3; }
.c0 { color: #58a6ff; } .c1 { color: #56d364; } .c2 { color: #b1bac4; } .c3 { color: #e3b341; }
.c4 { color: #ffa657; } .c5 { color: #d2a8ff; } .c6 { color: #ff9bce; } .c7 { color: #76e3ea; } .c8 { color: #ff7b72; }
.name { fill: currentColor; }
}
</style>"""


def text(x, y, words, size=12, anchor="start", weight="normal", look=""):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}"'
        f' class="{look}">{words}</text>'
    )


def ticks(low, high, logarithmic):
    if logarithmic:
        return [10**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    step = 10 ** math.floor(math.log10(high / 2))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10) if high / (step * factor) <= 6)
    return [step * number for number in range(math.ceil(high / step) + 1)]


def plot(title, subtitle, unit, lines, logarithmic):
    """`lines` are (name, [(connections, value)]). The horizontal axis is logarithmic."""
    lines = [(name, points) for name, points in lines if points]
    all_values = [value for _, points in lines for _, value in points]
    marks = ticks(min(all_values), max(all_values), logarithmic)
    sizes = sorted({size for _, points in lines for size, _ in points})
    scale = math.log10 if logarithmic else lambda value: value
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(size, value):
        share = math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
        up = (scale(value) - scale(marks[0])) / (scale(marks[-1]) - scale(marks[0]))
        return LEFT + width * (0.03 + 0.94 * share), TOP + height * (1 - up)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="system-ui, sans-serif" role="img">',
        f"<title>{title}</title>",
        STYLE,
        text(20, 26, title, 16, weight="bold"),
        text(20, 45, subtitle, 12, look="quiet"),
    ]
    for mark in marks:
        y = place(sizes[0], mark)[1]
        parts += [
            f'<path d="M{LEFT} {y:.1f} h{width}" class="grid"/>',
            text(LEFT - 8, y + 4, f"{mark:,.10g}", 11, "end", look="quiet"),
        ]
    for size in sizes:
        x = place(size, marks[0])[0]
        parts += [
            f'<path d="M{x:.1f} {TOP + height} v5" class="axis"/>',
            text(x, TOP + height + 19, f"{size:,}", 11, "middle", look="quiet"),
        ]
    parts += [
        f'<path d="M{LEFT} {TOP} v{height} h{width}" class="axis" fill="none"/>',
        text(LEFT + width / 2, HEIGHT - 12, "connections (logarithmic)", 12, "middle"),
        f'<g transform="translate(22 {TOP + height / 2}) rotate(-90)">'
        + text(0, 0, unit + (" (logarithmic)" if logarithmic else ""), 12, "middle")
        + "</g>",
    ]
    ends, last = [], 0.0
    for index, (name, points) in enumerate(lines):
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in (place(*point) for point in points))
        thick = 2.6 if name.startswith("wspeer") else 1.5
        parts.append(f'<g class="c{index % COLOURS}"><path d="M{path}" class="line" stroke-width="{thick}"/>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="dot"/>' for x, y in (place(*point) for point in points)
        ]
        parts.append("</g>")
        ends.append((place(*points[-1])[1], index, name))
    for y, index, name in sorted(ends):
        last = max(y + 4, last + 14)
        parts.append(f'<g class="c{index % COLOURS}">' + text(WIDTH - RIGHT + 4, last, name, 11, look="name") + "</g>")
    return "\n".join([*parts, "</svg>", ""])


def series(r, names, *path):
    return [
        (TITLES[name], [(size, r.value(name, size, *path)) for size in r.sizes if r.value(name, size, *path)])
        for name in names
        if name in r.rows
    ]


def plots(r):
    yield "memory", plot(
        "Memory of an idle connection at the server",
        "Resident memory of the process, without the kernel's. A flat line is linear growth of the whole.",
        "B a connection",
        series(
            r, ("wspeer", "wspeer-wss", "raw", "minimal", "tung8k", "fastws", "lws-uv", "node", "node-wss"), "resident"
        ),
        logarithmic=True,
    )
    yield "poll", plot(
        "A poll while nobody sends",
        "CPU time. A flat line: the cost does not depend on the idle clients.",
        "ns",
        series(r, ("wspeer", "wspeer-wss", "raw"), "poll_ns"),
        logarithmic=False,
    )
    costs = []
    for what, path in (
        ("accept", ("accept_us",)),
        ("echo, 10 % send", ("active_10", "message_us")),
        ("broadcast", ("broadcast", "message_us")),
        ("publish", ("publish", "message_us")),
    ):
        for name, title in (("wspeer", f"wspeer: {what}"), ("raw", f"raw TCP: {what}")):
            costs += [(title, points) for _, points in series(r, (name,), *path)]
    yield "cpu", plot(
        "CPU time for each client",
        "A flat line is linear growth of the whole. The kernel's work for sockets is most of it.",
        "us",
        costs,
        logarithmic=False,
    )


def fill(page, name, content):
    blocks = [block if block.startswith("|") else textwrap.fill(block, 100) for block in content.split("\n\n")]
    content = "\n\n".join(blocks)
    pattern = re.compile(rf"(<!-- generated: {name}, by `make scale` -->\n).*?(<!-- /generated -->)", re.S)
    page, count = pattern.subn(lambda match: f"{match.group(1)}\n{content}\n\n{match.group(2)}", page)
    if count != 1:
        raise SystemExit(f"{PAGE} has no place for {name}")
    return page


def main():
    r = Results(json.loads(RESULTS.read_text()))
    PLOTS.mkdir(exist_ok=True)
    for name, svg in plots(r):
        (PLOTS / f"{name}.svg").write_text(svg)
    page = PAGE.read_text()
    for part in (machine, memory, polls, sends, accepts, longest):
        page = fill(page, part.__name__, part(r))
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
