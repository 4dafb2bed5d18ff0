"""An echo server of Python's websockets with the settings and commands of tests/c/peer_server.c, and also:
client_ca=FILE (requires a client certificate), tls=1.2. A request for /refuse/STATUS is refused with a body.
Usage: python_server.py [NAME=VALUE]..."""
import asyncio
import ssl
import sys

from python_common import (
    close,
    commands,
    deflate_options,
    extensions,
    limit_versions,
    names,
    parse,
    pattern,
    show,
    show_closed,
    show_message,
    tls_of,
)
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

settings = parse(sys.argv[1:])
server_names = []


def context():
    if "cert" not in settings:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(settings["cert"], settings["key"])
    made.sni_callback = lambda tls, name, _: server_names.append(name)
    if "client_ca" in settings:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(settings["client_ca"])
    return limit_versions(made, settings)


def process_request(connection, request):
    if request.path.startswith("/refuse/"):
        answer = connection.respond(int(request.path.split("/")[2]), "no entry: κόσμε\n")
        answer.headers["X-Refused"] = "yes"
        return answer
    return None


def process_response(_connection, _request, answer):
    for name, value in settings["header"]:
        answer.headers[name] = value


def client_name(ws):
    tls = ws.transport.get_extra_info("ssl_object")
    subject = (tls.getpeercert() or {}).get("subject", ()) if tls else ()
    return dict(pair for part in subject for pair in part).get("commonName", "")


async def serve_client(ws):
    path, _, query = ws.request.path.partition("?")
    shown = ws.request.headers.get_all(settings.get("show", ""))
    show(
        "open",
        path=path,
        query=query,
        subprotocol=ws.subprotocol or "",
        extensions=extensions(ws, True),
        shown=shown,
        tls=tls_of(ws),
        server_name=server_names[-1] if server_names else "",
        client=client_name(ws),
    )
    try:
        async for message in ws:
            show_message(message)
            await ws.send(message)
    except ConnectionClosed:
        pass
    await ws.wait_closed()
    show_closed(ws)


async def main():
    options = {
        "subprotocols": names(settings),
        "process_request": process_request,
        "process_response": process_response,
        "max_size": None,
        **deflate_options(settings, ServerPerMessageDeflateFactory),
    }
    async with serve(serve_client, settings.get("host", "127.0.0.1"), 0, ssl=context(), **options) as server:
        show("listening", port=server.sockets[0].getsockname()[1])
        async for verb, fields in commands():
            for ws in list(server.connections):
                if verb == "put":
                    await ws.send(pattern(fields["type"], int(fields["size"])))
                if verb == "close":
                    await close(ws, fields)


asyncio.run(main())
