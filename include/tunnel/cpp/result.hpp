// tunnel/cpp/result.hpp - a value or a status.
#ifndef TUNNEL_CPP_RESULT_HPP
#define TUNNEL_CPP_RESULT_HPP

#include <tunnel/status.h>

#include <cstdint>
#include <optional>
#include <utility>

namespace tunnel {

// A struct of the C ABI with its size set and everything else zero, as its _INIT macro makes it.
template <class T>
constexpr T sized() noexcept {
  T value{};
  value.size = sizeof value;
  return value;
}

// A value, or why there is none (a negative TUNNEL_ERR_).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  // The value, or the failure that `status` names.
  Result(std::int32_t status, T value) : status_(status) {
    if (status == TUNNEL_OK) value_.emplace(std::move(value));
  }

  explicit operator bool() const noexcept { return value_.has_value(); }
  std::int32_t status() const noexcept { return status_; }  // TUNNEL_OK when there is a value

  T& operator*() & noexcept { return *value_; }
  const T& operator*() const& noexcept { return *value_; }
  T&& operator*() && noexcept { return std::move(*value_); }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }

 private:
  std::optional<T> value_;
  std::int32_t status_ = TUNNEL_OK;
};

inline const char* status_text(std::int32_t status) noexcept {
  return tunnel_status_text(status);
}
inline const char* status_hint(std::int32_t status) noexcept {
  return tunnel_status_hint(status);
}

}  // namespace tunnel

#endif
