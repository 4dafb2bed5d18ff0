#!/usr/bin/env python3
"""The editor loads the addon, twice over, knows its classes, and lives when it is asked to reload it under open connections."""
import sys

from engine import ROOT, Engine, check, end, project

ALL = '["WSPeer", "WSServer", "WSMultiplayerPeer"]'


def edit(folder, when):
    editor = Engine(folder, "--editor", "--quit-after", 1000)
    code = editor.finish(50)
    text = editor.text()
    check(code == 0 and not editor.faults(), f"the editor ends by itself, {when}", f"{code} {editor.faults()} {text[-600:]}")
    check(f"classes {ALL}" in text, f"it has the classes, {when}", text[-600:])
    check(text.count("status 2 ") == 2 and "after 2" in text, f"connections live on when it is asked to reload, {when}", text[-600:])


def main():
    folder = project(ROOT / "tests" / "godot" / "editor", "editor")
    # As a user has it: the editor finds the addon by itself.
    (folder / ".godot" / "extension_list.cfg").unlink()
    edit(folder, "the first time")
    edit(folder, "the second time")
    return end()


if __name__ == "__main__":
    sys.exit(main())
