// state.h — door of the room `host/state`: the last endpoints of peers, kept on disk.
#pragma once

#include <tunnel/core.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/base.h"
#include "host/config/config.h"

namespace tunnel::host {

using Endpoints = std::unordered_map<PublicKey, tunnel_address, PublicKeyHash>;

// One line for each peer: base64 public key, blank, endpoint. What is damaged is left out.
Endpoints read_endpoints(std::string_view text);
std::string write_endpoints(const Endpoints& endpoints);

// The endpoints of one tunnel. set() may be called from any thread and never waits for the disk: a
// thread of our own, which starts with the first change, writes, at most once a second.
class State {
 public:
  // `directory` is open; `name` is the name of the tunnel.
  State(base::Descriptor directory, std::string name, Endpoints endpoints);
  ~State();  // writes what is not yet written

  // Gives what is stored to those peers of the core that have no endpoint; forgets other peers.
  std::int32_t apply(tunnel_core* core);

  void set(const PublicKey& peer, const tunnel_address& endpoint);
  void forget(const PublicKey& peer);

 private:
  void changed();
  void write_when_changed();

  const base::Descriptor directory_;
  const std::string file_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable news_;
  Endpoints endpoints_;
  bool unwritten_ = false;
  bool ending_ = false;

  std::thread writer_;
};

// Opens the directory (made when missing) and reads the tunnel's file, if there is one.
base::Result<std::unique_ptr<State>> open_state(const std::string& directory,
                                                const std::string& name);

// Deletes the tunnel's file. Nobody uses it: the caller has made sure of that.
std::int32_t remove_state(const std::string& directory, const std::string& name);

// Names of the tunnels that have a file.
std::vector<std::string> state_names(const std::string& directory);

}  // namespace tunnel::host
