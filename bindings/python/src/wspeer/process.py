"""Functions for the whole process: the log, versions, and freeing everything."""

from __future__ import annotations

import logging

from wspeer._gate import all_gates
from wspeer._library import lib
from wspeer.codes import OFF, Feature, LogLevel
from wspeer.errors import check, copied_if_any, whole


def set_log_level(level: LogLevel) -> None:
    """Sets which log lines are kept from now on; WARN is the default."""
    check(lib.ws_set_log_level(whole("level", level, 0, LogLevel.DEBUG)))


def log_lines() -> list[str]:
    """Takes the log lines, "level: text" each. The library prints nothing, and keeps at most 1024 lines."""
    lines: list[str] = []
    while (line := copied_if_any(lib.ws_get_log)) is not None:
        lines.append(line)
    return lines


def forward_log(logger: logging.Logger | None = None) -> None:
    """Takes the log lines and passes them to `logging`; without `logger` to the logger "wspeer"."""
    target = logger or logging.getLogger("wspeer")
    for line in log_lines():
        level, _, text = line.partition(": ")
        target.log(_LEVELS.get(level, logging.WARNING), "%s", text)


_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


def features() -> Feature:
    """What this build and platform can do."""
    return Feature(lib.ws_get_features())


def library_version() -> str:
    """The version of the loaded library."""
    number = lib.ws_version()
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def free_owner(owner: int) -> None:
    """Frees everything that was opened with this `owner`, for a part of the program that is reloaded."""
    with all_gates():
        lib.ws_free_owner(whole("owner", owner, 0, OFF))


def shutdown() -> None:
    """Frees everything that is open in this process, and asks the library's threads to end, without waiting for them.
    The library can be used again afterwards."""
    with all_gates():
        lib.ws_shutdown()
