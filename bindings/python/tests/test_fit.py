"""The package compared with the header and with the loaded library."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
import unittest
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import get_type_hints

from talk import LOCAL, ROOT, python

import wspeer
from wspeer import _declared, codes
from wspeer.config_args import FLAGS, ConfigArgs
from wspeer.endpoint import Connection
from wspeer.options import Options

HEADER = (ROOT / "include" / "wspeer.h").read_text(encoding="utf-8")
DEFINED = {name: int(value) for name, value in re.findall(r"^#define (WS_\w+) (-?\d+)$", HEADER, re.M)}
ENUMS = {
    "EVENT": wspeer.EventType,
    "PHASE": wspeer.Phase,
    "CAUSE": wspeer.Cause,
    "FULL": wspeer.OnFull,
    "ROLE": wspeer.Role,
    "LOG": wspeer.LogLevel,
    "FEATURE": wspeer.Feature,
    "VARIANT": wspeer.VariantType,
    "HINT": wspeer.Hint,
    "SIM": wspeer.SimPreset,
}
# Names that would begin with a digit in their enum.
RENAMED = {"4G": "MOBILE_4G"}
# Constants that Python expresses differently: bytes and str, the package version, arguments, the struct sizes that are
# checked.
INNER = {"WS_VERSION", "WS_ABI_VERSION", "WS_SERVE_ISOLATED", "WS_NO_SCENE"}
INNER |= {f"WS_{name}" for name in ("TEXT", "BINARY", "CALL", "REPLICATION", "SPAWN", "DESPAWN", "SYNC")}
STRUCTS = ("CONFIG", "STATS", "PACKET", "EVENT", "VARIANT", "CALL", "PACKET_OUT", "SIM", "REPLICATED")
INNER |= {f"WS_STRUCT_{name}" for name in STRUCTS}

FROZEN = [
    struct.size
    for struct in (_declared.PACKET, _declared.EVENT, _declared.VARIANT, _declared.CALL, _declared.PACKET_OUT)
]


def fields_of(struct: str) -> list[tuple[str, str]]:
    body = re.search(rf"typedef struct {struct} \{{(.*?)\}}", HEADER, re.S)[1]
    plain = re.sub(r"//.*", "", body)
    return [(kind.strip(), name) for kind, name in re.findall(r"([\w \*]+?)(\w+)(?:\[\d+\])?;", plain)]


class TestHeader(unittest.TestCase):
    def test_every_constant_of_the_header_has_its_name_and_number(self) -> None:
        for name, value in DEFINED.items():
            group, _, rest = name[3:].partition("_")
            with self.subTest(name):
                if group in ENUMS:
                    self.assertEqual(ENUMS[group][RENAMED.get(rest, rest)], value)
                elif group == "GET":
                    texts = {**vars(wspeer.Endpoint), **vars(Connection)}
                    self.assertIsInstance(texts[rest.lower()], property)
                elif group == "OPT":
                    option = vars(Options)[rest.lower()]
                    self.assertEqual(option.number, value)
                elif name[3:] in wspeer.Result.__members__:
                    self.assertEqual(wspeer.Result[name[3:]], value)
                elif name[3:] in wspeer.State.__members__:
                    self.assertEqual(wspeer.State[name[3:]], value)
                elif name == "WS_CUSTOM_SCENE":
                    self.assertEqual(wspeer.CUSTOM_SCENE, value)
                elif name[3:].lower() in FLAGS:
                    self.assertEqual(FLAGS[name[3:].lower()], value)
                else:
                    self.assertIn(name, INNER)
        self.assertGreater(len(DEFINED), 140)

    def test_no_name_has_a_number_that_the_header_lacks(self) -> None:
        header_names = {ours: name for name, ours in RENAMED.items()}
        for kind in vars(codes).values():
            if isinstance(kind, type) and issubclass(kind, (IntEnum, IntFlag)):
                for name, member in kind.__members__.items():
                    group = next((group for group, enum in ENUMS.items() if enum is kind), "")
                    header_name = header_names.get(name, name)
                    self.assertEqual(DEFINED[f"WS_{group}_{header_name}" if group else f"WS_{name}"], member)

    def test_every_field_of_the_config_and_the_stats_is_reachable(self) -> None:
        inner = {"struct_size", "flags", "headers_count"}
        names = {name for _, name in fields_of("ws_config") if not name.startswith("reserved")} - inner
        self.assertEqual(names | set(FLAGS), set(ConfigArgs.__annotations__))
        self.assertEqual([name for _, name in fields_of("ws_stats")][1:], list(wspeer.Stats._fields))
        self.assertEqual([name for _, name in fields_of("ws_sim")][1:], list(wspeer.Sim._fields))

    def test_structs_have_the_order_of_the_header(self) -> None:
        for struct, ours in (("ws_config", _declared.Config), ("ws_stats", _declared.Stats), ("ws_sim", _declared.Sim)):
            self.assertEqual([name for _, name in fields_of(struct)], [field[0] for field in ours._fields_])
        letters = {
            "const uint8_t *": "P",
            "size_t": "N",
            "int32_t": "i",
            "ws_handle": "I",
            "uint32_t": "I",
            "uint64_t": "Q",
        }
        packet = "".join(letters[kind] for kind, _ in fields_of("ws_packet"))
        self.assertEqual(_declared.PACKET.format, "@" + packet)
        outgoing = "".join(letters[kind] for kind, _ in fields_of("ws_packet_out"))
        self.assertEqual(_declared.PACKET_OUT.format, "@" + outgoing)
        event = "".join(
            {"reserved": "32x", "packet": packet}.get(name) or letters[kind] for kind, name in fields_of("ws_event")
        )
        self.assertEqual(_declared.EVENT.format, "@" + event)
        letters.update({"int64_t": "q", "double": "d", "const char *": "P"})
        variant = "".join({"number": "16d"}.get(name) or letters[kind] for kind, name in fields_of("ws_variant"))
        call = "".join(letters[kind] for kind, _ in fields_of("ws_call"))
        self.assertEqual((_declared.VARIANT.format, _declared.CALL.format), ("@" + variant, "@" + call))
        replicated = "".join(letters[kind] for kind, _ in fields_of("ws_replicated"))
        self.assertEqual(_declared.REPLICATED.format, "@" + replicated)

    def test_every_function_of_the_header_is_declared(self) -> None:
        declared = set(re.findall(r"^WS_API .*?(ws_\w+)\(", HEADER, re.M))
        self.assertEqual(declared, set(_declared.FUNCTIONS))

    def test_the_version_is_that_of_the_library(self) -> None:
        pyproject = (ROOT / "bindings/python/pyproject.toml").read_text()
        self.assertIn(f'version = "{wspeer.library_version()}"', pyproject)
        self.assertTrue(wspeer.features() & wspeer.Feature.TLS)


class TestLoading(unittest.TestCase):
    def refused(self, path: str) -> str:
        done = python("import wspeer", env={"WSPEER_LIBRARY": path})
        self.assertEqual(done.returncode, 1, done.stderr)
        last = done.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("ImportError: wspeer: "), last)
        return last

    def test_a_library_that_is_not_there_is_told(self) -> None:
        self.assertIn("/nowhere/libwspeer.so", self.refused("/nowhere/libwspeer.so"))

    def test_another_library_is_told(self) -> None:
        self.assertIn("another library", self.refused("libm.so.6"))

    def test_without_a_library_it_is_told_what_to_do(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(
                Path(wspeer.__file__).parent,
                Path(folder) / "wspeer",
                ignore=shutil.ignore_patterns("*wspeer.so", "__pycache__"),
            )
            done = python("import wspeer", env={"WSPEER_LIBRARY": "", "PYTHONPATH": folder}, cwd=folder)
            self.assertIn("ImportError: wspeer: ", done.stderr)
            self.assertIn("install the package with pip, or set WSPEER_LIBRARY", done.stderr)

    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_sizes_and_versions_of_another_library_are_refused(self) -> None:
        sizes = [ctypes.sizeof(_declared.Config), ctypes.sizeof(_declared.Stats), *FROZEN, ctypes.sizeof(_declared.Sim)]
        sizes.append(_declared.REPLICATED.size)
        cases = [("version 2", 2, sizes)]
        for index in range(len(sizes)):
            # Other sizes of events and packets; a config and stats with a field missing.
            cases.append(("the structs of", 1, [size - 8 * (index == at) for at, size in enumerate(sizes)]))
        cases.append(("the structs of", 1, [*sizes[:3], sizes[3] + 8, *sizes[4:]]))
        for said, version, told in cases:
            with self.subTest(said=said, told=told):
                self.assertIn(said, self.refused(str(self.fake(version, told))))

    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_a_config_that_has_grown_is_taken(self) -> None:
        grown = [ctypes.sizeof(struct) for struct in (_declared.Config, _declared.Stats, _declared.Sim)]
        sizes = [grown[0] + 16, grown[1] + 8, *FROZEN, grown[2] + 8, _declared.REPLICATED.size]
        done = python("import wspeer", env={"WSPEER_LIBRARY": str(self.fake(1, sizes))})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def fake(self, version: int, sizes: list[int]) -> Path:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        others = set(_declared.FUNCTIONS) - {"ws_abi_version", "ws_struct_size"}
        lines = [f"int {name}(void) {{ return 0; }}" for name in sorted(others)]
        lines.append(f"unsigned ws_abi_version(void) {{ return {version}; }}")
        lines.append(
            f"unsigned ws_struct_size(int n) {{ unsigned sizes[] = {{0, {', '.join(map(str, sizes))}}}; "
            "return sizes[n]; }",
        )
        (folder / "fake.c").write_text("\n".join(lines))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "fake.so", folder / "fake.c"], check=True)
        return folder / "fake.so"

    def test_unknown_numbers_of_a_newer_library_have_a_name(self) -> None:
        self.assertEqual(wspeer.EventType(99).name, "UNKNOWN_99")
        self.assertEqual(wspeer.Cause(1234), 1234)
        with self.assertRaises(ValueError):
            wspeer.Phase("tcp")


class TestOptions(unittest.TestCase):
    def test_every_option_is_read_and_set(self) -> None:
        read_only = {"port"}
        with wspeer.host(LOCAL, scene=True, auth=True) as host:
            for name, option in vars(Options).items():
                if name.startswith("_"):
                    continue
                with self.subTest(name):
                    before = getattr(host.options, name)
                    if name in read_only:
                        self.assertTrue(0 < before < 65536)
                        with self.assertRaises(AttributeError):
                            setattr(host.options, name, 1)
                        continue
                    value = {bool: not before}.get(type(before), 2 if name == "transfer_mode" else 3)
                    value = wspeer.OnFull.SKIP if name == "on_full" else 5000 if name.endswith("_ms") else value
                    setattr(host.options, name, value)
                    self.assertEqual(getattr(host.options, name), value)
                    self.assertTrue(option.__doc__)

    def test_every_config_argument_is_taken(self) -> None:
        given = {name: 12 for name, kind in get_type_hints(ConfigArgs).items() if kind is int}
        given.update(
            deflate_level=9,
            server_max_window_bits=9,
            client_max_window_bits=15,
            pong_timeout_ms=100,
            heartbeat_ms=50,
            max_header_bytes=4096,
        )
        given.update(max_message_bytes=1024)  # Room for the control channel.
        given.update(
            dict.fromkeys(set(FLAGS) - {"only_ca_pem", "godot3", "scene", "auth", "no_relay", "raw_replication"}, True),
            no_delay=False,
            on_full=wspeer.OnFull.ALL_OR_NONE,
        )
        given.update(
            headers=[("X-A", "1"), "X-B: 2"],
            subprotocols=["a", "b"],
            server_name="game.example",
            pin_sha256=":".join(["ab"] * 32),
            proxy="socks5h://user:word@127.0.0.1:1",
            node="node-1",
        )
        with wspeer.connect("ws://127.0.0.1:1", **given) as peer:
            self.assertEqual(peer.options.max_message_bytes, 1024)
            self.assertEqual(peer.options.heartbeat_ms, 50)
            self.assertIs(peer.options.no_delay, False)
            self.assertIs(peer.options.coalesce, True)
        others = {"only_ca_pem", "godot3", "scene", "auth", "no_relay", "raw_replication"}
        others |= {"ca_pem", "cert_pem", "key_pem", "trusted_proxies", "allowed_hosts", "allowed_origins"}
        self.assertEqual(
            set(given) | others,
            set(ConfigArgs.__annotations__),
        )
