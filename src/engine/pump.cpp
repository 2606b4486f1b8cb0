#include "engine/pump.h"

#include <algorithm>
#include <utility>

namespace tunnel::engine {

namespace {

// The slabs of the usual batch (128 packets of MTU 1420) have 184 and 256 KiB, of which an idle or
// lightly loaded tunnel touches the front only. A slab never has less than the longest packet, a
// superpacket of the device or a train of the transport needs.
constexpr std::size_t kSlabLeast = std::size_t{68} * 1024;
constexpr std::size_t kSlabMost = std::size_t{256} * 1024;
constexpr std::uint32_t kMtuMost = 65535;
constexpr std::size_t kPolledPackets = 16;

// A read that brought fewer packets has most likely emptied its queue: to ask the system whether
// there is more costs as much as to be told by it.
constexpr std::size_t kMany = 16;

// A sealed packet that could not be sent for so long is of no use to its receiver, and its key may
// be past its age (the process may have been stopped meanwhile).
constexpr std::uint64_t kStaleAfterNs = 5'000'000'000;

// What Linux allows a host by default.
constexpr std::uint32_t kAnswersPerSecond = 1000;
constexpr std::uint32_t kAnswersBurst = 50;

bool more_after(Pump::Ask ask, const Batch& batch) noexcept {
  return ask == Pump::Ask::to_the_end || batch.read >= std::min(kMany, batch.packets.size());
}

// An inside MTU of zero only says that nothing is padded; a datagram may then have any length.
std::uint32_t datagram_mtu(const tunnel_layout& layout) noexcept {
  return layout.mtu == 0 ? kMtuMost : layout.mtu;
}

std::size_t device_slab(const tunnel_layout& layout, std::size_t batch) noexcept {
  const std::size_t stride = layout.headroom + layout.mtu + layout.padding + layout.tailroom;
  return std::clamp(stride * batch, kSlabLeast, kSlabMost);
}

std::size_t transport_slab(const tunnel_layout& layout, std::size_t batch) noexcept {
  const std::size_t stride = layout.headroom + base::datagram_room(datagram_mtu(layout));
  return std::clamp(stride * batch, kSlabLeast, kSlabMost);
}

Lane::Parts lane_parts(const Pump::Parts& parts) noexcept {
  return {parts.core, parts.cipher.self, parts.pool, parts.batches};
}

Lane::Verbs seal_verbs(const tunnel_cipher& cipher) noexcept {
  return {tunnel_core_seal, tunnel_core_seal_plan, tunnel_core_seal_commit, cipher.ops->seal};
}

Lane::Verbs open_verbs(const tunnel_cipher& cipher) noexcept {
  return {tunnel_core_open, tunnel_core_open_plan, tunnel_core_open_commit, cipher.ops->open};
}

}  // namespace

// ---- the pump ----

std::size_t Pump::memory_bytes(const tunnel_layout& layout, std::size_t batch,
                               std::size_t batches) noexcept {
  const std::size_t jobs = batches > 1 ? batch * sizeof(tunnel_aead_job) : 0;
  const std::size_t each = 2 * (sizeof(Batch) + batch * sizeof(tunnel_packet) + jobs);
  const std::size_t slabs = device_slab(layout, batch) + transport_slab(layout, batch);
  const std::size_t polled = kSlabLeast + kPolledPackets * sizeof(tunnel_packet);
  return batches * (each + slabs) + polled + batch * sizeof(tunnel_packet);
}

Pump::Pump(const Parts& parts, const tunnel_layout& layout, Counts& counts)
    : parts_(parts),
      counts_(counts),
      outbound_(lane_parts(parts), seal_verbs(parts.cipher),
                {device_slab(layout, parts.batch), parts.batch, TUNNEL_VERDICT_SEND}),
      inbound_(lane_parts(parts), open_verbs(parts.cipher),
               {transport_slab(layout, parts.batch), parts.batch, TUNNEL_VERDICT_DELIVER}),
      polled_(kSlabLeast, kPolledPackets, TUNNEL_VERDICT_SEND),
      replies_(parts.batch),
      answer_tokens_(kAnswersPerSecond, kAnswersBurst) {
  set_layout(layout);
}

void Pump::set_layout(const tunnel_layout& layout) noexcept {
  for (Lane* lane : {&outbound_, &inbound_}) {
    for (const auto& batch : lane->batches()) {
      batch->slab.headroom = layout.headroom;
      batch->slab.tailroom = layout.tailroom;
      batch->slab.padding = layout.padding;
      batch->slab.mtu = lane == &outbound_ ? layout.mtu : datagram_mtu(layout);
    }
  }
  poll_buffer_ = layout.poll_buffer;
}

bool Pump::round(const tunnel_time& now) noexcept {
  const bool more_outward = outward(Ask::to_the_end, now);
  return inward(Ask::to_the_end, now) || more_outward;
}

bool Pump::help() noexcept {
  return parts_.pool != nullptr && parts_.pool->help();
}

bool Pump::outward(Ask ask, const tunnel_time& now) noexcept {
  const bool more = outbound(ask, now);
  return timers(now) || more;
}

bool Pump::inward(Ask ask, const tunnel_time& now) noexcept {
  const bool more = inbound(ask, now);
  return timers(now) || more;
}

// ---- 1. outbound ----

bool Pump::outbound(Ask ask, const tunnel_time& now) noexcept {
  write_sealed(now);
  Batch* batch = ask == Ask::no ? nullptr : outbound_.vacant();
  if (batch == nullptr) return false;
  const auto& device = parts_.device;
  const std::int32_t count =
      device.ops.read(device.self, &batch->slab, batch->packets.data(), batch->packets.size());
  if (count < 0 && device_error_ == TUNNEL_OK) device_error_ = count;
  if (count <= 0) return false;
  const auto read = static_cast<std::size_t>(count);
  counts_.device.reads.add(1);
  counts_.device.packets_in.add(read);
  outbound_.take(read, now);
  const bool more = more_after(ask, *batch);
  write_sealed(now);
  return more;
}

// In the order in which they were read: what waits holds up what comes behind it.
void Pump::write_sealed(const tunnel_time& now) noexcept {
  while (Batch* batch = outbound_.decided(now)) {
    if (std::exchange(batch->offered, true)) {
      send_waiting(*batch, now);
    } else {
      refuse(*batch, now);
      send(*batch, batch->gather(batch->read), now);
    }
    if (batch->waiting != 0) return;
    outbound_.release();
  }
}

// Packets that the core would neither seal nor keep.
void Pump::refuse(const Batch& batch, const tunnel_time& now) noexcept {
  for (std::size_t i = 0; i < batch.read; ++i) {
    const tunnel_packet& packet = batch.packets[i];
    if (packet.verdict == TUNNEL_DROP_NO_PEER || packet.verdict == TUNNEL_DROP_NO_ENDPOINT) {
      answer(packet, now);
    } else if (packet.verdict == TUNNEL_VERDICT_WAIT) {
      // A core without staging. To keep the packet would stop all peers because one has no session.
      counts_.device.drop(TUNNEL_DROP_STAGED);
    }
  }
}

// The core leaves the bytes of such a packet as they were (core.h), so they can be quoted.
void Pump::answer(const tunnel_packet& packet, const tunnel_time& now) noexcept {
  if (!parts_.answers) return;
  const auto bytes =
      base::MutableBytesOf<kUnreachableMax>(&answer_bytes_[TUNNEL_HEADROOM], kUnreachableMax);
  const std::size_t length = write_unreachable({packet.data, packet.length}, bytes);
  if (length == 0 || !answer_tokens_.take(now.mono_ns)) return;
  tunnel_packet reply{};
  reply.data = bytes.data();
  reply.length = static_cast<std::uint32_t>(length);
  reply.room = kUnreachableMax + TUNNEL_TAILROOM;
  reply.headroom = TUNNEL_HEADROOM;
  reply.verdict = TUNNEL_VERDICT_DELIVER;
  // An answer that the device does not take is forgotten, like any lost ICMP message; an error of
  // the device shows again at its next read.
  [[maybe_unused]] const auto status = parts_.device.ops.write(parts_.device.self, &reply, 1);
  if (reply.verdict == TUNNEL_VERDICT_SENT) counts_.device.packets_out.add(1);
}

// True when nothing waits any more.
bool Pump::send_waiting(Batch& batch, const tunnel_time& now) noexcept {
  if (batch.waiting == 0) return true;
  if (now.mono_ns - batch.waiting_since_ns > kStaleAfterNs) {
    batch.drop_waiting(TUNNEL_DROP_EXPIRED_KEY, counts_.transport);
    return true;
  }
  send(batch, batch.waiting, now);
  return batch.waiting == 0;
}

void Pump::send(Batch& batch, std::size_t count, const tunnel_time& now) noexcept {
  if (count == 0) return;
  const auto& transport = parts_.transport;
  const std::int32_t status = transport.ops.write(transport.self, batch.packets.data(), count);
  if (status < 0 && transport_error_ == TUNNEL_OK) transport_error_ = status;
  batch.settle(count, now.mono_ns, counts_.transport);
}

// ---- 2. timers ----

bool Pump::timers(const tunnel_time& now) noexcept {
  if (!send_waiting(polled_, now)) return false;
  if (tunnel_core_deadline(parts_.core) > now.mono_ns) return false;
  const std::size_t room = prepare_polled();
  const std::int32_t count = tunnel_core_poll(parts_.core, polled_.packets.data(), room, 1, &now);
  if (count > 0) send(polled_, static_cast<std::size_t>(count), now);
  return deadline() <= now.mono_ns;
}

// The core moves `data` into the buffer, so each poll gets its empty packets anew.
std::size_t Pump::prepare_polled() noexcept {
  const std::size_t count = std::min(polled_.packets.size(), polled_.slab.size / poll_buffer_);
  for (std::size_t i = 0; i < count; ++i) {
    polled_.packets[i] = {};
    polled_.packets[i].data = polled_.slab.bytes + i * poll_buffer_;
    polled_.packets[i].room = poll_buffer_;
  }
  return count;
}

std::uint64_t Pump::deadline() const noexcept {
  return polled_.waiting != 0 ? TUNNEL_TIME_NEVER : tunnel_core_deadline(parts_.core);
}

// ---- 3. inbound ----

bool Pump::inbound(Ask ask, const tunnel_time& now) noexcept {
  write_opened(now);
  Batch* batch = ask == Ask::no ? nullptr : inbound_.vacant();
  if (batch == nullptr) return false;
  const auto& transport = parts_.transport;
  const std::int32_t count = transport.ops.read(transport.self, &batch->slab, batch->packets.data(),
                                                batch->packets.size());
  if (count < 0 && transport_error_ == TUNNEL_OK) transport_error_ = count;
  if (count <= 0) return false;
  const auto read = static_cast<std::size_t>(count);
  counts_.transport.reads.add(1);
  counts_.transport.packets_in.add(read);
  inbound_.take(read, now);
  const bool more = more_after(ask, *batch);
  write_opened(now);
  return more;
}

void Pump::write_opened(const tunnel_time& now) noexcept {
  while (Batch* batch = inbound_.decided(now)) {
    if (std::exchange(batch->offered, true)) {
      deliver(*batch, batch->waiting, now);
    } else {
      send_replies(*batch);
      deliver(*batch, batch->gather(batch->read), now);
    }
    if (batch->waiting != 0) return;
    inbound_.release();
  }
}

// Cookie replies answer handshakes under load. One that would have to wait is dropped: strangers
// cause them, and must not be able to stop us from reading.
void Pump::send_replies(const Batch& batch) noexcept {
  const auto end = batch.packets.begin() + static_cast<std::ptrdiff_t>(batch.read);
  const auto last = std::copy_if(
      batch.packets.begin(), end, replies_.begin(),
      [](const tunnel_packet& packet) { return packet.verdict == TUNNEL_VERDICT_REPLY; });
  const auto replies = static_cast<std::size_t>(last - replies_.begin());
  if (replies == 0) return;
  const auto& transport = parts_.transport;
  const std::int32_t status = transport.ops.write(transport.self, replies_.data(), replies);
  if (status < 0 && transport_error_ == TUNNEL_OK) transport_error_ = status;
  for (std::size_t i = 0; i < replies; ++i) {
    if (replies_[i].verdict == TUNNEL_VERDICT_SENT) {
      counts_.transport.packets_out.add(1);
    } else {
      counts_.transport.drop(replies_[i].verdict);
    }
  }
}

void Pump::deliver(Batch& batch, std::size_t count, const tunnel_time& now) noexcept {
  if (count == 0) return;
  const auto& device = parts_.device;
  const std::int32_t status = device.ops.write(device.self, batch.packets.data(), count);
  if (status < 0 && device_error_ == TUNNEL_OK) device_error_ = status;
  batch.settle(count, now.mono_ns, counts_.device);
}

// ---- between rounds ----

void Pump::settle(const tunnel_time& now) noexcept {
  outbound_.settle(now);
  inbound_.settle(now);
  write_sealed(now);
  write_opened(now);
}

void Pump::drop_sealed(const tunnel_time& now) noexcept {
  outbound_.settle(now);
  while (Batch* batch = outbound_.decided(now)) {
    if (!std::exchange(batch->offered, true)) batch->waiting = batch->gather(batch->read);
    batch->drop_waiting(TUNNEL_DROP_EXPIRED_KEY, counts_.transport);
    outbound_.release();
  }
  polled_.drop_waiting(TUNNEL_DROP_EXPIRED_KEY, counts_.transport);
}

std::int32_t Pump::take_device_error() noexcept {
  return std::exchange(device_error_, TUNNEL_OK);
}

std::int32_t Pump::take_transport_error() noexcept {
  return std::exchange(transport_error_, TUNNEL_OK);
}

}  // namespace tunnel::engine
