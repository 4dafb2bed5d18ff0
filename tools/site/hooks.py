"""Changes of the pages that MkDocs makes."""

import re

EMPTY = re.compile(r"<th(?: [^>]*)?></th>")
CELL = re.compile(r"<td(?: [^>]*)?>.*?</td>", re.S)
CODE = re.compile(r"(?<=<code>)[^<]+(?=</code>)")


def on_page_content(html, **_):
    """A table's head that is empty, for which Markdown has no other form, is left out; an empty cell of it is no heading.
    Names in tables may be broken behind an underscore, so that a phone shows more than one column."""
    html = re.sub(r"<thead>\s*<tr>\s*(?:<th(?: [^>]*)?></th>\s*)+</tr>\s*</thead>\s*", "", html)
    html = EMPTY.sub("<td></td>", html)
    return CELL.sub(lambda cell: CODE.sub(lambda code: re.sub(r"(?<=\w)_(?=\w)", "_<wbr>", code[0]), cell[0]), html)
