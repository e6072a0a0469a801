"""`airlift boot`, `api` and `otadata` against results of the original boot loader,
app library and otatool (tests/vectors/esp-flash/otadata)."""
import hashlib
import json
import os
import pathlib
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
AIRLIFT = pathlib.Path(os.environ.get("AIRLIFT_BUILD", ROOT / "build")).resolve() / "bin/airlift"
VECTORS = ROOT / "tests/vectors/esp-flash/otadata"
EXPECTED = json.loads((VECTORS / "expected.json").read_text())
FLASH_LEN = 4 << 20
OTADATA = 0xD000
CONFIG = {"none": [], "rb": ["--rollback"], "ar": ["--anti-rollback"],
          "rollback off": [], "rollback on": ["--rollback"], "rollback + anti-rollback on": ["--anti-rollback"]}


def table_bytes(rows):
    out = b""
    for r in rows:
        out += struct.pack("<HBBII16sI", 0x50AA, r["type"], r["subtype"], int(r["offset"], 0), int(r["size"], 0),
                           r["label"].encode(), r["flags"])
    return out + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(out).digest()


def make_flash(path, table, slots, otadata):
    flash = bytearray(b"\xff" * FLASH_LEN)
    rows = EXPECTED["tables"][table]

    def put(at, data):
        flash[at:at + len(data)] = data

    put(0x8000, table_bytes(rows))
    put(OTADATA, otadata)
    for name, file in slots.items():
        offset = next(int(r["offset"], 0) for r in rows if r["label"] == name)
        put(offset, (VECTORS / file).read_bytes())
    path.write_bytes(flash)
    return path


def run(*args, status=0):
    done = subprocess.run([AIRLIFT, *map(str, args)], cwd=VECTORS, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done


def entry(seq, state, crc):
    return struct.pack("<I20sII", seq, b"\xff" * 20, state, crc).ljust(0x1000, b"\xff")


def entries_of(expected):
    return [tuple(int(e[k], 0) for k in ("ota_seq", "ota_state", "crc")) for e in expected]


def entries_in(doc):
    return [(e["seq"], e["state"], e["crc"]) for e in doc]


SELECTION = [(s, b) for s in EXPECTED["selection"] for b in s["boot"]]


@pytest.mark.parametrize("case,boot", SELECTION, ids=[
    f"{s['name']}-{b['table']}-{b['config']}-{b['efuse_secure_version']}" for s, b in SELECTION])
def test_boot_selects_as_the_original(tmp_path, case, boot):
    flash = make_flash(tmp_path / "flash.bin", boot["table"], EXPECTED["slots"][boot["table"]],
                       (VECTORS / case["file"]).read_bytes())
    before = flash.read_bytes()
    args = [*CONFIG[boot["config"]], "--secure-version", boot["efuse_secure_version"], "--json"]
    status = 1 if boot["booted"] is None else 0
    done = run("boot", flash, *args, status=status)
    assert ("nothing in it can be started" in done.stderr) == (status == 1)
    doc = json.loads(done.stdout)
    assert doc["slot"] == boot["booted"]
    assert doc["selected_index"] == boot["selected_index"]
    assert doc["log"] == boot["log"]
    assert entries_in(doc["entries_before"]) == entries_of(case["entries"])
    after = boot["entries_after"] if boot["otadata_changed"] else case["entries"]
    assert entries_in(doc["entries_after"]) == entries_of(after)
    assert doc["efuse_secure_version_after"] == boot.get("efuse_secure_version_after", boot["efuse_secure_version"])
    assert [e["crc_ok"] for e in doc["entries_before"]] == [e["crc_ok"] for e in case["entries"]]
    assert [t for t in doc["tried"] if t["error"] is None] == [t for t in doc["tried"] if t["slot"] == boot["booted"]]
    assert flash.read_bytes() == before, "without --write the file stays"


def is_subsequence(wanted, lines):
    rest = iter(lines)
    return all(w in rest for w in wanted)


@pytest.mark.parametrize("case", EXPECTED["scenarios"], ids=lambda c: c["name"])
def test_api_runs_scenarios_as_the_original(tmp_path, case):
    entries = [tuple(int(x, 0) for x in e.split("/")) for e in case["otadata_initial"]]
    flash = make_flash(tmp_path / "flash.bin", case["table"], case["slots"], b"".join(entry(*e) for e in entries))
    ops = [s["op"] for s in case["steps"]]
    doc = json.loads(run("api", flash, *CONFIG[case["config"]], "--chip-id", 13, "--write", "--json", *ops).stdout)
    for got, want in zip(doc["steps"], case["steps"], strict=True):
        assert (got["op"], got["result"], got["otadata"]) == (want["op"], want["result"], want["otadata"])
        assert got.get("efuse_secure_version_after") == want.get("efuse_secure_version_after"), want["op"]
        assert is_subsequence(want.get("log", []), got["log"]), (want["log"], got["log"])
    data = flash.read_bytes()
    for i, text in enumerate(doc["steps"][-1]["otadata"]):
        seq, state, crc = (int(x, 0) for x in text.split("/"))
        at = OTADATA + i * 0x1000
        assert (struct.unpack_from("<I", data, at)[0], *struct.unpack_from("<II", data, at + 24)) == (seq, state, crc)


@pytest.mark.parametrize("case", EXPECTED["otatool_switch"], ids=str)
def test_otadata_switch_writes_as_otatool(tmp_path, case):
    flash = make_flash(tmp_path / "flash.bin", case["table"], {}, b"".join(entry(*e) for e in entries_of(case["before"])))
    before = flash.read_bytes()
    if not case["changed"]:
        done = run("otadata", "switch", flash, case["switch_to"], status=1)
        assert case["after"].removeprefix("error: ") in done.stderr
        assert flash.read_bytes() == before
        return
    run("otadata", "switch", flash, case["switch_to"])
    doc = json.loads(run("otadata", "show", flash, "--json").stdout)
    assert entries_in(doc["entries"]) == entries_of(case["after"])
    assert [e["crc_ok"] for e in doc["entries"]] == [e["crc_ok"] for e in case["after"]]


def test_boot_writes_only_when_told(tmp_path):
    flash = make_flash(tmp_path / "flash.bin", "N2", EXPECTED["slots"]["N2"], b"\xff" * 0x2000)
    run("boot", flash, "--write")
    doc = json.loads(run("otadata", "show", flash, "--json").stdout)
    assert (doc["selected"], entries_in(doc["entries"])[0]) == ("ota_0", (1, 2, 0x4743989A))
    run("otadata", "erase", flash)
    assert json.loads(run("otadata", "show", flash, "--json").stdout)["selected"] is None


def test_boot_explains_what_was_tried(tmp_path):
    otadata = entry(1, 0xFFFFFFFF, 0x4743989A) + entry(2, 0xFFFFFFFF, 0x55F63774)
    slots = {"factory": "images/app_1.0.0.bin", "ota_0": "images/app_1.1.0.bin", "ota_1": "images/broken.bin"}
    flash = make_flash(tmp_path / "flash.bin", "F2", slots, otadata)
    text = run("boot", flash).stdout
    assert "entry 1 is in force" in text and "ota_1 at 0x210000" in text and "chip" in text
    assert text.rstrip().splitlines()[-1].startswith("Boots ota_0 at 0x110000")


@pytest.mark.parametrize("content,word", [(b"", "4096"), (b"x" * 100, "4096"), (b"\xff" * 0x10000, "partition table")],
                         ids=["empty", "short", "erased"])
def test_what_is_no_flash_image_is_refused_in_words(tmp_path, content, word):
    flash = tmp_path / "flash.bin"
    flash.write_bytes(content)
    for command in (["otadata", "show"], ["otadata", "erase"], ["api"]):
        args = [*command, flash] + (["boot"] if command == ["api"] else [])
        assert word in run(*args, status=1).stderr
    assert flash.read_bytes() == content


@pytest.mark.parametrize("op,status", [("nonsense", 2), ("state", 2), ("ota=ota_0", 2), ("boot=1", 2),
                                       ("setboot=nowhere", 1), ("ota=ota_0,missing.bin", 1)])
def test_bad_operations_are_refused_in_words(tmp_path, op, status):
    otadata = entry(1, 2, 0x4743989A) + entry(2, 2, 0x55F63774)
    flash = make_flash(tmp_path / "flash.bin", "F2", {}, otadata)
    before = flash.read_bytes()
    said = run("api", flash, "--write", "eraselast", op, status=status).stderr
    assert op.split(",")[-1].split("=")[0] in said
    assert flash.read_bytes() == before


def efuse_bytes(chip_id, secure_version):
    head = b"ALEF\x01\0\0\0" + struct.pack("<HHHBB", chip_id, 0, 0, 0, 0)
    return (head.ljust(32, b"\0") + struct.pack("<I", (1 << secure_version) - 1)).ljust(256, b"\0")


def test_the_efuse_file_rises_only_with_write(tmp_path):
    flash = make_flash(tmp_path / "flash.bin", "N2", EXPECTED["slots"]["N2"], b"\xff" * 0x2000)
    efuse = tmp_path / "efuse.bin"
    efuse.write_bytes(efuse_bytes(13, 0))
    args = ["boot", flash, "--anti-rollback", "--efuse", efuse, "--json"]
    assert json.loads(run(*args).stdout)["efuse_secure_version_after"] == 1
    assert efuse.read_bytes() == efuse_bytes(13, 0)
    run(*args, "--write")
    assert struct.unpack_from("<I", efuse.read_bytes(), 32)[0].bit_count() == 1
    efuse.write_bytes(efuse_bytes(5, 0))
    doc = json.loads(run(*args, status=1).stdout)
    assert doc["slot"] is None and all("chip" in t["error"] for t in doc["tried"])
    efuse.write_bytes(b"x" * 256)
    assert "ALEF" in run(*args, status=1).stderr


@pytest.mark.parametrize("option,value", [("--chip-id", "99"), ("--chip-id", "x"), ("--secure-version", "33"),
                                          ("--table-offset", "1G"), ("--chip-rev", "65536")])
def test_wrong_figures_are_wrong_use(tmp_path, option, value):
    flash = make_flash(tmp_path / "flash.bin", "F2", {}, b"\xff" * 0x2000)
    assert option in run("boot", flash, option, value, status=2).stderr


def test_a_hole_in_the_slots_is_told(tmp_path):
    rows = [dict(r) for r in EXPECTED["tables"]["N2"]]
    rows[-1].update(label="ota_2", subtype=0x12)
    flash = make_flash(tmp_path / "flash.bin", "N2", {}, b"\xff" * 0x2000)
    data = bytearray(flash.read_bytes())
    table = table_bytes(rows)
    data[0x8000:0x8000 + len(table)] = table
    flash.write_bytes(data)
    assert "without a gap" in run("otadata", "show", flash).stderr
    assert "without a gap" in run("boot", flash, status=1).stdout
