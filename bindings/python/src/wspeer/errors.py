"""What is raised. Every Error has a sentence that says what to do; decide by its type or its numbers, as the words may change."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Protocol

from wspeer._library import lib
from wspeer.codes import Cause, Phase, Result


class Error(Exception):
    """Whatever wspeer raises, but for the TypeError of a wrong type."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        """What is wrong and what to do."""


class LastEvent(Protocol):
    """What an event tells of the end of a connection."""

    @property
    def text(self) -> str:
        """A sentence that says what happened and what to do."""

    @property
    def phase(self) -> Phase:
        """Where the connection was."""

    @property
    def cause(self) -> Cause:
        """Why it ended."""

    @property
    def code(self) -> int:
        """The close code."""

    @property
    def http_status(self) -> int:
        """The status of the answer to the opening handshake."""

    @property
    def os_error(self) -> int:
        """The operating system's number."""

    @property
    def unsent(self) -> int:
        """How many accepted messages did not leave."""


class ConnectionFailed(Error):
    """A connection did not open, or did not end cleanly. Has what its last event told."""

    def __init__(self, event: LastEvent) -> None:
        super().__init__(event.text)
        self.phase: Phase = event.phase
        """Where it was."""
        self.cause: Cause = event.cause
        """Why it ended."""
        self.code = event.code
        """The close code: 1006 without a close frame."""
        self.http_status = event.http_status
        """The status of the answer to the opening handshake, or 0."""
        self.os_error = event.os_error
        """The operating system's number, or 0."""
        self.unsent = event.unsent
        """How many accepted messages did not leave."""

    def __reduce__(self) -> Any:
        return ConnectionFailed.__new__, (ConnectionFailed, self.sentence), self.__dict__

    def __str__(self) -> str:
        return f"{self.sentence} (phase {self.phase.name}, code {self.code})"


class CallFailed(Error):
    """A call that the library refused."""

    result = Result.ERR_ARG
    """Its result."""

    def __init__(self, sentence: str, result: Result | None = None) -> None:
        super().__init__(sentence)
        if result is not None:
            self.result = result


class ArgumentError(CallFailed, ValueError):
    """An argument is out of its range."""


class HandleError(CallFailed):
    """It was freed, or its client has gone."""

    result = Result.ERR_HANDLE


class KindError(CallFailed):
    """There is no such call on this kind of object."""

    result = Result.ERR_KIND


class StateError(CallFailed):
    """Not in this state: messages can be sent only while it is OPEN."""

    result = Result.ERR_STATE


class QueueFull(CallFailed):
    """The message was not taken: poll, and send it again after WRITABLE."""

    result = Result.ERR_FULL


class TooBig(CallFailed, ValueError):
    """The message is over max_message_bytes."""

    result = Result.ERR_TOO_BIG


class TextError(CallFailed, ValueError):
    """Text is not valid UTF-8."""

    result = Result.ERR_UTF8


class TargetError(CallFailed, LookupError):
    """There is no such target."""

    result = Result.ERR_TARGET


class ConfigError(CallFailed, ValueError):
    """An option cannot be used; the sentence names it."""

    result = Result.ERR_CONFIG


class UrlError(CallFailed, ValueError):
    """The URL cannot be used."""

    result = Result.ERR_URL


class TlsError(CallFailed, ValueError):
    """A certificate, key or pin cannot be used."""

    result = Result.ERR_TLS


class AddressError(CallFailed):
    """listen() and host(): the address cannot be bound."""

    result = Result.ERR_ADDRESS


class UnsupportedError(CallFailed):
    """This build or platform cannot do it."""

    result = Result.ERR_UNSUPPORTED


class LimitError(CallFailed):
    """No handle, descriptor, thread or memory is left."""

    result = Result.ERR_LIMIT


class PanicError(CallFailed):
    """A defect in wspeer was caught; log_lines() has the text."""

    result = Result.ERR_PANIC


_KINDS: dict[int, type[CallFailed]] = {int(kind.result): kind for kind in CallFailed.__subclasses__()}


def check(result: int) -> int:
    """Gives a result that is a success; else raises what this thread was told last."""
    if result >= 0:
        return result
    raise _KINDS.get(result, CallFailed)(copied(lib.ws_last_error), Result(result))


def copied(call: Callable[..., int], *arguments: object) -> str:
    """A text that a function of the library copies out, whole."""
    return copied_if_any(call, *arguments) or ""


def copied_if_any(call: Callable[..., int], *arguments: object) -> str | None:
    """The same; None where there is none."""
    room = 256
    length = ctypes.c_size_t()
    while True:
        buffer = ctypes.create_string_buffer(room)
        result = check(call(*arguments, buffer, room, ctypes.byref(length)))
        if result == Result.EMPTY:
            return None
        if result != Result.TRUNCATED:
            return buffer.raw[: length.value].decode("utf-8", "replace")
        room = length.value + 1


def encoded(name: str, text: object) -> bytes:
    """Text for the library, which ends at a NUL."""
    if not isinstance(text, str):
        raise TypeError(f"{name} is {type(text).__name__}: give str")
    if "\0" in text:
        raise ArgumentError(f"{name} has a NUL at {text.index(chr(0))}: leave it out")
    return utf8(name, text)


def utf8(name: str, text: str) -> bytes:
    """Text of a message, where a NUL is a character like others."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        start = error.start
    # Outside of the handler: Python's own error, which would be its context, holds the text.
    raise TextError(f"{name} has a lone surrogate at {start}, which no UTF-8 can hold: leave it out")


def whole(name: str, number: object, least: int, most: int) -> int:
    """A whole number in its range."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} is {type(number).__name__}: give int")
    if not least <= number <= most:
        raise ArgumentError(f"{name} is {number}: give {least} to {most}")
    return int(number)
