#include "transport/udp_linux.h"

#include <algorithm>

#include "transport/route_linux.h"
#include "transport/transport.h"

namespace tunnel::transport {

using base::Error;
using base::Result;

namespace {

constexpr std::uint32_t kDefaultBuffer = 7 << 20;
constexpr std::uint32_t kUnderWay = 1024;  // datagrams that may be, when the network changes
constexpr std::uint32_t kReadsPerGlance = 64;
constexpr std::uint32_t kReadsPerTurn = 8;

// kIpv4, kIpv6, or 2 for an address of another kind.
std::size_t family_index(const tunnel_address& address) noexcept {
  if (address.family == TUNNEL_FAMILY_IPV4) return kIpv4;
  return address.family == TUNNEL_FAMILY_IPV6 ? kIpv6 : 2;
}

bool to_be_sent(const tunnel_packet& packet) noexcept {
  return packet.verdict == TUNNEL_VERDICT_SEND || packet.verdict == TUNNEL_VERDICT_REPLY;
}

}  // namespace

Udp::Udp(const SocketOptions& options, bool any_port, Sockets sockets,
         std::optional<NetworkMonitor> monitor) noexcept
    : options_(options),
      any_port_(any_port),
      sockets_(std::move(sockets)),
      monitor_(std::move(monitor)) {
  limits_.allow(options_.trains && takes_trains(sockets_));
  receive_.expect_trains(options_.trains);
}

std::int32_t Udp::read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept {
  ReadSpace space(slab);
  if (space.slots() == 0) return TUNNEL_ERR_ARGUMENT;
  ++reads_;
  std::int32_t count = static_cast<std::int32_t>(receive_.deliver(space, packets));
  if (count == 0) count = read_sockets(space, packets);
  if (count < 0) return count;
  under_way_ -= std::min(under_way_, static_cast<std::uint32_t>(count));
  watch_network(count == 0);
  return count;
}

// The families take turns in being first, so that a flood in one cannot starve the other. One that
// had nothing last time is asked second, and while the other has something only now and then.
std::int32_t Udp::read_sockets(ReadSpace& space, std::span<tunnel_packet> packets) noexcept {
  const bool glance = reads_ % kReadsPerTurn == 0;
  const bool turns = glance || quiet_[kIpv4] == quiet_[kIpv6];
  const std::size_t first =
      turns ? std::exchange(read_first_, 1 - read_first_) : (quiet_[kIpv4] ? kIpv6 : kIpv4);
  std::size_t count = 0;
  for (const std::size_t family : {first, 1 - first}) {
    const auto rest = packets.subspan(count);
    const bool enough = count != 0 && quiet_[family] && !glance;
    if (!sockets_.family[family].valid() || rest.empty() || receive_.waits() || enough) continue;
    const std::int32_t got =
        receive_.receive(sockets_.family[family].get(), note_of_reads(), space, rest);
    if (got < 0) return count > 0 ? static_cast<std::int32_t>(count) : got;
    quiet_[family] = got == 0;
    count += static_cast<std::size_t>(got);
  }
  if (count == 0) stop_trains();
  return static_cast<std::int32_t>(count);
}

// Trains that wait in the socket when UDP_GRO ends could not be told from long datagrams. So it
// ends when nothing waits; what comes in just then is lost.
void Udp::stop_trains() noexcept {
  if (!stopping_trains_) return;
  stopping_trains_ = false;
  receive_trains(sockets_, false);
  receive_.expect_trains(false);
}

// The monitor is looked at when nothing else is to do, and now and then under load.
void Udp::watch_network(bool idle) noexcept {
  if (!monitor_ || (!idle && reads_ % kReadsPerGlance != 0)) return;
  if (!monitor_->drain()) return;
  changed_ |= TUNNEL_CHANGED_NETWORK;
  ++generation_;
  under_way_ = kUnderWay;
  limits_.forget();
}

std::int32_t Udp::write(std::span<tunnel_packet> packets) noexcept {
  blocked_ = {};
  std::int32_t status = TUNNEL_OK;
  const auto note = [&](std::int32_t result) { status = std::min(status, result); };
  for (auto& packet : packets) {
    if (!to_be_sent(packet)) continue;
    const std::size_t family = family_index(packet.remote);
    if (family > kIpv6 || !sockets_.family[family].valid()) {
      packet.verdict = TUNNEL_DROP_UNREACHABLE;
      continue;
    }
    if (blocked_[family]) {
      packet.verdict = TUNNEL_VERDICT_WAIT;  // keeps the order: nothing overtakes the first
      continue;
    }
    check_source(packet);
    send_[family].add(packet);
    if (send_[family].full()) note(flush(family));
  }
  note(flush(kIpv4));
  note(flush(kIpv6));
  for (const std::size_t family : {kIpv4, kIpv6}) waited_[family] |= blocked_[family];
  return status;
}

// What was under way to our old address when the network changed comes in afterwards, and teaches
// a source that is as old: its note says so.
std::uint16_t Udp::note_of_reads() const noexcept {
  return static_cast<std::uint16_t>(under_way_ != 0 ? generation_ - 1 : generation_);
}

// A source learnt before the network changed may still be an address of ours, while the way to the
// peer now leaves by another interface: datagrams would go out with an address that belongs to the
// other network, and no call would fail. As in the kernel's WireGuard the source is dropped then.
void Udp::check_source(tunnel_packet& packet) noexcept {
  const tunnel_address& local = packet.local;
  const bool learnt = local.family == packet.remote.family && local.scope != 0;
  if (!learnt || local.port == generation_) return;
  if (checked_.generation == generation_ && base::same_address(checked_.local, local) &&
      base::same_address(checked_.remote, packet.remote)) {
    return;
  }
  const auto interface = route_interface(local, packet.remote, options_.mark);
  if (interface && *interface != local.scope) {
    packet.local.family = TUNNEL_FAMILY_NONE;
  } else {
    checked_ = {local, packet.remote, generation_};
  }
}

// TUNNEL_OK or TUNNEL_ERR_CLOSED.
std::int32_t Udp::flush(std::size_t family) noexcept {
  const std::int32_t result = send_[family].flush(sockets_.family[family].get());
  if (result == TUNNEL_VERDICT_WAIT) blocked_[family] = true;
  return std::min(result, TUNNEL_OK);
}

std::int32_t Udp::wait(std::span<tunnel_handle> handles) noexcept {
  std::size_t count = 0;
  const auto add = [&](std::int64_t handle, std::uint32_t events) {
    if (handle >= 0 && count < handles.size()) handles[count++] = {handle, events, 0};
  };
  for (const std::size_t family : {kIpv4, kIpv6}) {
    const bool full = std::exchange(waited_[family], false) || blocked_[family];
    add(sockets_.family[family].get(), TUNNEL_READABLE | (full ? TUNNEL_WRITABLE : 0));
  }
  if (monitor_) add(monitor_->handle(), TUNNEL_READABLE);
  if (receive_.waits() || stopping_trains_) add(always_readable(), TUNNEL_READABLE);
  return static_cast<std::int32_t>(count);
}

// For what was read already and is no longer in a socket, and for a read that finds nothing.
// Without a descriptor, which is made when it is first needed, it waits for the next datagram: -1.
std::int64_t Udp::always_readable() noexcept {
  if (!readable_) {
    auto flag = base::WaitFlag::create(base::WaitFlag::Kind::readable);
    if (!flag) return -1;
    readable_ = std::move(*flag);
    readable_->set(true);
  }
  return readable_->handle();
}

// A family that was missing may have come, so both are opened. A port that somebody asked for is
// never left; one that the kernel chose is when it was taken in the family that came.
std::int32_t Udp::rebind() noexcept {
  auto fresh = reopen_sockets(options_, sockets_);
  if (fresh.status() == TUNNEL_ERR_IN_USE && any_port_) fresh = open_sockets(options_, 0);
  if (fresh) sockets_ = std::move(*fresh);
  return fresh.status();
}

std::int32_t Udp::mark(std::uint32_t mark) noexcept {
  const std::int32_t status = set_mark(sockets_, mark);
  if (status == TUNNEL_OK) options_.mark = mark;
  return status;
}

std::int32_t Udp::offload(std::uint32_t enable) noexcept {
  const bool on = enable != 0;
  if (on == options_.trains) return TUNNEL_OK;
  options_.trains = on;
  limits_.allow(on && takes_trains(sockets_));
  stopping_trains_ = !on;
  if (!on) return TUNNEL_OK;
  receive_trains(sockets_, true);
  receive_.expect_trains(true);
  return TUNNEL_OK;
}

std::uint32_t Udp::changed() noexcept {
  return std::exchange(changed_, 0);
}

std::int32_t Udp::set_port(std::uint16_t port) noexcept {
  if (port != 0 && port == sockets_.port) return TUNNEL_OK;
  auto fresh = open_sockets(options_, port);
  if (!fresh) return fresh.status();
  sockets_ = std::move(*fresh);
  any_port_ = port == 0;
  return TUNNEL_OK;
}

Result<tunnel_transport> open_udp(const tunnel_udp_config& config) {
  const auto or_default = [](std::uint32_t bytes) { return bytes != 0 ? bytes : kDefaultBuffer; };
  constexpr std::uint16_t kBoth = TUNNEL_UDP_IPV4 | TUNNEL_UDP_IPV6;
  constexpr std::uint32_t kFlags = TUNNEL_UDP_NO_MONITOR | TUNNEL_UDP_NO_OFFLOAD;
  const bool known = (config.flags & ~kFlags) == 0 && config.families <= kBoth;
  const std::uint8_t bound = config.bind.family;
  if (!known || (bound != TUNNEL_FAMILY_NONE && family_index(config.bind) > kIpv6)) {
    return Error{TUNNEL_ERR_ARGUMENT};
  }
  const SocketOptions options{config.mark,
                              or_default(config.receive_buffer),
                              or_default(config.send_buffer),
                              config.families != 0 ? config.families : kBoth,
                              (config.flags & TUNNEL_UDP_NO_OFFLOAD) == 0,
                              config.bind};
  auto sockets = open_sockets(options, config.port);
  if (!sockets) return Error{sockets.status()};
  std::optional<NetworkMonitor> monitor;
  if ((config.flags & TUNNEL_UDP_NO_MONITOR) == 0) {
    auto opened = NetworkMonitor::open();
    // Where a sandbox forbids netlink the transport works all the same, only without warnings.
    if (opened.status() == TUNNEL_ERR_RESOURCES) return Error{TUNNEL_ERR_RESOURCES};
    if (opened) monitor = std::move(*opened);
  }
  return base::make_transport(
      std::make_unique<Udp>(options, config.port == 0, std::move(*sockets), std::move(monitor)));
}

}  // namespace tunnel::transport
