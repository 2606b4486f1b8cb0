// result.h — a value or a negative TUNNEL_ERR_ status. Our only error channel besides verdicts.
#pragma once

#include <tunnel/status.h>

#include <cassert>
#include <cstdint>
#include <optional>
#include <utility>

namespace tunnel::base {

// Tag for a failed Result: `return Error{TUNNEL_ERR_MEMORY};`
struct Error {
  std::int32_t status;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit so that `return value;` works
  Result(Error error) : status_(error.status) { assert(error.status < 0); }  // NOLINT: likewise

  explicit operator bool() const noexcept { return value_.has_value(); }
  std::int32_t status() const noexcept { return status_; }  // TUNNEL_OK when there is a value

  T& operator*() noexcept { return *value_; }
  const T& operator*() const noexcept { return *value_; }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }

 private:
  std::optional<T> value_;
  std::int32_t status_ = TUNNEL_OK;
};

}  // namespace tunnel::base
