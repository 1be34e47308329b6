#!/usr/bin/env python3
"""The verbs dump and undump: whole stores as text.

    test_dump.py --program GROVE --helper HELPER --source FOLDER [unittest ...]
"""
import os
import resource
import stat
import subprocess

import case


class DumpCase(case.Case):
    def setUp(self):
        super().setUp()
        for name in ("notes", "\\x00odd\\xff %"):
            self.grove("generate", "--doc", name, "--events", "400", "--batch", "50")
        self.grove("compact", "--doc", "notes", "--window", "100")
        self.helper("opaque", "grove-data", "box")

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def left(self):
        """What is in the folder beside the store."""
        return sorted(set(os.listdir(self.folder)) - {"grove-data"})


class Dump(DumpCase):
    def test_goes_to_standard_output_or_to_a_file(self):
        text = self.grove("dump")
        report = self.json("dump", "--out", "file")
        self.assertEqual(self.read("file"), text)
        self.assertEqual(report["file"], "file")
        self.assertEqual(report["file_bytes"], len(text))
        self.assertEqual(report["lines"], text.count(b"\n"))
        self.assertEqual(report["documents"], 3)
        self.assertEqual(report["commit"], self.json("stat")["commit"])
        self.assertTrue(text.startswith(b"grove-dump version=1 sum="))
        text.decode("ascii")

    def test_may_be_read_by_its_owner_alone(self):
        self.grove("dump", "--out", "file")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("file")).st_mode), 0o600)

    def test_a_file_is_whole_or_what_it_was(self):
        self.write("file", "what it was")

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        done = self.run_program("dump", "--out", "file", preexec_fn=small_files,
                                restore_signals=False)  # SIGXFSZ stays ignored
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(b"file could not be written: File too large", done.stderr)
        self.grove("dump", "--out", "no/file", code=4, says="No such file")
        self.assertEqual(self.left(), ["file"])
        self.assertEqual(self.read("file"), b"what it was")
        self.grove("dump", "--out", "file")
        self.assertEqual(self.read("file"), self.grove("dump"))

    def test_a_pipe_is_written_to_as_it_is(self):
        os.mkfifo(self.path("pipe"))
        with subprocess.Popen(["cat", self.path("pipe")], stdout=subprocess.PIPE) as reader:
            self.grove("dump", "--out", "pipe")
            self.assertEqual(reader.stdout.read(), self.grove("dump"))
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe")).st_mode))

    def test_a_full_disk_is_told_of(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        self.grove("dump", "--out", "/dev/full", code=4, says="No space left")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([case.OPTIONS.program, "dump"], cwd=self.folder,
                                  env=case.ENVIRONMENT, stdout=full, check=False,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 4)


class Undump(DumpCase):
    def test_makes_the_same_store(self):
        self.grove("dump", "--out", "dump")
        report = self.json("undump", "dump", "--store", "new/")
        self.assertEqual(self.left(), ["dump", "new"])
        self.assertEqual(report["documents"], 3)
        self.assertEqual(self.grove("--store", "new", "dump"), self.read("dump"))
        for verb in (["ls"], ["cat", "--doc", "notes"], ["blame", "--doc", "notes"],
                     ["cat", "--doc", "\\x00odd\\xff %", "--at", "123"]):
            self.assertEqual(self.grove(*verb, "--store", "new"), self.grove(*verb))
        self.assertNotEqual(self.json("stat", "--store", "new")["incarnation"],
                            self.json("stat")["incarnation"])

    def test_takes_a_pipe(self):
        text = self.grove("dump")
        done = self.run_program("undump", "-", "--store", "new", input=text)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.grove("--store", "new", "dump"), text)

    def test_never_goes_where_something_is(self):
        self.grove("dump", "--out", "dump")
        before = self.grove("dump")
        os.mkdir(self.path("empty"))
        os.symlink("nowhere", self.path("link"))
        for place in ("grove-data", "grove-data/", "empty", "dump", "link"):
            self.grove("undump", "dump", "--store", place, code=5,
                       says="there is something at")
        self.assertEqual(self.grove("dump"), before)
        self.assertEqual(self.left(), ["dump", "empty", "link"])

    def test_leaves_nothing_of_what_is_no_dump(self):
        text = self.grove("dump")
        lines = text.splitlines(keepends=True)
        for bad, says in ((b"", "line 1: "), (b"no dump\n", "line 1: "),
                          (text[:-1], f"line {len(lines)}: the dump is cut short"),
                          (b"".join(lines[:-1]), f"line {len(lines)}: "),
                          (b"".join(lines[:5] + lines[6:]), "line 6: "),
                          (text.replace(b"base=", b"base=1", 1), "GROVE_MALFORMED"),
                          (text + b"\n", "something follows the end")):
            with open(self.path("bad"), "wb") as file:
                file.write(bad)
            self.grove("undump", "bad", "--store", "new", code=3, says=says)
            self.grove("--backend", "memory", "undump", "bad", code=3, says=says)
            self.assertEqual(self.left(), ["bad"])

    def test_a_file_that_cannot_be_read_is_told_of(self):
        self.grove("undump", "none", "--store", "new", code=3, says="No such file")
        self.grove("undump", ".", "--store", "new", code=3, says="Is a directory")
        self.grove("dump", "--out", "dump")
        self.grove("undump", "dump", "--store", "no/new", code=4, says="No such file")
        self.assertEqual(self.left(), ["dump"])

    def test_in_memory_it_is_a_check(self):
        self.grove("dump", "--out", "dump")
        report = self.json("--backend", "memory", "undump", "dump")
        self.assertEqual(report["documents"], 3)
        self.assertEqual(self.left(), ["dump"])

    def test_full_disks_leave_nothing(self):
        self.grove("dump", "--out", "dump")

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
        done = self.run_program("undump", "dump", "--store", "new",
                                preexec_fn=small_files, restore_signals=False)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual(self.left(), ["dump"])


if __name__ == "__main__":
    case.main()
