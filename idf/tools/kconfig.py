#!/usr/bin/python3
"""Configures a project: Kconfig files and defaults in, sdkconfig and its kin out.

A file given later wins. Symbols that no Kconfig knows are told and left out,
as the vendor's kconfgen does.
"""
import argparse
import json
import os
import re
import sys

import kconfiglib

HEADER = """\
#
# Automatically generated file. DO NOT EDIT.
# Espressif IoT Development Framework (ESP-IDF) {version} Project Configuration
#
"""
HEX, INT, STRING = kconfiglib.HEX, kconfiglib.INT, kconfiglib.STRING
BOOLS = (kconfiglib.BOOL, kconfiglib.TRISTATE)


class ConfigError(Exception):
    pass


def write_if_changed(path, text):
    """Leaves the time stamp alone when nothing changed: rebuilds stay quick."""
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    except FileNotFoundError:
        pass
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".tmp", path)


def source_list(path, kconfigs):
    write_if_changed(path, "".join(f'source "{k}"\n' for k in kconfigs))


def load_tree(args):
    out = args.output_dir
    for variable, name, kconfigs in (
        ("COMPONENT_KCONFIGS_PROJBUILD_SOURCE_FILE", "kconfigs_projbuild.in", args.projbuild),
        ("COMPONENT_KCONFIGS_SOURCE_FILE", "kconfigs.in", args.kconfig),
    ):
        path = os.path.join(out, name)
        source_list(path, kconfigs)
        os.environ[variable] = path
    os.environ["IDF_PATH"] = args.idf_path
    os.environ["IDF_TARGET"] = args.target
    os.environ["IDF_INIT_VERSION"] = args.idf_version
    os.environ["KCONFIG_CONFIG_HEADER"] = HEADER.format(version=args.idf_version)
    os.environ["srctree"] = ""
    try:
        return kconfiglib.Kconfig(os.path.join(args.idf_path, "Kconfig"), warn_to_stderr=False)
    except (kconfiglib.KconfigError, OSError) as e:
        raise ConfigError(f"a Kconfig file cannot be read: {e}") from e


# A line of sdkconfig.defaults may be written without quotes or with blanks.
LINE = re.compile(r"^(?:CONFIG_(\w+)\s*=\s*(.*?)|# CONFIG_(\w+) is not set)\s*$")


def read_config(path):
    """[(line, name, value)]; value None: not set."""
    entries = []
    try:
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
    except OSError as e:
        raise ConfigError(f"{path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{path}: not a text file in UTF-8 ({e})") from e
    for number, line in enumerate(lines, 1):
        match = LINE.match(line)
        if match:
            entries.append((number, match[1] or match[3], match[2] if match[1] else None))
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ConfigError(f"{path}:{number}: '{line.strip()}' is neither CONFIG_NAME=value "
                              "nor a comment")
    return entries


def plain_value(symbol, value):
    if symbol.type in BOOLS:
        # The vendor's files say things like "n  # not needed": the first letter counts.
        return value[0] if value and re.match(r"[yn](\s|$)", value) else value or "n"
    if value is None:
        return ""
    if symbol.type == STRING and len(value) >= 2 and value[0] == value[-1] == '"':
        return kconfiglib.unescape(value[1:-1])
    return value


def read_renames(path):
    with open(path, encoding="utf-8") as f:
        return dict(line.split() for line in f if line.strip() and not line.startswith("#"))


def apply_file(kconf, path, target, renamed, saved=False):
    """Sets every symbol of a file; gives [(symbol, value, where)] to check later."""
    wanted = []
    for number, name, value in read_config(path):
        where = f"{path}:{number}"
        if name == "IDF_TARGET":
            check_target(path, number, (value or "").strip('"'), target, saved)
            continue
        symbol = kconf.syms.get(renamed.get(name, name))
        if symbol is None or not symbol.nodes:
            if not saved:
                print(f"warning: unknown kconfig symbol '{name}' assigned to '{value}' in {where}",
                      file=sys.stderr)
            continue
        text = plain_value(symbol, value)
        if not symbol.set_value(text):
            raise ConfigError(f"{where}: '{value}' is no value for {name}, which takes "
                              f"{kconfiglib.TYPE_TO_STR[symbol.type]}")
        wanted.append((symbol, text, where))
    return wanted


def check_target(path, number, value, target, saved):
    if value == target or not saved:
        return
    raise ConfigError(f"{path}:{number}: this configuration was made for '{value}', but the "
                      f"build is for '{target}'. Remove the file, or build for '{value}'")


def tell_ineffective(wanted):
    """A value that cannot take effect is worth a word: a dependency is off, or
    it lies outside its range."""
    last = {}
    for symbol, value, where in wanted:
        last[symbol.name] = (symbol, value, where)
    for name, (symbol, value, where) in last.items():
        if not any(node.prompt for node in symbol.nodes):
            continue  # derived, also in a saved file
        if symbol.choice and symbol.choice.user_selection is not symbol:
            continue  # a later file chose another one
        same = symbol.str_value == value
        if symbol.type in (HEX, INT) and symbol.str_value and value:
            same = int(symbol.str_value, 0) == int(value, 16 if symbol.type == HEX else 10)
        if not same and value not in ("", "n"):
            print(f"warning: {name} is '{symbol.str_value or 'n'}', not '{value}' as {where} says: "
                  "what it depends on is off, or the value is out of range", file=sys.stderr)


# What the virtual device does not do although the project may ask for it.
NOT_MODELLED = {
    "SECURE_FLASH_ENC_ENABLED": "flash encryption is modelled by its rules only: whole 16-byte blocks are written, "
                                "and the virtual device's flash holds plain text",
    "NVS_ENCRYPTION": "NVS encryption is not modelled: the nvs partition holds plain text",
}


def tell_not_modelled(kconf):
    for name, text in NOT_MODELLED.items():
        if name in kconf.syms and kconf.syms[name].str_value == "y":
            print(f"warning: {name}: {text}", file=sys.stderr)


def visible_symbols(kconf):
    """Symbols that have a value, as they stand in sdkconfig, in order of the menu."""
    return [s for s in kconf.unique_defined_syms if s.config_string]


def quoted(text):
    return kconfiglib.escape(text)


def old_names(kconf, renamed):
    """(old, new) names of symbols that are set; sources written for older versions ask for the old ones."""
    for old, new in renamed.items():
        symbol = kconf.syms.get(new)
        if symbol and symbol.config_string and symbol.str_value not in ("n", ""):
            yield old, new


def cmake_text(kconf, renamed):
    lines = ["# Generated from sdkconfig.\n"]
    names = []
    for s in kconf.unique_defined_syms:
        if not s.config_string:
            continue
        value = s.str_value
        if s.type in BOOLS:
            value = "y" if value == "y" else ""
        value = quoted(value).replace("$", "\\$")
        lines.append(f'set(CONFIG_{s.name} "{value}")\n')
        names.append(f"CONFIG_{s.name}")
    lines.append(f'set(CONFIGS_LIST {";".join(names)})\n')
    lines += [f'set(CONFIG_{old} "${{CONFIG_{new}}}")\n' for old, new in old_names(kconf, renamed)]
    return "".join(lines)


def json_value(s):
    if s.type in BOOLS:
        return s.str_value == "y"
    if s.type in (HEX, INT):
        return int(s.str_value, 0) if s.str_value else None
    return s.str_value


def table_text(kconf):
    rows = sorted((s.name, s.str_value) for s in visible_symbols(kconf)
                  if not (s.type in BOOLS and s.str_value != "y"))
    body = "".join(f'    {{"{name}", "{quoted(value)}"}},\n' for name, value in rows)
    return ('/* Generated from sdkconfig. */\n#include "airlift_config.h"\n\n'
            "const struct airlift_config_entry airlift_config[] = {\n"
            f"{body}    {{NULL, NULL}},\n}};\n").replace(
                "#include", "#include <stddef.h>\n#include", 1)


def renamed_text(kconf, renamed):
    lines = ["/* Generated from sdkconfig: old names of symbols that are set. */\n#pragma once\n"]
    lines += [f"#define CONFIG_{old} CONFIG_{new}\n" for old, new in old_names(kconf, renamed)]
    return "".join(lines)


def write_outputs(kconf, args, renamed):
    out = args.output_dir
    os.makedirs(os.path.dirname(args.sdkconfig) or ".", exist_ok=True)
    # kconfiglib, too, writes only what changed.
    kconf.write_config(args.sdkconfig, HEADER.format(version=args.idf_version), save_old=False)
    kconf.write_autoconf(os.path.join(out, "sdkconfig.h"),
                         "/* Generated from sdkconfig. */\n#pragma once\n"
                         '#include "sdkconfig_renamed.h"\n')
    write_if_changed(os.path.join(out, "sdkconfig_renamed.h"), renamed_text(kconf, renamed))
    write_if_changed(os.path.join(out, "sdkconfig.cmake"), cmake_text(kconf, renamed))
    values = {s.name: json_value(s) for s in visible_symbols(kconf)}
    write_if_changed(os.path.join(out, "sdkconfig.json"),
                     json.dumps(values, indent=4, sort_keys=True) + "\n")
    write_if_changed(os.path.join(out, "airlift_config.c"), table_text(kconf))
    # What the configuration was read from: a change there configures anew.
    write_if_changed(os.path.join(out, "kconfig_files.txt"),
                     "\n".join(os.path.abspath(os.path.join(args.idf_path, f))
                               for f in kconf.kconfig_filenames) + "\n")


def parse_args():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--idf-path", required=True)
    p.add_argument("--idf-version", required=True)
    p.add_argument("--target", required=True)
    p.add_argument("--kconfig", action="append", default=[], help="of a component")
    p.add_argument("--projbuild", action="append", default=[], help="Kconfig.projbuild")
    p.add_argument("--defaults", action="append", default=[], help="in order; later ones win")
    p.add_argument("--saved", help="an sdkconfig, above the defaults")
    p.add_argument("--extra", action="append", default=[], help="above the saved one")
    p.add_argument("--sdkconfig", required=True, help="written")
    p.add_argument("--output-dir", required=True)
    return p.parse_args()


def main():
    args = parse_args()
    kconf = load_tree(args)
    renamed = read_renames(os.path.join(args.idf_path, "sdkconfig.rename"))
    wanted = []
    for path in args.defaults:
        wanted += apply_file(kconf, path, args.target, renamed)
    if args.saved:
        apply_file(kconf, args.saved, args.target, renamed, saved=True)
    for path in args.extra:
        wanted += apply_file(kconf, path, args.target, renamed)
    if not args.saved:
        tell_ineffective(wanted)
    tell_not_modelled(kconf)
    write_outputs(kconf, args, renamed)


if __name__ == "__main__":
    try:
        main()
    except ConfigError as e:
        sys.exit(f"error: {e}")
