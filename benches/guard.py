#!/usr/bin/env python3
"""Counts the cost of the scenarios in guard.c and compares it with the record in guard.toml. README.md has more.

Usage:
  guard.py [SCENARIO ...]               fails when a count exceeds its record by more than 2 %
  guard.py --record WHY [SCENARIO ...]  writes changed counts to guard.toml, with the date and the reason
  guard.py --compare DIRECTORY ...      prints the instructions with each directory's libwspeer.so, side by side
"""
import concurrent.futures
import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
RECORD = ROOT / "benches" / "guard.toml"
LIBRARY = pathlib.Path(os.environ.get("LIBDIR") or ROOT / "build").resolve()

# The scenarios of guard.c, each with the unit that its counts are for.
SCENARIOS = {
    "client_put": "a client puts a 64 B message; 32 per flush",
    "client_put_packets": "the same with ws_put_packets",
    "client_batch": "a 64 B message from client to server, both ends, with ws_put_packets and ws_get_packets; 32 per flush",
    "client_get": "a client polls and gets a 64 B message with ws_get_packet; 32 per poll",
    "client_get_packets": "the same with ws_get_packets",
    "conn_put": "a server's connection puts a 64 B message; 32 per flush",
    "conn_get": "a server polls and gets a 64 B message from the connection's handle; 32 per poll",
    "server_cycle": "a server's frame with one 64 B message: poll, get, put, get, flush",
    "broadcast_100": "a server puts a 64 B message to 100 clients and flushes",
    "idle_client": "a client polls without traffic",
    "idle_server_100": "a server with 100 clients polls without traffic",
    "message_64k": "a 64 KiB message from client to server, both ends",
    "text": "a 64 B text message from client to server, both ends; 32 per flush",
    "deflate": "a compressed 1 KiB text message from client to server, both ends",
    "wss": "a 64 B message over TLS from client to server, both ends; 32 per flush",
    "plain": "a 64 B message from client to server, both ends; 32 per flush",
    "session": "the same in a session, acknowledgements included",
    "session_put": "a client with a session puts a 64 B message; 32 per flush",
    "session_get": "a client with a session polls and gets a 64 B message with ws_get_packet; 32 per poll",
    "session_idle_client": "a client with a session polls without traffic",
}
MEMORY = {
    "idle_conn": "an idle connection of a server after one message each way",
    "idle_conn_wss": "the same over TLS",
    "idle_conn_session": "the same with a session",
    "kept_message": "a 64 B message of a server that its client has not acknowledged",
}
COUNTS = ("instructions", "allocations", "clock_reads", "system_calls", "bytes_written", "heap_bytes")
MARGIN = 0.02
# For instructions, when compiler, C library or processor differ from those of the record.
WIDE_MARGIN = 0.15
WRITES = {"write", "writev", "sendto", "sendmsg", "sendmmsg"}


def build():
    OUT.mkdir(parents=True, exist_ok=True)
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-I", ROOT / "include"]
    words = ["cc", *flags, ROOT / "benches" / "guard.c", "-o", OUT / "guard", "-L", LIBRARY, "-lwspeer"]
    subprocess.run(words, check=True)
    targets = ["../build/bench/allocs.so", "../build/bench/cert/cert.pem"]
    subprocess.run(["make", "-s", "-C", ROOT / "benches", *targets], check=True)


def run(scenario, wrap=(), library=LIBRARY, **env):
    """Returns what guard.c prints for the scenario, one dict per line."""
    env = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(library), **env}
    words = [*wrap, OUT / "guard", scenario, OUT / "cert"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit(f"{scenario}: {done.stderr.strip()[-1000:] or done.returncode}")
    lines = [line.split() for line in done.stdout.splitlines()]
    return [{key: float(value) for key, value in zip(line[0::2], line[1::2])} for line in lines]


# Disturbances such as late data only add work, so the cheapest block counts.


def instructions(scenario, library=LIBRARY):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        wrap = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={out}"]
        units = run(scenario, wrap, library)[0]["block"]
        dumps = [path.read_text() for path in out.parent.glob("out.*")]
    return {"instructions": min(int(re.search(r"^summary: (\d+)", dump, re.M).group(1)) for dump in dumps) / units}


def allocations(scenario):
    blocks = run(scenario, LD_PRELOAD=str(OUT / "allocs.so"))
    if scenario in MEMORY:
        return blocks[0]
    return {key: min(block[key] / block["block"] for block in blocks) for key in ("allocations", "clock_reads")}


def system_calls(scenario):
    with tempfile.NamedTemporaryFile() as out:
        units = run(scenario, ["strace", "-f", "-qq", "-s", "32", "-o", out.name])[0]["block"]
        trace = pathlib.Path(out.name).read_text()
    blocks, counting = [], False
    for line in trace.splitlines():
        if '"/guard/' in line:
            counting = '"/guard/begin"' in line
            blocks += [[0, 0]] if '"/guard/block"' in line else []
        # A call interrupted by another thread's has two lines; the second one has the result.
        elif counting and blocks and (call := re.match(r"\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)", line)):
            blocks[-1][0] += "resumed>" not in line
            result = re.search(r" = (\d+)$", line)
            blocks[-1][1] += int(result.group(1)) if result and call.group(1) in WRITES else 0
    calls, written = (min(column) / units for column in zip(*blocks))
    return {"system_calls": calls, "bytes_written": written}


def measure(scenario):
    if scenario in MEMORY:
        return allocations(scenario)
    return instructions(scenario) | allocations(scenario) | system_calls(scenario)


def measure_all(scenarios):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(scenarios, pool.map(measure, scenarios)))


def tools():
    """What instruction counts depend on besides the sources. AVX2 decides which memcpy runs."""
    rustc = re.search(rb"rustc version (\d+\.\d+\.\d+)", (LIBRARY / "libwspeer.so").read_bytes())
    avx2 = " avx2" if "avx2" in pathlib.Path("/proc/cpuinfo").read_text().split() else ""
    libc = " ".join(platform.libc_ver())
    rustc = rustc.group(1).decode() if rustc else "unknown"
    return {"rustc": rustc, "processor": platform.machine() + avx2, "libc": libc}


def load():
    """Returns the record, by scenario and count, and the tools it was made with."""
    record = tomllib.loads(RECORD.read_text())
    return record, record.pop("made_with")


def save(record):
    lines = [
        "# The most that one unit of each scenario in guard.c may cost; a count fails when it is more than 2 % higher.",
        '# Written only by `benches/guard.py --record WHY`. README.md has more.',
        "",
        "[made_with]",
        *(f'{key} = "{value}"' for key, value in tools().items()),
    ]
    for scenario, unit in (SCENARIOS | MEMORY).items():
        lines += ["", f"# {unit}", f"[{scenario}]"]
        for count in COUNTS:
            if entry := record.get(scenario, {}).get(count):
                most, when, why = entry["most"], entry["when"], entry["why"]
                lines.append(f'{count} = {{ most = {most:.10g}, when = "{when}", why = "{why}" }}')
    RECORD.write_text("\n".join(lines) + "\n")


def update(record, measured, why):
    """Replaces the entries that differ by more than 0.2 %."""
    when, why = datetime.date.today().isoformat(), why.replace("\\", "/").replace('"', "'")
    for scenario, counts in measured.items():
        entries = record.setdefault(scenario, {})
        for count, value in counts.items():
            old = entries.get(count, {}).get("most")
            if old is None or abs(value - old) > 0.002 * old:
                print(f"{scenario}: {count} {old} -> {value:.10g}")
                entries[count] = {"most": round(value, 5 if value < 10 else 1), "when": when, "why": why}


def limit(count, most, made_with):
    """The highest value that passes; None: any does, as the processor is of another architecture."""
    here = tools()
    if count != "instructions" or made_with == here:
        return most * (1 + MARGIN) + 1e-9
    same = made_with["processor"].split()[0] == platform.machine()
    return most * (1 + WIDE_MARGIN) if same else None


def judge(measured, record, made_with):
    """Prints a line per scenario. Returns how many have failed."""
    failed = 0
    for scenario, counts in measured.items():
        texts, high, low = [], [], []
        for count, value in counts.items():
            most = record.get(scenario, {}).get(count, {}).get("most")
            texts.append(f"{count} {value:.4g}" if value < 10 else f"{count} {value:,.1f}")
            if most is None:
                high.append(f"{count} {value:.10g} has no record")
            elif (highest := limit(count, most, made_with)) is not None and value > highest:
                high.append(f"{count} {value:.10g} exceeds its record, {most}")
            elif value < most * (1 - MARGIN) and made_with == tools():
                low.append(count)
        failed += bool(high)
        print(f"{'not ok' if high else 'ok'} - bench-guard: {scenario}: {'; '.join(high) or ', '.join(texts)}")
        if low:
            print(f"figure: {scenario}: {', '.join(low)} more than 2 % below the record; use --record to keep the gain")
    return failed


def compare(directories):
    print(f"{'instructions':20}" + "".join(f"{directory.name:>14}" for directory in directories))
    for scenario in SCENARIOS:
        counts = [instructions(scenario, directory)["instructions"] for directory in directories]
        print(f"{scenario:20}" + "".join(f"{count:14,.1f}" for count in counts), flush=True)


def main():
    words = sys.argv[1:]
    if words[:1] in (["-h"], ["--help"]):
        print(__doc__, end="")
        return 0
    build()
    if words[:1] == ["--compare"]:
        compare([pathlib.Path(word).resolve() for word in words[1:]])
        return 0
    known = [*SCENARIOS, *MEMORY]
    why = None
    if words[:1] == ["--record"]:
        if len(words) < 2 or words[1] in known:
            sys.exit("--record needs a reason")
        why, words = words[1], words[2:]
    if unknown := [word for word in words if word not in known]:
        sys.exit(f"unknown: {', '.join(unknown)}; the scenarios are {', '.join(known)}")
    record, made_with = load()
    if why:
        if words and made_with != tools():
            sys.exit("the record was made with other tools: record all scenarios")
        update(record, measure_all(words or known), why)
        save(record)
        return 0
    if made_with != tools():
        print(f"figure: recorded with {made_with}, measured with {tools()}: instructions have a wider limit or none")
    return 1 if judge(measure_all(words or known), record, made_with) else 0


if __name__ == "__main__":
    sys.exit(main())
