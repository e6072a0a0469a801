"""NVS partitions of the vendor's library and generator, through the command line."""
import hashlib
import json
import pathlib
import shutil

import pytest

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "nvs"
EXPECTED = json.loads((VECTORS / "expected.json").read_text())["images"]
DAMAGED = {}
CONTENTS = {}
for name in ("damaged-cuts-item", "damaged-cuts-page", "damaged-other"):
    loaded = json.loads((VECTORS / f"{name}.json").read_text())
    # Where the original breaks its promise the unit tests judge.
    DAMAGED.update({f"{name}/{case}": c for case, c in loaded["cases"].items()
                    if "defect" not in c and case != "half_written_no_first_word"})
    CONTENTS.update({f"{name}/{case}": loaded["contents"].get(c.get("content"))
                     for case, c in loaded["cases"].items()})


@pytest.fixture
def show(airlift):
    """`nvs show --json`: exit status and document; the file must not change."""
    def run(path, *words):
        before = path.read_bytes()
        done = airlift("nvs", "show", path, *words, "--json")
        assert path.read_bytes() == before
        assert (done.returncode == 0) == (done.stderr == ""), done.stderr
        return done.returncode, json.loads(done.stdout) if done.stdout else None
    return run


def same_value(wanted, got):
    assert got["type"] == wanted["type"]
    if "get" in wanted:
        assert got["error"] == wanted["get"]
    elif "sha256" in wanted:
        blob = wanted["type"] == "blob"
        data = bytes.fromhex(got["value"]) if blob else got["value"].encode()
        assert hashlib.sha256(data).hexdigest() == wanted["sha256"]
    elif wanted["type"] in ("float", "double"):
        assert got["bytes"] == wanted["value"]
    elif wanted["type"] in ("u64", "i64"):
        assert got["value"] == int(wanted["value"])
    else:
        assert got["value"] == wanted["value"]
    assert got.get("old_format") == wanted.get("old_format")


def same_content(wanted, got, orphan):
    if orphan:  # entries whose namespace is lost stand under ""
        assert [e[1:] for e in got["iteration"]] == [e[1:] for e in wanted["iteration"]]
        return
    assert got["iteration"] == wanted["iteration"]
    assert got["namespaces"].keys() == wanted["namespaces"].keys()
    for space, keys in wanted["namespaces"].items():
        assert got["namespaces"][space].keys() == keys.keys()
        for key, value in keys.items():
            same_value(value, got["namespaces"][space][key])


@pytest.mark.parametrize("name", [n for n, c in EXPECTED.items() if "defect" not in c])
def test_show_gives_what_the_original_reads(show, name):
    status, got = show(VECTORS / name)
    assert (status, got["valid"], got["init"]) == (0, True, "ESP_OK")
    assert got["stats"] == EXPECTED[name]["stats"]
    assert got["clean"] == (EXPECTED[name]["init_flash_ops"] == 0)
    same_content(EXPECTED[name], got, False)


def edited(case):
    base = case["base"]
    image = bytearray(b"\xff" * 4096 * int(base[7:]) if base.startswith("erased:")
                      else (VECTORS / base).read_bytes())
    source = {"c": bytes(image)}
    if "donor" in case:
        source["d"] = (VECTORS / case["donor"]).read_bytes()
    for offset, what in case["edits"]:
        if ":" in what:
            at, count = map(int, what[1:].split(":"))
            data = source[what[0]][at:at + count]
        elif "*" in what:
            byte, count = what.split("*")
            data = bytes.fromhex(byte) * int(count)
        else:
            data = bytes.fromhex(what)
        image[offset:offset + len(data)] = data
    assert hashlib.sha256(image).hexdigest() == case["sha256"]
    return bytes(image)


def test_show_repairs_damaged_partitions_as_the_original_does(show, tmp_path):
    path = tmp_path / "nvs.bin"
    assert len(DAMAGED) > 400
    for name, case in DAMAGED.items():
        path.write_bytes(edited(case))
        status, got = show(path, *(["--readonly"] if case.get("readonly") else []))
        # An image too small for a reserve page is shown as a read-only one.
        if case["init"] == "ESP_ERR_NVS_NO_FREE_PAGES" and path.stat().st_size < 0x3000:
            assert (status, got["readonly"]) == (0, True), name
            continue
        assert (got["init"], got["valid"]) == (case["init"], case["init"] == "ESP_OK"), name
        assert (status == 0) == got["valid"], name
        if not got["valid"] or "content" not in case:
            continue
        if "rc" not in case["stats"]:
            assert got["stats"] == case["stats"], name
        lost = any(space == "" for space, _, _ in CONTENTS[name]["iteration"])
        same_content(CONTENTS[name], got, lost or "orphan_namespace" in case)


def test_set_and_erase_change_one_partition_of_a_flash_image(airlift, show, tmp_path):
    csv = tmp_path / "parts.csv"
    csv.write_text("nvs,data,nvs,0x9000,0x6000\ncfg,data,nvs,0xf000,0x3000\n"
                   "app,app,factory,0x20000,1M\n")
    flash = tmp_path / "flash.bin"
    made = airlift("flash", "create", "--size", "2MB", "--partitions", csv, "--out", flash)
    assert made.returncode == 0, made.stderr
    for words in ([flash, "wifi", "tries", "i8", "-3"], [flash, "wifi", "ssid", "str", "home"],
                  [flash, "wifi", "psk", "blob", "00ff"], [flash, "wifi", "gain", "float", "0.5"]):
        done = airlift("nvs", "set", *words)
        assert done.returncode == 0, done.stderr
    before = flash.read_bytes()
    assert airlift("nvs", "set", flash, "a", "b", "u8", "1", "--partition", "cfg").returncode == 0
    after = flash.read_bytes()
    assert after[:0xf000] == before[:0xf000] and after[0x12000:] == before[0x12000:]
    assert airlift("nvs", "erase", flash, "wifi", "psk").returncode == 0
    wifi = show(flash)[1]["namespaces"]["wifi"]
    assert {k: v["value"] for k, v in wifi.items()} == {"tries": -3, "ssid": "home", "gain": 0.5}
    assert show(flash, "--partition", "cfg")[1]["namespaces"] == {"a": {"b": {"type": "u8",
                                                                            "value": 1}}}
    assert airlift("nvs", "erase", flash).returncode == 0
    assert flash.read_bytes()[0x9000:0xf000] == b"\xff" * 0x6000


@pytest.mark.parametrize("name", [n for n, c in EXPECTED.items() if c["by"].startswith("generate")])
def test_build_gives_the_bytes_of_the_vendors_generator(airlift, tmp_path, name):
    words = EXPECTED[name]["by"].split()
    out = tmp_path / "nvs.bin"
    done = airlift("nvs", "build", VECTORS / "gen" / words[1], "--size", words[2], *words[3:],
                   "--out", out)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == (VECTORS / name).read_bytes()


@pytest.mark.parametrize("words, status, message", [
    (["set", "F", "n", "k", "u8", "300"], 1, "300 does not fit u8"),
    (["set", "F", "n", "k", "u9", "3"], 2, "type 'u9' is unknown"),
    (["set", "F", "n", "k", "u8"], 2, "either VALUE or --file"),
    (["set", "F", "n", "k" * 16, "u8", "3"], 1, "15 bytes at most"),
    (["set", "F", "n", "k", "str", "x" * 4000], 1, "too long"),
    (["set", "F", "n", "k", "blob", "abc"], 1, "two digits a byte"),
    (["erase", "F", "nope"], 1, "no namespace 'nope'"),
    (["erase", "F", "second", "nope"], 1, "no key 'nope'"),
    (["show", "F", "--partition", "x"], 1, "no valid partition table"),
    (["show", "missing.bin"], 1, "missing.bin"),
    (["build", "missing.csv", "--size", "0x3000", "--out", "x"], 1, "missing.csv"),
    (["build", "F", "--out", "x"], 2, "--size"),
])
def test_bad_input_gets_one_message_and_changes_nothing(airlift, tmp_path, words, status, message):
    file = tmp_path / "nvs.bin"
    shutil.copy(VECTORS / "gen/types_v2.bin", file)
    before = file.read_bytes()
    done = airlift("nvs", *[str(file) if w == "F" else w for w in words], cwd=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == ""
    assert file.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["nvs.bin"]
