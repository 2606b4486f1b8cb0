// guard.h — where exceptions of others (the standard library, Asio) stop: at the C doors, and at
// the top of our own threads. Nobody else catches.
#pragma once

#include <tunnel/status.h>

#include <cstdint>
#include <new>
#include <system_error>
#include <type_traits>

#include "base/descriptor.h"

namespace tunnel::base {

// Runs `body` and returns its status; an exception becomes one.
template <class Body>
[[nodiscard]] std::int32_t guarded(Body&& body) noexcept {
  static_assert(std::is_same_v<std::int32_t, decltype(body())>);
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return TUNNEL_ERR_MEMORY;
  } catch (const std::system_error& error) {  // Asio: the system refused, errno says why
    return status_of(error.code().value());
  } catch (...) {
    return TUNNEL_ERR_SYSTEM;
  }
}

}  // namespace tunnel::base
