#!/usr/bin/env python3
"""Invalid and malicious permessage-deflate on a raw socket, against both ends: checks the close code of each, the
memory and the longest poll.
Usage: attack.py PROBE_SERVER PROBE_CLIENT"""

import pathlib
import random
import re
import struct
import sys
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "probe"))

import probe
from probe import Server, answer, check, frame, request, serve

DEFLATE, OFF = 32, 0xFFFFFFFF
# The budget of 1 ms, plus half a millisecond of tolerance for the slice in progress when it is exhausted: the slowest
# machine measured took 1.25 ms.
POLL_LIMIT_US = 1500
TAIL = b"\0\0\xff\xff"
OFFER = "permessage-deflate; client_max_window_bits"
TEXT = "a text that is repeated, a text that is repeated: κόσμε".encode()


def deflated(data, level=9, mode=zlib.Z_SYNC_FLUSH, bits=15):
    engine = zlib.compressobj(level, zlib.DEFLATED, -bits)
    out = engine.compress(data) + engine.flush(mode)
    return out[:-4] if mode == zlib.Z_SYNC_FLUSH else out


def inflated(payload):
    return zlib.decompressobj(-15).decompress(payload + TAIL)


class Bits:
    """Bits in DEFLATE's order."""

    def __init__(self):
        self.value, self.count = 0, 0

    def put(self, value, count):
        self.value |= value << self.count
        self.count += count
        return self

    def bytes(self):
        return self.value.to_bytes((self.count + 7) // 8, "little")


def dynamic_blocks():
    """Blocks with their own Huffman codes and no data: 8 of them end at a byte boundary."""
    bits = Bits()
    for _ in range(8):
        bits.put(0, 1).put(2, 2).put(0, 5).put(0, 5).put(14, 4)
        for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
            bits.put(symbol in (1, 18), 3)
        bits.put(1, 1).put(138 - 11, 7).put(1, 1).put(118 - 11, 7).put(0, 1).put(0, 1).put(0, 1)
    return bits.bytes()


# A GiB of zeros in a MiB: the context is reset after each MiB, so that it can be repeated.
_MIB = zlib.compressobj(9, zlib.DEFLATED, -15)
BOMB = (_MIB.compress(bytes(1 << 20)) + _MIB.flush(zlib.Z_FULL_FLUSH)) * 1024 + b"\0"
# Each storm ends with the start of an empty block, which the tail completes.
STORMS = [
    ("200 000 empty stored blocks", b"\0\0\0\xff\xff" * 200_000 + b"\0"),
    ("45 000 empty dynamic blocks", dynamic_blocks() * 5_700 + b"\0"),
    (
        "800 000 empty fixed blocks",
        Bits().put(sum(2 << 10 * index for index in range(4)), 40).bytes() * 200_000 + b"\0",
    ),
    ("500 000 last blocks", b"\x03\0" * 500_000 + b"\0"),
]


def quick(opcode, payload, masked, fin=True, rsv=4):
    """A frame with masking key 0, which is cheap to make."""
    length = len(payload)
    bit = masked << 7
    head = bytes([fin << 7 | rsv << 4 | opcode])
    head += (
        bytes([bit | length])
        if length < 126
        else (
            bytes([bit | 126]) + struct.pack(">H", length)
            if length < 65536
            else bytes([bit | 127]) + struct.pack(">Q", length)
        )
    )
    return head + (bytes(4) if masked else b"") + payload


def fragments(opcode, payload, size, masked):
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    return b"".join(
        quick(0 if index else opcode, piece, masked, index + 1 == len(pieces), 0 if index else 4)
        for index, piece in enumerate(pieces)
    )


def memory(pid, field):
    return int(re.search(rf"{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) << 10


def reset_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


class Ends:
    """The attacker: a raw client of wspeer's server, or a raw server of its client."""

    def __init__(self, masked, **limits):
        self.masked, self.limits = masked, limits
        self.name = "server" if masked else "client"

    def run(self, act):
        """Runs act(raw) on a connection that has negotiated permessage-deflate. Returns (its result, wspeer's report,
        growth of memory in bytes)."""
        if not self.masked:
            return self.run_client(act)
        settings = [f"{name}={value}" for name, value in self.limits.items()]
        with Server(f"flags={DEFLATE}", *settings) as server:
            raw = server.request(request(Sec_WebSocket_Extensions=OFFER))
            head = raw.head()
            assert "Sec-WebSocket-Extensions: permessage-deflate" in head, head
            seen, grown = measured(server.process.pid, act, raw)
            reported = dict(part.split("=") for part in server.process.stdout.readline().split()[1:])
        return seen, reported, grown

    def run_client(self, act):
        def measure(raw):
            return measured(raw.process.pid, act, raw)

        arguments = [str(self.limits.get("max_message", 16 << 20)), str(DEFLATE), str(self.limits.get("max_ratio", 0))]
        _, (seen, grown), reported = serve(
            lambda key: answer(key, Sec_WebSocket_Extensions="permessage-deflate"), "", *arguments, act=measure
        )
        return seen, reported, grown

    def frame(self, *args, **options):
        return quick(*args, masked=self.masked, **options)


def measured(pid, act, raw):
    before = memory(pid, "VmRSS")
    reset_peak(pid)
    seen = act(raw)
    return seen, memory(pid, "VmHWM") - before


def close_code_of(data):
    def act(raw):
        raw.sock.settimeout(30)
        try:
            raw.sock.sendall(data)
        except OSError:
            pass  # answered before everything was sent
        return raw.close_code()

    return act


def echoes_of(data, count, ends):
    """The inflated echoes of what was sent, then the code of a close that we begin."""

    def act(raw):
        raw.sock.sendall(data)
        engine = zlib.decompressobj(-15)
        seen, parts, kind, compressed = [], [], 0, False
        while len(seen) < count:
            first, (fin, opcode, payload) = raw.sock_frame()
            if opcode > 2:
                seen.append((opcode, payload))
                continue
            if opcode:
                parts, kind, compressed = [], opcode, bool(first & 0x40)
            parts.append(payload)
            if fin:
                whole = b"".join(parts)
                seen.append((kind, engine.decompress(whole + TAIL) if compressed else whole))
        raw.sock.sendall(frame(8, b"\x03\xe8", masked=ends.masked))
        return seen, raw.close_code()

    return act


def sock_frame(raw):
    while not raw.data:
        raw.more()
    first = raw.data[0]
    return first, raw.frame()[:3]


probe.Raw.sock_frame = sock_frame


def expect_code(ends, name, data, wanted, grown_limit=None):
    """The close code, memory and time. A time over the limit is measured again, up to five times."""
    for attempt in range(5):
        seen, reported, grown = ends.run(close_code_of(data))
        poll_us = int(reported["poll_us"])
        if poll_us < POLL_LIMIT_US or attempt == 4:
            break
    # An end that has sent its close code drops data in transit, which may lead to a reset.
    code = int(str(seen).split(",")[0]) if str(seen)[0].isdigit() else seen
    check(
        f"{ends.name}: {name}: {wanted}", code == wanted and reported["code"] in (str(wanted), "1006"), (seen, reported)
    )
    check(f"{ends.name}: {name}: no poll over {POLL_LIMIT_US} us", poll_us < POLL_LIMIT_US, poll_us)
    if grown_limit is not None:
        check(f"{ends.name}: {name}: at most {grown_limit >> 20} MiB of memory", grown < grown_limit, grown)
        print(f"figure: {ends.name}: {name}: {grown >> 10} KiB at most, longest poll {poll_us} us CPU", flush=True)


def expect_echoes(ends, name, data, wanted):
    for attempt in range(5):
        (seen, code), reported, _ = ends.run(echoes_of(data, len(wanted), ends))
        poll_us = int(reported["poll_us"])
        if poll_us < POLL_LIMIT_US or attempt == 4:
            break
    check(f"{ends.name}: {name}", seen == wanted and code == 1000, (str(seen)[:200], code, reported))
    check(f"{ends.name}: {name}: no poll over {POLL_LIMIT_US} us", poll_us < POLL_LIMIT_US, poll_us)
    return poll_us


def bombs(masked):
    for kind, data in [
        ("one frame", quick(2, BOMB, masked)),
        ("fragments of 1000 B", fragments(2, BOMB, 1000, masked)),
        ("text", quick(1, BOMB, masked)),
    ]:
        expect_code(Ends(masked), f"a GiB of zeros, {kind}", data, 1008, 12 << 20)
        expect_code(Ends(masked, max_ratio=OFF), f"a GiB of zeros, {kind}, any ratio", data, 1009, 48 << 20)
    ends = Ends(masked)
    expect_echoes(ends, "a MiB of zeros is no bomb", ends.frame(2, deflated(bytes(1 << 20))), [(2, bytes(1 << 20))])
    for name, payload in STORMS:
        poll_us = expect_echoes(
            ends, name, ends.frame(1, payload) + fragments(1, deflated(TEXT), 7, masked), [(1, b""), (1, TEXT)]
        )
        print(f"figure: {ends.name}: {name}: longest poll {poll_us} us CPU", flush=True)
    many = b"".join(ends.frame(2, deflated(bytes([index % 256]) * 50, 1)) for index in range(2_000))
    expect_echoes(ends, "2 000 messages in one write", many, [(2, bytes([index % 256]) * 50) for index in range(2_000)])


def broken(masked):
    ends = Ends(masked)
    whole = deflated(TEXT * 3)
    wrong = []
    for cut in range(1, len(whole)):
        seen, reported, _ = ends.run(close_code_of(ends.frame(1, whole[:cut])))
        if (seen, reported["cause"]) != (1007, "55") and (seen, reported["cause"]) != (1007, "51"):
            wrong.append((cut, seen, reported["cause"]))
    check(f"{ends.name}: a message truncated at any of {len(whole) - 1} places: 1007", not wrong, wrong)
    for name, payload in [
        ("a reserved block type", b"\x07\0"),
        ("a stored block with a wrong length", b"\0\x05\0\xfa\xfe"),
        ("a distance before the start", Bits().put(3, 3).put(0b1000000, 7).put(0, 5).bytes()),
        ("a reserved length code", b"\x1b\x1b\x1b\x1b"),
    ]:
        expect_code(ends, name, ends.frame(2, payload), 1007)
    generator = random.Random(7692)
    for size in (10, 100, 1_000, 100_000):
        garbage = bytes([0xFF]) + generator.randbytes(size)
        expect_code(ends, f"{size} B of garbage", ends.frame(2, garbage), 1007)
    flipped = bytearray(deflated(generator.randbytes(50_000).hex().encode()))
    flipped[len(flipped) // 2] ^= 0x55
    seen, reported, _ = ends.run(echo_or_code(ends, bytes(flipped)))
    check(
        f"{ends.name}: a flipped byte leads to 1007 or another text, nothing else",
        seen in (1007, "echo"),
        (seen, reported),
    )
    for name, data in [
        ("RSV1 on a continuation", ends.frame(1, whole[:5], fin=False) + ends.frame(0, whole[5:])),
        ("RSV1 on a first continuation", ends.frame(0, whole)),
        ("RSV1 on a ping", ends.frame(9, b"x")),
        ("RSV1 on a close", ends.frame(8, b"\x03\xe8")),
        ("RSV1 and RSV2", ends.frame(1, whole, rsv=6)),
    ]:
        expect_code(ends, name, data, 1002)
    bad = "ab\xe9".encode("latin-1")
    for name, data in [
        ("text that is not UTF-8", ends.frame(1, deflated(TEXT * 1_000 + bad))),
        ("text that is not UTF-8, in fragments", fragments(1, deflated(b"\xff" + TEXT * 100), 3, masked)),
        ("text that ends in a character", ends.frame(1, deflated("é".encode()[:1]))),
    ]:
        expect_code(ends, name, data, 1007)
    small = Ends(masked, max_message=100_000)
    long = generator.randbytes(60_000).hex().encode()
    expect_code(small, "120 000 B with max_message_bytes 100 000", small.frame(1, deflated(long)), 1009, 16 << 20)
    expect_code(small, "the same in fragments", fragments(1, deflated(long), 999, masked), 1009)
    expect_echoes(
        small,
        "100 000 B with max_message_bytes 100 000",
        small.frame(1, deflated(long[:100_000])),
        [(1, long[:100_000])],
    )
    expect_code(small, "a frame that claims 2 MiB", frame(1, b"x", rsv=4, masked=masked, length=2 << 20), 1009)
    strict = Ends(masked, max_ratio=10)
    expect_code(strict, "2 MiB at 1:1000 with max_inflate_ratio 10", strict.frame(2, deflated(bytes(2 << 20))), 1008)
    hard = generator.randbytes(1 << 20).hex().encode()
    expect_echoes(strict, "2 MiB at 1:2 with max_inflate_ratio 10", strict.frame(1, deflated(hard, 1)), [(1, hard)])


def echo_or_code(ends, payload):
    def act(raw):
        raw.sock.sendall(ends.frame(1, payload))
        _, (_, opcode, reply) = raw.sock_frame()
        if opcode == 8:
            raw.data = quick(8, reply, False, rsv=0) + raw.data
            return raw.close_code()
        raw.sock.sendall(frame(8, b"\x03\xe8", masked=ends.masked))
        raw.close_code()
        return "echo"

    return act


def legal(masked):
    ends = Ends(masked)
    f = ends.frame
    text = deflated(TEXT)
    plain = frame(1, b"plain", masked=masked)
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    shared = [(engine.compress(TEXT) + engine.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(3)]
    finished = deflated(TEXT, mode=zlib.Z_FINISH)
    for name, data, wanted in [
        (
            "messages that share a context, one without compression between",
            f(1, shared[0]) + plain + f(1, shared[1]) + f(1, shared[2]),
            [(1, TEXT), (1, b"plain"), (1, TEXT), (1, TEXT)],
        ),
        ("a block marked as the last", f(1, finished + b"\0") + f(1, text), [(1, TEXT), (1, TEXT)]),
        ("the same without an empty block behind it", f(1, finished) + f(1, text), [(1, TEXT), (1, TEXT)]),
        ("last blocks one behind the other", f(1, finished * 3 + b"\0") + f(1, text), [(1, TEXT * 3), (1, TEXT)]),
        (
            "RSV1 on an empty frame, then a message of the same context",
            f(1, shared[0]) + f(2, b"") + f(1, shared[1]),
            [(1, TEXT), (2, b""), (1, TEXT)],
        ),
        ("an empty message as section 7.2.3.6 has it", f(2, b"\0") + f(1, text), [(2, b""), (1, TEXT)]),
        ("a message without compression blocks", f(2, deflated(TEXT, 0)), [(2, TEXT)]),
        (
            "single bytes and empty fragments",
            b"".join(
                [f(1, text[:1], fin=False)]
                + [
                    frame(0, bytes([byte]), fin=False, masked=masked) + frame(0, b"", fin=False, masked=masked)
                    for byte in text[1:]
                ]
            )
            + frame(0, b"", masked=masked),
            [(1, TEXT)],
        ),
        ("the first fragment empty", f(1, b"", fin=False) + frame(0, text, masked=masked), [(1, TEXT)]),
        (
            "a ping between compressed fragments",
            f(1, text[:9], fin=False) + frame(9, b"p1", masked=masked) + frame(0, text[9:], masked=masked),
            [(10, b"p1"), (1, TEXT)],
        ),
    ]:
        expect_echoes(ends, name, data, wanted)
    expect_code(
        ends,
        "a close between compressed fragments",
        f(1, text[:9], fin=False) + frame(8, b"\x0f\xa0", masked=masked),
        4000,
    )
    expect_code(
        Ends(masked), "a new message between compressed fragments", f(1, text[:9], fin=False) + f(1, text), 1002
    )


def without_agreement():
    data = quick(1, deflated(TEXT), True)
    with Server() as server:
        raw = server.request(request(Sec_WebSocket_Extensions=OFFER))
        head = raw.head()
        raw.sock.sendall(data)
        check("server: RSV1 without the extension: 1002", "Extensions" not in head and raw.close_code() == 1002, head)
    _, seen, _ = serve(answer, "", "0", str(DEFLATE), act=close_code_of(quick(1, deflated(TEXT), False)))
    check("client: RSV1 although the server declined the extension: 1002", seen == 1002, seen)


def offers():
    declined = [
        "permessage-deflate; unknown",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; server_no_context_takeover=yes",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "x-webkit-deflate-frame",
        "permessage-bzip2",
        "permessage-deflate;",
        ", ,",
        "\"permessage-deflate\"",
        "permessage-deflate; server_max_window_bits=\"12",
    ]
    with Server(f"flags={DEFLATE}") as server:
        for offer in declined:
            raw = server.request(request(Sec_WebSocket_Extensions=offer))
            head = raw.head()
            check(f"server: declines {offer!r}", head.startswith("HTTP/1.1 101 ") and "Extensions" not in head, head)
        for offer, wanted in [
            (
                "permessage-deflate; nonsense, permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=10",
            ),
            ("foo; bar=\"a, b; permessage-deflate\", permessage-deflate", "permessage-deflate"),
            (
                "permessage-deflate;server_max_window_bits=\"11\" ; client_no_context_takeover",
                "permessage-deflate; client_no_context_takeover; server_max_window_bits=11",
            ),
            ("permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8"),
        ]:
            head = server.request(request(Sec_WebSocket_Extensions=offer)).head()
            check(
                f"server: {offer!r} is answered with {wanted!r}",
                f"Sec-WebSocket-Extensions: {wanted}\r\n" in head + "\r\n",
                head,
            )


def answers():
    for chosen in [
        "permessage-deflate; unknown",
        "permessage-deflate, permessage-deflate",
        "permessage-bzip2",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=08",
    ]:
        _, _, reported = serve(lambda key: answer(key, Sec_WebSocket_Extensions=chosen), "", "0", str(DEFLATE))
        check(
            f"client: fails at {chosen!r} with an error message",
            (reported["phase"], reported["cause"]) == ("5", "41") and "server" in reported["sentence"],
            reported,
        )
    # The client requested no context takeover.
    _, _, reported = serve(
        lambda key: answer(key, Sec_WebSocket_Extensions="permessage-deflate"), "", "0", str(DEFLATE | 64)
    )
    check(
        "client: fails where server_no_context_takeover was not granted",
        reported["cause"] == "41" and "server_no_context_takeover" in reported["sentence"],
        reported,
    )
    two = lambda key: answer(key, Sec_WebSocket_Extensions="permessage-deflate").replace(
        b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    _, _, reported = serve(two, "", "0", str(DEFLATE))
    check("client: fails at two headers", reported["cause"] == "41", reported)


def eight_bits():
    """The smallest window: our compressor cannot keep to it and is not used; the decompressor accepts it."""
    long = TEXT * 20
    for masked, offer in [
        (True, "permessage-deflate; server_max_window_bits=8"),
        (False, "permessage-deflate; client_max_window_bits=8"),
    ]:
        ends = Ends(masked)

        def act(raw):
            raw.sock.sendall(ends.frame(1, deflated(long, bits=9)))
            first, (_, opcode, payload) = raw.sock_frame()
            raw.sock.sendall(frame(8, b"\x03\xe8", masked=masked))
            return first & 0x40, opcode, payload, raw.close_code()

        if masked:
            with Server(f"flags={DEFLATE}") as server:
                raw = server.request(request(Sec_WebSocket_Extensions=offer))
                raw.head()
                seen = act(raw)
        else:
            _, seen, reported = serve(
                lambda key: answer(key, Sec_WebSocket_Extensions=offer), "", "0", str(DEFLATE), act=act
            )
            check("client: a window of 8 bits is reported", reported["client_max_window_bits"] == "8", reported)
        check(f"{ends.name}: with an 8-bit window it does not compress", seen == (0, 1, long, 1000), seen)
    other = "permessage-deflate; server_max_window_bits=8; client_max_window_bits=9"
    ends = Ends(False)
    echo = echoes_of(ends.frame(1, deflated(TEXT, bits=9)) * 2, 2, ends)
    _, seen, _ = serve(lambda key: answer(key, Sec_WebSocket_Extensions=other), "", "0", str(DEFLATE), act=echo)
    check("client: it inflates with an 8-bit server window", seen == ([(1, TEXT)] * 2, 1000), seen)


began = time.monotonic()
for role in (True, False):
    bombs(role)
    broken(role)
    legal(role)
without_agreement()
offers()
answers()
eight_bits()
print(f"figure: deflate attacks: {time.monotonic() - began:.1f} s")
sys.exit(probe.failures > 0)
