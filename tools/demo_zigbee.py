#!/usr/bin/env python3
"""The demonstration behind `make demo-zigbee`: a Zigbee network of four virtual devices, all of
them programs on the vendor's API. A coordinator with an OTA file forms the network; a router, an
end device and a sleepy end device join, are notified, upgrade over the air and restart into the
new program.

The air is a virtual medium that runs SPEED times as fast as real time, with true airtime. All
frames go into a capture, which tshark judges in the end.
Exit status 1 when anything that should happen does not.
Usage: demo_zigbee.py [--build DIR] [--svg FILE]
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from demo_stage import Device, Failed, main, run, screen

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPEED = 20
OLD, NEW = ("1.0.0", 0x01010101), ("1.1.0", 0x01010110)
MANUFACTURER, IMAGE_TYPE = 0x1001, 0x1011
DEVICES = (("router", 0), ("end device", 1), ("sleepy end device", 2))  # names, and roles in NVS
TRANSFER_S = 240  # real time, on a busy machine
BAR = 18
SHOWN = re.compile(r"Formed network|Joined network|New device|Approving|OTA upgrade check|Prepare to restart|"
                   r"is running|panic|Guru", re.I)
# The link key "ZigBeeAlliance09" opens the frame with the network key; that key opens the others.
LINK_KEY = "5A:69:67:42:65:65:41:6C:6C:69:61:6E:63:65:30:39"
NETWORK_KEY = 1  # type in Transport-Key


class Client:
    def __init__(self, demo, name, role):
        self.name = name
        self.dir = demo.dir / name.replace(" ", "-")
        self.log = self.dir.with_suffix(".log")
        run(demo.airlift, "device", "create", self.dir, "--from", demo.dir / f"client-{OLD[0]}")
        run(demo.airlift, "nvs", "set", self.dir / "flash.bin", "device", "role", "u8", role)
        self.device = None
        self.ended = None

    def switch_on(self, demo):
        self.device = Device(demo.airlift, self.dir, self.log, SHOWN, "--radio", demo.radio,
                             label=f"{self.name + ':':19}")

    def share(self):
        """Of the download, 0..1; what it does now."""
        lines = [line for line in self.device.seen if line]
        if any(f"example {NEW[0]} is running" in line for line in lines):
            return 1.0, f"runs {NEW[0]}"
        for line in reversed(lines):
            at = re.search(r"progress \[(\d+)/(\d+)\]", line)
            if at:
                share = int(at[1]) / int(at[2])
                return share, "verified, restarts soon" if share == 1 else "downloads"
            if "Joined network" in line:
                return 0.0, "has joined"
        return 0.0, "looks for a network"


class Demo:
    def __init__(self, build):
        self.bin = build / "bin"
        self.airlift = self.bin / "airlift"
        self.dir = build / "demo-zigbee"
        self.radio = f"medium:{self.dir}/air"
        self.capture = self.dir / "air.pcap"
        self.clients, self.medium, self.coordinator = [], None, None

    def client_image(self, version):
        return self.dir / f"client-{version}" / "zigbee_ota_client.bin"

    def prepare(self):
        screen.title("A program for three kinds of devices, its next version, and a coordinator that has it")
        for version, number in (OLD, NEW):
            conf = self.dir / f"sdkconfig.{version}"
            conf.write_text(f"CONFIG_EXAMPLE_FILE_VERSION=0x{number:08x}\n")
            run(self.airlift, "build", ROOT / "firmware/zigbee_ota_client", "-B", self.dir / f"client-{version}",
                "--chip", "esp32h2", "--sdkconfig", conf, "-D", f"PROJECT_VER={version}")
        file = self.dir / "client.zigbee"
        run(self.airlift, "zigbee", "pack", self.client_image(NEW[0]), "--manufacturer", hex(MANUFACTURER),
            "--image-type", hex(IMAGE_TYPE), "--file-version", hex(NEW[1]), "--out", file)
        screen.say(f"   $ airlift zigbee pack zigbee_ota_client.bin --file-version {NEW[1]:#010x} ...", "1")
        screen.say(f"   {file.name}: {file.stat().st_size} bytes, manufacturer {MANUFACTURER:#06x}, "
                   f"image type {IMAGE_TYPE:#06x}")
        run(self.airlift, "build", ROOT / "firmware/zigbee_ota_server", "-B", self.dir / "server-build",
            "--chip", "esp32h2", "-D", f"OTA_FILE={file}")
        run(self.airlift, "device", "create", self.dir / "server", "--from", self.dir / "server-build")
        self.clients = [Client(self, name, role) for name, role in DEVICES]

    def form(self):
        screen.title(f"The air, {SPEED} times as fast as real time, and the coordinator on it")
        self.medium = subprocess.Popen([self.airlift, "radio", "medium", self.dir / "air", "--speed", str(SPEED),
                                        "--pcap", self.capture], stdout=open(self.dir / "medium.log", "w"),
                                       stderr=subprocess.STDOUT)
        end = time.monotonic() + 10
        while not (self.dir / "air").exists():
            if self.medium.poll() is not None or time.monotonic() > end:
                raise Failed("the medium did not start:\n" + (self.dir / "medium.log").read_text())
            time.sleep(0.05)
        self.coordinator = Device(self.airlift, self.dir / "server", self.dir / "server.log", SHOWN,
                                  "--radio", self.radio, label=f"{'coordinator:':19}")
        self.coordinator.wait_for("Network steering started")

    def join(self):
        screen.title("A router, an end device and a sleepy end device are switched on")
        for client in self.clients:
            client.switch_on(self)
            client.device.wait_for("Joined network")

    def upgrade(self):
        screen.title("They are notified, and upgrade")
        began = time.monotonic()
        while True:
            cells, over = [], True
            for client in self.clients:
                share, words = client.share()
                if words.startswith("runs") and client.ended is None:
                    client.ended = time.monotonic() - began
                over &= client.ended is not None
                filled = int(BAR * share)
                cells.append(f"{client.name} [{'#' * filled}{'.' * (BAR - filled)}] {100 * share:3.0f} %")
            screen.say("   " + "  ".join(cells))
            if over:
                return time.monotonic() - began
            if time.monotonic() - began > TRANSFER_S:
                raise Failed("not all devices run the new version: " +
                             ", ".join(f"{c.name} {c.share()[1]}" for c in self.clients))
            time.sleep(1)

    def tshark(self, keys, *fields):
        """One row of these fields a frame."""
        options = [word for i, key in enumerate(keys) for word in ("-o", f'uat:zigbee_pc_keys:"{key}","Normal","key {i}"')]
        options += [word for field in fields for word in ("-e", field)]
        return [line.split("\t") for line in run("tshark", "-r", self.capture, *options, "-T", "fields").splitlines()]

    def judge(self):
        """The new program lies in slot ota_1 of each device, and tshark understands every frame."""
        image = self.client_image(NEW[0]).read_bytes()
        for client in self.clients:
            if image not in (client.dir / "flash.bin").read_bytes():
                raise Failed(f"{client.name}: the image in its flash is not the one that was served")
        self.stop()
        if not shutil.which("tshark"):
            return "tshark is not installed: the capture was not judged"
        learned = self.tshark([LINK_KEY], "zbee_aps.cmd.key_type", "zbee_aps.cmd.key")
        network = {key for kind, key in learned if kind and int(kind, 16) == NETWORK_KEY}
        rows = self.tshark([LINK_KEY, *network], "wpan.fcs_ok", "_ws.malformed", "zbee_sec.encrypted_payload")
        bad = {"with a wrong FCS": sum(r[0] not in ("1", "True") for r in rows), "malformed": sum(r[1] != "" for r in rows),
               "not decrypted": sum(r[2] != "" for r in rows)}
        if not rows or any(bad.values()):
            raise Failed(f"tshark on {self.capture}: {len(rows)} frames, {bad}")
        return f"tshark reads and decrypts all {len(rows)} frames; none is malformed"

    def stop(self):
        for device in [c.device for c in self.clients] + [self.coordinator]:
            if device:
                device.switch_off()
        if self.medium and self.medium.poll() is None:
            self.medium.send_signal(signal.SIGINT)
            self.medium.wait(20)

    def run(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        began = time.monotonic()
        try:
            self.prepare()
            self.form()
            self.join()
            seconds = self.upgrade()
            verdict = self.judge()
        finally:
            self.stop()
        screen.title("What was shown")
        for client in self.clients:
            screen.say(f"   [ok] {client.name}: joined, upgraded over the air from {OLD[0]} to {NEW[0]}, restarted into it",
                       "32")
        screen.say("   [ok] the image in each flash is the one that was served, byte for byte", "32")
        screen.say(f"   [ok] {verdict}", "32")
        screen.say(f"   {3 * self.client_image(NEW[0]).stat().st_size // 1024} KiB through the air in {seconds:.0f} s "
                   f"({seconds * SPEED / 60:.0f} min of the network's time); all of it in {time.monotonic() - began:.0f} s. "
                   f"Logs: {os.path.relpath(self.dir)}")


if __name__ == "__main__":
    sys.exit(main(__doc__, Demo))
