#!/usr/bin/env python3
"""Compares the class documentation with what the engine generates from the classes: each method, argument, default,
property, signal and constant must be listed correctly and have a text.
Usage: docs.py FOLDER_OF_THE_ENGINE OUR_FOLDER"""
import pathlib
import sys
import xml.etree.ElementTree as ET

made, ours = (pathlib.Path(name) for name in sys.argv[1:])
TOLD = ("method", "member", "signal", "constant")


def say(good, what):
    print("ok -" if good else "not ok -", what)
    return good


def entries(path):
    """The documented items, with all their attributes and arguments."""
    found = {}
    for entry in ET.parse(path).getroot().iter():
        if entry.tag in TOLD:
            parts = [part.attrib for part in entry if part.tag in ("return", "param")]
            found[f"{entry.tag} {entry.get('name')}"] = (dict(entry.attrib), parts)
    return found


def texts(path):
    """Items without a text."""
    root = ET.parse(path).getroot()
    for tag in ("brief_description", "description"):
        if not (root.findtext(tag) or "").strip():
            yield tag
    for entry in root.iter():
        text = entry.findtext("description") if entry.tag in ("method", "signal") else entry.text
        if entry.tag in TOLD and not (text or "").strip():
            yield f"{entry.tag} {entry.get('name')}"


good = True
for path in sorted(made.glob("*.xml")):
    own = ours / path.name
    if not own.exists():
        good = say(False, f"{path.stem} is documented")
        continue
    wanted, got = entries(path), entries(own)
    differing = [name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name)]
    good &= say(
        not differing,
        f"the documentation of {path.stem} matches the class" + "".join(f"; {name}" for name in sorted(differing)),
    )
    missing = list(texts(own))
    good &= say(not missing, f"all {len(got)} items of it are described" + "".join(f"; {name}" for name in missing))
good &= say(len(list(made.glob("*.xml"))) == len(list(ours.glob("*.xml"))) == 4, "four classes are documented")
sys.exit(not good)
