#!/usr/bin/env python3
"""Checks the order of the house: who includes whom, what core/ may use, how
long a function and a file may be.  Prints `file:line: what` and exits 1 on any
finding.  Usage: house.py [FILE...]   (default: all tracked and new C files)
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A folder may include itself and what its row names (docs/architecture.md).
MAY_INCLUDE = {
    "core": set(),
    "zigbee": {"core"},
    "host": {"zigbee", "core"},
    "radio": {"zigbee", "core", "host"},
    "net": {"core", "host"},
    "device": {"core", "host", "radio"},
    "esp": {"core", "zigbee", "host", "device", "net", "radio"},
    "at": {"core", "host", "net", "esp"},
    "server": {"core", "zigbee", "host", "radio", "net"},
    "cli": {"core", "zigbee", "host", "radio", "net", "device", "server"},
}
# Inside core/ and zigbee/ a file includes only its own row and rows above it. A name
# stands for itself and what begins with it and `_`; the longest that fits counts.
CORE_ROWS = [
    ["err", "bytes", "crc32", "crypto", "flash", "chip"],
    ["part_table", "app_image", "ota_data", "secure_boot", "tone_image", "version_number"],
    ["slot_writer", "image_verify", "nvs", "part_customize"],
    ["ota"],
    ["boot", "change"],
]
ZIGBEE_ROWS = [
    ["put", "deadline", "aes", "ccm", "fcs", "hash", "security", "status", "store"],
    ["mac_frame", "nwk_frame", "nwk_command", "aps_frame", "aps_command", "zdp", "zcl_frame", "zcl_value"],
    ["radio", "transceiver"],
    ["mac"],
    ["nwk"],
    ["aps"],
    ["trust", "zcl", "zdo"],
    ["ota"],
    ["zcl_ota"],
    ["bdb"],
    ["node"],
]
ROWS = {"core": CORE_ROWS, "zigbee": ZIGBEE_ROWS}
BARE_HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "stdalign.h"}
BARE_FOLDERS = {"core", "zigbee"}
MAX_FUNCTION_LINES = 100
MAX_FILE_LINES = 600

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def c_files():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"],
                         cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / f for f in out.split() if (ROOT / f).exists()]


def row(folder, stem):
    fits = [(len(n), i) for i, names in enumerate(ROWS[folder]) for n in names if stem == n or stem.startswith(n + "_")]
    return max(fits)[1] if fits else None


def check_includes(path, text):
    rel = path.relative_to(ROOT)
    folder = rel.parts[0]
    if folder not in MAY_INCLUDE:
        return
    for number, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if not m:
            continue
        quote, target = m.groups()
        where = f"{rel}:{number}"
        if quote == "<":
            if folder in BARE_FOLDERS and target not in BARE_HEADERS:
                yield f"{where}: {folder}/ runs without an operating system; <{target}> is not for it"
            continue
        top = target.split("/")[0]
        if top in MAY_INCLUDE and top != folder and top not in MAY_INCLUDE[folder]:
            yield f"{where}: {folder}/ may not include {top}/"
        elif top in ("firmware", "idf", "tests", "bench"):
            yield f"{where}: nobody includes {top}/"
        elif "/" not in target and folder not in ("esp", "at"):
            yield f"{where}: include from the root: \"{folder}/{target}\""
        if folder in ROWS and top == folder:
            mine, theirs = row(folder, rel.stem), row(folder, pathlib.Path(target).stem)
            if mine is None:
                yield f"{where}: {rel.name} has no row in {folder.upper()}_ROWS of tools/lint/house.py"
            elif theirs is not None and theirs > mine:
                yield f"{where}: {folder}/{rel.name} includes upward"


def check_lengths(path, text):
    rel = path.relative_to(ROOT)
    lines = text.splitlines()
    if len(lines) > MAX_FILE_LINES:
        yield f"{rel}:1: {len(lines)} lines; a file is one concept ({MAX_FILE_LINES} at most)"
    if path.suffix != ".c":
        return
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            if number - start > MAX_FUNCTION_LINES and not line.startswith("};"):
                yield f"{rel}:{start}: a function of {number - start} lines ({MAX_FUNCTION_LINES} at most)"
            start = None


def check_words(path, text):
    rel = path.relative_to(ROOT)
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            yield f"{rel}:{number}: unfinished work: {line.strip()[:60]}"


def main():
    files = [pathlib.Path(f).resolve() for f in sys.argv[1:]] or c_files()
    found = 0
    for path in sorted(files):
        text = path.read_text(errors="replace")
        for check in (check_includes, check_lengths, check_words):
            for finding in check(path, text):
                print(finding)
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
