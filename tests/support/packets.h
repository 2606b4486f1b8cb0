// packets.h — slabs and packets for tests of devices and transports.
#pragma once

#include <poll.h>
#include <tunnel/packet.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace test {

// A slab with its memory, and packets to read into.
struct Slab {
  explicit Slab(std::size_t size = 256 * 1024, std::uint32_t mtu = 1420, std::size_t count = 128)
      : bytes(size), packets(count), slab{bytes.data(), size, 16, 16, 16, mtu} {}

  [[nodiscard]] std::string text(std::size_t i) const {
    return {reinterpret_cast<const char*>(packets[i].data), packets[i].length};
  }

  std::vector<std::uint8_t> bytes;
  std::vector<tunnel_packet> packets;
  tunnel_slab slab;
};

// Packets to write, each with bytes of its own.
struct Outgoing {
  void add(std::string_view bytes, std::int32_t verdict, const tunnel_address& remote = {}) {
    texts.emplace_back(bytes);
    tunnel_packet packet{};
    packet.verdict = verdict;
    packet.remote = remote;
    packets.push_back(packet);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      packets[i].data = reinterpret_cast<std::uint8_t*>(texts[i].data());
      packets[i].length = static_cast<std::uint32_t>(texts[i].size());
    }
  }

  [[nodiscard]] std::vector<std::int32_t> verdicts() const {
    std::vector<std::int32_t> all;
    for (const auto& packet : packets) all.push_back(packet.verdict);
    return all;
  }

  std::vector<std::string> texts;
  std::vector<tunnel_packet> packets;
};

// Longer than anything on this host ever takes: what has not come by then is lost.
inline constexpr int kPatience_ms = 10'000;

// Whether a table has something ready, as its wait handles say.
template <class Table>
bool ready(const Table& table, int timeout_ms = 0) {
  tunnel_handle handles[4];
  const std::int32_t count = table.ops->wait(table.self, handles, 4);
  std::vector<pollfd> polled;
  for (std::int32_t i = 0; i < count; ++i) {
    short events = 0;
    if (handles[i].events & TUNNEL_READABLE) events = static_cast<short>(events | POLLIN);
    if (handles[i].events & TUNNEL_WRITABLE) events = static_cast<short>(events | POLLOUT);
    polled.push_back({static_cast<int>(handles[i].handle), events, 0});
  }
  return ::poll(polled.data(), polled.size(), timeout_ms) > 0;
}

template <class Table>
std::int32_t read(const Table& table, Slab& into) {
  return table.ops->read(table.self, &into.slab, into.packets.data(), into.packets.size());
}

template <class Table>
std::int32_t write(const Table& table, Outgoing& packets) {
  return table.ops->write(table.self, packets.packets.data(), packets.packets.size());
}

// Closes a device or transport at the end of a test.
template <class Table>
struct Owned : Table {
  Owned() : Table{nullptr, nullptr} {}
  explicit Owned(const Table& table) : Table(table) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { close(); }
  void close() {
    if (this->ops != nullptr) this->ops->close(this->self);
    this->ops = nullptr;
  }
};

}  // namespace test
