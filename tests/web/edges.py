#!/usr/bin/env python3
"""Peers that do not read, hidden tabs, close codes, dying servers and TLS, in the browser named by BROWSER_ENDPOINT.
Usage: edges.py"""
import base64
import contextlib
import hashlib
import os
import subprocess
import sys

import run
from run import ROOT, WEB, build, build_native, in_browser, say, started

sys.path.append(str(ROOT / "tests" / "peers"))
import certificates  # noqa: E402


def checks(what, least, code, said):
    lines = said.splitlines()
    wrong = [line for line in lines if not line.startswith("ok - ")]
    say(
        code == 0 and not wrong and len(lines) >= least,
        f"{what}: {len(lines)} checks",
        f"ended with {code}\n" + "\n".join(wrong),
    )
    return lines


def edges():
    with started(["node", "tests/web/edges.js"], "") as port:
        lines = checks(
            "a peer that reads nothing, a tab that sleeps, close codes both ways, a server that is killed",
            70,
            *in_browser("edges", f"ws://127.0.0.1:{port}"),
        )
    print(f"# {next((line for line in lines if 'tab' in line), '')}", flush=True)


def key_hash(name):
    """The hash of a certificate's public key, in the format of Chromium's flag."""
    public = subprocess.run(
        ["openssl", "x509", "-in", certificates.path(f"{name}.pem"), "-noout", "-pubkey"],
        check=True,
        capture_output=True,
    ).stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True, capture_output=True
    ).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def wss():
    """wspeer's echo server with a certificate that the browser trusts, and with a self-signed, an expired and another
    host's certificate."""
    certificates.make()
    trust = (
        {"TRUSTED_CA": certificates.path("root.pem")}
        if os.environ.get("WSPEER_BROWSER") == "firefox"
        else {"CHROMIUM_FLAGS": f"--ignore-certificate-errors-spki-list={key_hash('leaf')}"}
    )
    urls = []
    with contextlib.ExitStack() as servers:
        for chain, key in (("chain", "leaf"), ("alone", "alone"), ("expired", "expired"), ("other", "other")):
            command = [
                str(WEB / "echo_server"),
                "0",
                certificates.path(f"{chain}.pem"),
                certificates.path(f"{key}.key"),
            ]
            port = servers.enter_context(started(command, "Listening on ")).rsplit(":", 1)[1].rstrip("/")
            urls.append(f"wss://localhost:{port}/")
        checks(
            "wss to a wspeer server, and certificates that are not trusted",
            11,
            *in_browser("edges", "wss", *urls, **trust),
        )


def main():
    build_native("examples-c/echo_server.c", "echo_server")
    if build("tests/web/edges.c", "edges", "-O1", run.GROWS):
        edges()
        wss()
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
