"""A client of Python's websockets that a test controls like tests/c/peer_client.c."""
import asyncio
import ssl

from python_common import (
    close,
    commands,
    deflate_options,
    extensions,
    limit_versions,
    names,
    pattern,
    show,
    show_closed,
    show_message,
    tls_of,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

current = {"ws": None}


async def run(settings):
    options = {}
    if settings["url"].startswith("wss"):
        options["ssl"] = limit_versions(ssl.create_default_context(cafile=settings.get("ca")), settings)
        if "cert" in settings:
            options["ssl"].load_cert_chain(settings["cert"], settings["key"])
        if "server_name" in settings:
            options["server_hostname"] = settings["server_name"]
    options |= deflate_options(settings, ClientPerMessageDeflateFactory)
    name = settings.get("show", "")
    try:
        ws = await connect(
            settings["url"],
            subprotocols=names(settings),
            additional_headers=settings["header"],
            max_size=None,
            proxy=None,
            **options,
        )
    except InvalidStatus as error:
        answer = error.response
        show_closed(
            None,
            status=answer.status_code,
            body=answer.body.decode(),
            shown=answer.headers.get_all(name),
            sentence=str(error),
        )
        return
    except Exception as error:  # any error is judged by the driver
        show_closed(None, status=0, body="", shown=[], sentence=f"{type(error).__name__}: {error}")
        return
    current["ws"] = ws
    show(
        "open",
        subprotocol=ws.subprotocol or "",
        extensions=extensions(ws, False),
        shown=ws.response.headers.get_all(name),
        tls=tls_of(ws),
    )
    try:
        async for message in ws:
            show_message(message)
    except ConnectionClosed:
        pass
    await ws.wait_closed()
    show_closed(ws, status=0, body="", shown=[], sentence="")


async def main():
    tasks = set()
    async for verb, settings in commands():
        if verb == "connect":
            tasks.add(asyncio.create_task(run(settings)))
        if verb == "put":
            await current["ws"].send(pattern(settings["type"], int(settings["size"])))
        if verb == "close":
            await close(current["ws"], settings)
        if verb == "drop":
            current["ws"].transport.abort()


asyncio.run(main())
