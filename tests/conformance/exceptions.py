"""Names of the header that the scenarios of a language do not reach, each with the reason. A name that is reached after
all, or that the header no longer has, makes the test fail."""

_BATCHES = "the binding takes items in batches, by ws_next_events() and ws_get_packets()"
_ENUM = "results are an enum here, which has the names"
_NO_NAMES = "it is for bindings whose options have other names than the fields of ws_config"

_CSHARP = {
    "ws_result_name": _ENUM,
    "ws_get_packet": _BATCHES,
    "ws_next_event": _BATCHES,
    "ws_set_name": _NO_NAMES,
}

# By the name of the language in run.py.
EXCEPTIONS = {
    "python": {
        "ws_result_name": _ENUM,
        "ws_get_packet": _BATCHES,
        "ws_next_event": _BATCHES,
        "ws_set_name": _NO_NAMES,
    },
    "csharp": _CSHARP,
    "csharp-net": _CSHARP,
}
