#include "host/control/core_reader.h"

#include <cerrno>
#include <chrono>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::chrono::seconds kPatience{5};

// The task owns a share of the piece, so that it may come late, or when nobody waits any more.
using Share = std::shared_ptr<CorePiece>;

void run_task(void* context, tunnel_core* core) {
  const std::unique_ptr<Share> share(static_cast<Share*>(context));
  (*share)->fill(core);
}

}  // namespace

CorePiece::~CorePiece() {
  for (Peer& peer : peers) base::wipe(peer.info.preshared_key, sizeof(peer.info.preshared_key));
}

int CorePiece::wait() {
  std::unique_lock lock(mutex_);
  const bool done = done_.wait_for(lock, kPatience, [this] { return error_ >= 0; });
  return done ? error_ : ETIMEDOUT;
}

void CorePiece::abandon() {
  finish(ENODEV);
}

void CorePiece::finish(int error) {
  const std::lock_guard lock(mutex_);
  if (error_ < 0) error_ = error;
  done_.notify_all();
}

void CorePiece::fill(tunnel_core* core) noexcept {
  if (core == nullptr) return finish(ENODEV);
  const std::int32_t status = guarded([&] { return copy(core); });
  finish(status == TUNNEL_OK ? 0 : ENOMEM);
}

std::int32_t CorePiece::copy(const tunnel_core* core) {
  tunnel_layout layout = TUNNEL_LAYOUT_INIT;
  if (tunnel_core_layout(core, &layout) == TUNNEL_OK) {
    mtu = layout.mtu;
    profile = layout.profile;
  }
  std::int32_t status = tunnel_core_counters(core, &counters);
  std::uint64_t peer = 0;
  for (std::size_t i = 0; status == TUNNEL_OK && i < kPeers; ++i) {
    last = tunnel_core_next_peer(core, &cursor, &peer) != TUNNEL_OK;
    if (last) break;
    status = copy_peer(core, peer);
  }
  return status;
}

std::int32_t CorePiece::copy_peer(const tunnel_core* core, std::uint64_t peer) {
  // Room was taken before, so that no copy of a preshared key stays behind in old memory.
  Peer& to = peers.emplace_back(Peer{TUNNEL_PEER_INFO_INIT, prefixes.size()});
  std::int32_t status = tunnel_core_get_peer(core, peer, &to.info);
  if (status != TUNNEL_OK) return status;
  std::size_t count = to.info.prefix_count;
  prefixes.resize(to.first_prefix + count);
  status = tunnel_core_peer_prefixes(core, peer, prefixes.data() + to.first_prefix, count, &count);
  return status;
}

std::shared_ptr<const CorePiece> CoreReader::read(std::uint64_t cursor, int& error) {
  auto piece = std::make_shared<CorePiece>(cursor);
  piece->peers.reserve(CorePiece::kPeers);
  {
    const std::lock_guard lock(mutex_);
    error = ENODEV;
    if (engine_ == nullptr) return nullptr;
    auto share = std::make_unique<Share>(piece);
    error = ENOMEM;
    if (tunnel_engine_post(engine_, run_task, share.get()) != TUNNEL_OK) return nullptr;
    (void)share.release();  // the task's now
    waiting_ = piece;
  }
  error = piece->wait();
  const std::lock_guard lock(mutex_);
  waiting_ = nullptr;
  if (error != 0) return nullptr;
  return piece;
}

std::uint16_t CoreReader::port() {
  const std::lock_guard lock(mutex_);
  const std::int32_t port = engine_ == nullptr ? 0 : tunnel_engine_port(engine_);
  return static_cast<std::uint16_t>(port > 0 ? port : 0);
}

tunnel_engine_counters CoreReader::engine_counters() {
  const std::lock_guard lock(mutex_);
  tunnel_engine_counters counters = TUNNEL_ENGINE_COUNTERS_INIT;
  if (engine_ != nullptr) (void)tunnel_engine_get_counters(engine_, &counters);
  return counters;
}

void CoreReader::detach() {
  const std::lock_guard lock(mutex_);
  engine_ = nullptr;
  if (waiting_ != nullptr) waiting_->abandon();
}

}  // namespace tunnel::host
