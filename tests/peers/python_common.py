"""What the two programs for Python's websockets share: the commands, events and messages of tests/c/peer.h."""
import asyncio
import json
import ssl
import sys
import zlib

UNIT = "abé€🎮".encode()


def parse(fields):
    """NAME=VALUE fields as a dictionary; header is a list."""
    settings = {"header": []}
    for field in fields:
        name, field = field.split("=", 1)
        if name == "header":
            settings["header"].append(tuple(field.split(": ", 1)))
        else:
            settings[name] = field
    return settings


async def commands():
    """What comes on standard input: (verb, settings)."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        verb, *fields = line.decode().rstrip("\n").split("\t")
        yield verb, parse(fields)


def show(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


def pattern(type, size):
    """As bytes for binary and str for text, as programs send them."""
    if type == "binary":
        return (bytes(range(251)) * (size // 251 + 1))[:size]
    whole = size // len(UNIT)
    return (UNIT * whole).decode() + "x" * (size - whole * len(UNIT))


def show_message(message):
    data = message.encode() if isinstance(message, str) else message
    show("message", type="text" if isinstance(message, str) else "binary", size=len(data), crc=zlib.crc32(data))


def show_closed(ws, **more):
    # Without a connection that was open: 1006, as elsewhere.
    show("closed", code=ws.close_code if ws else 1006, reason=(ws.close_reason or "") if ws else "", **more)


async def close(ws, settings):
    code = int(settings["code"]) if "code" in settings else 1000
    await ws.close(code, settings.get("reason", ""))


def names(settings):
    return settings["subprotocols"].split(", ") if "subprotocols" in settings else None


def limit_versions(context, settings):
    if "tls" in settings:
        context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[settings["tls"]]
    return context


def tls_of(ws):
    """The TLS version of a connection, or ""."""
    tls = ws.transport.get_extra_info("ssl_object")
    return tls.version() if tls else ""
