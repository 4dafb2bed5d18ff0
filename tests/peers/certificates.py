"""A private CA and certificates signed by it, created by the openssl program."""
import fcntl
import hashlib
import pathlib
import subprocess
import time

from harness import ROOT

FOLDER = ROOT / "build" / "certificates"
DAY = 86400
# Made longer ago, they are made again.
FRESH = DAY / 4
SETTINGS = """
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = issued
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
[other]
subjectAltName = DNS:game.example
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
[engine]
basicConstraints = CA:TRUE
[engine_named]
basicConstraints = CA:TRUE
subjectAltName = DNS:game.example
"""


def path(name):
    """The path of a file made here, such as "chain.pem"."""
    return str(FOLDER / name)


def make():
    """Creates all certificates, unless they have just been made: other suites that run now use them too."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made, own = FOLDER / "made", hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    with open(FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists() and made.read_text() == own and time.time() - made.stat().st_mtime < FRESH:
            return
        made.unlink(missing_ok=True)
        _make()
        made.write_text(own)


def _make():
    """Creates all certificates. NAME.pem and NAME.key: root, intermediate, leaf, rsa, other, expired, future, client,
    stranger, unknown (signed by the stranger), alone, alone_ca and engine, engine_old, engine_named (self-signed).
    chain.pem is leaf and intermediate."""
    (FOLDER / "issued").mkdir(exist_ok=True)
    (FOLDER / "index.txt").write_text("")
    (FOLDER / "settings").write_text(SETTINGS)
    _self_signed("root", "basicConstraints=critical,CA:TRUE")
    _self_signed("stranger", "basicConstraints=critical,CA:TRUE")
    _self_signed("alone", "basicConstraints=CA:FALSE", "subjectAltName=DNS:localhost")
    # openssl's defaults.
    _self_signed("alone_ca", "subjectAltName=DNS:localhost")
    # As game engines make them: CA:TRUE, and only a common name.
    _issue("engine", None, "engine", name="localhost")
    _issue("engine_old", None, "engine", name="localhost", start=-30, end=-1)
    _issue("engine_named", None, "engine_named", name="localhost")
    _issue("intermediate", "root", "intermediate")
    _issue("leaf", "intermediate", "server")
    _issue("rsa", "root", "server", key=["-newkey", "rsa:2048"])
    _issue("other", "root", "other")
    _issue("expired", "root", "server", start=-30, end=-1)
    _issue("future", "root", "server", start=10, end=30)
    _issue("client", "root", "client")
    _issue("unknown", "stranger", "client")
    (FOLDER / "chain.pem").write_text(_read("leaf.pem") + _read("intermediate.pem"))
    # Both in one file, as HAProxy requires it.
    (FOLDER / "bundle.pem").write_text(_read("chain.pem") + _read("leaf.key"))
    # The two older formats of a key.
    _openssl("ec", "-in", "leaf.key", "-out", "leaf.sec1.key")
    _openssl("rsa", "-in", "rsa.key", "-traditional", "-out", "rsa.pkcs1.key")


def fingerprint(name):
    """The SHA-256 fingerprint of a certificate, in hexadecimal digits and colons."""
    return _openssl("x509", "-in", f"{name}.pem", "-noout", "-fingerprint", "-sha256").strip().split("=")[1]


def _read(name):
    return (FOLDER / name).read_text()


def _openssl(*arguments):
    done = subprocess.run(
        ["openssl", *arguments], cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise SystemExit(f"openssl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


def _self_signed(name, *extensions):
    more = [part for text in extensions for part in ("-addext", text)]
    _openssl(
        "req",
        "-x509",
        *EC,
        "-nodes",
        "-keyout",
        f"{name}.key",
        "-out",
        f"{name}.pem",
        "-subj",
        f"/CN=wspeer test {name}",
        "-days",
        "30",
        *more,
    )


def _issue(file, issuer, section, key=EC, start=-1, end=30, name=None):
    """Without an issuer, it is self-signed."""
    _openssl(
        "req",
        "-new",
        *key,
        "-nodes",
        "-keyout",
        f"{file}.key",
        "-out",
        f"{file}.csr",
        "-subj",
        f"/CN={name or 'wspeer test ' + file}",
    )
    date = lambda days: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * DAY))
    by = ["-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key"] if issuer else ["-selfsign", "-keyfile", f"{file}.key"]
    _openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        "settings",
        "-extensions",
        section,
        "-in",
        f"{file}.csr",
        "-out",
        f"{file}.pem",
        *by,
        "-startdate",
        date(start),
        "-enddate",
        date(end),
    )
