#!/usr/bin/env bash
# Installs what builds the site into build/venv: MkDocs Material. The versions are in requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build
[ -x build/venv/bin/python ] || python3 -m venv build/venv
# Only if a version differs: an installed one needs no network.
build/venv/bin/python - << 'END' || build/venv/bin/python -m pip install -q -r tools/site/requirements.txt
import importlib.metadata, pathlib, sys
try:
    wrong = [line for line in pathlib.Path("tools/site/requirements.txt").read_text().split()
             if importlib.metadata.version(line.split("==")[0]) != line.split("==")[1]]
except importlib.metadata.PackageNotFoundError as missing:
    wrong = [missing]
sys.exit(bool(wrong))
END
