"""Headers stand alone: each compiles first in a file, public ones in C++ too."""

import re
import subprocess

from tree import Finding

_C = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-D_DEFAULT_SOURCE"]
_STRICT = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def _compile(tree, compiler, language, options, header):
    """The compiler's first complaint, or None. Twice, for the include guard."""
    source = f"#include <{header}>\n#include <{header}>\n"
    if language == "c":
        source += "typedef int grove_not_empty;\n"
    command = [compiler, "-x", language, *options, *_STRICT, f"-I{tree.root}/include",
               f"-I{tree.root}/src", "-"]
    result = subprocess.run(command, input=source, capture_output=True, text=True)
    if result.returncode == 0:
        return None
    return next((line for line in result.stderr.splitlines() if "error" in line),
                result.stderr[:200])


def check_headers(tree, compiler, compiler_cxx):
    findings = []
    for file in tree.c_files("include", "src"):
        if not file.path.endswith(".h"):
            continue
        header = re.sub(r"^(include|src)/", "", file.path)
        trials = [(compiler, "c", _C)]
        if file.path.startswith("include/"):
            trials += [(compiler_cxx, "c++", ["-std=c++11"]), (compiler_cxx, "c++", ["-std=c++20"])]
        for trial_compiler, language, options in trials:
            complaint = _compile(tree, trial_compiler, language, options, header)
            if complaint:
                findings.append(Finding(
                    file.path, 1, f"as {options[0][5:]} does not stand alone: {complaint}"))
    return findings
