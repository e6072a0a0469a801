"""Signature on update without Secure Boot, RSA and ECDSA: who signed the running app may sign the next one."""
import subprocess
import zlib

import pytest

import lab
from acceptance import certificate, nginx  # noqa: F401

SAMPLE = "simple_ota_example"
CI = ["sdkconfig.ci"]
SECTOR = 4096
UNTRUE = r"secure_boot_v2: Secure Boot V2 verification failed\."
SCHEMES = {"RSA": (["RSA", "-pkeyopt", "rsa_keygen_bits:3072"], "SECURE_SIGNED_APPS_RSA_SCHEME"),
           "ECDSA": (["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "SECURE_SIGNED_APPS_ECDSA_V2_SCHEME")}


def make_key(path, scheme):
    """Kept with the builds, which contain it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "genpkey", "-algorithm", *SCHEMES[scheme][0], "-out", path], check=True,
                       capture_output=True)
    return path


@pytest.fixture(scope="module", params=["RSA", "ECDSA"])
def signed(request, certificate):
    """The app, signed by its build with the scheme's key."""
    key = make_key(lab.CACHE / "keys" / f"{request.param}.pem", request.param)
    config = {"SECURE_SIGNED_APPS_NO_SECURE_BOOT": "y", "SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT": "y",
              SCHEMES[request.param][1]: "y", "SECURE_BOOT_SIGNING_KEY": str(key)}
    firmware = lab.build(SAMPLE, certificate[0], "1.0.0", config, CI, chip="esp32c6")
    firmware.scheme, firmware.key = request.param, key
    return firmware


@pytest.fixture
def device(tmp_path, signed):
    return lab.Device(tmp_path / "device", signed)


def unsigned(signed):
    """The image without its signature sector."""
    return signed.data[:-SECTOR]


def offer(uart, nginx, web_root, data):
    """Offers `data` as an update."""
    (web_root / "app.bin").write_bytes(data)
    uart.expect_slot("ota_0")
    uart.expect(r"simple_ota_example: Starting OTA example task")
    uart.write(nginx.url + "/app.bin")


def refused(device, nginx, web_root, data, says):
    with device.on() as uart:
        offer(uart, nginx, web_root, data)
        uart.expect(says)
        uart.expect(r"simple_ota_example: Firmware upgrade failed")
    assert device.boot()["slot"] == "ota_0"


def test_signed_app_is_taken(device, signed, nginx, web_root):
    with device.on() as uart:
        offer(uart, nginx, web_root, signed.data)
        uart.expect(r"OTA Succeed, Rebooting\.\.\.")
        uart.expect_slot("ota_1")
    assert device.slot("ota_1", len(signed.data)) == signed.data


def test_signature_verifies_with_the_public_key(signed, airlift, tmp_path):
    public = tmp_path / "public.pem"
    subprocess.run(["openssl", "pkey", "-in", signed.key, "-pubout", "-out", public], check=True)
    assert airlift("image", "verify-signature", signed.image, "--key", public).returncode == 0


def test_unsigned_app_is_refused(device, signed, nginx, web_root):
    refused(device, nginx, web_root, unsigned(signed), r"secure_boot_v2: No signature block generated for valid scheme")


def test_app_of_another_key_is_refused(device, signed, nginx, web_root, tmp_path, airlift):
    key = make_key(tmp_path / "other.pem", signed.scheme)
    (tmp_path / "plain.bin").write_bytes(unsigned(signed))
    done = airlift("image", "sign", tmp_path / "plain.bin", "--key", key, "--out", tmp_path / "other.bin")
    assert done.returncode == 0, done.stderr
    refused(device, nginx, web_root, (tmp_path / "other.bin").read_bytes(), UNTRUE)


def test_app_with_a_damaged_signature_block_is_refused(device, signed, nginx, web_root):
    data = bytearray(signed.data)
    data[-SECTOR + 40] ^= 4
    refused(device, nginx, web_root, bytes(data), r"secure_boot_v2: Sig block 0 invalid: Stored CRC ends 0x")


def test_app_with_a_forged_signature_is_refused(device, signed, nginx, web_root):
    """The block's checksum is right: only the signature tells."""
    data = bytearray(signed.data)
    block = len(data) - SECTOR
    data[block + (900 if signed.scheme == "RSA" else 120)] ^= 4
    data[block + 1196:block + 1200] = zlib.crc32(data[block:block + 1196]).to_bytes(4, "little")
    refused(device, nginx, web_root, bytes(data), UNTRUE)


def test_signed_app_with_another_program_is_refused(device, signed, nginx, web_root):
    """Checksum and digest of the image are right, the signature is that of the original."""
    data = lab.patched(unsigned(signed), {60000: b"other"}) + signed.data[-SECTOR:]
    refused(device, nginx, web_root, data, UNTRUE)


# --- signed data ---

@pytest.fixture(scope="module")
def guarded(certificate):
    """partitions_ota that takes signed data only."""
    key = make_key(lab.CACHE / "keys" / "RSA.pem", "RSA")
    config = {"SECURE_SIGNED_APPS_NO_SECURE_BOOT": "y", "SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT": "y",
              "SECURE_SIGNED_DATA_PARTITION": "y", "SECURE_BOOT_SIGNING_KEY": str(key),
              "PARTITION_TABLE_CUSTOM_FILENAME": "partitions_signed_data.csv"}
    firmware = lab.build("partitions_ota", certificate[0], "1.0.0", config, CI, chip="esp32c6")
    firmware.key = key
    return firmware


@pytest.mark.parametrize("signer", ["own", "other", None])
def test_data_partition(signer, tmp_path, guarded, nginx, web_root, airlift):
    data = b"7296406769363431" + bytes(484)
    (tmp_path / "storage.bin").write_bytes(data)
    if signer:
        key = guarded.key if signer == "own" else make_key(tmp_path / "other.pem", "RSA")
        done = airlift("image", "sign", tmp_path / "storage.bin", "--key", key, "--out", web_root / "storage.bin")
        assert done.returncode == 0, done.stderr
    else:
        (web_root / "storage.bin").write_bytes(data.ljust(2 * SECTOR, b"\xff"))
    device = lab.Device(tmp_path / "device", guarded)
    before = device.slot("storage")
    with device.on() as uart:
        uart.expect(r"ota_example: Starting OTA example task")
        uart.write(nginx.url + "/storage.bin")
        uart.expect(r"ota_example: " + ("OTA Succeed, Rebooting" if signer == "own" else "Firmware upgrade failed"))
    if signer == "own":
        assert device.slot("storage", len(data)) == data
    else:
        assert device.slot("storage") == before
