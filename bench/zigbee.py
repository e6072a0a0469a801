#!/usr/bin/env python3
"""Throughput of Zigbee upgrades in the airtime model, the server's processor time, and what a client
takes on a chip: writes bench/results/zigbee.json and the Zigbee part of docs/benchmarks.md.
Part of `make bench`; alone: zigbee.py --build DIR (after `make bench-bins`).
"""
import json
import re

import page
from common import main, run

ROOT = page.ROOT
HEADING = "Zigbee upgrades"
RESULT = ROOT / "bench/results/zigbee.json"
VENDOR = 8100  # bytes/s, claimed for tuned devices with blocks of 223 bytes; no log of it is published

# One hop: nothing on the channel can be faster than the bound (no back-off, no spacing); typical: mean
# back-off, spacing counted. Answers acknowledged by APS, requests not; in pages only the request.
MODEL = {"blocks of 64 bytes": (6024, 4024), "blocks of 223 bytes": (10623, 7485), "pages of 4096 bytes": (12364, 9154)}


def measure(build):
    result = json.loads(run(build / "bench/zigbee_rollout", cwd=ROOT))
    for row in result["rows"]:
        row["bound"], row["typical"] = (n / row["hops"] for n in MODEL[row["mode"]])
        row["of_typical"] = row["bytes_per_s"] / row["typical"]
        row["of_one_client"] = row["bytes_per_s"] / next(
            r["bytes_per_s"] for r in result["rows"]
            if (r["mode"], r["hops"], r["clients"]) == (row["mode"], row["hops"], 1))
    result["vendor_bytes_per_s"] = VENDOR
    chip = run("make", "-s", f"BUILD={build}", "rv32", cwd=ROOT)
    result["rv32"] = {"text_bytes": int(re.search(r"^ *(\d+) +zigbee-ota-client text$", chip, re.M)[1]),
                      "ram_bytes": int(re.search(r"^ *(\d+) +zigbee-ota-client RAM$", chip, re.M)[1])}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def section(result):
    server, chip = result["server"], result["rv32"]
    text = ["In virtual time on the model of the air ([radio.md](radio.md)), without losses; all hops on one channel. Bound and",
            "typical: of the airtime model, divided by the hops. Fair: rate of the slowest client, divided by the mean rate. Tuned",
            f"devices of the vendor are said to reach {VENDOR / 1000:.1f} KB/s with blocks of 223 bytes over one hop.", "",
            "| mode | hops | clients | bytes/s together | typical | bound | of typical | of one client | fair |",
            "|---|---|---|---|---|---|---|---|---|"]
    for r in result["rows"]:
        text.append(f"| {r['mode']} | {r['hops']} | {r['clients']} | {r['bytes_per_s']:.0f} | {r['typical']:.0f} | {r['bound']:.0f} | "
                    f"{r['of_typical']:.2f} | {r['of_one_client']:.2f} | {r['fair']:.2f} |")
    text += ["", f"- Server: {server['clients']} clients around one coordinator take {server['cpu_s']:.2f} s of processor time in "
             f"{server['virtual_s']:.0f} s of the network: {100 * server['share_of_core']:.2f} % of one core.",
             "  Measured in virtual time, the coordinator's node alone: MAC, security, network, OTA server; without a radio's driver.",
             f"- Client on a chip (rv32imac, -Os): {chip['text_bytes'] / 1024:.0f} KiB of code for an end device with the OTA client, commissioning, "
             f"security; {chip['ram_bytes'] / 1024:.1f} KiB of RAM",
             "  for its contexts and tables. Without AES, radio driver, C library and stack. `make rv32` lists them.", ""]
    return text


if __name__ == "__main__":
    main(__doc__, measure, HEADING, section)
