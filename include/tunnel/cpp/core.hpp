// tunnel/cpp/core.hpp - owns a core.
#ifndef TUNNEL_CPP_CORE_HPP
#define TUNNEL_CPP_CORE_HPP

#include <tunnel/core.h>
#include <tunnel/cpp/keys.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace tunnel {

// tunnel_peer_info holds the preshared key, so it is wiped when it dies.
struct PeerInfo : tunnel_peer_info {
  PeerInfo() noexcept : tunnel_peer_info(sized<tunnel_peer_info>()) {}
  PeerInfo(const PeerInfo&) = delete;
  PeerInfo& operator=(const PeerInfo&) = delete;
  ~PeerInfo() { tunnel_key_wipe(preshared_key, sizeof preshared_key); }
};

// A whole tunnel without I/O. One thread at a time.
class Core {
 public:
  // Owns `core` from now on.
  explicit Core(tunnel_core* core) noexcept : core_(core) {}

  static Result<Core> create(
      const tunnel_core_config& config = sized<tunnel_core_config>()) noexcept {
    tunnel_core* core = nullptr;
    const auto status = tunnel_core_create(&config, &core);
    return {status, Core(core)};
  }

  tunnel_core* get() const noexcept { return core_.get(); }
  tunnel_core* release() noexcept { return core_.release(); }

  Result<tunnel_layout> layout() const noexcept {
    auto layout = sized<tunnel_layout>();
    const auto status = tunnel_core_layout(get(), &layout);
    return {status, layout};
  }
  std::int32_t set_private_key(const Key& key) noexcept {
    return tunnel_core_set_private_key(get(), key.data());
  }
  std::int32_t clear_private_key() noexcept { return tunnel_core_set_private_key(get(), nullptr); }
  Result<PublicKey> public_key() const noexcept {
    PublicKey key;
    const auto status = tunnel_core_public_key(get(), key.bytes.data());
    return {status, key};
  }
  std::int32_t set_mtu(std::uint32_t mtu) noexcept { return tunnel_core_set_mtu(get(), mtu); }

  // The peer's id.
  Result<std::uint64_t> set_peer(const tunnel_peer_config& config) noexcept {
    std::uint64_t peer = 0;
    const auto status = tunnel_core_set_peer(get(), &config, &peer);
    return {status, peer};
  }
  std::int32_t remove_peer(std::uint64_t peer) noexcept {
    return tunnel_core_remove_peer(get(), peer);
  }
  std::int32_t get_peer(std::uint64_t peer, PeerInfo& info) const noexcept {
    return tunnel_core_get_peer(get(), peer, &info);
  }
  Result<std::uint64_t> find_peer(const PublicKey& key) const noexcept {
    std::uint64_t peer = 0;
    const auto status = tunnel_core_find_peer(get(), key.bytes.data(), &peer);
    return {status, peer};
  }
  // Walks over all peers; begin with cursor 0, NOT_FOUND is the end.
  Result<std::uint64_t> next_peer(std::uint64_t& cursor) const noexcept {
    std::uint64_t peer = 0;
    const auto status = tunnel_core_next_peer(get(), &cursor, &peer);
    return {status, peer};
  }
  // How many prefixes the peer has; as many as fit are copied.
  Result<std::size_t> peer_prefixes(std::uint64_t peer,
                                    std::span<tunnel_prefix> out) const noexcept {
    std::size_t count = 0;
    const auto status = tunnel_core_peer_prefixes(get(), peer, out.data(), out.size(), &count);
    return {status, count};
  }

  std::int32_t seal(std::span<tunnel_packet> packets, const tunnel_time& now) noexcept {
    return tunnel_core_seal(get(), packets.data(), packets.size(), &now);
  }
  std::int32_t open(std::span<tunnel_packet> packets, const tunnel_time& now) noexcept {
    return tunnel_core_open(get(), packets.data(), packets.size(), &now);
  }
  // The number of packets filled, or an error.
  std::int32_t poll(std::span<tunnel_packet> packets, std::uint32_t budget,
                    const tunnel_time& now) noexcept {
    return tunnel_core_poll(get(), packets.data(), packets.size(), budget, &now);
  }
  std::uint64_t deadline() const noexcept { return tunnel_core_deadline(get()); }
  std::int32_t initiate(std::uint64_t peer, const tunnel_time& now) noexcept {
    return tunnel_core_initiate(get(), peer, &now);
  }
  std::int32_t network_changed(const tunnel_time& now) noexcept {
    return tunnel_core_network_changed(get(), &now);
  }
  std::int32_t forget_sessions() noexcept { return tunnel_core_forget_sessions(get()); }

  std::optional<tunnel_event> next_event() noexcept {
    auto event = sized<tunnel_event>();
    if (tunnel_core_next_event(get(), &event) != 1) return std::nullopt;
    return event;
  }
  Result<tunnel_counters> counters() const noexcept {
    auto counters = sized<tunnel_counters>();
    const auto status = tunnel_core_counters(get(), &counters);
    return {status, counters};
  }
  Result<tunnel_cipher> cipher() const noexcept {
    tunnel_cipher cipher{};
    const auto status = tunnel_core_cipher(get(), &cipher);
    return {status, cipher};
  }

 private:
  struct Destroy {
    void operator()(tunnel_core* core) const noexcept { tunnel_core_destroy(core); }
  };
  std::unique_ptr<tunnel_core, Destroy> core_;
};

}  // namespace tunnel

#endif
