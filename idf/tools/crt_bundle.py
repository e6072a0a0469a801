#!/usr/bin/python3
"""The project's own root certificates as one PEM text.

PATH is CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH: a file, or a folder of .pem, .crt and
.der files. Prints the files that were read, one a line.
"""
import argparse
import pathlib
import ssl
import sys

OPTION = "CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH"


def pem_of(file):
    data = file.read_bytes()
    if b"-----BEGIN CERTIFICATE-----" in data:
        return data.decode("ascii", "replace").rstrip("\n") + "\n"
    if data[:1] == b"\x30":  # a DER sequence
        return ssl.DER_cert_to_PEM_cert(data)
    raise ValueError(f"{file}: no certificate in it. {OPTION} takes PEM and DER")


def bundle(path):
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix in (".pem", ".crt", ".der"))
        if not files:
            raise ValueError(f"{path}: no .pem, .crt or .der file in this folder. See {OPTION}")
    return files, "".join(pem_of(f) for f in files)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("path", type=pathlib.Path)
    p.add_argument("--out", type=pathlib.Path, required=True)
    args = p.parse_args()
    try:
        files, text = bundle(args.path)
        args.out.write_text(text)
    except OSError as e:
        sys.exit(f"{e.filename}: {e.strerror}. See {OPTION}")
    except ValueError as e:
        sys.exit(str(e))
    print("\n".join(map(str, files)))


if __name__ == "__main__":
    main()
