#!/usr/bin/env python3
"""Runs the Autobahn suite against the C echo server and the C echo client, and checks its index.json: no case may fail
or be missing.
Usage: run.py WSTEST ECHO_SERVER AUTOBAHN_CLIENT FOLDER [--full]
       without --full: a fixed sample of the permessage-deflate cases"""
import json
import pathlib
import signal
import socket
import subprocess
import sys
import time

GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
# Sections 12 (kinds of data) and 13 (parameters) are permessage-deflate: 5 and 7 parts of 18 cases each, with message
# sizes growing from case 1 to 18.
PARTS = [f"12.{part}" for part in range(1, 6)] + [f"13.{part}" for part in range(1, 8)]
SAMPLE = (1, 3, 5, 8, 11)
FULL = "--full" in sys.argv
CASES = 301 + len(PARTS) * (18 if FULL else len(SAMPLE))
CHOSEN = (
    ["*"]
    if FULL
    else [f"{section}.*" for section in (1, 2, 3, 4, 5, 6, 7, 9, 10)]
    + [f"{part}.{case}" for part in PARTS for case in SAMPLE]
)
LIMIT = 3000 if FULL else 600


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def is_listening(port, process):
    """Waits until the port accepts connections. Returns False if the process has ended because another one took the
    port."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def start_fuzzing_server(wstest, folder):
    for _ in range(5):
        port = free_port()
        spec = {
            "url": f"ws://127.0.0.1:{port}",
            "outdir": str(folder),
            "cases": CHOSEN,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        process = subprocess.Popen(
            [wstest, "-m", "fuzzingserver", "-s", folder / "spec.json"], stdout=subprocess.DEVNULL
        )
        if is_listening(port, process):
            return port, process
        process.kill()
        process.wait()
    raise SystemExit("the fuzzing server did not start")


def judge(role, folder):
    index = folder / "index.json"
    results = next(iter(json.loads(index.read_text()).values())) if index.exists() else {}
    verdicts = {}
    bad = []
    for case, result in results.items():
        verdicts[result["behavior"]] = verdicts.get(result["behavior"], 0) + 1
        if not {result["behavior"], result["behaviorClose"]} <= GOOD:
            bad.append(f"{case} {result['behavior']} {result['behaviorClose']}")
    print(f"figure: autobahn {role}: {len(results)} cases: {verdicts}")
    right = len(results) == CASES and not bad
    print(f"{'ok' if right else 'not ok'} - autobahn: wspeer as {role}: {CASES} of {CASES} cases {'; '.join(bad)}")
    return right


def server(wstest, program, folder):
    process = subprocess.Popen([program, "0"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline().strip().rsplit(":", 1)[1])
        spec = {
            "outdir": str(folder),
            "servers": [{"agent": "wspeer", "url": f"ws://127.0.0.1:{port}"}],
            "cases": CHOSEN,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        import threading
        threading.Thread(target=lambda: process.stdout.read(), daemon=True).start()
        subprocess.run(
            [wstest, "-m", "fuzzingclient", "-s", folder / "spec.json"], timeout=LIMIT, stdout=subprocess.DEVNULL
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    return judge("server", folder)


def client(wstest, program, folder):
    port, process = start_fuzzing_server(wstest, folder)
    try:
        subprocess.run([program, f"ws://127.0.0.1:{port}"], timeout=LIMIT)
    finally:
        process.terminate()
        process.wait(20)
    return judge("client", folder)


def main():
    wstest, echo_server, echo_client, folder = sys.argv[1:5]
    folders = [pathlib.Path(folder) / role for role in ("server", "client")]
    for each in folders:
        each.mkdir(parents=True, exist_ok=True)
        for old in each.glob("*.json"):
            old.unlink()
    good = [server(wstest, echo_server, folders[0].resolve()), client(wstest, echo_client, folders[1].resolve())]
    return 0 if all(good) else 1


sys.exit(main())
