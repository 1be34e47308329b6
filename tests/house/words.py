"""Words that only some rooms may say, and words that nobody may."""

import re

from tree import Finding

LIBRARY = ("include", "src", "backends")

# What, where it is not allowed, what is meant, and the files that may.
# A file that may and does not is a finding too: lists like this only shrink.
RESTRICTED = [
    (r"v?f?printf|v?d?printf|f?puts|f?putc|putchar|perror|fwrite|v?as?printf", LIBRARY,
     "the library prints nothing", {"src/base/assert.c", "backends/memory/teacher.c"}),
    (r"v?snprintf", LIBRARY,
     "sentences are made by base/error.h",
     {"src/base/error.c", "backends/lmdb/lmdb_error.c", "backends/lmdb/lmdb_watch.c",
      "backends/memory/teacher.c"}),
    (r"malloc|calloc|realloc|reallocarray|free|strdup|strndup|alloca|aligned_alloc"
     r"|posix_memalign|getline|asprintf", LIBRARY,
     "memory comes through base/alloc.h",
     {"src/base/alloc.c", "backends/memory/heap.c", "backends/lmdb/lmdb_shared.c"}),
    (r"rand|srand|random|srandom|rand_r|drand48|arc4random\w*|getrandom|getentropy", LIBRARY,
     "randomness comes from the store's options", {"src/store/store.c"}),
    (r"time|clock|clock_gettime|gettimeofday|timespec_get|localtime\w*|gmtime\w*", LIBRARY,
     "the time comes from the store's options; how long to wait does not",
     {"src/store/store.c", "src/store/watch.c", "backends/lmdb/lmdb_control.c",
      "backends/memory/bell.c"}),
    (r"getenv|secure_getenv|setenv|putenv|unsetenv", LIBRARY + ("cli",),
     "no hidden inputs", set()),
    (r"abort|exit|_exit|quick_exit|_Exit|raise", LIBRARY,
     "only an assertion ends the process", {"src/base/assert.c", "backends/memory/teacher.c"}),
    (r"pthread_create|thrd_create|fork|vfork|system|popen|exec[lv]\w*|posix_spawnp?", LIBRARY,
     "the library starts no threads and no programs", set()),
    (r"assert", LIBRARY, "GROVE_ASSERT stays on in release builds", set()),
    (r"setjmp|longjmp|sigsetjmp|siglongjmp", (), "no jumps between functions", set()),
    (r"strcpy|strcat|sprintf|vsprintf|gets|strncat|strncpy|strtok|atoi|atol|atoll|scanf"
     r"|sscanf|fscanf", (), "unbounded, or blind to errors", set()),
]


def check_restricted(tree):
    findings = []
    for pattern, folders, why, exceptions in RESTRICTED:
        call = re.compile(rf"(?<![\w.>])(?:{pattern})\s*\(")
        said = set()
        for file in tree.c_files(*folders):
            for match in call.finditer(file.code):
                if _is_name(file.code, match.start()):
                    continue
                said.add(file.path)
                if file.path not in exceptions:
                    findings.append(Finding(
                        file.path, file.line_of(match.start()),
                        f"{match.group().rstrip('( ')}: {why}"))
        for path in sorted(exceptions - said):
            if tree.read(path):
                findings.append(Finding(path, 1, f"no longer needs its exception: {why}"))
    return findings


def check_exits(tree):
    """Criterion takes exit(0) in a test as passed; a child process ends with _exit."""
    return [
        Finding(file.path, file.line_of(match.start()), "a test that exits counts as passed")
        for file in tree.c_files("tests")
        if any(include.path.startswith("criterion/") for include in file.includes)
        for match in re.finditer(r"(?<!\w)exit\s*\(", file.code)
    ]


def _is_name(code, offset):
    """Whether the word before is a type, so that this declares the name."""
    before = re.search(r"(\w+)[ *]*$", code[max(0, offset - 80):offset])
    keywords = {"return", "else", "do", "case", "sizeof"}
    return before is not None and before.group(1) not in keywords


# Written so that they do not find themselves.
NOBODY = [
    (r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", "unfinished: finish it or take it out"),
    (r"#\s*pragma\s+on" r"ce\b", "headers have include guards"),
    (r"(?<![\w.])/(work|root|home/\w+|tmp/wt|Users)/", "a path of one machine"),
    # Cargo writes the name of its index into each source of a lock file; that may stand.
    (r"\b(deb\.debian|registry\.npm" r"js|pypi|proxy\.golang|crates(?!\.io-index\")"
     r"|repo\d*\.maven)\.\w+",
     "the host of a package registry"),
    (r"\b(not implement" r"ed|unimplement" r"ed)\b", "unfinished: finish it or take it out"),
]


def check_nobody(tree):
    findings = []
    for file in tree.files:
        if file.path.startswith("fuzz/corpus/"):
            continue
        for pattern, why in NOBODY:
            for match in re.finditer(pattern, file.text):
                findings.append(Finding(
                    file.path, file.line_of(match.start()), f"{match.group()}: {why}"))
    return findings


def check_jumps(tree):
    """goto goes forward to `out` only, and no macro returns or jumps."""
    findings = []
    for file in tree.c_files():
        for match in re.finditer(r"\bgoto\s+(\w+)\s*;", file.code):
            line = file.line_of(match.start())
            if match.group(1) != "out":
                findings.append(Finding(file.path, line, "the only label is out"))
            elif not re.search(r"^\s*out:", _rest_of_function(file.code, match.end()),
                               re.MULTILINE):
                findings.append(Finding(file.path, line, "goes backwards"))
    for file in tree.c_files("include", "src", "backends", "cli"):
        for match in re.finditer(r"^[ \t]*#[ \t]*define\b(?:[^\n]*\\\n)*[^\n]*", file.code,
                                 re.MULTILINE):
            if re.search(r"\b(return|goto)\b", match.group()):
                findings.append(Finding(
                    file.path, file.line_of(match.start()), "a macro that returns or jumps"))
    return findings


def _rest_of_function(code, offset):
    end = code.find("\n}", offset)
    return code[offset:end if end >= 0 else len(code)]


def check_guards(tree):
    findings = []
    seen = {}
    for file in tree.c_files():
        if not file.path.endswith(".h"):
            continue
        stem = re.sub(r"\W", "_", file.path.rsplit("/", 1)[-1]).upper()
        match = re.search(r"^\s*#ifndef (\w+)\n#define (\w+)\n", file.code)
        guard = match.group(1) if match else ""
        if not guard.endswith("_" + stem) or match.group(2) != guard:
            findings.append(Finding(file.path, 1, f"no include guard ..._{stem}"))
        elif guard in seen:
            findings.append(Finding(file.path, 1, f"{guard} guards {seen[guard]} too"))
        else:
            seen[guard] = file.path
    return findings
