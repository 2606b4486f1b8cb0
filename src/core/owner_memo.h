// owner_memo.h — who owned the last address that was asked for.
//
// Packets mostly come in rows of one flow: a superpacket of the device, a train of the transport.
// Asking the allowed IPs once for a row is as good as asking each time, while they do not change.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/base.h"
#include "router/router.h"

namespace tunnel::core {

class OwnerMemo {
 public:
  // Must be called whenever the table changes.
  void forget() noexcept { length_ = 0; }

  // As table.find(). `address` has 4 or 16 bytes, which also tells its family.
  router::Owner find(const router::PrefixTable& table, base::Bytes address) noexcept {
    if (address.size() == length_ && std::memcmp(address.data(), address_.data(), length_) == 0) {
      return owner_;
    }
    length_ = address.size();
    std::memcpy(address_.data(), address.data(), length_);
    owner_ = length_ == 4 ? table.find_ipv4(address_.data()) : table.find_ipv6(address_.data());
    return owner_;
  }

 private:
  std::array<std::uint8_t, 16> address_{};
  std::size_t length_ = 0;
  router::Owner owner_ = router::kNobody;
};

}  // namespace tunnel::core
