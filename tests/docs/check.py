#!/usr/bin/env python3
"""The site in build/docs as files: links and anchors lead somewhere, nothing is loaded from elsewhere, and each page
has the whole text of the Markdown that it is made from."""

import html.parser
import os
import pathlib
import re
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "docs"
sys.path[:0] = [str(ROOT / "tools" / "generate"), str(ROOT / "tools" / "site")]
import build  # noqa: E402
import header  # noqa: E402

# Links to the forge lead to what is in this tree, and are checked here.
FORGE = re.compile(re.escape(build.FORGE) + r"/(?:blob|tree)/main/(.*)")
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href"}
failures = 0


def check(good, what, why=()):
    global failures
    failures += not good
    print(
        f"{'ok' if good else 'not ok'} - docs: {what}" + "".join(f"\n# {line}" for line in list(why)[:20] if not good)
    )


class Page(html.parser.HTMLParser):
    """Its links, anchors, what it loads, and the text of its article."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.loads, self.text = [], set(), [], []
        self._article = self._hidden = 0
        self.feed(path.read_text())
        self.words = letters("".join(self.text))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag in LOADED and attrs.get(LOADED[tag]) and attrs.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(attrs[LOADED[tag]])
        self._article += tag == "article"
        # The sign of a permalink is no text of the page.
        self._hidden += tag == "a" and "headerlink" in (attrs.get("class") or "")
        if tag in ("p", "td", "th", "li", "h1", "h2", "h3", "pre", "br"):
            self.text.append(" ")

    def handle_endtag(self, tag):
        self._article -= tag == "article"
        if tag == "a" and self._hidden:
            self._hidden -= 1

    def handle_data(self, data):
        if self._article and not self._hidden:
            self.text.append(data)


def letters(text):
    """A text without its spaces and the signs of Markdown, which a page shows as lines, breaks and emphasis."""
    return re.sub(r"[\s\u00a0*_`\\\[\]]+", "", text)


def plain(markdown):
    """The text of a piece of Markdown outside of fences."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", markdown)
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.S)
    text = re.sub(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\[((?:[^\[\]])*)\]\[[^\]]*\]", r"\1", text)
    return html.unescape(text)


def pieces(markdown):
    """What of a source must stand on its page: the code of fences, and every paragraph, item, heading and cell."""
    for at, block in enumerate(re.split(r"^ *```[^\n]*\n(.*?)^ *```$", markdown, flags=re.M | re.S)):
        if at % 2:
            for line in block.splitlines():
                yield line
            continue
        for part in re.split(r"\n\s*\n|^(?= *(?:[-*]|\d+\.) )|^(?= *(?:\||#))", block, flags=re.M):
            if re.fullmatch(r"[|:\- ]+", part.strip()):
                continue
            if part.lstrip().startswith("|"):
                for cell in re.split(r"(?<!\\)\|", part.strip().strip("|")):
                    yield plain(cell.replace(r"\|", "|"))
            elif not re.match(r"\[[^\]]+\]: ", part):
                yield plain(re.sub(r"^ *(?:[-*]|\d+\.|#+) +", "", part))


def whole_texts(pages):
    named, more = build.chosen()
    lost = []
    for source in [*named, *more]:
        page = pages[SITE / build.site_name(source).replace(".md", ".html")]
        text = (ROOT / source).read_text()
        lost += [f"{source}: {' '.join(piece.split())}" for piece in pieces(text) if letters(piece) not in page.words]
    check(not lost, f"each of {len(named) + len(more)} pages has the whole text of its source", lost)


def links(pages):
    dead, elsewhere, count = [], [], 0
    for path, page in pages.items():
        for link in page.links:
            count += 1
            found = FORGE.fullmatch(link.partition("#")[0])
            if found and not (ROOT / found[1]).exists():
                dead.append(f"{path.name}: {link}")
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = pathlib.Path(os.path.normpath(path.parent / urllib.parse.unquote(name))) if name else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                dead.append(f"{path.relative_to(SITE)}: {link}")
            elif anchor and target.suffix == ".html" and urllib.parse.unquote(anchor) not in pages[target].anchors:
                dead.append(f"{path.relative_to(SITE)}: {link} has no such anchor")
        elsewhere += [f"{path.name}: {what}" for what in page.loads if re.match(r"(https?:)?//", what)]
        dead += [
            f"{path.relative_to(SITE)}: {what}"
            for what in page.loads
            if not re.match(r"[a-z]+:|//", what) and not (path.parent / what.partition("?")[0]).exists()
        ]
    check(count > 5000 and not dead, f"{count} links and their anchors lead somewhere", dead)
    check(not elsewhere, "nothing is loaded from elsewhere", elsewhere)


def readme(pages):
    """README's links, whose pages are on the site or in the tree."""
    named, more = build.chosen()
    dead, found = [], re.findall(r"\]\(([^()\s]+)\)", (ROOT / "README.md").read_text())
    for link in found:
        path, _, anchor = link.partition("#")
        if not (ROOT / path).exists():
            dead.append(link)
        elif anchor:
            page = SITE / build.site_name(path).replace(".md", ".html")
            if path not in [*named, *more] or anchor not in pages[page].anchors:
                dead.append(link)
    check(len(found) > 30 and not dead, f"the {len(found)} links of README lead somewhere", dead)


def reference(pages):
    names = header.read(ROOT)
    there = {anchor for path, page in pages.items() if path.parent.name == "reference" for anchor in page.anchors}
    wanted = [one.name for one in (*names.functions, *names.structs)]
    wanted += [one.name.lower() for one in names.constants]
    wanted += [f"{struct.name}-{field.name}" for struct in names.structs for field in struct.fields]
    missing = [name for name in wanted if name not in there]
    check(len(wanted) > 500 and not missing, f"the reference has all {len(wanted)} names of the header", missing)
    words = "".join(page.words for path, page in pages.items() if path.parent.name == "reference")
    lost = [
        f"{one.name}: {line}"
        for one in (*names.functions, *names.constants)
        for line in one.doc
        if line and not line.startswith("  ") and letters(line) not in words
    ]
    check(not lost, "and the whole comment of each", lost)


def main():
    pages = {path: Page(path) for path in sorted(SITE.rglob("*.html")) if path.name != "404.html"}
    links(pages)
    readme(pages)
    whole_texts(pages)
    reference(pages)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
