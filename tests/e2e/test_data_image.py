"""airlift data-image on the command line: what it prints, refuses and writes."""
import json

import pytest

AT = "tests/vectors/at-adf"


def test_make_gives_the_vendors_bytes_by_either_set_of_options(airlift, vectors, tmp_path):
    expected = (vectors / "at-adf" / "tone_f1_v1.0.1.bin").read_bytes()
    stamp = ("--time", "07:43:44", "--date", "2026-11-20")
    ours, theirs = tmp_path / "ours.bin", tmp_path / "theirs.bin"
    assert airlift("data-image", "make", AT, "--out", ours, "--version", "v1.0.1", *stamp).returncode == 0
    assert airlift("data-image", "make", "-r", AT, "-t", theirs, "-F", 1, "-v", "v1.0.1", *stamp).returncode == 0
    assert ours.read_bytes() == theirs.read_bytes() == expected


def test_a_build_time_from_outside_is_taken(airlift, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    done = airlift("data-image", "make", AT, "--out", tmp_path / "a.bin", "--json")
    assert json.loads(done.stdout)["files"] == ["t00.mp3", "t01.mp3", "t02.mp3"]
    info = json.loads(airlift("data-image", "info", tmp_path / "a.bin", "--json").stdout)
    assert (info["date"], info["time"], info["version"]) == ("2001-09-09", "01:46:40", "v1.0.0")
    assert info["valid"] and info["crc_ok"] and info["tail_ok"] and info["version_number"] == 0x10000


def test_info_of_format_0(airlift):
    info = json.loads(airlift("data-image", "info", f"{AT}/tone_f0_21files.bin", "--json").stdout)
    assert (info["format"], info["file_count"], info["image_len"]) == (0, 21, 2120)
    assert [f["index"] for f in info["files"]] == list(range(21))
    assert "version" not in info and "crc_ok" not in info


def test_a_version_that_devices_refuse_is_made_with_a_warning(airlift, tmp_path):
    done = airlift("data-image", "make", AT, "--out", tmp_path / "a.bin", "--version", "v1.0")
    assert done.returncode == 0 and "'v1.0' is no version that devices compare" in done.stderr
    verdict = json.loads(airlift("data-image", "verify", tmp_path / "a.bin", "--json").stdout)
    assert verdict["valid"] and "v1.0" in verdict["warnings"][0]


@pytest.mark.parametrize("cut, check", [(4, "short"), (300, "short"), (471, "bad_length"), (489, "short")])
def test_a_cut_image_is_described_and_refused(airlift, vectors, tmp_path, cut, check):
    file = tmp_path / "cut.bin"
    file.write_bytes((vectors / "at-adf" / "tone_f1_v1.0.0.bin").read_bytes()[:cut])
    done = airlift("data-image", "verify", file, "--json")
    verdict = json.loads(done.stdout)
    assert done.returncode == 1 and not verdict["valid"]
    assert verdict["error"]["check"] == check and str(file) in done.stderr
    unpacked = airlift("data-image", "unpack", file, "--out", tmp_path / "out")
    assert unpacked.returncode == 1 and not (tmp_path / "out").exists()
    info = airlift("data-image", "info", file)
    assert info.returncode == (1 if cut < 456 else 0)  # with a table there is something to show


def test_changed_content_is_told_from_a_missing_end(airlift, vectors, tmp_path):
    right = (vectors / "at-adf" / "tone_f1_v1.0.0.bin").read_bytes()
    for at, crc_ok, tail_ok, check in ((470, False, True, "bad_crc"), (488, False, False, "bad_tail")):
        file = tmp_path / f"{check}.bin"
        file.write_bytes(right[:at] + bytes([right[at] ^ 1]) + right[at + 1:])
        info = json.loads(airlift("data-image", "info", file, "--json").stdout)
        assert (info["crc_ok"], info["tail_ok"], info["error"]["check"]) == (crc_ok, tail_ok, check)


def test_unpacked_files_make_the_same_image(airlift, vectors, tmp_path):
    image = vectors / "at-adf" / "tone_f0_21files.bin"
    assert airlift("data-image", "unpack", image, "--out", tmp_path / "files").returncode == 0
    assert len(list((tmp_path / "files").iterdir())) == 21
    assert airlift("data-image", "make", tmp_path / "files", "--format", 0, "--out", tmp_path / "again").returncode == 0
    assert (tmp_path / "again").read_bytes() == image.read_bytes()


@pytest.mark.parametrize("words, said", [
    ((AT,), "--out FILE is needed"),
    (("--out", "x.bin"), "give one folder"),
    ((AT, "-r", AT, "--out", "x.bin"), "give one folder"),
    ((AT, "--out", "x.bin", "--time", "7:1"), "--time 7:1: expected is HH:MM:SS"),
    ((AT, "--out", "x.bin", "--date", "20.11.2026"), "expected is YYYY-MM-DD"),
    ((AT, "--out", "x.bin", "--format", "2"), "--format"),
    ((AT, "--out", "x.bin", "--format", "0", "--version", "v1.0.0"), "format 0 has no version"),
])
def test_wrong_use_is_explained(airlift, tmp_path, words, said):
    done = airlift("data-image", "make", *words)
    assert done.returncode == 2 and said in done.stderr


def test_a_folder_without_tones_leaves_no_file(airlift, tmp_path):
    (tmp_path / "readme.txt").write_text("x")
    done = airlift("data-image", "make", tmp_path, "--out", tmp_path / "x.bin")
    assert done.returncode == 1 and "no file ends with .mp3 or .wav" in done.stderr
    assert not (tmp_path / "x.bin").exists()
