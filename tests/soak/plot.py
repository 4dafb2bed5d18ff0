#!/usr/bin/env python3
"""Draws the data of a soak, build/soak.csv: memory and descriptors over time, and the memory held while no client is
connected. Usage: plot.py CSV SVG"""
import csv
import pathlib
import sys

WIDTH, LEFT, RIGHT, HEIGHT, GAP = 920, 70, 150, 150, 56
OWN, OTHER, DOT, INK, FAINT, GREY = "#1f6feb", "#9aa4b2", "#c2410c", "#1b1f24", "#d5dae1", "#6b7480"


def text(x, y, words, size=12, anchor="start", weight="normal", ink=INK):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{ink}">{words}</text>'


def round_up(value):
    """Rounds up to a readable number for the top of a scale."""
    step = 10 ** (len(str(int(value))) - 1)
    return next(step * factor for factor in (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * factor >= value)


def panel(top, title, minutes, lines, dots, unit):
    """`lines` are (name, colour, [(minute, value)]), and so are `dots`."""
    width, bottom = WIDTH - LEFT - RIGHT, top + HEIGHT
    most = round_up(max(value for _, _, points in lines + dots for _, value in points))
    place = lambda point: (LEFT + width * point[0] / minutes, bottom - HEIGHT * point[1] / most)
    parts = [text(LEFT, top - 10, title, 13, weight="bold")]
    for part in range(5):
        y = bottom - HEIGHT * part / 4
        parts += [
            f'<path d="M{LEFT} {y:.1f} h{width}" stroke="{FAINT}"/>',
            text(LEFT - 6, y + 4, f"{most * part / 4:,.10g}{unit if part == 4 else ''}", 10, "end", ink=GREY),
        ]
    for minute in range(0, int(minutes) + 1, 10 if minutes > 20 else 1):
        parts.append(
            text(
                place((minute, 0))[0],
                bottom + 14,
                f"{minute} min" if minute == 0 else str(minute),
                10,
                "middle",
                ink=GREY,
            )
        )
    names = []
    for name, colour, points in lines:
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in map(place, points))
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.2"/>')
        names.append((min(place(point)[1] for point in points[-20:]), name, colour))
    for name, colour, points in dots:
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in map(place, points)]
        names.append((place(points[-1])[1], name, colour))
    last = 0.0
    for y, name, colour in sorted(names):
        last = max(y + 4, last + 14)
        parts.append(text(WIDTH - RIGHT + 8, last, name, 11, ink=colour))
    return parts


def main():
    source, target = map(pathlib.Path, sys.argv[1:3])
    rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(source.open())]
    rows = [row for row in rows if row["seconds"] > 0]
    rests = [row for row in rows if row["players"] == 0]
    minutes = max(row["seconds"] for row in rows) / 60
    points = lambda some, name, scale=1.0: [(row["seconds"] / 60, row[name] * scale) for row in some]
    crowd = int(max(row["players"] for row in rows))
    panels = (
        (
            "Memory",
            [
                ("the process", OTHER, points(rows, "resident_kib", 1 / 1024)),
                ("heap in use", OWN, points(rows, "heap_kib", 1 / 1024)),
            ],
            [],
            " MiB",
        ),
        ("Heap in use while nobody is there", [], [("at rest", DOT, points(rests, "heap_kib"))], " KiB"),
        ("Descriptors", [("open", OWN, points(rows, "descriptors"))], [], ""),
    )
    height = 70 + (HEIGHT + GAP) * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" role="img">',
        "<title>An hour of a crowd: memory and descriptors</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(20, 26, f"{crowd} clients come, talk, go and are cut: memory and descriptors", 16, weight="bold"),
        text(
            20,
            44,
            "Both ends in one process; heap without the proxy's. Where the lines fall, all have left for some seconds.",
            12,
            ink=GREY,
        ),
    ]
    for index, (title, lines, dots, unit) in enumerate(panels):
        parts += panel(86 + (HEIGHT + GAP) * index, title, minutes, lines, dots, unit)
    target.write_text("\n".join([*parts, "</svg>", ""]))


main()
