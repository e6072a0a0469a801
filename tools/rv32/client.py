#!/usr/bin/env python3
"""What a Zigbee end device with the OTA client takes on a chip: text of zigbee/ and core/ (without
AES, radio and C library), and RAM: contexts and the tables of al_node_sizes_end_device.
Usage: client.py GCC-PREFIX 'FLAGS' BUILD_DIR OBJECT...
"""
import pathlib
import re
import subprocess
import sys

ROOTS = ("al_node_init al_node_received al_node_transmitted al_node_scanned al_node_run al_node_next al_node_memory "
         "al_bdb_initialise al_bdb_steer al_zcl_add_endpoint al_zcl_ota_client_init al_zcl_ota_client_run "
         "al_zcl_ota_client_next al_zota_client_start").split()
CONTEXTS = {"node": "struct al_node", "OTA client": "struct al_zcl_ota_client", "endpoint": "struct al_zcl_endpoint"}
TABLES = pathlib.Path("zigbee/node_tables.c")


def run(*cmd):
    done = subprocess.run([str(c) for c in cmd], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"client.py: {cmd[0]}: {done.stderr}")
    return done.stdout


def text_bytes(prefix, flags, build, objects):
    elf = build / "ota-client.elf"
    run(prefix + "gcc", *flags, "-nostartfiles", "-Wl,--gc-sections", "-Wl,-e,al_node_run",
        "-Wl,--defsym=__flash_size=4M", "-Wl,--defsym=__ram_size=1M",
        *[f"-Wl,-u,{name}" for name in ROOTS], *objects, "-o", elf)
    text = int(re.search(r"^\.text\s+(\d+)", run(prefix + "size", "-A", elf), re.M)[1])
    symbols = re.findall(r"^\w+ (\w+) [tT] (?:mem|str)\w*$", run(prefix + "nm", "-S", elf), re.M)
    return text - sum(int(size, 16) for size in symbols)


def ram_bytes(prefix, flags, build):
    source = TABLES.read_text()
    sizes = re.search(r"al_node_sizes_end_device = \{(.*?)\};", source, re.S)[1]
    counts = {name: int(n) for name, n in re.findall(r"\.(\w+) = (\d+)", sizes)}
    tables = re.findall(r"t->(\w+) = take\(&p, s->(\w+), sizeof", source)
    probe = build / "sizes.c"
    lines = ['#include "zigbee/node.h"', '#include "zigbee/zcl_ota.h"', "const char align[AL_NODE_ALIGN] = {1};"]
    lines += [f"const char table_{t}[sizeof *((struct al_node_tables *)0)->{t}] = {{1}};" for t, _ in tables]
    lines += [f"const char context_{i}[sizeof({c})] = {{1}};" for i, c in enumerate(CONTEXTS.values())]
    probe.write_text("\n".join(lines) + "\n")
    run(prefix + "gcc", *flags, "-I.", "-c", probe, "-o", build / "sizes.o")
    size = {name: int(n, 16) for n, name in re.findall(r"^\w+ (\w+) R (\w+)$", run(prefix + "nm", "-S", build / "sizes.o"), re.M)}

    def aligned(n):
        return -(-n // size["align"]) * size["align"]
    memory = sum(aligned(counts.get(n, 0) * size[f"table_{t}"]) for t, n in tables)
    memory += aligned((counts["aps_tx"] + counts["aps_rx"]) * counts["asdu"])
    return {**{name: size[f"context_{i}"] for i, name in enumerate(CONTEXTS)}, "tables": memory}


def main():
    prefix, flags, build = sys.argv[1], sys.argv[2].split(), pathlib.Path(sys.argv[3])
    print("\nZigbee end device with OTA client, bytes")
    print(f"{text_bytes(prefix, flags, build, sys.argv[4:]):8d}           zigbee-ota-client text")
    ram = ram_bytes(prefix, flags, build)
    for name, n in ram.items():
        print(f"{n:8d}           RAM: {name}")
    print(f"{sum(ram.values()):8d}           zigbee-ota-client RAM")


if __name__ == "__main__":
    main()
