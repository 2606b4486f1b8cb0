#include "core/endpoint_table.h"

#include <map>
#include <random>

#include "support/catch.hpp"

using tunnel::core::EndpointTable;

namespace {

// Few different addresses, so that they meet often.
tunnel_address address_of(std::uint32_t number) {
  tunnel_address address{};
  address.family = number % 2 == 0 ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
  address.bytes[0] = 192;
  address.bytes[number % 2 == 0 ? 3 : 15] = static_cast<std::uint8_t>(number / 2 % 16);
  address.port = static_cast<std::uint16_t>(54345 + number / 32 % 4);
  address.scope = number / 128 % 2;
  return address;
}

}  // namespace

TEST_CASE("endpoints are found as a map would find them", "[core][endpoints]") {
  EndpointTable table(7);
  std::map<std::uint32_t, std::uint32_t> model;
  std::mt19937 random(5);
  for (int step = 0; step < 100'000; ++step) {
    const auto number = static_cast<std::uint32_t>(random() % 256);
    const auto known = model.find(number);
    REQUIRE(table.find(address_of(number)) ==
            (known == model.end() ? EndpointTable::kNobody : known->second));
    if (random() % 2 == 0) {
      table.remove(address_of(number));
      model.erase(number);
    } else if (known == model.end()) {
      table.reserve(model.size() + 1);
      table.insert(address_of(number), static_cast<std::uint32_t>(step));
      model[number] = static_cast<std::uint32_t>(step);
    }
  }
}

TEST_CASE("no address is nobody's endpoint, in an empty table too", "[core][endpoints]") {
  EndpointTable table(7);
  CHECK(table.find(address_of(1)) == EndpointTable::kNobody);
  table.remove(address_of(1));
  CHECK(table.memory_bytes() == 0);
  table.reserve(1);
  table.insert(tunnel_address{}, 3);
  CHECK(table.find(tunnel_address{}) == EndpointTable::kNobody);
}
