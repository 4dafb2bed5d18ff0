"""What the enums of numbers have in common."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """A number of a newer library is no failure: it is named after its value."""

    @classmethod
    def _missing_(cls, value: object) -> Code | None:
        if not isinstance(value, int):
            return None
        made = int.__new__(cls, value)
        made._name_ = f"UNKNOWN_{value}"
        made._value_ = value
        return made
