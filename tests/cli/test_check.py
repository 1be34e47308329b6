#!/usr/bin/env python3
"""verify and salvage, on stores whose files were damaged.

    test_check.py --program GROVE --helper HELPER --source FOLDER [unittest ...]
"""
import os
import random
import shutil
import signal
import subprocess
import time

import case
from case import Case

PAGE = 4096
SEEDS = 60


class Check(Case):
    def make(self):
        """A store of texts of all sizes, some of them compacted."""
        for number in range(40):
            name = f"doc-{number:03}"
            self.grove("--durability", "none", "generate", "--doc", name, "--seed",
                       str(number), "--events", str(20 + 61 * number), "--batch", "40")
            if number % 5 == 2:
                self.grove("--durability", "none", "compact", "--doc", name, "--window",
                           str(number))

    def damage(self, seed):
        """A copy of the store with some pages written over."""
        rng = random.Random(seed)
        shutil.rmtree(self.path("bad"), ignore_errors=True)
        os.mkdir(self.path("bad"))
        path = self.path("bad/data.mdb")
        shutil.copy(self.path("grove-data/data.mdb"), path)
        pages = os.path.getsize(path) // PAGE
        with open(path, "r+b") as file:
            for _ in range(rng.choice((1, 1, 1, 3, 10))):
                at = rng.randrange(2, pages) * PAGE
                length = rng.choice((PAGE, rng.randrange(1, 64)))
                at += 0 if rng.random() < 0.5 else rng.randrange(PAGE - length + 1)
                written = rng.choice((bytes(length), rng.randbytes(length), None))
                if written is None:
                    file.seek(rng.randrange(2, pages) * PAGE)
                    written = file.read(length)
                file.seek(at)
                file.write(written)

    def ended(self, *arguments, codes):
        done = self.run_program(*arguments)
        self.assertIn(done.returncode, codes, (arguments, done.stderr))
        return done.returncode

    def test_a_sound_store_has_no_findings(self):
        self.make()
        report = self.json("verify", "--replay")
        self.assertEqual((report["documents"], report["findings"], report["crashes"]),
                         (40, [], 0))
        self.assertGreater(report["events"], 30000)
        one = self.json("verify", "grove-data", "--doc", "doc-007")
        self.assertEqual(one["documents"], 1)
        self.assertIn(b"findings                0\n", self.grove("verify"))

    def test_a_store_that_is_only_looked_at_stays_as_it_is(self):
        """Also a copy, which any other verb makes a store of its own."""
        self.make()
        os.mkdir(self.path("copy"))
        path = self.path("copy/data.mdb")
        shutil.copy(self.path("grove-data/data.mdb"), path)
        with open(path, "rb") as file:
            before = file.read()
        for arguments in (["verify", "copy", "--replay"], ["salvage", "copy", "new"],
                          ["verify", "copy", "--doc", "doc-003"]):
            self.grove(*arguments)
            with open(path, "rb") as file:
                self.assertTrue(file.read() == before, arguments)
        # Whoever opens it otherwise changes it: the comparison can fail.
        self.grove("--store", "copy", "ls")
        with open(path, "rb") as file:
            self.assertFalse(file.read() == before)

    def test_a_salvage_of_a_sound_store_is_whole(self):
        self.make()
        report = self.json("salvage", "grove-data", "new")
        self.assertEqual((report["documents"], report["losses"]), (40, []))
        self.assertEqual(self.json("verify", "new", "--replay")["findings"], [])
        for name in self.json("ls")["documents"]:
            self.assertEqual(self.grove("cat", "--doc", name),
                             self.grove("--store", "new", "cat", "--doc", name))

    def test_what_is_not_there_is_said(self):
        self.grove("verify", "nowhere", code=1, says="there is no store")
        self.grove("salvage", "nowhere", "new", code=1, says="there is no store")
        self.grove("generate", "--doc", "d", "--events", "10")
        self.grove("verify", "--doc", "e", code=1, says="no document")
        self.grove("salvage", "grove-data", "grove-data", code=5, says="there already")
        self.grove("salvage", "grove-data", code=2, says="which NEW one")
        self.grove("verify", "a", "b", code=2, says="what is 'b' for?")

    def test_a_file_that_is_no_store_is_a_failure(self):
        os.mkdir(self.path("bad"))
        with open(self.path("bad/data.mdb"), "wb") as file:
            file.write(b"no store" * 4096)
        self.grove("verify", "bad", code=4, says="cannot")
        self.grove("salvage", "bad", "new", code=4, says="cannot")

    def test_damaged_pages_never_end_the_program(self):
        """Whatever is in the file: an exit code that tells, and a sound salvage."""
        self.make()
        start = int(os.environ.get("GROVE_SEED", time.time()))
        print(f"GROVE_SEED={start}")
        codes = {}
        for seed in range(start, start + SEEDS):
            with self.subTest(seed=seed):
                self.damage(seed)
                with open(self.path("bad/data.mdb"), "rb") as file:
                    before = file.read()
                shutil.rmtree(self.path("saved"), ignore_errors=True)
                found = self.ended("verify", "bad", "--timeout", "2", codes=(0, 4, 6))
                lost = self.ended("salvage", "bad", "saved", "--timeout", "2",
                                  codes=(0, 4, 6))
                with open(self.path("bad/data.mdb"), "rb") as file:
                    self.assertTrue(file.read() == before)
                codes[found, lost] = codes.get((found, lost), 0) + 1
                self.assertFalse(found == 0 and lost != 0)
                if lost != 4:
                    self.grove("verify", "saved", "--replay")
        self.assertGreater(codes.get((6, 6), 0), SEEDS // 10, codes)

    def stop_reader(self, after):
        """A check whose process that reads is stopped after some seconds, which must
        not be before it has opened the store nor when it is done; its output."""
        check = subprocess.Popen(
            [case.OPTIONS.program, "verify", "--replay", "--timeout", "1"],
            cwd=self.folder, env=case.ENVIRONMENT, stdout=subprocess.PIPE)
        children = f"/proc/{check.pid}/task/{check.pid}/children"
        child = ""
        while check.poll() is None and child == "":
            with open(children, encoding="utf-8") as file:
                child = file.read().strip()
        time.sleep(after)
        if child != "":
            try:
                os.kill(int(child), signal.SIGSTOP)
            except ProcessLookupError:
                pass
        return check.communicate(timeout=300)[0], check.returncode

    def test_what_never_comes_to_an_end_is_a_finding(self):
        """As LMDB may read for ever in damaged pages."""
        self.make()
        for attempt in range(24):
            said, code = self.stop_reader(0.001 * 1.4 ** attempt)
            if b"said nothing for 1 seconds" in said:
                self.assertEqual(code, 6)
                return
        self.fail("never stopped in time")

    def test_a_finding_names_the_document(self):
        self.make()
        with open(self.path("grove-data/data.mdb"), "rb") as file:
            whole = file.read()
        for at in range(2 * PAGE, len(whole), PAGE):
            changed = bytearray(whole)
            changed[at + PAGE - 40] ^= 1
            with open(self.path("grove-data/data.mdb"), "wb") as file:
                file.write(changed)
            done = self.run_program("verify", "--json")
            if done.returncode == 6 and b'"document": "doc-' in done.stdout:
                self.assertIn(b'"kind": "', done.stdout)
                return
        self.fail("no page's last bytes matter")


if __name__ == "__main__":
    case.main()
