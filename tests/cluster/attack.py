"""Faults at random moments: nodes are killed, stopped and drained, the engine too, links break, players come and go."""

import random
import signal
import threading
import time

import harness
from cluster import Cluster
from harness import case
from model import Wrong

ROOMS = [f"r{number}" for number in range(8)]
HISTORY = 256
GONE_S = 3.0


class Attack:
    def __init__(self, stage, rng):
        self.stage, self.cluster, self.rng = stage, stage.cluster, rng
        self.count = 0
        # What ends a fault that lasts, and when.
        self.later = []
        self.busy_nodes = set()
        self.engine_is_whole = True
        self.failures = []

    def add_player(self):
        if len(self.stage.actors) < 40:
            self.count += 1
            self.stage.add(f"p{self.count}", self.rng.sample(ROOMS, 2)).rate = self.rng.choice([0.02, 0.05, 0.2])

    def free_player(self):
        if len(self.stage.actors) > 20:
            self.stage.free(self.rng.choice(self.stage.actors))

    def cut_link(self):
        actor = self.rng.choice(self.stage.actors)
        actor.cut()
        self.in_s(0.1, lambda: actor in self.stage.actors and actor.uncut())

    def sleep_player(self):
        actor = self.rng.choice(self.stage.actors)
        actor.sleep()
        self.in_s(self.rng.uniform(0, 6), lambda: actor in self.stage.actors and actor.wake())

    def change_rooms(self):
        actor = self.rng.choice(self.stage.actors)
        new = [room for room in ROOMS if room not in actor.heard]
        if new:
            actor.leave(actor.joined[0])
            actor.join(self.rng.choice(new))

    def change_rate(self):
        self.rng.choice(self.stage.actors).rate = self.rng.choice([0.0, 0.02, 0.05, 1.0])

    def hurt_node(self):
        name = self.rng.choice(["one", "two", "three"])
        if len(self.busy_nodes) >= 2 or name in self.busy_nodes:
            return
        self.busy_nodes.add(name)
        process = self.cluster.nodes[name]
        what = self.rng.choice(["kill", "kill", "drain", "stop"])
        if what == "kill":
            process.kill()
            process.wait()
        elif what == "drain":
            process.terminate()
        else:
            process.send_signal(signal.SIGSTOP)
            self.in_s(self.rng.uniform(0, 6), lambda: self.resume_node(name, process))
            return
        self.in_s(
            self.rng.uniform(0, 3), lambda: threading.Thread(target=self.restart_node, args=[name, process]).start()
        )

    def resume_node(self, name, process):
        process.send_signal(signal.SIGCONT)
        self.busy_nodes.discard(name)

    def restart_node(self, name, process):
        try:
            if process.wait(20) not in (0, -9):
                raise Wrong(f"node {name} ended with {process.returncode}")
            while not self.engine_is_whole:
                time.sleep(0.05)
            self.cluster.start_node(name)
        except Exception as error:
            self.failures.append(error)
        self.busy_nodes.discard(name)

    def stop_engine(self):
        if self.engine_is_whole:
            self.engine_is_whole = False
            self.cluster.stop_engine()
            self.in_s(self.rng.uniform(0, 6), self.continue_engine)

    def continue_engine(self):
        self.cluster.continue_engine()
        self.engine_is_whole = True

    def kill_engine(self):
        if self.engine_is_whole:
            self.engine_is_whole = False
            self.cluster.kill_engine()
            self.in_s(self.rng.uniform(0, 2), lambda: threading.Thread(target=self.restart_engine).start())

    def restart_engine(self):
        try:
            self.cluster.start_engine()
        except Exception as error:
            self.failures.append(error)
        self.engine_is_whole = True

    def in_s(self, seconds, do):
        self.later.append((time.monotonic() + seconds, do))

    def frame(self):
        self.stage.frame()
        now = time.monotonic()
        for entry in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove(entry)
            entry[1]()
        if self.failures:
            raise self.failures[0]

    def act(self):
        acts = {
            self.add_player: 4,
            self.free_player: 2,
            self.cut_link: 8,
            self.sleep_player: 3,
            self.change_rooms: 3,
            self.change_rate: 6,
            self.hurt_node: 4,
            self.stop_engine: 1,
            self.kill_engine: 1,
        }
        [act] = self.rng.choices(list(acts), list(acts.values()))
        act()

    def round(self, seconds):
        end = time.monotonic() + seconds
        next_act = 0.0
        while time.monotonic() < end:
            if time.monotonic() > next_act:
                self.act()
                next_act = time.monotonic() + self.rng.uniform(0, 0.6)
            self.frame()
        while self.later or self.busy_nodes or not self.engine_is_whole:
            self.frame()
        rates = [actor.rate for actor in self.stage.actors]
        self.stage.quiet()
        self.stage.until("all are in", self.stage.are_in)
        missed = self.stage.check()
        for actor, rate in zip(self.stage.actors, rates):
            actor.rate = rate
        return missed


def run(make_stage, folder, seconds, seed):
    print(f"seed {seed}", flush=True)
    with Cluster(folder, HISTORY, GONE_S) as cluster:
        stage = make_stage(cluster)
        attack = Attack(stage, random.Random(seed))
        for _ in range(24):
            attack.add_player()
        end = time.monotonic() + seconds
        while time.monotonic() < end and not harness.failures:
            with case(f"cluster: a round of attacks with seed {seed}"):
                missed, empty = attack.round(12)
                stored = sum(len(messages) for messages in stage.log.rooms.values())
                gaps = sum(len(gaps) for actor in stage.actors for gaps in actor.gaps.values())
                links = sum(actor.lost for actor in stage.actors)
                figures = f"{stored} messages, {missed} missed and told in {gaps} gaps ({empty} of them empty)"
                print(f"figure: {figures}, {links} links lost, {len(stage.actors)} players", flush=True)
        for actor in list(stage.actors):
            stage.free(actor)
    return 1 if harness.failures else 0
