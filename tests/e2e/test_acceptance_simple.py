"""The official acceptance list for simple_ota_example, over real servers."""
import hashlib
import shutil
import socket

import pytest

import lab
import servers
from acceptance import certificate, device, nginx  # noqa: F401

SAMPLE = "simple_ota_example"
CI = ["sdkconfig.ci"]
FAILED = r"simple_ota_example: Firmware upgrade failed"


@pytest.fixture(scope="module")
def firmware(certificate):
    return lab.build(SAMPLE, certificate[0], "1.0.0", sdkconfig=CI)


def ask(uart, url):
    """Waits for the prompt and gives the URL."""
    uart.expect(r"simple_ota_example: OTA example app_main start")
    uart.expect_all(r"IPv4 address: (\d+\.\d+\.\d+\.\d+)[^\d]", r"simple_ota_example: Starting OTA example task")
    uart.write(url)
    uart.expect(r"simple_ota_example: Attempting to download update from " + url.replace(".", r"\."))


def update(uart, url, slot):
    ask(uart, url)
    uart.expect(r"OTA Succeed, Rebooting\.\.\.")
    uart.expect_slot(slot)


def test_cycles_with_alternating_slots(device, firmware, nginx, web_root):
    (web_root / "app.bin").write_bytes(firmware.data)
    with device.on() as uart:
        uart.expect_slot("ota_0")
        for slot in ("ota_1", "ota_0", "ota_1"):
            update(uart, nginx.url + "/app.bin", slot)
    assert device.slot("ota_1", len(firmware.data)) == firmware.data


def test_hashes_are_those_of_the_images(device, firmware):
    """Both images end with their SHA-256, which covers all that stands before it."""
    with device.on() as uart:
        loader = uart.expect(r"SHA-256 for bootloader:  ([0-9a-f]{64})\n")[1]
        app = uart.expect(r"SHA-256 for current firmware:  ([0-9a-f]{64})\n")[1]
    for printed, data in ((loader, firmware.bootloader.read_bytes()), (app, firmware.data)):
        assert printed == hashlib.sha256(data[:-32]).hexdigest() == data[-32:].hex()


def test_airliftd_and_another_program(tmp_path, device, certificate):
    new = lab.build("hello_world", None, "7.7.7")
    options = ("--cert", certificate[0], "--key", certificate[1])
    with servers.Airliftd(tmp_path / "data", *options) as server:
        server.push(new.image, "app", "--ca", certificate[0])
        with device.on() as uart:
            update(uart, f"{server.url}/firmware/app", "ota_1")
            uart.expect(r"Project name:\s+hello_world")
            uart.expect(r"App version:\s+7\.7\.7")


@pytest.mark.parametrize("damage", ["truncated", "180 bytes", "random", "missing", "flipped bit"])
def test_failure_leaves_the_old_app(damage, device, firmware, nginx, web_root):
    data = bytearray(firmware.data)
    data[len(data) // 2] ^= 0x10
    files = {"truncated": firmware.data[:len(data) // 2], "180 bytes": firmware.data[:180],
             "random": bytes(range(1, 256)) * 100, "flipped bit": bytes(data)}
    if damage in files:
        (web_root / "app.bin").write_bytes(files[damage])
    with device.on() as uart:
        ask(uart, nginx.url + "/app.bin")
        uart.expect(FAILED)
    with device.on() as uart:
        uart.expect_slot("ota_0")
        uart.expect(r"Starting OTA example task")
    assert device.boot()["slot"] == "ota_0"


def test_certificate_bundle_with_an_own_root(tmp_path, certificate, web_root):
    """The bundle trusts the root that the project adds to it, and nobody else's server."""
    config = {"EXAMPLE_USE_CERT_BUNDLE": "y", "MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE": "y",
              "MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH": str(certificate[0]),
              "EXAMPLE_SKIP_COMMON_NAME_CHECK": "n"}
    own = lab.build(SAMPLE, certificate[0], "1.0.0", config, CI)
    (web_root / "app.bin").write_bytes(own.data)
    device = lab.Device(tmp_path / "device", own)
    with servers.Nginx(web_root, tmp_path / "other") as server, device.on() as uart:
        ask(uart, server.url + "/app.bin")
        uart.expect(r"not among the trusted certificates")
        uart.expect(FAILED)
    with servers.Nginx(web_root, tmp_path / "nginx", cert=certificate) as server, device.on() as uart:
        update(uart, server.url + "/app.bin", "ota_1")


def test_bundle_without_a_certificate_stops_the_build(tmp_path, certificate):
    (tmp_path / "roots.pem").write_text("nothing\n")
    config = {"MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE": "y",
              "MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH": str(tmp_path / "roots.pem")}
    with pytest.raises(AssertionError, match=r"roots.pem: no certificate in it\. CONFIG_MBEDTLS_CUSTOM"):
        lab.build(SAMPLE, certificate[0], "1.0.0", config, CI)


def test_download_is_bound_to_an_interface(tmp_path, certificate, nginx, web_root):
    """The official configuration binds the download; a server on this machine is reached all the same."""
    config = {"EXAMPLE_FIRMWARE_UPGRADE_BIND_IF": "y"}
    own = lab.build(SAMPLE, certificate[0], "1.0.0", config, CI)
    (web_root / "app.bin").write_bytes(own.data)
    device = lab.Device(tmp_path / "device", own)
    with device.on() as uart:
        name = uart.expect(r"simple_ota_example: Bind interface name is (\S+)")[1]
        assert socket.if_nametoindex(name) > 0
        uart.write(nginx.url + "/app.bin")
        uart.expect(r"OTA Succeed, Rebooting\.\.\.")


@pytest.mark.parametrize("allowed", ["n", "y"])
def test_no_trust_setting(allowed, tmp_path, web_root):
    """An app that names no certificate at all: refused, unless the project allows plain http."""
    project = tmp_path / "simple_ota_example"
    shutil.copytree(lab.FIRMWARE / SAMPLE, project)
    source = project / "main" / "simple_ota_example.c"
    text = source.read_text()
    assert ".cert_pem = " in text
    source.write_text("\n".join(line for line in text.split("\n") if ".cert_pem = " not in line))
    own = lab.build(project, None, "1.0.0", {"ESP_HTTPS_OTA_ALLOW_HTTP": allowed}, CI)
    (web_root / "app.bin").write_bytes(own.data)
    device = lab.Device(tmp_path / "device", own)
    with servers.Nginx(web_root, tmp_path / "nginx", tls=False) as server, device.on() as uart:
        if allowed == "y":
            uart.expect(r"Starting OTA example task")
            uart.write(server.url + "/app.bin")
            uart.expect(r"Continuing with insecure option because CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is set\.")
            uart.expect(r"OTA Succeed, Rebooting\.\.\.")
            uart.expect_slot("ota_1")
        else:
            ask(uart, server.url + "/app.bin")
            uart.expect(r"No option for server verification is enabled in esp_http_client config\.")
            uart.expect(FAILED)
