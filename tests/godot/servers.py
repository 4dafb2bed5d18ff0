"""Servers of the Python package websockets in threads."""

import contextlib
import threading

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve


@contextlib.contextmanager
def serving(handler, **options):
    """A server on a free port, which it yields. A connection of a handler may end at any time."""

    def handle(connection):
        with contextlib.suppress(ConnectionClosed):
            handler(connection)

    with serve(handle, "127.0.0.1", 0, compression=None, **options) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.socket.getsockname()[1]
        server.shutdown()
