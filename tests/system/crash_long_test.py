"""The cycles of crash_test.py, as many as it takes to meet every moment."""

import pytest

import crash
from program import Tunnel

CYCLES = {"up": 500, "kill-switch": 100, "server": 50, "down": 50, "down-kill-switch": 50,
          "clean-up": 50}


@pytest.mark.parametrize("way", CYCLES)
def test_whatever_is_killed_a_clean_up_leaves_nothing(furnished, simplevpn, way):
    cycles = crash.Cycles(furnished, simplevpn, crash.WAYS[way])
    for seed in range(1000, 1000 + CYCLES[way]):
        cycles.run(seed)
    if crash.WAYS[way].end:
        assert cycles.midway > CYCLES[way] // 25, "enough ends were killed half-way"
    else:
        assert cycles.left > CYCLES[way] // 4, "most came when something was there to clean up"
    Tunnel(furnished, simplevpn).assert_gone()
