#!/usr/bin/env python3
"""ws_serve against curl, raw requests, and pages in Chromium that join the game on the port that they came from.
Usage: run.py [PART-OF-A-GROUP]"""

import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import wspeer
from wspeer import EventType

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "serve"
sys.path.append(str(ROOT / "tests" / "peers"))
import harness  # noqa: E402
from harness import case, same  # noqa: E402

WORK = ROOT / "build" / "serve"
SITE = WORK / "site"
LIMIT = 20
SECRET = "the secret beside the directory"
# A time in the past, so that no file counts as just changed.
OLD = 1_600_000_000


class Served:
    """An echo server that serves SITE, polled by a thread."""

    def __init__(self, prefix="/", secure=False, isolated=False, directory=SITE, **config):
        if secure:
            made = wspeer.make_certificate("localhost, 127.0.0.1", 30)
            config |= {"cert_pem": made.cert_pem, "key_pem": made.key_pem}
        self.server = wspeer.listen(f"{'wss' if secure else 'ws'}://127.0.0.1:0", **config)
        self.server.serve(prefix, directory, isolated=isolated)
        self.port = self.server.options.port
        self.url = f"{'https' if secure else 'http'}://127.0.0.1:{self.port}"
        self.events = []
        self._ends = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ends:
            self.server.poll()
            for event in self.server.events():
                self.events.append(event.type)
                if event.type == EventType.MESSAGE:
                    event.peer.send(event.message)
            self.server.wait(0.005)

    def close(self):
        self._ends = True
        self._thread.join(LIMIT)
        self.server.free()

    def stats(self):
        return self.server.stats()


def served(*arguments, **settings):
    return contextlib.closing(Served(*arguments, **settings))


def make_site():
    shutil.rmtree(WORK, ignore_errors=True)
    (SITE / "sub").mkdir(parents=True)
    (WORK / "secret").write_text(SECRET)
    (SITE / ".hidden").write_text(SECRET)
    (SITE / "link").symlink_to("../secret")
    (SITE / "up").symlink_to("..")
    shutil.copy(HERE / "echo.html", SITE / "index.html")
    shutil.copy(HERE / "threads.html", SITE / "threads.html")
    (SITE / "greeting.mjs").write_text("export const greeting = 'hello from the page'\n")
    (SITE / "sub" / "a b.txt").write_text("spaces")
    (SITE / "plain.js").write_text("console.log('plain')\n" * 100)
    (SITE / "plain.js.gz").write_bytes(gzip.compress((SITE / "plain.js").read_bytes(), mtime=0))
    (SITE / "plain.js.br").write_bytes(b"not really brotli")
    (SITE / "build.wasm.gz").write_bytes(gzip.compress(b"\0asm\1\0\0\0", mtime=0))
    (SITE / "build.data.unityweb").write_bytes(gzip.compress(b"unity" * 100, mtime=0))
    (SITE / "digits").write_bytes(b"0123456789" * 1_000_000)
    for path in SITE.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (OLD, OLD))


def curl(*arguments, text=True):
    """curl's output."""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", str(LIMIT), *map(str, arguments)], capture_output=True, env=harness.ENV
    )
    if done.returncode:
        raise harness.Wrong(f"curl ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode() if text else done.stdout


def head_of(output):
    """Status and headers of what `curl -i` prints."""
    lines = output.split("\r\n\r\n")[0].split("\r\n")
    return int(lines[0].split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}


def raw(port, request, limit=LIMIT):
    """What a server answers to raw bytes until it ends the connection."""
    with socket.create_connection(("127.0.0.1", port), limit) as sock:
        sock.sendall(request)
        answer = b""
        while part := sock.recv(65536):
            answer += part
        return answer


def group_curl():
    with served() as end:
        url = end.url
        with case("curl: a file with its type and validators"):
            status, headers = head_of(curl("-i", f"{url}/greeting.mjs"))
            same("status", status, 200)
            same("type", headers["content-type"], "text/javascript; charset=utf-8")
            same("date", headers["last-modified"], "Sun, 13 Sep 2020 12:26:40 GMT")
            same("sniffing", headers["x-content-type-options"], "nosniff")
            same("cache", headers["cache-control"], "no-cache")
            if not re.fullmatch(r'"[0-9a-f]+-[0-9a-f]{16}"', headers["etag"]):
                raise harness.Wrong(headers["etag"])
        with case("curl: names with spaces, the index, and redirections"):
            same("file", curl(f"{url}/sub/a%20b.txt"), "spaces")
            same("index", curl(f"{url}/"), (SITE / "index.html").read_text())
            same("redirection", head_of(curl("-i", f"{url}/sub?x=1"))[1]["location"], "/sub/?x=1")
            same("followed", curl("-L", "-o", os.devnull, "-w", "%{http_code}", f"{url}/sub"), "404")
        with case("curl: HEAD"):
            status, headers = head_of(curl("-I", f"{url}/digits"))
            same("status and length", (status, headers["content-length"]), (200, "10000000"))
        with case("curl: ranges, and a download that is resumed"):
            same("range", curl("-r", "3-7", f"{url}/digits"), "34567")
            same("the end", curl("-r", "-4", f"{url}/digits"), "6789")
            status, headers = head_of(curl("-i", "-r", "20000000-", f"{url}/digits"))
            same("behind the end", (status, headers["content-range"]), (416, "bytes */10000000"))
            same("several", head_of(curl("-i", "-r", "0-1,4-5", f"{url}/greeting.mjs"))[0], 200)
            part = WORK / "part"
            part.write_bytes((SITE / "digits").read_bytes()[:1_234_567])
            curl("-C", "-", "-o", part, f"{url}/digits")
            same("resumed", part.read_bytes(), (SITE / "digits").read_bytes())
        with case("curl: conditional requests"):
            tags, copy = WORK / "tags", WORK / "copy"
            curl("--etag-save", tags, "-o", copy, f"{url}/plain.js")
            asked = ["-o", os.devnull, "-w", "%{http_code} %{size_download}"]
            same("by tag", curl("--etag-compare", tags, *asked, f"{url}/plain.js"), "304 0")
            curl("-R", "-o", copy, f"{url}/plain.js")
            same("by date", curl("-z", copy, *asked, f"{url}/plain.js"), "304 0")
            same("older", curl("-z", "1 Jan 2019", *asked, f"{url}/plain.js"), "200 2100")
            same("If-Match", curl("-H", 'If-Match: "x"', "-o", os.devnull, "-w", "%{http_code}", f"{url}/plain.js"), "412")
            tag = tags.read_text().strip()
            same("If-Range", curl("-H", f"If-Range: {tag}", "-r", "0-6", f"{url}/plain.js"), "console")
            same("If-Range of another", len(curl("-H", 'If-Range: "x"', "-r", "0-6", f"{url}/plain.js")), 2100)
        with case("curl: compressed files"):
            plain = (SITE / "plain.js").read_text()
            same("plain", curl(f"{url}/plain.js"), plain)
            gzipped = ["-H", "Accept-Encoding: gzip"]
            same("stored", curl(*gzipped, f"{url}/plain.js", text=False), (SITE / "plain.js.gz").read_bytes())
            same("decoded", curl("--compressed", *gzipped, f"{url}/plain.js"), plain)
            status, headers = head_of(curl("-I", "-H", "Accept-Encoding: gzip, br", f"{url}/plain.js"))
            same("brotli", (headers["content-encoding"], headers["vary"]), ("br", "Accept-Encoding"))
            same("Unity", curl("--compressed", f"{url}/build.data.unityweb"), "unity" * 100)
            status, headers = head_of(curl("-I", f"{url}/build.wasm.gz"))
            same("inner type", (headers["content-type"], headers["content-encoding"]), ("application/wasm", "gzip"))
        with case("curl: one connection for many files"):
            many = curl("-o", os.devnull, "-w", "%{num_connects} ", *[f"{url}/greeting.mjs"] * 1, *sum(
                [["-o", os.devnull, f"{url}/digits"] for _ in range(4)], []))
            same("connections", many.split(), ["1", "0", "0", "0", "0"])
        with case("pipelined requests are answered in their order"):
            names = ["greeting.mjs", "nothing", "plain.js", "sub/a%20b.txt"]
            requests = "".join(f"GET /{name} HTTP/1.1\r\nHost: h\r\n\r\n" for name in names)
            answer = raw(end.port, f"{requests}GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
            same("statuses", re.findall(rb"HTTP/1.1 (\d+)", answer), [b"200", b"404", b"200", b"200", b"200"])
            if answer.index(b"export const") > answer.index(b"console.log") or not answer.endswith(b"</script>\n"):
                raise harness.Wrong("the order is another")
        with case("HTTP/1.0 gets the file and the end of the connection"):
            answer = raw(end.port, b"GET /greeting.mjs HTTP/1.0\r\n\r\n")
            if not answer.endswith(b"hello from the page'\n") or b"Connection: close\r\n" not in answer:
                raise harness.Wrong(answer)
        with case("other methods and paths of WebSockets are not for files"):
            same("POST", curl("-o", os.devnull, "-w", "%{http_code}", "-d", "x", f"{url}/"), "405")
            same("DELETE", curl("-o", os.devnull, "-w", "%{http_code}", "-X", "DELETE", f"{url}/"), "405")
        with case("served requests cause no event, and are counted"):
            same("events", end.events, [])
            if end.stats().served < 30:
                raise harness.Wrong(end.stats().served)
    with served("/game/page") as end:
        with case("a prefix leaves the other paths alone"):
            code = ["-o", os.devnull, "-w", "%{http_code}"]
            same("below", curl(*code, f"{end.url}/game/page/plain.js"), "200")
            same("beside", curl(*code, f"{end.url}/plain.js"), "426")
            same("similar", curl(*code, f"{end.url}/game/pages/plain.js"), "426")
    with served(secure=True) as end, case("curl: https"):
        same("whole", curl("-k", f"{end.url}/digits", text=False), (SITE / "digits").read_bytes())


def group_paths():
    """Paths that try to leave the directory, as a client sends them without any cleaning."""
    ups = ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "..%2500", "..;x", "%c0%ae%c0%ae", "..%c1%9c", "....", "..."]
    slashes = ["/", "%2f", "%5c", "\\", "//", "%252f", "%255c", "%c0%af"]
    paths = [f"/{up}{slash}secret" for up in ups for slash in slashes]
    paths += [f"/sub{slash}{up}{slash}{up}{slash}secret" for up in ups for slash in slashes]
    paths += ["/link", "/link/", "/up/secret", "/up/site/../secret", "/sub/../link", "/.hidden", "/%2ehidden", "/./.hidden"]
    paths += ["/.hidden%20", "/.hidden.", "//secret", f"//{SITE}/../secret", f"/{WORK}/secret", "/file:///etc/passwd"]
    paths += ["/proc/self/root/etc/passwd", "/secret", "/site/../secret", "/%00/../secret", "/sub/%0a/../../secret"]
    with served() as end, case(f"{len(paths)} paths find no way out of the directory"):
        if len(paths) < 80:
            raise harness.Wrong("too few")
        for path in paths:
            answer = raw(end.port, f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
            if SECRET.encode() in answer or b"root:" in answer or not answer.startswith(b"HTTP/1.1 4"):
                raise harness.Wrong(f"{path}: {answer[:300]}")
    with served() as end, case("a file that is swapped for a link all the time never leads out"):
        page, other, over = SITE / "swapped", SITE / "swapped.new", threading.Event()
        page.write_text("the page")

        def swap():
            while not over.is_set():
                other.symlink_to("../secret")
                other.rename(page)
                other.write_text("the page")
                other.rename(page)

        thread = threading.Thread(target=swap, daemon=True)
        thread.start()
        try:
            connection, found = http.client.HTTPConnection("127.0.0.1", end.port, timeout=LIMIT), {200: 0, 404: 0}
            for _ in range(2_000):
                connection.request("GET", "/swapped")
                answer = connection.getresponse()
                body = answer.read()
                found[answer.status] += 1
                if answer.status == 200 and body != b"the page":
                    raise harness.Wrong(body)
            if 0 in found.values():
                raise harness.Wrong(f"only one of both was met: {found}")
        finally:
            over.set()
            thread.join()


def group_limits():
    with served(max_downloads_per_address=2) as end, case("a third download of one address is refused"):
        held = []
        for _ in range(2):
            sock = socket.create_connection(("127.0.0.1", end.port), LIMIT)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b"GET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
            held.append(sock)
        end_at = time.monotonic() + LIMIT
        while end.stats().downloads < 2 and time.monotonic() < end_at:
            time.sleep(0.01)
        status, headers = head_of(curl("-i", f"{end.url}/greeting.mjs"))
        same("status", (status, headers.get("retry-after")), (503, "1"))
        for sock in held:
            sock.close()
        while end.stats().downloads and time.monotonic() < end_at:
            time.sleep(0.01)
        same("afterwards", head_of(curl("-i", f"{end.url}/greeting.mjs"))[0], 200)
    with served() as end, case("a client that reads nothing is dropped"):
        end.server.options.download_timeout_ms = 300
        sock = socket.create_connection(("127.0.0.1", end.port), LIMIT)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
        end_at = time.monotonic() + LIMIT
        while (end.stats().served == 0 or end.stats().downloads) and time.monotonic() < end_at:
            if end.stats().queued_bytes_out > 300_000:
                raise harness.Wrong(f"{end.stats().queued_bytes_out} bytes are queued")
            time.sleep(0.01)
        same("downloads", end.stats().downloads, 0)
        same("events", end.events, [])
        sock.close()
    with case("a directory that does not exist is refused"):
        server = wspeer.listen("ws://127.0.0.1:0")
        try:
            server.serve("/", WORK / "nothing")
        except wspeer.DirectoryError as error:
            if "nothing" not in str(error):
                raise
        else:
            raise harness.Wrong("it is served")
        finally:
            server.free()


def visit(url):
    done = subprocess.run(
        ["node", str(HERE / "page.js"), url], capture_output=True, encoding="utf-8", env=harness.ENV, timeout=150
    )
    if done.returncode:
        raise harness.Wrong(done.stderr)
    return json.loads(done.stdout)


def group_page():
    for secure in (False, True):
        scheme = "https" if secure else "http"
        with served(secure=secure) as end, case(f"a page from {scheme} joins the game on its own port"):
            seen = visit(f"{end.url}/")
            same("echo", seen["echo"], "hello from the page")
            same("isolated", (seen["isolated"], seen["secure"]), (False, True))
            same("failed requests", seen["failed"], [])
            if 304 not in seen["statuses"]:
                raise harness.Wrong(f"nothing was asked again by its tag: {seen['statuses']}")
            same("events", [kind for kind in end.events if kind == EventType.CONNECTED], [EventType.CONNECTED] * 2)


def group_threads():
    with case("a threaded program is built") as built:
        done = subprocess.run(
            ["tests/web/build", "tests/serve/threads.c", str(SITE / "threads.js"), "-O1", "-pthread", "-sPTHREAD_POOL_SIZE=1"],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
        )
        if done.returncode:
            raise harness.Wrong(done.stdout + done.stderr)
    if built.failed:
        return
    for secure in (False, True):
        with served(secure=secure, isolated=True) as end, case(f"it boots from {'https' if secure else 'http'}, isolated"):
            seen = visit(f"{end.url}/threads.html")
            same("isolated", seen["isolated"], True)
            same("output", (seen["result"], seen["said"]), (0, ["echo from a thread, counted 1000"]))
            same("failed requests", seen["failed"], [])
    with served() as end, case("without WS_SERVE_ISOLATED a page may not use threads"):
        same("isolated", visit(f"{end.url}/")["isolated"], False)


def group_example():
    harness.WORK = WORK
    for secure in ([], ["secure"]):
        program = harness.Lines([str(ROOT / "build" / "page_server"), str(SITE), "0", *secure], "page_server")
        try:
            with case(f"examples-c/page_server.c serves its page {'by https' if secure else 'by http'}"):
                url = program.line().removeprefix("Open ")
                same("scheme", url.split(":")[0], "https" if secure else "http")
                status, headers = head_of(curl("-ik", url))
                same("isolated page", (status, headers["cross-origin-embedder-policy"]), (200, "require-corp"))
        finally:
            program.process.terminate()
            program.wait()


GROUPS = {"curl": group_curl, "paths": group_paths, "limits": group_limits, "page": group_page, "threads": group_threads, "example": group_example}


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    make_site()
    for name, group in GROUPS.items():
        if part in name:
            group()
    return 1 if harness.failures else 0


if __name__ == "__main__":
    sys.exit(main())
