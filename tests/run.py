#!/usr/bin/env python3
"""Runs the unit programs and the end-to-end tests of one build and sums up.

The last line is `N passed, N failed`; exit status 1 when anything failed or
nothing ran.  Usage: run.py --build DIR [--unit | --e2e] [-k WORD]
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNIT_TIMEOUT_S = 600


def run_unit(program: pathlib.Path, out_dir: pathlib.Path):
    """Runs one cmocka program; returns (name, passed, failed, seconds, text to show)."""
    name = "/".join(program.parts[-2:])
    xml = out_dir / (name.replace("/", "-") + ".xml")
    xml.unlink(missing_ok=True)
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="XML", CMOCKA_XML_FILE=str(xml))
    began = time.monotonic()
    try:
        done = subprocess.run([program], cwd=ROOT, env=env, capture_output=True, text=True,
                              errors="replace", timeout=UNIT_TIMEOUT_S)
        status, text = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        return name, 0, 1, UNIT_TIMEOUT_S, f"took longer than {UNIT_TIMEOUT_S} s"
    seconds = time.monotonic() - began
    passed = failed = 0
    why = []
    try:
        # A program with several groups writes a document for each.
        documents = xml.read_text(errors="replace").replace('<?xml version="1.0" encoding="UTF-8" ?>', "")
        for case in ET.fromstring(f"<all>{documents}</all>").iter("testcase"):
            bad = case.find("failure")
            if bad is None:
                passed += 1
            else:
                failed += 1
                why.append(f"  {case.get('name')}: {(bad.text or '').strip()}")
    except (OSError, ET.ParseError):
        pass
    if status == 0 and passed + failed == 0:  # a device that resets ends its whole process, with 0
        failed = 1
        why.append("  ended before its tests did")
    if status != 0 and failed == 0:
        failed = 1
        why.append(f"  ended with status {status}")
    if failed:
        return name, passed, failed, seconds, "\n".join(why) + "\n" + text[-6000:]
    return name, passed, failed, seconds, ""


def unit(build: pathlib.Path, word: str):
    programs = sorted(p for p in (build / "tests").glob("*/test_*")
                      if p.is_file() and os.access(p, os.X_OK) and not p.suffix and word in str(p))
    out_dir = build / "test-results"
    out_dir.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for name, p, f, s, text in pool.map(lambda b: run_unit(b, out_dir), programs):
            print(f"{'FAIL' if f else 'ok  '} {name:<40} {p:4} passed {f:3} failed {s:7.1f} s", flush=True)
            if text:
                print(text)
            passed, failed = passed + p, failed + f
    return passed, failed


def e2e(build: pathlib.Path, word: str):
    results = build / "test-results" / "e2e.xml"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.unlink(missing_ok=True)
    cmd = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/e2e",
           f"--junit-xml={results}", "--durations=10", "-o", "junit_family=xunit2", "-n", str(min(os.cpu_count() or 2, 8)),
           "--dist", "loadgroup"]
    if word:
        cmd += ["-k", word]
    env = dict(os.environ, AIRLIFT_BUILD=str(build.resolve()), PYTHONDONTWRITEBYTECODE="1")
    status = subprocess.run(cmd, cwd=ROOT, env=env).returncode
    try:
        suite = next(ET.parse(results).iter("testsuite"))
    except (OSError, ET.ParseError, StopIteration):
        return 0, 1
    bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    skipped = int(suite.get("skipped", 0))
    if status not in (0, 1, 5) and bad == 0:
        bad = 1
    return int(suite.get("tests", 0)) - bad - skipped, bad


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    ap.add_argument("--unit", action="store_true", help="only the unit tests")
    ap.add_argument("--e2e", action="store_true", help="only the end-to-end tests")
    ap.add_argument("-k", default="", metavar="WORD", help="only tests with WORD in the name")
    args = ap.parse_args()
    passed = failed = 0
    for wanted, run in ((not args.e2e, unit), (not args.unit, e2e)):
        if wanted:
            p, f = run(args.build, args.k)
            passed, failed = passed + p, failed + f
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
