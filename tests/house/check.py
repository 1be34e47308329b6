#!/usr/bin/python3
"""The rules of the house, as far as a program can check them.

check.py [--root DIR] [--shared FILE] [--static FILE] [--cc CC] [--cxx CXX] CHECK ...

Prints one line for each breach and exits with 1 if there was one. CONTRIBUTING.md
says what the rules are for.
"""

import argparse
import sys

import contracts
import headers
import names
import rooms
import sizes
import words
from tree import Tree

CHECKS = {
    "includes": lambda tree, _: rooms.check_includes(tree),
    "cycles": lambda tree, _: rooms.check_cycles(tree),
    "dead-headers": lambda tree, _: rooms.check_dead_headers(tree),
    "headers": lambda tree, built: headers.check_headers(tree, built.cc, built.cxx),
    "functions": lambda tree, _: sizes.check_functions(tree),
    "files": lambda tree, _: sizes.check_files(tree),
    "columns": lambda tree, _: sizes.check_columns(tree),
    "whitespace": lambda tree, _: sizes.check_whitespace(tree),
    "restricted": lambda tree, _: words.check_restricted(tree),
    "exits": lambda tree, _: words.check_exits(tree),
    "nobody": lambda tree, _: words.check_nobody(tree),
    "jumps": lambda tree, _: words.check_jumps(tree),
    "guards": lambda tree, _: words.check_guards(tree),
    "static-names": lambda tree, _: names.check_static_names(tree),
    "exports": lambda tree, built: names.check_exports(tree, built.shared),
    "symbols": lambda tree, built: names.check_symbols(tree, built.static),
    "globals": lambda tree, built: names.check_globals(tree, built.static),
    "statuses": lambda tree, _: contracts.check_statuses(tree),
    "tested": lambda tree, _: contracts.check_tested(tree),
    "mirrors": lambda tree, _: contracts.check_mirrors(tree),
    "comments": lambda tree, _: contracts.check_comments(tree),
    "limits": lambda tree, _: contracts.check_limits(tree),
    "changelog": lambda tree, _: contracts.check_changelog(tree),
    "links": lambda tree, _: contracts.check_links(tree),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--root", default=".")
    parser.add_argument("--shared", help="libgrove.so, for exports")
    parser.add_argument("--static", help="libgrove.a, for symbols and globals")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    arguments = parser.parse_args()
    unknown = [name for name in arguments.checks if name not in CHECKS]
    if unknown:
        parser.error(f"no check {unknown[0]}; there are {', '.join(CHECKS)}")

    tree = Tree(arguments.root)
    findings = []
    for name in arguments.checks or CHECKS:
        findings += CHECKS[name](tree, arguments)
    for finding in sorted(set(findings)):
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
