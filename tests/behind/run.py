#!/usr/bin/env python3
"""A wspeer server behind HAProxy, nginx and Caddy, and clients that connect to it directly and pretend to be behind one.
HAProxy connects from 127.0.0.2 and nginx from 127.0.0.3, which the server trusts; players have other addresses.
Usage: run.py [PART-OF-A-GROUP]"""

import contextlib
import os
import pathlib
import queue
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

import wspeer
from wspeer import Cause, EventType, Hint, State

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests" / "peers"))
import harness  # noqa: E402
from harness import Settings, case, daemon, free_port, same  # noqa: E402

WORK = harness.WORK = ROOT / "build" / "behind"
TRUSTED = "127.0.0.2, 127.0.0.3, fd00::/8"
PROXY = "127.0.0.2"
LIMIT = 15
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
)


CHECKED = Settings("""
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout check 2s
  retries 0
frontend ready
  bind 127.0.0.1:@port
  use_backend bad if { path_beg /bad }
  use_backend silent if { path_beg /silent }
  default_backend good
backend good
  option httpchk GET /health
  http-check expect status 200
  server one 127.0.0.1:@asking check inter 50 fall 1 rise 1
backend bad
  option httpchk GET /health
  http-check expect status 201
  server one 127.0.0.1:@asking check inter 50 fall 1 rise 1
backend silent
  option httpchk
  http-check send meth GET uri /health ver HTTP/1.1 hdr Host game
  http-check expect status 426
  server one 127.0.0.1:@silent check inter 50 fall 1 rise 1
""")

PAGES = Settings(r"""
daemon off;
worker_processes 1;
@user
pid @folder/nginx-pages.pid;
events { }
http {
  access_log off;
  client_body_temp_path @folder/pages-body;
  proxy_temp_path @folder/pages-proxy;
  fastcgi_temp_path @folder/pages-fastcgi;
  uwsgi_temp_path @folder/pages-uwsgi;
  scgi_temp_path @folder/pages-scgi;
  proxy_http_version 1.1;
  map $http_upgrade $wanted { default upgrade; "" ""; }
  upstream asking { server 127.0.0.1:@asking; keepalive 4; }
  server {
    listen 127.0.0.1:@port;
    location /silent { proxy_pass http://127.0.0.1:@silent; }
    location / {
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $wanted;
      proxy_pass http://asking;
    }
  }
}
""")

HAPROXY = Settings("""
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  retries 0
frontend v1
  bind 127.0.0.1:@v1
  bind [::1]:@v1
  default_backend v1
frontend v2
  bind 127.0.0.1:@v2
  bind [::1]:@v2
  default_backend v2
frontend tlvs
  bind 127.0.0.1:@tlvs ssl crt @bundle
  default_backend tlvs
frontend tls
  bind 127.0.0.1:@tls
  default_backend tls
frontend none
  bind 127.0.0.1:@none
  default_backend none
backend v1
  server one 127.0.0.1:@plain source 127.0.0.2 send-proxy
backend v2
  server one 127.0.0.1:@plain source 127.0.0.2 send-proxy-v2
backend tlvs
  server one 127.0.0.1:@plain source 127.0.0.2 send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,crc32c,unique-id,authority
backend tls
  server one 127.0.0.1:@secure source 127.0.0.2 send-proxy-v2 proxy-v2-options crc32c
backend none
  server one 127.0.0.1:@plain source 127.0.0.2
backend checked
  server one 127.0.0.1:@plain source 127.0.0.2 check inter 50 send-proxy-v2 check-send-proxy
  server two 127.0.0.1:@plain source 127.0.0.2 check inter 50 send-proxy check-send-proxy
  server three 127.0.0.1:@plain source 127.0.0.2 check inter 50
""")

# The Forwarded header as https://www.nginx.com/resources/wiki/start/topics/examples/forwarded/ makes it.
NGINX = Settings(r"""
daemon off;
worker_processes 1;
@user
pid @folder/nginx.pid;
events { }
http {
  access_log off;
  client_body_temp_path @folder/nginx-body;
  proxy_temp_path @folder/nginx-proxy;
  fastcgi_temp_path @folder/nginx-fastcgi;
  uwsgi_temp_path @folder/nginx-uwsgi;
  scgi_temp_path @folder/nginx-scgi;
  map $remote_addr $element {
    ~^[0-9.]+$ "for=$remote_addr";
    ~^[0-9A-Fa-f:.]+$ "for=\"[$remote_addr]\"";
    default "for=unknown";
  }
  map $http_forwarded $forwarded {
    "" "$element";
    default "$http_forwarded, $element";
  }
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection "Upgrade";
  proxy_bind 127.0.0.3;
  server {
    listen 127.0.0.1:@port;
    listen [::1]:@port;
    location /x {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Forwarded $http_forwarded;
      proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "Upgrade";
      proxy_pass http://127.0.0.1:@by_x;
    }
    location /forwarded {
      proxy_set_header Forwarded $forwarded;
      proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "Upgrade";
      proxy_pass http://127.0.0.1:@by_forwarded;
    }
    location /chain {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "Upgrade";
      proxy_pass http://127.0.0.1:@haproxy;
    }
  }
}
""")

CHAIN = Settings("""
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend chain
  bind 127.0.0.1:@port
  default_backend chain
backend chain
  server one 127.0.0.1:@by_both source 127.0.0.2 send-proxy-v2
""")

# As docs/deploying.md has them.
FLEET_HAPROXY = Settings("""
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1h
  option redispatch
  retries 3
frontend game
  bind 127.0.0.1:@port
  default_backend fleet
backend fleet
  balance leastconn
  option httpchk
  http-check send meth GET uri / ver HTTP/1.1 hdr Host game
  http-check expect status 426
  retry-on conn-failure empty-response 503
  use-server one if { urlp(wspeer) 1-one }
  use-server two if { urlp(wspeer) 1-two }
  force-persist if { urlp(wspeer) -m beg 1- }
  server one 127.0.0.1:@one check inter 100 fall 1 rise 1
  server two 127.0.0.1:@two check inter 100 fall 1 rise 1
""")

FLEET_NGINX = Settings(r"""
daemon off;
worker_processes 1;
@user
pid @folder/nginx-fleet.pid;
events { }
http {
  access_log off;
  client_body_temp_path @folder/fleet-body;
  proxy_temp_path @folder/fleet-proxy;
  fastcgi_temp_path @folder/fleet-fastcgi;
  uwsgi_temp_path @folder/fleet-uwsgi;
  scgi_temp_path @folder/fleet-scgi;
  map $arg_wspeer $server_of_player {
    1-one   one;
    1-two   two;
    default fleet;
  }
  upstream one { server 127.0.0.1:@one; }
  upstream two { server 127.0.0.1:@two; }
  upstream fleet { least_conn; server 127.0.0.1:@one max_fails=0; server 127.0.0.1:@two max_fails=0; }
  server {
    listen 127.0.0.1:@port;
    location / {
      proxy_pass http://$server_of_player;
      proxy_next_upstream error timeout http_503;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "Upgrade";
      proxy_read_timeout 1h;
    }
  }
}
""")


# Around the block of docs/cookbook.md.
RECIPE_NGINX = Settings(r"""
daemon off;
worker_processes 1;
@user
pid @folder/nginx-recipe.pid;
events { }
http {
  access_log off;
  client_body_temp_path @folder/recipe-body;
  proxy_temp_path @folder/recipe-proxy;
  fastcgi_temp_path @folder/recipe-fastcgi;
  uwsgi_temp_path @folder/recipe-uwsgi;
  scgi_temp_path @folder/recipe-scgi;
  server {
    listen 127.0.0.1:@port;
@location
  }
}
""")


class Served:
    """A server that a thread polls. `came` gets the addresses of each client, as remote_address and peer_address."""

    def __init__(self, secure=False, **config):
        config = {"trusted_proxies": TRUSTED} | config
        if config["trusted_proxies"] is None:
            del config["trusted_proxies"]
        if secure:
            config |= {"cert_pem": CERTIFICATE.cert_pem, "key_pem": CERTIFICATE.key_pem}
        self.server = wspeer.listen(f"{'wss' if secure else 'ws'}://127.0.0.1:0", **config)
        self.port = self.server.options.port
        self.came = queue.Queue()
        # Method, path and body of each request that the server was asked about.
        self.asked = []
        self.log = []
        self._running = True
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def _poll(self):
        while self._running:
            self.server.poll()
            for event in self.server.events():
                if event.type == EventType.REQUEST:
                    self._decide(event)
                if event.type == EventType.CONNECTED:
                    self.came.put((event.peer.remote_address, event.peer.peer_address))
            self.log += wspeer.log_lines()
            self.server.wait(0.02)

    def _decide(self, event):
        peer = event.peer
        self.asked.append((peer.method, peer.path, event.data))
        with contextlib.suppress(wspeer.StateError):
            if event.count:
                peer.accept()
            else:
                peer.reply(200, f"{peer.method} {peer.path} ".encode() + event.data, {"X-Server": "wspeer"})

    def stats(self):
        return self.server.stats()

    def until(self, what, condition):
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end:
                raise harness.Wrong(f"not {what} after {LIMIT} s: {self.log}")
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running = False
        self._thread.join()
        self.server.free()


class Visit:
    """A player's connection: `status` of the answer, None if there was none, and the `address` it came from."""

    def __init__(self, port, source="127.0.0.1", path="/", headers="", tls=False, first=b"", pieces=None):
        to = "::1" if ":" in source else "127.0.0.1"
        self.socket = socket.create_connection((to, port), LIMIT, (source, 0))
        host, own = self.socket.getsockname()[:2]
        self.address = f"[{host}]:{own}" if ":" in host else f"{host}:{own}"
        self.host = f"[{host}]" if ":" in host else host
        for piece in pieces or [first]:
            self.socket.sendall(piece)
        if tls:
            context = ssl.create_default_context(cadata=CERTIFICATE.cert_pem)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        answer = b""
        with contextlib.suppress(OSError):
            self.socket.sendall(REQUEST.format(path=path, headers=headers).encode())
            while b"\r\n\r\n" not in answer and (more := self.socket.recv(65536)):
                answer += more
        found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
        self.status = int(found[1]) if found else None

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def seen(served):
    try:
        return served.came.get(timeout=LIMIT)
    except queue.Empty:
        raise harness.Wrong(f"nobody came: {served.log}") from None


def host_of(address):
    return address.rpartition(":")[0]


def is_player(served, visit, proxy, with_port):
    """The server has the player's address, and that of the proxy as the socket's."""
    same("the status", visit.status, 101)
    remote, peer = seen(served)
    same("the player's address", remote, visit.address if with_port else f"{visit.host}:0")
    same("the proxy's address", host_of(peer), proxy)


def behind_haproxy():
    places = {name: free_port() for name in ("v1", "v2", "tlvs", "tls", "none")}
    (WORK / "bundle.pem").write_text(CERTIFICATE.cert_pem + CERTIFICATE.key_pem)
    with Served(proxy_protocol=True) as plain, Served(secure=True, proxy_protocol=True) as secure:

        def command(_port):
            for name in places:
                places[name] = free_port()
            settings = HAPROXY.substitute(places, plain=plain.port, secure=secure.port, bundle=WORK / "bundle.pem")
            # The harness waits until this port listens.
            settings += f"frontend ready\n  bind 127.0.0.1:{_port}\n  default_backend none\n"
            (WORK / "haproxy.cfg").write_text(settings)
            return ["haproxy", "-db", "-f", str(WORK / "haproxy.cfg")]

        with daemon("haproxy", command):
            for name, to, tls in (
                ("v1", plain, False),
                ("v2", plain, False),
                ("tlvs", plain, True),
                ("tls", secure, True),
            ):
                for source in ("127.0.0.1", "127.0.0.50", "::1"):
                    if source == "::1" and (tls or not harness.has_ipv6()):
                        continue
                    what = {"v1": "send-proxy", "tlvs": "TLVs", "tls": "before TLS"}.get(name, "send-proxy-v2")
                    with case(f"haproxy: {what}, a player from {source}"):
                        with Visit(places[name], source, tls=tls) as visit:
                            is_player(to, visit, PROXY, with_port=True)
            with case("haproxy: without the header its connection is closed"):
                with Visit(places["none"]) as visit:
                    same("the status", visit.status, None)
                # Both servers are of one process, and either takes the lines of its log.
                is_told = lambda: any("a trusted proxy, was closed" in line for line in plain.log + secure.log)  # noqa: E731
                plain.until("logged", is_told)
            with case("haproxy: health checks, with the header and without, disturb nobody"):
                before = plain.stats().refused
                plain.until("checked", lambda: plain.stats().refused > before + 20)
                with Visit(places["v2"], "127.0.0.77") as visit:
                    is_player(plain, visit, PROXY, with_port=True)


def limits():
    with case("haproxy: the limit per address is the player's"):
        with Served(proxy_protocol=True, max_clients_per_address=1) as served:
            settings = Settings(
                HAPROXY.template[: HAPROXY.template.index("frontend v1")]
                + "frontend v2\n  bind 127.0.0.1:@port\n  default_backend v2\n"
                + "backend v2\n  server one 127.0.0.1:@plain source 127.0.0.2 send-proxy-v2\n"
            )

            def command(port):
                (WORK / "limits.cfg").write_text(settings.substitute(port=port, plain=served.port))
                return ["haproxy", "-db", "-f", str(WORK / "limits.cfg")]

            with daemon("haproxy-limits", command) as port, contextlib.ExitStack() as open_ones:
                # The harness's probe came from 127.0.0.1.
                statuses = [
                    open_ones.enter_context(Visit(port, f"127.0.0.{number}")).status for number in (51, 52, 51, 53, 52)
                ]
                same("the statuses", statuses, [101, 101, 503, 101, 503])


def behind_nginx():
    with (
        Served(x_forwarded_for=True) as by_x,
        Served(forwarded=True) as by_forwarded,
        Served(x_forwarded_for=True, proxy_protocol=True) as by_both,
    ):

        def chain(port):
            (WORK / "chain.cfg").write_text(CHAIN.substitute(port=port, by_both=by_both.port))
            return ["haproxy", "-db", "-f", str(WORK / "chain.cfg")]

        with daemon("haproxy-chain", chain) as haproxy:

            def command(port):
                settings = NGINX.substitute(
                    port=port,
                    folder=WORK,
                    user="user root;" if os.geteuid() == 0 else "",
                    by_x=by_x.port,
                    by_forwarded=by_forwarded.port,
                    haproxy=haproxy,
                )
                (WORK / "nginx.conf").write_text(settings)
                return ["nginx", "-e", str(WORK / "nginx-error.log"), "-c", str(WORK / "nginx.conf")]

            with daemon("nginx", command) as port:
                sources = ["127.0.0.1", "127.0.0.60"] + (["::1"] if harness.has_ipv6() else [])
                for source in sources:
                    for path, to, proxy in (
                        ("/x", by_x, "127.0.0.3"),
                        ("/forwarded", by_forwarded, "127.0.0.3"),
                        ("/chain", by_both, "127.0.0.2"),
                    ):
                        for lie in (
                            "",
                            "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n",
                            "X-Forwarded-For: 127.0.0.2, unknown\r\nForwarded: for=127.0.0.2, for=unknown\r\n",
                        ):
                            what = "who lies" if lie else "who says nothing"
                            with case(f"nginx: {path}, a player from {source} {what}"):
                                with Visit(port, source, path, lie) as visit:
                                    is_player(to, visit, proxy, with_port=False)
                with case("nginx: a quotation mark left open by a player hides nothing"):
                    with Visit(port, path="/forwarded", headers='Forwarded: for="\r\n') as visit:
                        same("the status", visit.status, 400)


def direct():
    header = b"PROXY TCP4 6.6.6.6 127.0.0.1 1000 80\r\n"
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    v2 = signature + b"\x21\x11\x00\x0c" + bytes([6, 6, 6, 6, 127, 0, 0, 1, 0, 9, 0, 80])
    with Served(proxy_protocol=True, handshake_timeout_ms=700) as served:
        for name, first in (("version 1", header), ("version 2", v2)):
            with case(f"direct: {name} from an untrusted peer is no PROXY header"):
                with Visit(served.port, first=first) as visit:
                    same("the status", visit.status, 400)
            with case(f"direct: {name} from a trusted peer, byte by byte"):
                pieces = [bytes([byte]) for byte in first]
                with Visit(served.port, PROXY, pieces=pieces) as visit:
                    same("the status", visit.status, 101)
                    same("the address", host_of(seen(served)[0]), "6.6.6.6")
        with case("direct: an untrusted peer needs no header"):
            with Visit(served.port) as visit:
                same("the status", visit.status, 101)
                same("both addresses", seen(served), (visit.address, visit.address))
        with case("direct: headers that drip or stop are closed in time, and others are served meanwhile"):
            slow = [socket.create_connection(("127.0.0.1", served.port), LIMIT, (PROXY, 0)) for _ in range(50)]
            refused, end = served.stats().refused, time.monotonic() + LIMIT
            number = 0
            while served.stats().refused < refused + 50:
                if time.monotonic() > end:
                    raise harness.Wrong(f"{served.stats()}")
                for one in slow[:25]:
                    with contextlib.suppress(OSError):
                        one.send(header[number : number + 1] if number < 20 else b"")
                number += 1
                with Visit(served.port) as visit:
                    same("the status", visit.status, 101)
            for one in slow:
                one.close()
            same("handshakes left", served.stats().pending_handshakes, 0)
        with case("direct: headers over 4096 bytes and damaged ones are closed"):
            for first in (
                signature + b"\x21\x11\xff\xff" + bytes(5000),
                signature + b"\x41\x11\x00\x0c" + bytes(12),
                b"PROXY " + b"x" * 200,
                b"PROXY TCP4 6.6.6.6\r\n",
            ):
                with Visit(served.port, PROXY, first=first) as visit:
                    same("the status", visit.status, None)
    for name, flag in (("X-Forwarded-For", "x_forwarded_for"), ("Forwarded", "forwarded")):
        with Served(**{flag: True}) as served:
            lie = "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
            with case(f"direct: {name} of an untrusted peer is ignored, and logged once"):
                for _ in range(3):
                    with Visit(served.port, headers=lie) as visit:
                        same("the status", visit.status, 101)
                        same("both addresses", seen(served), (visit.address, visit.address))
                served.until("logged", lambda served=served: served.log)
                same("the lines about it", sum("is ignored" in line for line in served.log), 1)
            with case(f"direct: {name} of a trusted peer is read"):
                with Visit(served.port, PROXY, headers=lie) as visit:
                    same("the status", visit.status, 101)
                    same("the address", seen(served), ("6.6.6.6:0", visit.address))


def exchange(port, data):
    """Sends bytes and returns all that comes back until the other end closes, or has sent nothing for a while."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as visit:
        visit.sendall(data)
        visit.settimeout(0.5)
        answer = b""
        with contextlib.suppress(OSError):
            while more := visit.recv(65536):
                answer += more
    return answer


def status_of(answer):
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    return int(found[1]) if found else None


HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
CHUNKED = b"0\r\n\r\n"


def smuggling():
    """Requests of which two programs could see different ends."""
    head = b"POST /first HTTP/1.1\r\nHost: h\r\n"
    whole = str(len(CHUNKED + HIDDEN)).encode()
    for name, lines, body in (
        ("both framings", b"Content-Length: " + whole + b"\r\nTransfer-Encoding: chunked\r\n", CHUNKED + HIDDEN),
        ("both, the other way", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED + HIDDEN),
        ("a space before the colon", b"Content-Length: 0\r\nTransfer-Encoding : chunked\r\n", CHUNKED + HIDDEN),
        ("a tab in the coding", b"Content-Length: " + whole + b"\r\nTransfer-Encoding:\tchunked\r\n", CHUNKED + HIDDEN),
        ("a vertical tab", b"Content-Length: " + whole + b"\r\nTransfer-Encoding:\x0bchunked\r\n", CHUNKED + HIDDEN),
        ("an unknown coding", b"Content-Length: " + whole + b"\r\nTransfer-Encoding: xchunked\r\n", CHUNKED + HIDDEN),
        ("identity", b"Content-Length: " + whole + b"\r\nTransfer-Encoding: identity\r\n", CHUNKED + HIDDEN),
        ("two codings", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED + HIDDEN),
        ("two lengths", b"Content-Length: 0\r\nContent-Length: " + str(len(HIDDEN)).encode() + b"\r\n", HIDDEN),
        ("a list of lengths", b"Content-Length: 0, " + str(len(HIDDEN)).encode() + b"\r\n", HIDDEN),
        ("a signed length", b"Content-Length: +" + str(len(HIDDEN)).encode() + b"\r\n", HIDDEN),
        ("a hexadecimal length", b"Content-Length: 0x28\r\n", HIDDEN),
        ("a folded length", b"X: y\r\n Content-Length: 0\r\nContent-Length: " + str(len(HIDDEN)).encode() + b"\r\n", HIDDEN),
        ("a length behind a bare CR", b"X: y\rContent-Length: 0\r\nContent-Length: " + str(len(HIDDEN)).encode() + b"\r\n", HIDDEN),
        ("a length behind a bare LF", b"X: y\nContent-Length: " + str(len(HIDDEN)).encode() + b"\r\n", HIDDEN),
        ("a length behind a NUL", b"X: y\0\r\nContent-Length: " + str(len(HIDDEN)).encode() + b"\r\n", HIDDEN),
        (
            "a body of an upgrade",
            b"Content-Length: " + str(len(HIDDEN)).encode() + b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            HIDDEN,
        ),
    ):
        yield name, head + lines + b"\r\n" + body


def requests():
    with Served(ask=True, trusted_proxies=None) as asking, Served(trusted_proxies=None) as silent:

        def haproxy(port):
            (WORK / "checked.cfg").write_text(CHECKED.substitute(port=port, asking=asking.port, silent=silent.port))
            return ["haproxy", "-db", "-f", str(WORK / "checked.cfg")]

        def nginx(port):
            user = "user root;" if os.geteuid() == 0 else ""
            settings = PAGES.substitute(port=port, folder=WORK, user=user, asking=asking.port, silent=silent.port)
            (WORK / "pages.conf").write_text(settings)
            return ["nginx", "-e", str(WORK / "pages-error.log"), "-c", str(WORK / "pages.conf")]

        with daemon("haproxy-checked", haproxy) as by_haproxy, daemon("nginx-pages", nginx) as by_nginx:
            get = b"GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            with case("requests: option httpchk is answered by ws_reply"):
                asking.until("checked", lambda: asking.asked.count(("GET", "/health", b"")) > 10)
                same("a page", status_of(exchange(by_haproxy, get % b"/page")), 200)
            with case("requests: a check that expects another status takes the server down"):
                down = lambda: status_of(exchange(by_haproxy, get % b"/bad")) == 503  # noqa: E731
                asking.until("down", down)
            with case("requests: a server that does not ask answers checks with 426"):
                answered = lambda: status_of(exchange(by_haproxy, get % b"/silent")) == 426  # noqa: E731
                silent.until("up", answered)
            for name, port in (("haproxy", by_haproxy), ("nginx", by_nginx)):
                with case(f"requests: GET, HEAD and POST through {name}"):
                    answer = exchange(port, get % b"/page?q")
                    same("the answer", (status_of(answer), answer.endswith(b"GET /page ")), (200, True))
                    answer = exchange(port, b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    same("HEAD", (status_of(answer), answer.endswith(b"\r\n\r\n")), (200, True))
                    post = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
                    same("POST", exchange(port, post).endswith(b"POST /p body"), True)
                    same("plain HTTP by default", status_of(exchange(port, get % b"/silent")), 426)
                with case(f"requests: a WebSocket through {name}"):
                    with Visit(port, path="/game") as visit:
                        same("the status", visit.status, 101)
                for what, data in smuggling():
                    with case(f"requests: {what} smuggles nothing through {name}"):
                        before = len(asking.asked)
                        answers = [exchange(port, data) for _ in range(2)]
                        # The proxy may reuse its connection to the server for this.
                        same("a later request", exchange(port, get % b"/later").endswith(b"GET /later "), True)
                        # Where the proxy sees two requests, it returns two answers to their sender. The body of an answer
                        # to POST repeats what it was sent.
                        known = sum(answer.count(b"\r\n\r\nGET /smuggled ") for answer in answers)
                        came = sum(path == "/smuggled" for _, path, _ in asking.asked[before:])
                        same("requests that the proxy does not know", came - known, 0)
            url = f"http://127.0.0.1:{asking.port}"
            for what, arguments, wanted in (
                ("GET", [f"{url}/a?b"], "GET /a "),
                ("HEAD", ["--head", f"{url}/a"], ""),
                ("POST", ["--data", "x=1", f"{url}/a"], "POST /a x=1"),
                ("a body that waits for 100", ["-H", "Expect: 100-continue", "--data", "y" * 5000, url], "POST / " + "y" * 5000),
                ("two requests, one after the other", [f"{url}/1", f"{url}/2"], "GET /1 GET /2 "),
                ("HTTP/1.0", ["--http1.0", f"{url}/old"], "GET /old "),
            ):
                with case(f"requests: curl, {what}"):
                    done = subprocess.run(
                        ["curl", "-sS", "--noproxy", "*", "--max-time", str(LIMIT), *arguments],
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                    if what == "HEAD":
                        same("the headers", "X-Server: wspeer" in done.stdout, True)
                    else:
                        same("the body", done.stdout, wanted)
            for what, data in smuggling():
                with case(f"requests: {what} is refused directly"):
                    before = len(asking.asked)
                    status = status_of(exchange(asking.port, data))
                    if what == "a length behind a bare LF":
                        same("the status", status, 200)
                    else:
                        same("refused", status in (400, 405, 411), True)
                    same("smuggled", any(path == "/smuggled" for _, path, _ in asking.asked[before:]), False)


class Node:
    """examples-c/drained_server.c, which is started again after it was drained."""

    def __init__(self, name):
        self.name, self.port = name, 0
        self.start()

    def start(self):
        """At the port that it had before."""
        program = str(ROOT / "build" / "drained_server")
        self.program = harness.Lines([program, str(self.port), self.name, "2000"], self.name)
        self.port = int(self.program.line().rpartition(" ")[2])

    def drain(self):
        self.program.process.terminate()

    def ended(self):
        """Waits for its end."""
        same("the end", [self.program.line(), self.program.line()], ["draining", "ended"])
        same("the exit code", self.program.wait(), 0)


# Messages of a player that have not come back.
IN_FLIGHT = 20


class Player:
    """Says numbers, and expects each to come back once and in order, but for those of which LOST said that they may be
    lost."""

    def __init__(self, name, port):
        self.peer = wspeer.connect(
            f"ws://127.0.0.1:{port}/room?player={name}",
            reconnect=True,
            session_ms=30_000,
            retry_min_ms=20,
            retry_max_ms=500,
        )
        self.name = name
        self.put, self.came = 0, 0
        self.opened, self.missing, self.may_miss, self.told = 0, 0, 0, 0
        # Up to here nothing is waited for: a link was lost since.
        self.given_up = 0

    def step(self):
        self.peer.poll()
        for event in self.peer.events():
            if event.type == EventType.OPEN:
                self.opened += 1
            elif event.type == EventType.LOST:
                # A server that is gone has taken along what it had to say, too.
                self.told += event.cause == Cause.SESSION
                self.may_miss += self.put - self.came if event.cause == Cause.SESSION else event.unsent
                self.given_up = self.put
            elif event.type == EventType.CLOSED:
                raise harness.Wrong(f"{self.name} was kicked: {event.text}")
            elif event.type == EventType.MESSAGE:
                name, _, number = event.text.partition(" ")
                if name == self.name:
                    self.missing += int(number) - self.came - 1
                    self.came = int(number)
                    if self.missing < 0 or self.missing > self.may_miss:
                        raise harness.Wrong(f"{self.name} heard {number}: {self.missing} of at most {self.may_miss} lost")
        if self.peer.state == State.OPEN and self.put - max(self.came, self.given_up) < IN_FLIGHT:
            self.peer.send(f"{self.name} {self.put + 1}")
            self.put += 1


def play(players, what, done, limit=60):
    end = time.monotonic() + limit
    while not done():
        for player in players:
            player.step()
        if time.monotonic() > end:
            told = [(player.name, player.peer.state, player.put, player.came, player.may_miss) for player in players]
            raise harness.Wrong(f"not {what} after {limit} s: {told}")
        wspeer.wait([player.peer for player in players], 0.01)


def fleet(kind, settings):
    """Two servers behind a balancer are drained and started again one after the other, while players talk."""
    nodes = [Node("one"), Node("two")]

    def command(port):
        path = WORK / f"fleet-{kind}.cfg"
        user = "user root;" if os.getuid() == 0 else ""
        path.write_text(settings.substitute(port=port, one=nodes[0].port, two=nodes[1].port, user=user, folder=WORK))
        return ["haproxy", "-db", "-f", str(path)] if kind == "haproxy" else ["nginx", "-c", str(path)]

    with daemon(f"{kind}-fleet", command) as port:
        players = [Player(f"{kind}{number}", port) for number in range(12)]

        def on(heard):
            """Whether each has heard so many more of its own messages."""
            wanted = [player.came + heard for player in players]
            return lambda: all(player.came >= count for player, count in zip(players, wanted))

        with case(f"draining: {kind}: players talk"):
            play(players, "talking", on(20))
        for node in nodes:
            with case(f"draining: {kind}: {node.name} is drained, and nobody is kicked"):
                opened = [player.opened for player in players]
                node.drain()
                play(players, "drained", lambda: node.program.process.poll() is not None)
                node.ended()
                play(players, "talking", on(20))
                moved = sum(player.opened > before for player, before in zip(players, opened))
                same("players moved to the other server", moved > 0, True)
            with case(f"draining: {kind}: {node.name} is started again"):
                node.start()
                guest = Player(f"{kind}-guest", node.port)
                play([*players, guest], "a guest there", lambda: guest.came > 5)
                guest.peer.free()
        with case(f"draining: {kind}: cut links are resumed at the server that has the session"):
            before = [player.peer.stats().resumed for player in players]
            for player in players:
                player.peer.hint(Hint.NETWORK_CHANGED)
            resumed = lambda: all(player.peer.stats().resumed > old for player, old in zip(players, before))  # noqa: E731
            play(players, "resumed", resumed)
            play(players, "talking", on(20))
        with case(f"draining: {kind}: {nodes[0].name} is killed and started again: its players are told, and go on"):
            told = [player.told for player in players]
            nodes[0].program.process.kill()
            nodes[0].program.wait()
            nodes[0].start()
            moved = lambda: any(player.told > before for player, before in zip(players, told))  # noqa: E731
            play(players, "told", moved)
            play(players, "talking", on(20))
        lost = sum(player.missing for player in players)
        print(f"figure: {kind}: of {sum(player.put for player in players)} messages {lost} were lost and told", flush=True)
        for player in players:
            player.peer.free()
    for node in nodes:
        node.program.process.kill()
        node.program.wait()


def draining():
    fleet("haproxy", FLEET_HAPROXY)
    fleet("nginx", FLEET_NGINX)


def recipe(language):
    """A block of docs/cookbook.md."""
    text = (ROOT / "docs" / "cookbook.md").read_text()
    return re.search(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)[1]


def recipes():
    """The proxies of docs/cookbook.md, with the names and ports of this machine."""
    with Served(trusted_proxies="127.0.0.1", x_forwarded_for=True) as served:

        def written(name, text):
            path = WORK / name
            path.write_text(text.replace("127.0.0.1:9080", f"127.0.0.1:{served.port}"))
            return str(path)

        def nginx(port):
            user = "user root;" if os.geteuid() == 0 else ""
            text = RECIPE_NGINX.substitute(port=port, folder=WORK, user=user, location=recipe("nginx"))
            return ["nginx", "-e", str(WORK / "recipe-error.log"), "-c", written("recipe.conf", text)]

        def haproxy(port):
            return ["haproxy", "-db", "-f", written("recipe.cfg", recipe("haproxy").replace("*:80", f"127.0.0.1:{port}"))]

        def caddy(port):
            # A name would make it ask for a certificate.
            site = recipe("caddyfile").replace("game.example", f"http://:{port}")
            config = written("Caddyfile", "{\n\tadmin off\n}\n" + site)
            folders = [f"{name}={WORK}" for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")]
            return ["env", *folders, "caddy", "run", "--adapter", "caddyfile", "--config", config]

        for name, command in (("nginx", nginx), ("haproxy", haproxy), ("caddy", caddy)):
            with daemon(f"{name}-recipe", command) as port:
                for lie in ("", "X-Forwarded-For: 6.6.6.6\r\n"):
                    with case(f"cookbook: {name}, a player {'who lies' if lie else 'who says nothing'}"):
                        with Visit(port, "127.0.0.60", headers=lie) as visit:
                            is_player(served, visit, "127.0.0.1", with_port=False)


GROUPS = {
    "requests": [requests],
    "haproxy": [behind_haproxy, limits],
    "nginx": [behind_nginx],
    "direct": [direct],
    "draining": [draining],
    "cookbook": [recipes],
}
CERTIFICATE = wspeer.make_certificate("localhost, 127.0.0.1")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    os.environ["PATH"] += ":/usr/sbin"
    for name, runs in GROUPS.items():
        if "".join(sys.argv[1:2]) not in name:
            continue
        began = time.monotonic()
        for run in runs:
            try:
                run()
            except (harness.Wrong, OSError) as error:
                with case(name):
                    raise error
        print(f"figure: behind {name}: {time.monotonic() - began:.1f} s", flush=True)
    return 1 if harness.failures else 0


sys.exit(main())
