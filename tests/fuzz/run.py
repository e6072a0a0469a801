#!/usr/bin/env python3
"""Runs every fuzz target for a while, two at a time.  A finding stops it: the
input is kept under BUILD/fuzz-findings/ and the command to repeat it is
printed.  The last line is `N passed, N failed`.

Seeds are tests/fuzz/seeds/<target>/ and the vectors that seeds.txt names:
`target  glob [offset:length]`.
Usage: run.py --build DIR --seconds N
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent


def seed_dir(build: pathlib.Path, target: str) -> pathlib.Path:
    """The seeds of a target, gathered afresh."""
    out = build / "fuzz-seeds" / target
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for line in (HERE / "seeds.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if len(words) < 2 or words[0] != target:
            continue
        files = sorted(ROOT.glob(words[1]))
        if not files:
            sys.exit(f"tests/fuzz/seeds.txt: {words[1]} matches no file")
        for f in files:
            data = f.read_bytes()
            if len(words) > 2:
                begin, length = (int(x, 0) for x in words[2].split(":"))
                data = data[begin:begin + length]
            (out / f.name).write_bytes(data)
    return out


def fuzz(build: pathlib.Path, program: pathlib.Path, seconds: int):
    target = program.name
    corpus = build / "fuzz-corpus" / target
    findings = build / "fuzz-findings" / target
    for d in (corpus, findings):
        d.mkdir(parents=True, exist_ok=True)
    kept = HERE / "seeds" / target
    dirs = [corpus, seed_dir(build, target)] + ([kept] if kept.is_dir() else [])
    done = subprocess.run(
        [program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
         "-verbosity=1", f"-artifact_prefix={findings}/", *dirs],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
    cover = re.findall(r"cov: (\d+)", done.stdout)
    return target, done.returncode, int(runs.group(1)) if runs else 0, cover[-1] if cover else "?", done.stdout


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--build", type=pathlib.Path, required=True)
    ap.add_argument("--seconds", type=int, default=300)
    args = ap.parse_args()
    build = args.build.resolve()
    programs = sorted(p for p in (build / "fuzz").iterdir() if p.is_file() and os.access(p, os.X_OK))
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for target, status, runs, cover, text in pool.map(lambda p: fuzz(build, p, args.seconds), programs):
            ok = status == 0 and runs > 0
            print(f"{'ok  ' if ok else 'FAIL'} fuzz {target:<16} {runs:>10} inputs, coverage {cover}", flush=True)
            if not ok:
                print(text[-4000:])
                print(f"repeat: {build}/fuzz/{target} {build}/fuzz-findings/{target}/*")
            passed, failed = passed + ok, failed + (not ok)
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
