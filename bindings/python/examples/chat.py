"""A chat in a terminal, under asyncio.
Usage: chat.py server [PORT]       prints and passes on what everyone says
       chat.py client URL NAME     type a line to say it; end of input leaves"""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import wspeer
import wspeer.aio
from wspeer import EventType


def typed() -> asyncio.Queue[str | None]:
    """Yields the lines that are typed; None is the end of input. A thread reads them, as not every event loop can read
    a terminal."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        rest = b""
        while data := os.read(0, 4096):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace"))
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    return lines


async def serve(port: str) -> None:
    names: dict[wspeer.Peer, str] = {}
    async with wspeer.aio.listen(f"ws://*:{port}") as chat:
        print(f"Chat on {chat.endpoint.url}", flush=True)
        said = asyncio.create_task(serve_typed(chat))
        async for event in chat.events():
            if event.type == EventType.CONNECTED:
                names[event.peer] = event.peer.header("X-Chat-Name")
                await say(chat, f"{names[event.peer]} is here")
            elif event.type == EventType.MESSAGE:
                await say(chat, f"{names[event.peer]}: {event.text}")
            elif event.type == EventType.DISCONNECTED:
                await say(chat, f"{names.pop(event.peer)} has left")
        said.cancel()


async def serve_typed(chat: wspeer.aio.Polled[wspeer.Server]) -> None:
    lines = typed()
    while (line := await lines.get()) is not None:
        await say(chat, f"server: {line}")
    await chat.close(0, "the server goes")


async def say(chat: wspeer.aio.Polled[wspeer.Server], text: str) -> None:
    print(text, flush=True)
    if chat.endpoint.state == wspeer.State.OPEN:
        await chat.send(text)


async def join(url: str, name: str) -> None:
    async with wspeer.aio.connect(url, headers={"X-Chat-Name": name}) as chat:
        said = asyncio.create_task(say_typed(chat))
        async for event in chat.events():
            if event.type == EventType.MESSAGE:
                print(event.text, flush=True)
            elif event.type == EventType.CLOSED:
                print(f"({event.text})", flush=True)
                event.raise_if_failed()
        said.cancel()


async def say_typed(chat: wspeer.aio.Polled[wspeer.Peer]) -> None:
    lines = typed()
    while (line := await lines.get()) is not None:
        await chat.send(line)
    await chat.close()


def main() -> int:
    try:
        if len(sys.argv) >= 2 and sys.argv[1] == "server":
            asyncio.run(serve(sys.argv[2] if len(sys.argv) > 2 else "9080"))
        elif len(sys.argv) == 4 and sys.argv[1] == "client":
            asyncio.run(join(sys.argv[2], sys.argv[3]))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except wspeer.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
