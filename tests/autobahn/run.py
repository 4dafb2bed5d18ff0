#!/usr/bin/env python3
"""Runs the Autobahn suite against the C echo server and the C echo client, and judges its index.json: 301 cases each, none failed.
Usage: run.py WSTEST ECHO_SERVER AUTOBAHN_CLIENT FOLDER"""
import json
import pathlib
import signal
import socket
import subprocess
import sys
import time

CASES = 301
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
# 12 and 13 are permessage-deflate.
LEFT_OUT = ["12.*", "13.*"]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for_port(port, process):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
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
        spec = {"outdir": str(folder), "servers": [{"agent": "wspeer", "url": f"ws://127.0.0.1:{port}"}], "cases": ["*"],
                "exclude-cases": LEFT_OUT, "exclude-agent-cases": {}}
        (folder / "spec.json").write_text(json.dumps(spec))
        import threading
        threading.Thread(target=lambda: process.stdout.read(), daemon=True).start()
        subprocess.run([wstest, "-m", "fuzzingclient", "-s", folder / "spec.json"], timeout=400, stdout=subprocess.DEVNULL)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    return judge("server", folder)


def client(wstest, program, folder):
    port = free_port()
    spec = {"url": f"ws://127.0.0.1:{port}", "outdir": str(folder), "cases": ["*"], "exclude-cases": LEFT_OUT, "exclude-agent-cases": {}}
    (folder / "spec.json").write_text(json.dumps(spec))
    process = subprocess.Popen([wstest, "-m", "fuzzingserver", "-s", folder / "spec.json"], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        subprocess.run([program, f"ws://127.0.0.1:{port}"], timeout=400)
    finally:
        process.terminate()
        process.wait(20)
    return judge("client", folder)


def main():
    wstest, echo_server, echo_client, folder = sys.argv[1:]
    folders = [pathlib.Path(folder) / role for role in ("server", "client")]
    for each in folders:
        each.mkdir(parents=True, exist_ok=True)
        for old in each.glob("*.json"):
            old.unlink()
    good = [server(wstest, echo_server, folders[0].resolve()), client(wstest, echo_client, folders[1].resolve())]
    return 0 if all(good) else 1


sys.exit(main())
