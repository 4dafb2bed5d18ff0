#!/usr/bin/env python3
"""Makes the packages of build/release a second time, from a clone in another folder with another cargo folder, and
compares the checksums. Usage: again.py [ARGUMENT OF make.py …]"""

import os
import shutil
import subprocess
import sys

from files import OUT, ROOT, WORK, epoch, run


def main():
    copy = WORK / "again"
    shutil.rmtree(copy, ignore_errors=True)
    run("git", "clone", "-q", "--no-hardlinks", ROOT, copy / "another-checkout")
    checkout = copy / "another-checkout"
    # Tools are not built: the second build uses those of the first.
    (checkout / "build/release-work").mkdir(parents=True)
    (checkout / "build/release-work/tools").symlink_to(WORK / "tools")
    for name in ("venv", "dotnet"):
        if (ROOT / "build" / name).exists():
            (checkout / "build" / name).symlink_to(ROOT / "build" / name)
    environment = dict(os.environ, CARGO_TARGET_DIR=str(copy / "cargo"), SOURCE_DATE_EPOCH=str(epoch()))
    subprocess.run(["tools/release/make.py", *sys.argv[1:]], cwd=checkout, env=environment, check=True)
    first, second = (sums(folder) for folder in (OUT, checkout / "build/release"))
    failures = 0
    for name in sorted(second):
        equal = first.get(name) == second[name]
        failures += not equal
        print(f"{'ok' if equal else 'not ok'} - reproducible: {name}")
    missing = [] if sys.argv[1:] else sorted(set(first) - set(second))
    for name in missing:
        print(f"not ok - reproducible: {name} was not made again")
    if not failures and not missing:
        shutil.rmtree(copy)
    return failures > 0 or bool(missing)


def sums(folder):
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


if __name__ == "__main__":
    sys.exit(main())
