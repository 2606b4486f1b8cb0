// uapi_set.h — the lines of a `set=1` request as changes to a tunnel. Text in, data out: nothing
// here touches a core.
#pragma once

#include <tunnel/core.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "host/config/config.h"

namespace tunnel::host {

struct InterfaceChange {
  enum class Kind { private_key, port, mark, replace_peers };

  Kind kind;
  base::Secret<TUNNEL_KEY_SIZE> private_key;  // zero = none
  std::uint32_t value = 0;                    // of port and mark
};

// What a request says about one peer: a public_key line and those after it.
struct PeerChange {
  PublicKey key{};
  bool removes = false;
  std::uint32_t fields = 0;  // TUNNEL_PEER_ of what was given
  std::uint32_t flags = 0;   // TUNNEL_PEER_UPDATE_ONLY, TUNNEL_PEER_REPLACE_PREFIXES
  base::Secret<TUNNEL_KEY_SIZE> preshared_key;
  tunnel_address endpoint{};
  std::uint32_t keepalive_s = 0;
  std::vector<tunnel_prefix> prefixes;
  // Our own keys:
  std::optional<std::string> name;  // x_name; "" takes the name away
  std::string host;                 // x_endpoint=HOST:PORT, a name to be looked up; "" = not given
  std::uint16_t host_port = 0;
};

// In order: first all of the interface, then the peers.
struct Changes {
  std::vector<InterfaceChange> interface;
  std::vector<PeerChange> peers;
};

// Reads the lines after "set=1" one by one. As wireguard-go does it, the lines before a faulty one
// hold, and nothing from it on: the rest of the request is skipped. Changes are taken out in
// bounded pieces while the request still comes in; a peer with a very long list is cut in two.
class SetParser {
 public:
  static constexpr std::size_t kPieceLines = 512;
  static constexpr std::size_t kLongestHost = 253;

  void take(std::string_view line);
  // Changes are to be taken out before the next line.
  bool is_full() const noexcept;
  // All changes so far; with `ended` also the last peer, to which no more lines come.
  Changes take_changes(bool ended);

  // Why lines are skipped: an errno, or 0.
  int error() const noexcept { return error_; }
  void fail(int error) noexcept { error_ = error; }

 private:
  int take_interface(std::string_view key, std::string_view value);
  int take_peer(std::string_view key, std::string_view value);
  int begin_peer(std::string_view value);
  int change_interface(InterfaceChange::Kind kind, std::string_view value, std::uint32_t most);

  Changes changes_;
  std::size_t lines_ = 0;       // in changes_
  std::size_t peer_lines_ = 0;  // of the last peer among them; 0 = no peer has begun
  int error_ = 0;
};

}  // namespace tunnel::host
