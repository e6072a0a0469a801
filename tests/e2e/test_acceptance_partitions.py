"""The official acceptance list for partitions_ota: app, boot loader, partition table and data, over real servers."""
import random
import subprocess

import pytest

import lab
import servers
from acceptance import certificate, device, nginx  # noqa: F401

SAMPLE = "partitions_ota"
CI = ["sdkconfig.ci"]
TABLE = 0x8000
SUCCESS = r"ota_example: OTA Succeed, Rebooting\.\.\."
FAILED = r"ota_example: Firmware upgrade failed"
RECOVERY = 0x3f0000


@pytest.fixture(scope="module")
def firmware(certificate):
    """With rollback, as the vendor's test has it."""
    return lab.build(SAMPLE, certificate[0], "1.0.0", sdkconfig=CI)


@pytest.fixture(scope="module")
def quiet(certificate):
    """Another app and boot loader: without rollback, and the loader tells warnings only."""
    config = {"BOOTLOADER_APP_ROLLBACK_ENABLE": "n", "BOOTLOADER_LOG_LEVEL_WARN": "y"}
    return lab.build(SAMPLE, certificate[0], "2.0.0", config, CI)


@pytest.fixture(scope="module")
def recoverable(certificate):
    """For a chip whose ROM knows a recovery boot loader."""
    return lab.build(SAMPLE, certificate[0], "1.0.0", {"BOOTLOADER_RECOVERY_ENABLE": "y"}, CI, chip="esp32c5")


def ask(uart, url):
    """Waits for the prompt and gives the URL."""
    uart.expect(r"ota_example: Starting OTA example task")
    uart.write(url)
    uart.expect(r"ota_example: Attempting to download update from")


def new_table(firmware, tmp_path):
    """The firmware's table with one more partition."""
    csv = (lab.FIRMWARE / SAMPLE / "partitions_example.csv").read_text() + "extra, data, 0x99, , 0x10000\n"
    (tmp_path / "new.csv").write_text(csv)
    subprocess.run([servers.AIRLIFT, "partition", "build", tmp_path / "new.csv", "--out", tmp_path / "new.bin",
                    "--offset", hex(TABLE)], check=True, capture_output=True)
    return (tmp_path / "new.bin").read_bytes()


def test_app(device, quiet, nginx, web_root):
    (web_root / "partitions_ota.bin").write_bytes(quiet.data)
    with device.on() as uart:
        uart.expect_slot("ota_0")
        ask(uart, nginx.url + "/partitions_ota.bin")
        uart.expect(SUCCESS)
        uart.expect_slot("ota_1")
        uart.expect(r"App version:\s+2\.0\.0")
    assert device.slot("ota_1", len(quiet.data)) == quiet.data


def test_bootloader_is_used_at_the_next_reset(device, quiet, nginx, web_root):
    loader = quiet.bootloader.read_bytes()
    (web_root / "bootloader.bin").write_bytes(loader)
    app = device.slot("ota_0")
    with device.on() as uart:
        uart.expect(r"I \(\d+\) boot: ESP-IDF \S+ 2nd stage bootloader")
        ask(uart, nginx.url + "/bootloader.bin")
        uart.expect(r"Use <PrimaryBTLDR> partition \(0x00000000\)")
        uart.expect(r"Use <ota_1> partition \(0x[0-9a-f]+\)")
        uart.expect(r"Copy from <ota_1> staging partition to <PrimaryBTLDR>\.\.\.")
        uart.expect(r"Ensure stable power supply! Loss of power at this stage leads to a chip bricking")
        uart.expect(SUCCESS)
        uart.expect(r"rst:0x\w+ \(RTC_SW_SYS_RST\)")
        at = len(uart.text)
        uart.expect(r"ota_example: Starting OTA example task")
        assert " boot: " not in uart.text[at:]
    assert device.read(0, len(loader)) == loader and device.slot("ota_0") == app


def test_bootloader_with_rollback_spares_both_apps(device, firmware, quiet, nginx, web_root):
    """Both slots hold confirmed apps: the loader is staged in free flash."""
    (web_root / "partitions_ota.bin").write_bytes(firmware.data)
    (web_root / "bootloader.bin").write_bytes(quiet.bootloader.read_bytes())
    with device.on() as uart:
        for slot in ("ota_1", "ota_0"):
            ask(uart, nginx.url + "/partitions_ota.bin")
            uart.expect(SUCCESS)
            uart.expect_slot(slot)
            uart.expect(r"App is valid, rollback cancelled successfully")
        slots = device.slot("ota_0"), device.slot("ota_1")
        ask(uart, nginx.url + "/bootloader.bin")
        staging = int(uart.expect(r"Use <OtaBTLDR> partition \((0x[0-9a-f]+)\)")[1], 16)
        uart.expect(r"Copy from <OtaBTLDR> staging partition to <PrimaryBTLDR>\.\.\.")
        uart.expect(SUCCESS)
    assert all(at + size <= staging or staging + TABLE <= at for at, size in firmware.partitions().values())
    assert (device.slot("ota_0"), device.slot("ota_1")) == slots
    loader = quiet.bootloader.read_bytes()
    assert device.read(0, len(loader)) == device.read(staging, len(loader)) == loader


@pytest.mark.parametrize("damage", ["truncated", "other chip", "an app"])
def test_bad_bootloader_is_refused(damage, device, firmware, quiet, recoverable, nginx, web_root):
    before, loader = device.read(0, TABLE), quiet.bootloader.read_bytes()
    files = {"truncated": loader[:1100], "other chip": recoverable.bootloader.read_bytes(), "an app": b"\0" * 4096}
    (web_root / "bootloader.bin").write_bytes(files[damage])
    with device.on() as uart:
        ask(uart, nginx.url + "/bootloader.bin")
        uart.expect(FAILED)
    assert device.read(0, TABLE) == before


def test_partition_table(device, firmware, nginx, web_root, tmp_path):
    table = new_table(firmware, tmp_path)
    (web_root / "partition-table.bin").write_bytes(table)
    with device.on() as uart:
        ask(uart, nginx.url + "/partition-table.bin")
        uart.expect(r"Use <PrimaryPrtTable> partition \(0x00008000\)")
        uart.expect(r"Copy from <ota_1> staging partition to <PrimaryPrtTable>\.\.\.")
        uart.expect(SUCCESS)
        uart.expect(r"boot:  8 extra            Unknown data     01 99 ")
        uart.expect_slot("ota_0")
        uart.expect(r"ota_example: Starting OTA example task")
    assert device.read(TABLE, len(table)) == table


def test_bad_partition_table_is_refused(device, nginx, web_root, tmp_path, firmware):
    before, table = device.read(TABLE, 0x1000), bytearray(new_table(firmware, tmp_path))
    table[4] ^= 1  # the MD5 does not fit any more
    (web_root / "partition-table.bin").write_bytes(bytes(table))
    with device.on() as uart:
        ask(uart, nginx.url + "/partition-table.bin")
        uart.expect(FAILED)
    assert device.read(TABLE, 0x1000) == before


def test_storage(device, nginx, web_root):
    data = b"7296406769363431" + random.Random(3).randbytes(484)
    (web_root / "storage.bin").write_bytes(data)
    app = device.slot("ota_0")
    with device.on() as uart:
        ask(uart, nginx.url + "/storage.bin")
        uart.expect(r"37 32 39 36 34 30 36 37  36 39 33 36 33 34 33 31\s+\|7296406769363431\|")
        uart.expect(SUCCESS)
        uart.expect_slot("ota_0")
        uart.expect(r"ota_example: Starting OTA example task")
    assert device.slot("storage", len(data)) == data and device.slot("ota_0") == app


def test_storage_with_other_bytes_panics(device, nginx, web_root):
    """The app asserts what it wrote; the device comes back."""
    (web_root / "storage.bin").write_bytes(b"x" * 500)
    with device.on() as uart:
        ask(uart, nginx.url + "/storage.bin")
        uart.expect(r"assert failed: ota_update_storage app_main\.c:\d+ \(memcmp")
        uart.expect(r"ota_example: Starting OTA example task")


def test_unknown_file_is_refused(device, nginx, web_root, firmware):
    (web_root / "other.bin").write_bytes(firmware.data)
    flash = device.flash.read_bytes()
    with device.on() as uart:
        ask(uart, nginx.url + "/other.bin")
        uart.expect(r"Unable to load this file \(\S+/other\.bin\)\. The final partition is unknown\.")
        uart.expect(FAILED)
    slots = [firmware.partitions()[name] for name in ("ota_0", "ota_1", "storage")] + [(0, TABLE + 0x1000)]
    assert all(device.read(at, size) == flash[at:at + size] for at, size in slots)


# --- power cuts ---

def operations(device, url):
    """Flash operations from power on to the end of an update."""
    with device.on("--json") as uart:
        ask(uart, url)
        uart.expect(SUCCESS)
        return uart.flash_operations()


def test_power_cut_while_the_bootloader_is_copied_needs_flashing(tmp_path, firmware, quiet, nginx, web_root):
    """As the sample warns: without a recovery boot loader there is nothing left to start."""
    (web_root / "bootloader.bin").write_bytes(quiet.bootloader.read_bytes())
    url = nginx.url + "/bootloader.bin"
    last = operations(lab.Device(tmp_path / "measured", firmware), url)
    device = lab.Device(tmp_path / "device", firmware)
    pages = 0x8000 // 256  # the copy's programs, behind its erase
    with device.on("--power-cut", f"{last - pages + 2}:1") as uart:
        ask(uart, url)
        uart.expect(r"airlift: power cut in flash operation")
        uart.expect(r"ROM finds no boot loader to start at 0x0 of flash\.bin\. Make the device again")
    assert "ota_example: Starting" not in device.run(seconds=3)


def test_power_cut_while_the_partition_table_is_copied_needs_flashing(tmp_path, firmware, nginx, web_root):
    (web_root / "partition-table.bin").write_bytes(new_table(firmware, tmp_path))
    url = nginx.url + "/partition-table.bin"
    last = operations(lab.Device(tmp_path / "measured", firmware), url)
    device = lab.Device(tmp_path / "device", firmware)
    pages = 0x1000 // 256
    with device.on("--power-cut", f"{last - pages}:1") as uart:  # the erase
        ask(uart, url)
        uart.expect(r"airlift: power cut in flash operation")
        uart.expect(r"boot: Failed to verify partition table")
    assert "ota_example: Starting" not in device.run(seconds=3)


def test_recovery_bootloader_is_not_replaced_by_a_damaged_one(tmp_path, recoverable, nginx, web_root):
    """The power goes twice while the primary boot loader is written: the second update starts from the recovery's."""
    loader = recoverable.bootloader.read_bytes()
    (web_root / "bootloader.bin").write_bytes(loader)
    url = nginx.url + "/bootloader.bin"
    last = operations(lab.Device(tmp_path / "measured", recoverable), url)  # the last page of the primary
    device = lab.Device(tmp_path / "device", recoverable)
    for cut in (last, 4):  # the second update makes no backup: an erase and a few pages
        with device.on("--power-cut", f"{cut}:1") as uart:
            ask(uart, url)
            uart.expect(r"airlift: power cut in flash operation")
            uart.expect(r"Trying recovery bootloader at 0x3f0000")
            uart.expect(r"ota_example: Starting OTA example task")
        assert device.read(0x2000, len(loader)) != loader
        assert device.read(RECOVERY, len(loader)) == loader
    with device.on() as uart:
        ask(uart, url)
        uart.expect(r"<PrimaryBTLDR> is damaged, <RecoveryBTLDR> stays as it is")
        uart.expect(SUCCESS)
    assert device.read(0x2000, len(loader)) == loader


@pytest.mark.parametrize("seed", range(5))
def test_recovery_bootloader_starts_after_a_power_cut(tmp_path, seed, recoverable, nginx, web_root):
    """Wherever the power goes, the device comes back, and takes the update then."""
    loader = recoverable.bootloader.read_bytes()
    (web_root / "bootloader.bin").write_bytes(loader)
    url = nginx.url + "/bootloader.bin"
    measured = lab.Device(tmp_path / "measured", recoverable)
    last = operations(measured, url)
    assert measured.read(RECOVERY, len(loader)) == measured.read(0x2000, len(loader)) == loader
    device = lab.Device(tmp_path / "device", recoverable)
    cut = random.Random(seed).randrange(max(1, last * seed // 5), last * (seed + 1) // 5)
    with device.on("--power-cut", f"{cut}:{seed}") as uart:
        ask(uart, url)
        uart.expect(r"airlift: power cut in flash operation")
        ask(uart, url)
        uart.expect(SUCCESS)
        uart.expect(r"ota_example: Starting OTA example task")
    assert device.read(0x2000, len(loader)) == loader
