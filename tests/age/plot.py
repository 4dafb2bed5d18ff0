#!/usr/bin/env python3
"""Draws how old positions are when they arrive over a slow simulated line, put as the latest and plainly. Two ends in
memory, whose time this program advances: each run draws the same. Usage: plot.py SVG"""

import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))
import wspeer  # noqa: E402

FRAME_US, OBJECTS, LEN, BYTES_PER_S, SECONDS = 16_667, 50, 20, 50_000, 10
FRAMES = SECONDS * 1_000_000 // FRAME_US
LATEST, PLAIN, INK, GREY, FAINT = "#1d4ed8", "#c2410c", "#1b1f24", "#6b7480", "#d5dae1"
WIDTH, HEIGHT, LEFT, TOP = 640, 220, 70, 70


def play(is_latest):
    """Each frame the positions of all objects are put. Returns for each frame the age in milliseconds of the oldest that
    arrived, and the number of those that arrived in all."""
    ends = wspeer.pair()
    one, two = ends
    one.advance_time(0)
    while any(end.state != wspeer.State.OPEN for end in ends):
        for end in ends:
            end.poll()
    one.set_sim(wspeer.Sim(up_bytes_per_s=BYTES_PER_S, down_bytes_per_s=BYTES_PER_S))
    ages, arrived = [], 0
    for frame in range(1, FRAMES + 1):
        one.advance_time(FRAME_US)
        for key in range(OBJECTS):
            message = struct.pack("<II12x", key, frame)
            if is_latest:
                one.send_latest(key, message)
            else:
                try:
                    one.send(message)
                except wspeer.QueueFull:
                    break
        one.poll()
        two.poll()
        frames = [struct.unpack("<II12x", packet.data)[1] for packet in two.packets()]
        if frames:
            ages.append((frame * FRAME_US / 1e6, (frame - min(frames)) * FRAME_US / 1e3))
        arrived += len(frames)
    for end in ends:
        end.free()
    return ages, arrived


def text(x, y, words, anchor="start", size=11, ink=GREY, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{ink}"{more}>{words}</text>'


def draw(latest, plain, words):
    total, most = HEIGHT + TOP + 60, 500 * (1 + int(max(age for _, age in plain) / 500))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + LEFT + 30}" height="{total}" '
        f'viewBox="0 0 {WIDTH + LEFT + 30} {total}" font-family="system-ui, sans-serif" role="img">',
        "<title>Age of the oldest position that arrives, over time</title>",
        f'<rect width="{WIDTH + LEFT + 30}" height="{total}" fill="#ffffff"/>',
        text(20, 26, "Age of the oldest position that arrives in a frame", size=16, ink=INK, more=' font-weight="bold"'),
        text(20, 46, words, size=12),
    ]
    for part in range(5):
        y = TOP + HEIGHT * (4 - part) / 4
        out.append(f'<path d="M{LEFT} {y:.0f} h{WIDTH}" stroke="{FAINT}"/>')
        out.append(text(LEFT - 6, y + 4, f"{most * part / 4:.0f}{' ms' if part == 4 else ''}", "end"))
    for second in range(0, SECONDS + 1, 2):
        out.append(text(LEFT + WIDTH * second / SECONDS, TOP + HEIGHT + 18, f"{second}{' s' if second == 0 else ''}", "middle"))
    for points, colour in ((plain, PLAIN), (latest, LATEST)):
        path = " ".join(f"{LEFT + WIDTH * at / SECONDS:.1f},{TOP + HEIGHT * (1 - age / most):.1f}" for at, age in points)
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
    return "\n".join([*out, "</svg>", ""])


def main():
    (latest, came), (plain, all_came) = play(True), play(False)
    steady = [max(age for at, age in points if at > 1) for points in (latest, plain)]
    print(f"after the first second the oldest is {steady[0]:.0f} ms old, put plainly {steady[1]:.0f} ms")
    print(f"{came} positions arrived, put plainly {all_came}")
    words = (
        f"{OBJECTS} objects of {LEN} bytes, 60 frames a second, over {BYTES_PER_S // 1000} kB/s. "
        f'<tspan fill="{PLAIN}">Orange: ws_put_packet.</tspan> <tspan fill="{LATEST}">Blue: ws_put_latest.</tspan>'
    )
    pathlib.Path(sys.argv[1]).write_text(draw(latest, plain, words))


main()
