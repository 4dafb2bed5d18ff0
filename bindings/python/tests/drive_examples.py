"""Runs the cases of tests/peers/examples.py with the three Python examples, which print what those in C print. Usage:
drive_examples.py INTERPRETER"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests" / "peers"))
import certificates  # noqa: E402
import harness  # noqa: E402

import examples  # noqa: E402

# Wrapper programs under the names that the cases run.
examples.FOLDER = ROOT / "build" / "python" / "examples"
examples.FOLDER.mkdir(parents=True, exist_ok=True)
for source in (ROOT / "bindings" / "python" / "examples").glob("*.py"):
    program = examples.FOLDER / source.stem
    program.write_text(f'#!/bin/sh\nexec "{sys.argv[1]}" -X dev -W error "{source}" "$@"\n')
    program.chmod(0o755)
certificates.make()
examples.echo("ws", [], [])
examples.echo(
    "wss",
    [certificates.path("chain.pem"), certificates.path("leaf.key")],
    ["", certificates.path("root.pem")],
)
examples.chat()
examples.mistakes()
sys.exit(1 if harness.failures else 0)
