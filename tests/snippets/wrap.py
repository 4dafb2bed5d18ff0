#!/usr/bin/env python3
"""Makes a program of a code fragment: lines after "every frame" become its loop. Usage: wrap.py LANGUAGE < PART;
LANGUAGE is c, cpp, csharp or python."""
import re
import sys

HEADS = {
    "c": '#include "wspeer.h"\n#include <stdio.h>\n#include <string.h>\nint main(void) {\n',
    "cpp": "#include <wspeer.hpp>\n#include <iostream>\nint main() {\n",
    "csharp": "using System;\nusing Wspeer;\nstatic class Snippet\n{\n    static void Main()\n    {\n",
}


def braces(language, part):
    before, _, loop = (
        re.split(r"^(/\* every frame \*/|// every frame)\n", part, flags=re.M)
        if "every frame" in part
        else (part, "", "")
    )
    always = "1" if language == "c" else "true"
    body = f"while ({always}) {{\n{loop}}}\n" if loop else ""
    head = HEADS[language]
    if "await " in part:
        # Mono's compiler takes no asynchronous Main.
        run = "static void Main() => Run().GetAwaiter().GetResult();\n\n    static async System.Threading.Tasks.Task Run"
        head = head.replace("static void Main", run)
    return head + before + body + ("}\n}\n" if language == "csharp" else "}\n")


def python(part):
    """Indents the rest of the block by one level."""
    lines, indent = ["import asyncio", "import wspeer"], None
    asynchronous = "async with" in part
    for line in part.splitlines():
        if line.strip() == "# every frame":
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}while True:")
        else:
            lines.append(line if indent is None else "    " + line)
    if asynchronous:
        lines = lines[:2] + ["async def main():"] + ["    " + line for line in lines[2:]] + ["asyncio.run(main())"]
    return "\n".join(lines) + "\n"


def main():
    part = sys.stdin.read()
    sys.stdout.write(python(part) if sys.argv[1] == "python" else braces(sys.argv[1], part))


if __name__ == "__main__":
    main()
