"""Reports of sanitizers, from programs whose standard error and exit status nobody looks at.

    with Reports() as reports:
        ...                    # programs started in here write what they find into a folder
        assert not reports.take()

Programs that are built without sanitizers do not know these settings. LeakSanitizer works in all of
them, although simplevpn makes itself undumpable: for its look at the memory, at a regular exit, it
makes the process dumpable again. But it needs a /proc that has the process (see without_leaks), and
a program that is killed is not searched for leaks.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile

EXIT_STATUS = 86  # none of simplevpn's: a test that asks for any status notices by itself
# LeakSanitizer is part of libasan. gcc's libubsan always writes to standard error, whatever its
# log_path; so it shall abort, and libasan reports that, with the place in the program.
OPTIONS = {"ASAN_OPTIONS": "handle_abort=1", "UBSAN_OPTIONS": "abort_on_error=1:print_stacktrace=1"}


class Reports:
    """A folder for reports. While it exists, programs started from here write into it."""

    def __init__(self):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="reports-"))
        self._before = {name: os.environ.get(name) for name in OPTIONS}

    def __enter__(self):
        self._folder.chmod(0o1777)  # some tests run the program as an ordinary user
        for name, own in OPTIONS.items():
            options = f"{own}:log_path={self._folder}/report:exitcode={EXIT_STATUS}"
            os.environ[name] = ":".join(filter(None, [self._before[name], options]))
        return self

    def __exit__(self, *_):
        for name, value in self._before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(self._folder)

    @contextlib.contextmanager
    def without_leaks(self):
        """Programs started in here are not searched for leaks. For those that enter a new process
        namespace and keep the /proc of the old one: LeakSanitizer cannot find their threads."""
        before = os.environ["ASAN_OPTIONS"]
        os.environ["ASAN_OPTIONS"] = f"{before}:detect_leaks=0"
        yield
        os.environ["ASAN_OPTIONS"] = before

    def take(self):
        """The text of all reports since the last call, "" when there are none."""
        text = ""
        for file in sorted(self._folder.iterdir()):
            text += file.read_text(encoding="utf-8", errors="replace")
            text += f"({file.name})\n"
            file.unlink()
        return text
