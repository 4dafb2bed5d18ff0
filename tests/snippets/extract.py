#!/usr/bin/env python3
"""Prints a fenced block of a Markdown file unchanged. Usage: extract.py FILE LANGUAGE PART: the only block of LANGUAGE
that contains PART."""
import re
import sys


def main():
    path, language, part = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.M | re.S)
    found = [text for name, text in blocks if name == language and part in text]
    if len(found) != 1:
        sys.exit(f"{path}: {len(found)} blocks of {language} contain {part!r}, and not one")
    sys.stdout.write(found[0])


if __name__ == "__main__":
    main()
