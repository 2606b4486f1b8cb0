// uapi_read.h — what a daemon answered to `get=1`, as data. Keys are wiped with it.
#pragma once

#include <tunnel/host/control.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace tunnel::host {

struct SnapshotPeer {
  tunnel_snapshot_peer info = TUNNEL_SNAPSHOT_PEER_INIT;  // its pointers are unset here
  base::Secret<TUNNEL_KEY_SIZE> preshared_key;            // zero = none
  std::string name;
  std::string not_resolved;
  std::vector<tunnel_prefix> allowed_ips;
};

struct Snapshot {
  tunnel_snapshot_interface interface = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  base::Secret<TUNNEL_KEY_SIZE> private_key;  // zero = none
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  tunnel_engine_counters engine = TUNNEL_ENGINE_COUNTERS_INIT;
  std::string file;
  std::vector<SnapshotPeer> peers;
  int error = -1;  // of the final errno line; -1 = there was none
};

// A text as a terminal may show it: who asks is root, and who answers reads what strangers send.
std::string shown(std::string_view text);

// Reads an answer. False when it is none. Keys it does not know are skipped.
bool read_snapshot(std::string_view text, Snapshot& snapshot);

// The errno (positive) of an answer to a set, or nothing when it is none.
std::optional<int> read_set_answer(std::string_view text);

}  // namespace tunnel::host
