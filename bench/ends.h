// ends.h — cores without a kernel: ends that hand each other datagrams, and batches of packets.
//
// Time is virtual and stands still unless a benchmark moves it, so that no timer runs by accident.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <tunnel/tunnel.hpp>

#include "measure.h"

namespace bench {

inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::size_t kTrain = 47;  // packets of a TCP superpacket at an MTU of 1420

// The inside address of peer `number` is 10.0.0.0 + number.
inline void store_inside(std::uint8_t* bytes, std::uint32_t number) {
  bytes[0] = 10;
  bytes[1] = static_cast<std::uint8_t>(number >> 16);
  bytes[2] = static_cast<std::uint8_t>(number >> 8);
  bytes[3] = static_cast<std::uint8_t>(number);
}

inline tunnel_address outside(std::uint32_t number) {
  tunnel_address address{};
  address.family = TUNNEL_FAMILY_IPV4;
  address.port = 51820;
  store_inside(address.bytes, number);
  address.bytes[0] = 198;
  return address;
}

inline tunnel_cipher find_cipher(const char* name) {
  tunnel_cipher cipher{};
  require(tunnel_cipher_find(name, &cipher) == TUNNEL_OK, "no such cipher");
  return cipher;
}

// Packets one behind another, as a device lays a superpacket into a slab.
class Batch {
 public:
  // `size`: bytes of each inside packet, header included. `to` are numbers of peers, in turn.
  Batch(std::size_t size, std::size_t count, std::uint32_t from, std::vector<std::uint32_t> to)
      : size_(static_cast<std::uint32_t>(size)), stride_((size + 15) / 16 * 16 + 32) {
    plain_.resize(stride_ * count + 16);
    std::mt19937_64 random(size);
    for (auto& byte : plain_) byte = static_cast<std::uint8_t>(random());
    for (std::size_t i = 0; i < count; ++i) {
      std::uint8_t* header = plain_.data() + i * stride_ + 16;
      const std::uint8_t fields[12] = {0x45,
                                       0,
                                       static_cast<std::uint8_t>(size >> 8),
                                       static_cast<std::uint8_t>(size),
                                       0,
                                       0,
                                       0,
                                       0,
                                       64,
                                       17,
                                       0,
                                       0};
      std::copy_n(fields, sizeof fields, header);
      store_inside(header + 12, from);
      store_inside(header + 16, to[i % to.size()]);
    }
    slab_ = plain_;
    packets_.resize(count);
    reset();
  }

  // Fresh packets; not part of what is measured. They are warm in the cache afterwards, as those
  // are that a device has just read.
  void reset() {
    std::copy(plain_.begin(), plain_.end(), slab_.begin());
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      tunnel_packet& packet = packets_[i];
      packet = {};
      packet.data = slab_.data() + i * stride_ + 16;
      packet.length = size_;
      packet.room = static_cast<std::uint32_t>(stride_ - 16);
      packet.headroom = 16;
    }
  }

  // As if they had travelled: from this address, with a verdict of nobody.
  void arrive_from(const tunnel_address& remote) {
    for (auto& packet : packets_) packet.remote = remote, packet.local = {}, packet.verdict = 0;
  }

  void require_all(std::int32_t verdict, const char* what) const {
    for (const auto& packet : packets_) require(packet.verdict == verdict, what);
  }

  std::span<tunnel_packet> packets() { return packets_; }
  std::size_t count() const { return packets_.size(); }
  std::uint32_t padded() const { return (size_ + 15) / 16 * 16; }
  std::size_t stride() const { return stride_; }
  std::uint8_t* bytes() { return slab_.data(); }

 private:
  std::uint32_t size_;
  std::size_t stride_;
  std::vector<std::uint8_t> plain_, slab_;
  std::vector<tunnel_packet> packets_;
};

// One host: a core with a key and an address.
class End {
 public:
  End(std::uint32_t number, const tunnel_cipher& cipher)
      : number_(number), core_(make_core(cipher)) {
    auto key = tunnel::Key::generate_private();
    require(bool(key) && core_.set_private_key(*key) == TUNNEL_OK, "no private key");
    key_ = *core_.public_key();
  }

  tunnel::Core& core() { return core_; }
  const tunnel::PublicKey& key() const { return key_; }
  std::uint32_t number() const { return number_; }
  tunnel_address address() const { return outside(number_); }

  std::uint64_t add(const tunnel::PublicKey& key, std::uint32_t number, bool endpoint) {
    tunnel_prefix prefix{TUNNEL_FAMILY_IPV4, 32, 0, 0, {}};
    store_inside(prefix.bytes, number);
    auto config = tunnel::sized<tunnel_peer_config>();
    std::copy(key.bytes.begin(), key.bytes.end(), config.public_key);
    config.fields = endpoint ? TUNNEL_PEER_ENDPOINT : 0;
    config.endpoint = outside(number);
    config.prefixes = &prefix;
    config.prefix_count = 1;
    const auto peer = core_.set_peer(config);
    require(bool(peer), "a peer was refused");
    return *peer;
  }
  std::uint64_t add(const End& other) { return add(other.key_, other.number_, true); }

 private:
  static tunnel::Core make_core(const tunnel_cipher& cipher) {
    auto config = tunnel::sized<tunnel_core_config>();
    config.cipher = cipher;
    config.staging_bytes = 1 << 16;
    auto core = tunnel::Core::create(config);
    require(bool(core), "no core");
    return *std::move(core);
  }

  std::uint32_t number_;
  tunnel::Core core_;
  tunnel::PublicKey key_;
};

// Room for what poll makes.
class Mail {
 public:
  static constexpr std::size_t kPackets = 8;

  // What `from` has to say now; the packets belong to this object until the next call.
  std::span<tunnel_packet> collect(End& from, const tunnel_time& now) {
    for (std::size_t i = 0; i < kPackets; ++i) {
      packets_[i] = {};
      packets_[i].data = bytes_[i].data() + 16;
      packets_[i].room = static_cast<std::uint32_t>(bytes_[i].size() - 16);
      packets_[i].headroom = 16;
    }
    const auto count = from.core().poll(packets_, 1, now);
    require(count >= 0, "poll failed");
    for (auto& packet : packets_) packet.remote = from.address(), packet.local = {};
    return std::span(packets_).first(static_cast<std::size_t>(count));
  }

 private:
  std::array<std::array<std::uint8_t, 2048>, kPackets> bytes_;
  std::array<tunnel_packet, kPackets> packets_;
};

// Carries datagrams both ways until nobody has anything to say.
inline void talk(End& a, End& b, const tunnel_time& now) {
  Mail mail;
  for (bool busy = true; busy;) {
    const auto there = mail.collect(a, now);
    busy = !there.empty();
    if (busy) require(b.core().open(there, now) == TUNNEL_OK, "open failed");
    const auto back = mail.collect(b, now);
    busy = busy || !back.empty();
    if (!back.empty()) require(a.core().open(back, now) == TUNNEL_OK, "open failed");
  }
}

// A session that `a` began; both know each other already.
inline void connect(End& a, End& b, const tunnel_time& now) {
  const auto peer = a.core().find_peer(b.key());
  require(bool(peer) && a.core().initiate(*peer, now) == TUNNEL_OK, "no handshake begins");
  talk(a, b, now);
  tunnel::PeerInfo info;
  require(a.core().get_peer(*peer, info) == TUNNEL_OK && info.has_session == 1, "no session");
}

inline tunnel_time start_of_time() {
  return {1'000 * kSecond, 1'700'000'000 * kSecond};
}

}  // namespace bench
