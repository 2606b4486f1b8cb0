// scripted.h — a device or transport that a test fills, empties, obstructs and breaks.
#pragma once

#include <tunnel/device.h>
#include <tunnel/transport.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <type_traits>
#include <vector>

#include "base/base.h"

namespace tunnel::test {

using Bytes = std::vector<std::uint8_t>;

// Where the datagrams of a scripted transport come from.
inline tunnel_address scripted_remote() {
  tunnel_address address{};
  address.family = TUNNEL_FAMILY_IPV4;
  address.port = 51820;
  address.bytes[0] = 192;
  address.bytes[3] = 1;
  return address;
}

// Outlives the engine or pump that uses its table. One thread.
template <class Ops>
struct Scripted {
  static constexpr bool kDevice = std::is_same_v<Ops, tunnel_device_ops>;

  std::deque<Bytes> input;       // read from here
  std::vector<Bytes> output;     // written to here
  std::size_t space = SIZE_MAX;  // packets it takes before it says WAIT
  std::size_t most = SIZE_MAX;   // packets that a read gives
  std::int32_t read_error = 0;
  std::int32_t write_error = 0;
  std::int32_t rebind_status = 0;
  std::uint32_t changes = 0;
  std::int32_t mtu = TUNNEL_MTU_DEFAULT;
  int reads = 0;
  int rebinds = 0;
  bool closed = false;
  Ops ops = make_ops();

  auto table() {
    using Table = std::conditional_t<kDevice, tunnel_device, tunnel_transport>;
    return Table{&ops, this};
  }

 private:
  static Scripted& of(void* self) { return *static_cast<Scripted*>(self); }

  static Ops make_ops() {
    Ops made{};
    made.size = sizeof made;
    made.read = read;
    made.write = write;
    made.wait = [](void*, tunnel_handle*, std::size_t) { return std::int32_t{0}; };
    made.close = [](void* self) { of(self).closed = true; };
    if constexpr (kDevice) {
      made.flags = TUNNEL_DEVICE_LOCAL;
      made.mtu = [](void* self) { return of(self).mtu; };
    } else {
      made.changed = [](void* self) { return std::exchange(of(self).changes, 0U); };
      made.rebind = [](void* self) {
        ++of(self).rebinds;
        return of(self).rebind_status;
      };
    }
    return made;
  }

  static std::int32_t read(void* self, const tunnel_slab* slab, tunnel_packet* packets,
                           std::size_t max) {
    Scripted& scripted = of(self);
    ++scripted.reads;
    if (scripted.read_error != 0) return scripted.read_error;
    base::SlabCursor cursor(*slab);
    std::int32_t count = 0;
    const auto* end = packets + std::min(max, scripted.most);
    for (auto* packet = packets; packet != end && !scripted.input.empty(); ++packet) {
      const Bytes& next = scripted.input.front();
      if (next.size() > cursor.space()) break;
      std::copy(next.begin(), next.end(), cursor.place());
      cursor.take(*packet, static_cast<std::uint32_t>(next.size()));
      if (!kDevice) packet->remote = scripted_remote();
      scripted.input.pop_front();
      ++count;
    }
    return count;
  }

  static bool offered(std::int32_t verdict) {
    if (kDevice) return verdict == TUNNEL_VERDICT_DELIVER;
    return verdict == TUNNEL_VERDICT_SEND || verdict == TUNNEL_VERDICT_REPLY;
  }

  static std::int32_t write(void* self, tunnel_packet* packets, std::size_t count) {
    Scripted& scripted = of(self);
    if (scripted.write_error != 0) return scripted.write_error;
    for (auto* packet = packets; packet != packets + count; ++packet) {
      if (!offered(packet->verdict)) continue;
      packet->verdict = scripted.space == 0 ? TUNNEL_VERDICT_WAIT : TUNNEL_VERDICT_SENT;
      if (scripted.space == 0) continue;
      --scripted.space;
      scripted.output.emplace_back(packet->data, packet->data + packet->length);
    }
    return TUNNEL_OK;
  }
};

using ScriptedDevice = Scripted<tunnel_device_ops>;
using ScriptedTransport = Scripted<tunnel_transport_ops>;

}  // namespace tunnel::test
