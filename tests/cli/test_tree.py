#!/usr/bin/env python3
"""The verbs of trees: tree show, json get, json set, json patch, json merge-patch.

    test_tree.py --program GROVE --helper HELPER --source FOLDER [unittest ...]
"""
import gzip
import json
import os

import case


class TreeCase(case.Case):
    def given(self, *arguments, text, code=0, says=None):
        """Runs the program with a text on standard input."""
        done = self.run_program(*arguments, input=text.encode())
        error = done.stderr.decode()
        self.assertEqual(done.returncode, code, error)
        self.assertNotIn("Sanitizer", error)
        self.assertIn(says or "", error)
        return done.stdout

    def set(self, value, document="d"):
        self.given("json", "set", document, text=json.dumps(value))

    def get(self, *arguments):
        return self.grove("json", "get", *arguments).decode()


class Json(TreeCase):
    def test_what_is_set_is_printed_and_only_what_differs_is_stored(self):
        report = json.loads(self.given("json", "set", "d", "--json",
                                       text='{"a": [1, 2.0, null], "b": {"c": "ä"}}'))
        self.assertEqual(report, {"document": "d", "events": 7, "commit": 1})
        self.assertEqual(self.get("d"), '{"a":[1,2.0,null],"b":{"c":"ä"}}\n')
        report = json.loads(self.given("json", "set", "d", "-", "--json",
                                       text='{"a": [1, 2.0, null], "b": {"c": "x"}}'))
        self.assertEqual(report, {"document": "d", "events": 1, "commit": 2})
        report = json.loads(self.given("json", "set", "d", "--json",
                                       text='{"b": {"c": "x"}, "a": [1, 2.0, null]}'))
        self.assertEqual(report, {"document": "d", "events": 0, "commit": None})
        self.assertEqual(self.json("info", "--doc", "d")["type"], "tree")

    def test_a_pointer_names_a_value(self):
        self.set({"a": [1, {"x/y": "z"}], "m~n": 8})
        self.assertEqual(self.get("d", "/a/1/x~1y"), '"z"\n')
        self.assertEqual(self.get("d", "/m~0n"), "8\n")
        self.assertEqual(self.get("d", ""), '{"a":[1,{"x/y":"z"}],"m~n":8}\n')
        self.assertEqual(self.json("json", "get", "d", "/a/1"),
                         {"document": "d", "value": {"x/y": "z"}})
        for pointer, says in (("/b", "leads nowhere"), ("/a/3", "not so many"),
                              ("/a/01", "leading zeros"), ("a", "begins with /"),
                              ("/~", "byte 1")):
            self.assertEqual(self.grove("json", "get", "d", pointer, code=3, says=says), b"")
            self.assertEqual(self.grove("json", "get", "d", pointer, "--json", code=3), b"")

    def test_the_past_can_be_read(self):
        self.set({"a": 1})
        self.set({"a": 2})
        self.assertEqual(self.get("d", "/a", "--at", "2"), "1\n")
        self.assertEqual(self.get("d", "/a"), "2\n")
        self.grove("json", "get", "d", "--at", "0", code=3, says="leads nowhere")
        self.grove("json", "get", "d", "--at", "9", code=3)

    def test_patches_are_applied_whole_or_not_at_all(self):
        self.set({"a": [1, 2]})
        patch = [{"op": "add", "path": "/a/-", "value": 3},
                 {"op": "test", "path": "/a", "value": [1, 2, 3]},
                 {"op": "move", "from": "/a/0", "path": "/a/2"}]
        self.grove("json", "patch", "d", self.write("p.json", patch))
        self.assertEqual(self.get("d"), '{"a":[2,3,1]}\n')
        patch[1]["value"] = 0
        self.given("json", "patch", "d", text=json.dumps(patch), code=3,
                   says='operation 1, at "/a"')
        self.assertEqual(self.get("d"), '{"a":[2,3,1]}\n')
        self.assertEqual(self.json("stat")["commit"], 2)
        self.given("json", "merge-patch", "d", text='{"a": null, "b": {"c": null}}')
        self.assertEqual(self.get("d"), '{"b":{}}\n')

    def test_files_may_be_compressed(self):
        with gzip.open(self.path("v.gz"), "wt") as file:
            file.write("[1]")
        self.grove("json", "set", "d", "v.gz")
        self.assertEqual(self.get("d"), "[1]\n")

    def test_bad_input_is_refused_and_nothing_is_stored(self):
        for text, says in (("", "byte 0"), ('{"a":1,"a":2}', "byte 10"),
                           ("[1e999]", "finite double"), ('{"\\u0000":1}', "U+0000")):
            for verb in ("set", "patch", "merge-patch"):
                self.set([1])
                self.given("json", verb, "d", text=text, code=3, says=says)
                self.assertEqual(self.get("d"), "[1]\n")
        self.given("json", "patch", "d", text="{}", code=3, says="array of operations")
        self.grove("json", "set", "d", "nowhere.json", code=3, says="nowhere.json")
        self.given("json", "set", "new", text="[", code=3)
        self.grove("json", "get", "new", code=1, says="no document new")

    def test_documents_that_are_not_there_or_no_trees(self):
        for verb in ("patch", "merge-patch"):
            self.given("json", verb, "d", text="[]", code=1, says="no store")
        self.grove("generate", "--doc", "text", "--events", "10")
        for verb in ("patch", "merge-patch"):
            self.given("json", verb, "d", text="[]", code=1, says="no document d")
        for verb in ("set", "patch", "merge-patch"):
            self.given("json", verb, "text", text="[]", code=3,
                       says=f"text is a document of type text: json {verb} is for trees")
        self.grove("json", "get", "text", code=3, says="json get is for trees")
        self.grove("tree", "show", "text", code=3, says="tree show is for trees")
        self.set(1)
        self.grove("cat", "--doc", "d", code=3, says="cat is for texts")

    def test_wrong_command_lines(self):
        self.grove("json", code=2, says="no verb 'json'")
        self.grove("json", "take", code=2, says="no verb 'json'")
        self.grove("tree", code=2, says="no verb 'tree'")
        self.grove("json", "get", code=2, says="which DOC?")
        self.grove("json", "set", "", code=2, says="at least 1 byte")
        self.grove("json", "get", "d", "/a", "b", code=2, says="what is 'b' for?")
        self.grove("json", "set", "d", "f", "g", code=2, says="what is 'g' for?")
        self.grove("tree", "show", "d", "x", code=2, says="what is 'x' for?")
        self.grove("tree", "show", "d", "--depth", "-1", code=2, says="whole number")
        self.grove("tree", "show", "d", "--depth", "1", "--json", code=2, says="--depth")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_store_with_trees_is_whole_and_travels(self):
        self.set({"a": [1, {"b": 2}]})
        self.grove("verify", "--replay")
        self.grove("export", "--doc", "d", "--out", "news")
        self.grove("merge", "news", "--doc", "d", "--store", "other")
        self.assertEqual(self.get("d", "--store", "other"), self.get("d"))
        self.given("json", "set", "d", "--store", "other", text='{"a": [1, {"b": 3}]}')
        self.grove("export", "--doc", "d", "--out", "back", "--store", "other")
        self.grove("merge", "back", "--doc", "d")
        self.assertEqual(self.get("d"), '{"a":[1,{"b":3}]}\n')
        self.grove("dump", "--out", "dump")
        self.grove("undump", "dump", "--store", "third")
        self.assertEqual(self.get("d", "--store", "third"), self.get("d"))


class Show(TreeCase):
    def lines(self, *arguments):
        return self.grove("tree", "show", "d", *arguments).decode().splitlines()

    def test_nodes_are_printed_below_their_parents(self):
        self.set({"a": [1, 0.1, "x\n"], "b": True, "": None})
        lines = self.lines()
        shape = [(len(line) - len(line.lstrip()), line.split()[0], line.split()[2:])
                 for line in lines[1:]]
        self.assertEqual(lines[0], "root")
        self.assertEqual(shape, [
            (2, "object", ['key=""']), (4, "array", ['key="a"']),
            (6, "value", ["value=1"]), (6, "value", ["value=0.1"]),
            (6, "value", ['value="x\\n"']), (4, "value", ['key="b"', "value=true"]),
            (4, "value", ['key=""', "value=null"])])
        self.assertRegex(lines[1].split()[1], r'^x"[0-9a-f]{40}"$')
        self.assertRegex(lines[3].split()[1], r"^[0-9a-f]{32}\.\d+$")

    def test_depth_and_deleted_nodes(self):
        self.set({"a": [1], "b": 2})
        self.set({"a": [1]})
        self.assertEqual(len(self.lines()), 4)
        self.assertEqual(len(self.lines("--depth", "0")), 1)
        self.assertEqual(len(self.lines("--depth", "2")), 3)
        deleted = [line for line in self.lines("--deleted") if "(deleted)" in line]
        self.assertEqual([line.split()[2:] for line in deleted],
                         [['key="b"', "value=2", "(deleted)"]])
        self.assertEqual(len(self.lines("--at", "4")), 5)

    def test_json_is_plain_data(self):
        self.set({"a": [1.0]})
        tree = self.json("tree", "show", "d")
        self.assertEqual((tree["id"], tree["type"]), ("", ""))
        self.assertEqual(list(tree), ["id", "type", "children"])
        whole = tree["children"][0]
        self.assertEqual((whole["type"], whole["attrs"]), ("object", {"key": ""}))
        self.assertEqual(whole["id"], {"bytes": "082ad992fb76871c33a1b9993a082952feaca5e6"})
        element = whole["children"][0]["children"][0]
        self.assertEqual((element["type"], element["attrs"]), ("value", {"value": 1.0}))
        self.assertIn(b'"value":1.0', self.grove("tree", "show", "d", "--json"))


if __name__ == "__main__":
    case.main()
