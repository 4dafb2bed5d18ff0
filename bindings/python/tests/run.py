"""Runs the tests of the Python package in this interpreter and prints "ok - what" or "not ok - what". Usage: run.py
[MODULE ...]"""

from __future__ import annotations

import faulthandler
import sys
import traceback
import unittest
from pathlib import Path

HERE = Path(__file__).parent
VERSION = f"python {sys.version_info[0]}.{sys.version_info[1]}"


class Printed(unittest.TestResult):
    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        faulthandler.dump_traceback_later(60, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.say("ok", test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        print(f"SKIP: {self.name(test)}: {reason}", flush=True)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)
        self.say("not ok", test, err)

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)
        self.say("not ok", test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.say("not ok", subtest, err)

    def say(self, word: str, test: unittest.TestCase, err: object = None) -> None:
        print(f"{word} - {VERSION}: {self.name(test)}", flush=True)
        if err is not None:
            print(
                "".join(f"# {line}" for line in "".join(traceback.format_exception(*err)).splitlines(True)),
                flush=True,
            )

    def name(self, test: unittest.TestCase) -> str:
        return str(test).split()[0].replace("test_", "").replace("_", " ")


def main() -> int:
    sys.path.insert(0, str(HERE))
    wanted = sys.argv[1:] or sorted(path.stem for path in HERE.glob("test_*.py"))
    result = Printed()
    unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromName(name) for name in wanted).run(result)
    return 0 if result.wasSuccessful() and result.testsRun else 1


sys.exit(main())
