#!/usr/bin/python3
"""Two own_loop processes on loopback carry lines both ways.

usage: own_loop.py KEYGEN OWN_LOOP
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

LINES = [f"line {i}: {'x' * (i * 37 % 900)}" for i in range(60)]


def make_keys(keygen):
    text = subprocess.run([keygen], check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r"(\w+) += (\S+)", text))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(own_loop, folder, name, keys, port, *peer):
    path = os.path.join(folder, name)
    with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
        file.write(keys["PrivateKey"] + "\n")
    return subprocess.Popen([own_loop, path, str(port), *map(str, peer)], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def talk(sender, receiver, lines):
    """Waits for each line, so that none is lost in a full socket buffer."""
    for line in lines:
        sender.stdin.write(line + "\n")
        sender.stdin.flush()
        got = receiver.stdout.readline()
        assert got == line + "\n", f"sent {line!r}, got {got!r}"


def give_up(_signal, _frame):
    raise TimeoutError("a line was lost")


def main(keygen, own_loop):
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    alice_keys, bob_keys = make_keys(keygen), make_keys(keygen)
    alice_port, bob_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        bob = start(own_loop, folder, "bob", bob_keys, bob_port, alice_keys["PublicKey"])
        alice = start(own_loop, folder, "alice", alice_keys, alice_port, bob_keys["PublicKey"],
                      "127.0.0.1", bob_port)
        try:
            talk(alice, bob, LINES[:1])  # the handshake; Bob learns where Alice is
            talk(bob, alice, LINES)
            talk(alice, bob, LINES)
            for process in (alice, bob):
                process.stdin.close()
                assert process.wait(timeout=20) == 0
        finally:
            for process in (alice, bob):
                process.kill()
                process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
