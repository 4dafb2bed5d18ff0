"""The base class of the enums."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Numbers of a newer library are accepted: an unknown one is named UNKNOWN_ and its value."""

    @classmethod
    def _missing_(cls, value: object) -> Code | None:
        if not isinstance(value, int):
            return None
        made = int.__new__(cls, value)
        made._name_ = f"UNKNOWN_{value}"
        made._value_ = value
        return made
