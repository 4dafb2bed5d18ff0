#!/usr/bin/env python3
"""Tests mutants of the library with its fast tests: each mutant changes one operator, condition or result, and a test
should fail.

    tests/mutants/run.py                  all folders of FOLDERS
    tests/mutants/run.py src/protocol     the mutants of a folder, or of a file
    --only PATTERN                        those whose description matches the regular expression
    --again                               without those that earlier runs caught
    --minutes N                           at most N minutes for each place; those that were tried are an even sample
    --longest N                           without the tests that take more than N seconds, 60 by default
    --reuse                               with the build of the last run, if no source has changed
    --jobs N                              number of parallel processes, 2 by default

`cargo mutants` lists them, as configured by .cargo/mutants.toml. A build for each would take days: instead, one build
of a copy in build/mutants contains all of them behind a switch, and only tests that reach a mutant are run: in batches,
first the tests that caught most mutants of the same function for their time. A test that fails in a batch must also
fail alone. known.md lists the surviving mutants, each with its reason. The run fails if another one survives in the
places of JUDGED. build/mutants/result.json has the result of each, including those of earlier runs.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
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
    "src/multiplayer": ["lib", "protocol", "multiplayer", "abi"],
}


# Places whose surviving mutants are all in known.md. In others they are printed and do not fail the run.
OF_LINK = "backlog close compression heartbeat message_heartbeat mod outgoing pong rate slices".split()
OF_PROTOCOL = "assembly body client control decode deflate encode extension head header headers heartbeat mask".split()
OF_PROTOCOL += "server utf8 violation".split()
OF_SERVER = "broadcast items key_queue refusals timers turns".split()
JUDGED = [f"src/protocol/{name}.rs" for name in OF_PROTOCOL]
JUDGED += [f"src/link/{name}.rs" for name in OF_LINK]
OF_MULTIPLAYER = "host ids join membership mod news relay roster scene_host scene_join scene_packets target wire"
JUDGED += [f"src/multiplayer/{name}.rs" for name in OF_MULTIPLAYER.split()] + ["src/multiplayer/scene/"]
JUDGED += [f"src/server/{name}.rs" for name in OF_SERVER]


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
    manifest.write_text(
        re.sub(
            r"^\[lints\..*?(?=^\[(?!lints)|\Z)",
            "",
            manifest.read_text(),
            flags=re.M | re.S,
        )
    )
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


# Dependencies are compiled once, and most time of many tests is theirs.
PROFILE = [
    "--config",
    'profile.dev.package."*".opt-level=1',
    "--config",
    "profile.dev.opt-level=1",
]


def cargo(command, environment):
    """What cargo built, and the compiler's errors."""
    done = subprocess.run(
        ["cargo", *command, "--locked", "--message-format=json", *PROFILE],
        cwd=TREE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    errors = [
        message["message"]
        for message in messages
        if message["reason"] == "compiler-message" and message["message"]["level"] == "error"
    ]
    if done.returncode and not errors:
        sys.exit(f"the copy does not compile:\n{done.stderr[-3000:]}")
    return [message for message in messages if message["reason"] == "compiler-artifact"], errors


def build(tool, mutants, programs, environment):
    """Builds with as many mutants as compile. Returns the programs, and the numbers of the mutants in them."""
    # A function that returns `impl Iterator` cannot return another type.
    numbers = set(range(len(mutants)))
    keys = [key(mutant) for mutant in mutants]
    earlier = WORK / "dropped.json"
    known_bad = set(json.loads(earlier.read_text())) if earlier.exists() else set()
    dropped = {
        number
        for number in numbers
        if "impl Iterator" in ((mutants[number]["function"] or {}).get("return_type") or "")
        or keys[number] in known_bad
    }
    targets = ["--lib"] + [word for name in programs if name != "lib" for word in ("--test", name)]
    while True:
        ranges, unwritten = rewrite(tool, dropped)
        built, errors = cargo(["check", "--lib"], environment)
        if not errors:
            built, errors = cargo(["test", "--no-run", *targets], environment)
        if not errors:
            break
        more = blamed(errors, ranges) - dropped
        if not more:
            sys.exit("\n".join(error["rendered"] for error in errors[:5]))
        print(f"# {len(more)} mutants do not compile", flush=True)
        dropped |= more
        earlier.write_text(json.dumps(sorted(known_bad | {keys[number] for number in dropped}), indent=1))
    executables = {}
    for artifact in built:
        if artifact["executable"] and artifact["profile"]["test"]:
            is_test = artifact["target"]["kind"][0] == "test"
            executables[artifact["target"]["name"] if is_test else "lib"] = artifact["executable"]
    return executables, numbers - dropped - unwritten


@dataclasses.dataclass(frozen=True)
class Test:
    """A test, the seconds that it takes, and the mutants that it reaches."""

    name: str
    program: str
    title: str
    took: float = 0.0
    reaches: frozenset = frozenset()


def run(tests, **settings):
    """Runs tests of one program until one fails. The failed one, or None; those that passed; whether time ran out.

    A test that loops forever is ended by the limit of CPU time, and one that waits forever by that of wall time.
    """
    took = sum(test.took for test in tests)
    limits = ["prlimit", f"--cpu={int(8 + 5 * took)}", f"--as={6 << 30}"]
    command = [
        *limits,
        tests[0].program,
        "--exact",
        "--test-threads=3",
        *(test.title for test in tests),
    ]
    process = subprocess.Popen(
        command,
        cwd=TREE,
        env=os.environ | settings | {"RUST_BACKTRACE": "0"},
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def stop():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    overtime = threading.Timer(30 + 10 * took, stop)
    overtime.start()
    by_title, passed, failed = {test.title: test for test in tests}, [], None
    for line in process.stdout:
        match = re.match(r"test (\S+)(?: - should panic)? \.\.\. (ok|FAILED)$", line.rstrip())
        if match and match[2] == "ok":
            passed.append(by_title[match[1]])
        elif match:
            failed = by_title[match[1]]
            stop()
            break
    process.stdout.close()
    process.wait()
    overtime.cancel()
    return failed, passed, failed is None and len(passed) < len(tests)


def reached(built, jobs):
    """Each test with its time, and the mutants that it reaches."""
    tests = []
    for name, program in built.items():
        for line in out_of([program, "--list"], cwd=TREE).splitlines():
            if line.endswith(": test"):
                tests.append(Test(name, program, line.removesuffix(": test"), 20.0))

    def one(test):
        seen = WORK / "seen" / f"{test.name}-{test.title.replace(':', '_')}"
        began = time.monotonic()
        _, passed, _ = run([test], WSPEER_MUTANTS_SEEN=str(seen))
        if not passed:
            print(
                f"# {test.name} {test.title} fails without a mutant: left out",
                flush=True,
            )
            return None
        numbers = frozenset(int(line) for line in seen.read_text().splitlines()) if seen.exists() else frozenset()
        return dataclasses.replace(test, took=time.monotonic() - began, reaches=numbers)

    shutil.rmtree(WORK / "seen", ignore_errors=True)
    (WORK / "seen").mkdir(parents=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [test for test in pool.map(one, tests) if test]


class Attempts:
    """Tries mutants, and learns which tests catch those of a function and of a file."""

    def __init__(self, tests):
        self.tests = tests
        # Of a place and a test: how often it failed, and how often it ran.
        self.history = collections.defaultdict(lambda: [0, 0])

    def promise(self, mutant, test):
        """Mutants caught for each second, as far as earlier attempts let expect."""
        file = self.history[mutant["file"], test]
        function = self.history[mutant["file"], (mutant["function"] or {}).get("function_name"), test]
        of_file = (file[0] + 0.1) / (file[1] + 1)
        return (function[0] + 2 * of_file) / (function[1] + 2) / (test.took + 0.05)

    def note(self, mutant, test, fails):
        for place in (
            (mutant["file"], test),
            (mutant["file"], (mutant["function"] or {}).get("function_name"), test),
        ):
            self.history[place][0] += fails
            self.history[place][1] += 1

    def catch(self, mutant, number):
        """What catches a mutant, or None."""
        allowed = programs_of(mutant["file"])
        left = [test for test in self.tests if test.name in allowed and number in test.reaches]
        left.sort(key=lambda test: self.promise(mutant, test), reverse=True)
        seconds = 0.2
        while left:
            batch, took = [], 0.0
            while left and (not batch or took + left[0].took <= seconds):
                took += left[0].took
                batch.append(left.pop(0))
            seconds *= 4
            for program in {test.program: None for test in batch}:
                by = self.catch_by([test for test in batch if test.program == program], mutant, number)
                if by:
                    return by
        return None

    def catch_by(self, tests, mutant, number):
        while tests:
            failed, passed, is_over = run(tests, WSPEER_MUTANT=str(number))
            for test in passed:
                self.note(mutant, test, False)
            tests = [test for test in tests if test not in passed]
            if is_over and len(tests) == 1:
                failed = tests[0]
            elif is_over:
                # One of them ended or stopped the process: find out which.
                return next(
                    (by for test in tests if (by := self.catch_by([test], mutant, number))),
                    None,
                )
            elif failed and len(passed) + len(tests) > 1 and run([failed], WSPEER_MUTANT=str(number))[1]:
                # It failed because of the others, or because the machine is busy.
                tests.remove(failed)
                continue
            if failed:
                self.note(mutant, failed, True)
                return f"{failed.name} {failed.title}"
        return None


def key(mutant):
    """Identifies a mutant independently of its line number: the file, the description, the line's text and the position
    in it."""
    start = mutant["span"]["start"]
    line = (ROOT / mutant["file"]).read_text().splitlines()[start["line"] - 1]
    described = re.sub(r"^[^ ]*: ", "", mutant["name"])
    column = start["column"] - len(line) + len(line.lstrip())
    return f"{mutant['file']}: {described} | {line.strip()} | {column}".replace("`", "'")


def known():
    lines = (HERE / "known.md").read_text().splitlines()
    return {match[1] for line in lines if (match := re.match(r"- `(.*)`$", line))}


def evenly(numbers):
    """The same numbers in an order in which the first ones, however many, lie evenly among all."""
    ordered = sorted(numbers)
    return [
        number
        for _, number in sorted(((index * 0.6180339887498949) % 1, number) for index, number in enumerate(ordered))
    ]


def prepare(options):
    """Lists the mutants of the places, builds them, and finds out which tests reach them."""
    patterns = [
        word
        for place in options.places
        for word in (
            "-f",
            place if place.endswith(".rs") else f"{place}/**",
            "-f",
            f"{place}.rs",
        )
    ]
    mutants = json.loads(out_of(["cargo", "mutants", "--list", "--json", *patterns], cwd=ROOT))
    (WORK / "list.json").write_text(json.dumps(mutants))
    target = os.environ.get("CARGO_TARGET_DIR", str(WORK / "target"))
    environment = os.environ | {
        "CARGO_TARGET_DIR": target,
        "CARGO_PROFILE_DEV_DEBUG": "0",
        "CARGO_INCREMENTAL": "0",
    }
    tool_target = {"CARGO_TARGET_DIR": str(WORK / "tool")}
    subprocess.run(
        [
            "cargo",
            "build",
            "--quiet",
            "--locked",
            "--manifest-path",
            HERE / "Cargo.toml",
        ],
        check=True,
        env=os.environ | tool_target,
    )
    programs = sorted({program for mutant in mutants for program in programs_of(mutant["file"])})
    built, there = build(str(WORK / "tool" / "debug" / "mutants"), mutants, programs, environment)
    tests = [
        [test.name, test.program, test.title, test.took, sorted(test.reaches)] for test in reached(built, options.jobs)
    ]
    keys = [key(mutant) for mutant in mutants]
    return {"mutants": mutants, "keys": keys, "there": sorted(there), "tests": tests}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="*", default=list(FOLDERS))
    parser.add_argument("--only", default="")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--longest", type=float, default=60.0)
    parser.add_argument("--reuse", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    last = WORK / "build.json"
    if not options.reuse:
        last.write_text(json.dumps(prepare(options)))
    prepared = json.loads(last.read_text())
    mutants, there = prepared["mutants"], set(prepared["there"])
    tests = [
        Test(name, program, title, took, frozenset(reaches))
        for name, program, title, took, reaches in prepared["tests"]
    ]
    quick = [test for test in tests if test.took <= options.longest]
    print(
        f"# {len(there)} of {len(mutants)} mutants compile and have a switch; {len(quick)} of {len(tests)} tests",
        flush=True,
    )

    keys, listed = prepared["keys"], known()
    result = WORK / "result.json"
    results = json.loads(result.read_text()) if result.exists() else {}
    chosen = {
        number
        for number in there
        if re.search(options.only, mutants[number]["name"])
        and not (options.again and results.get(keys[number], "new") not in ("new", "known"))
    }
    attempts, lives, rates, lock = Attempts(quick), [], {}, threading.Lock()

    def attempt(number, until):
        if time.monotonic() > until:
            return
        mutant = mutants[number]
        by = attempts.catch(mutant, number)
        with lock:
            results[keys[number]] = by or ("known" if keys[number] in listed else "new")
            rate = rates.setdefault(mutant["file"], [0, 0, 0])
            rate[0] += by is not None
            rate[1] += by is None and keys[number] in listed
            rate[2] += 1
            if results[keys[number]] == "new":
                lives.append(keys[number])
                print(f"- `{keys[number]}`", flush=True)
            # Replaced as a whole, so that a run that is stopped leaves the results so far.
            written = result.with_suffix(".new")
            written.write_text(json.dumps(results, indent=1))
            written.replace(result)

    for place in options.places:
        here = {number for number in chosen if mutants[number]["file"].startswith(place)}
        chosen -= here
        until = time.monotonic() + 60 * options.minutes
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(lambda number: attempt(number, until), evenly(here)))
        tried = sum(rate[2] for file, rate in rates.items() if file.startswith(place))
        print(f"# {place}: {tried} of {len(here)} tried", flush=True)
    for file, (caught, is_known, tried) in sorted(rates.items()):
        print(f"{file}: {caught} of {tried} caught, {is_known} known, {100 * caught / tried:.0f} %")
    unknown = [name for name in lives if name.startswith(tuple(JUDGED))]
    print(f"{len(lives)} live and are not in tests/mutants/known.md, {len(unknown)} of them in files that were judged")
    return 1 if unknown else 0


sys.exit(main())
