"""The project's files as the checks see them."""

import os
import re
from dataclasses import dataclass, field
from functools import cached_property

# Folders of the project that no check looks into.
LEFT_OUT = {"build", "target", ".git", "__pycache__"}

C_FOLDERS = ("include", "src", "backends", "cli", "benchmarks", "examples", "fuzz", "tests")

# Comments, strings and character constants, so that code can be told apart.
_PIECES = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
       |(?P<string>"(?:\\.|[^"\\\n])*")
       |(?P<char>'(?:\\.|[^'\\\n])*')""",
    re.DOTALL | re.VERBOSE,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Include:
    line: int
    path: str
    quoted: bool


@dataclass(frozen=True)
class Function:
    name: str
    first_line: int
    last_line: int


def _blank(text):
    """Spaces for everything but line ends: what is left keeps its place."""
    return re.sub(r"[^\n]", " ", text)


@dataclass
class File:
    path: str
    text: str = field(repr=False)

    @property
    def is_c(self):
        return self.path.endswith((".c", ".h"))

    @cached_property
    def lines(self):
        return self.text.split("\n")

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @cached_property
    def code(self):
        """The text with comments, strings and character constants blanked."""

        def blank(match):
            piece = match.group()
            if match.lastgroup == "comment":
                return _blank(piece)
            return piece[0] + _blank(piece[1:-1]) + piece[-1]

        return _PIECES.sub(blank, self.text)

    @cached_property
    def comments(self):
        """(offset, text) of each comment."""
        return [
            (match.start(), match.group())
            for match in _PIECES.finditer(self.text)
            if match.lastgroup == "comment"
        ]

    @cached_property
    def includes(self):
        without_comments = _PIECES.sub(
            lambda match: _blank(match.group())
            if match.lastgroup == "comment"
            else match.group(),
            self.text,
        )
        return [
            Include(self.line_of(match.start()), match.group(1) or match.group(2),
                    match.group(2) is not None)
            for match in _INCLUDE.finditer(without_comments)
        ]

    @cached_property
    def functions(self):
        """Functions whose braces stand in the first column, as clang-format puts them."""
        found = []
        lines = self.code.split("\n")
        start = None
        for number, line in enumerate(lines, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start is not None:
                name = _function_name(lines, start)
                if name is not None:
                    found.append(Function(name, start, number))
                start = None
        return found


def _function_name(lines, brace):
    """The name of the function whose body opens on line `brace`, if it is one."""
    head = ""
    for line in reversed(lines[max(0, brace - 13):brace - 1]):
        if line.strip() == "" or line.startswith(("}", "#")) or line.rstrip().endswith(";"):
            break
        head = line + " " + head
    names = re.findall(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)\s*", "", head))
    return names[0] if names else None


# What was taken apart once is not taken apart again: copies of a tree share it.
_known_files = {}


def _file(path, text):
    return _known_files.setdefault((path, text), File(path, text))


class Tree:
    def __init__(self, root):
        self.root = os.path.abspath(root)

    def read(self, path):
        """The file at `path`, or None."""
        return self._by_path.get(path)

    @cached_property
    def _by_path(self):
        return {file.path: file for file in self.files}

    @cached_property
    def files(self):
        """All text files, sorted by path."""
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in LEFT_OUT]
            for name in names:
                full = os.path.join(folder, name)
                if os.path.islink(full) or name == ".git":
                    continue
                with open(full, "rb") as stream:
                    data = stream.read()
                if b"\0" in data:
                    continue
                path = os.path.relpath(full, self.root)
                try:
                    found.append(_file(path, data.decode("utf-8")))
                except UnicodeDecodeError:
                    continue
        return sorted(found, key=lambda file: file.path)

    def c_files(self, *folders):
        """C sources and headers below the given folders; below all, if none."""
        begins = tuple(folder + "/" for folder in folders or C_FOLDERS)
        return [file for file in self.files if file.is_c and file.path.startswith(begins)]

    @cached_property
    def public_headers(self):
        return [file for file in self.c_files("include") if file.path.endswith(".h")]
