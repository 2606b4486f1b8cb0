#include "capi/guard.h"

#include <stdexcept>

#include "support/catch.hpp"

using tunnel::capi::guarded;

TEST_CASE("a status passes the guard unchanged", "[capi][guard]") {
  CHECK(guarded([] { return std::int32_t{TUNNEL_OK}; }) == TUNNEL_OK);
  CHECK(guarded([] { return std::int32_t{TUNNEL_ERR_LIMIT}; }) == TUNNEL_ERR_LIMIT);
}

TEST_CASE("exceptions end at the guard as errors", "[capi][guard]") {
  CHECK(guarded([]() -> std::int32_t { throw std::bad_alloc(); }) == TUNNEL_ERR_MEMORY);
  CHECK(guarded([]() -> std::int32_t { throw std::runtime_error("x"); }) == TUNNEL_ERR_SYSTEM);
  CHECK(guarded([]() -> std::int32_t { throw 7; }) == TUNNEL_ERR_SYSTEM);
}
