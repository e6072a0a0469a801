"""User partitions of ESP-AT: their table built, shown and checked; reached in flash images; used by a firmware."""
import json

import pytest

import lab

AREA = {"esp32c3": "0x1e000:0x42000", "userparts": "0x20000:0xe0000"}  # at_customize of ESP32-C3; of ESP32

PRIMARY = """otadata, data, ota, 0xd000, 0x2000
phy_init, data, phy, 0xf000, 0x1000
nvs, data, nvs, 0x10000, 0xE000
at_customize, 0x40, 0, 0x1E000, 0x42000
ota_0, app, ota_0, 0x60000, 0x200000
ota_1, app, ota_1, , 0x100000
"""

APP = r"""
#include <stdio.h>
#include <string.h>
#include "esp_log.h"
#include "esp_partition.h"

esp_err_t idf_at_customize_load(void);
const esp_partition_t *idf_at_customize_find(const char *label);

void app_main(void)
{
    char text[8] = "";
    printf("load %s\n", esp_err_to_name(idf_at_customize_load()));
    const esp_partition_t *p = idf_at_customize_find("fs_storage");
    if (p) esp_partition_read(p, 0, text, sizeof text - 1);
    printf("fs_storage %d '%s'\n", p != NULL, text);
    printf("found %d\n", esp_partition_find_first(ESP_PARTITION_TYPE_DATA, 0xff, "fs_storage") == p);
    printf("over\n");
}
"""


@pytest.fixture
def at(vectors):
    return vectors / "at-adf"


@pytest.mark.parametrize("name", AREA)
def test_tables_are_those_of_the_vendors_tool(airlift, at, tmp_path, name):
    out = tmp_path / "table.bin"
    done = airlift("partition", "build", at / f"at_customize_{name}.csv", "--at-customize", AREA[name], "--out", out)
    assert done.returncode == 0 and not done.stderr
    assert out.read_bytes() == (at / f"at_customize_{name}.bin").read_bytes()


@pytest.mark.parametrize("options, vector", [((), "md5"), (("--disable-md5sum",), "nomd5")])
def test_the_primary_table_is_built_with_and_without_md5(airlift, at, tmp_path, options, vector):
    out = tmp_path / "table.bin"
    assert airlift("partition", "build", at / "partitions_at_esp32c3.csv", "--out", out, *options).returncode == 0
    assert out.read_bytes() == (at / f"partitions_at_esp32c3_{vector}.bin").read_bytes()
    report = json.loads(airlift("partition", "verify", out, "--json").stdout)
    assert report["valid"] and report["entries"] == 6


@pytest.mark.parametrize("primary", ["partitions_at_esp32c3.csv", "partitions_at_esp32c3_nomd5.bin"])
def test_the_area_comes_from_a_primary_table(airlift, at, tmp_path, primary):
    out = tmp_path / "table.bin"
    csv = at / "at_customize_esp32c3.csv"
    assert airlift("partition", "build", csv, "--at-customize", at / primary, "--out", out).returncode == 0
    assert out.read_bytes() == (at / "at_customize_esp32c3.bin").read_bytes()


def test_blank_offsets_fill_the_area(airlift, tmp_path):
    csv, out = tmp_path / "user.csv", tmp_path / "table.bin"
    csv.write_text("a, 0x40, 1, , 4K\nb, data, nvs, , 16K\n")
    assert airlift("partition", "build", csv, "--at-customize", AREA["esp32c3"], "--out", out).returncode == 0
    rows = json.loads(airlift("partition", "show", out, "--json").stdout)
    assert [(r["name"], r["offset"]) for r in rows] == [("a", 0x1f000), ("b", 0x20000)]


@pytest.mark.parametrize("text, error_class, line", [
    ("a,0x40,1,0x1f000,4K\nb,0x40,2,0x5f000,8K\n", "OUTSIDE", 2),
    ("a,0x40,1,0x60000,4K\n", "OUTSIDE", 1),
    ("a,0x40,1,0x1f000,0xffffffff\n", "OUTSIDE", 1),
    ("a,0x40,1,0x1f000,0\n", "OUTSIDE", 1),
    ("a,0x40,1,0x1e000,4K\n", "OVERLAP_TABLE", 1),
    ("a,0x40,1,0x1f000,8K\nb,0x40,2,0x20000,4K\n", "OVERLAP", 2),
    ("a,0x40,1,0x1f800,4K\n", "OFFSET_ALIGN", 1),
    ("a_name_of_17_byte,0x40,1,0x1f000,4K\n", "NAME_TOO_LONG", 1),
    ("a,app,ota_2,0x20000,4K\n", "USER_TYPE", 1),
    ("a,0x3f,0,0x20000,4K\n", "USER_TYPE", 1),
    ("a,what,0,0x20000,4K\n", "UNKNOWN_KEYWORD", 1),
    ("# nothing\n", "EMPTY_TABLE", None),
    ("a,0x40,1,,4K\na,0x40,2,,4K\n", "DUPLICATE_NAME", 2),
])
def test_tables_that_cannot_be_are_refused(airlift, tmp_path, text, error_class, line):
    csv, out = tmp_path / "user.csv", tmp_path / "table.bin"
    csv.write_text(text)
    done = airlift("partition", "build", csv, "--at-customize", AREA["esp32c3"], "--out", out, "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 1 and (error["class"], error["line"]) == (error_class, line) and error["message"]
    assert not out.exists()


@pytest.mark.parametrize("where, words", [
    ("0x1e000", "cannot read 0x1e000"),
    ("0x1e100:0x42000", "multiple of 0x1000"),
    ("0x1e000:0x1000", "more than the 0x1000 of the table"),
    ("tests/vectors/esp-flash/partition-table/valid/two_ota.bin", "has no partition at_customize"),
])
def test_an_area_that_cannot_be_is_refused(airlift, at, tmp_path, where, words):
    done = airlift("partition", "build", at / "at_customize_esp32c3.csv", "--at-customize", where,
                   "--out", tmp_path / "out")
    assert done.returncode != 0 and words in done.stderr and not (tmp_path / "out").exists()


@pytest.fixture
def flash(airlift, at, tmp_path):
    path = tmp_path / "flash.bin"
    done = airlift("flash", "create", "--size", "4MB", "--partitions", at / "partitions_at_esp32c3.csv",
                   "--disable-md5sum", "--put", f"at_customize={at}/at_customize_esp32c3.bin",
                   "--put", f"fs_storage={at}/mqtt_ca.bin", "--out", path)
    assert done.returncode == 0, done.stderr
    return path


def test_a_flash_image_shows_them_when_asked(airlift, flash):
    def names(*options):
        return [row["name"] for row in json.loads(airlift("partition", "show", flash, "--json", *options).stdout)]
    assert names() == ["otadata", "phy_init", "nvs", "at_customize", "ota_0", "ota_1"]
    assert names("--at-customize") == ["mfg_nvs", "fs_storage"]
    report = json.loads(airlift("partition", "verify", flash, "--at-customize", "--json").stdout)
    assert report["valid"] and report["entries"] == 2
    assert "fs_storage,data,255,0x47000,100K," in airlift("partition", "show", flash, "--at-customize", "--csv").stdout


def test_a_corrupt_table_is_told_with_its_entry(airlift, flash):
    data = bytearray(flash.read_bytes())
    data[0x1e000 + 32 + 8] ^= 0x80
    flash.write_bytes(data)
    done = airlift("partition", "verify", flash, "--at-customize", "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 1 and error["check"] == "md5" and error["log"]
    assert airlift("partition", "show", flash, "--at-customize").returncode == 1
    assert airlift("partition", "verify", flash).returncode == 0  # the primary one is well
    assert 'no partition "fs_storage"' in airlift("flash", "erase", flash, "--partition", "fs_storage").stderr


def test_a_table_file_is_checked_against_an_area(airlift, at):
    table = at / "at_customize_userparts.bin"
    assert airlift("partition", "verify", table, f"--at-customize={AREA['userparts']}").returncode == 0
    done = airlift("partition", "verify", table, f"--at-customize={at}/partitions_at_esp32c3.csv")
    assert done.returncode == 1 and "outside: entry 5" in done.stderr
    assert "--at-customize needs" in airlift("partition", "verify", table, "--at-customize").stderr


def test_flash_commands_reach_them(airlift, at, flash, tmp_path):
    ca = (at / "mqtt_ca.bin").read_bytes()
    assert flash.read_bytes()[0x47000:0x47000 + len(ca)] == ca
    blob, back = tmp_path / "blob", tmp_path / "back"
    blob.write_bytes(b"new")
    assert airlift("flash", "write", flash, "--partition", "fs_storage", "--input", blob).returncode == 0
    assert airlift("flash", "read", flash, "--partition", "fs_storage", "--out", back).returncode == 0
    assert back.read_bytes() == b"new" + b"\xff" * (100 * 1024 - 3)
    assert airlift("flash", "erase", flash, "--partition", "fs_storage").returncode == 0
    assert flash.read_bytes()[0x47000:0x47003] == b"\xff\xff\xff"
    done = airlift("flash", "erase", flash, "--partition", "nothing")
    assert done.returncode == 1 and "ota_1, mfg_nvs, fs_storage" in done.stderr


@pytest.fixture(scope="module")
def firmware(tmp_path_factory, airlift):
    """Built without MD5 in the table, as ESP-AT is, with at_customize.bin in its flash_args."""
    root = tmp_path_factory.mktemp("at") / "user"
    files = {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\n"
                               "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(user VERSION 1.0.0)\n",
             "main/CMakeLists.txt": 'idf_component_register(SRCS "app.c" INCLUDE_DIRS ".")\n',
             "main/app.c": APP, "partitions.csv": PRIMARY,
             "sdkconfig.defaults": "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_MD5=n\n"
                                   'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions.csv"\n'
                                   "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n"}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    built = root.parent / "out"
    done = airlift("build", root, "-B", built, "--chip", "esp32c3")
    assert done.returncode == 0, done.stdout + done.stderr
    return lab.Firmware(built, "user")


def device_of(firmware, tmp_path, at, content):
    (firmware.dir / "at_customize.bin").write_bytes((at / "at_customize_esp32c3.bin").read_bytes())
    (firmware.dir / "fs.bin").write_bytes(content)
    args = firmware.dir / "flash_args"
    kept = args.read_text()
    args.write_text(kept + "0x1e000 at_customize.bin\n0x47000 fs.bin\n")
    try:
        return lab.Device(tmp_path / "device", firmware)
    finally:
        args.write_text(kept)


def test_a_firmware_without_md5_finds_its_user_partitions(firmware, at, tmp_path):
    assert b"\xeb\xeb" not in firmware.table.read_bytes()
    log = device_of(firmware, tmp_path, at, b"content").run(until="^over")
    assert log.has("^load ESP_OK") and log.has("^fs_storage 1 'content'") and log.has("^found 1")
    assert not log.has("No MD5") and not log.has("cannot be used")


def test_a_firmware_with_a_corrupt_table_goes_on_without(firmware, at, tmp_path):
    device = device_of(firmware, tmp_path, at, b"content")
    data = bytearray(device.flash.read_bytes())
    data[0x1e00c] ^= 1
    device.flash.write_bytes(data)
    log = device.run(until="^over")
    assert log.has("E .*at-customize: find secondary partition failed: the MD5 entry") and log.has("^fs_storage 0 ''")
