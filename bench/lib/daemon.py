"""A tunnel: one daemon at each end."""

import contextlib
import subprocess

from netns import wait_until

from .stage import INSIDE, widen


class Daemon:
    """A daemon at each end. Subclasses start one in start_end(stage, end)."""

    target = INSIDE[1]
    patience = 20

    def __init__(self, name):
        self.name = name
        self._processes = []

    def start(self, stage):
        try:
            self.prepare()
            for end in (0, 1):
                self._processes.append(self.start_end(stage, end))
            wait_until(lambda: self._answers(stage), timeout=self.patience,
                       what=f"{self.name}: a ping through the tunnel")
            for pid in self.ends() if stage.same_buffers else ():
                widen(pid)
        except BaseException:
            self.stop()
            raise

    @contextlib.contextmanager
    def running(self, stage):
        """It is there until the end of the block."""
        self.start(stage)
        try:
            yield self
        finally:
            self.stop()

    def _answers(self, stage):
        dead = [process.args for process in self._processes if process.poll() is not None]
        assert not dead, f"{self.name} ended: {dead}"
        return stage.hosts[0].run("ping", "-c1", "-W1", self.target, check=False).returncode == 0

    def ends(self):
        return [process.program() for process in self._processes]

    def counters(self):
        """What the daemons counted themselves, where they tell."""
        return {}

    def stop(self):
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
        self._processes = []
