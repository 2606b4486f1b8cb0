"""What the system tests share: the program under test, and hosts to run it on."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import crash  # noqa: E402  (found through the line above)
import netns  # noqa: E402
import sanitizers  # noqa: E402
from road import Road  # noqa: E402


@pytest.fixture(scope="session")
def sanitizer_reports():
    """Where programs under a sanitizer leave what they find, also those without a terminal."""
    with sanitizers.Reports() as reports:
        yield reports
        found = reports.take()  # of programs in hosts that a whole file shared
        assert not found, found


@pytest.fixture(autouse=True)
def sound(sanitizer_reports):
    """A test fails when a program that it started was found out by a sanitizer. It is set up before
    the hosts of a test, so that it looks when everything in them has ended."""
    yield
    found = sanitizer_reports.take()
    assert not found, found


@pytest.fixture(scope="session")
def simplevpn():
    """Path of the program."""
    path = os.environ.get("SIMPLEVPN", str(ROOT / "build" / "dev" / "bin" / "simplevpn"))
    path = os.path.abspath(path)  # hosts run it in another directory
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is not built")
    return path


@pytest.fixture
def lab():
    """Several hosts; skips where there can be none."""
    reason = netns.missing(tun=True)
    if reason:
        pytest.skip(reason)
    with netns.Lab() as hosts:
        yield hosts


@pytest.fixture
def host(lab):
    """One host without a network."""
    return lab.host("host")


@pytest.fixture
def furnished(lab):
    """One host with what other programs have on a machine, see crash.furnish()."""
    reason = netns.missing("nft")
    if reason:
        pytest.skip(reason)
    host = lab.host("host")
    crash.furnish(host)
    return host


@pytest.fixture
def road(lab, simplevpn):
    """A client's way to the Internet, see Road; nothing is started."""
    reason = netns.missing("nft", "wg", "ping")
    if reason:
        pytest.skip(reason)
    return Road(lab, simplevpn)


@pytest.fixture
def cable(lab):
    """Hosts "left" and "right" with a cable between them, 192.0.2.1 and .2, 2001:db8::1 and ::2;
    skips where there is no wireguard-go to be the other peer."""
    reason = netns.missing("wireguard-go", "wg", "ping")
    if reason:
        pytest.skip(reason)
    left, right = lab.host("left"), lab.host("right")
    lab.veth(left, ["192.0.2.1/24", "2001:db8::1/64"], right, ["192.0.2.2/24", "2001:db8::2/64"])
    return left, right


def pytest_sessionfinish(session, exitstatus):
    """A file that could not run everything is "skipped" for ctest, not "passed"."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and reporter.stats.get("skipped"):
        session.exitstatus = 77
