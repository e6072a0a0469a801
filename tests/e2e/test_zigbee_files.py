"""airlift zigbee pack, info, unpack, verify, certificate, encode and decode, against files
and frames that the vendor's tools, zigpy and zigbee-herdsman made."""
import hashlib
import json
import re
import subprocess

import pytest

import servers

OTA = servers.ROOT / "tests" / "vectors" / "zigbee-ota"
FILES = json.loads((OTA / "files.json").read_text())
FRAMES = json.loads((OTA / "frames.json").read_text())
# | `14-integrity-code-wrong.zigbee` | hash all zero | 10 `bad_integrity` | warning |
INVALID = re.findall(r"^\| `(\d\d-[^`]+)` \|[^|]*\| (\d+) `(\w+)` \| (error|warning) \|$",
                     (OTA / "README.md").read_text(), re.M)
NAMES = [f["file"] for f in FILES]
CLASS_LENIENT = {7, 8, 9, 10, 11, 13}


def entry(name):
    return next(f for f in FILES if f["file"] == name)


def vector(name):
    return OTA / "files" / name


def test_the_vectors_are_all_there():
    assert len(FILES) == 16 and len(FRAMES) == 38 and len(INVALID) == 20
    assert sorted(NAMES) == sorted(p.name for p in (OTA / "files").iterdir())
    assert sorted(i[0] for i in INVALID) == sorted(p.name for p in (OTA / "invalid").iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_info_tells_every_field(airlift, name):
    done = airlift("zigbee", "info", vector(name), "--json")
    want = {k: v for k, v in entry(name).items() if k != "elements_as_zigbee_herdsman_reads_them"}
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert got == want
    assert list(got) == list(want)  # in the same order


@pytest.mark.parametrize("name", NAMES)
def test_good_files_verify(airlift, name):
    lenient_only = name == "lenient-non-element-tail.zigbee"
    done = airlift("zigbee", "verify", vector(name), "--json")
    got = json.loads(done.stdout)
    assert done.returncode == (1 if lenient_only else 0)
    if lenient_only:
        assert (got["valid"], got["class"], got["number"]) == (False, "element_overrun", 7)
        done = airlift("zigbee", "verify", vector(name), "--json", "--lenient")
        got = json.loads(done.stdout)
        assert done.returncode == 0 and len(got["warnings"]) == 1
    else:
        assert got["warnings"] == []
    assert (got["valid"], got["class"], got["number"], got["message"]) == (True, "ok", 0, "")


@pytest.mark.parametrize("name,number,word,lenient", INVALID, ids=[i[0] for i in INVALID])
def test_bad_files_are_refused_by_class(airlift, name, number, word, lenient):
    path = OTA / "invalid" / name
    done = airlift("zigbee", "verify", path, "--json")
    got = json.loads(done.stdout)
    assert done.returncode == 1
    assert (got["valid"], got["class"], got["number"]) == (False, word, int(number))
    assert len(got["message"]) > 20 and got["offset"] is not None
    text = airlift("zigbee", "verify", path)
    assert text.returncode == 1 and word in text.stderr and got["message"] in text.stderr

    done = airlift("zigbee", "verify", path, "--json", "--lenient")
    got = json.loads(done.stdout)
    assert (int(number) in CLASS_LENIENT) == (lenient == "warning")
    assert done.returncode == (0 if lenient == "warning" else 1)
    assert got["valid"] == (lenient == "warning")
    if lenient == "warning":
        assert any(w.startswith(word + ": ") for w in got["warnings"])
    else:
        assert got["class"] == word


@pytest.mark.parametrize("name", [f["file"] for f in FILES if "upgrade_image_sha256" in f])
def test_unpack_gives_the_image(airlift, tmp_path, name):
    done = airlift("zigbee", "unpack", vector(name), "--out", tmp_path / "img")
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256((tmp_path / "img").read_bytes()).hexdigest() == \
        entry(name)["upgrade_image_sha256"]


def test_unpack_reads_telink_and_other_elements(airlift, tmp_path):
    out = tmp_path / "img"
    airlift("zigbee", "unpack", vector("telink-aes-layout.zigbee"), "--out", out)
    assert out.read_bytes() == vector("telink-aes-layout.zigbee").read_bytes()[64:]
    airlift("zigbee", "unpack", vector("signature-suite1-layout.zigbee"), "--out", out, "--tag", "2")
    assert out.read_bytes() == vector("signature-suite1-layout.zigbee").read_bytes()[1092:1140]


def test_unpack_refuses_what_does_not_verify(airlift, tmp_path):
    bad, out = OTA / "invalid" / "14-integrity-code-wrong.zigbee", tmp_path / "img"
    done = airlift("zigbee", "unpack", bad, "--out", out)
    assert done.returncode == 1 and "integrity code" in done.stderr and not out.exists()
    assert airlift("zigbee", "unpack", bad, "--out", out, "--lenient").returncode == 0
    assert out.exists()
    done = airlift("zigbee", "unpack", vector("esp-v1-min.zigbee"), "--out", tmp_path / "no", "--tag", "9")
    assert done.returncode == 1 and "0x0009" in done.stderr and not (tmp_path / "no").exists()


def elements(airlift, tmp_path, name):
    """{tag: file} of a vector."""
    out = {}
    for e in entry(name)["elements"]:
        out[e["tag"]] = tmp_path / f"element-{e['tag']:04x}"
        done = airlift("zigbee", "unpack", vector(name), "--tag", e["tag"], "--out", out[e["tag"]])
        assert done.returncode == 0, done.stderr
    return out


def test_pack_makes_the_bytes_of_the_1_x_tool(airlift, tmp_path):
    for name, options in {
        "esp-v1-min.zigbee": ["-m", "0x1001", "-i", "0x1011", "-v", "0x01010102"],
        "esp-v1-alloptions.zigbee": [
            "--manuf-id", "0x131B", "--image-type", "1", "--version", "0x01020304", "-s", "2",
            "--header_string", "airlift all options", "--security-credentials", "2",
            "--upgrade-dest", "48:31:b7:ff:fe:c1:84:05", "--min-hw-ver", "0x0100",
            "--max-hw-ver", "0x01ff", "-t", "0", "-l", "3088"],
    }.items():
        image = elements(airlift, tmp_path, name)[0]
        done = airlift("zigbee", "pack", "-c", tmp_path / "out", *options, "-f", image)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "out").read_bytes() == vector(name).read_bytes()


def test_pack_makes_the_bytes_of_the_2_0_tool(airlift, tmp_path):
    name = "131B-0001-10022001-ota-file.zigbee"
    e = elements(airlift, tmp_path, name)
    # That tool stores the address as typed: the same bytes come from the reverse address.
    done = airlift("zigbee", "pack", "-m", "0x131B", "-i", "0x0001", "-v", "0x10022001", "-s", "2",
                   "-d", "0x0BEEF11E", "-r", "0x0100", "-g", "esp v2 tool",
                   "--security-credentials", "3", "--upgrade-dest", "05:84:c1:fe:ff:b7:31:48",
                   "--min-hw-ver", "0", "--max-hw-ver", "0x0200",
                   "--tag", "0xF001", e[0xF001], "--tag", "0", "3088", e[0], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes() == vector(name).read_bytes()


def test_pack_makes_the_bytes_of_zigpy(airlift, tmp_path):
    for name, options, tags in [
        ("integrity-excluding-tag.zigbee",
         ["--file-version", "0x00020002", "--header-string", "integrity other variant",
          "--integrity", "tag"], []),
        ("multi-elements-integrity.zigbee",
         ["--file-version", "0x00020001", "--header-string", "multi elements", "--integrity"],
         [0xF001]),
    ]:
        e = elements(airlift, tmp_path, name)
        words = [w for t in tags for w in ("--tag", hex(t), e[t])]
        done = airlift("zigbee", "pack", e[0], "--manufacturer", "0x131b", "--image-type", "2",
                       *options, *words, "--out", tmp_path / "out", "--json")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "out").read_bytes() == vector(name).read_bytes()
        assert json.loads(done.stdout)["integrity_code"] == entry(name)["integrity_code"]


NEEDED = ["--manufacturer", "1", "--image-type", "2", "--file-version", "3"]


@pytest.mark.parametrize("words,status,says", [
    (["--image-type", "2", "--file-version", "3"], 2, "--manufacturer is missing"),
    (["-m", "1", *NEEDED], 2, "given twice"),
    ([*NEEDED, "--min-hw-ver", "1"], 2, "both or none"),
    ([*NEEDED, "--min-hw-ver", "2", "--max-hw-ver", "1"], 2, "is above"),
    ([*NEEDED, "--upgrade-dest", "12:34"], 2, "no EUI-64"),
    ([*NEEDED, "--header-string", "x" * 33], 2, "33 bytes"),
    ([*NEEDED, "--stack-version", "0x10000"], 2, "too large"),
    ([*NEEDED, "--file-id", "1"], 2, "0x0BEEF11E"),
    ([*NEEDED[:4], "--file-version", "0xffffffff"], 2, "wild card"),
    ([*NEEDED, "--tag", "0"], 2, "--tag needs"),
    ([*NEEDED, "--tag", "0", "x", "app.bin"], 2, "tag length 'x'"),
    ([*NEEDED, "--tag", "0", "app.bin"], 2, "more than one upgrade image"),
    ([*NEEDED, "--tag-length", "99999"], 1, "fewer than the tag length"),
    ([*NEEDED, "--certificate", "app.bin"], 2, "need --sign-key"),
    ([*NEEDED, "--sign-key", "app.bin", "--signer", "0000000000000001"], 1, "no key"),
    ([*NEEDED, "--integrity", "all"], 2, "one word too many"),
])
def test_pack_says_what_is_wrong_and_writes_nothing(airlift, tmp_path, words, status, says):
    (tmp_path / "app.bin").write_bytes(b"image")
    done = airlift("zigbee", "pack", "app.bin", "--out", "out", *words, cwd=tmp_path)
    assert done.returncode == status and says in done.stderr, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["app.bin"]


def openssl_key(path, curve):
    subprocess.run(["openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", path],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-out", f"{path}.pub"], check=True)


@pytest.fixture(params=[("sect163k1", 1, 48, 42), ("sect283k1", 2, 74, 72)], ids=["suite1", "suite2"])
def signed(request, airlift, tmp_path):
    """A signed file, and what signed it."""
    curve, suite, certificate, signature = request.param
    openssl_key(tmp_path / "ca.pem", curve)
    done = airlift("zigbee", "certificate", "--ca-key", "ca.pem", "--subject", "00:22:08:00:00:00:00:01",
                   "--issuer", "11:12:13:14:15:16:17:18", "--key-out", "signer.pem", "--out",
                   "signer.cert", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "signer.cert").stat().st_size == certificate
    assert (tmp_path / "signer.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "app.bin").write_bytes(bytes(range(256)) * 40)
    done = airlift("zigbee", "pack", "app.bin", *NEEDED, "--integrity", "--sign-key", "signer.pem",
                   "--certificate", "signer.cert", "--ca-key", "ca.pem.pub", "--out", "signed",
                   cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path, suite, signature


def verify(airlift, where, *words):
    done = airlift("zigbee", "verify", "signed", "--json", *words, cwd=where)
    return done.returncode, json.loads(done.stdout)


def test_a_signature_verifies_by_the_authority_alone(airlift, signed):
    where, suite, signature = signed
    status, got = verify(airlift, where, "--ca-key", "ca.pem.pub")
    assert status == 0 and got["signature"] == {
        "suite": suite, "signer": "00:22:08:00:00:00:00:01", "ok": True}
    tags = [e["tag"] for e in json.loads(airlift("zigbee", "info", "signed", "--json", cwd=where)
                                         .stdout)["elements"]]
    assert tags == [0, 3, 2 if suite == 1 else 6, 1 if suite == 1 else 5]
    subprocess.run(["openssl", "pkey", "-in", "signer.pem", "-pubout", "-out", "signer.pub"],
                   check=True, cwd=where)
    assert verify(airlift, where, "--key", "signer.pub")[0] == 0
    assert verify(airlift, where, "--ca-key", "ca.pem.pub", "--signer", "0022080000000001")[0] == 0


def test_a_forged_signature_is_refused(airlift, signed):
    where, suite, signature = signed
    data = (where / "signed").read_bytes()
    openssl_key(where / "other.pem", "sect163k1" if suite == 1 else "sect283k1")

    def refused(*words):
        status, got = verify(airlift, where, *words)
        assert status == 1 and not got["valid"] and not got["signature"]["ok"]
        return got["class"], got["signature"]["message"]

    assert refused("--ca-key", "other.pem.pub")[0] == "bad_signature"
    assert refused("--key", "other.pem.pub")[0] == "bad_signature"
    assert "--signer" in refused("--ca-key", "ca.pem.pub", "--signer", "0022080000000002")[1]
    # A byte of: header string, certificate, signer, signature. The last three leave the hash.
    end = len(data)
    for at in (20, end - signature - 8 - 6 - 3, end - signature - 1, end - 1):
        bad = bytearray(data)
        bad[at] ^= 1
        (where / "signed").write_bytes(bad)
        refused("--ca-key", "ca.pem.pub")
    (where / "signed").write_bytes((where / "app.bin").read_bytes())
    assert verify(airlift, where, "--ca-key", "ca.pem.pub")[1]["class"] == "no_magic"


def test_a_file_without_signature_is_no_signed_file(airlift, tmp_path):
    openssl_key(tmp_path / "ca.pem", "sect283k1")
    done = airlift("zigbee", "verify", vector("esp-v1-min.zigbee"), "--ca-key", tmp_path / "ca.pem.pub")
    assert done.returncode == 1 and "no signature element" in done.stderr
    done = airlift("zigbee", "verify", vector("signature-suite1-layout.zigbee"), "--key",
                   tmp_path / "ca.pem.pub")
    assert done.returncode == 1 and "other crypto suite" in done.stderr


def test_pack_refuses_a_key_that_is_not_of_the_certificate(airlift, signed):
    where, suite, _ = signed
    openssl_key(where / "other.pem", "sect163k1" if suite == 1 else "sect283k1")
    done = airlift("zigbee", "pack", "app.bin", *NEEDED, "--sign-key", "other.pem", "--certificate",
                   "signer.cert", "--ca-key", "ca.pem.pub", "--out", "bad", cwd=where)
    assert done.returncode == 1 and "not for the key" in done.stderr
    assert not (where / "bad").exists()


def test_a_file_is_for_its_device(airlift):
    def verdict(name, *words):
        done = airlift("zigbee", "verify", vector(name), "--json", *words)
        got = json.loads(done.stdout)
        return done.returncode, got["class"], len(got["warnings"])
    v1, v2 = "esp-v1-alloptions.zigbee", "131B-0001-10022001-ota-file.zigbee"
    mine, other = "48:31:b7:ff:fe:c1:84:05", "48:31:b7:ff:fe:c1:84:06"
    assert verdict(v1, "--ext-addr", mine) == (0, "ok", 0)
    assert verdict(v2, "--ext-addr", mine) == (0, "ok", 1)  # stored in reverse: a warning
    assert verdict(v1, "--ext-addr", other) == (1, "wrong_device", 0)
    assert verdict(v1, "--hw-ver", "0x0100") == (0, "ok", 0)
    assert verdict(v1, "--hw-ver", "0x01ff") == (0, "ok", 0)
    assert verdict(v1, "--hw-ver", "0x00ff") == (1, "wrong_device", 0)
    assert verdict(v1, "--hw-ver", "0x0200") == (1, "wrong_device", 0)
    assert verdict(v1, "--space", "3088") == (0, "ok", 0)
    assert verdict(v1, "--space", "3087") == (1, "too_large", 0)


def test_index_entry(airlift):
    name = "real-nodon-128b-0102-00010101.zigbee"
    got = json.loads(airlift("zigbee", "info", vector(name), "--index", "--url", "https://x/y").stdout)
    assert got == {"fileName": name, "fileVersion": 0x00010101, "fileSize": 27162, "url": "https://x/y",
                   "imageType": 0x0102, "manufacturerCode": 0x128B,
                   "sha512": hashlib.sha512(vector(name).read_bytes()).hexdigest(),
                   "otaHeaderString": "nodon_sin_stm32_ota"}


@pytest.mark.parametrize("frame", FRAMES, ids=[f["name"] for f in FRAMES])
def test_frames_both_ways(airlift, frame):
    done = airlift("zigbee", "decode", "--layer", "zcl-ota", frame["hex"], "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"header": frame["header"], "fields": frame["fields"]}
    text = json.dumps({"header": frame["header"], "fields": frame["fields"]})
    done = airlift("zigbee", "encode", "--layer", "zcl-ota", text, "--json")
    assert json.loads(done.stdout) == {"hex": frame["hex"], "length": frame["length"]}
    words = {k: v for k, v in frame["header"].items() if k != "frame_control"}
    done = airlift("zigbee", "encode", json.dumps({"header": words, "fields": frame["fields"]}))
    assert done.stdout == frame["hex"] + "\n"


def test_frames_that_sloppy_devices_send(airlift):
    def fields(text):
        done = airlift("zigbee", "decode", text, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["fields"]
    by_name = {f["name"]: f["hex"] for f in FRAMES}
    assert "minimumBlockPeriod" not in fields(by_name["block-req-period"][:-4])
    assert "minimumBlockPeriod" not in fields(by_name["block-rsp-wait"][:-4])
    assert fields(by_name["end-req-abort"][:8]) == {"status": 0x95}
    assert fields(by_name["end-rsp-now"] + "ff" * 5) == fields(by_name["end-rsp-now"])


@pytest.mark.parametrize("text", ["", "19", "1911", "zz", "190100", "0120031b13", "01200a00", "0b0100",
                                  "192105001b13010000200210df0000003001"])
def test_bad_frames_are_refused(airlift, text):
    done = airlift("zigbee", "decode", "--layer", "zcl-ota", text, "--json")
    assert done.returncode in (1, 2) and done.stderr.startswith("airlift")


@pytest.mark.parametrize("header,fields,says", [
    ({"tsn": 1}, {}, "header.command_id: is missing"),
    ({"tsn": 256, "command_id": 0}, {}, "header.tsn"),
    ({"tsn": 1, "command_id": 10}, {}, "commands 0 to 9"),
    ({"tsn": 1, "command_id": 0}, {"payloadType": 1, "queryJitter": 1}, "fields.manufacturerCode: is missing"),
    ({"tsn": 1, "command_id": 2}, {"status": 0.5}, "fields.status"),
    ({"tsn": 1, "command_id": 5}, {"status": 0, "manufacturerCode": 1, "imageType": 2, "fileVersion": 3,
                                   "fileOffset": 4, "dataSize": 3, "data": "0102"}, "fields.dataSize"),
    ({"tsn": 1, "command_id": 8}, {"eui64": "0x12"}, "fields.eui64"),
    ({"tsn": 1, "command_id": 0}, {"payloadType": 0, "queryJitter": 1, "fileversion": 3},
     "fields.fileversion: has no place"),
    ({"tsn": 1, "command_id": 1}, {"fieldControl": 0, "manufacturerCode": 1, "imageType": 2, "fileVersion": 3,
                                   "hardwareVersion": 4}, "fields.hardwareVersion: has no place"),
])
def test_bad_fields_are_named(airlift, header, fields, says):
    done = airlift("zigbee", "encode", json.dumps({"header": header, "fields": fields}))
    assert done.returncode == 1 and says in done.stderr
