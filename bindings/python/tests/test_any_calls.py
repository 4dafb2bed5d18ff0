"""Random calls in random order, with valid and invalid arguments, on objects of every type and state: only exceptions
that Python programs know, and no crash."""

from __future__ import annotations

import gc
import os
import random
import unittest
import warnings
from typing import Any, Callable

from talk import LOCAL

import wspeer

NUMBERS = [0, -1, 1, 2**31, -(2**31), 2**63, 1.5, float("nan")]
ODD = [
    *NUMBERS,
    None,
    True,
    [],
    {},
    object(),
    "",
    "text",
    "nul\0",
    "\ud800",
    b"",
    b"bytes",
    b"\xff" * 200,
    memoryview(b"view"),
]
EXPECTED = (wspeer.Error, TypeError, ValueError, BufferError)


class TestAnyCalls(unittest.TestCase):
    def test_any_calls_in_any_order(self) -> None:
        seed = int(os.environ.get("WSPEER_TEST_SEED", random.randrange(2**32)))
        with self.subTest(seed=seed), warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            refused, done = self.play(random.Random(seed), 4000)
            self.assertGreater(min(refused, done), 200)
            gc.collect()

    def play(self, dice: random.Random, count: int) -> tuple[int, int]:
        """Number of refused and of successful calls."""
        objects: list[Any] = []
        kept: list[Any] = []
        refused = done = 0
        for _ in range(count):
            try:
                self.step(dice, objects, kept)
                done += 1
            except EXPECTED:
                refused += 1
            del objects[:-12], kept[:-4]
        kept.clear()
        for one in objects:
            one.free()
        return refused, done

    def step(self, dice: random.Random, objects: list[Any], kept: list[Any]) -> None:
        urls = (
            [one.url for one in objects if isinstance(one, (wspeer.Server, wspeer.MultiplayerPeer)) and one.url]
            if dice.random() < 0.2
            else []
        )
        url = dice.choice([*urls, LOCAL, "ws://127.0.0.1:1", *ODD])
        openings: list[Callable[[], Any]] = [
            lambda: wspeer.connect(url, queue_before_open=True, inbound_packets=20),
            lambda: wspeer.listen(LOCAL),
            lambda: wspeer.host(LOCAL, godot3=dice.random() < 0.5),
            lambda: wspeer.join(url),
            lambda: wspeer.host(LOCAL, scene=True),
            lambda: dice.choice(wspeer.pair()),
            lambda: wspeer.attach(dice.choice([wspeer.Role.CLIENT, wspeer.Role.SERVER])),
        ]
        hosts = [one for one in objects if isinstance(one, wspeer.MultiplayerPeer)]
        if hosts:
            openings.append(lambda: dice.choice(hosts).join_local())
        if not objects or dice.random() < 0.05:
            objects.append(dice.choice(openings)())
            return
        one = dice.choice(objects)
        if dice.random() < 0.5:
            for each in objects:
                each.poll()
            kept.append(
                [
                    item.data[:3]
                    for item in dice.choice([one.events, one.packets])(
                        limit=dice.choice([None, 1, 5]),
                        lend=dice.random() < 0.3,
                    )
                ],
            )
            return
        name = dice.choice(
            [name for name in dir(one) if not name.startswith("_") and name not in ("wait", "options")] + ["send"] * 10,
        )
        member = getattr(one, name)
        if callable(member):
            arguments = [dice.choice(ODD + objects) for _ in range(dice.choice([0, 1, 1, 1, 2]))]
            found = member(*arguments)
            objects.extend(found if name in ("clients", "waiting") else [])
