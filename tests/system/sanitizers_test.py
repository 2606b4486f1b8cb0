"""Programs under a sanitizer: what it finds in a daemon is noticed. Only in a build with one."""

import os

import pytest

import sanitizers
from netns import wait_until


@pytest.mark.parametrize("fault, said", [
    ("leak", "LeakSanitizer: detected memory leaks"),
    ("freed", "AddressSanitizer: heap-use-after-free"),
    ("undefined", "AddressSanitizer: ABRT"), ("none", "")])
def test_a_fault_in_a_daemon_is_found(host, fault, said):
    """Its standard error is /dev/null, and nobody waits for its exit status."""
    with sanitizers.Reports() as reports:
        host.run(os.environ["UNSOUND"], fault)
        wait_until(lambda: not host.pids("unsound"), what="daemon ended")
        report = reports.take()
    assert said in report and bool(said) == bool(report)
