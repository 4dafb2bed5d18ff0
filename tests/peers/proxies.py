"""Behind nginx and HAProxy, which terminate TLS: wspeer and foreign clients, a wspeer server, and every form of the
headers that the proxies can produce."""

import contextlib
import os

from certificates import path
from harness import WORK, Settings, case, connection, daemon, echo, ended, free_port, has, same, server, session
from talk import BY_HOST, BY_PEER, CRCS, HTTP, STATUS, reported

ROOT = {"ca": path("root.pem")}
CLIENTS = ["wspeer", "ws", "websockets"]


NGINX = Settings("""
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
  proxy_http_version 1.1;
  server {
    listen 127.0.0.1:@port ssl http2;
    ssl_certificate @chain;
    ssl_certificate_key @key;
    location /usual { @upgrade @passed proxy_set_header Connection "Upgrade"; }
    location /small { @upgrade @passed proxy_set_header Connection "upgrade"; }
    location /keep-alive { @upgrade @passed proxy_set_header Connection "keep-alive, Upgrade"; }
    location /list { @passed proxy_set_header Upgrade "WebSocket, h2c"; proxy_set_header Connection "Keep-Alive ,UPGRADE"; }
    location /copied { @upgrade @passed proxy_set_header Connection $http_connection; }
    location /tls {
      @upgrade @more proxy_set_header Connection "Upgrade"; proxy_pass https://127.0.0.1:@secure;
      proxy_ssl_verify on; proxy_ssl_verify_depth 2; proxy_ssl_name localhost; proxy_ssl_server_name on; proxy_ssl_trusted_certificate @root;
    }
    location /login { @upgrade @passed proxy_set_header Connection "Upgrade"; auth_basic "game"; auth_basic_user_file @folder/users; }
    location /forgotten { @passed }
    location /old { @upgrade @passed proxy_set_header Connection "Upgrade"; proxy_http_version 1.0; }
    location /down { proxy_pass http://127.0.0.1:@nobody; }
    location /denied { default_type text/plain; return 403 "the proxy says no"; }
  }
}
""")

HAPROXY = Settings("""
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
  retries 0
frontend entry
  bind 127.0.0.1:@port ssl crt @bundle alpn h2,http/1.1
  http-request set-header X-Proxy haproxy
  http-request deny deny_status 403 content-type text/plain string "the proxy says no" if { path_beg /denied }
  use_backend encrypted if { path_beg /tls }
  use_backend closing if { path_beg /closing }
  use_backend down if { path_beg /down }
  default_backend plain
backend plain
  server one 127.0.0.1:@plain
backend closing
  option http-server-close
  server one 127.0.0.1:@plain
backend encrypted
  server one 127.0.0.1:@secure ssl verify required ca-file @root sni str(localhost)
backend down
  server one 127.0.0.1:@nobody
""")


def behind_nginx():
    (WORK / "users").write_text("player:{PLAIN}secret\n")
    with servers() as (plain, secure, places):
        places["user"] = "user root;" if os.geteuid() == 0 else ""
        places["upgrade"] = "proxy_set_header Upgrade $http_upgrade;"
        places["more"] = "proxy_set_header Host $host; proxy_set_header X-Proxy nginx;"
        places["passed"] = f"{places['more']} proxy_pass http://127.0.0.1:{plain.port};"

        def command(port):
            (WORK / "nginx.conf").write_text(NGINX.substitute(places, port=port))
            return ["nginx", "-e", str(WORK / "nginx-error.log"), "-c", str(WORK / "nginx.conf")]

        with daemon("nginx", command) as port:
            for place in ("usual", "small", "keep-alive", "list", "copied"):
                through("nginx", port, f"/{place}", plain)
            through("nginx", port, "/tls", secure)
            login(port, plain)
            refused("nginx", port, "/forgotten", 426)
            refused("nginx", port, "/old", 400)
            refused("nginx", port, "/down", 502, "nginx")
            refused("nginx", port, "/denied", 403, "the proxy says no")
            with case("nginx: ws:// to its TLS port"), connection("wspeer", f"ws://localhost:{port}/usual") as peer:
                has(ended(peer), phase=HTTP, cause=STATUS, status=400)
                same("the body mentions HTTPS", "HTTPS" in peer.first["body"], True)


def behind_haproxy():
    with servers() as (plain, secure, places):

        def command(port):
            (WORK / "haproxy.cfg").write_text(HAPROXY.substitute(places, port=port))
            return ["haproxy", "-db", "-f", str(WORK / "haproxy.cfg")]

        with daemon("haproxy", command) as port:
            through("haproxy", port, "/usual", plain)
            through("haproxy", port, "/closing", plain)
            through("haproxy", port, "/tls", secure)
            refused("haproxy", port, "/down", 503, "503")
            refused("haproxy", port, "/denied", 403, "the proxy says no")


@contextlib.contextmanager
def servers():
    """A wspeer server without TLS and one with it, and the values for the settings."""
    with server("wspeer", show="X-Proxy", header=["X-Answer: yes"]) as plain:
        with server(
            "wspeer", show="X-Proxy", header=["X-Answer: yes"], cert=path("chain.pem"), key=path("leaf.key")
        ) as secure:
            yield plain, secure, {
                "folder": WORK,
                "chain": path("chain.pem"),
                "key": path("leaf.key"),
                "bundle": path("bundle.pem"),
                "root": path("root.pem"),
                "plain": plain.port,
                "secure": secure.port,
                "nobody": free_port(),
            }


def through(proxy, port, place, to):
    """Clients reach the server through that location of the proxy, and both ends close cleanly."""
    url = f"wss://localhost:{port}"
    for client in CLIENTS:
        name = f"{client} through {proxy} at {place}"
        with case(f"{name}: headers and messages; the client closes"):
            with session(client, to, place + "?x=1", url=url, show="X-Answer", **ROOT) as (peer, here, there):
                has(there, path=place, query="x=1", shown=[proxy])
                has(here, shown=["yes"])
                for type, size in (("text", 126), ("binary", 0), ("binary", 65_536), ("text", 1 << 20)):
                    echo(peer, to, type, size, CRCS[type, size])
                if place == "/usual":
                    echo(peer, to, "binary", 16 << 20, CRCS["binary", 16 << 20])
                peer.tell("close", code=4001, reason="κόσμε")
                reported(to, 4001, "κόσμε", BY_PEER)
                reported(peer, 4001, None, BY_HOST)
        with case(f"{name}: the server closes"), session(client, to, place, url=url, **ROOT) as (peer, _, _):
            to.tell("close", code=1001, reason="restart")
            reported(peer, 1001, "restart", BY_PEER)
            reported(to, 1001, None, BY_HOST)


def login(port, to):
    with (
        case("nginx: user name and password in the URL"),
        session("wspeer", to, "/login", url=f"wss://player:secret@localhost:{port}", **ROOT) as (peer, here, _),
    ):
        same("the password is not in WS_GET_URL", here["url"], f"wss://localhost:{port}/login")
        peer.tell("close", code=1000)
        reported(to, 1000, "", BY_PEER)
        reported(peer, 1000, None, BY_HOST)
    with (
        case("nginx: no password"),
        connection("wspeer", f"wss://localhost:{port}/login", show="WWW-Authenticate", **ROOT) as peer,
    ):
        has(ended(peer), phase=HTTP, cause=STATUS, status=401, shown=['Basic realm="game"'])


def refused(proxy, port, place, status, words=""):
    with case(f"{proxy}: {status} at {place}"), connection("wspeer", f"wss://localhost:{port}{place}", **ROOT) as peer:
        has(ended(peer), phase=HTTP, cause=STATUS, status=status)
        same(
            f"{words!r} in the body {peer.first['body']!r}",
            words in peer.first["body"] and len(peer.first["body"]) > 10,
            True,
        )
