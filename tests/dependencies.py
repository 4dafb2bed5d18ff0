#!/usr/bin/env python3
"""Every direct dependency has its reason in docs/dependencies.md, every linked package has an accepted licence, and
excluded packages are absent."""
import json
import re
import subprocess
import sys

PAGE = open("docs/dependencies.md").read()
# All supported systems; a crate that only one of them needs counts.
TARGETS = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin", "aarch64-linux-android"]


def metadata(target):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def linked(data):
    """The packages linked into the library: those reached without build and test dependencies."""
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    found, todo = set(), [data["resolve"]["root"]]
    while todo:
        one = todo.pop()
        if one in found:
            continue
        found.add(one)
        todo += [dep["pkg"] for dep in nodes[one]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
    return [package for package in data["packages"] if package["id"] in found]


def allows(expression, accepted):
    """Whether an SPDX expression is satisfied: one side of each OR, both of each AND."""
    tokens = re.findall(r"\(|\)|[^\s()/]+|/", expression.replace(" WITH ", "-WITH-"))
    code = " ".join(
        {"(": "(", ")": ")", "/": "or", "OR": "or", "AND": "and"}.get(token) or str(token in accepted)
        for token in tokens
    )
    return eval(code, {"__builtins__": {}})  # only True, False, and, or, parentheses


def main():
    rc = 0

    def say(good, what):
        nonlocal rc
        print(f"{'ok' if good else 'not ok'} - dependencies: {what}")
        rc |= not good

    manifest = open("Cargo.toml").read()
    direct = {
        name
        for section in re.findall(r"^\[(?:target\..*\.)?(?:build-|dev-)?dependencies\]\n(.*?)(?=^\[|\Z)", manifest, re.M | re.S)
        for name in re.findall(r"^([\w-]+) =", section, re.M)
    }
    reported = {name for row in re.findall(r"^\| (`[^|]*`) \|", PAGE, re.M) for name in re.findall(r"`([\w-]+)`", row)}
    say(
        direct == reported and len(direct) > 10,
        f"{len(direct)} direct dependencies have their reason {direct ^ reported or ''}",
    )

    accepted = set(
        re.search(r"into the library: (.*?)\.\s", PAGE, re.S)[1]
        .replace("(the data of `webpki-roots`)", "")
        .replace(",", " ")
        .split()
    )
    everything = {}
    for target in TARGETS:
        everything.update({package["name"]: package["license"] or "none" for package in linked(metadata(target))})
    odd = {name: licence for name, licence in everything.items() if not allows(licence, accepted)}
    say(not odd and len(everything) > 30, f"{len(everything)} linked crates have an accepted licence {odd or ''}")
    say(
        not allows("GPL-3.0-only", accepted) and not allows("MIT AND GPL-3.0-only", accepted),
        "an unaccepted licence is detected",
    )

    out = set(re.findall(r"`([\w-]+)`", PAGE.split("## Kept out")[1].split("##")[0]))
    locked = set(re.findall(r'^name = "(.*)"', open("Cargo.lock").read(), re.M))
    say(
        not out & locked and len(out) >= 5 and "rustls" in locked,
        f"none of {len(out)} unwanted crates is in Cargo.lock {out & locked or ''}",
    )
    return rc


sys.exit(main())
