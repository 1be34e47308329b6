"""Who may include whom: src/FLOORS, and no cycle inside a room."""

import os
import re

from tree import Finding

# Headers that anybody may use. What stdlib.h has beside qsort, words.py watches.
PURE_HEADERS = {
    "assert.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "stdnoreturn.h", "string.h",
}


class Room:
    def __init__(self, name, floor, words):
        self.name = name
        self.floor = floor
        # "system": any header of C and POSIX; else headers by name.
        self.talks_to_system = "system" in words
        self.libraries = set(words) - {"system"}


def read_floors(tree):
    file = tree.read("src/FLOORS")
    rooms = {}
    for line in file.lines if file else []:
        words = line.split("#")[0].split()
        if words:
            rooms[words[1]] = Room(words[1], int(words[0]), words[2:])
    return rooms


def room_of(path, rooms):
    """The room whose folder `path` lies in, or None."""
    folder = os.path.dirname(path)
    while folder:
        if folder in rooms:
            return rooms[folder]
        folder = os.path.dirname(folder)
    return None


def check_includes(tree):
    rooms = read_floors(tree)
    findings = []
    for file in tree.c_files("include", "src", "backends", "cli", "examples"):
        room = room_of(file.path, rooms)
        if room is None:
            findings.append(Finding(file.path, 1, "its room is missing from src/FLOORS"))
            continue
        for include in file.includes:
            why = _refuse(tree, rooms, room, include)
            if why:
                findings.append(Finding(file.path, include.line, f"{include.path}: {why}"))
    return findings


def _refuse(tree, rooms, room, include):
    """Why `room` may not include this, or None."""
    if not include.quoted:
        if include.path.startswith("grove/"):
            exists = tree.read("include/" + include.path)
            return None if exists else "there is no such public header"
        if include.path in PURE_HEADERS or include.path in room.libraries:
            return None
        if room.talks_to_system and _is_system_header(include.path):
            return None
        return f"src/FLOORS does not let {room.name} include it"
    if not room.name.startswith("src/"):
        if tree.read(os.path.join(room.name, include.path)):
            return None
        return f"{room.name} may include grove/ headers and its own only"
    target = "src/" + include.path
    if tree.read(target) is None:
        return "no such file; write it as \"room/file.h\""
    other = room_of(target, rooms)
    if other is None:
        return "its room is missing from src/FLOORS"
    if other is room or other.floor < room.floor:
        return None
    side = "beside" if other.floor == room.floor else "above"
    return f"{other.name} lies {side} {room.name}"


_SYSTEM_HEADER = re.compile(
    r"(sys|linux)/\w+\.h"
    r"|(ctype|dirent|errno|fcntl|ftw|locale|math|poll|pthread|sched|semaphore|signal|spawn"
    r"|stdio|stdlib|termios|time|unistd|wchar|getopt)\.h"
)


def _is_system_header(path):
    return _SYSTEM_HEADER.fullmatch(path) is not None


def check_cycles(tree):
    """x.c and x.h are one module; within a room modules form no cycle."""
    rooms = read_floors(tree)
    edges = {}
    for file in tree.c_files("include", "src", "backends", "cli"):
        room = room_of(file.path, rooms)
        if room is None:
            continue
        module = os.path.splitext(file.path)[0]
        for include in file.includes:
            target = _resolve(tree, room, include)
            if target and room_of(target, rooms) is room:
                other = os.path.splitext(target)[0]
                if other != module:
                    edges.setdefault(module, {})[other] = (file.path, include.line)
    return _find_cycles(edges)


def _resolve(tree, room, include):
    base = "include" if not include.quoted else "src" if room.name.startswith("src/") else room.name
    path = f"{base}/{include.path}"
    return path if tree.read(path) else None


def _find_cycles(edges):
    """Takes away modules that lead nowhere until only cycles are left."""
    left = {module: set(targets) for module, targets in edges.items()}
    while True:
        ends = [module for module, targets in left.items() if not targets & left.keys()]
        if not ends:
            break
        for module in ends:
            del left[module]
    findings = []
    for module in sorted(left):
        for target in sorted(left[module] & left.keys()):
            path, line = edges[module][target]
            findings.append(Finding(
                path, line, f"part of a cycle of modules (x.c with x.h), through {target}"))
    return findings


def check_dead_headers(tree):
    """A header that nobody includes is not part of anything."""
    wanted = {include.path for file in tree.files if file.is_c for include in file.includes}
    findings = []
    for file in tree.c_files("src", "backends", "cli"):
        if not file.path.endswith(".h"):
            continue
        in_room, in_src = os.path.basename(file.path), file.path.removeprefix("src/")
        if (in_src if file.path.startswith("src/") else in_room) not in wanted:
            findings.append(Finding(file.path, 1, "no file includes this header"))
    return findings
