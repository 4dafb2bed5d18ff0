"""What a message costs: processor time of the nodes, of HAProxy and of NATS, and how long it takes."""

import os
import pathlib
import time

from cluster import Cluster


def cpu_s(process):
    """Processor time of a process so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3


def used(cluster, began):
    groups = {
        "nodes": sum(cpu_s(node) for node in cluster.nodes.values()),
        "HAProxy": cpu_s(cluster.balancer),
        "NATS": cpu_s(cluster.engine),
        "players": time.process_time(),
    }
    return {name: seconds - began.get(name, 0.0) for name, seconds in groups.items()}


def run(make_stage, folder, players, rooms, rate, seconds):
    """Players in one room each, who say `rate` messages a second together."""
    with Cluster(folder) as cluster:
        stage = make_stage(cluster)
        for number in range(players):
            stage.add(f"p{number}", [f"r{number % rooms}"])
        stage.until("all are in", stage.are_in)
        idle_from, at = used(cluster, {}), time.monotonic()
        stage.until("some seconds are over", lambda: time.monotonic() - at > 3)
        idle = {name: spent / 3 for name, spent in used(cluster, idle_from).items()}
        due, turn = time.monotonic(), 0

        def play(seconds):
            """Plays for so long. The rate does not depend on how long a frame takes."""
            nonlocal due, turn
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                while due < time.monotonic():
                    actor = stage.actors[turn % players]
                    actor.say(actor.joined[0])
                    due, turn = due + 1 / rate, turn + 1
                stage.frame()

        play(2)
        stage.log.latencies.clear()
        began, at = used(cluster, {}), time.monotonic()
        before = sum(len(messages) for messages in stage.log.rooms.values())
        play(seconds)
        spent, took = used(cluster, began), time.monotonic() - at
        stored = sum(len(messages) for messages in stage.log.rooms.values()) - before
        ordered = sorted(stage.log.latencies)
        print(
            f"figure: {players} players, {rooms} rooms: {stored / took:.0f} messages/s stored of {rate:.0f} said, "
            f"{len(ordered) / took:.0f} heard/s; p50 {percentile(ordered, 0.5):.0f} ms, "
            f"p99 {percentile(ordered, 0.99):.0f} ms; of a core: "
            + ", ".join(f"{name} {100 * each / took:.0f} %" for name, each in spent.items())
            + "; microseconds a message: "
            + ", ".join(
                f"{name} {1e6 * (each - idle[name] * took) / max(stored, 1):.0f}" for name, each in spent.items()
            )
            + "; idle: "
            + ", ".join(f"{name} {100 * each:.1f} %" for name, each in idle.items()),
            flush=True,
        )
        for actor in list(stage.actors):
            stage.free(actor)
