"""Writes benchmarks.md and benchmarks.svg from a result."""
import pathlib
import platform
import re
import subprocess

from . import chart, tables
from .figures import middle, ratio
from .plan import CONTESTANTS, SCENARIOS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = {
    "wslay": "libwslay-dev",
    "lws": "libwebsockets-dev",
    "websocketpp": "libwebsocketpp-dev",
    "asio": "libasio-dev",
    "openssl": "libssl-dev",
}
OTHERS = {
    "raw": "raw",
    "tung": "tungstenite",
    "fastws": "fastwebsockets",
    "tokiows": "tokio-websockets",
    "sockudo": "sockudo-ws",
    "lws": "libwebsockets",
    "wslay": "wslay",
    "websocketpp": "websocketpp",
}
CRATES = ("tungstenite", "fastwebsockets", "tokio-websockets", "sockudo-ws", "tokio", "hyper", "rustls", "mio")


def output(*words):
    try:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    """The machine and the versions that the figures depend on."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    lock = (ROOT / "benches" / "rust" / "Cargo.lock").read_text()
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": len(re.findall(r"^processor", pathlib.Path("/proc/cpuinfo").read_text(), re.M)),
        "kernel": platform.release(),
        "system": system.group(1) if system else platform.system(),
        "wspeer": output("git", "describe", "--always", "--dirty"),
        "rustc": output("rustc", "--version").split(" (")[0],
        "gcc": output("cc", "-dumpfullversion"),
        "versions": {name: output("dpkg-query", "-W", "-f=${Version}", package) for name, package in PACKAGES.items()}
        | {
            name: match.group(1) for name in CRATES if (match := re.search(rf'name = "{name}"\nversion = "(.*)"', lock))
        },
    }


def short(results):
    """The table of ratios at the top of the page."""
    rows = []
    for name, scenario in SCENARIOS.items():
        runs = results.get(name)
        if not runs or scenario.kind not in ("client", "server", "tls") or "-" in name.removeprefix("wss-"):
            continue
        rows.append([name, scenario.about, *(tables.number(ratio(runs, "wspeer", base), 2) for base in OTHERS)])
    head = ["scenario", "what it does", *(f"× {title}" for title in OTHERS.values())]
    text = tables.table(head, rows).replace("|---|--:|", "|---|---|", 1)
    runs = results.get("counts-client", {})
    if "wspeer" in runs:
        counted = [middle(runs, "wspeer", key) for key in ("instructions", "system_calls", "allocations")]
        text += "\nOne 64 B message out and one in, client, 32 a frame: "
        text += (
            f"{counted[0]:,.0f} user instructions, {counted[1]:.2f} data system calls, {counted[2]:.2f} allocations.\n"
        )
    return text


def contestants(results, versions):
    used = [c for name, c in CONTESTANTS.items() if any(name in runs for runs in results.values())]
    version = {
        "tungstenite": "tungstenite",
        "fastwebsockets": "fastwebsockets",
        "tokio_websockets": "tokio-websockets",
        "sockudo": "sockudo-ws",
        "lws": "lws",
        "wslay": "wslay",
        "websocketpp": "websocketpp",
    }
    rows = [
        f"| {c.name} | {versions.get(version.get(c.program, ''), 'this tree' if c.program == 'wspeer' else '-')} | {c.about} |"
        for c in used
    ]
    return "\n".join(["| contestant | version | how it is used |", "|---|---|---|", *rows])


def write(result, folder):
    results, about = result["runs"], result["machine"]
    quick = "\n**These figures are of a quick run and say only that everything runs.**\n" if result["quick"] else ""
    below = ", ".join(
        f"{name} {about['versions'][name]}"
        for name in ("tokio", "hyper", "mio", "rustls", "asio", "openssl")
        if name in about["versions"]
    )
    text = (ROOT / "benches" / "bench" / "benchmarks.md.in").read_text()
    for mark, value in {
        "@QUICK@": quick,
        "@SHORT@": short(results),
        "@MACHINE@": "{cpu}, {cores} cores, {system}, Linux {kernel}; {rustc}, gcc {gcc}; wspeer {wspeer}".format(
            **about
        ),
        "@ROUNDS@": str(result["rounds"]),
        "@SECONDS@": f"{result['seconds']:g}",
        "@CONTESTANTS@": contestants(results, about["versions"]),
        "@OTHERS@": below,
        "@TABLES@": tables.everything(results),
    }.items():
        text = text.replace(mark, value)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text(text)
    (folder / "benchmarks.svg").write_text(chart.svg(results))
