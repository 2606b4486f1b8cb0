"""OpenVPN of Debian, in user space (no DCO): UDP, point to point, no compression, no fragments.

Static keys are deprecated and without forward secrecy, so this is TLS with two self-signed
certificates that pin each other. They are made anew for each measurement and never leave /run of
their host.
"""

import shutil
import subprocess

from .stage import INSIDE, OUTSIDE, PORT, SOCKET_BUFFER, TX_QUEUE, MTU
from .daemon import Daemon

INTERFACE = "wg0"  # as everywhere


class OpenVpn(Daemon):
    def __init__(self, name, cipher):
        super().__init__(name)
        self._cipher = cipher
        self._certificates = []

    def missing(self):
        return next((name for name in ("openvpn", "openssl") if not shutil.which(name)), None)

    def prepare(self):
        self._certificates = [_certificate(name) for name in ("client", "server")]

    def start_end(self, stage, end):
        host, other = stage.hosts[end], 1 - end
        key, certificate, _ = self._certificates[end]
        host.write("/run/openvpn.key", key)
        host.write("/run/openvpn.crt", certificate)
        role = ["--tls-client", "--remote", OUTSIDE[other], str(PORT)] if end == 0 else [
            "--tls-server", "--dh", "none"]
        process = stage.popen(
            end, "openvpn", "--dev", INTERFACE, "--dev-type", "tun", "--proto", "udp4",
            "--local", OUTSIDE[end], "--lport", str(PORT), *role,
            "--ifconfig", INSIDE[end], INSIDE[other], "--key", "/run/openvpn.key",
            "--cert", "/run/openvpn.crt", "--peer-fingerprint", self._certificates[other][2],
            "--data-ciphers", self._cipher, "--disable-dco", "--tun-mtu", str(MTU),
            "--mssfix", "0", "--fast-io", "--txqueuelen", str(TX_QUEUE),
            "--sndbuf", str(SOCKET_BUFFER), "--rcvbuf", str(SOCKET_BUFFER), "--verb", "0",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return process


def _certificate(name):
    """Key, certificate, and the certificate's fingerprint."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", "-", "-out", "-"],
        capture_output=True, text=True, check=True).stdout
    border = made.index("-----BEGIN CERTIFICATE-----")
    fingerprint = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=made[border:],
        capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]
    return made[:border], made[border:], fingerprint
