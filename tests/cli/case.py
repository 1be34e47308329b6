"""What the tests of the program have in common."""
import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

OPTIONS = None

# A sanitizer's verdict must not look like an exit code of the program.
ENVIRONMENT = dict(os.environ, LC_ALL="C",
                   ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="exitcode=99",
                   LSAN_OPTIONS="exitcode=99", TSAN_OPTIONS="exitcode=99")


class Case(unittest.TestCase):
    """A test with a folder of its own, in which the program runs."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="grove-cli-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, trace):
        path = self.path(name)
        opener = gzip.open if name.endswith(".gz") else open
        with opener(path, "wt", encoding="utf-8") as file:
            file.write(trace if isinstance(trace, str) else json.dumps(trace))
        return path

    def run_program(self, *arguments, **more):
        return subprocess.run([OPTIONS.program, *arguments], cwd=self.folder,
                              env=ENVIRONMENT, capture_output=True, check=False,
                              timeout=300, **more)

    def grove(self, *arguments, code=0, says=None):
        """Runs the program; it ends with `code` and says so. Its output."""
        done = self.run_program(*arguments)
        error = done.stderr.decode()
        self.assertEqual(done.returncode, code, f"grove {' '.join(arguments)}: {error}")
        self.assertNotIn("Sanitizer", error)
        if code == 0 and says is None:
            self.assertEqual(error, "", arguments)
        elif code != 0:
            self.assertTrue(error.startswith("grove"), error)
        if says is not None:
            self.assertIn(says, error)
        return done.stdout

    def json(self, *arguments, **more):
        return json.loads(self.grove("--json", *arguments, **more))

    def helper(self, *arguments):
        return subprocess.run([OPTIONS.helper, *arguments], cwd=self.folder,
                              env=ENVIRONMENT, capture_output=True, check=True,
                              timeout=60).stdout.decode()


def main():
    """The command line of a file of tests."""
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=os.path.abspath)
    parser.add_argument("--helper", required=True, type=os.path.abspath)
    parser.add_argument("--source", required=True, type=os.path.abspath)
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(module="__main__", argv=[sys.argv[0], *rest], verbosity=2)
