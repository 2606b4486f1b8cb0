"""Allowed IPs against a list that is searched from end to end."""

import random
import unittest

import hooks

BITS = {4: 32, 6: 128}


class SlowTable:
    """Prefix -> peer; every lookup tries every length."""

    def __init__(self):
        self.owners = {}

    @staticmethod
    def key(family, ip, cidr):
        return family, cidr, int.from_bytes(ip, "big") >> (BITS[family] - cidr)

    def insert(self, family, ip, cidr, peer):
        self.owners[self.key(family, ip, cidr)] = peer

    def remove(self, peer):
        self.owners = {key: owner for key, owner in self.owners.items() if owner != peer}

    def remove_prefix(self, family, ip, cidr, peer):
        key = self.key(family, ip, cidr)
        if self.owners.get(key) != peer:
            return -1
        del self.owners[key]
        return 0

    def lookup(self, family, ip):
        for cidr in range(BITS[family], -1, -1):
            owner = self.owners.get(self.key(family, ip, cidr))
            if owner is not None:
                return owner
        return -1


class Prefixes(unittest.TestCase):
    def setUp(self):
        self.table, self.slow = hooks.aip_new(), SlowTable()
        self.chance = random.Random(7)

    def insert(self, family, ip, cidr, peer):
        self.assertEqual(hooks.aip_insert(self.table, family, ip, cidr, peer), 0)
        self.slow.insert(family, ip, cidr, peer)

    def look(self, family, ip):
        ours = hooks.aip_lookup(self.table, family, ip)
        self.assertEqual(ours, self.slow.lookup(family, ip), ip.hex())
        return ours

    def address(self, family):
        """Crowded addresses, so that prefixes nest and lookups hit."""
        chance, size = self.chance, BITS[family] // 8
        near = bytes(chance.choice((0, 1, 128, 255)) for _ in range(size))
        return near if chance.random() < 0.8 else chance.randbytes(size)

    def random_prefix(self):
        family = self.chance.choice((4, 6))
        return family, self.address(family), self.chance.randrange(BITS[family] + 1)

    def check_lookups(self, count):
        for _ in range(count):
            family = self.chance.choice((4, 6))
            self.look(family, self.address(family))

    def test_the_longest_prefix_wins_whatever_the_order(self):
        for cidr in (24, 0, 32, 8, 16):
            self.insert(4, bytes([10, 1, 2, 3]), cidr, cidr)
        found = [
            self.look(4, bytes(ip))
            for ip in ((10, 1, 2, 3), (10, 1, 2, 4), (10, 1, 9, 9), (10, 9, 9, 9), (9, 9, 9, 9))
        ]
        self.assertEqual(found, [32, 24, 16, 8, 0])
        self.assertEqual(self.look(6, bytes(16)), -1)

    def test_a_prefix_given_away_has_one_owner(self):
        for peer in (1, 2):
            self.insert(6, bytes(16), 64, peer)
        self.assertEqual(self.look(6, bytes(16)), 2)
        self.assertLess(hooks.aip_remove_prefix(self.table, 6, bytes(16), 64, 1), 0)
        self.assertEqual(hooks.aip_remove_prefix(self.table, 6, bytes(16), 64, 2), 0)
        self.assertEqual(hooks.aip_lookup(self.table, 6, bytes(16)), -1)

    def test_what_is_no_prefix_is_refused(self):
        for family, cidr in ((4, 33), (4, -1), (6, 129), (5, 8)):
            self.assertLess(hooks.aip_insert(self.table, family, bytes(16), cidr, 1), 0)

    def test_random_inserts_and_removals_equal_the_list(self):
        for step in range(6000):
            family, ip, cidr = self.random_prefix()
            peer = self.chance.randrange(40)
            kind = self.chance.random()
            if kind < 0.75:
                self.insert(family, ip, cidr, peer)
            elif kind < 0.99:
                ours = hooks.aip_remove_prefix(self.table, family, ip, cidr, peer)
                self.assertEqual(ours, self.slow.remove_prefix(family, ip, cidr, peer))
            else:
                self.assertEqual(hooks.aip_remove(self.table, peer), 0)
                self.slow.remove(peer)
            self.check_lookups(5)
        self.check_lookups(5000)


if __name__ == "__main__":
    unittest.main()
