"""The official acceptance list for native_ota_example, over real servers."""
import random

import pytest

import lab
import servers
from acceptance import certificate, device, nginx  # noqa: F401

CONFIG = ["sdkconfig.ci"]
SLOTS = {0x10000: "factory", 0x110000: "ota_0", 0x210000: "ota_1"}


@pytest.fixture(scope="module")
def firmware(certificate):
    return lab.build("native_ota_example", certificate[0], sdkconfig=CONFIG)


def ask(uart, url):
    """Waits for the prompt and gives the URL."""
    uart.expect(r"native_ota_example: OTA example app_main start")
    uart.expect(r"IPv4 address: (\d+\.\d+\.\d+\.\d+)[^\d]")
    uart.expect(r"native_ota_example: Starting OTA example")
    uart.write(url)


def loaded_at(uart):
    return int(uart.expect(r"Loaded app from partition at offset (0x[0-9a-f]+)")[1], 16)


def test_three_cycles_with_alternating_slots(device, firmware, nginx, web_root):
    (web_root / "native_ota.bin").write_bytes(firmware.data)
    with device.on() as uart:
        assert SLOTS[loaded_at(uart)] == "factory"
        for expected in ("ota_0", "ota_1", "ota_0"):
            ask(uart, nginx.url + "/native_ota.bin")
            uart.expect(r"Writing to partition subtype \d+ at offset 0x[0-9a-f]+")
            uart.expect(r"esp_ota_begin succeeded")
            written = int(uart.expect(r"Total Write binary data length: (\d+)")[1])
            assert written == len(firmware.data)
            uart.expect(r"Prepare to restart system!")
            assert SLOTS[loaded_at(uart)] == expected


def test_truncated_image_is_refused(device, firmware, nginx, web_root):
    (web_root / "truncated.bin").write_bytes(firmware.data[:len(firmware.data) // 2])
    with device.on() as uart:
        ask(uart, nginx.url + "/truncated.bin")
        uart.expect(r"native_ota_example: Image validation failed, image is corrupted")
    assert device.boot()["slot"] == "factory"


def test_image_of_180_bytes_is_refused(device, firmware, nginx, web_root):
    (web_root / "header.bin").write_bytes(firmware.data[:180])
    with device.on() as uart:
        ask(uart, nginx.url + "/header.bin")
        uart.expect(r"native_ota_example: received package is not fit len")


def test_random_bytes_are_refused(device, nginx, web_root):
    rng = random.Random(1)
    (web_root / "random.bin").write_bytes(b"\x00" + rng.randbytes(32000))
    with device.on() as uart:
        ask(uart, nginx.url + "/random.bin")
        uart.expect(r"esp_ota_ops: OTA image has invalid magic byte")
        uart.expect(r"Exiting task due to fatal error...")


def test_server_without_content_length_that_closes(device, firmware, web_root, tmp_path):
    (web_root / "native_ota.bin").write_bytes(firmware.data)
    with servers.OpensslServer(web_root, tmp_path / "s_server") as server:
        own = lab.build("native_ota_example", server.ca, sdkconfig=CONFIG)
        other = lab.Device(tmp_path / "other", own)
        (web_root / "native_ota.bin").write_bytes(own.data)
        with other.on() as uart:
            ask(uart, server.url + "/native_ota.bin")
            uart.expect(r"native_ota_example: Connection closed")
            assert SLOTS[loaded_at(uart)] == "ota_0"


def test_airliftd_serves_it(tmp_path, airliftd):
    own = lab.build("native_ota_example", airliftd.ca, sdkconfig=CONFIG)
    airliftd.push(own.image, "native")
    device = lab.Device(tmp_path / "device", own)
    with device.on() as uart:
        ask(uart, f"{airliftd.url}/firmware/native")
        uart.expect(r"Prepare to restart system!")
        assert SLOTS[loaded_at(uart)] == "ota_0"


def test_version_check_stops_the_same_version(tmp_path, certificate, nginx, web_root):
    own = lab.build("native_ota_example", certificate[0], sdkconfig=CONFIG,
                    config={"EXAMPLE_SKIP_VERSION_CHECK": "n"})
    (web_root / "same.bin").write_bytes(own.data)
    with lab.Device(tmp_path / "device", own).on() as uart:
        ask(uart, nginx.url + "/same.bin")
        uart.expect(r"Current running version is the same as a new. We will not continue the update.")
        uart.expect(r"Waiting for a new firmware ... \d+")


def test_rollback_when_the_diagnostic_pin_is_low(tmp_path, certificate, nginx, web_root, airlift):
    rollback = {"BOOTLOADER_APP_ROLLBACK_ENABLE": "y", "EXAMPLE_SKIP_VERSION_CHECK": "n"}
    old = lab.build("native_ota_example", certificate[0], "1.0.0", rollback, CONFIG)
    new = lab.build("native_ota_example", certificate[0], "1.1.0", rollback, CONFIG)
    (web_root / "new.bin").write_bytes(new.data)
    device = lab.Device(tmp_path / "device", old)
    with device.on() as uart:
        ask(uart, nginx.url + "/new.bin")
        uart.expect(r"Prepare to restart system!")
        uart.expect(r"Diagnostics \(5 sec\)\.\.\.")
        assert airlift("device", "gpio", device.dir, "4", "0").returncode == 0
        uart.expect(r"Diagnostics failed! Start rollback to the previous version \.\.\.")
        uart.expect(r"Rollback to previously worked partition\.")
        assert SLOTS[loaded_at(uart)] == "factory"
        # The version that failed is not taken again.
        ask(uart, nginx.url + "/new.bin")
        uart.expect(r"New version is the same as invalid version\.")


def test_confirmed_when_the_diagnostic_pin_is_high(tmp_path, certificate, nginx, web_root):
    rollback = {"BOOTLOADER_APP_ROLLBACK_ENABLE": "y"}
    old = lab.build("native_ota_example", certificate[0], "1.0.0", rollback, CONFIG)
    new = lab.build("native_ota_example", certificate[0], "1.1.0", rollback, CONFIG)
    (web_root / "new.bin").write_bytes(new.data)
    device = lab.Device(tmp_path / "device", old)
    with device.on() as uart:
        ask(uart, nginx.url + "/new.bin")
        uart.expect(r"Diagnostics completed successfully! Continuing execution \.\.\.")
        uart.expect(r"native_ota_example: Starting OTA example")  # the confirmation is written in between
    boot = device.boot("--rollback")
    assert boot["slot"] == "ota_0" and boot["entries_before"][0]["state"] == 2


def test_not_confirmed_means_the_previous_app_at_the_next_reset(tmp_path, certificate, nginx, web_root):
    rollback = {"BOOTLOADER_APP_ROLLBACK_ENABLE": "y"}
    old = lab.build("native_ota_example", certificate[0], "1.0.0", rollback, CONFIG)
    new = lab.build("native_ota_example", certificate[0], "1.1.0", rollback, CONFIG)
    (web_root / "new.bin").write_bytes(new.data)
    device = lab.Device(tmp_path / "device", old)
    with device.on() as uart:
        ask(uart, nginx.url + "/new.bin")
        uart.expect(r"Diagnostics \(5 sec\)\.\.\.")  # the power goes in the middle of them
    with device.on() as uart:
        assert SLOTS[loaded_at(uart)] == "factory"
        uart.expect(r"OTA example app_main start")


def test_connection_that_breaks_leaves_the_old_app(tmp_path, firmware, certificate, web_root):
    (web_root / "native_ota.bin").write_bytes(firmware.data)
    with servers.PythonServer(web_root, tls=certificate, cut_after=50000) as server:
        device = lab.Device(tmp_path / "device", firmware)
        with device.on() as uart:
            ask(uart, server.url + "/native_ota.bin")
            uart.expect(r"native_ota_example: (Error in receiving complete file|Error: SSL data read error|"
                        r"connection closed, errno = \d+)")
        assert device.boot()["slot"] == "factory"


def test_an_error_page_is_no_firmware(device, nginx):
    with device.on() as uart:
        ask(uart, nginx.url + "/nothing-here.bin")  # the example does not look at the status
        uart.expect(r"received package is not fit len")
    assert device.boot()["slot"] == "factory"
