#!/usr/bin/env python3
"""Builds the site: build/docs, from the Markdown of the tree and include/wspeer.h. It loads nothing from elsewhere, and
works from a folder without a server. Needs MkDocs Material: tools/site/setup.sh."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools" / "generate"), str(ROOT / "tools" / "site")]
import header  # noqa: E402
import reference  # noqa: E402
from nav import BESIDE_REFERENCE, NAV  # noqa: E402

SOURCE = ROOT / "build" / "docs-source"
OUT = ROOT / "build" / "docs"
FORGE = "https://github.com/wspeer/wspeer"
PICTURES = (".svg", ".png")
# A link or an image: the text before the target, the target, and what is behind it.
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^()\s]+)(\))")
FENCE = re.compile(r"^( *)(```|~~~)")


def site_name(path):
    """Where a file of the tree stands on the site."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    name = path.replace("/README.md", ".md").replace("Documentation~/", "csharp-")
    return name if "/" in name else name.lower()


def files(entries):
    for _, what in entries:
        if isinstance(what, list):
            yield from files(what)
        elif what.endswith(".md"):
            yield what


def chosen():
    """The pages of the site, from the tree, and those that the navigation does not have."""
    named = [path for path in [*files(NAV), *files(BESIDE_REFERENCE)] if (ROOT / path).exists()]
    there = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
    return named, [path for path in there if path not in named]


def target(source, link, pages):
    """What a link of a file becomes on the site."""
    if re.match(r"[a-z]+:", link) or link.startswith("#"):
        return link
    path, _, anchor = link.partition("#")
    anchor = f"#{anchor}" if anchor else ""
    full = os.path.normpath(os.path.join(os.path.dirname(source), path))
    if full == "README.md":
        full = "docs/index.md"
    here = os.path.dirname(site_name(source)) or "."
    if full == "include/wspeer.h":
        return os.path.relpath("reference/manual.md", here)
    if full + "/README.md" in pages:
        full += "/README.md"
    if full in pages:
        return os.path.relpath(site_name(full), here) + anchor
    if not (ROOT / full).exists():
        raise SystemExit(f"{source}: {link} does not exist")
    if full.endswith(PICTURES):
        (SOURCE / site_name(full)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / full, SOURCE / site_name(full))
        return os.path.relpath(site_name(full), here)
    return f"{FORGE}/{'tree' if (ROOT / full).is_dir() else 'blob'}/main/{full}{anchor}"


def converted(source, text, pages):
    """A page for the site: links changed, and lists as Python-Markdown wants them: a blank line before, and four columns
    for each level."""
    out, fenced, listed, link = [], "", False, lambda found: found[1] + target(source, found[2], pages) + found[3]
    lines = text.splitlines()
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence and (not fenced or fence[2] == fenced):
            fenced = "" if fenced else fence[2]
            line = line.partition(",")[0]  # Rust's blocks may say more, such as no_run
        if not fenced and line.startswith("#"):
            line = re.sub(r"(?<=\w)#$", r"\\#", line)  # "C#", whose # would end the heading
        item = not fenced and re.match(r"( *)([-*]|\d+\.) +", line)
        if item:
            before = out[-1] if out else ""
            if before.strip() and not listed:
                out.append("")
            listed = True
        elif listed and line.strip() and not line.startswith(" ") and not out[-1].strip():
            listed = False
        if listed and line.startswith(" "):
            columns = len(line) - len(line.lstrip())
            line = (
                " " * ((columns + 1) // 2 * 4 if not item else columns // 2 * 4) + line.lstrip()
                if columns < 4
                else "    " + line
            )
        out.append(line)
    text = "\n".join(out) + "\n"
    # Links may be folded, so they are replaced in the text between the fences.
    pieces = re.split(r"(^ *```.*?^ *```$)", text, flags=re.M | re.S)
    return "".join(piece if piece.lstrip().startswith("```") else LINK.sub(link, piece) for piece in pieces)


def write(name, text):
    path = SOURCE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def navigation(entries, made):
    found = []
    for title, what in entries:
        if isinstance(what, list):
            inner = navigation(what, made)
            if inner:
                found.append({title: inner})
        elif what == "reference/":
            found.append(
                {title: [{name: f"reference/{page}.md"} for name, page in made] + navigation(BESIDE_REFERENCE, made)}
            )
        elif (ROOT / what).exists():
            found.append({title: site_name(what)})
    return found


def main():
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    named, more = chosen()
    pages = {*named, *more}
    for path in pages:
        write(site_name(path), converted(path, (ROOT / path).read_text(), pages))
    for name in ("site.css", "site.js", "iframe-worker.js"):
        shutil.copyfile(ROOT / "tools" / "site" / name, SOURCE / name)
    texts, made = reference.pages(ROOT, header.read(ROOT))
    for name, text in texts.items():
        write(f"reference/{name}.md", text)
    nav = navigation(NAV, made)
    if more:
        nav.append({"More": [site_name(path) for path in more]})
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    config = (ROOT / "tools" / "site" / "mkdocs.yml").read_text().replace("VERSION", version)
    config += f"docs_dir: {SOURCE}\nsite_dir: {OUT}\nnav: {json.dumps(nav)}\n"
    config += f"hooks: [{ROOT / 'tools' / 'site' / 'hooks.py'}]\n"
    (ROOT / "build" / "mkdocs.yml").write_text(config)
    # It warns of its next version, and of a social account that is not set.
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    command = [str(ROOT / "build/venv/bin/python"), "-m", "mkdocs", "build", "--quiet", "--strict", "--config-file"]
    return subprocess.run([*command, str(ROOT / "build" / "mkdocs.yml")], env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
