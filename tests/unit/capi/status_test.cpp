#include <tunnel/status.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "support/catch.hpp"

namespace {

bool starts_with(const std::string& text, const std::string& start) {
  return text.rfind(start, 0) == 0;
}

// Every status number that the header defines, by name: `#define TUNNEL_ERR_X (-1)`.
std::map<std::string, std::int32_t> numbers_of_header() {
  std::ifstream header(TUNNEL_STATUS_HEADER);
  REQUIRE(header);
  std::map<std::string, std::int32_t> numbers;
  for (std::string line, define, name, number; std::getline(header, line);) {
    if (!(std::istringstream(line) >> define >> name >> number) || define != "#define") continue;
    const bool is_status = name == "TUNNEL_OK" || starts_with(name, "TUNNEL_ERR_") ||
                           starts_with(name, "TUNNEL_VERDICT_") ||
                           starts_with(name, "TUNNEL_DROP_");
    if (is_status) numbers[name] = std::stoi(number.substr(number[0] == '('));
  }
  numbers.erase("TUNNEL_DROP_FIRST");  // the range, not a status
  numbers.erase("TUNNEL_DROP_COUNT");
  return numbers;
}

bool is_unknown(std::int32_t status) {
  return starts_with(tunnel_status_text(status), "unknown ") &&
         status != TUNNEL_DROP_UNKNOWN_INDEX && status != TUNNEL_DROP_UNKNOWN_PEER;
}

}  // namespace

TEST_CASE("every number of the header has a text of its own", "[capi][status]") {
  const auto numbers = numbers_of_header();
  CHECK(numbers.size() >= 50);
  std::set<std::string> texts;
  for (const auto& [name, number] : numbers) {
    INFO(name);
    CHECK_FALSE(is_unknown(number));
    if (name != "TUNNEL_VERDICT_NONE") CHECK(texts.insert(tunnel_status_text(number)).second);
  }
}

TEST_CASE("set-up errors come with a hint", "[capi][status]") {
  for (const auto status : {TUNNEL_ERR_PERMISSION, TUNNEL_ERR_IN_USE, TUNNEL_ERR_UNAVAILABLE,
                            TUNNEL_ERR_RESOURCES, TUNNEL_ERR_SELF_TEST, TUNNEL_ERR_KEY}) {
    CHECK(std::string(tunnel_status_hint(status)) != "");
  }
  CHECK(std::string(tunnel_status_hint(TUNNEL_VERDICT_SEND)) == "");
}

TEST_CASE("a number from the future still has a text and an empty hint", "[capi][status]") {
  for (const std::int32_t status : {INT32_MIN, -1000, 15, 31, 47, 127, 1000, INT32_MAX}) {
    CHECK(is_unknown(status));
    CHECK(std::string(tunnel_status_hint(status)) == "");
  }
}

TEST_CASE("the version is that of the build", "[capi][status]") {
  CHECK(tunnel_version() == TUNNEL_EXPECTED_VERSION);
}
