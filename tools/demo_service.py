#!/usr/bin/env python3
"""The demonstration behind `make demo-service`: an audio device upgrades by a list, as firmware on
ESP-ADF's ota_service does it. Its tones come from an SD card, its app over HTTPS.

First everything is new; then nothing is; then there are new tones, and the power fails: while they
are staged, and while the partition takes them over.
Exit status 1 when anything that should happen does not.
Usage: demo_service.py [--build DIR] [--svg FILE]
"""
import math
import pathlib
import re
import struct
import sys
import wave

from demo_stage import Device, Failed, Play, Server, main, run, screen

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLD, NEW = "v1.0.0", "v2.0.0"
# Flash operations: while new tones are staged, and while the partition takes them over.
CUT_STAGING, CUT_TAKING_OVER = "120:3", "400:5"
RATE = 16000  # samples a second
DOWNLOAD_S = 2.5  # slow enough to see it
SHOWN = re.compile(r"rst:0x|Loaded app from|HTTPS_OTA_EXAMPLE|OTA_DEFAULT|OTA_SERVICE|FATFS_STREAM|AUDIO_ELEMENT|"
                   r"TONE_PARTITION|esp_fs_ota|part_update|power cut|Guru")
# What the picture leaves out.
UNSEEN = re.compile(r"MEM Total|\[[12]\.[0-9]\]|AUDIO_ELEMENT|rst:0x|No need to upgrade|OTA_END|No more data|"
                    r"data upgrade uri|write_offset")


def beep(path, hertz, seconds=0.5):
    """A tone as a WAV file."""
    samples = (int(12000 * math.sin(2 * math.pi * hertz * i / RATE)) for i in range(int(RATE * seconds)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(b"".join(struct.pack("<h", s) for s in samples))


class Demo(Play):
    def __init__(self, build):
        super().__init__(build / "demo-service")
        self.bin = build / "bin"
        self.airlift = self.bin / "airlift"
        self.device_dir = self.dir / "device"
        self.card = self.device_dir / "sdcard"

    def app(self, version):
        return self.dir / f"build-{version}" / "ota_service.bin"

    def make_tones(self, version, *hertz):
        """The image, and on the card. Gives its bytes."""
        folder, image = self.dir / f"tones-{version}", self.card / "flash_tone.bin"
        folder.mkdir(exist_ok=True)
        for i, pitch in enumerate(hertz):
            beep(folder / f"{i}-{pitch}hz.wav", pitch)
        run(self.airlift, "data-image", "make", folder, "--out", image, "--version", version)
        screen.say(f"   $ airlift data-image make tones --out flash_tone.bin --version {version}", "1")
        screen.say(f"   tones {version} on the card: {len(hertz)} files, {image.stat().st_size} bytes")
        return image.read_bytes()

    def tones_in_flash(self):
        out = self.dir / "flash_tone.read"
        run(self.airlift, "flash", "read", self.device_dir / "flash.bin", "--partition", "flash_tone", "--out", out)
        return out.read_bytes()

    def check_tones(self, image):
        data = self.tones_in_flash()
        if data != image.ljust(len(data), b"\xff"):
            raise Failed("partition flash_tone is not the image that was on the card")

    def prepare(self):
        screen.title("Two versions of an app, a server, and a device with an SD card and no tones yet")
        self.server = Server(self.bin, self.dir)
        conf = self.dir / "sdkconfig"
        conf.write_text(f'CONFIG_FIRMWARE_UPGRADE_URI="https://127.0.0.1:{self.server.port}/firmware/ota_service"\n'
                        f'CONFIG_SERVER_CA_CERT="{self.server.ca}"\n')
        for version in (OLD, NEW):
            run(self.airlift, "build", ROOT / "firmware/ota_service", "-B", self.dir / f"build-{version}",
                "--sdkconfig", conf, "-D", f"PROJECT_VER={version}")
        self.server.start()
        run(self.airlift, "device", "create", self.device_dir, "--from", self.dir / f"build-{OLD}")
        self.card.mkdir()

    def switch_on(self, *options):
        self.device = Device(self.airlift, self.device_dir, self.log, SHOWN, *map(str, options))
        return self.device

    def upgrade(self):
        tones = self.make_tones("v1.0.0", 440, 550, 660)
        self.server.publish(self.app(NEW), "ota_service")
        screen.say(f"   $ airlift push ota_service.bin --name ota_service       # version {NEW}", "1")
        screen.title("1. Tones from the card, then the app over HTTPS")
        device = self.switch_on("--net-rate", int(self.app(NEW).stat().st_size / DOWNLOAD_S))
        device.wait_for(rf"ota_service {re.escape(OLD)} runs")
        for line in (r"data upgrade uri file://sdcard", r"partition flash_tone upgrade successes", "List id: 0, OTA success",
                     f"incoming firmware version {NEW}", "app process_size", "List id: 1, OTA success", "OTA_END!", "restart!",
                     rf"ota_service {re.escape(NEW)} runs"):
            device.wait_for(line)
        self.facts.append(f"tones into the empty partition, app {OLD} -> {NEW}, restarted into it")
        return tones

    def nothing_new(self, tones):
        screen.title("2. The new app runs the same list: nothing is newer")
        device = self.device
        device.wait_for("The incoming version is same as or lower")
        device.wait_for("List id: 0, OTA failed")
        device.wait_for("Current running version is the same as or higher")
        device.wait_for(r"\[2\.4\] Clear OTA service")
        device.switch_off()
        self.check_tones(tones)
        self.facts.append("the partition is the image, byte for byte")
        self.make_tones("v0.9.0", 220)
        device = self.switch_on()
        device.wait_for("current version v1.0.0, incoming version v0.9.0")
        device.wait_for("List id: 0, OTA failed")
        device.wait_for(r"\[2\.4\] Clear OTA service")
        device.switch_off()
        self.check_tones(tones)
        self.facts.append("the same and a lower version are refused, nothing is written, no restart")

    def power_cut(self, cut, before, version, found, *hertz):
        """The power fails while the tones `before` become `version`; at the next start those of `found` are there."""
        new = self.make_tones(version, *hertz)
        device = self.switch_on("--power-cut", cut)
        device.wait_for(f"current version {before}, incoming version {version}")
        device.wait_for("power cut in flash operation")
        device.wait_for(f"current version {found}, incoming version {version}")
        device.wait_for(r"List id: 0, OTA " + ("failed" if found == version else "success"))
        device.wait_for(r"\[2\.4\] Clear OTA service")
        device.switch_off()
        self.check_tones(new)

    def power_cuts(self):
        screen.title("3. Tones v1.1.0; the power fails while they are staged in the spare slot")
        self.power_cut(CUT_STAGING, "v1.0.0", "v1.1.0", "v1.0.0", 392, 494, 587)
        self.facts.append("power failed before all of the new tones were there: v1.0.0 was whole, then v1.1.0 came")
        screen.title("4. Tones v1.2.0; the power fails while the partition takes them over")
        self.power_cut(CUT_TAKING_OVER, "v1.1.0", "v1.2.0", "v1.2.0", 330, 415, 494)
        self.facts.append("power failed while the partition was written: the next start finished it, v1.2.0 was whole")

    def steps(self):
        self.prepare()
        tones = self.upgrade()
        self.nothing_new(tones)
        self.power_cuts()
        if re.search(r"Guru Meditation|abort\(\) was called", self.log.read_text()):
            raise Failed("the device crashed")


if __name__ == "__main__":
    sys.exit(main(__doc__, Demo, UNSEEN))
