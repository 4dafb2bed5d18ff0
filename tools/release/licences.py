#!/usr/bin/env python3
"""THIRD-PARTY.md: the licences of everything that is linked into the libraries. cli.py writes one for the command line.
Usage: licences.py          writes it, from runtime.md and the crates' own files
       licences.py --check  checks that it is current"""

import pathlib
import re
import sys

import crates
from files import ROOT

PAGE = ROOT / "THIRD-PARTY.md"
# Names of files with licences, and with the copyright that belongs to them.
LICENCE = re.compile(r"(?i)(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?")
TEXTS = "## Texts"


def of_libraries():
    return page("wspeer's libraries contain", list(crates.linked().values())[1:])


def page(contained, linked):
    """The whole text. Equal licences are there once, each with a number."""
    numbers = {}
    rows = []
    for crate in linked:
        texts = [path.read_text(errors="replace") for path in sorted(crate.folder.iterdir()) if is_licence(path)]
        if not texts:
            sys.exit(f"licences: {crate.key} has no licence file in {crate.folder}")
        own = [numbers.setdefault(plain(text), len(numbers) + 1) for text in texts]
        rows.append(f"| {crate.name} {crate.version} | {crate.licence} | {', '.join(map(str, sorted(set(own))))} |")
    runtime = (pathlib.Path(__file__).parent / "runtime.md").read_text()
    parts = [runtime.replace("@CONTAINED@", contained).strip()]
    parts.append(f"## Crates\n\n{len(linked)} Rust crates are linked, some of them on some platforms only.\n")
    parts[-1] += "\n| crate | licence | texts |\n|---|---|---|\n" + "\n".join(rows)
    parts.append(TEXTS)
    parts += [f"### {number}\n\n```text\n{text}\n```" for text, number in numbers.items()]
    return "\n\n".join(parts) + "\n"


def is_licence(path):
    return path.is_file() and LICENCE.fullmatch(path.name)


def plain(text):
    """The text without what differs between copies of the same: line ends, and space at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines()).replace("```", "'''")


def main():
    if sys.argv[1:] == ["--check"]:
        current = PAGE.exists() and PAGE.read_text() == of_libraries()
        print(f"{'ok' if current else 'not ok'} - licences: THIRD-PARTY.md is what tools/release/licences.py writes")
        return not current
    PAGE.write_text(of_libraries())
    print(f"{PAGE.relative_to(ROOT)}: {PAGE.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
