// words_test.cpp — any text as one word, and back.
#include <string>

#include "host/system/system.h"
#include "support/catch.hpp"

using namespace tunnel::host;

TEST_CASE("any text is one word, and comes back", "[host][system]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text : {std::string(), std::string("="), std::string("50 %\n"), all}) {
    const std::string word = to_word(text);
    CHECK(word.find_first_of(" \t\r\n") == word.npos);
    CHECK(from_word(word) == text);
  }
}

TEST_CASE("what no text became is no word", "[host][system]") {
  for (const char* word : {"", "a", "=%", "=%4", "=%4G", "=%4A", "=a b", "=\x7f"}) {
    INFO(word);
    CHECK_FALSE(from_word(word));
  }
}

TEST_CASE("words are cut off one after another", "[host][system]") {
  std::string_view text = " a\tbc  d";
  CHECK(next_word(text) == "a");
  CHECK(next_word(text) == "bc");
  CHECK(text == " d");
  CHECK(next_word(text) == "d");
  CHECK(next_word(text).empty());
  CHECK(text.empty());
}
