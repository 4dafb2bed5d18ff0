"""Generated parts of hand-written files: the lines between `<generated: NAME>` and `</generated>`."""

import re

from table import Mistake


def replace(path, text, name, part):
    """The text of a file with the part of that name replaced; `part` ends with a newline."""
    pattern = rf"(?P<start>^[^\n]*<!?-?-? ?generated: {name}\b[^\n]*\n).*?(?P<end>^[^\n]*/generated)"
    placed, count = re.subn(pattern, lambda found: found["start"] + part + found["end"], text, flags=re.S | re.M)
    if count != 1:
        raise Mistake(f"{path}: the part `generated: {name}` is there {count} times instead of once")
    return placed


def without(text):
    """The hand-written text: without its generated parts."""
    return re.sub(r"(^[^\n]*generated: [a-z_ ]+\b[^\n]*\n).*?(^[^\n]*/generated)", r"\1\2", text, flags=re.S | re.M)
