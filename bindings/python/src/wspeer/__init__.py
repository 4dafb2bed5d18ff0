"""WebSockets that a program polls from its frame loop: a client, a server and Godot's multiplayer peer over ws:// and
wss://.

    import wspeer

    with wspeer.connect("ws://127.0.0.1:9080") as peer:
        while peer.state != wspeer.State.CLOSED:
            peer.poll()
            for event in peer.events():
                if event.type == wspeer.EventType.OPEN:
                    peer.send("hello")
                elif event.type == wspeer.EventType.MESSAGE:
                    print(event.text)
            # update, draw, wait for the next frame

wspeer.aio is the asyncio version.
"""

from wspeer.codes import (
    CUSTOM_SCENE,
    OFF,
    Cause,
    EventType,
    Feature,
    Hint,
    LogLevel,
    OnFull,
    Phase,
    Result,
    Role,
    SimPreset,
    State,
    VariantType,
)
from wspeer.config_args import ConfigArgs
from wspeer.endpoint import AttachedPeer, Connection, Data, Endpoint, Event, Packet, Peer
from wspeer.errors import (
    AddressError,
    ArgumentError,
    CallFailed,
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    DirectoryError,
    Error,
    HandleError,
    KindError,
    LimitError,
    PanicError,
    QueueFull,
    StateError,
    TargetError,
    TextError,
    TlsError,
    TooBig,
    UnsupportedError,
    UrlError,
)
from wspeer.godot import Call, Replicated, Value, decode_variant, encode_variant
from wspeer.opening import Certificate, attach, connect, diagnose, host, join, listen, make_certificate, pair
from wspeer.options import Options, Stats
from wspeer.process import features, forward_log, free_owner, library_version, log_lines, set_log_level, shutdown
from wspeer.server import MultiplayerPeer, Server
from wspeer.simulation import Sim
from wspeer.waiting import wait

__version__ = "0.1.0"

__all__ = [
    "CUSTOM_SCENE",
    "OFF",
    "AddressError",
    "ArgumentError",
    "AttachedPeer",
    "Call",
    "CallFailed",
    "Cause",
    "Certificate",
    "ConfigArgs",
    "ConfigError",
    "Connection",
    "ConnectionClosed",
    "ConnectionFailed",
    "Data",
    "DirectoryError",
    "Endpoint",
    "Error",
    "Event",
    "EventType",
    "Feature",
    "HandleError",
    "Hint",
    "KindError",
    "LimitError",
    "LogLevel",
    "MultiplayerPeer",
    "OnFull",
    "Options",
    "Packet",
    "PanicError",
    "Peer",
    "Phase",
    "QueueFull",
    "Replicated",
    "Result",
    "Role",
    "Server",
    "Sim",
    "SimPreset",
    "State",
    "StateError",
    "Stats",
    "TargetError",
    "TextError",
    "TlsError",
    "TooBig",
    "UnsupportedError",
    "UrlError",
    "Value",
    "VariantType",
    "attach",
    "connect",
    "decode_variant",
    "diagnose",
    "encode_variant",
    "features",
    "forward_log",
    "free_owner",
    "host",
    "join",
    "library_version",
    "listen",
    "log_lines",
    "make_certificate",
    "pair",
    "set_log_level",
    "shutdown",
    "wait",
]
