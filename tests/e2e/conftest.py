"""Fixtures shared by the end-to-end tests. AIRLIFT_BUILD names the build (default: build)."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402

AIR = ("zigbee", "radio", "rcp", "peer_")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A file's tests share a worker. What lives in the real time of the virtual air shares one, so that at most one
    such network runs at a time."""
    for item in items:
        page = getattr(item, "callspec", None) and str(item.callspec.params.get("page", ""))
        name = page or item.path.stem
        group = "air" if any(word in name for word in AIR) else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def airlift():
    """Runs `airlift WORDS...`; returns the completed process with text output."""
    def run(*words, timeout=120, **kwargs):
        kwargs.setdefault("capture_output", True)
        return subprocess.run([servers.AIRLIFT, *map(str, words)], text=True, timeout=timeout,
                              cwd=kwargs.pop("cwd", servers.ROOT), **kwargs)
    return run


@pytest.fixture(scope="session")
def vectors():
    """The directory of images and tables that the vendor's tools made."""
    return servers.ROOT / "tests" / "vectors"


@pytest.fixture
def airliftd(tmp_path):
    """A running airliftd with an empty data directory."""
    with servers.Airliftd(tmp_path / "data") as server:
        yield server


@pytest.fixture
def certificate(tmp_path):
    """(certificate, key) for localhost and 127.0.0.1, self-signed."""
    return servers.make_certificate(tmp_path / "certificate")


@pytest.fixture
def web_root(tmp_path):
    """An empty directory to serve."""
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def nginx(web_root, tmp_path):
    """nginx over HTTPS, serving web_root."""
    with servers.Nginx(web_root, tmp_path / "nginx") as server:
        yield server


@pytest.fixture
def openssl_server(web_root, tmp_path):
    """openssl s_server -WWW, serving web_root."""
    with servers.OpensslServer(web_root, tmp_path / "s_server") as server:
        yield server


@pytest.fixture
def python_server(web_root):
    """Makes PythonServer(web_root, OPTIONS...); they end with the test."""
    running = []

    def make(**options):
        server = servers.PythonServer(web_root, **options)
        server.__enter__()
        running.append(server)
        return server
    yield make
    for server in running:
        server.__exit__(None, None, None)
