"""Hosts for tests: each one a process that holds its own network, mount and process namespaces.

A network namespace alone is not enough: /run/wireguard, /run/simplevpn and /var/lib/simplevpn are
files, and would be shared with the machine and with every other test. So a Host has fresh tmpfs
there, and nothing on the machine is touched. Its process namespace makes the clean-up certain:
when the holder ends, also because the test program was killed, the kernel kills everything in it,
daemons too, and the interfaces vanish with the network namespace.

    with Lab() as lab:
        client, server = lab.host("client"), lab.host("server")
        lab.veth(client, "192.0.2.1/24", server, "192.0.2.2/24")
        client.run("ping", "-c1", "192.0.2.2")

Needs root: captures and large buffers are not given to the root of a user namespace. `missing()`
says what is absent.
"""

import contextlib
import ctypes
import functools
import os
import shutil
import signal
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000

STATE = ("/run/wireguard", "/run/simplevpn", "/var/lib/simplevpn")

# Fresh /run always; /var/lib/simplevpn alone where it exists, else a tmpfs on all of /var/lib,
# because making the directory would leave a trace on the machine. `cat` ends with our end of its
# standard input; as process 1 that ignores SIGCHLD it lets orphans go without a trace.
HOLDER = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 700 /run/wireguard /run/simplevpn
mkdir -p /run/etc/upper /run/etc/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work overlay /etc
[ -d /var/lib/simplevpn ] || mount -t tmpfs -o mode=755 tmpfs /var/lib
[ -d /var/lib/simplevpn ] && mount -t tmpfs -o mode=700 tmpfs /var/lib/simplevpn \
                          || mkdir -m 700 /var/lib/simplevpn
ip link set lo up
for scope in all default; do
  if [ -d /proc/sys/net/ipv6/conf/$scope ]; then
    echo 0 > /proc/sys/net/ipv6/conf/$scope/accept_dad
    echo 0 > /proc/sys/net/ipv6/conf/$scope/accept_ra
  fi
done
echo ready
exec env --ignore-signal=CHLD cat
"""


def wait_until(condition, timeout=10.0, what="condition"):
    """The first true answer of condition(); asked again until `timeout` seconds have passed."""
    end = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"not within {timeout} s: {what}")
        time.sleep(0.02)


def only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        children = file.read().split()
    return int(children[0]) if children else None


class Process(subprocess.Popen):
    """A program inside a Host. Signals go to the program itself, not to the nsenter above it, which
    only has to be woken: it stops when the program is stopped."""

    def program(self):
        """Pid of the program as the machine sees it, once nsenter has started it."""
        pid = wait_until(lambda: only_child(self.pid) if self.poll() is None else -1,
                         what="program started")
        if pid < 0:
            raise ProcessLookupError(f"ended: {self.args}")
        return pid

    def line(self, stream, timeout=10):
        """The next line of its output. A program that stays silent is killed, which is the end of
        the stream: "" instead of a test that waits for ever."""
        watchdog = threading.Timer(timeout, self.kill)
        watchdog.start()
        try:
            return stream.readline()
        finally:
            watchdog.cancel()

    def send_signal(self, sig):
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.program(), sig)
                if sig == signal.SIGCONT:
                    os.kill(self.pid, sig)


class Host:
    """One machine. Use it as a context manager, or through a Lab."""

    def __init__(self, name="host"):
        self.name = name
        self._started = []
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork",
             "--mount-proc", "--kill-child", "/bin/sh", "-c", HOLDER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self._holder.stdout.readline().strip()
        if line != "ready":
            self.close()
            raise OSError(f"no namespaces for {name}: {line}")
        self.pid = only_child(self._holder.pid)  # process 1 of the host

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends everything that runs in the host. May be called again."""
        if self._holder.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._holder.stdin.close()
        try:
            self._holder.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait()
        self._holder.stdout.close()
        # What ran is gone; the nsenter above a program that was stopped has stopped itself.
        for process in self._started:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)
                process.wait(timeout=5)
        self._started.clear()

    def command(self, *command):
        """argv that runs `command` in this host, for callers with their own subprocess code."""
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", "--pid", "--",
                *map(str, command)]

    @contextlib.contextmanager
    def network(self):
        """The calling thread is in this host's network, so that sockets it opens belong there.
        Sockets stay where they were opened: only the opening needs to be inside."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net", "rb") as before, \
                open(f"/proc/{self.pid}/ns/net", "rb") as inside:
            def enter(space):
                if libc.setns(space.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns: {self.name}")
            enter(inside)
            try:
                yield
            finally:
                enter(before)

    def run(self, *command, check=True, timeout=60, **options):
        """Runs to the end with captured text output. The working directory is /."""
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        if "input" in options:
            del options["stdin"]
        done = subprocess.run(self.command(*command), capture_output=True, text=True,
                              timeout=timeout, check=False, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(map(str, command))} ended with "
                                 f"{done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def popen(self, *command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("text", True)
        self._started.append(Process(self.command(*command), **options))
        return self._started[-1]

    def ip(self, *arguments, **options):
        return self.run("ip", *arguments, **options).stdout

    def write(self, path, text, mode=0o600):
        """Writes a file as the host sees it (its /run and /var/lib/simplevpn are its own)."""
        self.run("/bin/sh", "-c", 'umask 077; cat > "$1" && chmod "$2" "$1"', "write",
                 path, f"{mode:o}", input=text)

    def read(self, path):
        return self.run("cat", path).stdout

    def exists(self, path):
        return self.run("test", "-e", path, check=False).returncode == 0

    def replace_file(self, path, text):
        """Puts `text` over an existing file of the machine (/etc/hosts), only in this host."""
        copy = f"/run/replaced{path.replace('/', '_')}"
        self.write(copy, text, mode=0o644)
        self.run("mount", "--bind", copy, path)

    def sysctl(self, name, value):
        self.run("/bin/sh", "-c", 'echo "$2" > "$1"', "sysctl",
                 f"/proc/sys/{name.replace('.', '/')}", str(value))

    def has_interface(self, name):
        with open(f"/proc/{self.pid}/net/dev", encoding="ascii") as file:
            return any(line.split(":")[0].strip() == name for line in file)

    def udp_sockets(self, port):
        """The rows of /proc/net/udp (IPv4 alone) with this local port."""
        with open(f"/proc/{self.pid}/net/udp", encoding="ascii") as file:
            return [row for row in map(str.split, file) if row[1].endswith(f":{port:04X}")]

    def pids(self, program):
        """Pids, as the machine sees them, of this host's processes with that program name."""
        space = os.stat(f"/proc/{self.pid}/ns/pid").st_ino
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{pid}/ns/pid").st_ino != space:
                    continue
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    if file.read().strip() == program[:15]:
                        found.append(int(pid))
        return found

    def kill(self, program, sig=signal.SIGTERM):
        """Signals this host's processes with that program name; returns how many."""
        found = self.pids(program)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        return len(found)


class Lab(contextlib.ExitStack):
    """Several hosts and the cables between them; everything ends with the `with` block."""

    def host(self, name="host"):
        return self.enter_context(Host(name))

    def veth(self, left, left_addresses, right, right_addresses, names=None, mtu=1500):
        """A cable. Addresses are one "192.0.2.1/24" or a list; `names` are the two interface
        names, by default the other host's. Returns them."""
        left_name, right_name = names or (right.name[:15], left.name[:15])
        subprocess.run(["nsenter", "--target", str(left.pid), "--net", "ip", "link", "add",
                        "name", left_name, "type", "veth", "peer", "name", right_name,
                        "netns", str(right.pid)], check=True)
        for host, name, addresses in ((left, left_name, left_addresses),
                                      (right, right_name, right_addresses)):
            for address in [addresses] if isinstance(addresses, str) else addresses:
                nodad = ["nodad"] if ":" in address else []
                host.ip("address", "add", address, "dev", name, *nodad)
            host.ip("link", "set", "dev", name, "mtu", mtu, "up")
        # The kernel notices a carrier up to a second late, or at once when somebody asks.
        for host, name in ((left, left_name), (right, right_name)):
            wait_until(lambda: "state UP" in host.ip("link", "show", "dev", name),
                       what=f"{host.name}: {name} is up")
        return left_name, right_name


@functools.lru_cache(maxsize=None)
def missing(*programs, tun=False):
    """What a test cannot have here, in words, or "" when everything is there."""
    for program in ("unshare", "nsenter", "ip", *programs):
        if not shutil.which(program):
            return f"{program} is not installed"
    if os.geteuid() != 0:
        return "needs root"
    if tun and not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is not usable"
    try:
        with Host("probe") as probe:
            if tun:
                probe.ip("tuntap", "add", "probe", "mode", "tun")
    except (OSError, AssertionError) as error:
        return f"namespaces are not available: {error}"
    return ""
