#!/usr/bin/env python3
"""The editor loads the addon twice, knows its classes, and survives a reload under open connections."""
import sys

from engine import ROOT, Engine, check, end, figure, project

ALL = '["WSPeer", "WSClient", "WSServer", "WSMultiplayerPeer"]'


def edit(folder, when, codes):
    editor = Engine(folder, "--editor", "--quit-after", 1000)
    code = editor.finish(50)
    text = editor.text()
    check(
        code in codes and not editor.faults(),
        f"the editor ends by itself, {when}",
        f"{code} {editor.faults()} {text[-600:]}",
    )
    figure(f"the editor ended with {code}, {when}")
    check(f"classes {ALL}" in text, f"it has the classes, {when}", text[-600:])
    check(
        text.count("status 2 ") == 2 and "after 2" in text, f"connections survive a reload request, {when}", text[-600:]
    )


def main():
    folder = project(ROOT / "tests" / "godot" / "editor", "editor")
    # As for a user: the editor finds the addon by itself.
    (folder / ".godot" / "extension_list.cfg").unlink()
    # Godot 4.6.3 often aborts at the end of the run in which it first finds an extension, whichever it is.
    edit(folder, "the first time", (0, -6))
    edit(folder, "the second time", (0,))
    return end()


if __name__ == "__main__":
    sys.exit(main())
