"""How long things may be."""

from tree import Finding

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 700
CODE_COLUMNS_MAX = 90
COMMENT_COLUMNS_MAX = 80
SCRIPT_COLUMNS_MAX = 100
FILE_BYTES_MAX = 256 * 1024


def check_functions(tree):
    findings = []
    for file in tree.c_files():
        for function in file.functions:
            lines = function.last_line - function.first_line + 1
            if lines > FUNCTION_LINES_MAX:
                findings.append(Finding(
                    file.path, function.first_line,
                    f"{function.name} has {lines} lines; {FUNCTION_LINES_MAX} are the most"))
    return findings


def check_files(tree):
    findings = []
    for file in tree.files:
        if len(file.text.encode()) > FILE_BYTES_MAX:
            findings.append(Finding(file.path, 1, f"more than {FILE_BYTES_MAX} bytes"))
        lines = file.text.count("\n")
        if file.is_c and lines > FILE_LINES_MAX:
            findings.append(Finding(
                file.path, lines, f"{lines} lines; {FILE_LINES_MAX} are the most"))
    return findings


def check_columns(tree):
    findings = []
    for file in tree.files:
        if file.is_c:
            findings += _check_c_columns(file)
        elif file.path.endswith((".py", ".cmake", "CMakeLists.txt")) or file.text.startswith("#!"):
            for number, line in enumerate(file.lines, 1):
                if len(line) > SCRIPT_COLUMNS_MAX:
                    findings.append(Finding(
                        file.path, number,
                        f"{len(line)} columns; {SCRIPT_COLUMNS_MAX} are the most"))
    return findings


def _check_c_columns(file):
    findings = []
    code_lines = file.code.split("\n")
    for number, line in enumerate(file.lines, 1):
        if len(line) > CODE_COLUMNS_MAX:
            findings.append(Finding(
                file.path, number, f"{len(line)} columns; {CODE_COLUMNS_MAX} are the most"))
        elif len(line) > COMMENT_COLUMNS_MAX and code_lines[number - 1].strip() == "":
            findings.append(Finding(
                file.path, number,
                f"a comment of {len(line)} columns; {COMMENT_COLUMNS_MAX} are the most"))
    return findings


def check_whitespace(tree):
    findings = []
    for file in tree.files:
        if file.path.startswith("fuzz/corpus/"):
            continue
        for number, line in enumerate(file.lines, 1):
            if line != line.rstrip() and not file.path.endswith(".md"):
                findings.append(Finding(file.path, number, "blanks at the end of the line"))
            if "\t" in line and (file.is_c or file.path.endswith(".py")):
                findings.append(Finding(file.path, number, "a tab"))
        if file.text and not file.text.endswith("\n"):
            findings.append(Finding(file.path, len(file.lines), "no line end at the end"))
    return findings
