#include "base/base.h"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "support/catch.hpp"

using tunnel::base::guarded;

TEST_CASE("a status passes the guard unchanged", "[base][guard]") {
  CHECK(guarded([] { return std::int32_t{TUNNEL_OK}; }) == TUNNEL_OK);
  CHECK(guarded([] { return std::int32_t{TUNNEL_ERR_LIMIT}; }) == TUNNEL_ERR_LIMIT);
}

TEST_CASE("exceptions end at the guard as errors", "[base][guard]") {
  CHECK(guarded([]() -> std::int32_t { throw std::bad_alloc(); }) == TUNNEL_ERR_MEMORY);
  CHECK(guarded([]() -> std::int32_t { throw std::runtime_error("x"); }) == TUNNEL_ERR_SYSTEM);
  CHECK(guarded([]() -> std::int32_t { throw 7; }) == TUNNEL_ERR_SYSTEM);
}

TEST_CASE("what the system refused keeps its reason at the guard", "[base][guard]") {
  const auto refused = [](int error) {
    return guarded(
        [error]() -> std::int32_t { throw std::system_error(error, std::generic_category()); });
  };
  CHECK(refused(EMFILE) == TUNNEL_ERR_RESOURCES);
  CHECK(refused(EPERM) == TUNNEL_ERR_PERMISSION);
}
