#!/usr/bin/env python3
"""The C++ examples print the same as those in C. Usage: run_examples.py FOLDER"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
import certificates  # noqa: E402
import examples  # noqa: E402
import harness  # noqa: E402

certificates.make()
examples.FOLDER = pathlib.Path(sys.argv[1]).resolve()
examples.echo("ws", [], [])
examples.echo(
    "wss", [certificates.path("chain.pem"), certificates.path("leaf.key")], ["", certificates.path("root.pem")]
)
examples.chat()
examples.mistakes()
sys.exit(1 if harness.failures else 0)
