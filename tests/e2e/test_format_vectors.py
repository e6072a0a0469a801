"""Images, signatures and partition tables of the vendor's tools, through the command line."""
import json
import os
import pathlib
import resource

import pytest

import servers

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "esp-flash"


def cases(path, key=None):
    loaded = json.loads((VECTORS / path / "expected.json").read_text())
    chosen = loaded[key] if key else loaded
    return [pytest.param(c, id=c["name"]) for c in chosen]


@pytest.fixture
def ask(airlift):
    """Runs a command with --json; gives exit status and document."""
    def run(*words):
        done = airlift(*words, "--json", env=dict(os.environ, FLAVOR="app0"))
        assert done.returncode in (0, 1), done.stderr
        if done.returncode:
            assert done.stderr.startswith("airlift: ")
        return done.returncode, json.loads(done.stdout)
    return run


@pytest.mark.parametrize("case", cases("image"))
def test_image_verify_gives_the_devices_verdict(ask, case):
    device = case["device_verify"]
    status, got = ask("image", "verify", VECTORS / "image" / case["file"],
                      "--chip-id", device["device_chip_id"], "--chip-rev", device["device_chip_rev"],
                      "--efuse-block-rev", device["device_efuse_blk_rev"],
                      "--slot-offset", device["partition_offset"],
                      "--slot-size", device["partition_size"])
    valid = device["result"] == 0
    assert (status == 0, got["valid"], got["image_len"]) == (valid, valid, device["image_len"])
    if not valid:
        error = got["error"]
        assert (error["code"], error["name"]) == (device["result"], device["result_name"])
        assert [error["log"]] == device["log"]
        assert error["message"] and error["check"]


@pytest.mark.parametrize("case", [c for c in cases("image") if "decoded" in c.values[0]])
def test_image_info_tells_what_esptool_tells(ask, case):
    want = case["decoded"]
    status, got = ask("image", "info", VECTORS / "image" / case["file"])
    assert status == 0 and got["checksum_ok"]
    assert got["image_len"] == want["image_len"]
    assert got["chip_id"] == want["chip_id"]
    assert got["entry_addr"] == int(want["entry_addr"], 16)
    assert got["hash_appended"] == bool(want["hash_appended"])
    assert got["hash_ok"] == want.get("sha256_ok")
    assert [(s["load_addr"], s["length"], s["offset"]) for s in got["segments"]] == \
        [(int(s["load_addr"], 16), s["data_len"], s["data_offset"]) for s in want["segments"]]
    for kind in ("app_desc", "bootloader_desc"):
        for key, value in want.get(kind, {}).items():
            assert got[kind][key] == value


@pytest.mark.parametrize("case", cases("signed"))
def test_signatures_verify_as_with_espsecure(ask, case):
    for key in case["verify"]:
        status, got = ask("image", "verify-signature", VECTORS / "signed" / case["file"],
                          "--key", VECTORS / "signed" / key["public_key"],
                          "--scheme", f"v{key['scheme_version']}")
        assert (status == 0, got["valid"]) == (key["ok"], key["ok"])
    if case["verify"][0]["scheme_version"] == 2 and "hashed_bytes" in case:
        assert [(b["block"], b["crc_ok"], b["key_digest"]) for b in got["blocks"]] == \
            [(b["block"], b["crc_ok"], b["key_digest"]) for b in case["signature_blocks"]]


@pytest.mark.parametrize("case", cases("partition-table", "valid"))
def test_partition_tables_have_the_generators_bytes(ask, airlift, tmp_path, case):
    tables = VECTORS / "partition-table"
    out = tmp_path / "table.bin"
    status, _ = ask("partition", "build", tables / case["csv"], "--out", out, *case["tool_args"])
    assert status == 0 and out.read_bytes() == (tables / case["bin"]).read_bytes()
    status, rows = ask("partition", "show", out)
    assert [(r["name"], r["type"], r["subtype"], r["offset"], r["size"], r["flags"]) for r in rows] == \
        [(e["label"], e["type"], e["subtype"], int(e["offset"], 16), int(e["size"], 16), e["flags"])
         for e in case["entries"]]
    text = airlift("partition", "show", out, "--csv").stdout
    assert text == (tables / case["decoded_csv"]).read_text()
    _, verdict = ask("partition", "verify", out, "--flash-size", "4MB")
    assert verdict["valid"] == (case["device_verify_4MB"]["result"] == 0)
    assert verdict["entries"] == case["device_verify_4MB"]["num"]


@pytest.mark.parametrize("case", cases("partition-table", "invalid_csv"))
def test_refused_tables_are_named_with_class_line_and_words(ask, tmp_path, case):
    out = tmp_path / "table.bin"
    status, got = ask("partition", "build", VECTORS / "partition-table" / case["csv"],
                      "--out", out, *case["tool_args"])
    assert status == 1 and not out.exists()
    assert got["error"]["class"] == case["error_class"]
    assert got["error"]["line"] >= 1
    if case["exit_code"] == 2:
        assert got["error"]["message"] == case["tool_message"]


@pytest.mark.parametrize("case", cases("partition-table", "binary"))
def test_damaged_tables_have_the_verdicts_of_device_and_tool(ask, case):
    path = VECTORS / "partition-table" / case["bin"]
    device = case["device_verify_4MB"]
    status, got = ask("partition", "verify", path)
    assert (status == 0, got["entries"]) == (device["result"] == 0, device["num"])
    if status:
        assert got["error"]["code"] == device["result"]
        assert [got["error"]["log"]] == case["device_log"]
    assert (ask("partition", "show", path)[0] == 0) == (case["tool_exit_code"] == 0)


def test_a_flash_image_is_made_read_written_and_erased(ask, airlift, tmp_path):
    flash, part = tmp_path / "flash.bin", tmp_path / "part.bin"
    images = VECTORS / "image"
    status, made = ask("flash", "create", "--size", "4MB",
                       "--partitions", VECTORS / "partition-table/valid/two_ota.csv",
                       "--put", f"bootloader={images / 'boot_c3.bin'}",
                       "--put", f"factory={images / 'app_c3_v1.bin'}",
                       "--put", f"0x3ff000={images / 'boot_c3.bin'}", "--out", flash)
    content = flash.read_bytes()
    loader, app = (images / "boot_c3.bin").read_bytes(), (images / "app_c3_v1.bin").read_bytes()
    assert status == 0 and len(made["partitions"]) == 6 and len(content) == 4 << 20
    assert content.startswith(loader) and content[0x3ff000:].startswith(loader)
    assert content[0x10000:].startswith(app) and content[0x10000 + len(app)] == 0xff

    assert ask("flash", "write", flash, "--partition", "ota_1", "--input",
               images / "app_c3_v2.bin")[0] == 0
    assert ask("flash", "read", flash, "--partition", "ota_1", "--out", part)[0] == 0
    newer = (images / "app_c3_v2.bin").read_bytes()
    assert part.read_bytes() == newer + b"\xff" * ((1 << 20) - len(newer))
    assert ask("flash", "erase", flash, "--partition", "factory")[0] == 0
    erased = flash.read_bytes()
    assert set(erased[0x10000:0x110000]) == {0xff} and erased[0x210000:].startswith(newer)

    for words in (["flash", "write", flash, "--partition", "nvs", "--input", flash],
                  ["flash", "write", flash, "--partition", "ota_7", "--input", part],
                  ["flash", "read", flash, "--partition", "nvs", "--out", tmp_path / "no/dir"],
                  ["flash", "create", "--size", "1MB", "--partitions",
                   VECTORS / "partition-table/valid/two_ota.csv", "--out", tmp_path / "small.bin"]):
        done = airlift(*words)
        assert done.returncode == 1 and done.stderr.startswith("airlift: ")
    assert flash.read_bytes() == erased and not (tmp_path / "small.bin").exists()


@pytest.mark.skipif("sanitize" in (servers.BUILD / "lib" / "airlift-flags.cmake").read_text(),
                    reason="sanitizers reserve more address space than that")
def test_a_slot_too_large_for_any_chip_takes_no_memory(airlift):
    image = VECTORS / "image/app_c3_v1.bin"
    done = airlift("image", "verify", image, "--slot-size", "0x40000000", "--json",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)))
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["check"]) == (258, "slot_size")
    assert airlift("image", "verify", image, "--slot-offset", "0x10000000").returncode == 2
