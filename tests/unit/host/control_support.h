// control_support.h — a daemon in little, and a client of its control socket.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <tunnel/host/control.h>

#include <memory>
#include <string>
#include <utility>

#include "base/base.h"
#include "config_support.h"
#include "host/control/socket_file.h"
#include "running_engine.h"
#include "scratch.h"
#include "support/catch.hpp"

namespace tunnel::test {

// A daemon that does not answer by then fails the test. 10,000 peers under a sanitizer took more
// than 5 s on a busy machine.
inline constexpr std::uint32_t kPatience_ms = 60'000;

struct ControlDeleter {
  void operator()(tunnel_control* control) const { tunnel_control_close(control); }
};
using ControlPtr = std::unique_ptr<tunnel_control, ControlDeleter>;

struct SnapshotDeleter {
  void operator()(tunnel_snapshot* snapshot) const { tunnel_snapshot_destroy(snapshot); }
};
using SnapshotPtr = std::unique_ptr<tunnel_snapshot, SnapshotDeleter>;

// A daemon in little: engine, control socket, and the rule that a deleted socket ends it.
struct Daemon {
  explicit Daemon(const std::string& text, const char* name = "wg0", bool udp = false)
      : parsed(parse(text)), engine(parsed.config.get(), udp) {
    config.name = name;
    directory = scratch.file("wireguard");
    config.directory = directory.c_str();
    config.engine = engine.get();
    config.config = parsed.config.get();
    config.removed = [](void* self) {
      (void)tunnel_engine_stop(static_cast<tunnel_engine*>(self));
    };
    config.context = engine.get();
  }

  std::int32_t open() {
    tunnel_control* opened = nullptr;
    const std::int32_t status = tunnel_control_open(&config, &opened);
    control.reset(opened);
    return status;
  }
  void start() {
    REQUIRE(open() == TUNNEL_OK);
    engine.start();
  }
  SnapshotPtr ask() const {
    tunnel_snapshot* snapshot = nullptr;
    REQUIRE(tunnel_snapshot_read(directory.c_str(), config.name, kPatience_ms, &snapshot) ==
            TUNNEL_OK);
    return SnapshotPtr(snapshot);
  }
  std::string socket() const { return directory + "/" + config.name + ".sock"; }

  const Scratch scratch;
  const Parsed parsed;
  RunningEngine engine;
  std::string directory;
  tunnel_control_config config = TUNNEL_CONTROL_CONFIG_INIT;
  ControlPtr control;  // goes first: it uses the engine
};

inline tunnel_snapshot_interface interface_of(const SnapshotPtr& snapshot) {
  tunnel_snapshot_interface out = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  REQUIRE(tunnel_snapshot_get_interface(snapshot.get(), &out) == TUNNEL_OK);
  return out;
}

inline tunnel_snapshot_peer peer_of(const SnapshotPtr& snapshot, std::size_t index) {
  tunnel_snapshot_peer out = TUNNEL_SNAPSHOT_PEER_INIT;
  REQUIRE(tunnel_snapshot_get_peer(snapshot.get(), index, &out) == TUNNEL_OK);
  return out;
}

inline base::Descriptor connect(const Daemon& daemon) {
  auto fd = host::connect_to(daemon.socket(), kPatience_ms);
  REQUIRE(fd);
  const timeval patience{kPatience_ms / 1000, 0};
  REQUIRE(::setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  return std::move(*fd);
}

// What the daemon says until it hangs up or has answered `answers` requests.
inline std::string talk(const base::Descriptor& fd, const std::string& request, int answers = 1) {
  REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
  std::string text;
  char part[4096];
  while (answers > 0) {
    const ssize_t size = ::recv(fd.get(), part, sizeof(part), 0);
    if (size <= 0) return text;
    text.append(part, static_cast<std::size_t>(size));
    if (text.ends_with("\n\n")) --answers;
  }
  return text;
}

}  // namespace tunnel::test
