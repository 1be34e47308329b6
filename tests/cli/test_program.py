#!/usr/bin/env python3
"""The program from outside: every verb, every exit code, its docs.

    test_program.py --program GROVE --helper HELPER --source FOLDER [unittest ...]
"""
import glob
import gzip
import hashlib
import json
import os
import pty
import re
import resource
import shutil
import subprocess
import sys
import zlib

import case
from case import Case

# A verb's name: one word or two.
NAME = r"[a-z][a-z-]*(?: [a-z][a-z-]*)?"
TIME = "2021-04-19T06:06:58.219Z"
VERBS = ("import", "import-git", "generate", "export", "merge", "cat", "blame", "info", "ls",
         "compact", "seal", "rm", "stat", "readers", "watch", "backup", "dump", "undump",
         "verify", "salvage", "tree show", "json get", "json set", "json patch",
         "json merge-patch", "bench")


def trace_of(patches, end, **fields):
    """A trace with one transaction for each patch."""
    txns = [{"time": TIME, "patches": [patch]} for patch in patches]
    return dict({"startContent": "", "endContent": end, "txns": txns}, **fields)


def concurrent_trace(transactions, end):
    """A trace of (agent's name, parents, patches), and its agents' names."""
    names = sorted({name for name, _, _ in transactions})
    txns = [{"time": TIME, "agent": names.index(name), "parents": parents,
             "patches": patches} for name, parents, patches in transactions]
    return {"kind": "concurrent", "endContent": end, "numAgents": len(names),
            "txns": txns}, names


class Import(Case):
    def test_a_trace_becomes_a_document_that_reads_as_its_end(self):
        path = self.write("t.json", trace_of([[0, 0, "hällo"], [1, 4, "i\n"]], "hi\n"))
        report = self.json("import", path, "--doc", "notes")
        self.assertEqual((report["events"], report["characters"], report["patches"],
                          report["saves"], report["commit"]), (11, 3, 2, 1, 1))
        self.assertEqual(self.grove("cat", "--doc", "notes"), b"hi\n")

    def test_compressed_and_plain_are_the_same(self):
        trace = trace_of([[0, 0, "x" * 5000]], "x" * 5000)
        self.grove("import", self.write("a.json", trace), "--doc", "a")
        self.grove("import", self.write("a.json.gz", trace), "--doc", "b")
        self.assertEqual(self.grove("cat", "--doc", "a"), self.grove("cat", "--doc", "b"))

    def test_batches_are_saved_one_after_the_other(self):
        text = "héllo wörld 日本" * 20
        patches = [[0, 0, text], [5, 100, "ü" * 30]]
        end = text[:5] + "ü" * 30 + text[105:]
        path = self.write("t.json", trace_of(patches, end))
        events = len(text) + 100 + 30
        for size in (1, 7, events - 1, events, events + 1):
            name = f"by-{size}"
            report = self.json("import", path, "--doc", name, "--batch", str(size))
            self.assertEqual(report["saves"], -(-events // size), size)
            self.assertEqual(report["events"], events)
            self.assertEqual(self.json("info", "--doc", name)["events"], events)
            self.assertEqual(self.grove("cat", "--doc", name).decode(), end)

    def test_events_have_the_times_of_the_trace(self):
        trace = trace_of([], "abc")
        trace["txns"] = [
            {"time": "1970-01-01T00:00:01.5Z", "patches": [[0, 0, "ab"]]},
            {"timestamp": "2021-04-19T08:06:58.219+02:00", "patches": [[2, 0, "cd"]]},
            {"time": "2021-04-19T06:06:59Z", "patches": [[3, 1, ""]]}]
        path = self.write("t.json", trace)
        for batch in ([], ["--batch", "2"]):
            name = "times" + "".join(batch[1:])
            self.grove("import", path, "--doc", name, *batch)
            runs = [line.split() for line in
                    self.helper("events", "grove-data", name).splitlines()]
            times = [int(run[0]) for run in runs for _ in range(int(run[2]))]
            self.assertEqual(times, [1500, 1500, 1618812418219, 1618812418219,
                                     1618812419000])

    def test_a_save_that_fails_midway_takes_the_others_back(self):
        self.grove("generate", "--doc", "other", "--events", "100")

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 10, 300 << 10))
        done = self.run_program("generate", "--doc", "d", "--events", "300000",
                                "--batch", "1000", preexec_fn=small_files,
                                restore_signals=False)  # SIGXFSZ stays ignored
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(b"cannot generate the document", done.stderr)
        self.assertEqual(self.json("ls")["documents"], ["other"])
        self.assertGreater(self.json("stat")["commit"], 2, "some saves had succeeded")

    def test_an_empty_trace_stores_nothing(self):
        path = self.write("t.json", trace_of([], ""))
        report = self.json("import", path, "--doc", "nothing")
        self.assertEqual((report["events"], report["saves"]), (0, 0))
        self.grove("cat", "--doc", "nothing", code=1, says="there is no document nothing")

    def test_a_trace_that_ends_otherwise_leaves_nothing(self):
        path = self.write("t.json", trace_of([[0, 0, "abcd"]], "abxd"))
        for batch in ([], ["--batch", "1"]):
            self.grove("import", path, "--doc", "d", *batch, code=3,
                       says="differ from character 2 on")
            self.assertEqual(self.grove("ls"), b"")
            self.assertEqual(self.json("stat")["commit"], 0)

    def test_unusable_files_leave_not_even_a_store(self):
        bad = {
            "missing.json": None,
            "empty.json": "",
            "text.json": "hello",
            "forked.json": trace_of([[0, 0, "a"]], "a", kind="forked"),
            "orphan.json": concurrent_trace([("a", [7], [[0, 0, "a"]])], "a")[0],
            "cut.json": json.dumps(trace_of([[0, 0, "a"]], "a"))[:-3],
            "range.json": trace_of([[0, 0, "a"], [5, 0, "b"]], "a"),
            "short.json": trace_of([[0, 0, "a"]], "ab"),
        }
        for name, trace in bad.items():
            path = self.path(name) if trace is None else self.write(name, trace)
            self.grove("import", path, "--doc", "d", code=3, says=name)
            self.assertFalse(os.path.exists(self.path("grove-data")), name)
        self.grove("import", self.path("range.json"), "--doc", "d", code=3,
                   says="transaction 1, patch 0: position 5")

    def test_a_document_is_never_imported_over(self):
        path = self.write("t.json", trace_of([[0, 0, "a"]], "a"))
        self.grove("import", path, "--doc", "d")
        self.grove("import", path, "--doc", "d", code=5, says="there is a document d")
        self.grove("generate", "--doc", "d", code=5, says="there is a document d")
        self.assertEqual(self.grove("cat", "--doc", "d"), b"a")

    def test_every_durability_keeps_what_it_acknowledged(self):
        path = self.write("t.json", trace_of([[0, 0, "abc"]], "abc"))
        for mode in ("full", "relaxed", "none"):
            self.grove("import", path, "--doc", mode, "--batch", "1",
                       "--durability", mode)
            self.assertEqual(self.grove("cat", "--doc", mode), b"abc")

    def test_the_public_traces_end_in_their_end_content(self):
        folder = os.environ.get("GROVE_TRACES")
        if folder is None:
            self.skipTest("GROVE_TRACES names no folder of editing traces")
        for name, events in (("automerge-paper", 259778), ("rustcode", 979844),
                             ("sveltecomponent", 169517)):
            path = os.path.join(folder, name + ".json.gz")
            with gzip.open(path) as file:
                end = json.load(file)["endContent"]
            for backend in ("lmdb", "memory"):
                report = self.json("--backend", backend, "import", path, "--doc", name)
                self.assertEqual(report["events"], events)
                self.assertEqual(report["characters"], len(end))
            self.assertEqual(self.grove("cat", "--doc", name).decode(), end)
            self.grove("seal", "--doc", name, "--level", "3")
            self.assertEqual(self.grove("cat", "--doc", name).decode(), end)
            self.grove("compact", "--doc", name, "--window", "0")
            self.assertEqual(self.grove("cat", "--doc", name).decode(), end)


class ImportConcurrent(Case):
    # Both write at the beginning of the same text; b's stands behind a's.
    TRANSACTIONS = [("b", [], [[0, 0, "ü."]]), ("b", [0], [[0, 0, "B"], [2, 1, "!"]]),
                    ("a", [0], [[0, 0, "Aa"]]), ("c", [1, 2], []),
                    ("a", [3], [[5, 0, "\n"]])]
    END = "AaBü!\n"

    def import_both(self, *more, document="d"):
        trace, names = concurrent_trace(self.TRANSACTIONS, self.END)
        return self.json("import", self.write("t.json.gz", trace), "--doc", document,
                         "--agents", self.write("names.json", json.dumps(names)), *more)

    def replicas(self, document):
        lines = self.helper("events", "grove-data", document).splitlines()
        return [bytes.fromhex(line.split()[4]).decode() for line in lines]

    def test_branches_are_merged(self):
        report = self.import_both()
        self.assertEqual((report["events"], report["characters"], report["patches"],
                          report["saves"], report["commit"]), (8, 6, 5, 1, 1))
        self.assertEqual(self.grove("cat", "--doc", "d").decode(), self.END)
        self.assertEqual("".join(self.replicas("d")), "bbbbaa")

    def test_batches_are_saved_one_after_the_other(self):
        for size in range(1, 10):
            report = self.import_both("--batch", str(size), document=f"by-{size}")
            self.assertEqual(report["saves"], -(-8 // size), size)
            self.assertEqual(self.grove("cat", "--doc", f"by-{size}").decode(), self.END)

    def test_agents_without_names_are_replicas_by_number(self):
        trace, _ = concurrent_trace(self.TRANSACTIONS, self.END)
        self.grove("import", self.write("t.json", trace), "--doc", "d")
        self.assertEqual("".join(self.replicas("d")), "111100")

    def test_names_decide_whose_text_comes_first(self):
        trace, _ = concurrent_trace(self.TRANSACTIONS, self.END)
        path = self.write("t.json", trace)
        names = self.write("names.json", json.dumps(["z", "b", "c"]))
        self.grove("import", path, "--doc", "d", "--agents", names, code=3,
                   says="differ from character 0 on")
        self.assertEqual(self.grove("ls"), b"")

    def test_a_patch_beyond_its_text_is_named_and_leaves_nothing(self):
        trace, _ = concurrent_trace([("a", [], [[0, 0, "abc"]]),
                                     ("a", [], [[0, 0, "d"], [2, 0, "e"]])], "")
        path = self.write("t.json", trace)
        for batch in ([], ["--batch", "1"]):
            self.grove("import", path, "--doc", "d", *batch, code=3,
                       says="transaction 1, patch 1: ")
            self.assertEqual(self.json("stat")["commit"], 0)

    def test_a_transaction_has_at_most_as_many_parents_as_an_event(self):
        for count, code in ((1024, 0), (1025, 3)):
            roots = [("a", [], [[0, 0, "a"]])] * count
            merge = ("a", list(range(count)), [[count, 0, "a"]])
            trace, _ = concurrent_trace([*roots, merge], "a" * (count + 1))
            self.grove("import", self.write("t.json", trace), "--doc", str(count),
                       code=code, says=None if code == 0 else "transaction 1025, patch 0")

    def test_unusable_names_leave_not_even_a_store(self):
        trace, _ = concurrent_trace(self.TRANSACTIONS, self.END)
        path = self.write("t.json", trace)
        for names in (None, "", "[]", '["a", "b"]', '["a", "b", 7]'):
            agents = self.path("none") if names is None else self.write("n", names)
            self.grove("import", path, "--doc", "d", "--agents", agents, code=3,
                       says=agents)
        sequential = self.write("s.json", trace_of([[0, 0, "a"]], "a"))
        self.grove("import", sequential, "--doc", "d", "--agents",
                   self.write("n", '["a"]'), code=3, says="the trace is sequential")
        self.assertFalse(os.path.exists(self.path("grove-data")))

    def test_the_public_traces_end_in_their_end_content(self):
        folder = os.environ.get("GROVE_TRACES")
        if folder is None:
            self.skipTest("GROVE_TRACES names no folder of editing traces")
        agents = ["--agents", os.path.join(folder, "A2.agents.json")]
        for name, events, more in (("friendsforever", 26078, []), ("A2", 697638, agents)):
            path = os.path.join(folder, name + ".json.gz")
            with gzip.open(path) as file:
                end = json.load(file)["endContent"]
            for batch in ([], ["--batch", "9999"]):
                document = name + "".join(batch)
                report = self.json("import", path, "--doc", document, *more, *batch)
                self.assertEqual(report["events"], events)
                self.assertEqual(report["characters"], len(end))
                self.assertEqual(self.grove("cat", "--doc", document).decode(), end)
        # What ties are broken by is missing, and the edits do not fit.
        self.grove("import", path, "--doc", "nameless", code=3)


class Generate(Case):
    def test_has_the_events_and_the_length_that_were_ordered(self):
        for final in ("0", "300", "5000"):
            report = self.json("generate", "--doc", final, "--events", "5000",
                               "--final", final)
            self.assertEqual(report["events"], 5000)
            self.assertEqual(report["characters"], int(final))
            self.assertEqual(len(self.grove("cat", "--doc", final).decode()), int(final))
        self.assertEqual(self.json("generate", "--doc", "x")["characters"], 40000)

    def test_the_same_seed_makes_the_same_document(self):
        for store in ("one", "two"):
            self.grove("generate", "--doc", "d", "--events", "3000", "--seed", "9",
                       "--store", store)
        one = self.helper("events", "one", "d")
        self.assertEqual(one, self.helper("events", "two", "d"))
        self.assertGreater(len(one.splitlines()), 100)
        self.grove("generate", "--doc", "e", "--events", "3000", "--seed", "10",
                   "--store", "two")
        self.assertNotEqual(one, self.helper("events", "two", "e"))

    def test_a_written_trace_imports_as_the_document(self):
        order = ["--events", "4000", "--seed", "3", "--final", "1000"]
        self.grove("generate", "--doc", "stored", *order)
        for name in ("t.json", "t.json.gz"):
            report = self.json("generate", "--out", name, *order)
            self.assertEqual(report["events"], 4000)
            self.grove("import", name, "--doc", name)
            runs = [[line.split()[:4] for line in
                     self.helper("events", "grove-data", document).splitlines()]
                    for document in (name, "stored")]
            self.assertEqual(runs[0], runs[1])
        with open(self.path("t.json.gz"), "rb") as file:
            self.assertEqual(file.read(2), b"\x1f\x8b")

    def test_out_makes_no_store_and_names_what_it_cannot_write(self):
        self.grove("generate", "--out", "t.json", "--events", "10")
        self.assertEqual(os.listdir(self.folder), ["t.json"])
        self.grove("generate", "--out", "no/t.json", code=4, says="no/t.json")

    def test_batches_are_saved_one_after_the_other(self):
        report = self.json("generate", "--doc", "d", "--events", "1000", "--batch", "30")
        self.assertEqual(report["saves"], 34)
        self.assertEqual(len(self.grove("cat", "--doc", "d").decode()), 400)


class Reading(Case):
    def test_cat_prints_the_text_and_nothing_else(self):
        text = 'a"\\\0\n\t日本\U0001f333'
        self.grove("import", self.write("t.json", trace_of([[0, 0, text]], text)),
                   "--doc", "d")
        self.assertEqual(self.grove("cat", "--doc", "d"), text.encode())
        self.assertEqual(self.json("cat", "--doc", "d"), {"document": "d", "text": text})

    def test_cat_prints_texts_of_the_past(self):
        path = self.write("t.json", trace_of([[0, 0, "hällo"], [1, 4, "i\n"]], "hi\n"))
        self.grove("import", path, "--doc", "d", "--batch", "4")
        texts = ["", "h", "hä", "häl", "häll", "hällo", "hllo", "hlo", "ho", "h", "hi",
                 "hi\n"]
        for clock, text in enumerate(texts):
            self.assertEqual(self.grove("cat", "--doc", "d", "--at", str(clock)).decode(),
                             text)
        self.assertEqual(self.json("cat", "--doc", "d", "--at", "2")["text"], "hä")
        self.grove("cat", "--doc", "d", "--at", "12", code=3, says="12")
        self.grove("cat", "--doc", "no", "--at", "0", code=1, says="no document no")
        self.grove("compact", "--doc", "d", "--window", "0")
        self.grove("cat", "--doc", "d", "--at", "3", code=3, says="cannot be had back")
        self.assertEqual(self.grove("cat", "--doc", "d", "--at", "11"), b"hi\n")

    def test_an_empty_text_is_printed_as_nothing(self):
        trace = trace_of([[0, 0, "a"], [0, 1, ""]], "")
        self.grove("import", self.write("t.json", trace), "--doc", "d")
        self.assertEqual(self.grove("cat", "--doc", "d"), b"")
        self.assertEqual(self.json("cat", "--doc", "d")["text"], "")

    def test_cat_is_for_texts_and_info_for_all(self):
        self.helper("opaque", "grove-data", "box")
        self.grove("cat", "--doc", "box", code=3, says="box is a document of type opaque")
        self.grove("bench", "--doc", "box", code=3, says="type opaque")
        report = self.json("info", "--doc", "box")
        self.assertEqual((report["type"], report["events"]), ("opaque", 1))
        self.assertNotIn("characters", report)

    def test_info_counts(self):
        text = "ü" * 700
        self.grove("import", self.write("t.json", trace_of([[0, 0, text]], text)),
                   "--doc", "d")
        report = self.json("info", "--doc", "d")
        self.assertEqual((report["document"], report["type"], report["events"],
                          report["removed_events"], report["batches"],
                          report["characters"], report["text_bytes"],
                          report["damaged_snapshots"]),
                         ("d", "text", 700, 0, 1, 700, 1400, 0))
        self.assertRegex(report["incarnation"], "^[0-9a-f]{16}$")

    def test_info_prints_a_table_for_people(self):
        self.grove("generate", "--doc", "d", "--events", "5000", "--final", "1234")
        lines = self.grove("info", "--doc", "d").decode().splitlines()
        self.assertIn("events                  5,000", lines)
        self.assertIn("characters              1,234", lines)
        self.assertTrue(any(line.startswith("batch bytes   ") for line in lines))

    def test_ls_walks_in_the_order_of_bytes(self):
        path = self.write("t.json", trace_of([[0, 0, "a"]], "a"))
        names = ["a", "a b", "a/1", "a/2", "b", "\\x00", "\\xff", "b\\\\c", "ü", "日本"]
        names += [f"n{number:03}" for number in range(300)]
        for name in names:
            self.grove("import", path, "--doc", name, "--durability", "none")

        def raw(name):
            return (name.replace("\\x00", "\0").replace("\\\\", "\\").encode()
                    .replace(b"\\xff", b"\xff"))
        ordered = sorted(names, key=raw)
        self.assertEqual(self.grove("ls").decode().splitlines(), ordered)
        self.assertEqual(self.json("ls"), {"documents": ordered, "next": None})
        self.assertEqual(self.json("ls", "--prefix", "a/")["documents"], ["a/1", "a/2"])
        self.assertEqual(self.json("ls", "--prefix", "a/", "--after", "a/1")["documents"],
                         ["a/2"])
        self.assertEqual(self.json("ls", "--prefix", "zzz")["documents"], [])
        self.assertEqual(self.json("ls", "--limit", str(len(names)))["next"], None)
        for limit in (1, 7, 255, 256, 257):
            walked, after = [], []
            while True:
                page = self.json("ls", "--limit", str(limit), *after)
                walked += page["documents"]
                self.assertLessEqual(len(page["documents"]), limit)
                if page["next"] is None:
                    break
                after = ["--after", page["next"]]
                if limit == 1 and len(walked) == 9:
                    break
            self.assertEqual(walked, ordered[:len(walked)])
            self.assertTrue(limit == 1 or walked == ordered)
        self.assertEqual(self.grove("ls", "--limit", "1", says="go on with --after"),
                         b"\\x00\n")
        for name in ("\\x00", "\\xff", "b\\\\c", "日本"):
            self.assertEqual(self.grove("cat", "--doc", name), b"a")
            self.assertEqual(self.json("rm", "--doc", name)["document"], name)


class Tending(Case):
    def test_compact_keeps_the_text_and_a_window(self):
        self.grove("generate", "--doc", "d", "--events", "20000", "--batch", "500")
        text = self.grove("cat", "--doc", "d")
        report = self.json("compact", "--doc", "d", "--window", "5000")
        self.assertEqual(report["snapshot_clock"], 20000)
        self.assertEqual(report["removed_events"], report["base_clock"])
        self.assertLessEqual(report["base_clock"], 15000)
        self.assertEqual(self.grove("cat", "--doc", "d"), text)
        report = self.json("compact", "--doc", "d", "--window", "0")
        self.assertEqual(report["base_clock"], 20000)
        self.assertEqual(self.grove("cat", "--doc", "d"), text)
        stored = self.json("info", "--doc", "d")
        self.assertEqual((stored["batches"], stored["snapshots"], stored["events"],
                          stored["removed_events"]), (0, 1, 20000, 20000))
        self.grove("bench", "--doc", "d", code=3, says="cannot be had back")

    def test_seal_packs_and_keeps_all(self):
        self.grove("generate", "--doc", "d", "--events", "20000", "--batch", "100")
        text = self.grove("cat", "--doc", "d")
        events = self.helper("events", "grove-data", "d")
        report = self.json("seal", "--doc", "d", "--level", "19")
        self.assertLess(report["bytes_after"], report["bytes_before"])
        self.assertLessEqual(report["batches_after"], report["batches_before"])
        self.assertEqual(self.grove("cat", "--doc", "d"), text)
        stored = self.json("info", "--doc", "d")
        self.assertEqual(stored["batch_bytes"], report["bytes_after"])
        self.assertEqual(stored["removed_events"], 0)
        self.assertEqual(_characters(events),
                         _characters(self.helper("events", "grove-data", "d")))

    def test_a_higher_level_packs_tighter(self):
        sizes = []
        for level in ("1", "19"):
            self.grove("generate", "--doc", level, "--events", "20000")
            report = self.json("seal", "--doc", level, "--level", level)
            sizes.append(report["bytes_after"])
        self.assertGreater(sizes[0], sizes[1])

    def test_rm_removes_all_of_one(self):
        for name in ("a", "b"):
            self.grove("generate", "--doc", name, "--events", "100")
        report = self.json("rm", "--doc", "a")
        self.assertEqual((report["events"], report["commit"]), (100, 3))
        self.assertEqual(self.json("ls")["documents"], ["b"])
        for verb in ("rm", "cat", "info", "compact", "seal", "bench"):
            self.grove(verb, "--doc", "a", code=1, says="there is no document a")
        self.grove("generate", "--doc", "a", "--events", "100")


def _characters(events):
    """How many events of which time, however they are cut into runs."""
    count = {}
    for line in events.splitlines():
        fields = line.split()
        count[fields[0]] = count.get(fields[0], 0) + int(fields[2])
    return count


class Bench(Case):
    def test_measures_a_session_and_leaves_nothing(self):
        for backend in ("lmdb", "memory"):
            report = self.json("bench", "--events", "2000", "--final", "700",
                               "--rounds", "2", "--backend", backend)
            self.assertEqual((report["backend"], report["events"], report["characters"]),
                             (backend, 2000, 700))
            for key, value in report.items():
                if key.endswith("_ms"):
                    self.assertGreater(value, 0, key)
            self.assertEqual(os.listdir(self.folder), [])

    def test_loads_with_and_without_a_snapshot(self):
        report = self.json("bench", "--events", "400000", "--final", "20000",
                           "--rounds", "5", "--durability", "none")
        self.assertGreater(report["load_without_snapshot_ms"],
                           2 * report["load_with_snapshot_ms"])

    def test_measures_a_copy_of_a_document(self):
        self.grove("generate", "--doc", "d", "--events", "3000", "--batch", "100")
        report = self.json("bench", "--doc", "d", "--rounds", "1")
        self.assertEqual((report["events"], report["characters"]), (3000, 1200))
        self.assertEqual(self.json("info", "--doc", "d")["events"], 3000)
        self.assertEqual(os.listdir(self.folder), ["grove-data"])

    def test_says_where_it_cannot_work(self):
        self.grove("bench", "--store", "no/where", code=4, says="--store")


class CommandLine(Case):
    WRONG = (
        ([], "which verb"), (["fly"], "no verb 'fly'"), (["--fly"], "--fly"),
        (["import"], "FILE"), (["import", "f"], "--doc"),
        (["import", "f", "g", "--doc", "d"], "'g'"),
        (["import", "f", "--doc", ""], "at least 1 byte"),
        (["import", "f", "--doc", "a" * 241], "at most 240 bytes"),
        (["import", "f", "--doc", "a\\b"], "backslash"),
        (["import", "f", "--doc", "d", "--batch", "0"], "--batch"),
        (["import", "f", "--doc", "d", "--batch", "-1"], "--batch"),
        (["import", "f", "--doc", "d", "--batch", "1x"], "'1x'"),
        (["import", "f", "--doc", "d", "--batch", "268435457"], "--batch"),
        (["import", "f", "--doc", "d", "--events", "1"], "--events"),
        (["generate", "--doc", "d", "--agents", "f"], "--agents"),
        (["import-git", "--doc", "d"], "FILE"), (["import-git", "f"], "--doc"),
        (["import", "f", "--doc", "d", "--repo", "r"], "--repo"),
        (["generate"], "--doc or --out"),
        (["generate", "--doc", "d", "--out", "o"], "--doc or --out"),
        (["generate", "--out", "o", "--batch", "1"], "--batch"),
        (["generate", "--doc", "d", "--events", "0"], "--events"),
        (["generate", "--doc", "d", "--events", "100000001"], "--events"),
        (["generate", "--doc", "d", "--events", "10", "--final", "11"], "--final"),
        (["generate", "--doc", "d", "--seed", "18446744073709551616"], "--seed"),
        (["cat"], "--doc"), (["compact"], "--doc"), (["seal"], "--doc"),
        (["rm"], "--doc"), (["info"], "--doc"), (["cat", "x", "--doc", "d"], "'x'"),
        (["cat", "--doc", "d", "--at", "x"], "--at"),
        (["export", "--doc", "d"], "--out"), (["export", "--out", "f"], "--doc"),
        (["export", "--doc", "d", "--out", "f", "--vector", "--since", "v"], "--since"),
        (["merge", "--doc", "d"], "FILE"), (["merge", "f"], "--doc"), (["blame"], "--doc"),
        (["blame", "--doc", "d", "--from", "-1"], "--from"),
        (["blame", "--doc", "d", "--count", "x"], "--count"),
        (["seal", "--doc", "d", "--level", "0"], "--level"),
        (["seal", "--doc", "d", "--level", "23"], "--level"),
        (["compact", "--doc", "d", "--window", ""], "--window"),
        (["ls", "--limit", "0"], "--limit"), (["ls", "--doc", "d"], "--doc"),
        (["dump", "f"], "'f'"), (["dump", "--json"], "--out"), (["undump"], "FILE"),
        (["undump", "f", "--out", "o"], "--out"),
        (["backup"], "which PATH"), (["backup", "a", "b"], "'b'"),
        (["backup", "a", "--out", "b"], "--out"), (["stat", "d"], "'d'"),
        (["readers", "--doc", "d"], "--doc"), (["watch", "--count", "-1"], "--count"),
        (["watch", "--timeout", "1000001"], "--timeout"),
        (["watch", "--timeout", "1.5"], "'1.5'"),
        (["bench", "--rounds", "0"], "--rounds"),
        (["bench", "--doc", "d", "--events", "5"], "--events"),
        (["ls", "--store", ""], "--store"), (["ls", "--backend", "tape"], "lmdb memory"),
        (["ls", "--durability", "half"], "full, relaxed or none"),
        (["ls", "--store"], "--store"),
    )

    def test_wrong_ones_end_with_2_and_do_nothing(self):
        for arguments, says in self.WRONG:
            self.grove(*arguments, code=2, says=says)
        self.assertEqual(os.listdir(self.folder), [])

    def test_options_of_every_verb_go_before_and_behind_it(self):
        self.grove("--store", "s", "generate", "--events", "10", "--doc", "d")
        self.assertEqual(json.loads(self.grove("ls", "--json", "--store", "s")),
                         json.loads(self.grove("--json", "--store=s", "ls")))
        self.assertEqual(os.listdir(self.folder), ["s"])

    def test_the_extremes_of_numbers_are_taken(self):
        self.grove("generate", "--doc", "d", "--events", "1", "--seed",
                   "18446744073709551615")
        self.grove("compact", "--doc", "d", "--window", str(1 << 48))
        self.grove("seal", "--doc", "d", "--level", "22")
        self.grove("ls", "--limit", "18446744073709551615")

    def test_help_and_version_come_on_standard_output(self):
        self.assertRegex(self.grove("--version").decode(), r"^grove \d+\.\d+\.\d+\n$")
        for verb in ("", *VERBS):
            for option in ("--help", "--usage"):
                text = self.grove(*verb.split(), option).decode()
                self.assertTrue(text.startswith("Usage: grove"), text)

    def test_where_there_is_no_store_only_making_verbs_make_one(self):
        for verb in (["cat", "--doc", "d"], ["stat"], ["info", "--doc", "d"], ["ls"],
                     ["compact", "--doc", "d"], ["seal", "--doc", "d"],
                     ["rm", "--doc", "d"], ["blame", "--doc", "d"],
                     ["export", "--doc", "d", "--out", "f"], ["dump"],
                     ["dump", "--out", "f"], ["readers"], ["watch"], ["backup", "b"]):
            self.grove(*verb, code=1, says="there is no store at grove-data")
            self.grove(*verb, "--backend", "memory", code=1,
                       says="keeps nothing from one run")
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_memory_backend_checks_and_forgets(self):
        path = self.write("t.json", trace_of([[0, 0, "ab"]], "ab"))
        report = self.json("--backend", "memory", "import", path, "--doc", "d",
                           "--batch", "1")
        self.assertEqual((report["events"], report["saves"]), (2, 2))
        self.json("--backend", "memory", "generate", "--doc", "d", "--events", "100")
        self.assertEqual(os.listdir(self.folder), ["t.json"])

    def test_failures_of_store_and_output_end_with_4(self):
        self.write("file", "not a store")
        self.grove("ls", "--store", "file", code=4, says="cannot open the store file")
        self.grove("generate", "--doc", "d", "--events", "10", "--store", "file/s", code=4,
                   says="file/s")
        self.grove("generate", "--doc", "d", "--events", "10")
        if os.path.exists("/dev/full"):
            for arguments in (["ls"], ["cat", "--doc", "d"], ["--json", "stat"]):
                with open("/dev/full", "wb") as full:
                    done = subprocess.run([case.OPTIONS.program, *arguments], cwd=self.folder,
                                          env=case.ENVIRONMENT, stdout=full, check=False,
                                          stderr=subprocess.PIPE)
                self.assertEqual(done.returncode, 4, arguments)
                self.assertIn(b"output could not be written", done.stderr)

    def test_a_damaged_store_is_no_crash(self):
        self.grove("generate", "--doc", "d", "--events", "3000")
        data = self.path("grove-data/data.mdb")
        with open(data, "r+b") as file:
            file.write(b"\xa5" * 8192)
        done = self.run_program("cat", "--doc", "d")
        self.assertIn(done.returncode, (1, 4), done.stderr)

    def test_progress_is_for_terminals(self):
        def run_on_terminal(*arguments):
            ours, theirs = pty.openpty()
            with subprocess.Popen([case.OPTIONS.program, *arguments], cwd=self.folder,
                                  env=case.ENVIRONMENT, stderr=theirs,
                                  stdout=subprocess.DEVNULL) as process:
                os.close(theirs)
                shown = b""
                while True:
                    try:
                        piece = os.read(ours, 4096)
                    except OSError:  # the other end was closed
                        break
                    if not piece:
                        break
                    shown += piece
            os.close(ours)
            self.assertEqual(process.returncode, 0, shown)
            return shown
        shown = run_on_terminal("generate", "--doc", "a", "--events", "5000")
        self.assertIn(b" of 5000 events", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), "the line is wiped in the end")
        self.assertEqual(run_on_terminal("--json", "generate", "--doc", "b"), b"")


def _write_repository(folder):
    """A repository of one commit with a `file`, without git."""
    def put(kind, data):
        data = f"{kind} {len(data)}\0".encode() + data
        name = hashlib.sha1(data).hexdigest()
        path = os.path.join(folder, ".git/objects", name[:2])
        os.makedirs(path)
        with open(os.path.join(path, name[2:]), "wb") as file:
            file.write(zlib.compress(data))
        return name

    os.makedirs(os.path.join(folder, ".git/refs/heads"))
    blob = bytes.fromhex(put("blob", b"text\n"))
    tree = put("tree", b"100644 file\0" + blob)
    who = "A <a@example.org> 1600000000 +0000"
    commit = put("commit", f"tree {tree}\nauthor {who}\ncommitter {who}\n\n".encode())
    for name, content in (("HEAD", "ref: refs/heads/main"), ("refs/heads/main", commit)):
        with open(os.path.join(folder, ".git", name), "w", encoding="ascii") as file:
            file.write(content + "\n")


class Documentation(Case):
    """docs/CLI.md, the manual pages made of it and the program say the same."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(case.OPTIONS.source, "docs/CLI.md"), encoding="utf-8") as file:
            self.page = file.read()
        subprocess.run([sys.executable, "-B",
                        os.path.join(case.OPTIONS.source, "scripts/make-manual"),
                        case.OPTIONS.source, self.path("man")], check=True)
        self.manual = {}
        for name in os.listdir(self.path("man")):
            with open(self.path(f"man/{name}"), encoding="utf-8") as file:
                self.manual[name] = file.read().replace("\\-", "-")

    def manual_of(self, verb):
        """{title: lines} of the page of a verb."""
        name = f"grove-{verb.replace(' ', '-')}.1"
        self.assertIn(name, self.manual)
        parts = re.split(r"^\.Sh (.+)\n", self.manual[name], flags=re.M)
        return dict(zip(parts[1::2], parts[2::2]))

    def verbs_of_page(self):
        """{verb: (arguments, purpose)} of the table of verbs."""
        table = self.page.split("## Verbs")[1].split("##")[0]
        rows = re.findall(rf"^\| `({NAME})((?: [^`]+)?)` \| (.+) \|$", table, re.M)
        return {verb: (arguments.strip().replace("\\|", "|"), purpose)
                for verb, arguments, purpose in rows}

    def test_the_table_of_verbs_is_that_of_the_program(self):
        help_text = self.grove("--help").decode()
        rows = re.findall(rf"^  ({NAME}) +(\S.*)$", help_text.split("Verbs:")[1], re.M)
        page = self.verbs_of_page()
        self.assertEqual({verb: row[1] for verb, row in page.items()}, dict(rows))
        self.assertEqual(set(page), set(VERBS))
        for verb, (arguments, _) in page.items():
            usage = self.grove(*verb.split(), "--help").decode().split("\n\n")[0]
            usage = " ".join(usage.split())
            purpose = page[verb][1]
            expected = f"Usage: grove {verb} [OPTION...] {arguments}".strip()
            self.assertIn(usage, (expected, f"{expected} {purpose}."))
            self.assertRegex(self.manual_of(verb)["SYNOPSIS"], rf"(?m)^\.Cm {verb}$")
            self.assertIn(purpose[1:], self.manual_of(verb)["NAME"])
            page_name = f"grove-{verb.replace(' ', '-')}"
            self.assertIn(f".It Xr {page_name} 1\n{purpose}.", self.manual["grove.1"])
        self.assertEqual(set(self.manual), {
            "grove.1", *(f"grove-{verb.replace(' ', '-')}.1" for verb in VERBS)})

    def test_every_option_is_documented_where_it_belongs(self):
        general = {"store", "backend", "durability", "json", "help", "usage", "version"}
        intro = self.page.split("## Options")[1].split("### ")[0]
        self.assertEqual(set(re.findall(r"`--([a-z]+)", intro)), general)
        for verb in VERBS:
            own = set(re.findall(r"--([a-z]+)", self.options_of(verb))) - general
            section = re.search(rf"^### `{verb}[ `].*?(?=^##)", self.page, re.M | re.S)
            table = "\n".join(line.split("|")[1] for line in
                              section.group(0).splitlines() if line.startswith("| `"))
            self.assertEqual(set(re.findall(r"--([a-z]+)", table)), own, verb)

    def test_manual_pages_have_the_options_of_the_help_and_no_others(self):
        for verb in VERBS:
            page = self.manual_of(verb)
            help_text = set(re.findall(r"--([a-z]+)", self.options_of(verb)))
            listed = [line for line in page["OPTIONS"].splitlines()
                      if line.startswith(".It ")]
            self.assertEqual(set(re.findall(r"Fl -([a-z]+)", "\n".join(listed))),
                             help_text, verb)
            general = set(re.findall(r"Fl -([a-z]+)", page["OPTIONS"].split("every verb")[1]))
            self.assertEqual(set(re.findall(r"Fl -([a-z]+)", page["SYNOPSIS"])),
                             help_text - general, verb)

    def options_of(self, verb):
        """The part of a verb's help that lists options."""
        text = self.grove(*verb.split(), "--help").decode()
        return "\n".join(line for line in text.splitlines()
                         if re.match(r"\s+(-[\w?], )?\s*--", line))

    def test_every_key_is_documented_with_its_verbs(self):
        documented = {verb: set() for verb in VERBS}
        section = self.page.split("## Output")[1].split("##")[0]
        for key, verbs in re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", section, re.M):
            for verb in re.findall(rf"`({NAME})`", verbs):
                documented[verb].add(key)
        self.write("t.json", trace_of([[0, 0, "a"]], "a"))
        order = ["--events", "50"]
        _write_repository(self.path("repo"))
        printed = {
            "import": [["import", "t.json", "--doc", "i"]],
            "import-git": [["import-git", "file", "--doc", "ig", "--repo", "repo"]],
            "generate": [["generate", "--doc", "g", *order],
                         ["generate", "--out", "o.json", *order]],
            "export": [["export", "--doc", "i", "--out", "e"]],
            "merge": [["merge", "e", "--doc", "m"]],
            "cat": [["cat", "--doc", "g"]],
            "blame": [["blame", "--doc", "g"]],
            "info": [["info", "--doc", "g"]],
            "stat": [["stat"]],
            "readers": [["readers"]],
            "backup": [["backup", "copy"]],
            "ls": [["ls"]],
            "seal": [["seal", "--doc", "g"]],
            "compact": [["compact", "--doc", "g"]],
            "dump": [["dump", "--out", "dump"]],
            "undump": [["undump", "dump", "--store", "other"]],
            "bench": [["bench", "--rounds", "1", *order]],
            "verify": [["verify"]],
            "salvage": [["salvage", "grove-data", "saved"]],
            "json set": [["json", "set", "j", self.write("j.json", {"a": [1]})]],
            "json patch": [["json", "patch", "j", self.write("p.json", [])]],
            "json merge-patch": [["json", "merge-patch", "j", "j.json"]],
            "json get": [["json", "get", "j"]],
            "tree show": [["tree", "show", "j"]],
            "rm": [["rm", "--doc", "g"]],
        }
        self.assertEqual(documented.pop("watch"), self.keys_of_watch())
        for verb, calls in printed.items():
            keys = set()
            for call in calls:
                keys |= set(self.json(*call))
            self.assertEqual(documented[verb], keys, verb)

    def keys_of_watch(self):
        self.grove("generate", "--doc", "before", "--events", "10")
        with subprocess.Popen([case.OPTIONS.program, "watch", "--json", "--count", "1"],
                              cwd=self.folder, env=case.ENVIRONMENT,
                              stdout=subprocess.PIPE) as watch:
            keys = set(json.loads(watch.stdout.readline()))
            self.grove("generate", "--doc", "meanwhile", "--events", "10")
            return keys | set(json.loads(watch.stdout.readline()))

    def test_exit_codes_are_the_same_everywhere(self):
        section = self.page.split("## Exit codes")[1]
        self.assertEqual(re.findall(r"^\| (\d) \|", section, re.M), list("0123456"))
        for verb in VERBS:
            self.assertEqual(re.findall(r"^\.It (\d)", self.manual_of(verb)["EXIT STATUS"],
                                        re.M), list("0123456"))

    def test_manual_pages_are_well_formed(self):
        if shutil.which("mandoc"):
            command = ["mandoc", "-T", "lint", "-W", "warning"]
        elif shutil.which("groff") and glob.glob("/usr/share/groff/*/tmac/mdoc.tmac"):
            command = ["groff", "-mandoc", "-ww", "-z", "-Tutf8"]
        else:
            self.skipTest("neither mandoc nor groff is here")
        for name in self.manual:
            done = subprocess.run([*command, self.path(f"man/{name}")],
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""), name)


if __name__ == "__main__":
    case.main()
