#!/usr/bin/python3
"""Prints docs/commands.md: the command reference, from what the programs say about themselves.

Usage: commands_doc.py BIN_DIR
"""
import json
import pathlib
import subprocess
import sys

HEAD = """# Command reference

Made by `make docs` from the help texts; change those, not this file.

With `--json` a command prints one JSON document on standard output; messages and progress go to
standard error. A command that fails without a result of its own prints
`{"error": {"message": ...}}`. Exit status: 0 done; 1 it failed, or the check says no; 2 wrong use.
Numbers may be decimal, hexadecimal (`0x1000`) and carry `K` or `M`. Behind `--` everything is an
operand.
"""


def anchor(name: str) -> str:
    return "airlift-" + name.replace(" ", "-")


def option_line(option: dict) -> str:
    value = option.get("value", "")
    shown = f"{option['name']}[={value[1:]}" if value.startswith("[") else \
        f"{option['name']} {value}".strip()
    often = " (may be given several times)" if option["many"] else ""
    shown = shown.replace("|", "\\|")
    text = option["help"].replace("|", "\\|")
    return f"| `{shown}` | {text}{often} |"


def details(text: str) -> str:
    """Paragraphs; those that begin with a blank are shown as they are."""
    parts = []
    for part in text.split("\n\n"):
        parts.append(f"```text\n{part}\n```" if part.startswith(" ") else part)
    return "\n\n".join(parts) + "\n\n"


def command(c: dict) -> str:
    out = f"### airlift {c['name']}\n\n"
    use = f"airlift {c['name']} [OPTION]... {c['operands']}".rstrip()
    out += f"```text\n{use}\n```\n\n"
    out += c["summary"][0].upper() + c["summary"][1:] + ".\n\n"
    if "details" in c:
        out += details(c["details"])
    if c["options"]:
        out += "| option | meaning |\n|---|---|\n"
        out += "\n".join(map(option_line, c["options"])) + "\n\n"
    if "example" in c:
        out += f"Example: `{c['example']}`\n\n"
    return out


def main():
    programs = pathlib.Path(sys.argv[1])
    told = subprocess.run([programs / "airlift", "help", "--json"], capture_output=True, check=True)
    groups = json.loads(told.stdout)
    out = HEAD + "\n"
    for group in groups:
        names = ", ".join(f"[`{c['name']}`](#{anchor(c['name'])})" for c in group["commands"])
        out += f"- {group['group']}: {names}\n"
    out += "- Server: [`airliftd`](#airliftd)\n\n"
    for group in groups:
        out += f"## {group['group']}\n\n" + "".join(map(command, group["commands"]))
    daemon = subprocess.run([programs / "airliftd", "--help"], capture_output=True, text=True,
                            check=True)
    out += f"## airliftd\n\n```text\n{daemon.stdout.rstrip()}\n```\n"
    sys.stdout.write(out)


if __name__ == "__main__":
    main()
