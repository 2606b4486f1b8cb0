// status.h — what an errno means in our number space.
#pragma once

#include <cstdint>
#include <string>

namespace tunnel::host {

// The TUNNEL_ERR_ nearest to a system error. Like base::status_of, but what does not exist is
// NOT_FOUND: this library looks for things that may well be absent.
std::int32_t status_of(int system_error) noexcept;

// The errno nearest to a TUNNEL_ERR_, 0 for TUNNEL_OK.
int errno_of(std::int32_t status) noexcept;

// The system's words for an error. Any thread, unlike strerror.
std::string text_of(int system_error);

}  // namespace tunnel::host
