"""Signature on update by the scheme of Secure Boot V1, which an ESP32 of any revision has: the signature names no key,
so the build puts the public half into the app."""
import subprocess

import pytest

import lab
import servers

SIGNATURE = 68


def make_key(path):
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path], check=True,
                       capture_output=True)
    return path


@pytest.fixture(scope="module")
def signed():
    key = make_key(lab.CACHE / "keys" / "v1.pem")
    config = {"SECURE_SIGNED_APPS_NO_SECURE_BOOT": "y", "SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT": "y",
              "SECURE_SIGNED_APPS_ECDSA_SCHEME": "y", "SECURE_BOOT_SIGNING_KEY": str(key)}
    firmware = lab.build("simple_ota_example", lab.certificate()[0], "1.0.0", config, ["sdkconfig.ci"], chip="esp32")
    firmware.key = key
    return firmware


def by_another_key(signed, tmp_path, airlift):
    (tmp_path / "plain.bin").write_bytes(signed.data[:-SIGNATURE])
    done = airlift("image", "sign", tmp_path / "plain.bin", "--key", make_key(tmp_path / "other.pem"), "--scheme", "v1",
                   "--out", tmp_path / "other.bin")
    assert done.returncode == 0, done.stderr
    return (tmp_path / "other.bin").read_bytes()


@pytest.mark.parametrize("signer, says", [
    ("own", r"OTA Succeed, Rebooting\.\.\."),
    ("other", r"esp_image: Secure boot signature verification failed"),
    (None, r"secure_boot_v1: image has invalid signature version field 0x"),
])
def test_only_the_own_key_signs_the_next_app(signer, says, signed, tmp_path, web_root, airlift):
    data = {"own": lambda: signed.data, None: lambda: signed.data[:-SIGNATURE],
            "other": lambda: by_another_key(signed, tmp_path, airlift)}[signer]()
    (web_root / "app.bin").write_bytes(data)
    device = lab.Device(tmp_path / "device", signed)
    with servers.Nginx(web_root, tmp_path / "nginx", cert=lab.certificate()) as server, device.on() as uart:
        uart.expect(r"simple_ota_example: Starting OTA example task")
        uart.write(server.url + "/app.bin")
        uart.expect(says)
        if signer == "own":
            uart.expect_slot("ota_1")
    assert device.boot()["slot"] == ("ota_1" if signer == "own" else "ota_0")
