#include <tunnel/status.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "support/catch.hpp"

namespace {

// Every status number that the header defines, by name.
std::map<std::string, std::int32_t> numbers_of_header() {
  std::ifstream header(TUNNEL_STATUS_HEADER);
  REQUIRE(header);
  const std::regex define(R"(#define TUNNEL_(OK|(?:ERR|VERDICT|DROP)_\w+) \(?(-?\d+)\)?.*)");
  std::map<std::string, std::int32_t> numbers;
  std::smatch match;
  for (std::string line; std::getline(header, line);) {
    if (std::regex_match(line, match, define)) numbers[match[1]] = std::stoi(match[2]);
  }
  numbers.erase("DROP_FIRST");  // the range, not a status
  numbers.erase("DROP_COUNT");
  return numbers;
}

bool is_unknown(std::int32_t status) {
  return std::string(tunnel_status_text(status)).rfind("unknown ", 0) == 0 &&
         status != TUNNEL_DROP_UNKNOWN_INDEX && status != TUNNEL_DROP_UNKNOWN_PEER;
}

}  // namespace

TEST_CASE("every number of the header has a text of its own", "[capi][status]") {
  const auto numbers = numbers_of_header();
  CHECK(numbers.size() >= 48);
  std::set<std::string> texts;
  for (const auto& [name, number] : numbers) {
    INFO(name);
    CHECK_FALSE(is_unknown(number));
    if (name != "VERDICT_NONE") CHECK(texts.insert(tunnel_status_text(number)).second);
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
