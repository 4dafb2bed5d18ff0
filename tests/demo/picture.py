#!/usr/bin/env python3
"""Draws what `make demo` shows in a terminal: the seconds in which most links are cut, as an animated SVG.
Usage: picture.py OUT.svg"""

import pathlib
import sys
from xml.sax.saxutils import escape

from terminal import Terminal, frames, plain

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The demo draws 20 pictures a second; every third one is shown, 30 in all.
STEP, COUNT = 3, 30
WIDE, HIGH, COLUMNS, LINES = 9, 19, 80, 22
LEFT, TOP = 12, 34
# The class of each style that the demo uses, and its color.
STYLES = {
    "": ("a", "#d6deeb"),
    "1": ("b", "#ffffff"),
    "2": ("c", "#5c6a80"),
    "1;31": ("d", "#ff6b6b"),
    "1;32": ("e", "#5be49b"),
    "1;33": ("f", "#ffd166"),
    "1;34": ("g", "#82aaff"),
    "1;35": ("h", "#d9a5ff"),
    "1;36": ("i", "#5bd5f0"),
    "1;37": ("j", "#ffffff"),
    "1;38;5;208": ("k", "#ff9e64"),
}
DOTS, BORDER = "●○◉", "┌┐└┘─│"


def animated(pictures):
    """The SVG of the pictures that the demo has drawn."""
    pictures = pictures[::STEP]
    # Links that are cut, in each picture: circles in the field and beside it.
    lost = ["\n".join(plain(picture)).count("○") > 2 for picture in pictures]
    began = max(range(max(1, len(pictures) - COUNT)), key=lambda i: sum(lost[i : i + COUNT]))
    height = TOP + LINES * HIGH + 10
    shown = [drawn(picture) for picture in pictures[began : began + COUNT]]
    still = [element for element in shown[0] if all(element in picture for picture in shown)]
    film = "".join(
        f'<g transform="translate(0 {i * height})">{"".join(one for one in picture if one not in still)}</g>'
        for i, picture in enumerate(shown)
    )
    colors = "".join(f".{name}{{fill:{color};stroke:{color}}}" for name, color in STYLES.values())
    field = f'x="{LEFT + WIDE / 2}" y="{TOP + HIGH * 1.5}" width="{51 * WIDE}" height="{18 * HIGH}" rx="6"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * WIDE + 2 * LEFT} {height}" '
        'font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="14.5" role="img">'
        "<title>make demo: players in C, Python, Godot and a browser on one field; their links are cut, and their "
        "sessions go on</title><style>"
        f"@keyframes film{{to{{transform:translateY(-{height * len(shown)}px)}}}}"
        f"#film{{animation:film {len(shown) * STEP / 20:g}s steps({len(shown)}) infinite}}"
        "@media (prefers-reduced-motion:reduce){#film{animation:none}}"
        f"{colors}text{{stroke:none!important}}.o{{fill:none;stroke-width:2}}"
        "path{stroke:#4a5870;stroke-width:3;stroke-linecap:round}</style>"
        '<rect width="100%" height="100%" rx="10" fill="#131722"/>'
        '<circle cx="20" cy="17" r="5" class="d"/><circle cx="38" cy="17" r="5" class="f"/>'
        '<circle cx="56" cy="17" r="5" class="e"/>'
        '<text x="50%" y="22" fill="#8a97ad" text-anchor="middle">make demo</text>'
        f'<rect {field} fill="#0d1019" stroke="#39445a"/>{"".join(still)}<g id="film">{film}</g></svg>\n'
    )


def drawn(frame):
    """The elements of one picture: words, and dots as circles, so that no font has to have them."""
    elements, trail = [], ""
    for line, row in enumerate(frame[:LINES]):
        y = TOP + line * HIGH
        word, at, style = "", 0, None
        for column, (character, its) in enumerate([*row, (" ", None)]):
            x = LEFT + column * WIDE
            if word and (character in DOTS + BORDER + "· " or its != style):
                elements.append(f'<text x="{at}" y="{y + 14}" class="{STYLES[style][0]}">{escape(word)}</text>')
                word = ""
            if character in DOTS:
                center = f'cx="{x + WIDE / 2:g}" cy="{y + 9}"'
                if character != "○":
                    elements.append(f'<circle {center} r="5" class="{STYLES[its][0]}"/>')
                if character != "●":
                    radius = 7 if character == "◉" else 5
                    elements.append(f'<circle {center} r="{radius}" class="o {STYLES[its][0]}"/>')
            elif character == "·":
                trail += f"M{x + WIDE / 2:g} {y + 9}h0"
            elif character not in BORDER + " ":
                if not word:
                    at, style = x, its
                word += character
    return [*elements, f'<path d="{trail}"/>']


def main():
    terminal = Terminal([str(ROOT / "examples" / "dots" / "run.sh"), "--seconds", "14"])
    code = terminal.wait()
    if code != 0 or "absent:" in terminal.text:
        sys.exit(f"the demo ended with {code}, or a player is absent:\n{terminal.text[-2000:]}")
    svg = animated(frames(terminal.text))
    if len(svg) > 100_000:
        sys.exit(f"{len(svg)} bytes are too many for a README")
    pathlib.Path(sys.argv[1]).write_text(svg)


if __name__ == "__main__":
    main()
