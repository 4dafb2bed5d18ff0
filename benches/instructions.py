#!/usr/bin/env python3
"""Counts instructions with valgrind's callgrind: of a 64 B message in batches of 32, of one message there and back, and
of an idle poll.

The counts do not depend on the load of the machine. Usage: instructions.py [LIBRARY-DIRECTORY …] prints one column for
each (default: build)."""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bench" / "instructions"
# Number of messages in a round of each case.
CASES = {
    "client_to_server": 32,
    "client_to_conn": 32,
    "conn_to_client": 32,
    "one_message": 1,
    "idle_client": 1,
    "idle_server": 1,
}


def total(case, rounds, library):
    with tempfile.NamedTemporaryFile() as out:
        words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", PROGRAM, case, str(rounds)]
        subprocess.run(words, check=True, env={"LD_LIBRARY_PATH": library, "PATH": "/usr/bin:/bin"}, stderr=subprocess.DEVNULL)
        return int(re.search(r"^(?:summary|totals): (\d+)", pathlib.Path(out.name).read_text(), re.M).group(1))


def main():
    libraries = sys.argv[1:] or [str(ROOT / "build")]
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-std=c99", "-O2", f"-I{ROOT}/include", str(ROOT / "benches" / "instructions.c"), "-o", str(PROGRAM)]
    subprocess.run(["cc", *flags, f"-L{ROOT}/build", "-lwspeer"], check=True)
    print(f"{'instructions':18}" + "".join(f"{pathlib.Path(library).name:>12}" for library in libraries))
    for case, messages in CASES.items():
        few, many = 200, 1_200
        counts = [(total(case, many, library) - total(case, few, library)) / (many - few) / messages for library in libraries]
        print(f"{case:18}" + "".join(f"{count:12.0f}" for count in counts), flush=True)


if __name__ == "__main__":
    main()
