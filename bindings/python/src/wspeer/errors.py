"""The exceptions. Each Error says what to do about it; decide by its type or its numbers, as the text may change."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Protocol

from wspeer._library import lib
from wspeer.codes import Cause, Phase, Result


class Error(Exception):
    """Base of all exceptions of wspeer, except TypeError for an argument of a wrong type."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        """What is wrong and what to do about it."""


class LastEvent(Protocol):
    """The fields of an event that ConnectionFailed uses."""

    @property
    def text(self) -> str:
        """What happened and what to do about it."""

    @property
    def phase(self) -> Phase:
        """The phase in which the connection ended."""

    @property
    def cause(self) -> Cause:
        """The cause."""

    @property
    def code(self) -> int:
        """The close code."""

    @property
    def http_status(self) -> int:
        """The HTTP status of the response to the opening handshake."""

    @property
    def os_error(self) -> int:
        """The operating system's error number."""

    @property
    def unsent(self) -> int:
        """Number of accepted messages that were not sent."""


class ConnectionClosed(Error):
    """A connection has ended; one that ended cleanly, if it is not a ConnectionFailed. Its fields are those of the last
    event."""

    def __init__(self, event: LastEvent) -> None:
        super().__init__(event.text)
        self.phase: Phase = event.phase
        """The phase in which the connection ended."""
        self.cause: Cause = event.cause
        """The cause."""
        self.code = event.code
        """The close code; 1006 without a close frame."""
        self.http_status = event.http_status
        """The HTTP status of the response to the opening handshake, or 0."""
        self.os_error = event.os_error
        """The operating system's error number, or 0."""
        self.unsent = event.unsent
        """Number of accepted messages that were not sent."""

    def __reduce__(self) -> Any:
        return type(self).__new__, (type(self), self.sentence), self.__dict__

    def __str__(self) -> str:
        return f"{self.sentence} (phase {self.phase.name}, code {self.code})"


class ConnectionFailed(ConnectionClosed):
    """A connection could not be opened, or did not end cleanly."""


class CallFailed(Error):
    """The library refused a call."""

    result = Result.ERR_ARG
    """The result of the call."""
    taken = 0
    """Number of messages that send_many() had sent before the one that was refused."""

    def __init__(self, sentence: str, result: Result | None = None) -> None:
        super().__init__(sentence)
        if result is not None:
            self.result = result


class ArgumentError(CallFailed, ValueError):
    """An argument is out of range."""


class HandleError(CallFailed):
    """The object was freed, or its client has left."""

    result = Result.ERR_HANDLE


class KindError(CallFailed):
    """This kind of object does not support the call."""

    result = Result.ERR_KIND


class StateError(CallFailed):
    """The state does not allow the call: messages can be sent only while it is OPEN."""

    result = Result.ERR_STATE


class QueueFull(CallFailed):
    """The message was not accepted: poll, and send it again after WRITABLE."""

    result = Result.ERR_FULL


class TooBig(CallFailed, ValueError):
    """The message is longer than max_message_bytes."""

    result = Result.ERR_TOO_BIG


class TextError(CallFailed, ValueError):
    """Text is not valid UTF-8."""

    result = Result.ERR_UTF8


class TargetError(CallFailed, LookupError):
    """The target does not exist."""

    result = Result.ERR_TARGET


class ConfigError(CallFailed, ValueError):
    """An option cannot be used; the text names it."""

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
    """This build or platform does not support the call."""

    result = Result.ERR_UNSUPPORTED


class LimitError(CallFailed):
    """No handle, file descriptor, thread or memory is left."""

    result = Result.ERR_LIMIT


class PanicError(CallFailed):
    """A bug in wspeer was caught; log_lines() has the text."""

    result = Result.ERR_PANIC


class DirectoryError(CallFailed):
    """serve(): the directory does not exist or cannot be opened."""

    result = Result.ERR_DIRECTORY


_KINDS: dict[int, type[CallFailed]] = {int(kind.result): kind for kind in CallFailed.__subclasses__()}


def check(result: int) -> int:
    """Returns a successful result; else raises the thread's last error."""
    if result >= 0:
        return result
    raise _KINDS.get(result, CallFailed)(copied(lib.ws_last_error), Result(result))


def copied(call: Callable[..., int], *arguments: object) -> str:
    """A complete text that a function of the library copies out."""
    return copied_if_any(call, *arguments) or ""


def copied_if_any(call: Callable[..., int], *arguments: object) -> str | None:
    """The same; None if there is none."""
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
    """A text argument for the library; it must not contain a NUL, which would end it."""
    if not isinstance(text, str):
        raise TypeError(f"{name} is {type(text).__name__}: give str")
    if "\0" in text:
        raise ArgumentError(f"{name} has a NUL at {text.index(chr(0))}: leave it out")
    return utf8(name, text)


def utf8(name: str, text: str) -> bytes:
    """A text message, in which a NUL is allowed."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        start = error.start
    # Raised outside of the handler: otherwise Python's own error, which contains the text, would be its context.
    raise TextError(f"{name} has a lone surrogate at {start}, which no UTF-8 can hold: leave it out")


def whole(name: str, number: object, least: int, most: int) -> int:
    """Checks that a number is whole and in range."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} is {type(number).__name__}: give int")
    if not least <= number <= most:
        raise ArgumentError(f"{name} is {number}: give {least} to {most}")
    return int(number)
