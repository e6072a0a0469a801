"""An upgrade list on a virtual device (firmware/ota_service): tones from the SD card, the app over HTTPS."""
import re
import subprocess

import pytest

import lab
import servers

OLD, NEW = "v1.0.0", "v2.0.0"
NAME = "ota_service.bin"
# What the list says when it ends without a restart.
OVER = r"\[2\.4\] Clear OTA service"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """(root, url) of an HTTPS server, the same port for all tests, so that one build does for them."""
    root = tmp_path_factory.mktemp("site")
    with servers.Nginx(root, tmp_path_factory.mktemp("nginx"), cert=lab.certificate()) as server:
        yield root, server.url


@pytest.fixture(scope="module")
def apps(site):
    """{version: firmware}; the new one is served."""
    root, url = site
    built = {version: lab.build("ota_service", lab.certificate()[0], version=version,
                                config={"FIRMWARE_UPGRADE_URI": f"{url}/{NAME}"}) for version in (OLD, NEW)}
    (root / NAME).write_bytes(built[NEW].data)
    return built


@pytest.fixture(scope="module")
def tones(airlift, tmp_path_factory):
    """Makes a tone image: tones("v1.0.0", b"one", b"two") or tones(0, ...) of format 0. Gives its bytes."""
    def make(version, *files):
        work = tmp_path_factory.mktemp("tones")
        for i, content in enumerate(files or (b"tone" * 300, b"other" * 500)):
            (work / f"{i:03}.mp3").write_bytes(content)
        words = ["--format", 0] if version == 0 else ["--version", version]
        done = airlift("data-image", "make", work, "--out", work / "image", *words)
        assert done.returncode == 0, done.stderr
        return (work / "image").read_bytes()
    return make


@pytest.fixture
def device(apps, tmp_path):
    made = lab.Device(tmp_path / "device", apps[OLD])
    (made.dir / "sdcard").mkdir()
    return made


def put_card(device, image):
    (device.dir / "sdcard" / "flash_tone.bin").write_bytes(image)


def put_flash(device, content):
    offset, _ = device.firmware.partitions()["flash_tone"]
    with open(device.flash, "r+b") as f:
        f.seek(offset)
        f.write(content)


def holds(device, image):
    size = device.firmware.partitions()["flash_tone"][1]
    return device.slot("flash_tone") == image.ljust(size, b"\xff")


def test_a_list_upgrades_tones_and_app_and_restarts_into_it(device, tones):
    image = tones("v1.0.0")
    put_card(device, image)
    put_flash(device, tones("v0.9.0"))
    with device.on() as uart:
        for line in (r"HTTPS_OTA_EXAMPLE: \[1\.0\] Initialize peripherals management",
                     r"HTTPS_OTA_EXAMPLE: \[1\.1\] Start and wait for Wi-Fi network",
                     r"PERIPH_WIFI: Got ip:", r"\[1\.2\] Mount SDCard", r"\[2\.0\] Create OTA service",
                     r"\[2\.1\] Set upgrade list", r"\[2\.2\] Start OTA service",
                     r"Func:app_main, Line:\d+, MEM Total:\d+ Bytes\s*\n\n",
                     r"OTA_DEFAULT: data upgrade uri file://sdcard/flash_tone\.bin",
                     rf"FATFS_STREAM: File size: {len(image)} byte, file position: 0",
                     r"TONE_PARTITION: tone partition format 1, total 2", "format 1 : 1",
                     r"OTA_DEFAULT: write_offset 0, size 8", r"OTA_DEFAULT: write_offset 8, size 256",
                     r"W \(\d+\) FATFS_STREAM: No more data, ret:0", r"AUDIO_ELEMENT: IN-\[file\] AEL_IO_DONE,0",
                     r"OTA_DEFAULT: partition flash_tone upgrade successes",
                     r"W \(\d+\) AUDIO_ELEMENT: \[file\] Element has not create when AUDIO_ELEMENT_TERMINATE",
                     "List id: 0, OTA success",
                     f"Running firmware version: {OLD}, the incoming firmware version {NEW}",
                     "List id: 1, OTA success", r"W \(\d+\) OTA_SERVICE: OTA_END!", r"W \(\d+\) OTA_SERVICE: restart!"):
            uart.expect(line)
        uart.expect_slot("ota_1")
        uart.expect(f"ota_service {NEW} runs")
        uart.expect(OVER)
        uart.never("panic|Guru")
    assert holds(device, image)
    assert device.boot()["slot"] == "ota_1"


def test_a_list_with_nothing_newer_changes_nothing(device, apps, site, tones):
    same = tones("v1.0.0")
    put_card(device, same)
    put_flash(device, same)
    (site[0] / NAME).write_bytes(apps[OLD].data)
    try:
        log = device.run(until=OVER)
    finally:
        (site[0] / NAME).write_bytes(apps[NEW].data)
    assert log.has("The incoming version is same as or lower than the running version")
    assert log.has("Current running version is the same as or higher than a new. We will not continue the update.")
    assert log.count_of("No need to upgrade") == 2 and log.count_of("OTA failed, reason 0x90004") == 2
    assert not log.has("restart!")
    assert log.has(r"\[2\.3\] Finish OTA service\n.*\[2\.4\] Clear OTA service")
    assert holds(device, same) and device.boot()["slot"] == "ota_0"


def test_without_a_card_the_app_still_upgrades(device, tones):
    (device.dir / "sdcard").rmdir()
    log = device.run(until=f"ota_service {NEW} runs")
    assert log.has(r"PERIPH_SDCARD: no SD card: make the folder .*/sdcard and put its files there")
    assert log.has("AUDIO_BOARD: Sdcard mount failed")
    assert log.has("List id: 0, OTA failed") and log.has("List id: 1, OTA success")


# ---- the upgrade rule of tones ----

def changed(image, at, new):
    return image[:at] + new + image[at + len(new):]


# name: (in flash, on the card, result; None: success); texts and numbers are versions
RULE = {
    "empty partition": (None, "v1.0.0", None),
    "foreign content": (b"something else", "v1.0.0", None),
    "format 0 over format 0": (0, 0, None),
    "format 0 over format 1": ("v9.0.0", 0, None),
    "format 1 over format 0": (0, "v1.0.0", None),
    "format 1 with a bad version over format 0": (0, "v1.0", None),
    "higher version": ("v1.0.0", "v1.0.1", None),
    "the tenth is higher than the ninth": ("v2.0.9", "v2.0.10", None),
    "over a version that is none": ("v1.0", "v0.0.0", None),
    "same version": ("v1.0.0", "v1.0.0", "0x90004"),
    "lower version": ("v1.0.1", "v1.0.0", "0x90004"),
    "a version that is none": ("v1.0.0", "v2.0", "0x90003"),
    "no tone image": ("v1.0.0", b"\xe9" * 600, "0xffffffff"),
    "no tone image over foreign content": (b"something else", b"\xe9" * 600, None),
    "shorter than a header": ("v1.0.0", b"\x53\x20\x01", "0x9000c"),
    "shorter than a description": ("v1.0.0", lambda make: make("v2.0.0")[:200], "0x9000c"),
    "another magic": ("v1.0.0", lambda make: changed(make("v2.0.0"), 8, b"\x32\x54\xcd\xab"), "0x90005"),
    "another project": ("v1.0.0", lambda make: changed(make("v2.0.0"), 56, b"ESP_MUSIC_BIN"), "0x90006"),
    "a part of the project's name": ("v1.0.0", lambda make: changed(make("v2.0.0"), 56, b"TONE\0"), None),
    "no project": ("v1.0.0", lambda make: changed(make("v2.0.0"), 56, b"\0"), None),
    "over an image whose tail is missing": (lambda make: make("v9.0.0")[:-1], "v1.0.0", None),
}


@pytest.fixture(scope="module")
def offline():
    """The sample without a network: its app entry fails at once."""
    return lab.build("ota_service", lab.certificate()[0], version=OLD,
                     config={"FIRMWARE_UPGRADE_URI": "file://sdcard/none.bin"})


def image_of(what, tones):
    if callable(what):
        return what(tones)
    return what if isinstance(what, bytes) else tones(what)


@pytest.mark.parametrize("case", RULE)
def test_tones_replace_others_by_the_rule(case, offline, tones, tmp_path):
    in_flash, on_card, result = RULE[case]
    device = lab.Device(tmp_path / "device", offline)
    (device.dir / "sdcard").mkdir()
    old = image_of(in_flash, tones) if in_flash is not None else b""
    new = image_of(on_card, tones)
    put_flash(device, old)
    put_card(device, new)
    log = device.run(until=OVER)
    if result:
        assert log.has(f"List id: 0, OTA failed, reason {result}$")
        assert holds(device, old)
    else:
        assert log.has("List id: 0, OTA success")
        assert holds(device, new)
    assert log.has("List id: 1, OTA failed") and not log.has("restart!")


def test_the_app_may_come_from_the_card_too(apps, tones, tmp_path):
    firmware = lab.build("ota_service", lab.certificate()[0], version=OLD,
                         config={"FIRMWARE_UPGRADE_URI": "file://sdcard/app.bin"})
    device = lab.Device(tmp_path / "device", firmware)
    (device.dir / "sdcard").mkdir()
    put_card(device, tones("v1.0.0"))
    (device.dir / "sdcard" / "app.bin").write_bytes(apps[NEW].data)
    log = device.run(until=f"ota_service {NEW} runs")
    offset = firmware.partitions()["ota_1"][0]
    assert log.has(r"esp_fs_ota: Starting OTA\.\.\.\n.*"
                   rf"esp_fs_ota: Writing to partition subtype 17 at offset 0x{offset:x}")
    assert log.has("List id: 1, OTA success")


# ---- power ----

@pytest.fixture(scope="module")
def operations(offline, tones, tmp_path_factory):
    """(old, new, flash operations from power on until the new tones are there)."""
    old = tones("v1.0.0", b"old tone" * 1500)
    new = tones("v1.1.0", b"a new tone" * 1600)
    device = lab.Device(tmp_path_factory.mktemp("uncut") / "device", offline)
    (device.dir / "sdcard").mkdir()
    put_flash(device, old)
    put_card(device, new)
    with device.on("--json") as uart:
        uart.expect("List id: 0, OTA success")
        uart.expect(OVER)
        return old, new, uart.flash_operations()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.48, 0.55, 0.75, 0.97])
def test_a_power_cut_leaves_the_old_or_the_new_tones(share, offline, operations, tmp_path):
    old, new, count = operations
    device = lab.Device(tmp_path / "device", offline)
    (device.dir / "sdcard").mkdir()
    put_flash(device, old)
    put_card(device, new)
    cut = f"{int(count * share)}:{int(share * 100)}"
    log = device.run(until=OVER, options=["--power-cut", cut])
    assert log.has("power cut in flash operation")
    after = log[re.search("power cut in flash operation", log).start():]
    assert not re.search("Not flash tone partition|tail check", after)
    found = re.search(r"current version (v\S+), incoming version v1\.1\.0", after)
    assert found[1] in ("v1.0.0", "v1.1.0")
    assert holds(device, new)


# ---- all or nothing ----

@pytest.fixture(scope="module")
def together(tones):
    """(firmware with an atomic list from the card, its new image, old tones, new tones)"""
    return atomic(tones)


def atomic(tones, **config):
    def make(version):
        return lab.build("ota_service", lab.certificate()[0], version=version,
                         config={"FIRMWARE_UPGRADE_URI": "file://sdcard/app.bin", "OTA_SERVICE_ATOMIC": "y", **config})
    return make(OLD), make(NEW).data, tones("v1.0.0", b"old tone" * 1500), tones("v1.1.0", b"a new tone" * 1600)


def together_device(together, path):
    firmware, image, old, new = together
    made = lab.Device(path, firmware)
    (made.dir / "sdcard").mkdir()
    (made.dir / "sdcard" / "app.bin").write_bytes(image)
    put_flash(made, old)
    put_card(made, new)
    return made


@pytest.fixture(scope="module")
def operations_together(together, tmp_path_factory):
    device = together_device(together, tmp_path_factory.mktemp("uncut") / "device")
    with device.on("--json") as uart:
        for line in ("List id: 0, OTA success", "List id: 1, OTA success", "restart!", f"ota_service {NEW} runs",
                     "current version v1.1.0, incoming version v1.1.0", OVER):
            uart.expect(line)
        count = uart.flash_operations()
    assert holds(device, together[3])
    return count


@pytest.mark.parametrize("share", [0.4, 0.9, 0.94, 0.95, 0.96, 0.995])
def test_a_power_cut_leaves_all_old_or_all_new(share, together, operations_together, tmp_path):
    device = together_device(together, tmp_path / "device")
    cut = f"{int(operations_together * share)}:{int(share * 1000)}"
    log = device.run(until=OVER, options=["--power-cut", cut])
    assert log.has("power cut in flash operation")
    after = log[re.search("power cut in flash operation", log).start():]
    app = re.search(r"ota_service (v\S+) runs", after)[1]
    tones_then = re.search(r"current version (v\S+), incoming", after)[1]
    assert (app, tones_then) in ((OLD, "v1.0.0"), (NEW, "v1.1.0"))
    assert holds(device, together[3]) and device.boot()["slot"] == "ota_1"


def test_an_app_that_is_wrong_keeps_the_old_tones(together, tmp_path):
    device = together_device(together, tmp_path / "device")
    (device.dir / "sdcard" / "app.bin").write_bytes(together[1][:-5000])
    log = device.run(until=OVER)
    assert log.has("List id: 0, OTA failed, reason 0x90101")  # nothing wrong with it, but with the other
    assert log.has("List id: 1, OTA failed") and not log.has("restart!")
    assert holds(device, together[2]) and device.boot()["slot"] == "ota_0"


def test_an_app_that_does_not_confirm_itself_takes_the_new_tones_with_it(tones, tmp_path):
    together = atomic(tones, BOOTLOADER_APP_ROLLBACK_ENABLE="y")
    device = together_device(together, tmp_path / "device")
    with device.on() as uart:
        for line in ("restart!", "The new contents of data partitions are on trial with the new app",
                     f"ota_service {NEW} runs", OVER):
            uart.expect(line)
    assert holds(device, together[3])
    for name in ("app.bin", "flash_tone.bin"):  # or the old app upgrades again
        (device.dir / "sdcard" / name).unlink()
    log = device.run(until=OVER)
    back = log.index("The app was rolled back: the old contents of data partitions are back")
    assert back < log.index(f"ota_service {OLD} runs")  # before the app looks
    assert holds(device, together[2]) and device.boot()["slot"] == "ota_0"


def test_tones_may_come_over_https(apps, site, tones, tmp_path):
    root, url = site
    image = tones("v1.0.0", b"a tone" * 20000)
    (root / "flash_tone.bin").write_bytes(image)
    firmware = lab.build("ota_service", lab.certificate()[0], version=OLD,
                         config={"FIRMWARE_UPGRADE_URI": "file://sdcard/none.bin",
                                 "DATA_UPGRADE_URI": f"{url}/flash_tone.bin"})
    device = lab.Device(tmp_path / "device", firmware)
    log = device.run(until=OVER)
    assert log.has("List id: 0, OTA success")
    assert holds(device, image)


def test_the_demonstration_runs():
    done = subprocess.run(["/usr/bin/python3", servers.ROOT / "tools/demo_service.py", "--build", servers.BUILD],
                                  capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert done.stdout.count("[ok]") == 5
