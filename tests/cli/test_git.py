#!/usr/bin/env python3
"""The verb import-git, on repositories that git makes in a folder of the test's.

    test_git.py --program GROVE --helper HELPER --source FOLDER [unittest ...]
"""
import os
import random
import shutil
import subprocess
import sys
import time

import case

ENVIRONMENT = dict(os.environ, LC_ALL="C", GIT_CONFIG_GLOBAL=os.devnull,
                   GIT_CONFIG_NOSYSTEM="1")


class GitCase(case.Case):
    def setUp(self):
        super().setUp()
        self.clock = 1600000000
        self.git("init", "--quiet", "--initial-branch=main", "repo")
        self.repo = self.path("repo")

    def git(self, *arguments, author="Ann", code=0, **more):
        environment = dict(ENVIRONMENT)
        self.clock = getattr(self, "clock", 0) + 60
        for who in ("AUTHOR", "COMMITTER"):
            environment[f"GIT_{who}_NAME"] = author
            environment[f"GIT_{who}_EMAIL"] = f"{author.lower()}@example.org"
            environment[f"GIT_{who}_DATE"] = f"{self.clock} +0100"
        folder = getattr(self, "repo", self.folder)
        done = subprocess.run(["git", *arguments], cwd=folder, env=environment,
                              capture_output=True, check=False, **more)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout

    def put(self, text, name="file.txt"):
        path = os.path.join(self.repo, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        self.git("add", name)

    def commit(self, text, name="file.txt", author="Ann"):
        """Commits a file and gives the commit's id."""
        self.put(text, name)
        self.git("commit", "--quiet", "--allow-empty", "-m", "change", author=author)
        return self.git("rev-parse", "HEAD").decode().strip()

    def import_git(self, *more, name="file.txt", document="d"):
        report = self.json("import-git", name, "--doc", document, "--repo", self.repo,
                           *more)
        if report["events"] > 0:
            text = self.git("show", f"HEAD:{name}")
            self.assertEqual(self.grove("cat", "--doc", document), text)
        return report

    def refused(self, says, name="file.txt"):
        self.grove("import-git", name, "--doc", "d", "--repo", self.repo, code=3,
                   says=says)
        self.assertFalse(os.path.exists(self.path("grove-data")), says)

    def runs(self, document="d"):
        """(time, position, count, bytes, author, parents) of each run of events."""
        lines = self.helper("events", "grove-data", document).splitlines()
        return [(*(int(field) for field in line.split()[:4]),
                 bytes.fromhex(line.split()[4]).decode(), int(line.split()[5]))
                for line in lines]


class Linear(GitCase):
    def test_a_commit_becomes_its_authors_edits_at_its_time(self):
        self.commit("one\ntwo\nthree\n")
        self.commit("one\nt2o\nthree\n", author="Bo")
        self.commit("zero\none\nt2o\nthree\nfour")
        report = self.import_git()
        self.assertEqual(
            [report[key] for key in ("commits", "authors", "merges", "edited_merges",
                                     "events", "patches", "characters")],
            [3, 2, 0, 0, 14 + 2 + 9, 4, 23])
        ann, bo = "Ann <ann@example.org>", "Bo <bo@example.org>"
        times = [1600000180000, 1600000360000, 1600000540000]
        self.assertEqual(self.runs(), [
            (times[0], 0, 14, 14, ann, 0), (times[1], 5, 1, 0, bo, 1),
            (times[1], 5, 1, 1, bo, 1), (times[2], 0, 5, 5, ann, 1),
            (times[2], 19, 4, 4, ann, 1)])

    def test_commits_that_leave_the_file_alone_do_not_count(self):
        self.commit("before", name="other.txt")
        self.commit("a\n")
        self.commit("between", name="other.txt")
        self.commit("a\nb\n")
        self.commit("after", name="other.txt")
        self.git("update-index", "--chmod=+x", "file.txt")
        self.git("commit", "--quiet", "-m", "mode")
        self.assertEqual(self.import_git()["commits"], 2)
        self.assertEqual([run[5] for run in self.runs()], [0, 1])

    def test_a_file_may_go_and_come_again_and_is_what_has_the_path(self):
        self.commit("a\n")
        self.git("rm", "--quiet", "file.txt")
        self.commit("x", name="file.txt/inside")
        self.git("rm", "--quiet", "-r", "file.txt")
        self.commit("b\n")
        self.git("mv", "file.txt", "moved.txt")
        self.git("commit", "--quiet", "-m", "move")
        self.commit("c\n", name="moved.txt")
        report = self.import_git(name="moved.txt")
        self.assertEqual((report["commits"], report["events"]), (2, 4))
        self.git("mv", "moved.txt", "file.txt")
        self.git("commit", "--quiet", "-m", "back")
        report = self.import_git(document="back")
        # a, gone, b, gone, c
        self.assertEqual((report["commits"], report["events"]), (5, 10))

    def test_clocks_that_go_wrong_change_no_order(self):
        self.commit("a\n")
        for text in ("a\nb\n", "b\nc\n", "c\nd\n", "e\n"):
            self.clock -= 1000
            self.commit(text)
        self.assertEqual(self.import_git()["commits"], 5)

    def test_any_utf_8_is_a_text(self):
        text = "\ufeffa\r\nb\0c\n\U0001f333日本\n\n\nend"
        self.commit(text)
        self.commit(text.replace("日", "曰"))
        self.commit("x" + text.replace("\U0001f333", "\U0001f334") + "\n")
        report = self.import_git()
        # One for another; an insertion, two for two, an insertion.
        self.assertEqual(report["events"], len(text) + 2 + 1 + 4 + 1)

    def test_a_file_that_was_always_empty_makes_no_document(self):
        self.commit("")
        report = self.import_git()
        self.assertEqual((report["commits"], report["events"], report["saves"]),
                         (1, 0, 0))
        self.assertEqual(self.json("ls")["documents"], [])

    def test_the_file_is_named_from_the_top_wherever_one_is(self):
        self.commit("deep\n", name="a/b/file.txt")
        for where in ("", "a", "a/b"):
            self.grove("import-git", "a/b/file.txt", "--doc", f"from-{where}", "--repo",
                       os.path.join(self.repo, where))
        self.grove("import-git", "a/b/file.txt", "--doc", "here", "--store",
                   self.path("s"), code=3, says="cannot be opened")
        self.folder = self.repo
        self.grove("import-git", "a/b/file.txt", "--doc", "here")

    def test_authors_with_long_names_stay_apart(self):
        long = "A" * 40
        self.commit("a\n", author=long + "B")
        self.commit("a\nb\n", author=long + "C")
        self.commit("a\nb\nc\n", author=long + "B")
        self.assertEqual(self.import_git()["authors"], 2)
        names = [run[4] for run in self.runs()]
        self.assertEqual([len(name) for name in names], [64, 64, 64])
        self.assertEqual(names[0][:24], "A" * 24)
        self.assertEqual(names[0], names[2])
        self.assertNotEqual(names[0], names[1])

    def test_batches_are_saved_one_after_the_other(self):
        self.commit("one\ntwo\nthree\n")
        self.commit("one\nthree\nfour\n")
        events = self.import_git()["events"]
        for size in (1, 3, events - 1, events, events + 1):
            report = self.import_git("--batch", str(size), document=f"by-{size}")
            self.assertEqual(report["saves"], -(-events // size))


class Refused(GitCase):
    def test_what_is_not_utf_8_is_named_with_its_commit(self):
        self.commit("a\n")
        bad = self.commit(b"a\nb\xff\n")
        self.commit("a\nb\n")
        self.refused(f"file.txt is not UTF-8 at byte 3 in commit {bad}")

    def test_where_there_is_no_repository(self):
        self.repo = self.path("none")
        self.refused("the repository cannot be opened")
        os.mkdir(self.repo)
        self.refused("the repository cannot be opened")

    def test_where_there_is_no_commit(self):
        self.refused("the commits cannot be listed")

    def test_where_there_is_no_file(self):
        self.commit("a\n", name="folder/file")
        for name in ("file", "folder", "folder/none", "folder/file/none"):
            self.refused(f"there is no file {name} in HEAD", name=name)
        self.commit("b\n", name="gone")
        self.git("rm", "--quiet", "gone")
        self.git("commit", "--quiet", "-m", "gone")
        self.refused("there is no file gone in HEAD", name="gone")

    def test_where_an_object_is_missing(self):
        self.commit("a\n")
        self.commit("b\n")
        blob = self.git("rev-parse", "HEAD~1:file.txt").decode().strip()
        os.remove(os.path.join(self.repo, ".git/objects", blob[:2], blob[2:]))
        self.refused("cannot be read")

    def test_a_document_is_never_imported_over(self):
        self.commit("a\n")
        self.import_git()
        self.grove("import-git", "file.txt", "--doc", "d", "--repo", self.repo, code=5,
                   says="there is a document d")


class Merges(GitCase):
    BASE = "".join(f"line {number}\n" for number in range(10))

    def branch(self, name, start="main"):
        self.git("checkout", "--quiet", "-b", name, start)

    def merge(self, *names, **more):
        self.git("merge", "--quiet", "-m", "merge", *names, **more)

    def test_without_conflicts_is_what_the_library_makes(self):
        self.commit(self.BASE)
        self.branch("side")
        self.commit(self.BASE.replace("line 8", "LINE 8"), author="Bo")
        self.git("checkout", "--quiet", "main")
        self.commit("first\n" + self.BASE)
        self.merge("side")
        report = self.import_git()
        self.assertEqual([report[key] for key in ("commits", "merges", "edited_merges")],
                         [4, 1, 0])
        self.assertIn(b"first\n", self.grove("cat", "--doc", "d"))
        self.assertIn(b"LINE 8\n", self.grove("cat", "--doc", "d"))
        # What comes after has both branches as parents.
        self.commit("after\n", author="Cy")
        report = self.import_git(document="after")
        self.assertEqual((report["commits"], report["merges"]), (5, 1))
        self.assertEqual([run[5] for run in self.runs("after") if run[4][:2] == "Cy"][0],
                         2)

    def test_with_conflicts_the_resolution_is_the_merges_edit(self):
        self.commit(self.BASE)
        self.branch("side")
        self.commit(self.BASE.replace("line 5", "left"), author="Bo")
        self.git("checkout", "--quiet", "main")
        self.commit(self.BASE.replace("line 5", "right"))
        self.merge("side", code=1)
        self.commit(self.BASE.replace("line 5", "both"), author="Cy")
        report = self.import_git()
        self.assertEqual([report[key] for key in ("commits", "merges", "edited_merges")],
                         [4, 1, 1])
        cy = [run for run in self.runs() if run[4].startswith("Cy")]
        self.assertEqual(cy[0][5], 2)
        self.assertNotIn(b"right", self.grove("cat", "--doc", "d"))

    def test_of_branches_that_left_the_file_alone_are_none(self):
        self.commit(self.BASE)
        self.branch("side")
        self.commit("x", name="other.txt")
        self.git("checkout", "--quiet", "main")
        self.commit("more\n" + self.BASE)
        self.merge("side")
        # The other one changed it and took that back.
        self.branch("back")
        self.commit("")
        self.commit("more\n" + self.BASE)
        self.git("checkout", "--quiet", "main")
        self.commit("y", name="other.txt")
        self.merge("back")
        report = self.import_git()
        self.assertEqual((report["commits"], report["merges"]), (4, 0))
        self.assertEqual(max(run[5] for run in self.runs()), 1)

    def test_may_bring_back_what_only_one_side_had(self):
        self.commit(self.BASE)
        self.branch("side")
        self.commit(self.BASE.replace("line 2", "two"))
        self.git("checkout", "--quiet", "main")
        self.commit(self.BASE.replace("line 7", "seven"))
        self.merge("side", "--strategy=ours")
        report = self.import_git()
        self.assertEqual((report["merges"], report["edited_merges"]), (1, 1))
        self.assertNotIn(b"two", self.grove("cat", "--doc", "d"))

    def test_of_several_branches_at_once(self):
        self.commit(self.BASE)
        for number in (1, 4, 7):
            self.branch(f"side-{number}")
            self.commit(self.BASE.replace(f"line {number}", f"LINE {number}"))
            self.git("checkout", "--quiet", "main")
        self.merge("side-1", "side-4", "side-7")
        report = self.import_git()
        self.assertEqual([report[key] for key in ("commits", "merges", "edited_merges")],
                         [5, 1, 0])
        self.assertEqual(self.grove("cat", "--doc", "d").count(b"LINE"), 3)

    def test_of_some_branches_while_others_go_on(self):
        self.commit(self.BASE)
        for number in range(4):
            self.branch(f"side-{number}")
            self.commit(self.BASE.replace(f"line {2 * number}", f"LINE {number}"))
            self.git("checkout", "--quiet", "main")
        for number in (0, 2):
            self.git("checkout", "--quiet", f"side-{number}")
            self.merge(f"side-{number + 1}")
        self.merge("side-0")
        report = self.import_git()
        self.assertEqual([report[key] for key in ("commits", "merges", "edited_merges")],
                         [8, 3, 0])
        self.assertEqual(self.grove("cat", "--doc", "d").count(b"LINE"), 4)

    def test_are_told_apart_from_branches_that_only_met_again(self):
        self.commit(self.BASE)
        self.branch("side")
        self.commit(self.BASE.replace("line 8", "LINE 8"))
        self.git("checkout", "--quiet", "main")
        self.commit("first\n" + self.BASE)
        self.merge("side")
        # Both come from the merge and leave the file alone.
        self.branch("other")
        self.commit("x", name="x.txt")
        self.git("checkout", "--quiet", "main")
        self.commit("y", name="y.txt")
        self.merge("other")
        report = self.import_git()
        self.assertEqual((report["commits"], report["merges"]), (4, 1))

    def test_of_empty_files_are_empty(self):
        self.commit("")
        self.git("checkout", "--quiet", "--orphan", "other")
        self.commit("")
        self.git("checkout", "--quiet", "main")
        self.merge("other", "--allow-unrelated-histories")
        self.commit("a\n")
        self.assertEqual(self.import_git()["events"], 2)

    def test_of_histories_without_a_common_beginning(self):
        self.commit("a\n")
        self.git("checkout", "--quiet", "--orphan", "other")
        self.commit("b\n", author="Bo")
        self.git("checkout", "--quiet", "main")
        self.merge("other", "--allow-unrelated-histories", code=1)
        self.commit("a\nb\n")
        report = self.import_git()
        self.assertEqual((report["commits"], report["merges"]), (3, 1))
        self.assertEqual([run[5] for run in self.runs()][:2], [0, 0])


class Random(GitCase):
    """Histories of any shape, which git fast-import takes as they are told."""

    LETTERS = "ab \n\n\u00e4\U0001f333"

    def text(self, chance, old):
        """Changes a text here and there, or leaves it."""
        text = old
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            at = chance.randrange(len(text) + 1)
            end = min(len(text), at + chance.choice((0, 0, 1, 2, 8)))
            new = "".join(chance.choices(self.LETTERS, k=chance.choice((0, 1, 2, 6))))
            text = text[:at] + new + text[end:]
        return text

    def history(self, chance, commits):
        """A stream for fast-import; the last commit comes after all others."""
        stream, texts, heads = [], [], set()
        for number in range(1, commits + 1):
            count = chance.choice((0, 1, 1, 1, 1, 1, 2, 2, 3)) if number > 1 else 0
            parents = chance.sample(range(1, number), min(count, number - 1))
            parents = sorted(heads) if number == commits else parents
            heads = heads - set(parents) | {number}
            text = self.text(chance, texts[parents[0] - 1] if parents else "")
            texts.append(text)
            when = 1600000000 + chance.randrange(1000000)
            author = f"A{chance.randrange(4)} <a@example.org> {when} +0000"
            stream += ["reset refs/heads/main", "",
                       "commit refs/heads/main", f"mark :{number}", f"author {author}",
                       f"committer {author}", "data 0"]
            stream += [f"{word} :{parent}" for word, parent in
                       zip(["from"] + ["merge"] * commits, parents)]
            data = text.encode()
            if chance.random() < 0.05 and number < commits:
                stream += ["deleteall"]
            else:
                stream += ["M 644 inline file.txt", f"data {len(data)}", text]
            stream += [""]
        return "\n".join(stream).encode()

    def test_histories_end_in_the_file_that_head_has(self):
        seed = int(os.environ.get("GROVE_SEED", time.time_ns()))
        print(f"cli-git: GROVE_SEED={seed}", file=sys.stderr)
        chance = random.Random(seed)
        merges = 0
        for number in range(30):
            self.git("fast-import", "--quiet", "--force",
                     input=self.history(chance, chance.choice((3, 10, 30, 100))))
            merges += self.import_git(document=f"d{number}")["merges"]
        self.assertGreater(merges, 30)


if __name__ == "__main__":
    if shutil.which("git") is None:
        print("skipped: git is not installed")
        sys.exit(77)
    case.main()
