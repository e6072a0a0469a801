"""`airlift zigbee simulate`: the roll-out of an image in virtual time, its table, JSON, picture and capture."""
import json
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def image(airlift, tmp_path_factory):
    """A Zigbee OTA file of 30062 bytes."""
    at = tmp_path_factory.mktemp("simulate")
    (at / "app.bin").write_bytes(bytes(i * 7 % 251 for i in range(30000)))
    done = airlift("zigbee", "pack", at / "app.bin", "--manufacturer", "0x131b", "--image-type", "0x1011",
                   "--file-version", "0x01010110", "--out", at / "app.zigbee")
    assert done.returncode == 0, done.stderr
    return at / "app.zigbee"


@pytest.fixture
def simulate(airlift, image):
    def run(*words, status=0):
        done = airlift("zigbee", "simulate", "--image", image, *words)
        assert done.returncode == status, done.stderr
        return done
    return run


def document(done):
    return json.loads(done.stdout)


def test_the_answer_is_a_sentence_below_a_table(simulate):
    lines = simulate("--devices", 4).stdout.splitlines()
    assert lines[0].split() == ["hops", "devices", "have", "it", "first", "after", "last", "after", "bytes/s", "of", "a",
                                "device", "retries"]
    assert lines[1].split()[:3] == ["1", "4", "4"]
    assert lines[-1].startswith("4 devices have the image after 1")
    assert lines[-1].endswith(" s.")


def test_the_document_holds_every_device(simulate):
    d = document(simulate("--devices", 6, "--routers", 2, "--sleepy", 1, "--area", 20, "--json"))
    assert (d["devices"], d["joined"], d["finished"], d["image_bytes"]) == (6, 6, 6, 30062)
    assert [x["kind"] for x in d["device"]].count("router") == 2
    assert [x["kind"] for x in d["device"]].count("sleepy") == 1
    for x in d["device"]:
        assert x["correct"] and x["bytes"] == 30062 and x["hops"] >= 1
        assert 0 < x["started_s"] < x["finished_s"] <= d["seconds"]
    assert len({x["addr"] for x in d["device"]}) == 6
    assert sum(c["devices"] for c in d["classes"]) == 6
    assert 0 < d["air"]["share"] < 1
    assert d["answer"].startswith("6 devices have the image after ")


def test_the_same_seed_gives_the_same_and_another_one_does_not(simulate):
    words = ["--devices", 5, "--loss", 0.1, "--json"]
    first = simulate(*words, "--seed", 3).stdout
    assert simulate(*words, "--seed", 3).stdout == first
    assert simulate(*words, "--seed", 4).stdout != first


def test_modes_loss_and_distance_change_the_rate(simulate):
    def rate(*words):
        return document(simulate("--json", *words))["rate"]
    blocks, small, pages = rate("--devices", 1), rate("--devices", 1, "--max-block", 64), \
        rate("--devices", 1, "--page-size", 4096)
    assert 3800 < small < 6024 < 7100 < blocks < pages < 12364
    assert rate("--devices", 1, "--loss", 0.2) < 0.8 * blocks
    assert 0.4 * blocks < rate("--chain", "--devices", 2, "--clients", 1) < 0.6 * blocks


def test_only_so_many_download_at_a_time(simulate):
    d = document(simulate("--devices", 4, "--parallel", 1, "--json"))
    ends = sorted(x["finished_s"] for x in d["device"])
    assert ends[0] < 0.5 * ends[-1]
    assert d["finished"] == 4


def test_the_picture_has_a_band_for_each_device_and_no_parts_elsewhere(simulate, tmp_path):
    simulate("--devices", 7, "--chain", "--svg", tmp_path / "p.svg", "--limit", 5)
    text = (tmp_path / "p.svg").read_text()
    root = xml.etree.ElementTree.fromstring(text)
    bands = root.findall(f"{SVG}g")
    assert len(bands) == 7
    assert all("hop" in b.find(f"{SVG}title").text for b in bands)
    assert "7 devices have the image after" in root.find(f"{SVG}title").text
    assert "prefers-color-scheme:dark" in text
    assert text.count("http") == 1 and "href" not in text and "<script" not in text


def test_the_frames_can_be_looked_at(simulate, airlift, tmp_path):
    simulate("--devices", 1, "--pcap", tmp_path / "air.pcap")
    done = airlift("zigbee", "decode", "--layer", "mac", "--json", tmp_path / "air.pcap")
    frames = json.loads(done.stdout)
    assert len(frames) > 500
    assert sum("error" in f for f in frames) <= 3  # before the first device has the network key
    assert sum("zcl" in f for f in frames) > 100
    if not shutil.which("tshark"):
        return
    shown = subprocess.run(["tshark", "-r", tmp_path / "air.pcap", "-Y", "_ws.malformed or wpan.fcs_ok == 0"],
                           capture_output=True, text=True)
    assert shown.returncode == 0 and shown.stdout == ""


def test_devices_without_the_image_are_told_and_fail(simulate):
    done = simulate("--devices", 3, "--limit", 0.001, status=1)
    assert done.stdout.splitlines()[-1] == "0 of 3 devices have the image after 3.6 s."
    assert "under way" in done.stdout
    d = document(simulate("--devices", 3, "--limit", 0.001, "--json", status=1))
    assert (d["joined"], d["finished"]) == (3, 0)
    # Nobody can be reached over 10 times the range of a radio.
    done = simulate("--devices", 2, "--area", 400, "--limit", 0.01, status=1)
    assert "; 2 did not join." in done.stdout


@pytest.mark.parametrize("words, says", [
    (["--devices", 0], "0 is too few"),
    (["--devices", 501], "--devices"),
    (["--devices", 3, "--routers", 2, "--sleepy", 2], "more than 3 devices"),
    (["--chain", "--routers", 1], "--chain is a line of routers"),
    (["--loss", 1.5], "--loss: '1.5' is no number from 0 to 1"),
    (["--area", "big"], "--area: 'big'"),
    (["--clients", 11], "11 clients are more than 10 devices"),
    (["--max-block", 224], "--max-block"),
])
def test_wrong_use_is_said(simulate, words, says):
    assert says in simulate(*words, status=2).stderr


def test_a_file_that_is_none_is_refused(airlift, tmp_path):
    (tmp_path / "no.bin").write_bytes(b"no image" * 100)
    done = airlift("zigbee", "simulate", "--image", tmp_path / "no.bin", "--json")
    assert done.returncode == 1
    assert "no.bin" in json.loads(done.stdout)["error"]["message"]
    assert airlift("zigbee", "simulate").returncode == 2
