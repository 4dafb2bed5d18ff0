"""A program in a pseudo-terminal of 80 x 24, and the pictures that `make demo` draws in one."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

ENTER, LEAVE, HOME = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H"
# What a terminal has to be given back: lines that wrap, a cursor, the screen.
RESTORED = ("\x1b[?7h", "\x1b[?25h", LEAVE)


class Terminal:
    """A process that has a terminal, and what it has written there."""

    def __init__(self, command, **environment):
        self.written = b""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, dict(os.environ, TERM="xterm-256color", **environment))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    @property
    def text(self):
        return self.written.decode(errors="replace")

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read_until(self, condition, limit_s=60):
        """Reads until the condition is true of the text. Returns whether it became true before the end."""
        end = time.monotonic() + limit_s
        while not condition(self.text):
            if not self._read(end):
                return condition(self.text)
        return True

    def wait(self, limit_s=90):
        """Reads to the end of the process. Returns its exit code, or None if it did not end in time."""
        end = time.monotonic() + limit_s
        while self._read(end):
            pass
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.master)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def _read(self, end):
        ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
        try:
            part = os.read(self.master, 65536) if ready else b""
        except OSError:  # all programs of the terminal have ended
            part = b""
        self.written += part
        return bool(part)


def frames(text):
    """The pictures that were drawn, each as rows of cells (character, style)."""
    if ENTER not in text:
        return []
    drawn = text.partition(ENTER)[2].partition(LEAVE)[0]
    return [[_cells(row) for row in picture.split("\r\n")] for picture in drawn.split(HOME)[1:]]


def plain(frame):
    """A picture as lines of text."""
    return ["".join(character for character, _ in row) for row in frame]


def _cells(row):
    style = ""
    cells = []
    for escape, character in re.findall(r"\x1b\[([?0-9;]*[A-Za-z])|(.)", row):
        if escape.endswith("m"):
            style = "" if escape == "0m" else escape[:-1]
        elif character:
            cells.append((character, style))
    return cells
