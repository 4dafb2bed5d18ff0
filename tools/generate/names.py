"""Which constants of the header belong together, for all bindings."""

from table import Mistake

# Those with a prefix of their own: WS_EVENT_OPEN.
PREFIXES = ("EVENT", "PHASE", "CAUSE", "FULL", "ROLE", "GET", "OPT", "LOG", "VARIANT", "STRUCT", "FEATURE")
# Those without.
PLAIN = {
    **dict.fromkeys(("OK", "EMPTY", "MORE", "PARTIAL", "TRUNCATED"), "RESULT"),
    **dict.fromkeys(("TEXT", "BINARY", "CALL"), "TYPE"),
    **dict.fromkeys(("CONNECTING", "OPEN", "CLOSING", "CLOSED"), "STATE"),
    **dict.fromkeys(("OFF", "VERSION", "ABI_VERSION"), ""),
}


def group_of(constant):
    """The group of a constant, and its name there. Groups: PREFIXES, RESULT, TYPE, STATE and FLAG; "" for the few that are alone."""
    name = constant.name.removeprefix("WS_")
    if name.startswith("ERR_"):
        return "RESULT", name
    for prefix in PREFIXES:
        if name.startswith(f"{prefix}_"):
            return prefix, name.removeprefix(f"{prefix}_")
    if name in PLAIN:
        return PLAIN[name], name
    if constant.value <= 0 or constant.value & (constant.value - 1):
        raise Mistake(
            f"{constant.name} is no flag of ws_config: say in tools/generate/names.py which group it belongs to"
        )
    return "FLAG", name


def groups(header):
    """Of each group its constants, in the order of the header: name in the group, constant."""
    found = {}
    for constant in header.constants:
        group, name = group_of(constant)
        if group:
            found.setdefault(group, []).append((name, constant))
    return found
