// fake_resolver.h — a name server on a UDP port of its own that knows what it was told.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <tunnel/host/text.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace tunnel::test {

class FakeResolver {
 public:
  using Addresses = std::vector<std::string>;

  // `names` may have addresses of both families; other names do not exist.
  FakeResolver(const std::string& address, std::map<std::string, Addresses> names)
      : names_(std::move(names)) {
    REQUIRE(tunnel_address_from_text(address.data(), address.size(), &self_) == TUNNEL_OK);
    fd_ = ::socket(self_.family == TUNNEL_FAMILY_IPV6 ? AF_INET6 : AF_INET,
                   SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bind_and_learn_port();
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this] { serve(); });
  }
  FakeResolver(const FakeResolver&) = delete;
  FakeResolver& operator=(const FakeResolver&) = delete;
  ~FakeResolver() {
    ::eventfd_write(stop_, 1);
    thread_.join();
    ::close(fd_);
    ::close(stop_);
  }

  const tunnel_address& address() const { return self_; }
  int asked() const { return asked_; }

 private:
  void bind_and_learn_port() {
    sockaddr_storage name{};
    socklen_t size = fill(name);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&name), size) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size) == 0);
    sockaddr_in port{};  // stands at the same place in both families
    std::memcpy(&port, &name, sizeof port);
    self_.port = ntohs(port.sin_port);
  }
  socklen_t fill(sockaddr_storage& name) const {
    if (self_.family == TUNNEL_FAMILY_IPV6) {
      sockaddr_in6 own{};
      own.sin6_family = AF_INET6;
      own.sin6_port = htons(self_.port);
      std::memcpy(&own.sin6_addr, self_.bytes, 16);
      std::memcpy(&name, &own, sizeof own);
      return sizeof own;
    }
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(self_.port);
    std::memcpy(&own.sin_addr, self_.bytes, 4);
    std::memcpy(&name, &own, sizeof own);
    return sizeof own;
  }

  void serve() {
    for (;;) {
      std::array<pollfd, 2> waits{{{fd_, POLLIN, 0}, {stop_, POLLIN, 0}}};
      ::poll(waits.data(), waits.size(), -1);
      if (waits[1].revents != 0) return;
      std::array<char, 1500> packet;
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      auto* peer = reinterpret_cast<sockaddr*>(&from);
      const ssize_t count = ::recvfrom(fd_, packet.data(), packet.size(), 0, peer, &size);
      if (count < 17) continue;
      const std::string reply = answer({packet.data(), static_cast<std::size_t>(count)});
      ++asked_;
      ::sendto(fd_, reply.data(), reply.size(), 0, peer, size);
    }
  }

  // RFC 1035 4.1: header, the question as it came, answers that point to its name.
  std::string answer(std::string_view query) const {
    std::string name;
    std::size_t at = 12;
    for (std::size_t length = 0; (length = static_cast<unsigned char>(query[at])) != 0;) {
      name += (name.empty() ? "" : ".") + std::string(query.substr(at + 1, length));
      at += length + 1;
    }
    const bool wants_ipv6 = query[at + 2] == 28;
    const std::string question(query.substr(12, at + 5 - 12));
    const auto known = names_.find(name);
    std::string records;
    char count = 0;
    for (const std::string& text : known == names_.end() ? Addresses{} : known->second) {
      tunnel_address address{};
      (void)tunnel_address_from_text(text.data(), text.size(), &address);
      if ((address.family == TUNNEL_FAMILY_IPV6) != wants_ipv6) continue;
      const std::size_t size = wants_ipv6 ? 16 : 4;
      records += std::string("\xc0\x0c\0", 3) + query[at + 2] + std::string("\0\1\0\0\0\x3c\0", 7) +
                 static_cast<char>(size) +
                 std::string(reinterpret_cast<const char*>(address.bytes), size);
      ++count;
    }
    const char code = known == names_.end() ? 3 : 0;  // no such name
    return std::string(query.substr(0, 2)) + '\x81' + static_cast<char>('\x80' | code) +
           std::string("\0\1\0", 3) + count + std::string(4, '\0') + question + records;
  }

  const std::map<std::string, Addresses> names_;
  tunnel_address self_{};
  int fd_ = -1;
  int stop_ = -1;
  std::atomic<int> asked_{0};
  std::thread thread_;
};

}  // namespace tunnel::test
