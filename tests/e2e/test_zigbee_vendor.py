"""Programs on the vendor's Zigbee API, as devices on one virtual medium: a coordinator with an OTA file
(firmware/zigbee_ota_server) and clients (firmware/zigbee_ota_client) that upgrade from it."""
import re
import shutil
import subprocess
import threading

import pytest

import air
import lab
import servers

CHIP = "esp32h2"
# A program with sanitizers is three times as large, and slow.
SPEED, TRANSFER_S = (8, 300) if lab.sanitized() else (20, 90)  # of the air; of real time, on a busy machine
ROLES = {"router": "EXAMPLE_ROUTER", "end_device": "EXAMPLE_END_DEVICE", "sleepy": "EXAMPLE_SLEEPY"}
ASSOCIATED, UPDATED, AUTHORIZED = "NWK Device Associated", "ZDO Device Update", "ZDO Device Authorized"


def client(role="end_device", version="1.0.0", file_version=0x01010101):
    return lab.build("zigbee_ota_client", version=version, chip=CHIP,
                     config={ROLES[role]: "y", "EXAMPLE_FILE_VERSION": hex(file_version)})


def next_version(role="end_device"):
    """The program that clients of this role are to become."""
    return client(role, "1.1.0", 0x01010110)


@pytest.fixture(scope="module")
def server_firmware(tmp_path_factory):
    """Builds the server with that program as its OTA file."""
    def build(role="end_device"):
        project = tmp_path_factory.mktemp("server") / "zigbee_ota_server"
        shutil.copytree(lab.FIRMWARE / "zigbee_ota_server", project)
        subprocess.run([servers.AIRLIFT, "zigbee", "pack", "--manufacturer", "0x1001", "--image-type", "0x1011",
                        "--file-version", "0x01010110", "--out", project / "main" / "ota_file.bin",
                        next_version(role).image], check=True, timeout=60, capture_output=True)
        return lab.build(project, chip=CHIP, version="1.0.0")
    return build


@pytest.fixture(scope="module")
def upgrade():
    return next_version()


class Network:
    """A medium and the coordinator on it: `.coordinator` is its UART."""

    def __init__(self, work, firmware, *options):
        self.work, self.medium = work, air.Medium(work, "--speed", SPEED, *options)
        self.device = lab.Device(work / "server", firmware)

    def __enter__(self):
        self.medium.__enter__()
        self.coordinator = self.on(self.device).__enter__()
        self.coordinator.expect("Network steering started")
        return self

    def __exit__(self, *_):
        self.coordinator.switch_off()
        self.medium.__exit__(None, None, None)

    def on(self, device, *options):
        return device.on("--radio", self.medium.radio, *options)


@pytest.fixture
def network(tmp_path, server_firmware):
    def make(*options, role="end_device"):
        return Network(tmp_path, server_firmware(role), *options)
    return make


def expect_upgraded(uart, device, upgrade):
    uart.expect("OTA upgrade check status: ESP_OK", TRANSFER_S)
    uart.expect("-- OTA upgrade apply")
    uart.expect("Prepare to restart system", TRANSFER_S)
    uart.expect("ESP Zigbee OTA example 1.1.0 is running, file version 0x1010110")
    assert device.slot("ota_1", len(upgrade.data)) == upgrade.data


LARGE = pytest.mark.skipif(lab.sanitized(), reason="minutes of air for a program of 3 MB with sanitizers")


@pytest.mark.parametrize("role", [pytest.param("router", marks=LARGE), "end_device",
                                  pytest.param("sleepy", marks=LARGE)])
def test_a_device_joins_is_upgraded_and_restarts_into_the_new_program(network, tmp_path, role):
    device, upgrade = lab.Device(tmp_path / "client", client(role)), next_version(role)
    with network(role=role) as net, net.on(device) as uart:
        uart.expect(r"Image version: 0x1010110, manufacturer code: 0x1001, image size: "
                    rf"{len(upgrade.data) + 62}\n", TRANSFER_S)
        uart.expect("-- OTA upgrade start")
        uart.expect(rf"progress \[\d+/{len(upgrade.data) + 6}\]")
        expect_upgraded(uart, device, upgrade)
        uart.expect("Device started up in non factory-reset mode")
        # The old version asked, the new one tells its own: there is nothing for it.
        net.coordinator.expect("OTA version: 0x1010101, image type: 0x1011, manufacturer code: 1001")
        net.coordinator.expect("server status: 0")
        net.coordinator.expect("server status: 2")
        net.coordinator.expect("OTA upgrade time: 0x1234a")


def test_the_signals_of_a_join_come_in_the_vendors_order(network, tmp_path):
    device = lab.Device(tmp_path / "client", client())
    with network() as net, net.on(device) as uart:
        uart.expect("Joined network successfully", TRANSFER_S)
        net.coordinator.expect(ASSOCIATED)
        net.coordinator.expect(UPDATED)
        net.coordinator.expect(r"New device commissioned or rejoined \(short: 0x[0-9a-f]{4}\)")
        net.coordinator.expect("Notify OTA upgrade")
        net.coordinator.expect(AUTHORIZED)
        net.coordinator.expect("is open for 180 seconds")
    text = net.coordinator.text
    start = [text.index(words) for words in
             ("ZDO Config Ready (0x17), status: ESP_FAIL", "Initialize Zigbee stack", "in factory-reset mode",
              "Start network formation", "closed, devices joining not allowed", "Formed network successfully",
              "is open for 180 seconds", "Network steering started")]
    assert start == sorted(start)


@LARGE
def test_after_a_power_cut_the_download_goes_on(network, tmp_path, upgrade):
    device = lab.Device(tmp_path / "client", client())
    with network() as net, net.on(device, "--power-cut", "1300:5") as uart:
        uart.expect("airlift: power cut", TRANSFER_S)
        before = int(re.findall(r"progress \[(\d+)/", uart.text)[-1])
        went_on = int(uart.expect(r"the download goes on at byte (\d+)", TRANSFER_S)[1])
        assert 0 < before - went_on < 3 * 4096
        expect_upgraded(uart, device, upgrade)


@LARGE
def test_two_clients_at_once_get_the_same_bytes(network, tmp_path, upgrade):
    devices = [lab.Device(tmp_path / f"client{i}", client(role)) for i, role in enumerate(("router", "end_device"))]
    with network() as net, net.on(devices[0]) as one:
        one.expect(r"progress \[[3-9]\d{4}/", TRANSFER_S)
        with net.on(devices[1]) as two:
            two.expect("-- OTA upgrade start", TRANSFER_S)
            second = threading.Thread(target=expect_upgraded, args=(two, devices[1], upgrade))
            second.start()
            expect_upgraded(one, devices[0], upgrade)
            second.join()
            assert devices[1].slot("ota_1", len(upgrade.data)) == upgrade.data


@LARGE
def test_lost_frames_shift_nothing(network, tmp_path, upgrade):
    device = lab.Device(tmp_path / "client", client())
    with network("--loss", "0.1", "--seed", "3") as net, net.on(device) as uart:
        expect_upgraded(uart, device, upgrade)


@LARGE
def test_a_server_that_restarts_serves_on(network, tmp_path, upgrade):
    device = lab.Device(tmp_path / "client", client())
    with network() as net, net.on(device) as uart:
        uart.expect(r"progress \[[5-9]\d{4}/", TRANSFER_S)
        net.coordinator.switch_off()
        net.coordinator = net.on(net.device).__enter__()
        net.coordinator.expect("Device started up in non factory-reset mode")
        expect_upgraded(uart, device, upgrade)


def test_the_boot_key_notifies(network):
    with network() as net:
        for level in (0, 1):
            subprocess.run([servers.AIRLIFT, "device", "gpio", net.device.dir, "9", str(level)], check=True, timeout=20)
        net.coordinator.expect("Send OTA Server notify image request")
        # Image Notify: broadcast, NWK-encrypted, so only its being sent is seen here.
        sent = len(net.medium.frames())
        for level in (0, 1):
            subprocess.run([servers.AIRLIFT, "device", "gpio", net.device.dir, "9", str(level)], check=True, timeout=20)
        net.coordinator.expect("Send OTA Server notify image request")
        air.wait_until(lambda: len(net.medium.frames()) > sent, lambda: "nothing was sent")


def test_without_a_radio_the_program_says_what_is_missing(tmp_path, server_firmware):
    log = lab.Device(tmp_path / "device", server_firmware()).run(until="no radio: start the device with --radio", seconds=20)
    assert log.has("no radio: start the device with --radio medium:SOCKET")
