"""What headers, tests and documents promise one another."""

import os
import re

from names import public_functions
from tree import Finding

# Statuses that no test can provoke yet, and why.
STATUSES_UNPROVOKED = {}

# Sources without a test file of their own name, and what tests them: files that
# share one header with others, or are only reached through another.
MIRRORED_ELSEWHERE = {
    "src/commit/listing.c": "tests/store/test_group.c",
    "src/commit/store.c": "tests/store/test_store.c",
    "src/document/addition.c": "tests/document/test_add.c",
    "src/document/batches.c": "tests/document/test_damage.c",
    "src/document/catalog.c": "tests/document/test_document.c",
    "src/document/change.c": "tests/document/test_faults.c",
    "src/document/edit.c": "tests/document/test_add.c",
    "src/document/history.c": "tests/document/test_two_handles.c",
    "src/document/known.c": "tests/document/test_add.c",
    "src/document/load.c": "tests/document/test_model.c",
    "src/document/opaque_type.c": "tests/document/test_opaque.c",
    "src/document/policy.c": "tests/document/test_save.c",
    "src/document/rebuild.c": "tests/document/test_base.c",
    "src/document/salvage_plan.c": "tests/store/test_salvage.c",
    "src/document/seal.c": "tests/document/test_compact.c",
    "src/document/verify_clocks.c": "tests/store/test_verify_commits.c",
    "src/document/verify_events.c": "tests/store/test_verify.c",
    "src/document/verify_ids.c": "tests/store/test_salvage.c",
    "src/document/verify_replay.c": "tests/store/test_verify.c",
    "src/document/verify_rows.c": "tests/store/test_verify.c",
    "src/document/walking.c": "tests/document/test_merge.c",
    "src/format/batch_graph.c": "tests/format/test_batch.c",
    "src/format/batch_times.c": "tests/format/test_batch.c",
    "src/format/event_ids.c": "tests/format/test_events.c",
    "src/format/event_operations.c": "tests/format/test_events.c",
    "src/format/events_cursor.c": "tests/format/test_events.c",
    "src/json/data_put.c": "tests/json/test_data.c",
    "src/json/data_write.c": "tests/json/test_data.c",
    "src/json/put.c": "tests/json/test_set.c",
    "src/json/walk.c": "tests/json/test_get.c",
    "src/store/verify_clocks.c": "tests/store/test_verify_commits.c",
    "src/store/visit.c": "tests/store/test_verify.c",
    "src/graph/walk.c": "tests/graph/test_version.c",
}

CHANGELOG_SECTIONS = ("Stored format", "Backend interface")


def _test_code(tree):
    return [file for file in tree.c_files("tests")]


def check_statuses(tree):
    """Every status is named by a test."""
    header = tree.read("include/grove/status.h")
    findings = []
    for match in re.finditer(r"^\s+(GROVE_\w+) = \d+", header.code, re.MULTILINE):
        name = match.group(1)
        named = any(re.search(rf"\b{name}\b", file.code) for file in _test_code(tree))
        if not named and name not in STATUSES_UNPROVOKED:
            findings.append(Finding(
                header.path, header.line_of(match.start(1)), f"no test provokes {name}"))
        if named and name in STATUSES_UNPROVOKED:
            findings.append(Finding(
                header.path, header.line_of(match.start(1)),
                f"{name} no longer needs its exception in tests/house/contracts.py"))
    return findings


def check_tested(tree):
    """Every public function is called by a test or an example."""
    code = [file.code for file in _test_code(tree) + tree.c_files("examples")]
    return [
        Finding(path, line, f"no test calls {name}")
        for name, (path, line) in public_functions(tree).items()
        if not any(re.search(rf"\b{name}\s*\(", text) for text in code)
    ]


def check_mirrors(tree):
    """src/ROOM/x.c has tests/ROOM/test_x.c, or is listed with what tests it."""
    findings = []
    for file in tree.c_files("src"):
        if not file.path.endswith(".c"):
            continue
        _, room, name = file.path.split("/", 2)
        own = f"tests/{room}/test_{name}"
        elsewhere = MIRRORED_ELSEWHERE.get(file.path)
        if tree.read(own):
            if elsewhere:
                findings.append(Finding(file.path, 1, f"{own} is there: no exception needed"))
        elif elsewhere is None:
            findings.append(Finding(file.path, 1, f"there is no {own}"))
        elif not tree.read(elsewhere):
            findings.append(Finding(file.path, 1, f"nor is there {elsewhere}"))
    return findings


def check_comments(tree):
    """Every public function has a comment, or follows one that covers both."""
    findings = []
    for file in tree.public_headers:
        declared = [
            (match.start(), match.group(2))
            for match in re.finditer(
                r"^(GROVE_API(?:_VOID)?\b|static inline\b)[^;{]*?\b(grove_\w+)\s*\(",
                file.code, re.MULTILINE)
        ]
        comment_ends = {offset + len(text) for offset, text in file.comments}
        for offset, name in declared:
            if not _is_commented(file, offset, comment_ends):
                findings.append(Finding(file.path, file.line_of(offset), f"{name}: no comment"))
    return findings


def _is_commented(file, offset, comment_ends):
    """Goes up through declarations without a blank line between to a comment."""
    before = file.text[:offset]
    while True:
        if before.endswith("\n\n"):
            return len(before.rstrip()) in comment_ends and before.endswith("*/\n\n")
        stripped = before.rstrip()
        if len(stripped) in comment_ends:
            return True
        if stripped == "" or stripped.endswith("*/") or "\n" not in stripped:
            return False
        before = stripped[:stripped.rfind("\n") + 1]


def limits(tree):
    """{name: (line, value)} of include/grove/limits.h; shrunken ones left out."""
    header = tree.read("include/grove/limits.h")
    found = {}
    code = re.sub(r"#ifdef GROVE_TINY_LIMITS\n.*?#else", lambda m: "\n" * m.group().count("\n"),
                  header.code, flags=re.DOTALL)
    for match in re.finditer(r"^#define (GROVE_\w+) (.+)$", code, re.MULTILINE):
        expression = re.sub(r"UINT64_C\((\w+)\)|\b(\d+)[uU]\b",
                            lambda m: m.group(1) or m.group(2), match.group(2))
        if re.fullmatch(r"(0x[\da-f]+|[\d\s()<*+-])+", expression):
            # Numbers and operators only, as just matched.
            value = eval(expression, {"__builtins__": {}})
            found[match.group(1)] = (header.line_of(match.start()), value)
    return found


def check_limits(tree):
    """docs/LIMITS.md lists each limit with its value, and no other."""
    known = limits(tree)
    document = tree.read("docs/LIMITS.md")
    if document is None:
        return [Finding("docs/LIMITS.md", 1, "is missing")]
    findings = []
    listed = {}
    for number, line in enumerate(document.lines, 1):
        match = re.match(r"\| `(GROVE_\w+)` \| ([^|]+) \| ([^|]+) \|", line)
        if match:
            listed[match.group(1)] = (number, match.group(2), match.group(3))
    for name, (line, value) in known.items():
        if name not in listed:
            findings.append(Finding(
                "include/grove/limits.h", line, f"{name} is not in {document.path}"))
        elif value not in _numbers(listed[name][1]):
            findings.append(Finding(
                document.path, listed[name][0], f"{name} is {value} in limits.h"))
    for name in listed.keys() - known.keys():
        findings.append(Finding(document.path, listed[name][0], f"there is no {name}"))
    return findings


def _numbers(text):
    """The number in a text: 1,024 and 2^28 and 2^28 - 1 alike."""
    power = re.search(r"\b(\d+)\^(\d+)(?: - (\d+))?", text)
    if power:
        return {int(power.group(1)) ** int(power.group(2)) - int(power.group(3) or 0)}
    return {int(number.replace(",", "")) for number in re.findall(r"\b\d[\d,]*\b", text)}


def check_changelog(tree):
    """Every release says what became of the stored format and of backends."""
    file = tree.read("CHANGELOG.md")
    if file is None:
        return [Finding("CHANGELOG.md", 1, "is missing")]
    findings = []
    releases = list(re.finditer(r"^## .*$", file.text, re.MULTILINE))
    if not releases:
        findings.append(Finding(file.path, 1, "has no release"))
    for index, match in enumerate(releases):
        end = releases[index + 1].start() if index + 1 < len(releases) else len(file.text)
        for section in CHANGELOG_SECTIONS:
            if f"\n### {section}\n" not in file.text[match.start():end]:
                findings.append(Finding(
                    file.path, file.line_of(match.start()), f"has no section {section}"))
    return findings


def check_links(tree):
    """Links and paths in documents lead somewhere."""
    findings = []
    for file in tree.files:
        if not file.path.endswith(".md"):
            continue
        folder = os.path.dirname(file.path)
        for match in re.finditer(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", file.text):
            if "://" in match.group(1):
                continue
            target = os.path.join(tree.root, folder, match.group(1))
            if not os.path.exists(target):
                findings.append(Finding(
                    file.path, file.line_of(match.start()), f"no such file: {match.group(1)}"))
        for match in re.finditer(
                r"`((?:\.ci|backends|benchmarks|cli|cmake|docs|examples|fuzz|include|scripts|src"
                r"|tests)/[\w./-]+)`", file.text):
            if not os.path.exists(os.path.join(tree.root, match.group(1).rstrip("/."))):
                findings.append(Finding(
                    file.path, file.line_of(match.start()), f"no such file: {match.group(1)}"))
    return findings
