"""Finds functions, their length, nesting and parameters in C and C++ text.

Not a compiler: it follows braces and looks at the words before each. Code formatted by clang-format
and written by the style guide is read correctly; the self-test shows the forms it knows.
"""

import re
from dataclasses import dataclass

from project import blanked, without_preprocessor

_CONTROL = re.compile(r"^(?:else\s+)?(?:if|for|while|switch|catch)\b|^(?:else|do|try)$")
_TYPE = re.compile(r"^(?:typedef\s+|static\s+|inline\s+|constexpr\s+|const\s+)*"
                   r"(?:class|struct|union|enum)\b")
_SCOPE = re.compile(r"^(?:inline\s+)?namespace\b|^extern\s*\"\"$")
_TAIL = re.compile(
    r"\)\s*(?:(?:const|volatile|noexcept|override|final|mutable|try|&&?)\s*|noexcept\s*\(.*\)\s*"
    r"|->\s*[\w:<>,&*\s]+|requires\b.*)*$",
    re.S,
)
_LABEL = re.compile(
    r"^(?:case\b[^?]*?|default\s*|public\s*|private\s*|protected\s*)(?<!:):(?!:)\s*"
)


@dataclass
class Function:
    name: str
    line: int
    lines: int = 0
    nesting: int = 0
    parameters: int = 0


@dataclass
class Block:
    kind: str  # scope, type, function, control, plain, value
    head: str = ""  # what stood before a `value` brace: it goes on after it
    function: Function = None
    depth: int = 0


def _without_templates(head):
    """Drops leading template<...> clauses."""
    while head.startswith("template"):
        depth = 0
        for place, sign in enumerate(head):
            depth += (sign == "<") - (sign == ">")
            if sign == ">" and depth == 0:
                head = head[place + 1 :].lstrip()
                break
        else:
            return head
    return head


def _tidy(head):
    head = re.sub(r"\[\[.*?\]\]", " ", head, flags=re.S)
    head = re.sub(r"\b(?:alignas|__attribute__)\s*\(+.*?\)+", " ", head, flags=re.S)
    head = re.sub(r"\s+", " ", head).strip()
    while _LABEL.match(head):
        head = _LABEL.sub("", head, 1)
    return _without_templates(head)


def _is_body(head):
    """Does a `{` after this head, outside functions, open a function body?"""
    if "(" not in head:
        return False
    # Constructor with initialisers: the body comes after a finished initialiser.
    if re.search(r"\)\s*(?:noexcept\s*)?:(?!:)", head):
        return head.endswith((")", "}"))
    return bool(_TAIL.search(head))


def parameters(head):
    """How many parameters the first parenthesis after the function's name holds."""
    found = re.search(r"(?:operator\s*\(\)|[\w~\]>]|operator\W{1,3})\s*\(", head)
    if not found:
        return 0
    depth, count, some = 0, 1, False
    for sign in head[found.end() :]:
        if sign == ")" and depth == 0:
            break
        depth += (sign in "([{<") - (sign in ")]}>")
        count += sign == "," and depth == 0
        some = some or not sign.isspace()
    text = head[found.end() :]
    return 0 if not some or re.match(r"\s*void\s*\)", text) else count


def _name(head):
    found = re.search(r"([\w:~]+|operator\W{1,3})\s*\(", head)
    return found.group(1) if found else head[:40]


class _Reader:
    def __init__(self, text):
        self.text = without_preprocessor(blanked(text))
        self.blocks = []
        self.found = []
        self.head = ""
        self.line = 1
        self.head_line = 1

    def read(self):
        parens = 0
        for sign in self.text:
            if sign == "\n":
                self.line += 1
            parens += (sign == "(") - (sign == ")")
            if sign == "{":
                self.open()
            elif sign == "}":
                self.close()
            elif sign == ";" and not self._inside_for(parens):
                self.head = ""
            else:
                if not self.head.strip():
                    self.head_line = self.line
                self.head += sign
        return self.found

    def _inside_for(self, parens):
        if parens and re.search(r"\bfor\s*\([^{}]*$", self.head):
            self.head += ";"
            return True
        return False

    def _around(self):
        """The innermost function that the place lies in, and the control depth there."""
        for block in reversed(self.blocks):
            if block.function:
                return block.function, block.depth
        return None, 0

    def _classify(self, head, inside):
        if _SCOPE.match(head):
            return "scope"
        if _TYPE.match(head) and "(" not in head.split(":")[0]:
            return "type"
        if not inside:
            return "function" if _is_body(head) else "value"
        if _CONTROL.match(head) and head.count("(") == head.count(")"):
            return "control"
        if not head or re.search(r"\][^=;]*$", head):
            return "plain"
        return "plain" if re.fullmatch(r"[A-Z_]+\s*\(.*\)", head) else "value"

    def open(self):
        head = _tidy(self.head)
        function, depth = self._around()
        in_type = bool(self.blocks) and self.blocks[-1].kind == "type"
        kind = self._classify(head, function is not None and not in_type)
        if kind == "function":
            function = Function(_name(head), self.head_line, parameters=parameters(head))
            depth = 0
        elif kind == "control":
            depth += 1
            function.nesting = max(function.nesting, depth)
        self.blocks.append(Block(kind, self.head, function, depth))
        if kind != "value" or not head:
            self.head = ""

    def close(self):
        if not self.blocks:
            self.head = ""
            return
        block = self.blocks.pop()
        if block.kind == "function":
            block.function.lines = self.line - block.function.line + 1
            self.found.append(block.function)
        self.head = block.head + "{}" if block.kind in ("value", "type") else ""
        if block.kind == "plain" and "[" in block.head:  # a lambda: its statement goes on
            self.head = block.head + "{}"


def functions(text):
    """Every function with a body, in the order of their ends."""
    return _Reader(text).read()
