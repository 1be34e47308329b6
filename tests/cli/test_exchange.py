#!/usr/bin/env python3
"""The verbs export, merge and blame: documents in two stores, and who wrote them.

    test_exchange.py --program GROVE --helper HELPER --source FOLDER [unittest ...]
"""
import json
import os
import resource

import case

TIMES = ["2021-04-19T06:06:58.219Z", "2021-04-19T06:07:00.000Z"]


class ExchangeCase(case.Case):
    """Documents made from traces, whose replicas are their agents' names."""

    def setUp(self):
        super().setUp()
        self.traces = 0

    def make(self, store, transactions, end, document="d"):
        """Of (agent's name, parents, patches, time's index)."""
        names = sorted({name for name, *_ in transactions})
        txns = [{"agent": names.index(name), "parents": parents, "patches": patches,
                 "time": TIMES[time]} for name, parents, patches, time in transactions]
        trace = {"kind": "concurrent", "endContent": end, "txns": txns}
        self.traces += 1
        self.json("--store", store, "import", self.write(f"t{self.traces}.json", trace),
                  "--doc", document, "--agents",
                  self.write(f"n{self.traces}.json", json.dumps(names)))

    def text(self, store, document="d"):
        return self.grove("--store", store, "cat", "--doc", document).decode()

    def export(self, store, name="news", *more):
        return self.json("--store", store, "export", "--doc", "d", "--out", name, *more)

    def merge(self, store, name="news", document="d"):
        return self.json("--store", store, "merge", name, "--doc", document)

    def counts(self, report):
        return tuple(report[key] for key in
                     ("events", "known", "waiting", "aside", "adopted"))


BASE = ("ann", [], [[0, 0, "hällo"]], 0)
LEFT = ("ann", [0], [[0, 1, "H"]], 1)
RIGHT = ("bo", [0], [[5, 0, " wörld"]], 1)


class Exchange(ExchangeCase):
    def test_two_stores_come_to_the_same_text(self):
        self.make("a", [BASE, LEFT], "Hällo")
        self.make("b", [BASE, RIGHT], "hällo wörld")
        report = self.export("a")
        self.assertEqual((report["document"], report["file"], report["file_bytes"]),
                         ("d", "news", os.path.getsize(self.path("news"))))
        report = self.merge("b")
        self.assertEqual(self.counts(report), (2, 5, 0, 0, False))
        self.assertEqual(report["commit"], 2)
        self.export("b")
        self.assertEqual(self.counts(self.merge("a")), (6, 7, 0, 0, False))
        for store in "ab":
            self.assertEqual(self.text(store), "Hällo wörld")
        report = self.merge("a")
        self.assertEqual((self.counts(report), report["commit"]),
                         ((0, 13, 0, 0, False), None))

    def test_a_vector_leaves_out_what_the_other_store_has(self):
        self.make("a", [BASE, LEFT], "Hällo")
        self.make("b", [BASE], "hällo")
        self.export("b", "known", "--vector")
        with open(self.path("known"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), [{"replica": "ann", "sequence": 5}])
        whole = self.export("a")["file_bytes"]
        self.assertLess(self.export("a", "news", "--since", "known")["file_bytes"], whole)
        self.assertEqual(self.counts(self.merge("b")), (2, 0, 0, 0, False))
        self.assertEqual(self.text("b"), "Hällo")
        # What both have is nothing to export.
        self.export("b", "known", "--vector")
        self.export("a", "news", "--since", "known")
        self.assertEqual(self.counts(self.merge("b")), (0, 0, 0, 0, False))

    def test_replicas_of_any_bytes_are_carried(self):
        self.grove("--store", "a", "generate", "--doc", "d", "--events", "500")
        self.grove("--store", "a", "export", "--doc", "d", "--out", "news")
        self.merge("b")
        # A fresh random replica.
        self.grove("--store", "c", "import", self.write("t.json", {
            "endContent": "x", "txns": [{"time": TIMES[0], "patches": [[0, 0, "x"]]}]}),
            "--doc", "d")
        self.export("c")
        self.assertEqual(self.merge("b")["events"], 1)
        self.export("b", "known", "--vector")
        self.export("a", "news", "--since", "known")
        self.assertEqual(self.merge("b")["known"], 0)
        self.export("c", "news", "--since", "known")
        self.assertEqual(self.merge("b")["known"], 0)

    def test_a_new_document_gets_the_type_of_the_export(self):
        self.helper("opaque", "a", "d")
        self.export("a")
        self.assertEqual(self.merge("b")["events"], 1)
        report = self.json("--store", "b", "info", "--doc", "d")
        self.assertEqual((report["type"], report["events"]), ("opaque", 1))
        self.make("c", [BASE], "hällo")
        self.grove("--store", "c", "merge", "news", "--doc", "d", code=3,
                   says="of type opaque")
        self.assertEqual(self.text("c"), "hällo")

    def test_events_wait_for_what_they_depend_on(self):
        self.make("a", [BASE, LEFT], "Hällo")
        known = [{"replica": "ann", "sequence": 5}]
        self.write("known", json.dumps(known))
        self.export("a", "late", "--since", "known")
        self.export("a", "all")
        report = self.merge("b", "late")
        self.assertEqual(self.counts(report), (0, 0, 2, 0, False))
        self.assertEqual(self.merge("b", "all")["waiting"], 0)
        self.assertEqual(self.text("b"), "Hällo")

    def test_what_was_compacted_is_adopted(self):
        self.make("a", [BASE, LEFT], "Hällo")
        self.grove("--store", "a", "compact", "--doc", "d", "--window", "0")
        self.export("a")
        self.assertEqual(self.counts(self.merge("b")), (7, 0, 0, 0, True))
        self.assertEqual(self.text("b"), "Hällo")
        lines = self.grove("--store", "b", "merge", "news", "--doc", "e").decode()
        self.assertIn("adopted                 yes\n", lines)

    def test_what_is_no_export_changes_nothing(self):
        self.make("a", [BASE, LEFT], "Hällo")
        self.make("b", [BASE], "hällo")
        self.export("a")
        with open(self.path("news"), "rb") as file:
            whole = file.read()
        for bytes_ in (b"", b"hello", whole[:-1], whole + b"x",
                       whole[:60] + bytes([whole[60] ^ 1]) + whole[61:]):
            with open(self.path("bad"), "wb") as file:
                file.write(bytes_)
            self.grove("--store", "b", "merge", "bad", "--doc", "d", code=3, says="bad")
        self.grove("--store", "b", "merge", "none", "--doc", "d", code=3, says="none")
        self.assertEqual(self.json("--store", "b", "stat")["commit"], 1)
        self.assertEqual(self.text("b"), "hällo")

    def test_one_replica_in_two_places_is_refused(self):
        self.make("a", [BASE, LEFT], "Hällo")
        self.make("b", [BASE, ("ann", [0], [[0, 0, "ö"]], 1)], "öhällo")
        self.export("a")
        self.grove("--store", "b", "merge", "news", "--doc", "d", code=5,
                   says="GROVE_REPLICA_REUSED")
        self.assertEqual(self.text("b"), "öhällo")

    def test_an_export_is_whole_or_not_there(self):
        self.make("a", [BASE], "hällo")
        for more in ([], ["--vector"]):
            self.grove("--store", "a", "export", "--doc", "d", "--out", "no/news", *more,
                       code=4, says="no/news could not be written: No such file")
        self.grove("--store", "a", "export", "--doc", "e", "--out", "news", code=1,
                   says="no document e")
        for text in (None, "", "{}", "[7]", '[{"replica": "a"}]'):
            known = self.path("none") if text is None else self.write("known", text)
            self.grove("--store", "a", "export", "--doc", "d", "--out", "news",
                       "--since", known, code=3, says=known)
        self.assertFalse(os.path.exists(self.path("news")))

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
        for more in ([], ["--vector"]):
            done = self.run_program("--store", "a", "export", "--doc", "d", "--out",
                                    "news", *more, preexec_fn=small_files,
                                    restore_signals=False)  # SIGXFSZ stays ignored
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn(b"news could not be written: File too large", done.stderr)
            self.assertFalse(os.path.exists(self.path("news")))


class Blame(ExchangeCase):
    def setUp(self):
        super().setUp()
        self.make("grove-data", [BASE, LEFT, RIGHT, ("bo", [1, 2], [[1, 1, "\n"]], 1)],
                  "H\nllo wörld")

    def test_a_line_tells_of_each_stretch(self):
        lines = self.grove("blame", "--doc", "d").decode().splitlines()
        self.assertEqual(lines, [f'{TIMES[1]}  ann  "H"', f'{TIMES[1]}  bo  "\\n"',
                                 f'{TIMES[0]}  ann  "llo"', f'{TIMES[1]}  bo  " wörld"'])

    def test_a_part_of_the_text_can_be_asked_for(self):
        for part, texts in ((["--from", "3"], ["lo", " wörld"]), (["--from", "11"], []),
                            (["--count", "2"], ["H", "\n"]), (["--count", "0"], []),
                            (["--from", "4", "--count", "4"], ["o", " wö"])):
            report = self.json("blame", "--doc", "d", *part)
            self.assertEqual([item["text"] for item in report["stretches"]], texts, part)
        for part in (["--from", "12"], ["--from", "5", "--count", "7"]):
            self.grove("blame", "--doc", "d", *part, code=3, says="beyond the end")

    def test_an_object_tells_of_the_first_event(self):
        report = self.json("blame", "--doc", "d", "--from", "2", "--count", "4")
        self.assertEqual(report, {"document": "d", "stretches": [
            {"position": 2, "characters": 3, "replica": "ann", "sequence": 2, "clock": 2,
             "time": TIMES[0], "text": "llo"},
            {"position": 5, "characters": 1, "replica": "bo", "sequence": 0, "clock": 7,
             "time": TIMES[1], "text": " "}]})

    def test_what_was_removed_is_unknown(self):
        self.grove("compact", "--doc", "d", "--window", "0")
        self.assertEqual(self.grove("blame", "--doc", "d").decode(),
                         "unknown                   unknown  \"H\\nllo wörld\"\n")
        stretch = self.json("blame", "--doc", "d")["stretches"][0]
        self.assertEqual([stretch[key] for key in
                          ("replica", "sequence", "clock", "time", "characters")],
                         [None, None, None, None, 11])

    def test_is_for_texts_that_are_there(self):
        self.helper("opaque", "grove-data", "box")
        self.grove("blame", "--doc", "box", code=3, says="blame is for texts")
        self.grove("blame", "--doc", "no", code=1, says="no document no")


if __name__ == "__main__":
    case.main()
