"""`make install` into an empty tree: programs run there, projects and programs build against it,
systemd accepts the unit."""
import os
import re
import shutil
import subprocess

import pytest

import servers

PROGRAM = r"""
#include <stdio.h>
#include <core/crc32.h>
#include <host/crypto_openssl.h>
int main(void)
{
    uint8_t digest[AL_SHA256];
    char hex[65];
    crypto_digest(AL_SHA256, "abc", 3, digest);
    crypto_hex(digest, 32, hex);
    printf("%08x %s\n", al_crc32(0, "123456789", 9), hex);
    return 0;
}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The tree below DESTDIR, PREFIX=/opt/airlift."""
    dest = tmp_path_factory.mktemp("dest")
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", "-s", "install-files", f"BUILD={servers.BUILD}", f"DESTDIR={dest}",
                           "PREFIX=/opt/airlift"], cwd=servers.ROOT, env=env, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return dest


def test_programs_run_where_they_are_installed(installed):
    for program in ("airlift", "airliftd"):
        done = subprocess.run([installed / "opt/airlift/bin" / program, "--version"],
                              capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith(program + " ")


def test_all_parts_are_there(installed):
    prefix = installed / "opt/airlift"
    for part in ("share/man/man1/airlift.1", "share/man/man1/airlift-push.1",
                 "share/man/man8/airliftd.8",
                 "share/bash-completion/completions/airlift", "lib/airlift/libairlift-esp.a",
                 "lib/airlift/airlift-flags.cmake", "share/airlift/idf/Kconfig",
                 "share/airlift/esp-idf/airlift_config.h",
                 "share/airlift/esp-idf/include/esp_https_ota.h",
                 "share/airlift/esp-adf/include/ota_service.h", "share/airlift/idf/adf/CMakeLists.txt",
                 "share/airlift/at/at.h"):
        assert (prefix / part).is_file(), part
    assert not list(prefix.rglob("__pycache__"))
    assert (prefix / "lib/systemd/system/airliftd.service").read_text().count("@") == 1


def test_a_program_builds_against_the_library(installed, tmp_path):
    if not shutil.which("pkg-config"):
        pytest.skip("pkg-config is not installed")
    env = dict(os.environ, PKG_CONFIG_PATH=str(installed / "opt/airlift/lib/pkgconfig"))
    flags = subprocess.run(["pkg-config", f"--define-variable=prefix={installed}/opt/airlift",
                            "--cflags", "--libs", "airlift"], env=env, capture_output=True,
                           text=True, check=True).stdout.split()
    sanitizers = re.search(r'SAN_FLAGS "(.*)"', (servers.BUILD / "lib/airlift-flags.cmake").read_text())
    (tmp_path / "program.c").write_text(PROGRAM)
    subprocess.run([os.environ.get("CC", "gcc"), *sanitizers[1].split(), "-o", tmp_path / "program",
                    tmp_path / "program.c", *flags], check=True)
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True)
    assert done.stdout == ("cbf43926 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
                           "f20015ad\n")


@pytest.mark.parametrize("sample", ["simple_ota_example", "at"])
def test_a_project_builds_from_the_installed_tree_alone(installed, tmp_path, sample):
    prefix = installed / "opt/airlift"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AIRLIFT_", "IDF_"))}
    airlift = prefix / "bin/airlift"
    shutil.copytree(servers.ROOT / f"firmware/{sample}", tmp_path / "project")

    def run(*words):
        done = subprocess.run([airlift, *words], cwd=tmp_path, env=env, capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("build", "project", "--chip", "esp32c3")
    assert sample in run("image", "info", f"project/build/{sample}.bin")
    used = (tmp_path / "project/build/CMakeCache.txt").read_text()
    used += "".join(f.read_text() for f in (tmp_path / "project/build").rglob("*.make"))
    assert str(prefix / "share/airlift/idf") in used
    assert str(servers.ROOT) + "/" not in used
    run("device", "create", "device", "--from", "project/build")
    assert "Loaded app from partition" in run("device", "run", "device", "--until", "Calling app_main")


def test_systemd_accepts_the_unit(installed, tmp_path):
    verify = shutil.which("systemd-analyze")
    if not verify:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "airliftd.service"
    text = (installed / "opt/airlift/lib/systemd/system/airliftd.service").read_text()
    unit.write_text(text.replace("/opt/airlift", str(installed / "opt/airlift"))
                    .replace("Documentation=man:airliftd(8)\n", ""))
    done = subprocess.run([verify, "verify", unit], capture_output=True, text=True)
    ours = [line for line in done.stderr.split("\n") if "airliftd" in line]
    assert not ours, ours


def test_uninstall_leaves_nothing(installed, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(installed, copy, symlinks=True)
    subprocess.run(["make", "-s", "uninstall", f"BUILD={servers.BUILD}", f"DESTDIR={copy}",
                    "PREFIX=/opt/airlift"], cwd=servers.ROOT, check=True, capture_output=True)
    assert [p for p in copy.rglob("*") if p.is_file()] == []
