#!/usr/bin/env python3
"""Compares the map of docs/design.md with src: every source file is listed once, and nothing else."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The crate's root, module roots, tests of a module, and files named in the text before the map.
ELSEWHERE = re.compile(r"src/(lib|codes|status|names|error|trace|heap|forks|journal|quiet)\.rs|.*/(mod|tests)\.rs")


def named(text):
    """The files of each line of the map: a name without a folder is in the folder of the one before it."""
    for line in text.splitlines():
        if not line.startswith("| `src/"):
            continue
        folder = ""
        for name in re.findall(r"`([^`]+)`", line.split("|")[1]):
            folder = name[: name.rindex("/") + 1] if "/" in name else folder
            yield folder + name.rpartition("/")[2]


def main():
    reported = list(named((ROOT / "docs" / "design.md").read_text()))
    there = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "src").rglob("*.rs"))]
    there = [path for path in there if not ELSEWHERE.fullmatch(path)]
    wrong = [f"{path} is not in the map" for path in there if path not in reported]
    wrong += [f"{path} is in the map and does not exist" for path in reported if path not in there]
    wrong += [
        f"{path} is in the map {reported.count(path)} times"
        for path in sorted(set(reported))
        if reported.count(path) > 1
    ]
    for line in wrong:
        print(f"design.md: {line}")
    print(f"{'not ok' if wrong else 'ok'} - guard: docs/design.md's map has each of the {len(there)} source files")
    sys.exit(bool(wrong))


main()
