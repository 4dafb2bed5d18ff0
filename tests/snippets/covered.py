#!/usr/bin/env python3
"""Whether each code block of the site, README and SECURITY is in a test. Usage: covered.py USED: the file in which
extract.py noted the blocks that it printed."""

import hashlib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools" / "generate"), str(ROOT / "tools" / "site")]
import build  # noqa: E402

LANGUAGES = {"c", "cpp", "csharp", "python", "gdscript", "lua", "cmake", "javascript", "nginx", "haproxy", "caddyfile"}
# Blocks that other suites run.
ELSEWHERE = {
    ("docs/binding.md", "lua"): "lua",
    ("docs/cookbook.md", "nginx"): "behind",
    ("docs/cookbook.md", "haproxy"): "behind",
    ("docs/cookbook.md", "caddyfile"): "behind",
}


def main():
    used = set(pathlib.Path(sys.argv[1]).read_text().split())
    named, more = build.chosen()
    count, missing = 0, []
    for path in ["README.md", *named, *more]:
        for language, text in re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", (ROOT / path).read_text(), re.M | re.S):
            if language not in LANGUAGES or (path, language) in ELSEWHERE:
                continue
            count += 1
            if hashlib.sha256(text.encode()).hexdigest() not in used:
                missing.append(f"{path}: {language}: {text.splitlines()[0]}")
    print("\n".join(missing))
    sys.exit(bool(missing) or count < 60)


if __name__ == "__main__":
    main()
