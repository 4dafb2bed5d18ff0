"""The groups of the header's constants, which are the enums of the bindings."""

from table import Mistake

# Groups whose constants have a prefix: WS_EVENT_OPEN.
PREFIXES = (
    "EVENT", "PHASE", "CAUSE", "FULL", "ROLE", "GET", "OPT", "LOG", "VARIANT", "STRUCT", "FEATURE", "SERVE", "HINT", "SIM",
)
# Names that would begin with a digit in their group.
RENAMED = {"WS_SIM_4G": "MOBILE_4G"}
# The groups of constants without a prefix.
PLAIN = {
    **dict.fromkeys(("OK", "EMPTY", "MORE", "PARTIAL", "TRUNCATED"), "RESULT"),
    **dict.fromkeys(("TEXT", "BINARY", "CALL", "REPLICATION", "SPAWN", "DESPAWN", "SYNC"), "TYPE"),
    **dict.fromkeys(("CONNECTING", "OPEN", "CLOSING", "CLOSED", "LOST"), "STATE"),
    **dict.fromkeys(("OFF", "VERSION", "ABI_VERSION", "CUSTOM_SCENE", "NO_SCENE"), ""),
}


def group_of(constant):
    """The group of a constant, and its name in the group. Groups: PREFIXES, RESULT, TYPE, STATE and FLAG; "" for a
    constant without a group."""
    name = constant.name.removeprefix("WS_")
    if name.startswith("ERR_"):
        return "RESULT", name
    for prefix in PREFIXES:
        if name.startswith(f"{prefix}_"):
            return prefix, RENAMED.get(constant.name, name.removeprefix(f"{prefix}_"))
    if name in PLAIN:
        return PLAIN[name], name
    if constant.value <= 0 or constant.value & (constant.value - 1):
        raise Mistake(
            f"{constant.name} is no flag of ws_config: say in tools/generate/names.py which group it belongs to"
        )
    return "FLAG", name


def groups(header):
    """The constants of each group, in the order of the header: name in the group, constant."""
    found = {}
    for constant in header.constants:
        group, name = group_of(constant)
        if group:
            found.setdefault(group, []).append((name, constant))
    return found
