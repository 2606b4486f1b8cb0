// dump.h — lists that the kernel gives by netlink, one message after another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

struct nlattr;
struct nlmsghdr;

namespace tunnel::host {

// The attributes of a message or of one attribute, by type. Points into the message.
class Attributes {
 public:
  Attributes(const nlmsghdr* message, std::size_t header);
  explicit Attributes(const nlattr* nest);

  const nlattr* get(std::size_t type) const noexcept;
  std::string text(std::size_t type) const;
  // Numbers of the machine's and of the network's byte order; 0 when there is none.
  std::uint32_t number(std::size_t type) const noexcept;
  std::uint32_t network_number(std::size_t type) const noexcept;

 private:
  static constexpr std::size_t kMax = 64;
  static int take(const nlattr* attribute, void* self);

  std::array<const nlattr*, kMax> attributes_{};
};

struct DumpRequest {
  int bus;             // NETLINK_ROUTE, NETLINK_NETFILTER
  std::uint16_t type;  // RTM_GETLINK
};

// Calls `take` with every message of the list. Returns a status.
std::int32_t dump(const DumpRequest& request, const std::function<void(const nlmsghdr*)>& take);

}  // namespace tunnel::host
