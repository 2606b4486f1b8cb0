"""A name server for tests: nameserver.py ADDRESS DIRECTORY

Answers from DIRECTORY/names, a JSON object {"vpn.test": ["192.0.2.1", "2001:db8::1"]} that is read
for each question, and writes each name that it was asked for to DIRECTORY/asked.
"""

import ipaddress
import json
import pathlib
import socket
import struct
import sys


def read_question(query):
    """(name, type, where the question ends)."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii"))
        at += query[at] + 1
    return ".".join(labels).lower(), struct.unpack_from("!H", query, at + 1)[0], at + 5


def answer(query, names):
    name, kind, end = read_question(query)
    addresses = [ipaddress.ip_address(text) for text in names.get(name, [])]
    wanted = [each.packed for each in addresses if each.version == {1: 4, 28: 6}.get(kind)]
    header = query[:2] + struct.pack("!HHHHH", 0x8180 | (0 if name in names else 3), 1,
                                     len(wanted), 0, 0)
    records = [b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(each)) + each for each in wanted]
    return name, header + query[12:end] + b"".join(records)


def main(address, directory):
    folder = pathlib.Path(directory)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as own:
        own.bind((address, 53))
        print("ready", flush=True)
        while True:
            query, peer = own.recvfrom(1500)
            name, reply = answer(query, json.loads((folder / "names").read_text("ascii")))
            with (folder / "asked").open("a", encoding="ascii") as file:
                file.write(f"{name}\n")
            own.sendto(reply, peer)


if __name__ == "__main__":
    main(*sys.argv[1:])
