#include "transport/train.h"

#include <cassert>
#include <cstring>

namespace tunnel::transport {

namespace {

// Every byte counts, also the port of `local`, which is a note of the transport: at worst two
// trains leave instead of one.
bool same_way(const tunnel_packet& a, const tunnel_packet& b) noexcept {
  return std::memcmp(&a.remote, &b.remote, sizeof a.remote) == 0 &&
         std::memcmp(&a.local, &b.local, sizeof a.local) == 0;
}

// Equal for packets that go the same way. Whoever finds addresses that collide splits some trains.
std::size_t place_of(const tunnel_packet& packet) noexcept {
  std::array<std::uint64_t, 3> words;
  static_assert(sizeof words == sizeof packet.remote);
  std::memcpy(words.data(), &packet.remote, sizeof words);
  const std::uint64_t mixed = (words[0] ^ words[1] ^ words[2]) * 0x9e3779b97f4a7c15u;
  return mixed >> 58;
}

}  // namespace

void TrainPlan::add(tunnel_packet& packet, TrainLimits& limits) noexcept {
  assert(!full());
  const auto i = static_cast<std::uint8_t>(count_++);
  packets_[i] = &packet;
  if (Run* run = run_to(packet); run != nullptr) {
    next_[run->last] = i;
    run->last = i;
    ++run->count;
    run->open = packet.length == run->length;
    return;
  }
  const bool open = packet.length != 0 && packet.length <= limits.longest(packet.remote);
  runs_[runs_count_++] = {i, i, 1, open, packet.length};
  latest_[place_of(packet)] = static_cast<std::uint8_t>(runs_count_);
}

// An empty datagram cannot be the end of a train: nothing of it would be left.
bool TrainPlan::joins(const Run& run, const tunnel_packet& packet) const noexcept {
  return run.open && packet.length != 0 && packet.length <= run.length &&
         same_way(*packets_[run.first], packet);
}

// The run that the packet may join, or null. Only the last one of its destination: the packet must
// not overtake what came before it.
TrainPlan::Run* TrainPlan::run_to(const tunnel_packet& packet) noexcept {
  const std::uint8_t latest = latest_[place_of(packet)];
  if (latest == 0) return nullptr;
  Run& run = runs_[latest - 1];
  return joins(run, packet) ? &run : nullptr;
}

void TrainPlan::clear() noexcept {
  count_ = 0;
  runs_count_ = 0;
  latest_.fill(0);
}

}  // namespace tunnel::transport
