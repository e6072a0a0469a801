"""Programs on the vendor's Zigbee API 2.x (firmware/zigbee_ota_server_v2, zigbee_ota_client_v2) on one virtual medium,
with each other and with those of API 1.x."""
import shutil
import subprocess

import pytest

import air
import lab
import servers

CHIP = "esp32h2"
SPEED = 20
TRANSFER_S = 90  # of real time, on a busy machine
# Key presses are tried with sanitizers, too.
LARGE = pytest.mark.skipif(lab.sanitized(), reason="minutes of air for a program of 3 MB with sanitizers")
OLD, NEW = 0x10012000, 0x10022000
V1 = {"EXAMPLE_MANUFACTURER": "0x1001", "EXAMPLE_IMAGE_TYPE": "0x1011"}  # what the samples of 1.x are
FORMED = {"zigbee_ota_server_v2": "Network steering completed", "zigbee_ota_server": "Network steering started"}


def client(file_version=OLD, role="EXAMPLE_ROUTER", **config):
    return lab.build("zigbee_ota_client_v2", version=f"{file_version:x}", chip=CHIP,
                     config={"EXAMPLE_FILE_VERSION": hex(file_version), role: "y", **config})


def client_v1(file_version=OLD):
    return lab.build("zigbee_ota_client", version=f"{file_version:x}", chip=CHIP,
                     config={"EXAMPLE_FILE_VERSION": hex(file_version), "EXAMPLE_ROUTER": "y"})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Builds a server sample with a file for `upgrade`'s ids in it."""
    def build(sample, upgrade, manufacturer="0x131b", image_type="0x0001"):
        project = tmp_path_factory.mktemp("server") / sample
        shutil.copytree(lab.FIRMWARE / sample, project)
        name = "ota_file.zigbee" if sample.endswith("_v2") else "ota_file.bin"
        subprocess.run([servers.AIRLIFT, "zigbee", "pack", "--manufacturer", manufacturer, "--image-type", image_type,
                        "--file-version", hex(NEW), "--out", project / "main" / name, upgrade.image],
                       check=True, timeout=60, capture_output=True)
        return lab.build(project, chip=CHIP, version="1.0.0")
    return build


class Network:
    """A medium and a coordinator with a server's program on it: `.coordinator` is its UART."""

    def __init__(self, work, firmware, *options):
        self.medium = air.Medium(work, "--speed", SPEED, *options)
        self.firmware, self.device = firmware, lab.Device(work / "server", firmware)

    def __enter__(self):
        self.medium.__enter__()
        self.coordinator = self.on(self.device).__enter__()
        self.coordinator.expect(FORMED[self.firmware.project])
        return self

    def __exit__(self, *_):
        self.coordinator.switch_off()
        self.medium.__exit__(None, None, None)

    def on(self, device, *options):
        return device.on("--radio", self.medium.radio, *options)


def expect_upgraded(uart, device, upgrade):
    uart.expect("OTA Check: manuf_code=.*file_version=0x10022000", TRANSFER_S)
    uart.expect("OTA Apply: manuf_code=.*file_version=0x10022000", TRANSFER_S)
    uart.expect("OTA Finish: count_down_delay=0 seconds", TRANSFER_S)
    uart.expect(r"ESP Zigbee OTA example \(0x10022000\) is running")
    uart.expect("Device started up in non factory-reset mode")
    assert device.slot("ota_1", len(upgrade.data)) == upgrade.data


@LARGE
@pytest.mark.parametrize("role", ["EXAMPLE_ROUTER", "EXAMPLE_END_DEVICE"])
def test_a_device_is_upgraded_and_restarts_into_the_new_program(tmp_path, server, role):
    upgrade = client(NEW, role)
    device, total = lab.Device(tmp_path / "client", client(role=role)), len(upgrade.data) + 62
    with Network(tmp_path, server("zigbee_ota_server_v2", upgrade)) as net, net.on(device) as uart:
        uart.expect("New image available:", TRANSFER_S)
        uart.expect("  File version: 0x10022000\n")
        uart.expect(f"  Image size: {total} bytes")
        uart.expect(f"OTA Start: manuf_code=0x131b, image_type=0x0001, file_version=0x10022000, image_size={total}")
        # The header's bytes come along, unlike with 1.x.
        uart.expect(r"OTA Receiving Block: file_offset=0, block_size=\d+")
        expect_upgraded(uart, device, upgrade)
        net.coordinator.expect(r"Query: manuf_code=0x131b, image_type=0x0001, file_version=0x10012000")
        net.coordinator.expect("  Policy: file_version=0x10022000")
        net.coordinator.expect(r"OTA Sending Block:\n.*manuf_code=0x131b, image_type=0x0001, file_version=0x10022000\n"
                               rf".*In progress: \[0 / {total}\]")
        net.coordinator.expect(r"OTA Upgrade End:\n.*status=0x00, manuf_code=0x131b", TRANSFER_S)
        net.coordinator.never("OTA Abort")


@LARGE
def test_a_device_that_tells_no_version_is_not_upgraded_again(tmp_path, server):
    """As the vendor's own example: its cluster has no CurrentFileVersion."""
    unknown = {"EXAMPLE_TELLS_VERSION": "n"}
    upgrade = client(NEW, **unknown)
    device = lab.Device(tmp_path / "client", client(**unknown))
    with Network(tmp_path, server("zigbee_ota_server_v2", upgrade)) as net, net.on(device) as uart:
        net.coordinator.expect("Query: .*file_version=0xffffffff", TRANSFER_S)
        expect_upgraded(uart, device, upgrade)
        uart.expect("No image available, status: 0x98", TRANSFER_S)


@LARGE
def test_after_a_power_cut_the_download_goes_on(tmp_path, server):
    upgrade, device = client(NEW), lab.Device(tmp_path / "client", client())
    with Network(tmp_path, server("zigbee_ota_server_v2", upgrade)) as net:
        with net.on(device, "--power-cut", "1300:5") as uart:
            uart.expect("airlift: power cut", TRANSFER_S)
            assert int(uart.expect(r"the download goes on at byte (\d+)", TRANSFER_S)[1]) > 0
            expect_upgraded(uart, device, upgrade)


@LARGE
def test_lost_frames_shift_nothing(tmp_path, server):
    upgrade, device = client(NEW), lab.Device(tmp_path / "client", client())
    with Network(tmp_path, server("zigbee_ota_server_v2", upgrade), "--loss", "0.1", "--seed", "3") as net:
        with net.on(device) as uart:
            expect_upgraded(uart, device, upgrade)


@LARGE
def test_a_server_of_1_upgrades_a_client_of_2(tmp_path, server):
    upgrade, device = client(NEW, **V1), lab.Device(tmp_path / "client", client(**V1))
    with Network(tmp_path, server("zigbee_ota_server", upgrade, "0x1001", "0x1011")) as net:
        with net.on(device) as uart:
            uart.expect("OTA Apply: manuf_code=0x1001, image_type=0x1011", TRANSFER_S)
            uart.expect("OTA Finish: count_down_delay=5 seconds", TRANSFER_S)
            uart.expect(r"ESP Zigbee OTA example \(0x10022000\) is running")
            assert device.slot("ota_1", len(upgrade.data)) == upgrade.data


@LARGE
def test_a_server_of_2_upgrades_a_client_of_1(tmp_path, server):
    upgrade, device = client_v1(NEW), lab.Device(tmp_path / "client", client_v1())
    with Network(tmp_path, server("zigbee_ota_server_v2", upgrade, "0x1001", "0x1011")) as net:
        with net.on(device) as uart:
            uart.expect("OTA upgrade check status: ESP_OK", TRANSFER_S)
            uart.expect("Prepare to restart system", TRANSFER_S)
            uart.expect("is running, file version 0x10022000")
            assert device.slot("ota_1", len(upgrade.data)) == upgrade.data
            net.coordinator.expect("OTA Upgrade End:", TRANSFER_S)


def press_key(device):
    for level in (0, 1):
        subprocess.run([servers.AIRLIFT, "device", "gpio", device.dir, "9", str(level)], check=True, timeout=20)


def test_the_servers_key_notifies(tmp_path, server):
    with Network(tmp_path, server("zigbee_ota_server_v2", client(NEW))) as net:
        press_key(net.device)
        net.coordinator.expect("Broadcast OTA Image Notify Command")


def test_the_clients_key_asks_for_an_image(tmp_path, server):
    """It runs the version of the file already."""
    device = lab.Device(tmp_path / "client", client(NEW))
    with Network(tmp_path, server("zigbee_ota_server_v2", client(NEW))) as net, net.on(device) as uart:
        # The notify of its coming is answered before the exchange of its link key is over.
        uart.expect_all("Joined network successfully", "No image available, status: 0x98", seconds=TRANSFER_S)
        press_key(device)
        uart.expect_all("Query Next Image was sent, status: 0x00", "No image available, status: 0x98")
