#!/usr/bin/env python3
"""Calls every function of the header, natively and in a browser: it exists, and returns WS_ERR_UNSUPPORTED with an
error message exactly if ws_get_features() lacks what it needs. The program is generated from the header, so it includes
new functions automatically. Usage: every.py"""
import re
import shutil
import sys

import run
from run import ROOT, WEB, build_native, in_browser, say

sys.path.append(str(ROOT / "tests" / "abi"))
import guard  # noqa: E402

SOURCE = WEB / "every.c"
# Requirements of a function; all others work in every build.
NEEDS = {
    "SERVER": "ws_listen ws_host ws_join_local ws_set_certificate ws_make_certificate ws_serve ws_accept ws_reply ws_drain "
    "ws_subscribe ws_unsubscribe ws_publish ws_publish_latest ws_get_topics",
    "PAIR": "ws_pair ws_attach ws_feed ws_take_output ws_advance_time",
    "WAIT": "ws_wait",
    "HEADERS": "ws_get_header ws_set_header",
    "SCENE": "ws_declare_node ws_send_auth ws_complete_auth ws_encode_call ws_decode_call ws_encode_variant ws_decode_variant "
    "ws_declare_scene ws_declare_synchronizer ws_spawn ws_despawn ws_sync ws_set_visible ws_decode_replication",
}
# These functions end the objects that the others are called with.
LAST = ["ws_close", "ws_free", "ws_free_owner", "ws_shutdown"]
PROGRAM = """
#include "wspeer.h"

#include <stdio.h>
#include <string.h>

static ws_handle h;
static ws_config config;
static uint64_t room[8][64];
static int failures;

static void judge(const char *name, uint32_t needed, ws_result result) {
  char why[512] = "";
  ws_last_error(why, sizeof why, NULL);
  int lacking = needed && !(ws_get_features() & needed), unsupported = result == WS_ERR_UNSUPPORTED;
  int good = lacking == unsupported && (!unsupported || (strlen(why) > 40 && strstr(why, "browser")));
  failures += !good;
  printf("%s - %s: %s %s\\n", good ? "ok" : "not ok", name, ws_result_name(result), unsupported ? why : "");
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  ws_config_init(&config, sizeof config);
  ws_connect(argv[1], &config, &h);
CALLS
  return failures ? 1 : 0;
}
"""


def argument(declared, place):
    """A value that the call can use, by type and name."""
    name = re.findall(r"\w+", declared)[-1]
    if "ws_config" in declared:
        return "&config"
    if "*const *" in declared:
        return '(const char *const[]){"X-Test: 1"}'
    if re.search(r"const char \*|const ws_handle \*", declared):
        return "&h" if "ws_handle" in declared else '"ws://127.0.0.1:0"'
    if "*" in declared:
        return f"(void *)room[{place}]"
    if "ws_handle" in declared:
        return "h"
    return {"size": "sizeof config", "option": "WS_OPT_CLOSE_TIMEOUT_MS"}.get(name, "1")


def program(functions):
    needed = {name: feature for feature, names in NEEDS.items() for name in names.split()}
    unknown = set(needed) - set(functions)
    assert not unknown, f"no longer in the header: {unknown}"
    calls = []
    for name in sorted(functions, key=lambda name: LAST.index(name) if name in LAST else -1):
        result, declared = re.match(rf"WS_API (.*?){name}\((.*)\)$", functions[name]).groups()
        arguments = [
            argument(one.strip(), place) for place, one in enumerate(declared.split(",")) if one.strip() != "void"
        ]
        call = f"({name})({', '.join(arguments)})"
        feature = f"WS_FEATURE_{needed[name]}" if name in needed else "0"
        if result.strip() in ("ws_result", "int32_t"):
            calls.append(f'  ws_poll(0);\n  judge("{name}", {feature}, {call});')
        else:
            calls.append(f'  {call};\n  printf("ok - {name} returns\\n");')
    return PROGRAM.replace("CALLS", "\n".join(calls))


def calls_all(what, functions, code, said):
    lines = [line for line in said.splitlines() if line.startswith("ok - ")]
    unsupported = sum("WS_ERR_UNSUPPORTED" in line for line in lines)
    say(
        code == 0 and len(lines) == len(functions),
        f"{what}: {len(lines)} functions of the header answer, {unsupported} of them WS_ERR_UNSUPPORTED with an error message",
        f"ended with {code}\n{said}",
    )


def missing_one():
    """Proves that a missing function is detected."""
    spoilt = WEB / "spoilt"
    shutil.rmtree(spoilt, ignore_errors=True)
    shutil.copytree(ROOT / "bindings" / "web", spoilt)
    for file in spoilt.glob("*.js"):
        file.write_text(re.sub(r"\bws_flush: ", "ws_flushed: ", file.read_text()))
    code, said = run.run(["env", f"WEB_LIBRARY={spoilt}", "tests/web/build", str(SOURCE), str(WEB / "every_spoilt.js")])
    say(code != 0 and "undefined symbol: ws_flush" in said, "a library without ws_flush does not link", said)


def write():
    """The program, and the functions of the header."""
    functions = guard.interface(ROOT / "include" / "wspeer.h")["functions"]
    SOURCE.write_text(program(functions))
    return functions


def main():
    functions = write()
    build_native(str(SOURCE), "every")
    calls_all("natively", functions, *run.run([str(WEB / "every"), "ws://127.0.0.1:9/"]))
    if run.build(str(SOURCE), "every"):
        calls_all("in the browser", functions, *in_browser("every", "ws://127.0.0.1:9/"))
    missing_one()
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
