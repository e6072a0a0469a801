"""advanced_https_ota resumes after resets and power cuts: whatever happens, the slot ends up byte for byte right."""
import random
import time

import pytest

import lab
import servers
from acceptance import certificate  # noqa: F401

SAMPLE = "advanced_https_ota"
CI = ["sdkconfig.ci", "sdkconfig.ci.resumption"]
ODD_BUFFER = {"EXAMPLE_OTA_BUF_SIZE": "2047"}
RATE = 200_000  # bytes a second, so that a download can be interrupted
SUCCESS = r"ESP_HTTPS_OTA upgrade successful\. Rebooting \.\.\."


@pytest.fixture(scope="module")
def firmware(certificate):
    return lab.build(SAMPLE, certificate[0], "1.0.0", ODD_BUFFER, CI)


@pytest.fixture(scope="module")
def pieces(certificate):
    """In pieces of 16 KiB, and by the rules of encrypted flash: whole 16-byte blocks."""
    config = ODD_BUFFER | {"SECURE_FLASH_ENC_ENABLED": "y", "NVS_ENCRYPTION": "n"}
    return lab.build(SAMPLE, certificate[0], "1.0.0", config, CI + ["sdkconfig.ci.partial_download"])


class LoggingNginx(servers.Nginx):
    """`gets()`: first byte asked for (None: no range) and bytes sent of each GET."""

    def __init__(self, root, work, cert):
        self.ranges = work.with_name("ranges.log")
        super().__init__(root, work, cert=cert, server=f"access_log {self.ranges} ranges;",
                         http="log_format ranges '$request_method $status $body_bytes_sent $http_range';")

    def gets(self):
        rows = [line.split() for line in self.ranges.read_text().splitlines()]
        return [(None if r[3] == "-" else int(r[3].removeprefix("bytes=").split("-")[0]), int(r[2]))
                for r in rows if r[0] == "GET"]


@pytest.fixture
def nginx(web_root, tmp_path, certificate):
    with LoggingNginx(web_root, tmp_path / "nginx", certificate) as server:
        yield server


def ask(uart, url):
    uart.expect(r"advanced_https_ota_example: Starting Advanced OTA example")
    uart.write(url)


def reset_at_random(device, url, seed, resets):
    """Pulls the plug so many times in the middle of the download, then lets it come to its end."""
    rng = random.Random(seed)
    for _ in range(resets):
        with device.on("--net-rate", RATE) as uart:
            ask(uart, url)
            uart.expect(r"esp_https_ota: Starting OTA\.\.\.")
            time.sleep(rng.uniform(0.05, 0.25))
            uart.never(SUCCESS)
    with device.on() as uart:
        ask(uart, url)
        uart.expect(SUCCESS)
        uart.expect_slot("ota_0")


def test_hard_resets_at_random_times(tmp_path, firmware, nginx, web_root):
    (web_root / "app.bin").write_bytes(firmware.data)
    device = lab.Device(tmp_path / "device", firmware)
    reset_at_random(device, nginx.url + "/app.bin", seed=1, resets=4)
    assert device.slot("ota_0", len(firmware.data)) == firmware.data
    starts = [start for start, _ in nginx.gets()]
    assert starts[0] == 0 and len(starts) == 5  # a range from the start, to learn about the server
    assert starts == sorted(starts) and starts[-1] > 16384 and all(s % 1024 == 0 for s in starts)


def test_hard_resets_with_partial_download(tmp_path, pieces, nginx, web_root):
    (web_root / "app.bin").write_bytes(pieces.data)
    device = lab.Device(tmp_path / "device", pieces)
    reset_at_random(device, nginx.url + "/app.bin", seed=2, resets=4)
    size = len(pieces.data)
    assert device.slot("ota_0", size) == pieces.data
    assert "flash encryption is modelled by its rules only" in pieces.warnings
    starts = [start for start, _ in nginx.gets()]
    assert starts == sorted(starts) and starts[-1] < size
    assert any(start % 16384 for start in starts)  # went on inside a piece


def operations(device, url):
    """Flash operations from power on to the end of an update."""
    with device.on("--json") as uart:
        ask(uart, url)
        uart.expect(SUCCESS)
        return uart.flash_operations()


@pytest.fixture(scope="module")
def update_length(tmp_path_factory, firmware, certificate):
    root = tmp_path_factory.mktemp("length")
    (root / "app.bin").write_bytes(firmware.data)
    with servers.Nginx(root, tmp_path_factory.mktemp("length-nginx"), cert=certificate) as server:
        return operations(lab.Device(root / "device", firmware), server.url + "/app.bin")


@pytest.mark.parametrize("seed", range(6))
def test_power_cut_inside_a_flash_operation(tmp_path, seed, firmware, update_length, nginx, web_root):
    """The cut lies in the seed's sixth of the update."""
    (web_root / "app.bin").write_bytes(firmware.data)
    device = lab.Device(tmp_path / "device", firmware)
    sixth = update_length // 6
    cut = random.Random(seed).randrange(max(10, seed * sixth), (seed + 1) * sixth)
    with device.on("--power-cut", f"{cut}:{seed}") as uart:
        ask(uart, nginx.url + "/app.bin")
        uart.expect(r"airlift: power cut in flash operation")
        uart.expect(r"rst:0x1 \(POWERON\)")
        ask(uart, nginx.url + "/app.bin")
        uart.expect(SUCCESS)
        uart.expect_slot("ota_0")
    assert device.slot("ota_0", len(firmware.data)) == firmware.data
    (_, _), (start, sent) = nginx.gets()
    assert start + sent == len(firmware.data)
    assert start > len(firmware.data) * (seed - 1) // 8  # it did not begin again


def interrupted(device, url):
    """A download that got part of the way."""
    with device.on("--net-rate", RATE) as uart:
        ask(uart, url)
        uart.expect(r"esp_https_ota: Starting OTA\.\.\.")
        time.sleep(0.3)
        uart.never(SUCCESS)


def test_server_without_ranges_starts_over(tmp_path, firmware, web_root, python_server, certificate):
    (web_root / "app.bin").write_bytes(firmware.data)
    server = python_server(tls=certificate, ranges=False)
    device = lab.Device(tmp_path / "device", firmware)
    interrupted(device, server.url + "/app.bin")
    with device.on() as uart:
        ask(uart, server.url + "/app.bin")
        uart.expect(r"Server ignored the requested Range header")
        uart.expect(r"OTA resumption requires server with range request support\.")
        uart.expect(r"Falling back to OTA without resumption and restarting download from beginning")
        uart.expect(SUCCESS)
        uart.expect_slot("ota_0")
    assert device.slot("ota_0", len(firmware.data)) == firmware.data
    ranges = [headers.get("range") for _, _, headers in server.requests]
    assert ranges[0] == "bytes=0-" and ranges[1] is None  # known from the first answer on
    assert int(ranges[2].removeprefix("bytes=").removesuffix("-")) > 10000 and ranges[3] is None


def test_another_url_starts_from_zero(tmp_path, firmware, nginx, web_root):
    for name in ("one.bin", "two.bin"):
        (web_root / name).write_bytes(firmware.data)
    device = lab.Device(tmp_path / "device", firmware)
    interrupted(device, nginx.url + "/one.bin")
    with device.on() as uart:
        ask(uart, nginx.url + "/two.bin")
        uart.expect(SUCCESS)
        uart.expect_slot("ota_0")
    assert nginx.gets()[-1] == (0, len(firmware.data))
    assert device.slot("ota_0", len(firmware.data)) == firmware.data


def test_file_that_changed_meanwhile_never_boots(tmp_path, firmware, nginx, web_root):
    (web_root / "app.bin").write_bytes(firmware.data)
    device = lab.Device(tmp_path / "device", firmware)
    url = nginx.url + "/app.bin"
    interrupted(device, url)
    changed = lab.patched(firmware.data, {40000: bytes(60000), 32 + 16: b"9.9.9\0"})
    (web_root / "app.bin").write_bytes(changed)
    with device.on() as uart:
        ask(uart, url)
        uart.expect(r"Image validation failed, image is corrupted")
    assert nginx.gets()[-1][0] > 10000
    with device.on() as uart:  # the state of the resumption is gone: this one is whole
        uart.expect_slot("factory")
        ask(uart, url)
        uart.expect(SUCCESS)
        uart.expect_slot("ota_0")
    assert device.slot("ota_0", len(changed)) == changed
