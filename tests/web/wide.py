#!/usr/bin/env python3
"""The web build with 64-bit pointers (-m64), which Emscripten 3.1.6 does not support: WEB_TOOLS=sid. Usage: wide.py"""
import sys

import every
import run
from run import WEB, build_native, in_browser, say, started

WIDE = ["-O1", "-m64", run.GROWS]


def main():
    build_native("examples-c/echo_server.c", "echo_server")
    build_native("tests/web/scene.c", "scene")
    build_native("tests/web/scene_host.c", "scene_host")
    with (
        started([str(WEB / "echo_server"), "0"], "Listening on ") as echo,
        started(["node", "tests/web/server.js"], "") as port,
    ):
        if run.build("tests/web/browser.c", "browser64", *WIDE):
            code, said = in_browser(
                "browser64",
                f"ws://127.0.0.1:{echo.rsplit(':', 1)[1].rstrip('/')}/",
                f"ws://127.0.0.1:{port}/",
                "ws://127.0.0.1:9/",
            )
            lines = said.splitlines()
            wrong = [line for line in lines if not line.startswith("ok - ")]
            say(
                code == 0 and not wrong and len(lines) > 60,
                f"wasm64: {len(lines)} checks",
                f"ended with {code}\n" + "\n".join(wrong),
            )
    if run.build("tests/web/scene.c", "scene64", *WIDE):
        run.same("wasm64: values and calls", "scene", "scene64", "values")
        with started([str(WEB / "scene_host")], "ws://") as host:
            run.same("wasm64: the bytes of a join in a scene", "scene", "scene64", "wire", f"ws://{host}")
    functions = every.write()
    if run.build(str(every.SOURCE), "every64", *WIDE):
        every.calls_all("wasm64", functions, *in_browser("every64", "ws://127.0.0.1:9/"))
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
