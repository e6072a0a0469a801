"""The vendor's headers keep their promises: each compiles alone, and every
function that one declares is in the libraries."""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("AIRLIFT_BUILD", "build")
INCLUDES = [ROOT / "esp/esp-idf/include", ROOT / "esp/esp-zigbee/include", ROOT / "esp/esp-adf/include"]
HEADERS = sorted(str(h.relative_to(i)) for i in INCLUDES for h in i.rglob("*.h"))
APPLICATION = {"esp_zb_app_signal_handler"}  # declared here, defined there


def declared(header):
    text = next(i / header for i in INCLUDES if (i / header).exists()).read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", "", text, flags=re.M)
    text = text.replace('extern "C" {', "")
    while re.search(r"\{[^{}]*\}", text):  # members, enumerators, bodies of inline functions
        text = re.sub(r"\{[^{}]*\}", "", text)
    text = re.sub(r"typedef[^;]*;", "", text)
    names = re.findall(r"\b([a-z_]\w+)\s*\((?!\*)[^;{}]*\)\s*(?:__attribute__\s*\(\(.*?\)\)\s*)?;",
                       text, flags=re.S)
    return set(names) - {"__attribute__", "sizeof", "offsetof"} - APPLICATION


@pytest.fixture(scope="module")
def defined():
    libraries = [str(BUILD / "lib" / n) for n in ("libairlift-esp.a", "libairlift.a")]
    out = subprocess.run(["nm", "-g", "--defined-only", *libraries], check=True, text=True,
                         capture_output=True).stdout
    return {line.split()[2] for line in out.splitlines() if len(line.split()) == 3}


def test_every_declared_function_is_in_the_libraries(defined):
    names = {h: declared(h) for h in HEADERS}
    assert sum(map(len, names.values())) > 400  # the search itself finds what is there
    assert {h: n - defined for h, n in names.items() if n - defined} == {}


@pytest.mark.parametrize("header", HEADERS)
def test_header_compiles_alone(header):
    subprocess.run(["cc", "-std=gnu17", "-Wall", "-Wextra", "-Wundef", "-Werror", "-D_GNU_SOURCE",
                    *(f"-I{i}" for i in INCLUDES), f"-I{ROOT / 'esp/esp-idf/include_default'}", "-fsyntax-only",
                    "-x", "c", "-"], input=f'#include "{header}"\n', text=True, check=True)
