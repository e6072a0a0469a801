"""The official acceptance list for advanced_https_ota, over real servers; resumption: test_acceptance_resume.py."""
import json
import random

import pytest

import lab
import servers
from acceptance import certificate, device, nginx  # noqa: F401

SAMPLE = "advanced_https_ota"
CI = ["sdkconfig.ci"]
CHIP_ID, MIN_REVISION, MAX_REVISION = 12, 15, 17  # offsets in the image's header
SECURE_VERSION = 32 + 4                           # of its app description
REFUSED = r"advanced_https_ota_example: ESP_HTTPS_OTA upgrade failed"


@pytest.fixture(scope="module")
def firmware(certificate):
    return lab.build(SAMPLE, certificate[0], "1.0.0", sdkconfig=CI)


@pytest.fixture(scope="module")
def careful(certificate):
    """Another version, which looks at the server's name and at versions."""
    checks = {"EXAMPLE_SKIP_COMMON_NAME_CHECK": "n", "EXAMPLE_SKIP_VERSION_CHECK": "n"}
    return lab.build(SAMPLE, certificate[0], "1.1.0", checks, CI)


@pytest.fixture(scope="module")
def pieces(certificate):
    """Fetches 16 KiB a request."""
    return lab.build(SAMPLE, certificate[0], "1.0.0", sdkconfig=CI + ["sdkconfig.ci.partial_download"])


def ask(uart, url):
    """Waits for the prompt and gives the URL."""
    uart.expect(r"advanced_https_ota_example: OTA example app_main start")
    uart.expect_all(r"IPv4 address: (\d+\.\d+\.\d+\.\d+)[^\d]",
                    r"advanced_https_ota_example: Starting Advanced OTA example")
    uart.write(url)


def update(uart, url, slot):
    """A whole update, to the start of the app in `slot`."""
    ask(uart, url)
    uart.expect(r"ESP_HTTPS_OTA upgrade successful\. Rebooting \.\.\.")
    uart.expect_slot(slot)


def stays_on_the_old_app(device, url, *lines):
    """The update fails with these lines, and the next start is the old app's."""
    with device.on() as uart:
        uart.expect_slot("factory")
        ask(uart, url)
        uart.expect_all(*lines, r"(ESP_HTTPS_OTA upgrade failed|ESP HTTPS OTA Begin failed)")
    boot = device.boot("--rollback")
    assert boot["slot"] == "factory" and all(e["seq"] == 0xffffffff for e in boot["entries_before"])


def test_cycles_with_alternating_slots(device, firmware, nginx, web_root):
    (web_root / "app.bin").write_bytes(firmware.data)
    with device.on() as uart:
        uart.expect_slot("factory")
        for slot in ("ota_0", "ota_1", "ota_0"):
            ask(uart, nginx.url + "/app.bin")
            uart.expect_all(r"OTA started", r"Connected to server", r"Reading Image Description",
                            r"Running firmware version: 1\.0\.0",
                            rf"esp_https_ota: Writing to <{slot}> partition at offset 0x[0-9a-f]+",
                            r"Verifying chip id of new image: 5", r"Verifying chip revision of new image: \d+",
                            r"Boot partition updated\. Next Partition: \d+", r"OTA finish",
                            r"ESP_HTTPS_OTA upgrade successful\. Rebooting \.\.\.")
            uart.expect_slot(slot)
        uart.expect(r"App is valid, rollback cancelled successfully")
    assert uart.text.count("App is valid, rollback cancelled successfully") == 3
    assert device.slot("ota_1", len(firmware.data)) == firmware.data


def test_the_new_program_runs_and_refuses_its_own_version(device, careful, nginx, web_root):
    (web_root / "app.bin").write_bytes(careful.data)
    with device.on() as uart:
        update(uart, nginx.url + "/app.bin", "ota_0")
        uart.expect(r"App version:\s+1\.1\.0")
        ask(uart, nginx.url + "/app.bin")
        uart.expect_all(r"Running firmware version: 1\.1\.0",
                        r"Current running version is the same as a new\. We will not continue the update\.",
                        r"image header verification failed", r"OTA abort")


def test_truncated_image_is_refused(device, firmware, nginx, web_root):
    (web_root / "truncated.bin").write_bytes(firmware.data[:len(firmware.data) // 2])
    stays_on_the_old_app(device, nginx.url + "/truncated.bin", r"Image validation failed, image is corrupted")


def test_image_of_180_bytes_is_refused(device, firmware, nginx, web_root):
    (web_root / "header.bin").write_bytes(firmware.data[:180])
    stays_on_the_old_app(device, nginx.url + "/header.bin", r"esp_https_ota: Complete headers were not received",
                         r"advanced_https_ota_example: esp_https_ota_get_img_desc failed")


def test_random_bytes_are_refused(device, nginx, web_root):
    (web_root / "random.bin").write_bytes(b"\0" + random.Random(1).randbytes(32000))
    stays_on_the_old_app(device, nginx.url + "/random.bin", r"esp_https_ota: Incorrect app descriptor magic")


def test_app_for_another_chip_is_refused(device, firmware, nginx, web_root):
    (web_root / "other.bin").write_bytes(lab.patched(firmware.data, {CHIP_ID: b"\x09\0"}))
    stays_on_the_old_app(device, nginx.url + "/other.bin", r"boot_comm: mismatch chip ID, expected 5, found 9")


def test_app_for_a_later_chip_revision_is_refused(device, firmware, nginx, web_root):
    (web_root / "later.bin").write_bytes(lab.patched(firmware.data, {MIN_REVISION: b"\x0f\x27"}))
    stays_on_the_old_app(device, nginx.url + "/later.bin",
                         r"boot_comm: chip revision check failed\. Required >= v99\.99, found v\d+\.\d+\.")


def test_app_for_an_earlier_chip_revision_is_refused(tmp_path, firmware, nginx, web_root):
    device = lab.Device(tmp_path / "device", firmware, "--revision", "v1.1")
    (web_root / "earlier.bin").write_bytes(lab.patched(firmware.data, {MAX_REVISION: b"\x64\0"}))
    stays_on_the_old_app(device, nginx.url + "/earlier.bin",
                         r"boot_comm: chip revision check failed\. Required <= v1\.0, found v1\.1\.")


def test_server_without_content_length_that_closes(tmp_path, device, firmware, web_root, certificate):
    (web_root / "app.bin").write_bytes(firmware.data)
    with servers.OpensslServer(web_root, tmp_path / "s_server", cert=certificate) as server, device.on() as uart:
        update(uart, server.url + "/app.bin", "ota_0")
    assert device.slot("ota_0", len(firmware.data)) == firmware.data


def test_redirect_to_another_port(device, firmware, nginx, web_root, python_server, certificate):
    (web_root / "app.bin").write_bytes(firmware.data)
    first = python_server(tls=certificate, redirects={"/moved.bin": (301, nginx.url + "/app.bin")})
    with device.on() as uart:
        update(uart, first.url + "/moved.bin", "ota_0")
    assert [path for _, path, _ in first.requests] == ["/moved.bin"]


def test_server_error_leaves_the_old_app(device, nginx):
    stays_on_the_old_app(device, nginx.url + "/nothing-here.bin", r"esp_https_ota: File not found\(404\)")


def test_connection_that_breaks_leaves_the_old_app(device, firmware, web_root, python_server, certificate):
    (web_root / "app.bin").write_bytes(firmware.data)
    server = python_server(tls=certificate, cut_after=50000)
    stays_on_the_old_app(device, server.url + "/app.bin", r"Complete data was not received\.", r"OTA abort")


def test_plain_http_needs_no_option_when_a_certificate_is_given(tmp_path, device, firmware, web_root):
    (web_root / "app.bin").write_bytes(firmware.data)
    with servers.Nginx(web_root, tmp_path / "plain", tls=False) as server, device.on() as uart:
        update(uart, server.url + "/app.bin", "ota_0")


# --- anti-rollback ---

def secure_version_of(airlift, device):
    return json.loads(airlift("device", "info", device.dir, "--json").stdout)["secure_version"]


def test_anti_rollback(tmp_path, airlift, certificate, nginx, web_root):
    """An older secure version is refused; a newer one that proves itself raises the eFuse."""
    own = lab.build(SAMPLE, certificate[0], "1.0.0", sdkconfig=CI + ["sdkconfig.ci.anti_rollback"])
    for version in (0, 2):
        changed = lab.patched(own.data, {SECURE_VERSION: bytes([version])})
        (web_root / f"secure{version}.bin").write_bytes(changed)
    device = lab.Device(tmp_path / "device", own)
    with device.on() as uart:
        uart.expect_slot("ota_0")
        ask(uart, nginx.url + "/secure0.bin")
        uart.expect(r"New firmware security version is less than eFuse programmed, 0 < 1")
        uart.expect(REFUSED)
    assert secure_version_of(airlift, device) == 1
    with device.on() as uart:
        uart.expect_slot("ota_0")
        update(uart, nginx.url + "/secure2.bin", "ota_1")
        uart.expect(r"App is valid, rollback cancelled successfully")
        uart.expect(r"Starting Advanced OTA example")
    assert secure_version_of(airlift, device) == 2
    (web_root / "secure1.bin").write_bytes(own.data)
    with device.on() as uart:
        uart.expect_slot("ota_1")
        ask(uart, nginx.url + "/secure1.bin")
        uart.expect(r"New firmware security version is less than eFuse programmed, 1 < 2")


# --- partial download ---

@pytest.mark.parametrize("keep_alive", [True, False])
def test_pieces_from_nginx(tmp_path, keep_alive, pieces, web_root, certificate):
    """Ranges follow each other without a gap, over one connection if the server keeps it."""
    (web_root / "app.bin").write_bytes(pieces.data)
    log, size = tmp_path / "pieces.log", len(pieces.data)
    http = "log_format pieces '$connection $request_method $status $body_bytes_sent $http_range';"
    server = f"access_log {log} pieces; " + ("" if keep_alive else "keepalive_timeout 0;")
    device = lab.Device(tmp_path / "device", pieces)
    with servers.Nginx(web_root, tmp_path / "nginx", cert=certificate, http=http, server=server) as nginx:
        with device.on() as uart:
            update(uart, nginx.url + "/app.bin", "ota_0")
    lines = [line.split() for line in log.read_text().splitlines()]
    assert lines[0][1:3] == ["HEAD", "200"]
    gets = lines[1:]
    assert [g[2] for g in gets] == ["206"] * len(gets) and len(gets) == -(-size // 16384)
    assert [int(g[4].removeprefix("bytes=").split("-")[0]) for g in gets] == list(range(0, size, 16384))
    assert sum(int(g[3]) for g in gets) == size
    assert len({g[0] for g in gets}) == (1 if keep_alive else len(gets))
    assert device.slot("ota_0", size) == pieces.data


def test_pieces_from_airliftd(tmp_path, pieces, certificate):
    options = ("--cert", certificate[0], "--key", certificate[1])
    with servers.Airliftd(tmp_path / "data", *options) as server:
        server.push(pieces.image, "app", "--ca", certificate[0])
        device = lab.Device(tmp_path / "device", pieces)
        with device.on() as uart:
            update(uart, f"{server.url}/firmware/app", "ota_0")
        assert device.slot("ota_0", len(pieces.data)) == pieces.data


def test_server_without_ranges_gives_it_in_one_piece(tmp_path, pieces, web_root, python_server, certificate):
    (web_root / "app.bin").write_bytes(pieces.data)
    server = python_server(tls=certificate, ranges=False)
    device = lab.Device(tmp_path / "device", pieces)
    with device.on() as uart:
        update(uart, server.url + "/app.bin", "ota_0")
    assert [method for method, _, _ in server.requests] == ["HEAD", "GET"]
    assert device.slot("ota_0", len(pieces.data)) == pieces.data


# --- TLS ---

@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_server_that_speaks_one_tls_version(tmp_path, version, device, firmware, web_root, certificate):
    (web_root / "app.bin").write_bytes(firmware.data)
    log = tmp_path / "tls.log"
    with servers.Nginx(web_root, tmp_path / "nginx", cert=certificate, protocols=version,
                       http="log_format tls '$ssl_protocol';", server=f"access_log {log} tls;") as server:
        with device.on() as uart:
            update(uart, server.url + "/app.bin", "ota_0")
    assert log.read_text().split() == [version]


@pytest.mark.parametrize("fault, says", [
    ("unknown", r"not among the trusted certificates"),
    ("expired", r"is valid from .* but the clock says"),
    ("other name", r"certificate is not for \"127\.0\.0\.1\""),
])
def test_certificate_that_proves_nothing(tmp_path, fault, says, careful, web_root, certificate):
    (web_root / "app.bin").write_bytes(careful.data)
    work = tmp_path / "bad"
    if fault == "unknown":
        bad = servers.make_certificate(work)
    elif fault == "expired":
        bad = servers.issue_certificate(certificate, work, days=-1)
    else:
        bad = servers.issue_certificate(certificate, work, names=["DNS:ota.example"])
    device = lab.Device(tmp_path / "device", careful)
    with servers.Nginx(web_root, tmp_path / "nginx", cert=bad) as server:
        stays_on_the_old_app(device, server.url + "/app.bin", rf"E \(\d+\) esp-tls.*({says})",
                             r"esp_https_ota: Failed to open HTTP connection: ESP_ERR_HTTP_CONNECT")
    erased = device.slot("ota_0", 65536)
    assert erased == b"\xff" * len(erased)
