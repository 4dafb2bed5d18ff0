#!/usr/bin/env python3
"""The cluster of examples/cluster under faults: nodes are killed and drained, the engine stops and is killed, players
sleep for too long. Every message is heard once and in order by everyone in its room, or a gap is told.
Usage: run.py [PART-OF-A-GROUP]
       run.py --attack SECONDS [--seed SEED]       faults at random moments
       run.py --load PLAYERS ROOMS MESSAGES-A-SECOND SECONDS       what a message costs"""

import argparse
import pathlib
import random
import shutil
import signal
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests" / "peers"))
import attack  # noqa: E402
import harness  # noqa: E402
import load  # noqa: E402
import wspeer  # noqa: E402
from cluster import Cluster, NotStarted  # noqa: E402
from harness import case, same  # noqa: E402
from model import Actor, Log, Wrong, check_heard, check_said  # noqa: E402
from rules import check_history, check_presence  # noqa: E402

WORK = ROOT / "build" / "cluster"
PATIENCE_S = 60
FRAME_S = 0.01
GONE_S = 3.0
HISTORY = 256
NODES = ("one", "two", "three")


class Stage:
    """A cluster and its players."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.log = Log()
        self.actors = []
        # Those that were freed: what they said before counts, and they must disappear.
        self.gone = []
        self.due = 0.0

    def add(self, name, rooms, **config):
        actor = Actor(self.cluster.url, name, rooms, self.log, **config)
        self.actors.append(actor)
        return actor

    def free(self, actor):
        actor.player.peer.free()
        if actor in self.actors:
            self.actors.remove(actor)
        self.gone.append(actor)

    def frame(self):
        for actor in self.actors:
            actor.step()
        self.due = max(self.due + FRAME_S, time.monotonic())
        time.sleep(max(0.0, self.due - time.monotonic()))

    def until(self, what, done, rate=None):
        """Plays until it has come to pass, while each says so many messages in a frame (None: as before)."""
        self.rate(rate)
        end = time.monotonic() + PATIENCE_S
        while not done():
            self.frame()
            if time.monotonic() > end:
                raise Wrong(f"it did not come to pass in {PATIENCE_S} s that {what}: {self.report()}")

    def rate(self, rate):
        if rate is not None:
            for actor in self.actors:
                actor.rate = rate

    def report(self):
        """Players that do not go on: where they are, what they have to say, and how far they are in each room."""
        last = {room: max(messages) for room, messages in self.log.rooms.items()}
        late = []
        for actor in self.actors:
            rooms = {room: (actor.player.rooms[room].at, last.get(room)) for room in actor.joined}
            if not actor.player.node or actor.player.outbox or any(at != end for at, end in rooms.values()):
                late.append((actor.id, actor.player.node, len(actor.player.outbox), rooms))
        return late[:10]

    def quiet(self):
        """Plays until all that was said is stored and was heard by all."""
        self.until("all is stored", lambda: not any(actor.player.outbox for actor in self.actors), rate=0.0)

        def heard():
            last = {room: max(messages) for room, messages in self.log.rooms.items() if messages}
            return all(
                (actor.player.rooms[room].at or 0) >= last.get(room, 0)
                for actor in self.actors
                for room in actor.joined
            )

        self.until("all is heard", heard)

    def are_in(self, actors=None):
        """Whether these players see exactly those who are there."""
        members = {}
        for actor in self.actors:
            for room in actor.joined:
                members.setdefault(room, set()).add(actor.id)
        return all(actor.seen[room] == members[room] for actor in actors or self.actors for room in actor.joined)

    def at(self, node):
        return [actor for actor in self.actors if actor.player.node == node]

    def heard_more(self, count):
        """A condition: all have heard so many messages more in each room."""
        wanted = {(actor, room): len(actor.heard[room]) + count for actor in self.actors for room in actor.joined}
        return lambda: all(len(actor.heard[room]) >= wanted for (actor, room), wanted in wanted.items())

    def check(self):
        """Everything that was said and heard so far. Returns how many messages were missed and told, and how many
        gaps were told in which nothing was missed."""
        everybody = [*self.actors, *self.gone]
        gaps = {room for actor in everybody for room, told in actor.gaps.items() if told}
        for actor in everybody:
            check_said(actor, self.log, actor in self.gone, gaps)
        counts = [check_heard(actor, self.log) for actor in self.actors]
        return sum(missed for missed, _ in counts), sum(empty for _, empty in counts)

    def forget_departures(self):
        for actor in self.actors:
            actor.went.clear()
            actor.absent_s = 0.0

    def departures(self, except_for=()):
        """Who was seen leaving, although nobody left. Who came back too late counts as gone."""
        late = {actor.id for actor in self.actors if actor.absent_s > GONE_S / 2}
        return {player for actor in self.actors for _, player, _ in actor.went} - late - set(except_for)


def milliseconds(values):
    """The median and the 99th percentile of times."""
    ordered = sorted(values)
    return f"p50 {statistics.median(ordered) * 1e3:.0f} ms, p99 {ordered[len(ordered) * 99 // 100] * 1e3:.0f} ms"


def faults():
    with Cluster(WORK, HISTORY, GONE_S) as cluster:
        stage = Stage(cluster)
        for number in range(36):
            stage.add(f"p{number}", [f"r{number % 6}", f"r{(number + 1 + number // 6) % 6}"])
        together(stage)
        node_is_killed(stage)
        node_is_drained(stage)
        player_leaves(stage)
        engine_stops(stage)
        engine_is_killed(stage)
        players_sleep(stage)
        missed, _ = stage.check()
        stored = sum(len(messages) for messages in stage.log.rooms.values())
        heard = sum(len(heard) for actor in stage.actors for heard in actor.heard.values())
        print(f"figure: cluster: {stored} messages stored, {heard} heard, {missed} missed and told", flush=True)
        store_is_lost(stage)
        for actor in list(stage.actors):
            stage.free(actor)


def together(stage):
    with case("cluster: players of three nodes see each other in their rooms"):
        stage.until("all are in", stage.are_in)
        same("nodes", {actor.player.node for actor in stage.actors}, set(NODES))
        same("players that left", stage.departures(), set())
    with case("cluster: what is said on one node is heard on all, once and in order"):
        stage.until("all hear", stage.heard_more(60), rate=0.05)
        stage.quiet()
        same("missed, and empty gaps", stage.check(), (0, 0))
        print(f"figure: cluster: from say to hear {milliseconds(stage.log.latencies)}", flush=True)


def node_is_killed(stage):
    with case("cluster: a node is killed: its players go on at others, and miss nothing"):
        stage.forget_departures()
        stage.until("all talk", stage.heard_more(5), rate=0.05)
        moved = stage.at("one")
        dead = moved.pop()
        stage.cluster.kill_node("one")
        killed_at = time.monotonic()
        stage.free(dead)
        stage.until("all are back", lambda: all(actor.player.node not in ("", "one") for actor in stage.actors))
        stage.until("all hear", stage.heard_more(30))
        stage.until("the dead has gone", stage.are_in)
        stage.quiet()
        same("missed, and empty gaps", stage.check(), (0, 0))
    with case("cluster: who came back was never seen leaving, and who did not is gone after a while"):
        same("players that left", stage.departures([dead.id]), set())
        went = [at - killed_at for actor in stage.actors for _, player, at in actor.went if player == dead.id]
        same("too early", [seconds for seconds in went if seconds < GONE_S / 2], [])
        back = max(actor.absent_s for actor in moved)
        print(f"figure: cluster: players of a killed node were back after {back:.2f} s at most", flush=True)
        print(f"figure: cluster: one that did not come back was gone after {max(went):.2f} s", flush=True)


def node_is_drained(stage):
    with case("cluster: a node is drained: its players go on at others, and miss nothing"):
        stage.cluster.start_node("one")
        stage.forget_departures()
        stage.until("all talk", stage.heard_more(5), rate=0.05)
        same("players to move", bool(stage.at("two")), True)
        stage.cluster.drain_node("two")
        node = stage.cluster.nodes["two"]
        stage.until("it has ended", lambda: node.poll() is not None)
        same("its exit code", node.returncode, 0)
        stage.until("all are back", lambda: all(actor.player.node for actor in stage.actors))
        stage.until("all hear", stage.heard_more(30))
        stage.quiet()
        same("missed, and empty gaps", stage.check(), (0, 0))
        same("players that left", stage.departures(), set())


def player_leaves(stage):
    with case("cluster: a player that leaves a room is gone from it, and stays in the other"):
        leaver = stage.actors[0]
        room = leaver.joined[0]
        leaver.leave(room)
        stage.until("it is gone", stage.are_in)
        left = {room for actor in stage.actors for room, player, _ in actor.went if player == leaver.id}
        same("where it left", left, {room})
    with case("cluster: a player that says goodbye is gone"):
        leaver.player.close()
        stage.actors.remove(leaver)
        while leaver.player.peer.state != wspeer.State.CLOSED:
            leaver.player.step()
            stage.frame()
        stage.free(leaver)
        stage.until("it is gone", stage.are_in)


def engine_stops(stage):
    with case("cluster: the engine stops: nodes accept up to their bound, then they are busy, and no link is lost"):
        stage.cluster.start_node("two")
        stage.until("all talk", stage.heard_more(5), rate=0.05)
        links = sum(actor.lost for actor in stage.actors)
        refused = {actor: actor.player.refused for actor in stage.actors}
        stage.cluster.stop_engine()
        stopped_at = time.monotonic()
        stage.until(
            "all are refused",
            lambda: all(actor.full and actor.player.refused > before for actor, before in refused.items()),
            rate=1.0,
        )
        stage.until("it was stopped for 2 s", lambda: time.monotonic() - stopped_at > 2)
        stage.cluster.continue_engine()
        stage.until("all is heard", stage.heard_more(30), rate=0.05)
        stage.quiet()
        stage.check()
        same("links lost", sum(actor.lost for actor in stage.actors) - links, 0)


def engine_is_killed(stage):
    with case("cluster: the engine is killed and started again with its store: all goes on, in order and once"):
        stage.until("all talk", stage.heard_more(5), rate=0.05)
        stage.cluster.kill_engine()
        stage.until("messages wait", lambda: all(len(actor.player.outbox) > 10 for actor in stage.actors), rate=0.2)
        stage.cluster.start_engine()
        stage.until("all is heard", stage.heard_more(30), rate=0.05)
        stage.quiet()
        stage.check()
        stage.until("all are in", stage.are_in)


def players_sleep(stage):
    short, long, *others = stage.actors
    said = {room: len(messages) for room, messages in stage.log.rooms.items()}

    def more(count):
        return lambda: all(len(stage.log.rooms[room]) > before + count for room, before in said.items())

    def gaps(actor):
        return [len(actor.gaps[room]) for room in actor.joined]

    before = gaps(short), gaps(long)
    with case("cluster: who was away for a while gets what was said meanwhile"):
        stage.rate(0.0)
        short.sleep()
        long.sleep()
        stage.until("they are away", lambda: not short.player.node and not long.player.node)
        for actor in others:
            actor.rate = 0.05
        stage.until("they miss some", more(20))
        short.wake()
        stage.until("it is back", lambda: short.player.node)
        stage.until("it hears", lambda: all(short.player.rooms[room].is_joined for room in short.joined))
        same("gaps told", gaps(short), before[0])
    with case("cluster: who was away for too long is told the gap, and gets the rest"):
        for actor in others:
            actor.rate = 0.5
        stage.until("it misses more", more(HISTORY + 50))
        long.wake()
        stage.until("it is back", lambda: long.player.node)
        stage.until("all hear", stage.heard_more(5), rate=0.05)
        stage.quiet()
        stage.check()
        same("gaps told", gaps(long), [count + 1 for count in before[1]])
        stage.until("all are in", stage.are_in)


def store_is_lost(stage):
    with case("cluster: the engine comes back with an empty store: all are told, and go on"):
        stage.cluster.kill_engine()
        shutil.rmtree(WORK / "store")
        stage.log = Log()
        for actor in stage.actors:
            actor.begin_anew(stage.log)
        stage.cluster.start_engine()
        stage.cluster.create_stream()
        stage.until(
            "all are told",
            lambda: all(gaps and gaps[-1][1] == -1 for actor in stage.actors for gaps in actor.gaps.values()),
        )
        stage.until("all hear", stage.heard_more(5), rate=0.05)
        stage.quiet()
        stage.check()
        stage.until("all are in", stage.are_in)


def rules():
    with case("cluster: presence agrees on all nodes, whatever is lost on the way"):
        for seed in range(200):
            check_presence(random.Random(seed))
    with case("cluster: a history gives what follows an offset, or the gap before it"):
        for seed in range(200):
            check_history(random.Random(seed))


GROUPS = {"rules": rules, "faults": faults}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", default="")
    parser.add_argument("--attack", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--load", nargs=4, type=int)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    if arguments.attack:
        return attack.run(Stage, WORK, arguments.attack, arguments.seed)
    if arguments.load:
        load.run(Stage, WORK, *arguments.load)
        return 0
    for name, run in GROUPS.items():
        if arguments.part in name:
            began = time.monotonic()
            try:
                run()
            except (Wrong, NotStarted, OSError, wspeer.Error) as error:
                with case(f"cluster: {name}"):
                    raise error
            print(f"figure: cluster {name}: {time.monotonic() - began:.1f} s", flush=True)
    return 1 if harness.failures else 0


if __name__ == "__main__":
    sys.exit(main())
