"""Names of the header that the scenarios of a language do not reach, each with the reason. A name that is reached after
all, or that the header no longer has, makes the test fail."""

_BATCHES = "the binding takes items in batches, by ws_next_events() and ws_get_packets()"
_ENUM = "results are an enum here, which has the names"
_OWN_WORDS = "the texts of the binding have the words of its own options"
_NO_SCENES = "the binding neither makes remote calls nor takes part in an authentication"

_CSHARP = {
    "ws_result_name": _ENUM,
    "ws_get_packet": _BATCHES,
    "ws_next_event": _BATCHES,
    "ws_set_name": _OWN_WORDS,
}
_CSHARP |= dict.fromkeys(
    (
        "ws_declare_node",
        "ws_send_auth",
        "ws_complete_auth",
        "ws_encode_call",
        "ws_decode_call",
        "ws_encode_variant",
        "ws_decode_variant",
        "WS_CALL",
        "WS_EVENT_AUTHENTICATING",
        "WS_EVENT_AUTH",
        "WS_AUTH",
        "WS_NO_RELAY",
    ),
    _NO_SCENES,
)

# By the name of the language in run.py.
EXCEPTIONS = {
    "python": {
        "ws_result_name": _ENUM,
        "ws_get_packet": _BATCHES,
        "ws_next_event": _BATCHES,
        "ws_set_name": _OWN_WORDS,
    },
    "csharp": _CSHARP,
    "csharp-net": _CSHARP,
}
