#!/usr/bin/env python3
"""Compares simulated networks with the kernel's: bandwidth and burst with the token bucket of `tc tbf`, and lag, jitter
and loss with `tc netem` where the kernel has it. Both ends run in one network namespace, over a pair of interfaces.
Usage: run.py [--long] [--plot FILE.svg]      --long: another bandwidth, and more round trips"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOW = ROOT / "build" / "tests" / "flow"
URL = "ws://10.99.0.1:9080"
# tbf counts whole frames: 14 bytes of Ethernet, 20 of IP, 32 of TCP with its timestamps; with an MTU of 1500.
FRAME, PAYLOAD = 1514, 1448
failures = 0


def say(good, what):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - sim: {what}", flush=True)


def system(command, check=True):
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    if check and done.returncode:
        raise SystemExit(f"not ok - sim: {command}: {done.stderr}")
    return done.returncode == 0


def enter():
    """Starts this program anew in network namespaces of its own, with the right to configure them."""
    if "SIM_INSIDE" in os.environ:
        return
    os.environ["SIM_INSIDE"] = "1"
    again = [sys.executable, *sys.argv]
    for how in (["unshare", "-nm"], ["unshare", "-Urnm"]):
        if subprocess.run([*how, "true"], capture_output=True).returncode == 0:
            # `ip netns` keeps names in /run, which belongs to this program alone.
            os.execvp("unshare", [*how, "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh", *again])
    lacks("this machine lets us make no network namespaces")


def lacks(why):
    print(f"not ok - {why}" if os.environ.get("CI") else f"SKIP: {why}")
    raise SystemExit(1 if os.environ.get("CI") else 0)


def prepare():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not system("ip netns add far && ip link add here type veth peer name there netns far", check=False):
        lacks("this machine lets us make no pair of interfaces")
    system("ip addr add 10.99.0.2/24 dev here && ip link set here up && ip link set lo up")
    system("ip -n far addr add 10.99.0.1/24 dev there && ip -n far link set there up && ip -n far link set lo up")
    # One packet at a time, so that the bucket sees those that a network would.
    system("ip link set here gso_max_segs 1", check=False)


def flow(*arguments):
    """Runs the client against a server. Returns the lines of the server and of the client."""
    server = subprocess.Popen(
        ["ip", "netns", "exec", "far", str(FLOW), "server", URL], stdout=subprocess.PIPE, text=True
    )
    try:
        if server.stdout.readline().strip() != "ready":
            raise SystemExit("not ok - sim: the server does not listen")
        command = [str(FLOW), arguments[0], URL, *map(str, arguments[1:])]
        client = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if client.returncode:
            raise SystemExit(f"not ok - sim: flow {arguments} ended with {client.returncode}: {client.stderr}")
        return server.communicate(timeout=30)[0].splitlines(), client.stdout.splitlines()
    finally:
        server.kill()
        server.wait()


class Flow:
    """What arrived of two streams with a pause between them: seconds since the first byte, bytes."""

    def __init__(self, lines):
        points = [tuple(map(int, line.split())) for line in lines]
        start = points[0][0]
        self.points = [((at - start) / 1e9, count) for at, count in points]
        # The longest pause: behind it the second stream begins, at a full bucket.
        pause = max(range(1, len(points) - 1), key=lambda i: points[i][0] - points[i - 1][0])
        at, before = self.points[pause][0], self.points[pause - 1][1]
        self.second = [(time - at, count - before) for time, count in self.points[pause:]]
        # A line through the second stream: its slope is the bandwidth, its beginning the burst.
        fit = [point for point in self.second if 0.1 <= point[0]][:-3]
        slope, begin = statistics.linear_regression(*zip(*fit))
        self.bandwidth, self.burst = slope, begin


def buckets(settings):
    """Streams over the kernel's token bucket and over the simulated one."""
    flows = []
    for rate, burst in settings:
        first, second = rate + rate // 2, rate + burst
        # The puts are accepted at once: the first stream takes its time, then comes a pause of a second.
        pause = first * 1_000 // rate + 1_000
        wire_rate, wire_burst = rate * FRAME // PAYLOAD, burst * FRAME // PAYLOAD
        system(f"tc qdisc replace dev here root tbf rate {wire_rate * 8}bit burst {wire_burst} limit 8000000")
        kernel = Flow(flow("stream", first, pause, second, 0, 0)[0])
        system("tc qdisc del dev here root")
        ours = Flow(flow("stream", first, pause, second, rate, burst)[0])
        flows.append((rate, burst, kernel, ours))
        for name, one in (("tc tbf", kernel), ("simulated", ours)):
            print(
                f"figure: {name}, {rate / 1e3:.0f} kB/s with a burst of {burst / 1e3:.0f} kB: "
                f"{one.bandwidth / 1e3:.1f} kB/s, {one.burst / 1e3:.1f} kB",
                flush=True,
            )
        say(abs(ours.bandwidth / rate - 1) < 0.01, f"{rate} bytes/s are simulated to 1 %")
        say(abs(ours.bandwidth / kernel.bandwidth - 1) < 0.03, "as much as the kernel lets pass, to 3 %")
        # A packet, and what a poll adds.
        say(abs(ours.burst - burst) < 3_000 + burst / 50, f"a burst of {burst} bytes passes at once")
        say(abs(ours.burst - kernel.burst) < 5_000 + burst / 10, "and the kernel's is as long, to a tenth")
    return flows


def quantiles(trips):
    cuts = statistics.quantiles(trips, n=100)
    return [cuts[at - 1] / 1e3 for at in (5, 50, 95)]


def round_trips(count):
    """Lag, jitter and loss over sockets; the library's tests compare the model with its distributions."""
    for lag, jitter, loss in ((20_000, 0, 0), (20_000, 30_000, 0), (20_000, 0, 30_000)):
        ours = [int(line) for line in flow("trips", count, lag, jitter, loss)[1]]
        low, middle, high = quantiles(ours)
        what = f"lag {lag // 1000} ms, jitter {jitter // 1000} ms, loss {loss / 1e4:g} %"
        print(f"figure: {what}: round trips {low:.1f}, {middle:.1f}, {high:.1f} ms (5, 50, 95 %)", flush=True)
        say(min(ours) >= 2 * lag, f"{what}: no round trip is shorter than both lags")
        if jitter:
            # Sums of two uniform numbers; a late packet holds up those behind it, so they are rather longer.
            say(2 * lag + jitter * 0.8 <= middle * 1e3 <= 2 * lag + jitter * 1.6, f"{what}: the median is in between")
        elif loss:
            # 240 ms each; messages that follow within that time wait with the lost one.
            lost = sum(trip >= 2 * lag + 200_000 for trip in ours)
            say(0 < lost < count * 0.5, f"{what}: {lost} of {count} round trips lost a packet")
        if not has_netem():
            continue
        shape = f"delay {lag}us" + (f" {jitter // 2}us" if jitter else "") + (f" loss {loss / 1e4:g}%" if loss else "")
        system(f"tc qdisc replace dev here root netem {shape}")
        system(f"tc -n far qdisc replace dev there root netem {shape}")
        theirs = quantiles([int(line) for line in flow("trips", count, 0, 0, 0)[1]])
        system("tc qdisc del dev here root; tc -n far qdisc del dev there root")
        print(f"figure: netem {shape}: round trips {theirs[0]:.1f}, {theirs[1]:.1f}, {theirs[2]:.1f} ms", flush=True)
        if not jitter and not loss:
            say(abs(theirs[1] - middle) < 5, f"{what}: as netem's, to 5 ms")
    if not has_netem():
        print("# the kernel has no netem: the comparison with it is left out", flush=True)


def has_netem():
    found = system("tc qdisc replace dev lo root netem delay 1ms", check=False)
    if found:
        system("tc qdisc del dev lo root")
    return found


def plot(flows, path):
    """Draws what arrived over time, one panel for each bandwidth."""
    width, height, left, top, gap = 300, 220, 60, 70, 60
    total = left + len(flows) * (width + gap)
    text = 'font-size="11" fill="#6b7480"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{top + height + 60}" '
        f'viewBox="0 0 {total} {top + height + 60}" font-family="system-ui, sans-serif" role="img">',
        "<title>Bytes that arrive through a token bucket: the kernel's and the simulated one</title>",
        f'<rect width="{total}" height="{top + height + 60}" fill="#ffffff"/>',
        '<text x="20" y="26" font-size="16" font-weight="bold" fill="#1b1f24">Bytes that arrive through a token bucket</text>',
        '<text x="20" y="46" font-size="12" fill="#6b7480">A stream, a pause of a second, another stream. '
        '<tspan fill="#c2410c">Orange: tc tbf.</tspan> <tspan fill="#1d4ed8">Blue, dashed: ws_set_sim.</tspan></text>',
    ]
    for index, (rate, burst, kernel, ours) in enumerate(flows):
        x0 = left + index * (width + gap)
        seconds = max(kernel.points[-1][0], ours.points[-1][0])
        most = max(kernel.points[-1][1], ours.points[-1][1])
        out.append(f'<rect x="{x0}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#d0d7de"/>')
        out.append(
            f'<text x="{x0 + width / 2}" y="{top + height + 36}" text-anchor="middle" {text}>'
            f"seconds, at {rate / 1e3:g} kB/s with a burst of {burst / 1e3:g} kB</text>"
        )
        for part in range(5):
            out.append(
                f'<text x="{x0 - 6}" y="{top + height * (4 - part) / 4 + 4:.0f}" text-anchor="end" {text}>'
                f"{most * part / 4e3:.0f} kB</text>"
                f'<text x="{x0 + width * part / 4:.0f}" y="{top + height + 16}" text-anchor="middle" {text}>'
                f"{seconds * part / 4:.1f}</text>"
            )
        for one, colour, dash in ((kernel, "#c2410c", ""), (ours, "#1d4ed8", ' stroke-dasharray="5 4"')):
            # At most a point for each pixel.
            thin, last = [], -1
            for time, count in one.points:
                column = int(time / seconds * width)
                if column != last or count == one.points[-1][1]:
                    thin.append(f"{x0 + time / seconds * width:.1f},{top + height - count / most * height:.1f}")
                    last = column
            out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{" ".join(thin)}"/>')
    pathlib.Path(path).write_text("\n".join([*out, "</svg>"]) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--plot")
    options = parser.parse_args()
    enter()
    prepare()
    settings = [(125_000, 15_000), (1_000_000, 100_000)] if options.long else [(1_000_000, 100_000)]
    flows = buckets(settings)
    round_trips(300 if options.long else 100)
    if options.plot:
        plot(flows, options.plot)
    return 1 if failures else 0


sys.exit(main())
