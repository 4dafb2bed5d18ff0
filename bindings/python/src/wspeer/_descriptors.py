"""The attributes of Options: each reads and sets one option of a handle."""

from __future__ import annotations

import ctypes

from wspeer._library import lib
from wspeer.codes import OFF, OnFull
from wspeer.errors import check, whole


class OptionsBase:
    """Holds the handle whose options are accessed."""

    __slots__ = ("_handle",)

    def __init__(self, handle: int) -> None:
        self._handle = handle


class _Option:
    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.__doc__ = text

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def get(self, options: OptionsBase) -> int:
        """The value in the library's form."""
        value = ctypes.c_uint32()
        check(lib.ws_get_option(options._handle, self.number, value))
        return value.value

    def set(self, options: OptionsBase, value: int) -> None:
        """Sets the value in the library's form."""
        check(lib.ws_set_option(options._handle, self.number, value))


class Number(_Option):
    """A number: a limit or a time."""

    def __get__(self, options: OptionsBase, owner: type) -> int:
        return self.get(options)

    def __set__(self, options: OptionsBase, value: int) -> None:
        self.set(options, whole(self.name, value, 0, OFF))


class Flag(_Option):
    """A switch: True or False."""

    def __get__(self, options: OptionsBase, owner: type) -> bool:
        return bool(self.get(options))

    def __set__(self, options: OptionsBase, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"{self.name} is {type(value).__name__}: give True or False")
        self.set(options, int(value))


class Policy(_Option):
    """A policy: one of OnFull."""

    def __get__(self, options: OptionsBase, owner: type) -> OnFull:
        return OnFull(self.get(options))

    def __set__(self, options: OptionsBase, value: OnFull) -> None:
        self.set(options, whole(self.name, value, 0, OFF))


class ReadOnly(_Option):
    """A value that only the library sets."""

    def __get__(self, options: OptionsBase, owner: type) -> int:
        return self.get(options)

    def __set__(self, options: OptionsBase, value: int) -> None:
        raise AttributeError(f"{self.name} can only be read")
