#!/usr/bin/env python3
"""The demonstration behind `make demo`: a virtual device that upgrades itself
over HTTPS, rolls back from a bad version, and survives a power cut in the
middle of a download.

Everything runs on loopback, in a directory of its own under BUILD/demo.
Exit status 1 when anything that should happen does not.
Usage: demo.py [--build DIR] [--svg FILE]
"""
import pathlib
import re
import sys
import time

from demo_stage import Device, Failed, Play, Server, main, run, screen

ROOT = pathlib.Path(__file__).resolve().parent.parent
NET_RATE = "100K"  # bytes a second: slow enough to see the progress bar
# A flash operation in the middle of the download: sectors and pages of about 60 KiB.
CUT_AT = "300:7"


# Lines of the log that the demo is about; the rest goes to device.log only.
SHOWN = re.compile(r"rst:0x|Loaded app from|demo: |rolling back|Rollback to|self-test|power|panic|Falling back|resum",
                   re.I)
# What the picture leaves out: most steps of the progress.
UNSEEN = re.compile(r"demo: \[.*\] +(?!30|70|100)\d+%|looking for new firmware")


class Demo(Play):
    def __init__(self, build):
        super().__init__(build / "demo")
        self.bin = build / "bin"
        self.airlift = self.bin / "airlift"

    def fact(self, text, seconds):
        self.facts.append(text + (f"  ({seconds:.1f} s)" if seconds is not None else ""))

    def image(self, version):
        return self.dir / f"build-{version}" / "demo.bin"

    def build_versions(self):
        for version, fails in (("1.0.0", False), ("1.1.0", False), ("1.2.0", True), ("1.3.0", False)):
            conf = self.dir / f"sdkconfig.{version}"
            conf.write_text(f'CONFIG_DEMO_URL="https://127.0.0.1:{self.server.port}/firmware/demo"\n'
                            f'CONFIG_DEMO_CA_CERT="{self.server.ca}"\n'
                            "CONFIG_DEMO_POLL_MS=500\n"
                            f"CONFIG_DEMO_SELF_TEST_FAILS={'y' if fails else 'n'}\n")
            run(self.airlift, "build", ROOT / "firmware/demo", "-B", self.dir / f"build-{version}",
                "--sdkconfig", conf, "-D", f"PROJECT_VER={version}")
            screen.say(f"   firmware {version}: {self.image(version).stat().st_size // 1024} KiB"
                       + (", with a self-test that fails" if fails else ""))

    def publish(self, version):
        self.server.publish(self.image(version), "demo")
        screen.say(f"   $ airlift push demo.bin --name demo        # version {version}", "1")

    def prepare(self):
        screen.title("A server, four versions of a firmware, and a device")
        self.server = Server(self.bin, self.dir)
        self.build_versions()
        self.server.start()
        run(self.airlift, "device", "create", self.dir / "device", "--from", self.dir / "build-1.0.0")
        screen.say(f"   airliftd on https://127.0.0.1:{self.server.port}, TLS with its own CA")

    def switch_on(self, *options):
        self.device = Device(self.airlift, self.dir / "device", self.log, SHOWN,
                             "--net-rate", NET_RATE, *options)

    def upgrade(self):
        screen.title("1. Version 1.0.0 runs; 1.1.0 is published")
        self.switch_on()
        self.device.wait_for(r"demo version 1\.0\.0 runs")
        self.device.wait_for("looking for new firmware")
        began = time.monotonic()
        self.publish("1.1.0")
        self.device.wait_for(r"version 1\.1\.0 is offered")
        self.device.wait_for(r"demo version 1\.1\.0 runs")
        self.device.wait_for(r"version 1\.1\.0 stays")
        self.fact("1.0.0 found 1.1.0, downloaded it over TLS, restarted into it; its self-test passed and it stayed",
                  time.monotonic() - began)

    def roll_back(self):
        screen.title("2. Version 1.2.0 is published; its self-test fails")
        self.device.wait_for("looking for new firmware")
        began = time.monotonic()
        self.publish("1.2.0")
        self.device.wait_for(r"demo version 1\.2\.0 runs")
        self.device.wait_for("self-test failed")
        self.device.wait_for(r"demo version 1\.1\.0 runs")
        self.fact("1.2.0 failed its self-test: the device was back on 1.1.0 by itself", time.monotonic() - began)
        self.device.wait_for(r"1\.2\.0 is offered, but it failed")
        time.sleep(1.2)  # two more looks at the server
        if any(line and "1.2.0 is offered: downloading" in line
               for line in self.device.seen[self.device.from_line:]):
            raise Failed("the device downloads 1.2.0 again")
        self.fact("1.2.0 is still offered, and not tried again", None)
        self.device.switch_off()

    def power_cut(self):
        screen.title("3. Version 1.3.0 is published; the power fails in the middle of the download")
        began = time.monotonic()
        self.publish("1.3.0")
        self.switch_on("--power-cut", CUT_AT)
        self.device.wait_for(r"version 1\.3\.0 is offered")
        cut = self.device.wait_for(r"(?i)power.*(cut|fail|lost|gone)")
        self.device.wait_for(r"demo version 1\.1\.0 runs")
        resumed = self.device.wait_for(r"version 1\.3\.0: going on at")
        self.device.wait_for(r"demo version 1\.3\.0 runs")
        self.device.wait_for(r"version 1\.3\.0 stays")
        at = re.search(r"going on at (.*)", resumed).group(1)
        self.fact(f"the power was cut in a flash write; 1.1.0 came back, went on at {at}, and 1.3.0 runs",
                  time.monotonic() - began)
        self.device.switch_off()
        return cut

    def check(self):
        log = self.log.read_text()
        for pattern in (r"Guru Meditation", r"abort\(\) was called"):
            if re.search(pattern, log):
                raise Failed(f"the device's log has '{pattern}'")

    def steps(self):
        self.prepare()
        self.upgrade()
        self.roll_back()
        self.power_cut()
        self.check()


if __name__ == "__main__":
    sys.exit(main(__doc__, Demo, UNSEEN))
