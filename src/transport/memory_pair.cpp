#include "transport/memory_pair.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <mutex>

#include "transport/faults.h"
#include "transport/flight.h"
#include "transport/transport.h"

namespace tunnel::transport {

using base::Error;
using base::Result;
using base::WaitFlag;

namespace {

constexpr std::uint32_t kDefaultCapacity = 4096;
constexpr std::uint32_t kMaxDatagram = 65'507;  // of UDP on IPv4
constexpr std::uint16_t kDefaultPort = 51820;
constexpr std::uint32_t kMillion = 1'000'000;

// The way to one end.
struct Direction {
  Flight flight;
  Faults faults;
  WaitFlag arrived;
  WaitFlag space;

  void raise_flags(std::uint64_t now) noexcept {
    arrived.set(flight.due(now));
    space.set(!flight.full());
  }
};

bool same_host(const tunnel_address& a, const tunnel_address& b) noexcept {
  return a.family == b.family && std::memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

std::uint64_t later_by(std::uint64_t now, std::uint64_t delay) noexcept {
  return now + std::min(delay, std::numeric_limits<std::uint64_t>::max() - now);
}

}  // namespace

struct MemoryNetwork {
  std::mutex lock;
  std::array<Direction, 2> to;  // to[i] leads to end i
  std::array<tunnel_address, 2> addresses;
  std::array<bool, 2> closed{};
  std::uint64_t now = 0;
};

MemoryEnd::MemoryEnd(std::shared_ptr<MemoryNetwork> network, std::size_t side) noexcept
    : network_(std::move(network)), side_(side) {}

MemoryEnd::~MemoryEnd() {
  const std::lock_guard guard(network_->lock);
  network_->closed[side_] = true;
}

std::int32_t MemoryEnd::read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept {
  base::SlabCursor cursor(slab);
  if (cursor.space() == 0) return TUNNEL_ERR_ARGUMENT;
  const std::lock_guard guard(network_->lock);
  Direction& inward = network_->to[side_];
  std::int32_t count = 0;
  for (auto& packet : packets) {
    if (!inward.flight.due(network_->now)) break;
    if (!inward.flight.receive(cursor, packet, count == 0)) break;
    packet.remote = network_->addresses[1 - side_];
    packet.local = network_->addresses[side_];
    ++count;
  }
  inward.raise_flags(network_->now);
  return count;
}

std::int32_t MemoryEnd::write(std::span<tunnel_packet> packets) noexcept {
  const std::lock_guard guard(network_->lock);
  blocked_ = false;
  for (auto& packet : packets) {
    if (packet.verdict != TUNNEL_VERDICT_SEND && packet.verdict != TUNNEL_VERDICT_REPLY) continue;
    packet.verdict = send(packet);
    blocked_ = blocked_ || packet.verdict == TUNNEL_VERDICT_WAIT;
  }
  waited_ = waited_ || blocked_;
  network_->to[1 - side_].raise_flags(network_->now);
  return TUNNEL_OK;
}

// The verdict. What is lost on the way was sent all the same.
std::int32_t MemoryEnd::send(tunnel_packet& packet) noexcept {
  const tunnel_address& there = network_->addresses[1 - side_];
  if (!same_host(packet.remote, there) || packet.remote.port != there.port) {
    return TUNNEL_DROP_UNREACHABLE;
  }
  if (packet.length > kMaxDatagram) return TUNNEL_DROP_TOO_BIG;
  Direction& outward = network_->to[1 - side_];
  if (outward.flight.full()) return TUNNEL_VERDICT_WAIT;
  if (!same_host(packet.local, network_->addresses[side_])) {
    packet.local.family = TUNNEL_FAMILY_NONE;
  }
  const Fate fate = outward.faults.next();
  if (fate.lost || network_->closed[1 - side_]) return TUNNEL_VERDICT_SENT;
  const base::Bytes bytes(packet.data, packet.length);
  for (std::size_t copy = 0; copy < (fate.duplicated ? 2 : 1) && !outward.flight.full(); ++copy) {
    const std::uint64_t arrival = later_by(network_->now, fate.delay_ns[copy]);
    if (!outward.flight.send(bytes, arrival, fate.overtakes && copy == 0)) return TUNNEL_DROP_IO;
  }
  return TUNNEL_VERDICT_SENT;
}

std::int32_t MemoryEnd::wait(std::span<tunnel_handle> handles) noexcept {
  std::size_t count = 0;
  const auto add = [&](std::int64_t handle, std::uint32_t events) {
    if (count < handles.size()) handles[count++] = {handle, events, 0};
  };
  add(network_->to[side_].arrived.handle(), TUNNEL_READABLE);
  if (std::exchange(waited_, false) || blocked_) {
    add(network_->to[1 - side_].space.handle(), TUNNEL_WRITABLE);
  }
  return static_cast<std::int32_t>(count);
}

std::int32_t MemoryEnd::port() noexcept {
  return network_->addresses[side_].port;
}

void MemoryEnd::advance(std::uint64_t mono_ns) noexcept {
  const std::lock_guard guard(network_->lock);
  network_->now = std::max(network_->now, mono_ns);
  for (auto& direction : network_->to) direction.raise_flags(network_->now);
}

namespace {

bool acceptable(const tunnel_pair_config& config) noexcept {
  const auto host = [](const tunnel_address& address) {
    return address.family == TUNNEL_FAMILY_NONE || address.family == TUNNEL_FAMILY_IPV4 ||
           address.family == TUNNEL_FAMILY_IPV6;
  };
  return config.flags == 0 && config.loss_ppm <= kMillion && config.duplicate_ppm <= kMillion &&
         config.reorder_ppm <= kMillion && host(config.addresses[0]) && host(config.addresses[1]);
}

tunnel_address address_of(const tunnel_pair_config& config, std::size_t side) noexcept {
  if (config.addresses[side].family != TUNNEL_FAMILY_NONE) return config.addresses[side];
  tunnel_address address{};
  address.family = TUNNEL_FAMILY_IPV4;
  address.port = kDefaultPort;
  address.bytes[0] = 127;
  address.bytes[3] = static_cast<std::uint8_t>(side + 1);
  return address;
}

Result<Direction> make_direction(const tunnel_pair_config& config, std::size_t side) {
  auto arrived = WaitFlag::create(WaitFlag::Kind::readable);
  if (!arrived) return Error{arrived.status()};
  auto space = WaitFlag::create(WaitFlag::Kind::writable);
  if (!space) return Error{space.status()};
  const std::uint32_t capacity = config.capacity != 0 ? config.capacity : kDefaultCapacity;
  return Direction{Flight(capacity), Faults(config, side), std::move(*arrived), std::move(*space)};
}

}  // namespace

Result<std::array<tunnel_transport, 2>> make_pair(const tunnel_pair_config& config) {
  if (!acceptable(config)) return Error{TUNNEL_ERR_ARGUMENT};
  auto to0 = make_direction(config, 0);
  if (!to0) return Error{to0.status()};
  auto to1 = make_direction(config, 1);
  if (!to1) return Error{to1.status()};
  const std::shared_ptr<MemoryNetwork> network(
      new MemoryNetwork{.lock = {},
                        .to = {std::move(*to0), std::move(*to1)},
                        .addresses = {address_of(config, 0), address_of(config, 1)}});
  auto end0 = std::make_unique<MemoryEnd>(network, 0);
  auto end1 = std::make_unique<MemoryEnd>(network, 1);
  return std::array{base::make_transport(std::move(end0)), base::make_transport(std::move(end1))};
}

std::int32_t advance(const tunnel_transport& end, std::uint64_t mono_ns) noexcept {
  MemoryEnd* memory = base::transport_as<MemoryEnd>(end);
  if (memory == nullptr) return TUNNEL_ERR_ARGUMENT;
  memory->advance(mono_ns);
  return TUNNEL_OK;
}

}  // namespace tunnel::transport
