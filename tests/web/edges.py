#!/usr/bin/env python3
"""Peers that do not read, hidden tabs, close codes, dying servers, TLS and relative URLs, in the browser named by BROWSER_ENDPOINT.
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


def trust():
    """Environment variables of a browser that trusts the certificate "leaf"."""
    if os.environ.get("WSPEER_BROWSER") == "firefox":
        return {"TRUSTED_CA": certificates.path("root.pem")}
    return {"CHROMIUM_FLAGS": f"--ignore-certificate-errors-spki-list={key_hash('leaf')}"}


def wss():
    """wspeer's echo server with a certificate that the browser trusts, and with a self-signed, an expired and another
    host's certificate."""
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
            *in_browser("edges", "wss", *urls, **trust()),
        )


def relative():
    """A page completes URLs, over http and over https."""
    page = {"PAGE_CERT": certificates.path("chain.pem"), "PAGE_KEY": certificates.path("leaf.key"), **trust()}
    lines = checks("URLs without a scheme, on a page of http", 20, *in_browser("relative"))
    over_tls = checks("URLs without a scheme, on a page of https", 20, *in_browser("relative", **page))
    say("ok - a page of ws:" in lines and "ok - a page of wss" in over_tls, "they keep to the page's scheme")


def local_hosts():
    """The hosts that a page takes for this device or the local network."""
    code, said = run.run(["node", "tests/web/local_hosts.js"])
    say(code == 0, "a page tells local hosts from others by their names", said)


def local_network():
    """A page of the internet, by its browser's account, connects to this device; the user has decided on that."""
    with started(["node", "tests/web/server.js"], "") as port:
        for host in ("127.0.0.1", "localhost"):
            said = {
                decision: in_browser("local", f"ws://{host}:{port}/", LOCAL_NETWORK=decision)
                for decision in ("granted", "denied")
            }
            say(
                said["granted"] == (0, "open\n")
                and said["denied"][0] == 0
                and "phase 2 cause 29: the browser keeps this page from the local network" in said["denied"][1],
                f"{host} from a page of the internet: the permission decides, and its lack is the cause",
                f"{said}",
            )
    with run.far.unused_port() as held:
        url = f"ws://127.0.0.1:{held.getsockname()[1]}/"
        code, text = in_browser("local", url, LOCAL_NETWORK="granted")
        say(code == 0 and "phase 0 cause 0" in text, "with the permission a server that is down has no cause", text)


def main():
    build_native("examples-c/echo_server.c", "echo_server")
    if build("tests/web/edges.c", "edges", "-O1", run.GROWS):
        edges()
        local_hosts()
        certificates.make()
        wss()
    if build("tests/web/relative.c", "relative", "-O2", "--closure", "1"):
        relative()
    # Firefox has other ways to decide.
    if os.environ.get("WSPEER_BROWSER") != "firefox" and build("tests/web/local.c", "local", "-O2", "--closure", "1"):
        local_network()
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
