#!/usr/bin/python3
"""Prints a man page (section 8) made from what PROGRAM --help says.

Usage: man_from_help.py PROGRAM SUMMARY
The help has a line "Usage: ...", a paragraph, option lines that begin with "  --", and an example.
"""
import pathlib
import re
import subprocess
import sys


def plain(text: str) -> str:
    """Text in which nothing is markup."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def told(program: str, option: str) -> str:
    return subprocess.run([program, option], capture_output=True, text=True, check=True).stdout


def options(text: str) -> str:
    out = ""
    for line in text.split("\n"):
        names, _, meaning = line.strip().partition("  ")
        out += f".TP\n.B {plain(names)}\n{plain(meaning.strip())}\n"
    return out


def main():
    program, summary = sys.argv[1:3]
    name = pathlib.Path(program).name
    usage, about, option_text, example = told(program, "--help").strip().split("\n\n")
    sys.stdout.write(
        f'.TH {name} 8 "" "{told(program, "--version").strip()}" "System Administration"\n'
        f".SH NAME\n{name} \\- {plain(summary)}\n"
        f".SH SYNOPSIS\n{plain(usage.removeprefix('Usage: '))}\n"
        f".SH DESCRIPTION\n{plain(about)}\n"
        f".SH OPTIONS\n{options(option_text)}"
        f".SH EXAMPLE\n.nf\n{plain(example.split(chr(10), 1)[1].strip())}\n.fi\n"
        ".SH SEE ALSO\n.BR airlift (1)\n")


if __name__ == "__main__":
    main()
