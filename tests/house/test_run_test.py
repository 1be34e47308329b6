"""scripts/run-test fails, skips or passes as it should."""

import argparse
import os
import shutil
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = argparse.Namespace()

SKIPPED = 77


def run(program, test, **environment):
    """The exit status and output of run-test on one of the tests in astray.c."""
    clean = {name: value for name, value in os.environ.items()
             if not name.endswith("SAN_OPTIONS") and name != "GROVE_RUN_UNDER"}
    result = subprocess.run(
        [os.path.join(ROOT, "scripts/run-test"), program, "--filter", f"astray/{test}"],
        env={**clean, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode, result.stdout


class RunTest(unittest.TestCase):
    def expect(self, program, test, status, message, **environment):
        with self.subTest(test=test):
            found, output = run(program, test, **environment)
            self.assertEqual(found, status, output)
            self.assertIn(message, output)

    def test_a_passing_test_passes(self):
        for program in vars(PROGRAMS).values():
            self.expect(program, "passes", 0, "Passing: 1")

    def test_failures_that_criterion_counts(self):
        self.expect(PROGRAMS.plain, "fails", 1, "exited with 1")
        self.expect(PROGRAMS.plain, "crashes", 1, "exited with 1")
        self.expect(PROGRAMS.plain, "fails_in_setup", 1, "exited with 1")
        self.expect(PROGRAMS.plain, "takes_too_long", 1, "exited with 1")

    def test_failures_that_criterion_passes_over(self):
        self.expect(PROGRAMS.plain, "fails_in_teardown", 1, "outside the tests")
        self.expect(PROGRAMS.address, "leaks", 1, "detected memory leaks")
        self.expect(PROGRAMS.undefined, "overflows_in_a_child", 1, "a sanitizer reported")

    def test_sanitizers(self):
        self.expect(PROGRAMS.address, "writes_beyond_the_end", 1, "heap-buffer-overflow")
        self.expect(PROGRAMS.undefined, "overflows", 1, "runtime error")

    def test_a_run_without_a_test_fails(self):
        self.expect(PROGRAMS.plain, "no_such_test", 1, "no test ran")
        self.expect(PROGRAMS.plain, "is_disabled", 1, "no test ran")

    def test_a_run_that_says_why_it_skips_is_skipped(self):
        self.expect(PROGRAMS.plain, "skips", SKIPPED,
                    "skipped: astray::skips: there is nothing to do")

    def test_no_program_is_a_failure(self):
        self.expect("/nowhere/test", "passes", 1, "summary is missing")

    @unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
    def test_valgrind(self):
        under = {"GROVE_RUN_UNDER": "valgrind"}
        self.expect(PROGRAMS.plain, "passes", 0, "Passing: 1", **under)
        self.expect(PROGRAMS.plain, "leaks", 1, "definitely lost", **under)
        self.expect(PROGRAMS.plain, "writes_beyond_the_end", 1, "Invalid write", **under)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("plain", "address", "undefined"):
        parser.add_argument("--" + name, required=True)
    _, rest = parser.parse_known_args(namespace=PROGRAMS)
    unittest.main(argv=[sys.argv[0], *rest])
