"""Shared by the two programs for Python's websockets: the commands, events and messages of tests/c/peer.h."""
import asyncio
import functools
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


@functools.lru_cache
def random(size):
    data, state = bytearray(size), 1
    for index in range(size):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        data[index] = state >> 24
    return bytes(data)


def pattern(type, size):
    """Bytes for binary and random, and str for text, as programs send them."""
    if type == "random":
        return random(size)
    if type == "binary":
        return (bytes(range(251)) * (size // 251 + 1))[:size]
    whole = size // len(UNIT)
    return (UNIT * whole).decode() + "x" * (size - whole * len(UNIT))


def show_message(message):
    data = message.encode() if isinstance(message, str) else message
    show("message", type="text" if isinstance(message, str) else "binary", size=len(data), crc=zlib.crc32(data))


def show_closed(ws, **more):
    # A connection that was never open ends with 1006, like those of the other peers.
    show("closed", code=ws.close_code if ws else 1006, reason=(ws.close_reason or "") if ws else "", **more)


async def close(ws, settings):
    code = int(settings["code"]) if "code" in settings else 1000
    await ws.close(code, settings.get("reason", ""))


def names(settings):
    return settings["subprotocols"].split(", ") if "subprotocols" in settings else None


def limit_versions(context, settings):
    if "tls" in settings:
        context.minimum_version = context.maximum_version = {
            "1.2": ssl.TLSVersion.TLSv1_2,
            "1.3": ssl.TLSVersion.TLSv1_3,
        }[settings["tls"]]
    return context


def deflate(settings, factory):
    """The extensions to offer or accept: deflate=yes and optionally flags of tests/c, level, server_bits and
    client_bits."""
    flags = int(settings.get("flags", 0))
    bits = {
        f"{end}_max_window_bits": int(settings[f"{end}_bits"])
        for end in ("server", "client")
        if f"{end}_bits" in settings
    }
    if "client_max_window_bits" not in bits and factory.__name__.startswith("Client"):
        bits["client_max_window_bits"] = True
    takeover = {"server_no_context_takeover": bool(flags & 64), "client_no_context_takeover": bool(flags & 128)}
    return [factory(**takeover, **bits, compress_settings={"level": int(settings.get("level", 1))})]


def deflate_options(settings, factory):
    """The library's defaults without deflate=yes or no."""
    wanted = settings.get("deflate")
    return (
        {"compression": None, "extensions": deflate(settings, factory) if wanted == "yes" else None} if wanted else {}
    )


def extensions(ws, server):
    """The negotiated extensions in the format of WS_GET_EXTENSIONS."""
    if not ws.protocol.extensions:
        return ""
    found = ws.protocol.extensions[0]
    local = (found.local_no_context_takeover, found.local_max_window_bits)
    remote = (found.remote_no_context_takeover, found.remote_max_window_bits)
    ends = {"server": local if server else remote, "client": remote if server else local}
    parts = [f"{end}_no_context_takeover" for end in ends if ends[end][0]] + [
        f"{end}_max_window_bits={ends[end][1]}" for end in ends if ends[end][1] != 15
    ]
    return "; ".join(["permessage-deflate", *parts])


def tls_of(ws):
    """The TLS version of a connection, or ""."""
    tls = ws.transport.get_extra_info("ssl_object")
    return tls.version() if tls else ""
