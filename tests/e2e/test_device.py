"""Virtual devices through the command line: images of real chips, on a boot loader that is one."""
import json
import subprocess

import pytest

import servers


@pytest.fixture
def build(tmp_path, vectors):
    """A build directory as the vendor's build leaves it, with 1.0.0 in factory and 1.1.0 in ota_0."""
    flash = vectors / "esp-flash"
    parts = {"0x0": "image/boot_c3.bin", "0x8000": "partition-table/valid/two_ota.bin",
             "0x10000": "image/app_c3_v1.bin", "0x110000": "image/app_c3_v2.bin"}
    root = tmp_path / "build"
    root.mkdir()
    lines = ["--flash_mode dio --flash_freq 80m --flash_size 4MB"]
    for offset, path in parts.items():
        name = path.rsplit("/", 1)[1]
        (root / name).write_bytes((flash / path).read_bytes())
        lines.append(f"{offset} {name}")
    (root / "flash_args").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def device(airlift, build, tmp_path):
    path = tmp_path / "device"
    assert airlift("device", "create", path, "--from", build).returncode == 0
    return path


def test_device_boots_the_app_of_its_build(airlift, device):
    done = airlift("device", "run", device, "--until", "built-in agent stands in", "--for", 10)
    assert done.returncode == 0 and done.stderr == ""
    assert "rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)" in done.stdout
    assert "boot: Defaulting to factory image" in done.stdout
    assert "app_init: App version:      1.0.0" in done.stdout
    assert "\033" not in done.stdout


def test_info_tells_chip_apps_and_choice(airlift, device):
    info = json.loads(airlift("device", "info", device, "--json").stdout)
    assert info["chip"] == "esp32c3" and info["flash_size"] == 4 << 20 and not info["running"]
    apps = {app["slot"]: app for app in info["apps"]}
    assert apps["ota_0"]["version"] == "1.1.0" and apps["ota_0"]["valid"]
    assert apps["ota_1"]["empty"] and not apps["ota_1"]["valid"]
    text = airlift("device", "info", device).stdout
    assert "ota_1            empty" in text and "airlift-demo 1.0.0" in text


def test_flash_of_a_device_makes_another(airlift, device, tmp_path):
    other = tmp_path / "other"
    assert airlift("device", "create", other, "--flash", device / "flash.bin").returncode == 0
    assert (other / "flash.bin").read_bytes() == (device / "flash.bin").read_bytes()
    assert (other / "efuse.bin").read_bytes() != (device / "efuse.bin").read_bytes()  # another MAC


def test_device_is_not_replaced_without_force(airlift, device, build):
    done = airlift("device", "create", device, "--from", build)
    assert done.returncode == 1 and "--force" in done.stderr
    assert airlift("device", "create", device, "--from", build, "--force").returncode == 0


def test_app_on_trial_is_rolled_back_when_its_test_fails(airlift, device):
    with open(device / "device.conf", "a") as conf:
        conf.write("rollback = yes\n")
    flash = device / "flash.bin"
    assert airlift("otadata", "switch", flash, "ota_0").returncode == 0
    data = bytearray(flash.read_bytes())
    data[0xd018:0xd01c] = bytes(4)  # NEW
    flash.write_bytes(data)
    done = airlift("device", "run", device, "--agent", "fail", "--for", 10,
                   "--until", "Loaded app from partition at offset 0x10000")
    assert done.returncode == 0, done.stderr
    assert "Self-test failed: rolling back" in done.stdout


def test_exit_status_tells_whether_the_end_was_reached(airlift, device):
    assert airlift("device", "run", device, "--for", 0.3).returncode == 0
    late = airlift("device", "run", device, "--until", "never", "--for", 0.3)
    assert late.returncode == 1 and "no line matched 'never' within 0.3 s" in late.stderr
    assert airlift("device", "run", device, "--for", "soon").returncode == 2
    assert airlift("device", "run", device, "--power-cut", "x").returncode == 2
    assert airlift("device", "run", device.parent / "nothing").returncode == 1


def test_json_sums_the_run_up(airlift, device):
    done = airlift("device", "run", device, "--json", "--for", 0.3)
    report = json.loads(done.stdout)
    assert report["end"] == "time" and report["boots"] == 1 and report["running"] == "factory"
    assert "Loaded app from partition" in done.stderr


def test_erased_device_says_what_to_do(airlift, tmp_path):
    path = tmp_path / "blank"
    assert airlift("device", "create", path, "--chip", "esp32c3").returncode == 0
    done = airlift("device", "run", path, "--for", 5)
    assert done.returncode == 1
    assert "invalid header: 0xffffffff" in done.stdout and "device create --from" in done.stderr
    report = json.loads(airlift("device", "run", path, "--for", 5, "--json").stdout)
    assert report["end"] == "no boot loader" and "device create --from" in report["error"]["message"]


def test_flash_of_a_running_device_is_not_changed(airlift, device):
    flash = device / "flash.bin"
    first = subprocess.Popen([servers.AIRLIFT, "device", "run", device], stdout=subprocess.PIPE, text=True)
    try:
        while "built-in agent" not in first.stdout.readline():
            pass
        before = flash.read_bytes()
        for words in (["nvs", "set", flash, "a", "b", "u8", 1], ["nvs", "erase", flash], ["otadata", "switch", flash, 0],
                      ["flash", "erase", flash, "--partition", "nvs"], ["boot", flash, "--write"]):
            done = airlift(*words)
            assert done.returncode == 1 and "device that is running" in done.stderr, words
        assert flash.read_bytes() == before
        assert airlift("boot", flash).returncode == 0
    finally:
        first.send_signal(2)
        assert first.wait(10) == 0
    assert airlift("nvs", "set", flash, "a", "b", "u8", 1).returncode == 0


def test_second_run_is_refused_and_pins_reach_the_first(airlift, device):
    first = subprocess.Popen([servers.AIRLIFT, "device", "run", device], stdout=subprocess.PIPE,
                             text=True)
    try:
        while "built-in agent" not in first.stdout.readline():
            pass
        second = airlift("device", "run", device, "--for", 1)
        assert second.returncode == 1 and "is running already" in second.stderr
        assert json.loads(airlift("device", "info", device, "--json").stdout)["running"]
        set_pin = airlift("device", "gpio", device, 4, 0, "--json")
        assert json.loads(set_pin.stdout) == {"pin": 4, "level": "0", "running": True}
        assert "gpio4 = 0\n" not in (device / "device.conf").read_text().replace("# gpio4 = 0\n", "")
    finally:
        first.send_signal(2)
        assert first.wait(10) == 0
    assert airlift("device", "gpio", device, 4, 0).returncode == 0
    assert (device / "device.conf").read_text().endswith("gpio4 = 0\n")
    assert airlift("device", "gpio", device, 64, 0).returncode == 1
    assert airlift("device", "gpio", device, 4, "high").returncode == 1


@pytest.mark.parametrize("rollback", [True, False])
def test_boot_command_takes_the_options_of_the_loader_in_flash(airlift, device, tmp_path, rollback):
    """A boot loader of `airlift build` says how it was built; a real chip's does not."""
    def verdict(*options):
        return json.loads(airlift("boot", device / "flash.bin", "--json", *options).stdout)
    assert verdict()["rollback"] is False
    config, loader = tmp_path / "sdkconfig", tmp_path / "bootloader.bin"
    config.write_text(f"CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE={'y' if rollback else 'n'}\n")
    made = airlift("image", "make", "--bootloader", "--sdkconfig", config, "--chip", "esp32c3", "--out", loader)
    assert made.returncode == 0, made.stderr
    with open(device / "flash.bin", "r+b") as flash:
        flash.write(loader.read_bytes())
    assert verdict()["rollback"] is rollback
    assert verdict("--rollback")["rollback"] is True
    words = airlift("boot", device / "flash.bin").stdout
    assert ("was built with rollback\n" if rollback else "was built with rollback off\n") in words
