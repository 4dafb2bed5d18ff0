#!/usr/bin/env python3
"""Clients behind squid, tinyproxy, microsocks, Dante and stunnel, and which proxy the environment names, by curl."""

import concurrent.futures
import contextlib
import os
import re
import subprocess
import sys
import tempfile

import harness

# Another suite has the folder of the peers.
WORK = harness.WORK = harness.ROOT / "build" / "proxies"

import certificates
from certificates import path
from harness import (
    Settings,
    CLIENTS,
    ENV,
    case,
    close,
    connection,
    daemon,
    echo,
    end_clients,
    ended,
    free_port,
    has,
    has_ipv6,
    have,
    same,
    server,
    session,
)
from talk import CRCS

TCP, PROXY = 2, 3
REFUSED, PROXY_REFUSED, PROXY_AUTH = 23, 26, 27
UNTRUSTED = 30
LOGIN, WRONG = "player:s%40cret@", "player:wrong@"
TRUST = {"ca": path("root.pem")}

SQUID = Settings("""
http_port 127.0.0.1:@port
pid_filename none
cache deny all
memory_cache_shared off
access_log none
cache_log /dev/null
cache_effective_user proxy
coredump_dir none
pinger_enable off
shutdown_lifetime 0 seconds
@auth
http_access deny all
""")
SQUID_OPEN = """
acl forbidden dstdomain forbidden.example
http_access deny forbidden
http_access allow all
"""
SQUID_AUTH = Settings("""
auth_param basic program /usr/lib/squid/basic_ncsa_auth @users
auth_param basic realm game
acl known proxy_auth REQUIRED
http_access allow known
""")
TINYPROXY = Settings("""
Port @port
Listen 127.0.0.1
Timeout 60
MaxClients 20
LogLevel Critical
LogFile "@folder/tinyproxy.log"
@more
""")
DANTE = Settings("""
logoutput: @folder/dante-server.log
internal: 127.0.0.1 port = @port
external: @interface
socksmethod: none
clientmethod: none
user.privileged: @user
user.unprivileged: @user
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
""")
STUNNEL = Settings("""
foreground = yes
pid =
debug = err
[proxy]
accept = 127.0.0.1:@port
connect = 127.0.0.1:@behind
cert = @chain
key = @key
""")


def written(name, text):
    (WORK / name).write_text(text)
    return str(WORK / name)


def user():
    return "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody")


@contextlib.contextmanager
def squid(auth):
    places = {"auth": auth}
    make = lambda port: ["squid", "-N", "-n", f"wspeer{os.getpid()}", "-f", written("squid.conf", SQUID.substitute(places, port=port))]
    with daemon("squid", make) as port:
        yield port


@contextlib.contextmanager
def squid_users():
    """A file with a user name and a hashed password, which the user that squid runs as can read."""
    hashed = subprocess.run(["openssl", "passwd", "-apr1", "s@cret"], capture_output=True, text=True, check=True)
    with tempfile.NamedTemporaryFile("w", prefix="wspeer-", suffix=".users") as file:
        file.write(f"player:{hashed.stdout}")
        file.flush()
        os.chmod(file.name, 0o644)
        yield file.name


@contextlib.contextmanager
def tinyproxy(more=""):
    places = {"folder": WORK, "more": more}
    make = lambda port: ["tinyproxy", "-d", "-c", written("tinyproxy.conf", TINYPROXY.substitute(places, port=port))]
    with daemon("tinyproxy", make) as port:
        yield port


@contextlib.contextmanager
def microsocks(*arguments):
    with daemon("microsocks", lambda port: ["microsocks", "-i", "127.0.0.1", "-p", str(port), *arguments]) as port:
        yield port


@contextlib.contextmanager
def dante():
    places = {"folder": WORK, "user": user(), "interface": "lo"}
    make = lambda port: ["danted", "-f", written("danted.conf", DANTE.substitute(places, port=port))]
    with daemon("danted", make) as port:
        yield port


@contextlib.contextmanager
def stunnel(behind):
    places = {"behind": behind, "chain": path("chain.pem"), "key": path("leaf.key")}
    make = lambda port: ["stunnel4", written("stunnel.conf", STUNNEL.substitute(places, port=port))]
    with daemon("stunnel", make) as port:
        yield port


@contextlib.contextmanager
def servers():
    """A server without TLS and one with it, on every address of this machine."""
    with server("wspeer", host="*", show="Proxy-Authorization") as plain:
        files = {"cert": path("chain.pem"), "key": path("leaf.key")}
        with server("wspeer", host="*", show="Proxy-Authorization", **files) as secure:
            yield plain, secure


HOSTS = ["localhost", "127.0.0.1"] + (["[::1]"] if has_ipv6() else [])


def through(name, proxy, plain, secure, hosts=HOSTS):
    """Messages reach both servers through a proxy, whether they are named or have an address."""
    for scheme, to in (("ws", plain), ("wss", secure)):
        for host in hosts:
            with case(f"{name}: {scheme}://{host}"):
                url = f"{scheme}://{host}:{to.port}"
                with session("wspeer", to, url=url, proxy=proxy, **TRUST) as (peer, _, there):
                    has(there, shown=[])
                    same("TLS to the server", bool(there["tls"]), scheme == "wss")
                    for size in (0, 126, 1 << 20):
                        echo(peer, to, "binary", size, CRCS["binary", size])
                    close(peer, to)


def fails(name, proxy, url, words="", **wanted):
    with case(name), connection("wspeer", url, proxy=proxy, show="Proxy-Authenticate", timeout_ms=8000, **TRUST) as peer:
        has(ended(peer), **wanted)
        same(f"{words!r} in {peer.first['sentence']!r}", words in peer.first["sentence"], True)
        for secret in ("s@cret", "s%40cret", "wrong", "cGxheWVy"):
            same(f"{secret!r} in {peer.first['sentence']!r}", secret in peer.first["sentence"], False)


def http_proxies(plain, secure):
    nobody = free_port()
    if have("squid"):
        with squid(SQUID_OPEN) as port:
            through("squid", f"http://127.0.0.1:{port}", plain, secure)
            through("squid without a scheme", f"127.0.0.1:{port}", plain, secure, ["localhost"])
            fails(
                "squid: nobody listens at the target", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{nobody}",
                "cannot reach the server", phase=PROXY, cause=PROXY_REFUSED, status=503,
            )
            with case("squid: the page about a forbidden host is readable"):
                proxy = f"http://127.0.0.1:{port}"
                with connection("wspeer", "ws://forbidden.example", proxy=proxy, show="X-Squid-Error") as peer:
                    has(ended(peer), phase=PROXY, cause=PROXY_REFUSED, status=403, shown=["ERR_ACCESS_DENIED 0"])
                    same("its body is HTML", peer.first["body"].startswith("<!DOCTYPE html"), True)
            fails("squid: as a SOCKS proxy", f"socks5://127.0.0.1:{port}", plain.url, phase=PROXY)
            fails("squid: as an HTTPS proxy", f"https://127.0.0.1:{port}", plain.url, phase=PROXY)
        with squid_users() as users, squid(SQUID_AUTH.substitute(users=users)) as port:
            through("squid with a password", f"http://{LOGIN}127.0.0.1:{port}", plain, secure, ["localhost"])
            fails(
                "squid: no password", f"http://127.0.0.1:{port}", plain.url, "requires a user name and password",
                phase=PROXY, cause=PROXY_AUTH, status=407, shown=['Basic realm="game"'],
            )
            fails(
                "squid: a wrong password", f"http://{WRONG}127.0.0.1:{port}", secure.url, "refused the user name",
                phase=PROXY, cause=PROXY_AUTH, status=407,
            )
    if have("tinyproxy"):
        # It answers in HTTP/1.0.
        with tinyproxy() as port:
            through("tinyproxy", f"http://127.0.0.1:{port}", plain, secure)
            fails(
                "tinyproxy: nobody listens at the target", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{nobody}",
                phase=PROXY, cause=PROXY_REFUSED, status=500,
            )
            if have("stunnel4"):
                with stunnel(port) as tls:
                    through("tinyproxy over TLS", f"https://localhost:{tls}", plain, secure)
                    fails("an HTTPS proxy: without TLS", f"http://localhost:{tls}", plain.url, phase=PROXY)
                    with case("an HTTPS proxy: its certificate is not trusted, whatever WS_INSECURE says"):
                        proxy = f"https://localhost:{tls}"
                        with connection("wspeer", plain.url, proxy=proxy, flags=4) as peer:
                            has(ended(peer), phase=PROXY, cause=UNTRUSTED)
        with tinyproxy("BasicAuth player s3cret") as port:
            # Its settings take no special characters.
            through("tinyproxy with a password", f"http://player:s3cret@127.0.0.1:{port}", plain, secure, ["localhost"])
            for name, login, status in (("no", "", 407), ("a wrong", WRONG, 401)):
                fails(
                    f"tinyproxy: {name} password", f"http://{login}127.0.0.1:{port}", plain.url,
                    phase=PROXY, cause=PROXY_AUTH, status=status,
                )
    for scheme in ("http", "https", "socks5", "socks5h"):
        fails(
            f"nobody listens at an {scheme} proxy", f"{scheme}://{LOGIN}127.0.0.1:{nobody}", plain.url,
            f"the proxy {scheme}://127.0.0.1:{nobody} cannot be used", phase=TCP, cause=REFUSED,
        )


def socks_proxies(plain, secure):
    nobody = free_port()
    if have("microsocks"):
        with microsocks() as port:
            for scheme in ("socks5", "socks5h"):
                through(f"microsocks by {scheme}", f"{scheme}://127.0.0.1:{port}", plain, secure)
                fails(
                    f"microsocks by {scheme}: nobody listens at the target", f"{scheme}://127.0.0.1:{port}",
                    f"ws://127.0.0.1:{nobody}", "refused", phase=PROXY, cause=PROXY_REFUSED, status=0,
                )
            fails("microsocks: as an HTTP proxy", f"http://127.0.0.1:{port}", plain.url, phase=PROXY)
        with microsocks("-u", "player", "-P", "s@cret") as port:
            through("microsocks with a password", f"socks5h://{LOGIN}127.0.0.1:{port}", plain, secure, ["localhost"])
            fails(
                "microsocks: no password", f"socks5://127.0.0.1:{port}", plain.url, "requires a user name and password",
                phase=PROXY, cause=PROXY_AUTH,
            )
            fails(
                "microsocks: a wrong password", f"socks5://{WRONG}127.0.0.1:{port}", plain.url, "refused the user name",
                phase=PROXY, cause=PROXY_AUTH,
            )
    if have("danted"):
        with dante() as port:
            through("Dante", f"socks5h://127.0.0.1:{port}", plain, secure, ["127.0.0.1"])


# The environment.

# Not "socks5", with which wspeer looks up the server's name before it connects.
PROXIES = {
    "http_proxy": "http://127.0.0.2:3128",
    "HTTP_PROXY": "http://127.0.0.3:3128",
    "https_proxy": "http://127.0.0.4:3128",
    "HTTPS_PROXY": "https://127.0.0.5:3129",
    "all_proxy": "socks5h://127.0.0.6:1080",
    "ALL_PROXY": "socks5h://127.0.0.7:1081",
}
# Tried with a name, a name below it, another name that ends alike, and one that ends in a dot.
EXCEPTIONS_OF_NAMES = [
    "", "*", "*,x", " *", "game.example", "GAME.Example", ".game.example", "example", ".example", ".", ",,",
    "other.example", "other.example,game.example", "other.example, .game.example", "other.example game.example",
    "play.game.example", "game.example.", "*.example", "e.example", "127.0.0.1", "10.0.0.0/8",
]
EXCEPTIONS_OF_ADDRESSES = [
    "10.1.2.3", "10.1.2.4", "10.0.0.0/8", "10.1.2.2/31", "10.1.2.4/31", "10.1.2.3/32", "10.1.2.3/33", "10.1.2.3/0",
    "11.0.0.0/8", "1.2.3", ".1.2.3", "game.example,10.0.0.0/8", "2001:db8::1",
]


def environments():
    """URLs and environments. Not among them: a port or brackets in no_proxy, which curl does not know, and networks
    of IPv6, which curl 7.88 does not apply."""
    for scheme in ("ws", "wss"):
        for names in (
            [], ["http_proxy"], ["HTTP_PROXY"], ["https_proxy"], ["HTTPS_PROXY"], ["all_proxy"], ["ALL_PROXY"],
            ["http_proxy", "https_proxy"], ["https_proxy", "HTTPS_PROXY"], ["all_proxy", "ALL_PROXY"],
            ["http_proxy", "all_proxy"], ["HTTP_PROXY", "ALL_PROXY"], list(PROXIES),
        ):
            yield f"{scheme}://game.example/", {name: PROXIES[name] for name in names}
        for value in (
            "127.0.0.2:3128", "127.0.0.2", "http://127.0.0.2", "https://127.0.0.2", "socks5h://127.0.0.2",
            "http://user:p%40ss@127.0.0.2:99/", "HTTP://127.0.0.2:98/path", "socks5h://user@127.0.0.2", "",
        ):
            name = "http_proxy" if scheme == "ws" else "https_proxy"
            yield f"{scheme}://game.example/", {name: value, "ALL_PROXY": PROXIES["ALL_PROXY"]}
    both = {name: PROXIES[name] for name in ("http_proxy", "https_proxy")}
    for index, list_ in enumerate(EXCEPTIONS_OF_NAMES):
        for host in ("game.example", "play.game.example", "endgame.example", "game.example."):
            name = "NO_PROXY" if index % 2 else "no_proxy"
            yield f"{'wss' if index % 3 else 'ws'}://{host}/", {**both, name: list_}
    for list_ in EXCEPTIONS_OF_ADDRESSES:
        yield "ws://10.1.2.3:9001/", {**both, "NO_PROXY": list_}
    for list_ in ("2001:db8::1", "2001:db8::2", "10.0.0.0/8"):
        yield "wss://[2001:db8::1]:9001/", {**both, "no_proxy": list_}
    yield "ws://game.example/", {**both, "no_proxy": "other.example", "NO_PROXY": "game.example"}
    yield "ws://game.example/", {**both, "no_proxy": "", "NO_PROXY": "game.example"}


DIRECT = "127.0.0.9:9"


def by_curl(url, environment):
    """The address that curl connects to. What it connects to without a proxy is DIRECT."""
    command = ["curl", "-q", "-sv", "-o", os.devnull, "--max-time", "5", "--connect-to", f"::{DIRECT}"]
    done = subprocess.run(
        [*command, re.sub("^ws", "http", url)], env={**ENV, **environment}, capture_output=True, text=True, check=False
    )
    tried = re.search(r"Trying ([0-9.]+:[0-9]+)", done.stderr)
    return tried[1] if tried else done.stderr


def by_wspeer(url, environment):
    """The same of wspeer, whose text about a proxy that is not there has its address."""
    with subprocess.Popen(
        CLIENTS["wspeer"], env={**ENV, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        # Without a proxy there is nobody to connect to.
        process.stdin.write(f"connect\turl={url}\tproxy=env\ttimeout_ms=400\n")
        process.stdin.flush()
        line = process.stdout.readline()
        process.stdin.close()
    named = re.search(r"the proxy \w+://([0-9.]+:[0-9]+) cannot be used", line)
    return named[1] if named else DIRECT if '"event":"closed"' in line else line


def environment():
    if not have("curl"):
        return
    table = list(environments())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wanted = list(pool.map(lambda row: by_curl(*row), table))
        seen = list(pool.map(lambda row: by_wspeer(*row), table))
    with case(f"the environment: {len(table)} tables, of which curl decides {wanted.count(DIRECT)} against a proxy"):
        same("at least 60", len(table) >= 60, True)
        differences = [(*row, other, own) for row, other, own in zip(table, wanted, seen) if other != own]
        same("what curl decides otherwise", differences, [])
    for url in ("ws://localhost:9/", "ws://127.0.0.1:9/"):
        with case(f"the environment: never for {url}"):
            same("a proxy for loopback", by_wspeer(url, PROXIES), DIRECT)


PARTS = {"http": http_proxies, "socks": socks_proxies}


def main():
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    certificates.make()
    with servers() as (plain, secure):
        for name, part in PARTS.items():
            if chosen in name:
                part(plain, secure)
    end_clients()
    if chosen in "environment":
        environment()
    return 1 if harness.failures else 0


if __name__ == "__main__":
    sys.exit(main())
