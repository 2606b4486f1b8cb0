"""Shows that each rule can fail: small trees with one fault each, and clean ones without."""

import shutil
import tempfile
import unittest
from pathlib import Path

import formatting
import include_graph
import pages
import public
import sizes
import words
from functions import functions

TABLE = """# Architecture
| room | what it is | may include | only place for |
|---|---|---|---|
| `include/tunnel` | ABI | | |
| `include/tunnel/host` | ABI of the host | `include/tunnel` | |
| `src/host/config` | files | base | |
| `src/base` | bytes | | |
| `src/cipher` | crypto | base | `<sodium.h>` |
| `src/engine` | loop | base, core | `<asio.hpp>` `<sys/*>` |
| `src/protocol` | peer | base, cipher | |
| `src/core` | peers | base, protocol | |
"""

TREE = {
    "docs/architecture.md": TABLE,
    "include/tunnel/status.h": "#include <stdint.h>\n",
    "src/base/base.h": '#include "base/bytes.h"\n',
    "src/base/bytes.h": "#include <cstdint>\n#include <tunnel/status.h>\n",
    "src/cipher/cipher.h": '#include "base/base.h"\n',
    "src/protocol/protocol.h": "",
    "src/protocol/gate.h": "",
    "src/core/core.h": '#include "protocol/gate.h"\n#include "protocol/protocol.h"\n',
}


class RuleTest(unittest.TestCase):
    rule = None

    def problems(self, tree):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            for path, text in tree.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return [str(problem) for problem in self.rule.check(root)]

    def refuses(self, text, tree):
        found = self.problems(tree)
        self.assertTrue(any(text in problem for problem in found), f"no '{text}' in {found}")

    def accepts(self, tree):
        self.assertEqual(self.problems(tree), [])


class IncludeGraph(RuleTest):
    rule = include_graph

    def with_line(self, path, line):
        return {**TREE, path: TREE.get(path, "") + line + "\n"}

    def test_a_clean_tree_passes(self):
        self.accepts(TREE)

    def test_a_room_that_is_not_in_the_row_is_refused(self):
        self.refuses("src/base may not include src/cipher",
                     self.with_line("src/base/bytes.h", '#include "cipher/cipher.h"'))

    def test_only_doors_may_be_included(self):
        self.refuses("not a door",
                     self.with_line("src/cipher/cipher.h", '#include "base/bytes.h"'))

    def test_a_way_round_by_dots_is_seen(self):
        self.refuses("not a door",
                     self.with_line("src/cipher/cipher.h", '#include "../base/bytes.h"'))

    def test_a_quoted_header_belongs_to_its_rooms(self):
        self.refuses("<sodium.h> belongs to src/cipher",
                     self.with_line("src/core/core.h", "#include <sodium.h>"))
        self.refuses("<sys/socket.h> belongs to src/engine",
                     self.with_line("src/core/core.h", "#  include <sys/socket.h>"))
        self.accepts(self.with_line("src/engine/engine.h", "#include <asio.hpp>"))

    def test_clocks_and_unknown_headers_are_refused(self):
        self.refuses("in no row", self.with_line("src/core/core.h", "#include <chrono>"))
        self.refuses("in no row", self.with_line("src/core/core.h", "#include <openssl/evp.h>"))

    def test_a_room_without_a_row_is_refused(self):
        self.refuses("lies in no room", self.with_line("src/attic/a.cpp", "#include <cstdint>"))

    def test_public_headers_do_not_reach_into_src(self):
        self.refuses("include/tunnel may not include src/base",
                     self.with_line("include/tunnel/status.h", '#include "../../src/base/base.h"'))

    def test_only_the_host_library_sees_its_headers(self):
        line = "#include <tunnel/host/host.h>"
        tree = {**TREE, "include/tunnel/host/host.h": "#include <tunnel/status.h>\n"}
        self.refuses("src/base may not include include/tunnel/host",
                     {**tree, "src/base/bytes.h": line + "\n"})
        self.accepts({**tree, "src/host/config/config.h": line + "\n"})

    def test_examples_see_public_headers_only(self):
        self.refuses("only public headers",
                     self.with_line("examples/a.cpp", '#include "base/base.h"'))

    def test_a_missing_table_is_refused(self):
        self.refuses("table of rooms", {**TREE, "docs/architecture.md": "nothing"})


class Sizes(RuleTest):
    rule = sizes

    def test_long_files_functions_and_lines_are_refused(self):
        self.accepts({"src/a/a.cpp": "int x;\n" * 399})
        self.refuses("under 400", {"src/a/a.cpp": "int x;\n" * 400})
        self.accepts({"src/a/a.cpp": "int f() {\n" + "  g();\n" * 57 + "}\n"})
        self.refuses("f has 60 lines", {"src/a/a.cpp": "int f() {\n" + "  g();\n" * 58 + "}\n"})
        self.refuses("101 columns", {"src/a/a.h": "x" * 101})

    def test_deep_nesting_is_refused(self):
        deep = "void f() { if (a) { for (;;) { while (b) { %s } } } }"
        self.accepts({"src/a/a.cpp": deep % "g();"})
        self.refuses("nests 4", {"src/a/a.cpp": deep % "if (c) { g(); }"})

    def test_many_parameters_are_refused(self):
        self.accepts({"src/a/a.cpp": "int f(int a, std::map<int, int> b, int c, int d, int e) {}"})
        self.refuses("6 parameters",
                     {"src/a/a.cpp": "int f(int a, int b, int c, int d, int e, int f) {}"})

    def test_long_python_functions_are_refused(self):
        self.refuses("61 lines", {"tests/a.py": "def f():\n" + "    g()\n" * 60})


class Functions(unittest.TestCase):
    """The forms that the reader of functions has to know."""

    def seen(self, text):
        return [(each.name, each.nesting, each.parameters) for each in functions(text)]

    def test_forms_of_functions(self):
        for text, expected in (
            ("namespace a { int f() { return 1; } }", ("f", 0, 0)),
            ("class A { A(int b) : b_(b), c_{1} { if (b) { g(); } } };", ("A", 1, 1)),
            ("A::A() noexcept : b_{1} {}", ("A::A", 0, 0)),
            ("template <class T, int N> Result<T> f(T a, int b) noexcept {}", ("f", 0, 2)),
            ("auto f(int a) -> std::pair<int, int> {}", ("f", 0, 1)),
            ("bool A::operator==(const A& a) const {}", ("operator==", 0, 1)),
            ('extern "C" int32_t f(void) {}', ("f", 0, 0)),
            ("void f() { if (a == B{1}) { g(C{2}); } else if (x) { h(); } }", ("f", 1, 0)),
            ("void f() { switch (a) { case B::c: { if (d) { g(); } break; } } }", ("f", 2, 0)),
            ("void f() { each(a, [&](int b) { for (;;) { g(); } }); }", ("f", 1, 0)),
            ("void f() { const char* s = \"{{\"; char c = '{'; /* { */ }  // {", ("f", 0, 0)),
            ("void f() { int i = 1'000; if (i) { g(); } }", ("f", 1, 0)),
            ("#define X {\nvoid f() {}\n", ("f", 0, 0)),
            ("[[nodiscard]] int f(int (*g)(int, int), int a = h(1, 2)) {}", ("f", 0, 2)),
        ):
            with self.subTest(text):
                self.assertEqual(self.seen(text), [expected])

    def test_what_is_not_a_function(self):
        for text in ("struct alignas(16) A { int b; };", "enum class A : int { b };",
                     "constexpr std::array<int, sizeof(int)> kA{1, 2};", "int a[] = {1, 2};",
                     "typedef struct a { int (*read)(void* self, int b); } a;"):
            with self.subTest(text):
                self.assertEqual(self.seen(text), [])

    def test_a_member_of_a_local_type_is_a_function(self):
        self.assertEqual([name for name, _, _ in self.seen(
            "void f() { struct A { int g(int a) const { return a; } }; }")], ["g", "f"])


class Words(RuleTest):
    rule = words

    def test_what_does_not_stand_in_our_code(self):
        for line in ("throw 1;", "using namespace std;", "virtual void f();", "#define A 1",
                     "auto* p = dynamic_cast<A*>(q);", "std::exit(1);", "// TO" "DO: later",
                     "// ----------------", "// f(x);", "// if (x) {", "catch (...) {}",
                     '#include "/home/me/a.h"', "std::this_thread::sleep_for(x);"):
            with self.subTest(line):
                self.assertNotEqual(self.problems({"src/a/a.cpp": line + "\n"}), [])

    def test_words_in_comments_and_strings_pass(self):
        self.accepts({"src/a/a.cpp": '// we never throw; exit is theirs;\nf("throw catch (");\n'})

    def test_the_guard_may_catch(self):
        self.accepts({"src/base/guard.h": "inline int f() { try { g(); } catch (...) {} }\n"})


class Public(RuleTest):
    rule = public

    def tree(self, text, symbols="tunnel_a\n"):
        return {"include/tunnel/a.h": text, public.LIBRARIES[0][1]: symbols}

    def test_a_documented_function_passes(self):
        self.accepts(self.tree("/* Does it. */\nTUNNEL_API int32_t tunnel_a(void);\n"))

    def test_prose_is_demanded(self):
        self.refuses("no prose", self.tree("/* Else. */\n\nTUNNEL_API void tunnel_a(void);\n"))

    def test_c_types_are_demanded(self):
        self.refuses("no `bool`", self.tree("/* A. */\nTUNNEL_API bool tunnel_a(void);\n"))
        self.refuses("no `enum`", self.tree("/* A. */\nTUNNEL_API void tunnel_a(enum b c);\n"))

    def test_the_list_of_symbols_is_compared_both_ways(self):
        text = "/* A. */\nTUNNEL_API void tunnel_a(void);\n"
        self.refuses("is not in", self.tree(text, ""))
        self.refuses("declared in no public header", self.tree(text, "tunnel_a\ntunnel_b\n"))
        self.refuses("not sorted", self.tree(text, "tunnel_b\ntunnel_a\n"))

    def test_many_parameters_are_refused(self):
        self.refuses("parameters", self.tree(
            "/* A. */\nTUNNEL_API void tunnel_a(int a, int b, int c, int d, int e, int f, int g);\n"
        ))


class Pages(RuleTest):
    rule = pages

    def test_links_and_named_files_must_exist(self):
        tree = {"README.md": "[a](docs/a.md#part) `src/a.h` <https://a.example>", "src/a.h": "",
                "docs/a.md": "[up](../README.md)\n```sh\n`src/none.h`\n```\n"}
        self.accepts(tree)
        self.refuses("docs/a.md:1: no gone.md", {**tree, "docs/a.md": "[b](gone.md)"})
        self.refuses("no src/gone.h", {**tree, "docs/a.md": "`src/gone.h`"})


@unittest.skipIf(shutil.which(formatting.FORMATTER) is None, "no clang-format 14")
class Formatting(RuleTest):
    rule = formatting

    def test_bad_formatting_is_refused(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        self.accepts({**style, "src/a/a.cpp": "int f() { return 1; }\n"})
        self.refuses("run clang-format-14", {**style, "src/a/a.cpp": "int  f( ) {return 1;}\n"})


if __name__ == "__main__":
    unittest.main()
