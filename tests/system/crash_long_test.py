"""The cycles of crash_test.py, as many as it takes to meet every moment."""

import crash
from program import Tunnel

CYCLES = 500


def test_a_killed_daemon_leaves_nothing_after_a_clean_up(furnished, simplevpn):
    tunnel = Tunnel(furnished, simplevpn)
    tunnel.write(crash.CONFIG)
    left = [crash.cycle(furnished, simplevpn, ["up", "-f", "/run/wg0.conf"], seed)
            for seed in range(1000, 1000 + CYCLES)]
    assert sum(left) > CYCLES // 4, "most kills came when something was there to clean up"
    tunnel.assert_gone()
