"""The parser is the one source of commands and options: help, manual page and completion agree."""

import pathlib
import re
import subprocess

import pytest

from program import need, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "man" / "simplevpn.1.scd"
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z0-9-]*)")
EVERYWHERE = {"-h", "--help", "--version"}  # each has a place of its own


def help_of(simplevpn, path):
    """Options and commands that --help shows."""
    text = run(simplevpn, *path, "--help").stdout
    options, commands, part = set(), [], ""
    for line in text.splitlines():
        if not line.startswith(" "):
            part = line
        elif part.startswith("Options:") and re.match(r"  -", line):
            # The names end where the type or a gap begins.
            names = re.split(r"\{|\s{2,}| [A-Z]", line.strip())[0]
            options |= set(OPTION.findall(names))
        elif part.startswith("Subcommands:") and re.match(r"  \S", line):
            commands.append(line.split()[0])
    return options, commands


def tree(simplevpn, path=()):
    options, commands = help_of(simplevpn, path)
    found = {path: options}
    for command in commands:
        found |= tree(simplevpn, path + (command,))
    return found


@pytest.fixture(scope="module")
def commands(simplevpn):
    found = tree(simplevpn)
    assert len(found) > 10 and "--check" in found[("status",)]
    return found


# ---- the manual page ----

def manual(paths):
    """Options of each section of the page; () is the part before the commands."""
    found, path = {(): set()}, ()
    for line in MANUAL.read_text(encoding="utf-8").splitlines():
        heading = re.match(r"##? (.*)", line)
        if heading:
            words = tuple(heading.group(1).split())
            path = max((each for each in paths if words[:len(each)] == each), key=len, default=())
            found.setdefault(path, set())
        elif line.startswith("*-"):
            found[path] |= set(re.findall(r"\*(--?[a-z][a-z0-9-]*)\*", line))
    return found


def test_the_manual_page_has_every_command_and_every_option(commands):
    page = manual(commands)
    for path, options in commands.items():
        name = " ".join(path) or "simplevpn"
        if path and not any(other[:len(path)] == path and other != path for other in commands):
            assert path in page, f"{name} has no section"
        mine = page.get(path, set()) - EVERYWHERE
        assert mine == options - EVERYWHERE, name


def test_the_manual_pages_can_be_set(tmp_path):
    need("scdoc")
    for source in (ROOT / "docs" / "man").glob("*.scd"):
        with open(source, encoding="utf-8") as file:
            done = subprocess.run(["scdoc"], stdin=file, capture_output=True, text=True,
                                  check=False)
        assert done.returncode == 0 and done.stderr == "" and ".TH" in done.stdout


def test_the_command_page_names_every_command(commands):
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for path in commands:
        assert not path or re.search(rf"`{' '.join(path)}\b", page) or any(
            other[:len(path)] == path and other != path for other in commands), path


def test_the_command_page_has_every_error_code():
    used = set()
    for source in (ROOT / "examples" / "simplevpn").rglob("*.cpp"):
        used |= set(re.findall(r'"(E_[A-Z_]+)"', source.read_text(encoding="utf-8")))
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(E_[A-Z_]+)` \|", page, re.M)
    assert len(used) > 20 and listed == sorted(used)


# ---- completion ----

def complete(simplevpn, *words):
    script = (f'source <("{simplevpn}" completion bash); COMP_WORDS=(simplevpn "$@"); '
              'COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); _simplevpn; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = run("bash", "-c", script, "bash", *words)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return set(done.stdout.split())


def test_bash_completes_what_the_parser_knows(simplevpn, commands):
    general = commands[()] - EVERYWHERE
    for path, options in commands.items():
        offered = complete(simplevpn, *path, "-")
        assert offered == options | general, path
        below = {each[-1] for each in commands if each[:-1] == path and each}
        assert below <= complete(simplevpn, *path, "")


def test_bash_completes_values(simplevpn, tmp_path):
    assert complete(simplevpn, "status", "--check", "") == {"live", "ready", "handshake"}
    assert complete(simplevpn, "status", "--check", "r") == {"ready"}
    assert {"bash", "zsh", "fish"} <= complete(simplevpn, "completion", "")
    (tmp_path / "wg7.conf").touch()
    assert str(tmp_path / "wg7.conf") in complete(simplevpn, "up", f"{tmp_path}/wg")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_every_option(simplevpn, commands, shell):
    script = run(simplevpn, "completion", shell).stdout
    for path, options in commands.items():
        at = "/" + "/".join(path) if path else ""
        lines = [line for line in script.splitlines()
                 if re.search(rf"['\"]{re.escape(at)}(\\?['\"]| )", line)]
        for option in options:
            form = option if shell != "fish" else f"-{'l' if option[1] == '-' else 's'} " \
                                                  f"{option.lstrip('-')}"
            assert any(re.search(rf"{re.escape(form)}\b", line) for line in lines), (path, option)
    assert run(simplevpn, "completion", "tcsh").returncode == 2


def test_other_shells_accept_their_scripts(simplevpn, tmp_path):
    script = tmp_path / "script"
    ran = 0
    for shell in ("zsh", "fish"):
        if run("sh", "-c", f"command -v {shell}").returncode != 0:
            continue
        script.write_text(run(simplevpn, "completion", shell).stdout, encoding="utf-8")
        done = run(shell, "-n", script)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        ran += 1
    if ran == 0:
        pytest.skip("neither zsh nor fish is installed")
