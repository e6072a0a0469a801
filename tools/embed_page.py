#!/usr/bin/env python3
"""Turns the files of a page into a C source with struct web_file web_files[]: each as it is and gzip-compressed.
Usage: embed_page.py OUT.c FILE...   (index.html becomes /)"""
import gzip
import pathlib
import sys

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def array(name: str, data: bytes) -> str:
    rows = (data[i:i + 24] for i in range(0, len(data), 24))
    body = "\n".join("    " + ",".join(map(str, row)) + "," for row in rows)
    return f"static const uint8_t {name}[] = {{\n{body}\n}};\n"


def main() -> None:
    out, *files = map(pathlib.Path, sys.argv[1:])
    text, rows = ["/* Made by tools/embed_page.py. */\n#include \"at/web_page.h\"\n"], []
    for i, file in enumerate(files):
        plain = file.read_bytes()
        packed = gzip.compress(plain, 9, mtime=0)
        path = "/" if file.name == "index.html" else f"/{file.name}"
        text += [array(f"plain_{i}", plain), array(f"gzip_{i}", packed)]
        rows.append(f'    {{"{path}", "{TYPES[file.suffix]}", plain_{i}, gzip_{i}, {len(plain)}, {len(packed)}}},\n')
    text.append("const struct web_file web_files[] = {\n" + "".join(rows) + "    {0}};\n")
    out.write_text("\n".join(text))


if __name__ == "__main__":
    main()
