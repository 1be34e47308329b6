"""Each check sees a breach that is planted in a copy of the project."""

import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

from check import CHECKS
from tree import LEFT_OUT, Tree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

LONG_FUNCTION = "int f(void);\nint f(void)\n{\n" + "    (void)0;\n" * 69 + "}\n"
FULL_FUNCTION = "int f(void);\nint f(void)\n{\n" + "    (void)0;\n" * 68 + "}\n"

# Check, file, text that is added to it (a new file is made), part of the message.
BREACHES = [
    ("includes", "src/format/x.c", '#include "graph/x.h"\n', "no such file"),
    ("includes", "src/kv/x.c", '#include "format/block.h"\n', "lies beside src/kv"),
    ("includes", "src/base/x.c", '#include "kv/kv.h"\n', "lies above src/base"),
    ("includes", "src/base/x.c", '#include "alloc.h"\n', "no such file"),
    ("includes", "src/newroom/x.c", "", "missing from src/FLOORS"),
    ("includes", "src/graph/x.c", "#include <lmdb.h>\n", "does not let src/graph"),
    ("includes", "src/graph/x.c", "#include <unistd.h>\n", "does not let src/graph"),
    ("includes", "src/graph/x.c", "#include <grove/nothing.h>\n", "no such public header"),
    ("includes", "backends/lmdb/x.c", '#include "base/alloc.h"\n', "its own only"),
    ("includes", "backends/memory/x.c", "#include <lmdb.h>\n", "does not let"),
    ("includes", "cli/x.c", '#include "base/alloc.h"\n', "its own only"),
    ("includes", "examples/x.c", '#include "base/alloc.h"\n', "its own only"),
    ("includes", "include/grove/x.h", "#include <zstd.h>\n", "does not let include"),
    ("cycles", "src/base/checked.h", '#include "base/alloc.h"\n#include "base/checked.h"\n',
     "a cycle of modules"),
    ("dead-headers", "src/base/x.h", "", "no file includes"),
    ("functions", "src/base/x.c", LONG_FUNCTION, "f has 71 lines"),
    ("functions", "src/base/x.c", FULL_FUNCTION, None),
    ("files", "src/base/x.c", "/* */\n" * 701, "701 lines"),
    ("files", "src/base/x.c", "/* */\n" * 700, None),
    ("files", "docs/x.md", "x" * (256 * 1024 + 1), "bytes"),
    ("columns", "src/base/x.c", "int " + "x" * 86 + ";\n", "91 columns"),
    ("columns", "src/base/x.c", "int " + "x" * 85 + ";\n", None),
    ("columns", "src/base/x.c", "/* " + "x" * 75 + " */\n", "a comment of 81 columns"),
    ("columns", "src/base/x.c", "/* " + "x" * 74 + " */\n", None),
    ("columns", "scripts/x", "#!/bin/sh\n# " + "x" * 99 + "\n", "101 columns"),
    ("whitespace", "src/base/x.c", "int x; \n", "blanks"),
    ("whitespace", "src/base/x.c", "\tint x;\n", "a tab"),
    ("whitespace", "src/base/x.c", "int x;", "no line end"),
    ("restricted", "src/base/x.c", 'void f(void) { (void)printf("x"); }\n', "prints nothing"),
    ("restricted", "src/base/x.c", "/* printf(x) */ const char *f = \"malloc(1)\";\n", None),
    ("restricted", "src/base/x.c", "void f(void) { x = malloc(1); }\n", "base/alloc.h"),
    ("restricted", "src/base/x.c", "void f(void) { table->free(x); }\n", None),
    ("restricted", "backends/lmdb/x.c", "void f(void) { free(x); }\n", "base/alloc.h"),
    ("restricted", "src/graph/x.c", "int f(void) { return rand(); }\n", "randomness"),
    ("restricted", "src/graph/x.c", "void f(void) { t = time(NULL); }\n", "the time"),
    ("restricted", "src/store/x.c", 'void f(void) { x = getenv("X"); }\n', "hidden inputs"),
    ("restricted", "src/store/x.c", "void f(void) { abort(); }\n", "ends the process"),
    ("restricted", "src/store/x.c", "void f(void) { pthread_create(a, b); }\n", "no threads"),
    ("restricted", "cli/x.c", "void f(void) { strcpy(a, b); }\n", "unbounded"),
    ("exits", "tests/base/test_x.c",
     "#include <criterion/criterion.h>\nTest(a, b) { exit(0); }\n", "counts as passed"),
    ("exits", "tests/base/test_x.c",
     "#include <criterion/criterion.h>\nTest(a, b) { _exit(0); }\n", None),
    ("nobody", "src/base/x.c", "/* TO" "DO: more */\n", "unfinished"),
    ("nobody", "docs/x.md", "This is not implement" "ed.\n", "unfinished"),
    ("nobody", "src/base/x.h", "#pragma on" "ce\n", "include guards"),
    ("nobody", "scripts/x", "cd /ro" "ot/grove\n", "one machine"),
    ("nobody", "docs/x.md", "from pypi" ".org\n", "registry"),
    ("nobody", "docs/x.md", "from crates" ".io\n", "registry"),
    ("nobody", "x/Cargo.lock", 'source = "registry+https://x/crates.io-index"\n', None),
    ("jumps", "src/base/x.c", "void f(void)\n{\n    goto end;\nend:\n    return;\n}\n",
     "only label"),
    ("jumps", "src/base/x.c", "void f(void)\n{\nout:\n    goto out;\n}\n", "backwards"),
    ("jumps", "src/base/x.c", "void f(void)\n{\n    goto out;\nout:\n    return;\n}\n", None),
    ("jumps", "src/base/x.h", "#define TRY(x) \\\n    if (x) return 1\n", "macro"),
    ("guards", "src/base/x.h", "typedef int x;\n", "..._X_H"),
    ("guards", "src/base/x.h", "#ifndef GROVE_Y_H\n#define GROVE_Y_H\n#endif\n", "..._X_H"),
    ("guards", "src/base/x.h", "#ifndef GROVE_X_H\n#define GROVE_X_H\n#endif\n", None),
    ("guards", "tests/x/alloc.h",
     "#ifndef GROVE_BASE_ALLOC_H\n#define GROVE_BASE_ALLOC_H\n#endif\n", "guards"),
    ("static-names", "src/base/x.c", "static int grove__f(void)\n{\n}\n", "no prefix"),
    ("static-names", "src/base/x.h", "static inline int f(void)\n{\n}\n", "begin it with"),
    ("static-names", "include/grove/x.h", "static inline int f(void)\n{\n}\n", "begin it with"),
    ("statuses", "include/grove/status.h", "    GROVE_NEVER = 99\n", "provokes GROVE_NEVER"),
    ("tested", "include/grove/x.h", "GROVE_API int grove_never(void);\n", "calls grove_never"),
    ("mirrors", "src/base/x.c", "", "tests/base/test_x.c"),
    ("mirrors", "tests/graph/test_walk.c", "", "no exception needed"),
    ("comments", "include/grove/x.h", "GROVE_API int grove_bare(void);\n", "no comment"),
    ("comments", "include/grove/x.h", "/* Says. */\nGROVE_API int grove_a(void);\n"
     "GROVE_API int grove_b(void);\n", None),
    ("comments", "include/grove/x.h", "/* Says. */\nGROVE_API int grove_a(void);\n\n"
     "GROVE_API int grove_b(void);\n", "grove_b: no comment"),
    ("limits", "include/grove/limits.h", "#define GROVE_NEW_MAX 7\n", "is not in docs"),
    ("limits", "docs/LIMITS.md", "| `GROVE_GONE_MAX` | 1 | why |\n", "there is no"),
    ("changelog", "CHANGELOG.md", "## 9.9.9\n\nNothing.\n", "no section Stored format"),
    ("links", "docs/x.md", "See [it](nowhere.md).\n", "no such file: nowhere.md"),
    ("links", "docs/x.md", "See `src/nowhere/file.c`.\n", "no such file"),
]


def _arguments(**built):
    return types.SimpleNamespace(cc="cc", cxx="c++", **built)


class Breaches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="grove-house.")
        cls.root = os.path.join(cls.folder.name, "grove")
        shutil.copytree(ROOT, cls.root, symlinks=True,
                        ignore=lambda _, names: LEFT_OUT & set(names))
        cls.before = {}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def plant(self, path, text):
        """Adds `text` to the copy's file; the test's end takes it out again."""
        full = os.path.join(self.root, path)
        made = None
        folder = os.path.dirname(full)
        while not os.path.exists(folder):
            made, folder = folder, os.path.dirname(folder)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        before = None
        if os.path.exists(full):
            with open(full, encoding="utf-8") as stream:
                before = stream.read()
        with open(full, "w", encoding="utf-8") as stream:
            stream.write((before or "") + text)

        def restore():
            if made:
                shutil.rmtree(made)
            elif before is None:
                os.remove(full)
            else:
                with open(full, "w", encoding="utf-8") as stream:
                    stream.write(before)

        self.addCleanup(restore)

    def new_findings(self, check, path, text):
        arguments = _arguments()
        if check not in self.before:
            self.before[check] = set(CHECKS[check](Tree(self.root), arguments))
        self.plant(path, text)
        after = set(CHECKS[check](Tree(self.root), arguments))
        self.doCleanups()
        return [str(finding) for finding in after - self.before[check]]

    def test_every_breach_is_reported_and_nothing_else_is(self):
        for check, path, text, message in BREACHES:
            with self.subTest(check=check, path=path, text=text[:60]):
                found = self.new_findings(check, path, text)
                if message is None:
                    self.assertEqual(found, [])
                else:
                    self.assertTrue(
                        any(message in finding for finding in found), f"found {found}")

    def test_every_check_has_a_breach(self):
        built = {"headers", "exports", "symbols", "globals"}
        self.assertEqual(set(CHECKS) - built, {row[0] for row in BREACHES} - built)

    def test_a_cycle_between_modules_is_reported(self):
        self.plant("src/graph/one.h", "")
        self.plant("src/graph/one.c", '#include "graph/two.h"\n')
        self.plant("src/graph/two.h", "")
        self.plant("src/graph/two.c", '#include "graph/one.h"\n')
        found = [finding.path for finding in CHECKS["cycles"](Tree(self.root), None)]
        self.assertEqual(found, ["src/graph/one.c", "src/graph/two.c"])

    def test_an_exception_that_is_not_needed_is_reported(self):
        self.plant("src/base/assert.c", "")
        with open(os.path.join(self.root, "src/base/assert.c"), "w") as stream:
            stream.write("\n")
        found = [str(finding) for finding in CHECKS["restricted"](Tree(self.root), None)]
        self.assertTrue(any("no longer needs" in finding for finding in found), found)


class Built(unittest.TestCase):
    """Checks of libraries, on small ones with a breach each."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="grove-house.")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.makedirs(os.path.join(self.folder, "include/grove"))
        with open(os.path.join(self.folder, "include/grove/x.h"), "w") as stream:
            stream.write("GROVE_API int grove_x(void);\nGROVE_API int grove_absent(void);\n")

    def build(self, source):
        def path(name):
            return os.path.join(self.folder, name)

        with open(path("x.c"), "w") as stream:
            stream.write(source)
        subprocess.run(["cc", "-fPIC", "-c", path("x.c"), "-o", path("x.o")], check=True)
        subprocess.run(["cc", "-shared", path("x.o"), "-o", path("x.so")], check=True)
        subprocess.run(["ar", "rc", path("x.a"), path("x.o")], check=True)
        return _arguments(shared=path("x.so"), static=path("x.a"))

    def messages(self, check, source):
        built = self.build(source)
        return [finding.message for finding in CHECKS[check](Tree(self.folder), built)]

    def header_findings(self, text):
        with open(os.path.join(self.folder, "include/grove/x.h"), "w") as stream:
            stream.write(f"#ifndef GROVE_X_H\n#define GROVE_X_H\n{text}\n#endif\n")
        return [finding.message for finding in CHECKS["headers"](Tree(self.folder), _arguments())]

    def test_headers(self):
        self.assertEqual(self.header_findings("struct x { int y; };"), [])
        found = self.header_findings("extern uint8_t x;")
        self.assertEqual([message[:27] for message in found],
                         ["as c11 does not stand alone", "as c++11 does not stand alo",
                          "as c++20 does not stand alo"])
        found = self.header_findings("struct x { int class; };")
        self.assertEqual([message[:8] for message in found], ["as c++11", "as c++20"])

    def test_exports(self):
        found = self.messages("exports", "int grove_x(void) { return 0; }\nint other(void);\n"
                                         "int other(void) { return 0; }\n")
        self.assertEqual(found, ["other is exported, but not declared in include/",
                                 "grove_absent is declared, but not exported"])

    def test_symbols(self):
        found = self.messages("symbols", "int grove_x(void) { return 0; }\n"
                                         "int grove__y(void) { return 0; }\n"
                                         "int z(void) { return 0; }\n")
        self.assertEqual(len(found), 1)
        self.assertIn("z is seen by other files", found[0])

    def test_globals(self):
        found = self.messages(
            "globals", "int a;\nstatic int b = 1;\nconst int c = 2;\n"
                       "const char *const d[] = {\"x\"};\n"
                       "int *f(void) { static int e; b++; return e++ ? &b : &e; }\n")
        names = sorted(message.split()[1] for message in found
                       if "exception" not in message)
        self.assertEqual(names, ["a", "b", "e"])


if __name__ == "__main__":
    sys.exit(unittest.main())
