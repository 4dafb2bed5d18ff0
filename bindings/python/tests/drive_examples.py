"""The three examples, which print what those in C print: the cases of tests/peers/examples.py with other programs. Usage: examples.py INTERPRETER"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests" / "peers"))
import certificates  # noqa: E402
import examples  # noqa: E402
import harness  # noqa: E402

INTERPRETER = sys.argv[1]


def command(name: str) -> list[str]:
    return [INTERPRETER, "-X", "dev", "-W", "error", str(ROOT / "bindings/python/examples" / f"{name}.py")]


certificates.make()
examples.program = command
examples.language = "python: "
examples.echo("ws", [], [])
examples.echo("wss", [certificates.path("chain.pem"), certificates.path("leaf.key")], ["", certificates.path("root.pem")])
examples.chat()
examples.mistakes()
sys.exit(1 if harness.failures else 0)
