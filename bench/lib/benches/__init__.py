"""All benches, in the order in which --all runs them."""

from . import idle, inprocess, latency, peers, plumbing, throughput

ALL = (*inprocess.BENCHES, throughput.TCP, throughput.WIRE, throughput.UDP, plumbing.BENCH,
       latency.BENCH, peers.BENCH, idle.BENCH)


def named(name):
    return next(bench for bench in ALL if bench.name == name)
