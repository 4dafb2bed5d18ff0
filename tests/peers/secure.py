"""TLS in detail: which certificates are accepted and refused, with phase and cause; and ws and wss confused with each
other."""
import contextlib

from certificates import fingerprint, path
from harness import case, close, connection, daemon, ended, has, has_ipv6, same, server, session

TLS, HTTP = 4, 5
UNTRUSTED, EXPIRED, NAME, PIN, BAD, NOT_TLS, TLS_FAILED = 30, 31, 32, 33, 34, 35, 36
INVALID, GONE, RESET = 41, 4, 5
ONLY_CA_PEM, INSECURE, ANY_NAME = 8, 4, 512
FOREIGN = ["ws", "websockets"]


def pair(cert, key=None):
    return {"cert": path(f"{cert}.pem"), "key": path(f"{key or cert}.key")}


ROOT = {"ca": path("root.pem")}


def all_details():
    for to in FOREIGN:
        chains(to)
        names(to)
        pins(to)
        given(to)
        versions(to)
        client_certificates(to)
    alerts()
    keys()
    refused_by_clients()
    mistaken()


def opens(name, to, **settings):
    """wspeer opens and closes. Returns the open events of both ends."""
    with case(name), session("wspeer", to, **settings) as (peer, here, there):
        close(peer, to)
        return here, there
    return {}, {}


def fails(name, url, phase, cause, words, **settings):
    """wspeer's connection ends in this phase with this cause, and its error message has these words."""
    with case(name), connection("wspeer", url, timeout_ms=8000, **settings) as peer:
        event = ended(peer)
        has(event, phase=phase, code=1006, clean=0)
        same(
            f"cause {event['cause']} is expected",
            event["cause"] in (cause if isinstance(cause, tuple) else (cause,)),
            True,
        )
        same(f"{words!r} in {event['sentence']!r}", words in event["sentence"], True)


def chains(to):
    with server(to, **pair("chain", "leaf")) as peer:
        opens(f"{to}: a chain with an intermediate, the root trusted", peer, **ROOT)
        opens(f"{to}: the root alone trusted, without the system's", peer, flags=ONLY_CA_PEM, **ROOT)
        opens(f"{to}: the intermediate as ca_pem", peer, ca=path("intermediate.pem"))
        opens(f"{to}: any certificate taken", peer, flags=INSECURE)
        fails(f"{to}: a CA that is not trusted", peer.url, TLS, UNTRUSTED, "give its CA as ca_pem")
        fails(f"{to}: another CA trusted", peer.url, TLS, UNTRUSTED, "localhost", ca=path("stranger.pem"))
        opens(f"{to}: and it still serves", peer, **ROOT)
    with server(to, **pair("leaf")) as peer:
        fails(f"{to}: the intermediate is missing", peer.url, TLS, UNTRUSTED, "send its whole chain", **ROOT)
    for name in ("expired", "future"):
        with server(to, **pair(name)) as peer:
            fails(
                f"{to}: the certificate is of the {'past' if name == 'expired' else 'future'}",
                peer.url,
                TLS,
                EXPIRED,
                "clocks",
                **ROOT,
            )


def names(to):
    with server(to, **pair("other")) as peer:
        fails(f"{to}: a certificate for another name", peer.url, TLS, NAME, "localhost", **ROOT)
        _, there = opens(f"{to}: server_name instead of the URL's host", peer, server_name="game.example", **ROOT)
        with case(f"{to}: server_name is sent as SNI"):
            same("SNI", there.get("server_name"), "game.example")
        fails(
            f"{to}: a wrong server_name",
            peer.url,
            TLS,
            NAME,
            "elsewhere.example",
            server_name="elsewhere.example",
            **ROOT,
        )
    with server(to, **pair("rsa")) as peer:
        opens(
            f"{to}: an IPv4 address in the certificate, and an RSA key",
            peer,
            url=f"wss://127.0.0.1:{peer.port}",
            **ROOT,
        )
    if has_ipv6():
        with server(to, host="::1", **pair("rsa")) as peer:
            opens(f"{to}: an IPv6 address in the certificate", peer, url=f"wss://[::1]:{peer.port}", **ROOT)
        with (
            server("wspeer", host="[::1]", **pair("rsa")) as peer,
            case(f"{to} to wspeer: an IPv6 address in the certificate"),
        ):
            with session(to, peer, url=f"wss://[::1]:{peer.port}", **ROOT) as (own, _, _):
                close(own, peer)


def pins(to):
    pin = fingerprint("alone")
    with server(to, **pair("alone")) as peer:
        fails(f"{to}: a self-signed certificate", peer.url, TLS, UNTRUSTED, "ca_pem")
        opens(f"{to}: a self-signed certificate that is trusted", peer, ca=path("alone.pem"))
        opens(f"{to}: a self-signed certificate that is pinned", peer, pin=pin)
        opens(f"{to}: a pin in small letters without colons", peer, pin=pin.replace(":", "").lower())
        fails(f"{to}: another pin", peer.url, TLS, PIN, pin.replace(":", "").lower(), pin="00" * 32)
        fails(
            f"{to}: another pin than the trusted certificate's",
            peer.url,
            TLS,
            PIN,
            "SHA-256",
            pin=fingerprint("root"),
            ca=path("alone.pem"),
        )
    with server(to, **pair("alone_ca")) as peer:
        fails(
            f"{to}: a self-signed CA as the server's own certificate",
            peer.url,
            TLS,
            BAD,
            "pin_sha256",
            ca=path("root.pem"),
        )
        opens(f"{to}: which can be pinned", peer, pin=fingerprint("alone_ca"))
        opens(f"{to}: or trusted", peer, ca=path("alone_ca.pem"))


def given(to):
    """The server's own certificate as ca_pem, as game engines make it, for any host name."""
    with server(to, **pair("engine")) as peer:
        opens(
            f"{to}: a CA's certificate with a common name alone, given as ca_pem",
            peer,
            flags=ONLY_CA_PEM,
            ca=path("engine.pem"),
        )
        fails(
            f"{to}: for another name",
            peer.url,
            TLS,
            NAME,
            "server_name",
            server_name="game.example",
            ca=path("engine.pem"),
        )
        opens(f"{to}: which may be any", peer, flags=ANY_NAME, server_name="game.example", ca=path("engine.pem"))
        fails(f"{to}: one that is not given", peer.url, TLS, BAD, "ca_pem", flags=ANY_NAME, ca=path("engine_named.pem"))
    with server(to, **pair("engine_named")) as peer:
        fails(
            f"{to}: the common name does not count beside another name",
            peer.url,
            TLS,
            NAME,
            "localhost",
            ca=path("engine_named.pem"),
        )
        opens(f"{to}: which counts", peer, server_name="game.example", ca=path("engine_named.pem"))
    with server(to, **pair("engine_old")) as peer:
        fails(
            f"{to}: given, but of the past", peer.url, TLS, EXPIRED, "clocks", flags=ANY_NAME, ca=path("engine_old.pem")
        )
    with server(to, **pair("other")) as peer:
        opens(f"{to}: a chain for another name, where any is taken", peer, flags=ANY_NAME, **ROOT)
        fails(
            f"{to}: another chain is not", peer.url, TLS, UNTRUSTED, "ca_pem", flags=ANY_NAME, ca=path("stranger.pem")
        )


def versions(to):
    for version in ("1.2", "1.3"):
        with server(to, tls=version, **pair("chain", "leaf")) as peer:
            here, there = opens(f"{to}: TLS {version} alone", peer, **ROOT)
            with case(f"{to}: TLS {version} is reported by both ends"):
                same("wspeer", here.get("tls", "").split(" ")[0], f"TLSv{version}")
                same(to, there.get("tls"), f"TLSv{version}")


def client_certificates(to):
    for version in ("1.2", "1.3"):
        with server(to, tls=version, client_ca=path("root.pem"), **pair("chain", "leaf")) as peer:
            name = f"{to}, TLS {version}"
            _, there = opens(f"{name}: a client certificate that is demanded", peer, **ROOT, **pair("client"))
            with case(f"{name}: the server sees the client certificate's name"):
                same("name", there.get("client"), "wspeer test client")
            # They end the connection without an alert; with TLS 1.3 after the client's part of the handshake.
            end = (TLS, TLS_FAILED, "certificate") if version == "1.2" else (HTTP, (GONE, RESET), "")
            fails(f"{name}: a client certificate of another CA", peer.url, *end, **ROOT, **pair("unknown"))
            alert = (TLS, TLS_FAILED, "cert_pem") if to == "ws" else end
            fails(f"{name}: no client certificate", peer.url, *alert, **ROOT)
            opens(f"{name}: and it still serves", peer, **ROOT, **pair("client"))


def alerts():
    """OpenSSL's server reports by an alert why it refuses a client."""
    demand = ["-CAfile", path("root.pem"), "-Verify", "1", "-verify_return_error"]
    for version in ("1.2", "1.3"):
        with openssl_server(version, *demand) as url:
            fails(
                f"OpenSSL, TLS {version}: no client certificate",
                url,
                TLS,
                TLS_FAILED,
                "set cert_pem and key_pem",
                **ROOT,
            )
            fails(
                f"OpenSSL, TLS {version}: a client certificate of another CA",
                url,
                TLS,
                TLS_FAILED,
                "check cert_pem",
                **ROOT,
                **pair("unknown"),
            )
    with openssl_server("1.1", "-cipher", "ALL:@SECLEVEL=0") as url:
        fails("OpenSSL: TLS 1.1 alone", url, TLS, TLS_FAILED, "no TLS version", **ROOT)


@contextlib.contextmanager
def openssl_server(version, *more):
    files = ["-cert", path("rsa.pem"), "-key", path("rsa.key")]
    version = "-tls" + version.replace(".", "_")
    with daemon(
        "s_server",
        lambda port: ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *files, version, "-quiet", *more],
    ) as port:
        yield f"wss://localhost:{port}"


def keys():
    """The three formats of a private key in wspeer's server; an unusable key is reported by the call."""
    for name, cert, key in (("PKCS #8", "rsa", "rsa"), ("PKCS #1", "rsa", "rsa.pkcs1"), ("SEC1", "chain", "leaf.sec1")):
        with server("wspeer", **pair(cert, key)) as to:
            for client in FOREIGN:
                for version in ("1.2", "1.3"):
                    with case(f"{client} to wspeer with a {name} key over TLS {version}"):
                        with session(client, to, tls=version, **ROOT) as (peer, here, there):
                            same(client, here["tls"], f"TLSv{version}")
                            same("wspeer", there["tls"].split(" ")[0], f"TLSv{version}")
                            close(peer, to)
    with (
        case("wspeer: a certificate and the key of another"),
        connection("wspeer", "wss://localhost:1", **pair("client", "leaf")) as peer,
    ):
        has(peer.first, event="failed", result="WS_ERR_TLS")


def refused_by_clients():
    """The clients refuse wspeer's certificate, and the server continues."""
    for client in FOREIGN:
        with server("wspeer", **pair("expired")) as to, case(f"{client} to wspeer: an expired certificate is refused"):
            with connection(client, to.url, **ROOT) as peer:
                same("expired in the error message", "expired" in ended(peer)["sentence"], True)
        with server("wspeer", **pair("chain", "leaf")) as to:
            with case(f"{client} to wspeer: an untrusted certificate is refused"), connection(client, to.url) as peer:
                same("a certificate in the error message", "certificate" in ended(peer)["sentence"], True)
            with case(f"{client} to wspeer: a trusting client connects"), session(client, to, **ROOT) as (peer, _, _):
                close(peer, to)


def mistaken():
    """ws and wss confused with each other: each ends at once, not by a timeout."""
    for to in ("ws", "websockets", "wspeer"):
        with server(to) as peer:
            # websockets ends the connection without an answer.
            cause = TLS_FAILED if to == "websockets" else NOT_TLS
            fails(
                f"{to}: a plain port asked for wss", f"wss://localhost:{peer.port}", TLS, cause, "on this port", **ROOT
            )
        with server(to, **pair("chain", "leaf")) as peer:
            fails(f"{to}: a TLS port asked for ws", f"ws://localhost:{peer.port}", HTTP, (INVALID, GONE, RESET), "")
