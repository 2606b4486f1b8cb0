"""End to end: what is seen on every cable, for each way of running a tunnel and in each state of
it, while programs on the client, and in a container behind it, try to reach everybody all the time.
"""

from dataclasses import dataclass, field

import pytest

from leaks import CANARY, Programs, Watch, probes, too_late
from netns import wait_until
from proof import (CLI4, CLI6, INTERNET, LOCAL_PRIVATE, LOCAL_PUBLIC, OF_CLIENT, OF_CONTAINER,
                   RESOLVER, RTR4, SECOND4, TO_SERVER, TUNNEL, outside, road,  # noqa: F401
                   shared)  # noqa: F401
from road import INET4, INET6, PORT, SERVER4

# ---- each mode in each state ----

@dataclass(frozen=True)
class Mode:
    command: tuple
    kept: set = field(default_factory=set)  # probes that may go outside while the tunnel is there
    blocks: bool = False
    left: set = field(default_factory=set)  # probes that a dead daemon's table refuses


MODES = {
    "wg-quick": Mode(("up",), LOCAL_PRIVATE | LOCAL_PUBLIC),
    "client": Mode(("client",)),
    "lan": Mode(("client", "--lan"), LOCAL_PRIVATE),
    "kill-switch": Mode(("client", "--kill-switch"), blocks=True),
    "kill-switch-lan": Mode(("client", "--kill-switch", "--lan"), LOCAL_PRIVATE, blocks=True),
    "split": Mode(("client", "--split"), LOCAL_PRIVATE | LOCAL_PUBLIC, left=TO_SERVER),
}
# Ours, by either uplink: a datagram may leave by one with the address of the other.
SECOND = {(SECOND4, SERVER4, "udp", PORT)}
OURS = TUNNEL | SECOND
NAMES = {(CLI4, RESOLVER, "udp", 53)}  # our own questions about the server's name
INSIDE = {("203.0.114.1", INET4, "icmp", 8), ("203.0.114.1", INET4, "udp", 53),
          ("203.0.114.1", INET4, "tcp", 80), ("2001:db8:4::1", INET6, "udp", 7)}


class Scenario:
    """One mode, from before its first start to after its last stop, with what its uplinks carried.
    `faults` are the differences from what should have been."""

    def __init__(self, road, mode):
        self.road, self.mode, self.faults = road, mode, []
        self.free = outside(OF_CLIENT | OF_CONTAINER) | {(CLI6, INET6, "udp", 0)}
        self.kept = outside(mode.kept)

    def run(self):
        with Watch(self.road.places()) as self.watch, \
                Programs(self.road.cli, OF_CLIENT, big=[INET6], old=INET4) as self.programs, \
                Programs(self.road.container, OF_CONTAINER) as self.contained:
            self._reach_inside()
            self._expect("before", self.free)
            self._unresolvable()
            self._connected()
            self._killed()
            self.road.down()
            self._expect("stopped", self.free)
        return self.faults

    def _reach_inside(self):
        for programs in (self.programs, self.contained):
            programs.reach(INTERNET)

    def _reach_kept(self):
        self.programs.reach({probe for probe in self.mode.kept if probe[1].startswith("icmp")})

    def _unresolvable(self):
        self._start("start with an error", self.free, endpoint=f"vpn.test:{PORT}")
        self._expect_tunnel("error", allowed=NAMES)
        self.road.down()

    def _connected(self):
        server = self.road.start_server()
        self._start("start", self.free)
        self._reach_inside()
        self._expect_tunnel("connected", needed=TUNNEL)
        assert INSIDE <= self.watch.sent("connected", "srv to inet")
        self._by_the_second_uplink()
        self.road.restore_uplink()
        self._reach_inside()
        self._reach_kept()
        self.road.stop_server(server)
        self._expect_tunnel("server gone")

    def _by_the_second_uplink(self):
        """The tunnel carries everything there, too, and nothing goes beside it."""
        with self.watch.phase("uplink dropped"):
            self.road.drop_uplink()
            self._reach_inside()
        self._compare("uplink dropped", "up1", SECOND, OURS)
        self._compare("uplink dropped", "rtr to inet", set())
        assert INSIDE <= self.watch.sent("uplink dropped", "srv to inet")
        assert not self.watch.canaries("uplink dropped", "up1")

    def _killed(self):
        self.road.kill_client()
        free = self.kept if self.mode.blocks else self.free
        self._expect("killed", free - outside(self.mode.left))
        self._start("start after a crash", free)
        self._expect_tunnel("connecting")

    # ---- states ----

    def _start(self, name, free, **options):
        """Up to the first datagram of the tunnel it is as before; after it nothing is readable."""
        with self.watch.phase(name):
            self.road.start_client(*self.mode.command, **options)
        started = False
        for flow, frame in self.watch.packets(name, "up0"):
            started = started or (flow in TUNNEL and CANARY not in frame)
            passing = self.kept if started else free | self.kept
            if flow not in passing | too_late(passing) | OURS | NAMES:
                self.faults.append(f"{name}: {flow} (the tunnel has begun: {started})")

    def _state(self, name):
        with self.watch.phase(name):
            self.programs.rounds()
            self.contained.rounds()

    def _expect(self, state, flows):
        self._state(state)
        self._compare(state, "up0", flows)
        self._compare(state, "up1", set())

    def _expect_tunnel(self, state, needed=frozenset(), allowed=OURS):
        self._state(state)
        self._compare(state, "up0", self.kept | needed, allowed)
        self._compare(state, "up1", set())
        self._compare(state, "rtr to inet", set())
        self._compare(state, "rtr to srv", set(), {(RTR4, SERVER4, "udp", PORT)})
        readable = self.watch.canaries(state, "up0") - self.kept
        self.faults += [f"{state}: readable {flow}" for flow in readable]

    def _compare(self, state, cable, needed, allowed=frozenset()):
        seen = self.watch.sent(state, cable)
        self.faults += [f"{state}: {cable}: {flow} seen"
                        for flow in seen - needed - allowed - too_late(needed)]
        self.faults += [f"{state}: {cable}: {flow} missing" for flow in needed - seen]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_only_what_may_leaves_in_every_state(road, mode):
    assert Scenario(road, mode).run() == []


# ---- a server ----

CLIENTS = probes("10.9.0.2", "fd09::2")
TO_CLIENTS = outside(CLIENTS, four="203.0.114.1", six="2001:db8:4::1")
OF_CLIENTS = outside(INTERNET, four="203.0.114.1", six="2001:db8:4::1")


def test_a_server_sends_to_its_clients_inside_and_for_them_under_its_own_address(road):
    found = {}

    def state(name):
        with watch.phase(name):
            programs.rounds()
            contained.rounds()
        seen = watch.sent(name, "srv to inet")
        found[name] = seen - too_late(seen)
        to_clients = watch.sent(name, "srv") - {(SERVER4, RTR4, "icmp", 3)}
        assert {flow[:3] for flow in to_clients} <= {(SERVER4, RTR4, "udp")}, name
        assert not watch.canaries(name, "srv"), name

    places = {**road.places(), "srv": (road.srv, "up0")}
    with Watch(places) as watch, Programs(road.srv, CLIENTS) as programs, \
            Programs(road.cli, INTERNET) as contained:
        state("before")
        road.start_server()
        state("connecting")
        road.start_client("client")
        contained.reach(INTERNET)
        state("connected")
        road.kill_client()
        state("client gone")
        road.srv.kill("simplevpn", 9)
        wait_until(lambda: not road.srv.pids("simplevpn"), what="server dead")
        state("killed")
        server = road.start_server()
        state("again")
        road.stop_server(server)
        state("stopped")
    assert found == {"before": TO_CLIENTS, "connecting": set(), "connected": OF_CLIENTS,
                     "client gone": set(), "killed": TO_CLIENTS, "again": set(),
                     "stopped": TO_CLIENTS}
