// status.h - what is known about one running tunnel, and its two forms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "handles.h"
#include "output.h"

namespace simplevpn {

struct TunnelStatus {
  std::string name;
  SnapshotHandle snapshot;  // owns the texts and prefixes that `peers` point to
  tunnel_snapshot_interface interface = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  tunnel_engine_counters engine = TUNNEL_ENGINE_COUNTERS_INIT;
  std::vector<tunnel_snapshot_peer> peers;
  std::vector<std::string> addresses;  // of the interface, "10.9.0.1/24"
  std::uint32_t mtu = 0;               // 0 = unknown
  std::uint64_t now_ns = 0;            // wall clock
};

// A session lives at most 180 s, so an older handshake carries nothing any more.
[[nodiscard]] bool is_live(const TunnelStatus& status, const tunnel_snapshot_peer& peer);

// Ready to print, with final newline.
[[nodiscard]] std::string status_json(const std::vector<TunnelStatus>& tunnels);
[[nodiscard]] std::string status_table(const TunnelStatus& status, bool color);

}  // namespace simplevpn
