"""The cycles of crash_test.py, as many as it takes to meet every moment."""

import crash
import pytest
from netns import missing
from program import Tunnel

CYCLES = 500


def test_a_killed_daemon_leaves_nothing_after_a_clean_up(lab, simplevpn):
    reason = missing("nft")
    if reason:
        pytest.skip(reason)
    host = lab.host("host")
    crash.furnish(host)
    tunnel = Tunnel(host, simplevpn)
    tunnel.write(crash.CONFIG)
    left = [crash.cycle(host, simplevpn, ["up", "-f", "/run/wg0.conf"], seed)
            for seed in range(1000, 1000 + CYCLES)]
    assert sum(left) > CYCLES // 4, "most kills came when something was there to clean up"
    tunnel.assert_gone()
