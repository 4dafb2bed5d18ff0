#!/usr/bin/env python3
"""Prints a fenced block of a Markdown file unchanged. Usage: extract.py FILE LANGUAGE PART: the only block of LANGUAGE
that contains PART. If SNIPPETS_USED names a file, it adds a line there, for covered.py."""
import hashlib
import os
import re
import sys


def main():
    path, language, part = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.M | re.S)
    found = [text for name, text in blocks if name == language and part in text]
    if len(found) != 1:
        sys.exit(f"{path}: {len(found)} blocks of {language} contain {part!r}, and not one")
    if used := os.environ.get("SNIPPETS_USED"):
        with open(used, "a", encoding="utf-8") as file:
            file.write(hashlib.sha256(found[0].encode()).hexdigest() + "\n")
    sys.stdout.write(found[0])


if __name__ == "__main__":
    main()
