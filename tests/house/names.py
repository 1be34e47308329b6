"""Names: what the libraries export, and what sources may call themselves."""

import re
import subprocess

from tree import Finding

# Writable data that outlives a call, and why it has to.
# Writable data that outlives a call, and why.
_ONE_ENVIRONMENT = "a process has one environment for a file, whoever opens it"
GLOBALS_ALLOWED = {
    "environments": _ONE_ENVIRONMENT,
    "environments_mutex": _ONE_ENVIRONMENT,
    "inherited": _ONE_ENVIRONMENT,
    "forks": "fork happens to the process, not to a handle",
    "fork_once": "fork happens to the process, not to a handle",
}

_API = re.compile(r"\bGROVE_API(?:_VOID)?\b([^;{]*?)\b(grove_\w+)\s*\(", re.DOTALL)


def public_functions(tree):
    """{name: (path, line)} of every function that include/ declares as exported."""
    found = {}
    for file in tree.public_headers:
        for match in _API.finditer(file.code):
            found[match.group(2)] = (file.path, file.line_of(match.start()))
    return found


def _run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_exports(tree, library):
    """libgrove.so exports what include/ declares: nothing more, nothing less."""
    declared = public_functions(tree)
    exported = {
        line.split()[-1].split("@")[0]
        for line in _run("nm", "-D", "--defined-only", library).splitlines()
    }
    findings = []
    for name in sorted(exported - declared.keys()):
        findings.append(Finding(library, 1, f"{name} is exported, but not declared in include/"))
    for name in sorted(declared.keys() - exported):
        path, line = declared[name]
        findings.append(Finding(path, line, f"{name} is declared, but not exported"))
    return findings


def check_symbols(tree, archive):
    """In libgrove.a all that other files see begins with grove_ or grove__."""
    declared = public_functions(tree)
    findings = []
    for line in _run("nm", "-A", "--defined-only", "--extern-only", archive).splitlines():
        place, name = line.rsplit(None, 1)[0].split(":")[1], line.split()[-1]
        internal = name.startswith("grove__")
        backend = name.startswith("grove_backend_") and "backend" not in declared.get(name, "")
        if not internal and not backend and name not in declared:
            findings.append(Finding(
                archive, 1,
                f"{place}: {name} is seen by other files: name it grove__..., or declare it"))
        if internal and name in declared:
            findings.append(Finding(archive, 1, f"{place}: {name} is public and internal"))
    return findings


_WRITABLE = re.compile(r"\s(\.data|\.bss|\.tdata|\.tbss|\*COM\*)(\.(?!rel\.ro)\S+)?\s")


def check_globals(tree, archive):
    """No writable data that outlives a call."""
    findings = []
    used = set()
    place = "?"
    for line in _run("objdump", "-t", archive).splitlines():
        heading = re.match(r"(\S+\.o):\s+file format", line)
        if heading:
            place = heading.group(1)
        # A section's own symbol has a d beside it.
        if not _WRITABLE.search(line) or re.match(r"\w+ l +d", line):
            continue
        name = re.sub(r"\.\d+$", "", line.split()[-1])
        if name in GLOBALS_ALLOWED:
            used.add(name)
            continue
        findings.append(Finding(archive, 1, f"{place}: {name} is a writable global"))
    for name in sorted(GLOBALS_ALLOWED.keys() - used):
        findings.append(Finding(archive, 1, f"{name} no longer needs its exception"))
    return findings


def check_static_names(tree):
    """A file's own functions bear no prefix; shared inline ones do."""
    findings = []
    for file in tree.c_files("src", "backends", "include"):
        is_header = file.path.endswith(".h")
        wanted = "grove__" if file.path.startswith("src/") else "grove_"
        for match in re.finditer(r"^static\b[^;{}=]*?\b(\w+)\s*\(", file.code, re.MULTILINE):
            name, line = match.group(1), file.line_of(match.start())
            if name == "__attribute__":
                continue
            if is_header and not file.path.startswith("backends/"):
                if not name.startswith(wanted):
                    findings.append(Finding(file.path, line, f"{name}: begin it with {wanted}"))
            elif not is_header and name.startswith("grove_"):
                findings.append(Finding(
                    file.path, line, f"{name} is this file's own: no prefix"))
    return findings
