// core_reader.h — reads a core from another thread: tasks on the engine's thread copy a few hundred
// peers at a time, so that packets never wait for a long list.
#pragma once

#include <tunnel/engine.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/base.h"

namespace tunnel::host {

// A part of the peers, filled by one task.
class CorePiece {
 public:
  static constexpr std::size_t kPeers = 256;

  struct Peer {
    tunnel_peer_info info;
    std::size_t first_prefix;  // in prefixes; info.prefix_count of them
  };

  explicit CorePiece(std::uint64_t from) : cursor(from) {}
  ~CorePiece();  // wipes the preshared keys

  // Waits for the task. 0, or an errno.
  int wait();
  // Ends the waiting without a result: the engine goes away.
  void abandon();
  // Runs on the engine's thread; `core` is null when the engine was destroyed.
  void fill(tunnel_core* core) noexcept;

  std::uint64_t cursor;  // where the next piece goes on
  bool last = false;     // there is no next piece
  std::uint32_t mtu = 0;
  std::uint32_t profile = TUNNEL_PROFILE_WIREGUARD;
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  std::vector<Peer> peers;
  std::vector<tunnel_prefix> prefixes;

 private:
  std::int32_t copy(const tunnel_core* core);
  std::int32_t copy_peer(const tunnel_core* core, std::uint64_t peer);
  void finish(int error);

  std::mutex mutex_;  // guards what follows; the rest belongs to the task until it is done
  std::condition_variable done_;
  int error_ = -1;  // -1 = not done
};

class CoreReader {
 public:
  explicit CoreReader(tunnel_engine* engine) : engine_(engine) {}

  // Reads the peers from `cursor` on (0 = from the first). `error` is 0 or an errno; then the
  // result is null. Waits at most five seconds.
  std::shared_ptr<const CorePiece> read(std::uint64_t cursor, int& error);

  // Port of the transport, 0 = unknown.
  std::uint16_t port();

  // What the engine counted; all zero without an engine.
  tunnel_engine_counters engine_counters();

  // Lets go of the engine. When it returns, no call into the engine is under way, and none follows.
  void detach();

 private:
  std::mutex mutex_;  // guards what follows, and is held in calls into the engine
  tunnel_engine* engine_;
  std::shared_ptr<CorePiece> waiting_;
};

}  // namespace tunnel::host
