"""Fixtures of the acceptance lists: `from acceptance import certificate, device, nginx`.

`device` is made from the file's own fixture `firmware`.
"""
import pytest

import lab
import servers


@pytest.fixture(scope="module")
def certificate():
    """(certificate, key) of the server, which the firmware trusts; kept with the builds."""
    return lab.certificate()


@pytest.fixture
def nginx(web_root, tmp_path, certificate):
    """nginx with that certificate, serving web_root."""
    with servers.Nginx(web_root, tmp_path / "nginx", cert=certificate) as server:
        yield server


@pytest.fixture
def device(tmp_path, firmware):
    return lab.Device(tmp_path / "device", firmware)
