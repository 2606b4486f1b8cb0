"""Replay window and rate limiter against slow, obvious models."""

import random
import unittest

import hooks

REJECT_AFTER_MESSAGES = 2**64 - 2**13 - 1


class ReplayModel:
    """A set of everything accepted."""

    def __init__(self, window):
        self.window, self.newest, self.seen = window, None, set()

    def check(self, counter):
        too_old = self.newest is not None and counter < self.newest - self.window
        if too_old or counter in self.seen or counter >= REJECT_AFTER_MESSAGES:
            return 0
        self.seen.add(counter)
        self.newest = counter if self.newest is None else max(counter, self.newest)
        return 1


class Replay(unittest.TestCase):
    def setUp(self):
        self.window = hooks.replay_new()
        self.model = ReplayModel(hooks.replay_window())

    def tearDown(self):
        hooks.replay_free(self.window)

    def both(self, counter):
        ours = hooks.replay_check(self.window, counter)
        self.assertEqual(ours, self.model.check(counter), counter)
        return ours

    def test_the_window_is_that_of_the_kernel(self):
        self.assertEqual(hooks.replay_window(), 8192 - 64)

    def test_the_first_counter_may_be_zero_and_comes_once(self):
        self.assertEqual([self.both(0), self.both(0), self.both(1)], [1, 0, 1])

    def test_the_edge_of_the_window(self):
        newest = 1_000_000
        edge = newest - hooks.replay_window()
        self.both(newest)
        self.assertEqual([self.both(edge), self.both(edge), self.both(edge - 1)], [1, 0, 0])

    def test_the_message_limit(self):
        limit = REJECT_AFTER_MESSAGES
        self.assertEqual([self.both(limit - 1), self.both(limit)], [1, 0])
        self.assertEqual([self.both(2**64 - 1), self.both(limit - 2)], [0, 1])

    def test_a_jump_leaves_nothing_behind(self):
        for counter in (5, 2**40, 5, 6, 2**40 - 8128, 2**40 - 8129, 2**40 + 8192, 2**40):
            self.both(counter)

    def test_random_order_equals_the_model(self):
        chance = random.Random(6)
        newest = 0
        for _ in range(200_000):
            step = chance.choice((1, 1, 1, 2, 63, 64, 65, 8127, 8128, 8129, 8192, 20_000))
            newest += step if chance.random() < 0.3 else 0
            counter = max(0, newest - chance.choice((0, 1, 2, chance.randrange(9000))))
            self.both(counter)


class Limiter(unittest.TestCase):
    """20 handshakes a second and a burst of 5, per IPv4 address or IPv6 /64."""

    SECOND = 1_000_000_000

    def setUp(self):
        self.limiter = hooks.limiter_new()
        self.now = 10 * self.SECOND

    def allowed(self, family, ip, count):
        return sum(hooks.limiter_allow(self.limiter, family, ip, self.now) for _ in range(count))

    def test_a_burst_of_five(self):
        self.assertEqual(self.allowed(4, bytes([192, 0, 2, 1]), 100), 5)

    def test_twenty_a_second_after_the_burst(self):
        ip = bytes([192, 0, 2, 1])
        total = 0
        for _ in range(1000):  # every millisecond
            total += self.allowed(4, ip, 1)
            self.now += self.SECOND // 1000
        self.assertIn(total, (24, 25))

    def test_silence_refills_no_more_than_the_burst(self):
        ip = bytes([192, 0, 2, 1])
        self.allowed(4, ip, 100)
        self.now += 3600 * self.SECOND
        self.assertEqual(self.allowed(4, ip, 100), 5)

    def test_sources_are_apart(self):
        for last in range(56):
            self.assertEqual(self.allowed(4, bytes([192, 0, 2, last]), 10), 5)

    def test_an_ipv6_source_is_its_slash_64(self):
        prefix = bytes.fromhex("20010db800000001")
        self.assertEqual(self.allowed(6, prefix + bytes(8), 3), 3)
        self.assertEqual(self.allowed(6, prefix + bytes(7) + b"\x01", 10), 2)
        self.assertEqual(self.allowed(6, bytes.fromhex("20010db800000002") + bytes(8), 10), 5)


if __name__ == "__main__":
    unittest.main()
