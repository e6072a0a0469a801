#!/usr/bin/python3
"""Reads the idf_component.yml files of components.

Prints `component NAME=DIR` for path dependencies, `manifest FILE` for the
manifests behind them, and `requires OWNER NAME` for what a manifest names: its
owner sees that component's headers, whatever it says in REQUIRES. Of the components of a registry some have a folder in
--managed. A dependency that is neither a path, nor built in, nor there, nor in
the project is an error: nothing is fetched from a network.
"""
import argparse
import os
import sys

import yaml


class DependencyError(Exception):
    pass


def read_manifest(path):
    try:
        with open(path, encoding="utf-8") as f:
            manifest = yaml.safe_load(f) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise DependencyError(f"{path}: not valid YAML: {e}") from e
    dependencies = manifest.get("dependencies") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or not isinstance(dependencies or {}, dict):
        raise DependencyError(f"{path}: 'dependencies' must be a list of 'name: version' pairs")
    return dependencies or {}


def short_name(name):
    return name.split("/")[-1]


def local_path(manifest, spec):
    """Absolute path of a path dependency, or None."""
    if not isinstance(spec, dict):
        return None
    path = spec.get("override_path") or spec.get("path")
    if not path:
        return None
    base = os.path.dirname(manifest)
    return os.path.normpath(os.path.join(base, os.path.expandvars(path)))


def same_component(name, known):
    """The components of the project that a dependency means: folders of a registry have their owner in front."""
    short = short_name(name)
    return [k for k in known if k in (short, name.replace("/", "__")) or k.endswith("__" + short)]


def find(manifest, owner, name, spec, known, builtin, managed):
    """The folder of a dependency; None when there is nothing to do."""
    path = local_path(manifest, spec)
    if path:
        if not os.path.isfile(os.path.join(path, "CMakeLists.txt")):
            raise DependencyError(f"{manifest}: component '{owner}' wants '{name}' at '{path}', "
                                  "but there is no CMakeLists.txt")
        return path
    short = short_name(name)
    if name == "idf" or short in builtin:
        return None
    if same_component(name, known):
        return None
    if managed and os.path.isfile(os.path.join(managed, short, "CMakeLists.txt")):
        return os.path.join(managed, short)
    raise DependencyError(
        f"{manifest}: component '{owner}' depends on '{name}', which Airlift does not have and "
        f"does not fetch.\nPut its sources into components/{short} of the project, or say "
        f"'path:' in {os.path.basename(manifest)}.")


def resolve(known, builtin, managed):
    """known: {name: dir}, extended while manifests lead to further components."""
    waiting = list(known.items())
    while waiting:
        owner, folder = waiting.pop(0)
        manifest = os.path.join(folder, "idf_component.yml")
        if not os.path.isfile(manifest):
            continue
        print(f"manifest {manifest}")
        for name, spec in read_manifest(manifest).items():
            path = find(manifest, owner, name, spec, known, builtin, managed)
            if path and short_name(name) not in known:
                known[short_name(name)] = path
                waiting.append((short_name(name), path))
                print(f"component {short_name(name)}={path}")
            for component in same_component(name, known):
                print(f"requires {owner} {component}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--component", action="append", default=[], help="NAME=DIR")
    p.add_argument("--builtin", action="append", default=[])
    p.add_argument("--managed", help="folder of components that stand for those of a registry")
    args = p.parse_args()
    resolve(dict(c.split("=", 1) for c in args.component), set(args.builtin), args.managed)


if __name__ == "__main__":
    try:
        main()
    except DependencyError as e:
        sys.exit(str(e))
