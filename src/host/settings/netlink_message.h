// netlink_message.h — a request to the routing socket under construction. Private to this room.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <tunnel/packet.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace tunnel::host {

inline std::uint8_t system_family(std::uint8_t family) noexcept {
  return family == TUNNEL_FAMILY_IPV4 ? AF_INET : AF_INET6;
}

inline std::uint8_t our_family(std::uint8_t family) noexcept {
  return family == AF_INET ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
}

// All of ours are far smaller than the buffer.
class Message {
 public:
  Message(std::uint16_t type, unsigned flags) : header_(mnl_nlmsg_put_header(bytes_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  }

  Message(const Message&) = delete;  // header_ points into bytes_
  Message& operator=(const Message&) = delete;

  nlmsghdr* header() noexcept { return header_; }
  template <class T>
  T& extra() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }
  void byte(std::uint16_t type, std::uint8_t value) { mnl_attr_put_u8(header_, type, value); }
  void number(std::uint16_t type, std::uint32_t value) { mnl_attr_put_u32(header_, type, value); }
  // tunnel_prefix or tunnel_address
  template <class T>
  void address(std::uint16_t type, const T& address) {
    mnl_attr_put(header_, type, address.family == TUNNEL_FAMILY_IPV4 ? 4 : 16, address.bytes);
  }

 private:
  alignas(nlmsghdr) std::array<char, 512> bytes_{};
  nlmsghdr* header_;
};

// The attributes of a message by type; null where there is none. Types above `Largest` are newer
// than we are and told apart by `unknown`.
template <std::uint16_t Largest>
struct Attributes {
  std::array<const nlattr*, Largest + 1> of{};
  bool unknown = false;

  Attributes(const nlmsghdr* message, std::size_t header_size) {
    mnl_attr_parse(message, static_cast<unsigned>(header_size), take, this);
  }

  const nlattr* operator[](std::uint16_t type) const noexcept { return of[type]; }

  std::uint32_t number(std::uint16_t type, std::uint32_t absent) const noexcept {
    const nlattr* found = of[type];
    return found != nullptr && mnl_attr_get_payload_len(found) == 4 ? mnl_attr_get_u32(found)
                                                                    : absent;
  }

 private:
  static int take(const nlattr* attribute, void* self) {
    auto& all = *static_cast<Attributes*>(self);
    const std::uint16_t type = mnl_attr_get_type(attribute);
    if (type > Largest) {
      all.unknown = true;
    } else {
      all.of[type] = attribute;
    }
    return MNL_CB_OK;
  }
};

// Into a prefix or address; no attribute is the same as all zero.
template <class T>
void copy_bytes(const nlattr* attribute, T& value) noexcept {
  if (attribute == nullptr) return;
  const std::size_t size = mnl_attr_get_payload_len(attribute);
  const auto* from = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  std::copy_n(from, std::min(size, sizeof(value.bytes)), value.bytes);
}

}  // namespace tunnel::host
