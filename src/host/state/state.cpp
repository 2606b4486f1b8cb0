#include "host/state/state.h"

#include <tunnel/keys.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr const char* kSuffix = ".endpoints";
constexpr std::chrono::seconds kPause{1};  // between two writes
constexpr std::size_t kMostEndpoints = std::size_t{1} << 17;
constexpr std::size_t kLargestFile = std::size_t{64} << 20;

void read_line(std::string_view line, Endpoints& endpoints) {
  PublicKey key{};
  const std::size_t blank = std::min(line.find(' '), line.size());
  if (tunnel_key_from_text(line.data(), blank, key.data()) != TUNNEL_OK) return;
  const auto endpoint = read_address(line.substr(std::min(blank + 1, line.size())));
  if (endpoint && endpoint->port != 0) endpoints[key] = *endpoint;
}

// Gives one peer its stored endpoint, unless it has one. A newer endpoint may stand in the file of
// the configuration, and the user who wrote it knows better.
std::int32_t restore(tunnel_core* core, const tunnel_peer_info& info,
                     const tunnel_address& stored) {
  if (info.endpoint.family != TUNNEL_FAMILY_NONE) return TUNNEL_OK;
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  config.fields = TUNNEL_PEER_ENDPOINT;
  config.flags = TUNNEL_PEER_UPDATE_ONLY;
  std::copy_n(info.public_key, TUNNEL_KEY_SIZE, config.public_key);
  config.endpoint = stored;
  return tunnel_core_set_peer(core, &config, nullptr);
}

}  // namespace

Endpoints read_endpoints(std::string_view text) {
  Endpoints endpoints;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    read_line(text.substr(0, end), endpoints);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return endpoints;
}

std::string write_endpoints(const Endpoints& endpoints) {
  std::string text;
  for (const auto& [peer, endpoint] : endpoints) {
    std::array<char, TUNNEL_KEY_TEXT_SIZE> key{};
    if (tunnel_key_to_text(peer.data(), key.data()) != TUNNEL_OK) continue;
    text += std::string(key.data()) + " " + address_text(endpoint) + "\n";
  }
  return text;
}

State::State(base::Descriptor directory, std::string name, Endpoints endpoints)
    : directory_(std::move(directory)),
      file_(std::move(name) + kSuffix),
      endpoints_(std::move(endpoints)) {}

State::~State() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  news_.notify_all();
  if (writer_.joinable()) writer_.join();
}

std::int32_t State::apply(tunnel_core* core) {
  const std::lock_guard lock(mutex_);
  Endpoints known;
  std::uint64_t cursor = 0;
  std::uint64_t peer = 0;
  while (tunnel_core_next_peer(core, &cursor, &peer) == TUNNEL_OK) {
    tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
    if (tunnel_core_get_peer(core, peer, &info) != TUNNEL_OK) continue;
    base::wipe(info.preshared_key, sizeof(info.preshared_key));
    const auto stored = endpoints_.find(public_key_of(info.public_key));
    if (stored == endpoints_.end()) continue;
    known.insert(*stored);
    const std::int32_t status = restore(core, info, stored->second);
    if (status != TUNNEL_OK) return status;
  }
  endpoints_ = std::move(known);
  return TUNNEL_OK;
}

void State::set(const PublicKey& peer, const tunnel_address& endpoint) {
  const std::lock_guard lock(mutex_);
  if (endpoints_.size() >= kMostEndpoints && !endpoints_.contains(peer)) return;
  endpoints_[peer] = endpoint;
  changed();
}

void State::forget(const PublicKey& peer) {
  const std::lock_guard lock(mutex_);
  if (endpoints_.erase(peer) != 0) changed();
}

// With the mutex held.
void State::changed() {
  unwritten_ = true;
  if (!writer_.joinable()) writer_ = std::thread([this] { write_when_changed(); });
  news_.notify_all();
}

void State::write_when_changed() {
  std::unique_lock lock(mutex_);
  while (!ending_ || unwritten_) {
    news_.wait(lock, [this] { return unwritten_ || ending_; });
    if (!unwritten_) return;
    unwritten_ = false;
    // Losing the file loses time only, so that memory or a disk that are full are no fault here:
    // the next move is tried again.
    (void)guarded([&]() -> std::int32_t {
      const std::string text = write_endpoints(endpoints_);
      lock.unlock();
      return replace_file(directory_, file_, text);
    });
    if (!lock.owns_lock()) lock.lock();
    news_.wait_for(lock, kPause, [this] { return ending_; });
  }
}

base::Result<std::unique_ptr<State>> open_state(const std::string& directory,
                                                const std::string& name) {
  if (!is_tunnel_name(name)) return base::Error{TUNNEL_ERR_ARGUMENT};
  auto opened = open_directory(directory);
  if (!opened) return base::Error{opened.status()};
  const auto text = read_file(directory + "/" + name + kSuffix, kLargestFile, nullptr);
  if (text.status() == TUNNEL_ERR_PERMISSION) return base::Error{text.status()};
  Endpoints endpoints;
  if (text) endpoints = read_endpoints(text->text());
  return std::make_unique<State>(std::move(*opened), name, std::move(endpoints));
}

std::int32_t remove_state(const std::string& directory, const std::string& name) {
  return remove_file(directory, name + kSuffix);
}

std::vector<std::string> state_names(const std::string& directory) {
  std::vector<std::string> names = tunnels_with_file(directory, kSuffix);
  for (std::string& name : tunnels_with_file(directory, unfinished_name(kSuffix))) {
    if (!std::binary_search(names.begin(), names.end(), name)) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace tunnel::host
