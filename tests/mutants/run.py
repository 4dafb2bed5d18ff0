#!/usr/bin/env python3
"""Tests mutants of the library with its fast tests: each mutant changes one operator, condition or result, and a test
should fail.

    tests/mutants/run.py                  all folders of FOLDERS
    tests/mutants/run.py src/protocol     the mutants of a folder, or of a file
    --only PATTERN                        those whose description matches the regular expression
    --jobs N                              number of parallel tests, 1 by default

`cargo mutants` lists them, as configured by .cargo/mutants.toml. A build for each would take days: instead, one build
of a copy in build/mutants contains all of them behind a switch, and only tests that reach a mutant are run. known.md
lists the surviving ones, each with its reason. The run fails if another one survives in the files of JUDGED.
build/mutants/result.json has the result of each.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "build" / "mutants"
TREE = WORK / "tree"
# The test programs that may detect a mutant of a folder. "lib" means the unit tests.
OF_CONNECTIONS = ["lib", "connection", "server", "multiplayer", "abi"]
FOLDERS = {
    "src/protocol": ["lib", "protocol"],
    "src/net": ["lib", "connection"],
    "src/work": OF_CONNECTIONS,
    "src/endpoint": OF_CONNECTIONS,
    "src/link": OF_CONNECTIONS,
    "src/opening": OF_CONNECTIONS,
    "src/connection": OF_CONNECTIONS,
    "src/server": ["lib", "server", "multiplayer", "abi"],
    "src/multiplayer": ["lib", "multiplayer", "abi"],
}


# Files whose surviving mutants are all in known.md. In other files they are printed and do not fail the run.
JUDGED = ["src/protocol/assembly.rs", "src/protocol/body.rs", "src/protocol/decode.rs", "src/link/heartbeat.rs"]


def out_of(command, **settings):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **settings).stdout


def programs_of(file):
    return next(tests for folder, tests in FOLDERS.items() if file.startswith(folder))


def copy():
    files = out_of(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT).splitlines()
    shutil.rmtree(TREE, ignore_errors=True)
    for file in files:
        if file.split("/")[0] in ("bindings", "docs") or not (ROOT / file).is_file():
            continue
        (TREE / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, TREE / file)
    # Files of other folders that tests read.
    for name in ("docs", "bindings"):
        (TREE / name).symlink_to(ROOT / name)
    shutil.copy2(HERE / "switch.rs", TREE / "src" / "mutants.rs")
    library = TREE / "src" / "lib.rs"
    # The generated code does not satisfy lints.
    manifest = TREE / "Cargo.toml"
    manifest.write_text(re.sub(r"^\[lints\..*?(?=^\[(?!lints)|\Z)", "", manifest.read_text(), flags=re.M | re.S))
    words = library.read_text()
    place = re.search(r"^(?:pub(?:\([^)]*\))? )?mod ", words, re.M).start()
    library.write_text(words[:place] + "#[doc(hidden)]\n#[allow(missing_docs)]\npub mod mutants;\n" + words[place:])


def rewrite(tool, dropped):
    """Writes the mutants into the copy. Returns their places, and those without a switch."""
    copy()
    (WORK / "dropped").write_text("".join(f"{number}\n" for number in sorted(dropped)))
    ranges, unwritten = {}, set()
    for line in out_of([tool, str(WORK / "list.json"), str(WORK / "dropped"), str(TREE)]).splitlines():
        number, *place = line.split()
        if place:
            ranges.setdefault(place[0], []).append((int(place[1]), int(place[2]), int(number)))
        else:
            unwritten.add(int(number))
    return ranges, unwritten


def blamed(messages, ranges):
    """The mutants that cause compiler errors: those with the smallest range around each error."""
    found = set()
    for message in messages:
        for span in (span for span in message["spans"] if span["is_primary"]):
            while span["file_name"] not in ranges and span["expansion"]:
                span = span["expansion"]["span"]
            file, start, end = span["file_name"], span["byte_start"], span["byte_end"]
            places = ranges.get(file, [])
            around = [(to - since, number) for since, to, number in places if since <= start and end <= to]
            # Mutants inside the range too, because a result of another type is reported at the end of the function.
            around = around or [(0, number) for since, to, number in places if start <= since and to <= end]
            around = around or [(start - to, number) for since, to, number in places if to <= start]
            if around:
                narrowest = min(around)[0]
                found |= {number for size, number in around if size == narrowest}
    return found


def compile_tests(programs, environment):
    """The test programs by name, or the compiler's errors."""
    wanted = ["--lib"] + [word for name in programs if name != "lib" for word in ("--test", name)]
    command = ["cargo", "test", "--locked", "--no-run", "--message-format=json", *wanted]
    done = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    built, errors = {}, []
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-message" and message["message"]["level"] == "error":
            errors.append(message["message"])
        if message["reason"] == "compiler-artifact" and message["executable"] and message["profile"]["test"]:
            kind = message["target"]["kind"][0]
            built["lib" if kind not in ("test", "bin", "example") else message["target"]["name"]] = message[
                "executable"
            ]
    if done.returncode and not errors:
        sys.exit(f"the copy does not compile:\n{done.stderr[-3000:]}")
    return built, errors


def build(tool, mutants, programs, environment):
    """Builds with as many mutants as compile. Returns the programs, and the numbers of the mutants in them."""
    # A function that returns `impl Iterator` cannot return another type.
    numbers = set(range(len(mutants)))
    dropped = {
        number
        for number in numbers
        if "impl Iterator" in ((mutants[number]["function"] or {}).get("return_type") or "")
    }
    while True:
        ranges, unwritten = rewrite(tool, dropped)
        built, errors = compile_tests(programs, environment)
        if not errors:
            return built, numbers - dropped - unwritten
        more = blamed(errors, ranges) - dropped
        if not more:
            sys.exit("\n".join(error["rendered"] for error in errors[:5]))
        print(f"# {len(more)} mutants do not compile", flush=True)
        dropped |= more


def run(program, test, limit, **settings):
    """Whether a test passes within a limit in seconds."""
    environment = os.environ | settings | {"RUST_BACKTRACE": "0"}
    try:
        done = subprocess.run(
            [program, "--exact", test, "--test-threads=1"],
            cwd=TREE,
            env=environment,
            timeout=limit,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return done.returncode == 0
    except subprocess.TimeoutExpired:
        return False


def reached(built, jobs):
    """Each test with its time, and the mutants that it reaches."""
    tests = []
    for name, program in built.items():
        for line in out_of([program, "--list"], cwd=TREE).splitlines():
            if line.endswith(": test"):
                tests.append((name, program, line.removesuffix(": test")))

    def one(test):
        name, program, title = test
        seen = WORK / "seen" / f"{name}-{title.replace(':', '_')}"
        seen.unlink(missing_ok=True)
        began = time.monotonic()
        passes = run(program, title, 600, WSPEER_MUTANTS_SEEN=str(seen))
        if not passes:
            print(f"# {name} {title} fails without a mutant: left out", flush=True)
            return None
        numbers = {int(line) for line in seen.read_text().splitlines()} if seen.exists() else set()
        return time.monotonic() - began, name, program, title, numbers

    shutil.rmtree(WORK / "seen", ignore_errors=True)
    (WORK / "seen").mkdir(parents=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return sorted((test for test in pool.map(one, tests) if test), key=lambda test: test[0])


def key(mutant):
    """Identifies a mutant independently of its line number: the file, the description, the line's text and the position
    in it."""
    start = mutant["span"]["start"]
    line = (ROOT / mutant["file"]).read_text().splitlines()[start["line"] - 1]
    described = re.sub(r"^[^ ]*: ", "", mutant["name"])
    return (
        f"{mutant['file']}: {described} | {line.strip()} | {start['column'] - len(line) + len(line.lstrip())}".replace(
            "`", "'"
        )
    )


def known():
    lines = (HERE / "known.md").read_text().splitlines()
    return {match[1] for line in lines if (match := re.match(r"- `(.*)`$", line))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="*", default=list(FOLDERS))
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    patterns = [
        word
        for place in options.places
        for word in ("-f", place if place.endswith(".rs") else f"{place}/**", "-f", f"{place}.rs")
    ]
    mutants = json.loads(out_of(["cargo", "mutants", "--list", "--json", *patterns], cwd=ROOT))
    (WORK / "list.json").write_text(json.dumps(mutants))
    target = os.environ.get("CARGO_TARGET_DIR", str(WORK / "target"))
    environment = os.environ | {"CARGO_TARGET_DIR": target, "CARGO_PROFILE_DEV_DEBUG": "0"}
    tool_target = {"CARGO_TARGET_DIR": str(WORK / "tool")}
    subprocess.run(
        ["cargo", "build", "--quiet", "--locked", "--manifest-path", HERE / "Cargo.toml"],
        check=True,
        env=os.environ | tool_target,
    )
    programs = sorted({program for mutant in mutants for program in programs_of(mutant["file"])})
    built, there = build(str(WORK / "tool" / "debug" / "mutants"), mutants, programs, environment)
    tests = reached(built, options.jobs)
    print(f"# {len(there)} of {len(mutants)} mutants compile and have a switch; {len(tests)} tests", flush=True)

    def attempt(number):
        mutant = mutants[number]
        allowed = programs_of(mutant["file"])
        for took, name, program, title, numbers in tests:
            if (
                name in allowed
                and number in numbers
                and not run(program, title, 10 + 5 * took, WSPEER_MUTANT=str(number))
            ):
                return number, f"{name} {title}"
        return number, None

    chosen = [number for number in sorted(there) if re.search(options.only, mutants[number]["name"])]
    results, lives, listed = {}, [], known()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for number, by in pool.map(attempt, chosen):
            mutant = mutants[number]
            is_new = by is None and key(mutant) not in listed
            results[key(mutant)] = by or ("new" if is_new else "known")
            if is_new:
                lives.append(key(mutant))
                print(f"- `{key(mutant)}`", flush=True)
            (WORK / "result.json").write_text(json.dumps(results, indent=1))
    rates = {}
    for number in chosen:
        folder = next(folder for folder in FOLDERS if mutants[number]["file"].startswith(folder))
        caught = results[key(mutants[number])] not in ("new", "known")
        rates.setdefault(folder, [0, 0])
        rates[folder][0] += caught
        rates[folder][1] += 1
    for folder, (caught, total) in sorted(rates.items()):
        print(f"{folder}: {caught} of {total} caught, {100 * caught / total:.0f} %")
    unknown = [name for name in lives if name.startswith(tuple(JUDGED))]
    print(f"{len(lives)} live and are not in tests/mutants/known.md, {len(unknown)} of them in files that were judged")
    return 1 if unknown else 0


sys.exit(main())
