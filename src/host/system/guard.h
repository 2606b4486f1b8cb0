// guard.h — where exceptions of the standard library stop: at the C door, and at the top of our own
// threads. Nobody else in this library catches.
#pragma once

#include <tunnel/status.h>

#include <cstdint>
#include <new>
#include <type_traits>

namespace tunnel::host {

// Runs `body` and returns its status; an exception becomes one.
template <class Body>
[[nodiscard]] std::int32_t guarded(Body&& body) noexcept {
  static_assert(std::is_same_v<std::int32_t, decltype(body())>);
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return TUNNEL_ERR_MEMORY;
  } catch (...) {
    return TUNNEL_ERR_SYSTEM;
  }
}

}  // namespace tunnel::host
