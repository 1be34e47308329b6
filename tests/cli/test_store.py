#!/usr/bin/env python3
"""The verbs stat, readers, backup and watch: a store that others use meanwhile.

    test_store.py --program GROVE --helper HELPER --source FOLDER [unittest ...]
"""
import contextlib
import json
import os
import resource
import signal
import subprocess

import case


class StoreCase(case.Case):
    def setUp(self):
        super().setUp()
        self.generate("notes", events=100)

    def generate(self, name, events=20, **more):
        self.grove("generate", "--doc", name, "--events", str(events), **more)

    @contextlib.contextmanager
    def start(self, *command):
        """A process that runs meanwhile and is killed in the end."""
        with subprocess.Popen(command, cwd=self.folder, env=case.ENVIRONMENT, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()

    def start_grove(self, *arguments):
        return self.start(case.OPTIONS.program, *arguments)

    def start_watch(self, *arguments):
        """A watch, which ends if it is never told."""
        return self.start_grove("watch", "--timeout", "60", *arguments)

    @contextlib.contextmanager
    def transaction(self, mode):
        """A process that keeps a transaction open."""
        with self.start(case.OPTIONS.helper, mode, "grove-data", "-") as process:
            self.assertEqual(process.stdout.readline(), "open\n")
            yield process


class Stat(StoreCase):
    def test_tells_what_there_is(self):
        self.generate("other")
        stat = self.json("stat")
        self.assertEqual((stat["store"], stat["backend"], stat["commit"]),
                         ("grove-data", "lmdb", 2))
        self.assertRegex(stat["incarnation"], "^[0-9a-f]{16}$")
        self.assertEqual(stat["size_bytes"] % stat["page_bytes"], 0)
        self.assertEqual(stat["size_bytes"],
                         os.path.getsize(self.path("grove-data/data.mdb")))
        self.assertLess(stat["free_bytes"], stat["size_bytes"])
        self.assertEqual((stat["size_limit_bytes"], stat["reserve_bytes"]),
                         (64 << 30, 64 << 20))
        self.assertGreaterEqual(stat["entries"], 2 * 3)
        self.assertIn("commit                  2", self.grove("stat").decode().splitlines())

    def test_nobody_is_there(self):
        stat = self.json("stat")
        self.assertEqual(
            [stat[key] for key in ("readers", "oldest_reader_process", "oldest_reader_lag",
                                   "retained_bytes", "writer_process", "writer_ms")],
            [0, None, 0, 0, None, 0])
        self.assertGreaterEqual(stat["readers_max"], 1024)

    def test_names_who_writes(self):
        with self.transaction("write") as writer:
            first = self.json("stat")
            self.assertEqual(first["writer_process"], writer.pid)
            self.assertGreaterEqual(self.json("stat")["writer_ms"], first["writer_ms"])
            writer.kill()
            writer.wait()
            self.generate("after it died")
        self.assertIsNone(self.json("stat")["writer_process"])

    def test_names_the_oldest_reader_and_what_it_retains(self):
        with self.transaction("read") as old:
            self.generate("a")
            with self.transaction("read"):
                self.generate("b", events=20000)
                self.grove("rm", "--doc", "b")
                stat = self.json("stat")
        self.assertEqual((stat["readers"], stat["oldest_reader_process"]), (2, old.pid))
        self.assertGreaterEqual(stat["oldest_reader_lag"], 3)
        self.assertGreater(stat["retained_bytes"], 0)
        self.assertLessEqual(stat["retained_bytes"], stat["free_bytes"])


class Readers(StoreCase):
    def readers(self):
        """{process: lag}"""
        return {reader["process"]: reader["lag"]
                for reader in self.json("readers")["readers"]}

    def test_are_listed_for_as_long_as_they_read(self):
        self.assertEqual(self.readers(), {})
        self.assertEqual(self.grove("readers"), b"")
        with self.transaction("read") as first:
            self.assertEqual(self.readers(), {first.pid: 0})
            self.generate("a")
            with self.transaction("read") as second:
                before = self.readers()
                self.assertEqual(before[second.pid], 0)
                self.assertGreaterEqual(before[first.pid], 1)
                self.generate("b")
                after = self.readers()
                self.assertGreater(after[first.pid], before[first.pid])
                self.assertGreaterEqual(after[second.pid], 1)
                lines = self.grove("readers").decode().splitlines()
                self.assertEqual(sorted(lines),
                                 sorted(f"{process} {lag}" for process, lag in after.items()))
            first.stdin.close()
            self.assertEqual(first.wait(), 0)
        self.assertEqual(self.readers(), {})

    def test_one_that_is_stopped_is_listed_and_one_that_is_dead_is_not(self):
        with self.transaction("read") as reader:
            reader.send_signal(signal.SIGSTOP)
            self.generate("a")
            self.assertGreaterEqual(self.readers()[reader.pid], 1)
            reader.kill()
            reader.wait()
            self.assertEqual(self.readers(), {})

    def test_a_dump_that_nobody_takes_reads(self):
        self.generate("large", events=200000)
        with self.start_grove("dump") as dump:
            self.assertTrue(dump.stdout.readline().startswith("grove-dump"))
            self.generate("meanwhile")
            self.assertGreaterEqual(self.readers()[dump.pid], 1)


class Backup(StoreCase):
    def test_is_a_store_of_its_own(self):
        self.generate("other")
        report = self.json("backup", "copy")
        self.assertEqual((report["backup"], report["commit"]), ("copy", 2))
        self.assertGreater(report["backup_ms"], 0)
        self.assertEqual(report["size_bytes"], os.path.getsize(self.path("copy/data.mdb")))
        copy = self.json("stat", "--store", "copy")
        self.assertEqual(copy["commit"], 2)
        self.assertNotEqual(copy["incarnation"], self.json("stat")["incarnation"])
        for verb in (["ls"], ["cat", "--doc", "notes"], ["blame", "--doc", "other"]):
            self.assertEqual(self.grove(*verb, "--store", "copy"), self.grove(*verb))
        self.grove("rm", "--doc", "notes")
        self.assertEqual(self.json("ls", "--store", "copy")["documents"], ["notes", "other"])

    def test_leaves_out_free_pages_when_asked(self):
        self.generate("large", events=200000)
        self.grove("rm", "--doc", "large")
        whole = self.json("backup", "whole")
        compact = self.json("backup", "compact", "--compact")
        self.assertEqual(whole["commit"], compact["commit"])
        self.assertLess(compact["size_bytes"], whole["size_bytes"] / 2)
        self.assertLess(self.json("stat", "--store", "compact")["free_bytes"],
                        self.json("stat", "--store", "whole")["free_bytes"] / 2)
        self.assertEqual(self.grove("dump", "--store", "compact"),
                         self.grove("dump", "--store", "whole"))

    def test_holds_one_commit_while_others_are_made(self):
        # Each save of the session makes a commit and ten events.
        with self.start_grove("generate", "--doc", "session", "--events", "400000",
                              "--batch", "10") as session, \
                self.start_watch() as watch:
            while int(watch.stdout.readline().split()[0]) < 20:
                pass
            made = [self.json("backup", f"copy{number}", *compact) for number, compact in
                    enumerate(([], ["--compact"], []))]
            self.assertIsNone(session.poll(), "it was saving all the while")
        for number, report in enumerate(made):
            stored = self.json("info", "--doc", "session", "--store", f"copy{number}")
            self.assertEqual(self.json("stat", "--store", f"copy{number}")["commit"],
                             report["commit"])
            self.assertEqual(stored["events"], 10 * (report["commit"] - 1))
            self.grove("dump", "--store", f"copy{number}")
        commits = [report["commit"] for report in made]
        self.assertEqual(commits, sorted(set(commits)))

    def test_never_goes_where_something_is(self):
        os.mkdir(self.path("empty"))
        os.symlink("nowhere", self.path("link"))
        self.write("file", "what it was")
        before = sorted(os.listdir(self.folder))
        for place in ("empty", "link", "file", "grove-data", "grove-data/"):
            self.grove("backup", place, code=5, says="there is something at")
        self.grove("backup", "no/where", code=4, says="no/where")
        self.grove("backup", "", code=4, says="the path is empty")
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_a_full_disk_leaves_nothing(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        done = self.run_program("backup", "copy", preexec_fn=small_files,
                                restore_signals=False)  # SIGXFSZ stays ignored
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual(os.listdir(self.folder), ["grove-data"])


class Watch(StoreCase):
    def test_tells_of_what_another_process_saves(self):
        with self.start_watch("--count", "3") as watch:
            self.assertEqual(watch.stdout.readline(), "1\n")
            self.generate("a \\x00", events=20)
            self.assertRegex(watch.stdout.readline(),
                             r"^2  [-0-9T:.]+Z  document a \\x00 0\+20\n$")
            self.grove("rm", "--doc", "notes")
            self.assertRegex(watch.stdout.readline(), "^3  .*Z  document notes deleted\n$")
            self.helper("group", "grove-data", "seen")
            self.assertRegex(watch.communicate()[0], "^4  .*Z  group seen\n$")
            self.assertEqual(watch.returncode, 0)

    def test_prints_an_object_a_line(self):
        with self.start_watch("--json") as watch:
            self.assertEqual(json.loads(watch.stdout.readline()), {"commit": 1})
            self.grove("generate", "--doc", "a", "--events", "20", "--batch", "15")
            told = [json.loads(watch.stdout.readline()) for _ in range(2)]
            self.helper("group", "grove-data", "seen")
            self.grove("rm", "--doc", "a")
            told += [json.loads(watch.stdout.readline()) for _ in range(2)]
        self.assertEqual([commit["commit"] for commit in told], [2, 3, 4, 5])
        self.assertEqual([commit["documents"] for commit in told],
                         [[{"document": "a", "clock": 0, "events": 15}],
                          [{"document": "a", "clock": 15, "events": 5}], [],
                          [{"document": "a", "clock": None, "events": 0}]])
        self.assertEqual([commit["groups"] for commit in told], [[], [], ["seen"], []])
        self.assertEqual({commit["incarnation"] for commit in told},
                         {self.json("stat")["incarnation"]})
        self.assertRegex(told[0]["time"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")

    def test_leaves_out_none(self):
        with self.start_watch("--count", "900") as watch:
            watch.stdout.readline()
            watch.send_signal(signal.SIGSTOP)
            self.grove("generate", "--doc", "many", "--events", "700", "--batch", "1",
                       "--durability", "relaxed")
            watch.send_signal(signal.SIGCONT)
            self.grove("generate", "--doc", "more", "--events", "200", "--batch", "1",
                       "--durability", "relaxed")
            told = [int(line.split()[0]) for line in watch.communicate()[0].splitlines()]
        self.assertEqual(told, list(range(2, 902)))
        self.assertEqual(watch.returncode, 0)

    def test_does_not_tell_of_what_makes_no_commit(self):
        with self.start_watch("--count", "1") as watch:
            self.assertEqual(watch.stdout.readline(), "1\n")
            self.grove("compact", "--doc", "notes")
            self.grove("seal", "--doc", "notes")
            self.generate("a")
            self.assertRegex(watch.communicate()[0], "^2  .*document a 0\\+20\n$")

    def test_says_when_it_was_left_behind(self):
        with self.start_watch() as watch:
            watch.stdout.readline()
            watch.send_signal(signal.SIGSTOP)
            self.grove("generate", "--doc", "many", "--events", "2000", "--batch", "1",
                       "--durability", "relaxed")
            self.helper("forget", "grove-data", "10")
            watch.send_signal(signal.SIGCONT)
            told, error = watch.communicate()
            self.assertEqual((watch.returncode, told), (4, ""))
            self.assertIn("grove: commits were missed, so watch anew", error)

    def test_ends_in_time(self):
        self.assertEqual(self.grove("watch", "--timeout", "0"), b"1\n")
        self.assertEqual(self.grove("watch", "--timeout", "1"), b"1\n")
        self.assertEqual(self.grove("watch", "--count", "0"), b"1\n")
        done = self.run_program("watch", "--timeout", "0", "--count", "1")
        self.assertEqual((done.returncode, done.stdout), (1, b"1\n"))
        self.assertIn(b"grove: the time is over", done.stderr)

    def test_ends_when_nobody_reads(self):
        with self.start_watch() as watch:
            watch.stdout.readline()
            watch.stdout.close()
            self.generate("a")
            self.assertEqual(watch.wait(), -signal.SIGPIPE)

    def test_one_that_is_killed_leaves_nothing(self):
        files = sorted(os.listdir(self.path("grove-data")))
        for number in range(3):
            with self.start_watch() as watch:
                watch.stdout.readline()
                if number == 2:
                    watch.send_signal(signal.SIGSTOP)
                    self.generate("while it is stopped")
        self.assertEqual(sorted(os.listdir(self.path("grove-data"))), files)
        self.assertEqual(self.json("readers")["readers"], [])
        stat = self.json("stat")
        self.assertEqual((stat["readers"], stat["writer_process"]), (0, None))
        self.generate("after them")


if __name__ == "__main__":
    case.main()
