#!/usr/bin/python3
"""Looks at what was built: does it fit, and what goes where in flash.

Writes ota_data_initial.bin (when the table has otadata), flash_args and
flasher_args.json beside the images. The partition table is read by airlift.
"""
import argparse
import json
import os
import subprocess
import sys

APP, DATA = 0, 1
SUBTYPE_OTADATA, SUBTYPE_FACTORY, SUBTYPE_OTA_0 = 0, 0, 0x10


class PackageError(Exception):
    pass


def read_table(airlift, path):
    result = subprocess.run([airlift, "partition", "show", path, "--json"],
                            capture_output=True, text=True)
    if result.returncode:
        raise PackageError(result.stderr.strip())
    return json.loads(result.stdout)


def percent(part, whole):
    return round(part * 100 / whole) if whole else 0


def describe(p):
    return f"Part '{p['name']}' {p['type']}/{p['subtype']} @ {p['offset']:#x} size {p['size']:#x}"


def check_app(apps, name, size):
    """Of several slots some may be too small: then an update cannot use those."""
    if not apps:
        return print("WARNING: Partition table does not contain any partitions matching app")
    smallest = min(p["size"] for p in apps)
    if smallest >= size:
        free = smallest - size
        return print(f"{name} binary size {size:#x} bytes. Smallest app partition is {smallest:#x} "
                     f"bytes. {free:#x} bytes ({percent(free, smallest)}%) free.")
    small = [p for p in apps if p["size"] < size]
    if len(apps) == 1:
        text = "app partition is"
    elif len(small) == len(apps):
        text = "All app partitions are"
    else:
        text = f"{len(small)}/{len(apps)} app partitions are"
    text += f" too small for binary {name} size {size:#x}:"
    for p in small:
        text += f"\n  - {describe(p)} (overflow {size - p['size']:#x})"
    if len(small) == len(apps):
        raise PackageError(f"Error: {text}")
    return print(f"Warning: {text}")


def check_bootloader(size, table_offset, offset):
    room = table_offset - offset
    if size > room:
        raise PackageError(
            f"Error: Bootloader binary size {size:#x} bytes is too large for partition table "
            f"offset {table_offset:#x}. It can be at most {room:#x} ({room}) bytes unless "
            "CONFIG_PARTITION_TABLE_OFFSET is increased.")
    free = room - size
    print(f"Bootloader binary size {size:#x} bytes. {free:#x} bytes ({percent(free, room)}%) free.")


def find(table, kind, subtype):
    return next((p for p in table if p["type"] == kind and p["subtype"] == subtype), None)


def first_app(table):
    """Where the app is flashed: factory, else the first OTA slot, else the test app."""
    apps = [p for p in table if p["type"] == APP]
    order = [SUBTYPE_FACTORY, *range(SUBTYPE_OTA_0, SUBTYPE_OTA_0 + 16), 0x20]
    return next((p for s in order for p in apps if p["subtype"] == s), None)


def write(path, text):
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".tmp", path)


def flash_files(args, config, table):
    """[(offset, file, name in flasher_args.json)]"""
    files = [(config["BOOTLOADER_OFFSET_IN_FLASH"], "bootloader/bootloader.bin", "bootloader"),
             (config["PARTITION_TABLE_OFFSET"], "partition_table/partition-table.bin",
              "partition-table")]
    app = first_app(table)
    if app:
        files.append((app["offset"], args.app, "app"))
    otadata = find(table, DATA, SUBTYPE_OTADATA)
    initial = os.path.join(args.build_dir, "ota_data_initial.bin")
    if otadata:
        with open(initial, "wb") as f:
            f.write(b"\xff" * otadata["size"])
        files.append((otadata["offset"], "ota_data_initial.bin", "otadata"))
    elif os.path.exists(initial):
        os.remove(initial) # of another configuration
    for item in args.put:
        label, path = item.split("=", 1)
        partition = next((p for p in table if p["name"] == label), None)
        if not partition:
            raise PackageError(f"Error: there is no partition '{label}' for {path}")
        files.append((partition["offset"], os.path.relpath(path, args.build_dir), label))
    return files


def write_flash_args(args, config, files):
    settings = {"flash_mode": config["ESPTOOLPY_FLASHMODE"],
                "flash_size": config["ESPTOOLPY_FLASHSIZE"],
                "flash_freq": config["ESPTOOLPY_FLASHFREQ"]}
    options = [word for key in ("flash_mode", "flash_freq", "flash_size")
               for word in ("--" + key.replace("_", "-"), settings[key])]
    document = {"write_flash_args": options, "flash_settings": settings,
                "flash_files": {f"{offset:#x}": name for offset, name, _ in files}}
    for offset, name, key in files:
        document[key] = {"offset": f"{offset:#x}", "file": name, "encrypted": "false"}
    document["extra_esptool_args"] = {"after": "hard-reset", "before": "default-reset",
                                      "stub": True, "chip": config["IDF_TARGET"]}
    write(os.path.join(args.build_dir, "flasher_args.json"), json.dumps(document, indent=4) + "\n")
    lines = [" ".join(options)] + [f"{offset:#x} {name}" for offset, name, _ in files]
    write(os.path.join(args.build_dir, "flash_args"), "\n".join(lines) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--airlift", required=True)
    p.add_argument("--build-dir", required=True)
    p.add_argument("--app", required=True, help="file in the build folder")
    p.add_argument("--put", action="append", default=[], help="PARTITION=FILE")
    args = p.parse_args()
    with open(os.path.join(args.build_dir, "config", "sdkconfig.json"), encoding="utf-8") as f:
        config = json.load(f)
    table = read_table(args.airlift,
                       os.path.join(args.build_dir, "partition_table", "partition-table.bin"))
    size = {name: os.path.getsize(os.path.join(args.build_dir, name))
            for name in (args.app, "bootloader/bootloader.bin")}
    check_bootloader(size["bootloader/bootloader.bin"], config["PARTITION_TABLE_OFFSET"],
                     config["BOOTLOADER_OFFSET_IN_FLASH"])
    check_app([p for p in table if p["type"] == APP and p["subtype"] < 0x30], args.app,
              size[args.app])
    write_flash_args(args, config, flash_files(args, config, table))


if __name__ == "__main__":
    try:
        main()
    except (PackageError, OSError) as e:
        sys.exit(str(e))
