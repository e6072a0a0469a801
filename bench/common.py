"""What the benchmarks share: programs that must succeed, a free port, and how a section is made alone."""
import argparse
import pathlib
import socket
import subprocess
import sys

import page


def run(*cmd, **kw):
    """What the program printed; ends the benchmark when it fails."""
    done = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, **kw)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, cmd))}\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main(description, measure, heading, section):
    """One section of the page by itself: --build DIR."""
    ap = argparse.ArgumentParser(description=description)
    ap.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    lines = section(measure(ap.parse_args().build.resolve()))
    page.write_section(heading, lines)
    print("\n".join(lines))
