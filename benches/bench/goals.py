"""The goals of wspeer, and the table that compares them with a measurement: CPU time relative to another contestant in
the same round, and counts of the guard."""
from dataclasses import dataclass

import guard

from . import tables
from .figures import ratio
from .plan import SCENARIOS


@dataclass(frozen=True)
class Goal:
    about: str
    most: float
    scenario: str = ""  # of plan.SCENARIOS: the CPU time of wspeer divided by that of `base`
    base: str = "raw"
    counts: tuple = ()  # without a scenario: (scenario, count) pairs of the guard, which are added up


GOALS = [
    Goal("server, 1 connection, 64 B, window 32", 1.20, "W1"),
    Goal("server, 1 connection, bursts of 32 × 64 B", 1.15, "W1b"),
    Goal("server, 100 connections, 64 B", 1.07, "W2"),
    Goal("server, 64 KiB", 1.25, "W3a"),
    Goal("server, 1 MiB", 1.15, "W3b"),
    Goal("fan-out, 256 B to 1,000 clients at 60 Hz", 1.00, "W4"),
    Goal("client, frames of 32 × 64 B", 1.10, "W1c"),
    Goal("client, tight loop, 64 B", 1.08, "W1t"),
    Goal("client, frames of 4 × 64 KiB", 1.05, "W3ac"),
    Goal("client, frames of 1 MiB", 1.05, "W3bc"),
    Goal("client, tight loop, 64 KiB", 1.30, "W3at"),
    Goal("idle client poll", 1.25, "idle"),
    Goal("wss, frames of 32 × 64 B, relative to tungstenite", 0.75, "wss-W1c", "tung"),
    Goal("wss, frames of 4 × 64 KiB, relative to tungstenite", 0.65, "wss-W3ac", "tung"),
    Goal("wss, frames of 1 MiB, relative to tungstenite", 0.50, "wss-W3bc", "tung"),
    Goal("instructions, client, a 64 B message out and one in", 400,
         counts=(("client_put", "instructions"), ("client_get", "instructions"))),
    Goal("the same, with ws_put_packets and ws_get_packets", 300,
         counts=(("client_put_packets", "instructions"), ("client_get_packets", "instructions"))),
    Goal("instructions, a server's frame with one message", 1500, counts=(("server_cycle", "instructions"),)),
    Goal("heap bytes, idle connection of a server", 512, counts=(("idle_conn", "heap_bytes"),)),
]
# minimal and tung show what others need.
CONTESTANTS = ("raw", "wspeer", "minimal", "tung")


def scenarios():
    return [SCENARIOS[goal.scenario] for goal in GOALS if goal.scenario]


def counted():
    """The counts of the guard that the goals are about, by scenario."""
    guard.build()
    return guard.measure_all(sorted({scenario for goal in GOALS for scenario, _ in goal.counts}))


def report(result):
    """Returns the table and whether every goal is reached."""
    rows, all_reached = [], True
    for goal in GOALS:
        if goal.scenario:
            runs, digits = result["runs"].get(goal.scenario, {}), 2
            value, minimal, tung = (ratio(runs, name, goal.base) for name in ("wspeer", "minimal", "tung"))
        else:
            value, digits = sum(result["counts"][scenario][count] for scenario, count in goal.counts), 0
            minimal = tung = None
        reached = value is not None and value <= goal.most
        all_reached &= reached
        value, most, minimal, tung = (tables.number(figure, digits) for figure in (value, goal.most, minimal, tung))
        rows.append([goal.about, value, most, "yes" if reached else "no", minimal, tung])
    return tables.table(["", "wspeer", "goal", "reached", "minimal C", "tungstenite"], rows), all_reached
