"""Measures the cost of one 64 B message in Python, converted to bytes, like message.c. WSPEER_LIBRARY names the
library."""

import sys
import time

import wspeer

SIZE, FRAME, CHUNK = 64, 32, 100
server, client = wspeer.pair()
while client.state != wspeer.State.OPEN or server.state != wspeer.State.OPEN:
    client.poll()
    server.poll()
messages = [bytes([number]) + b"x" * (SIZE - 1) for number in range(256)]


def single(number: int) -> None:
    client.send(messages[number % 256])
    server.poll()
    [packet] = server.packets(limit=1)
    assert packet.data == messages[number % 256]


def frame(number: int) -> None:
    for index in range(number, number + FRAME):
        client.send(messages[index % 256])
    server.poll()
    packets = server.packets()
    assert [packet.data for packet in packets] == [messages[index % 256] for index in range(number, number + FRAME)]


def chunks_until(limit: float) -> int:
    done = 0
    while time.process_time() < limit:
        for number in range(CHUNK):
            run(number)
        done += in_run
    return done


run, in_run = (frame, CHUNK * FRAME) if sys.argv[1] == "frame" else (single, CHUNK)
seconds = float(sys.argv[2])
chunks_until(time.process_time() + seconds / 10)  # warm-up
began = time.process_time()
done = chunks_until(began + seconds)
print(f"{(time.process_time() - began) / done * 1e9:.1f}")
server.free()
client.free()
