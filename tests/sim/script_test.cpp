// A random embedder over a random network, at the smallest limits. Whatever it does and in whatever
// order, the core keeps its promises: what waits has a deadline, at the deadline poll gets on, no
// packet arrives twice or at the wrong place, and in the end traffic flows again.
#include <array>
#include <set>

#include "sim/pair.h"

using namespace sim;

namespace {

constexpr std::size_t kNodes = 3;
constexpr std::uint64_t kMostPolls = 1'000;  // far more than there can be work for

class Script {
 public:
  explicit Script(std::uint32_t seed) : random_(seed) {
    for (std::size_t i = 0; i < kNodes; ++i) {
      Node::Options options;
      options.number = static_cast<std::uint8_t>(i + 1);
      options.seed = seed;
      options.config.max_peers = kNodes - 1;
      options.config.max_sessions = any({0u, 3u});
      options.config.staging_bytes = any({TUNNEL_STAGING_NONE, 1024u, 4096u});
      limits_[i] = options.config.max_sessions == 0 ? 4 * (kNodes - 1) : 3;
      nodes_[i] = std::make_unique<Node>(options);
    }
    for (auto& node : nodes_) {
      for (auto& other : nodes_) {
        if (node != other) set_peer(*node, *other, true);
      }
    }
  }

  void step() {
    auto& node = *nodes_[below(kNodes)];
    auto& other = *nodes_[(node.number() + below(kNodes - 1)) % kNodes];
    switch (below(16)) {
      case 0:
        return set_peer(node, other, below(3) != 0);
      case 1:
        tunnel_core_remove_peer(node.core(), id_of(node, other));
        return;
      case 2:
        return change(node, other);
      case 3:
      case 4:
        now_ += any({0u, 1u, 20u, 5'000u, 30'000u, 200'000u}) * kMillisecond;
        return;
      case 5:
        now_ = std::max(now_, std::min(tunnel_core_deadline(node.core()), now_ + 600 * kSecond));
        return settle(node);
      case 6:
      case 7:
      case 8:
        poll(node, below(4), below(3));
        return;
      case 9:
      case 10:
      case 11:
        return send(node, other);
      default:
        return arrive();
    }
  }

  void check() {
    for (std::size_t i = 0; i < kNodes; ++i) {
      const auto counters = nodes_[i]->counters();
      REQUIRE(counters.sessions <= limits_[i]);
      if (counters.staged_packets > 0) {
        REQUIRE(tunnel_core_deadline(nodes_[i]->core()) != TUNNEL_TIME_NEVER);
      }
    }
  }

  // Puts everything right, waits until all that was is forgotten, and sends around the circle.
  void heal() {
    network_.clear();
    for (auto& node : nodes_) {
      tunnel_core_set_private_key(node->core(), node->private_key());
      tunnel_core_set_mtu(node->core(), TUNNEL_MTU_DEFAULT);
      for (auto& other : nodes_) {
        if (node != other) set_peer(*node, *other, true, 0);
      }
    }
    run_for(700 * kSecond);
    for (std::size_t i = 0; i < kNodes; ++i) {
      auto& to = *nodes_[(i + 1) % kNodes];
      send(*nodes_[i], to);
      run_for(10 * kSecond);
      send(*nodes_[i], to);  // without a pool the first one had to wait
      run_for(kSecond);
      REQUIRE(arrived_.count(sent_) == 1);
    }
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  std::uint32_t any(std::initializer_list<std::uint32_t> values) {
    return values.begin()[below(static_cast<std::uint32_t>(values.size()))];
  }
  tunnel_time time() const { return {now_, kWallStart + now_}; }

  void set_peer(Node& node, const Node& other, bool endpoint) {
    set_peer(node, other, endpoint, any({0u, 0u, 1u, 25u}));
  }

  void set_peer(Node& node, const Node& other, bool endpoint, std::uint32_t keepalive) {
    const bool fresh = id_of(node, other) == 0;
    const auto prefix = prefix4(0, other.number());
    tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
    std::copy(other.public_key(), other.public_key() + 32, config.public_key);
    config.fields = TUNNEL_PEER_ENDPOINT | TUNNEL_PEER_KEEPALIVE;
    config.keepalive_s = keepalive;
    if (endpoint) config.endpoint = other.address;
    config.prefixes = &prefix;
    config.prefix_count = 1;
    std::uint64_t id = 0;
    REQUIRE(tunnel_core_set_peer(node.core(), &config, &id) == TUNNEL_OK);
    if (fresh) REQUIRE(ids_[node.number() - 1u].insert(id).second);  // never used again
  }

  void change(Node& node, const Node& other) {
    const auto now = time();
    switch (below(8)) {
      case 0:
        tunnel_core_set_private_key(node.core(), nullptr);
        return;
      case 1:
      case 2:
      case 3:
        tunnel_core_set_private_key(node.core(), node.private_key());
        return;
      case 4:
        tunnel_core_initiate(node.core(), below(2) == 0 ? 0 : id_of(node, other), &now);
        return;
      case 5:
        tunnel_core_network_changed(node.core(), &now);
        return;
      case 6:
        tunnel_core_forget_sessions(node.core());
        return;
      default:
        tunnel_core_set_mtu(node.core(), any({0u, 64u, 1280u, 1420u}));
    }
  }

  void send(Node& from, const Node& to) {
    const auto size = 28 + below(300);
    const auto inside = inside_packet(from.number(), to.number(), ++sent_, size);
    Bytes bytes(16 + size + 64);
    std::copy(inside.begin(), inside.end(), bytes.begin() + 16);
    tunnel_packet packet{};
    packet.data = &bytes[16];
    packet.length = size;
    packet.room = size + 64;
    packet.headroom = 16;
    const auto now = time();
    REQUIRE(tunnel_core_seal(from.core(), &packet, 1, &now) == TUNNEL_OK);
    if (packet.verdict == TUNNEL_VERDICT_SEND) post(from, packet);
  }

  // Returns how many datagrams came out.
  std::int32_t poll(Node& node, std::uint32_t buffers, std::uint32_t budget) {
    tunnel_layout layout = TUNNEL_LAYOUT_INIT;
    tunnel_core_layout(node.core(), &layout);
    std::vector<Bytes> bytes(buffers, Bytes(layout.poll_buffer));
    std::vector<tunnel_packet> packets(buffers);
    for (std::uint32_t i = 0; i < buffers; ++i) {
      packets[i].data = bytes[i].data();
      packets[i].room = layout.poll_buffer;
    }
    const auto now = time();
    const auto filled = tunnel_core_poll(node.core(), packets.data(), buffers, budget, &now);
    REQUIRE(filled >= 0);
    for (std::int32_t i = 0; i < filled; ++i) post(node, packets[static_cast<std::size_t>(i)]);
    return filled;
  }

  // One buffer and one Diffie-Hellman at a time must come to an end.
  void settle(Node& node) {
    std::uint64_t polls = 0;
    for (; tunnel_core_deadline(node.core()) <= now_ && polls < kMostPolls; ++polls) {
      poll(node, 1, 1);
    }
    REQUIRE(polls < kMostPolls);
  }

  void post(const Node& from, const tunnel_packet& packet) {
    REQUIRE(packet.remote.family == TUNNEL_FAMILY_IPV4);
    Datagram datagram;
    datagram.from = from.address;
    datagram.to = packet.remote;
    datagram.bytes.assign(packet.data, packet.data + packet.length);
    network_.push_back(std::move(datagram));
  }

  // Any datagram of those under way: lost, damaged, delivered, or delivered and kept for later.
  void arrive() {
    if (network_.empty()) return;
    const auto at = network_.begin() + below(static_cast<std::uint32_t>(network_.size()));
    auto datagram = *at;
    if (below(4) != 0) network_.erase(at);
    if (below(8) == 0) return;
    if (below(8) == 0) {
      datagram.bytes[below(static_cast<std::uint32_t>(datagram.bytes.size()))] ^= 0x10;
    }
    open(std::move(datagram));
  }

  void open(Datagram datagram) {
    auto& node = *nodes_[datagram.to.bytes[3] - 1u];
    tunnel_packet packet{};
    packet.data = datagram.bytes.data();
    packet.length = packet.room = static_cast<std::uint32_t>(datagram.bytes.size());
    packet.remote = datagram.from;
    const auto now = time();
    REQUIRE(tunnel_core_open(node.core(), &packet, 1, &now) == TUNNEL_OK);
    if (packet.verdict == TUNNEL_VERDICT_REPLY) post(node, packet);
    if (packet.verdict != TUNNEL_VERDICT_DELIVER) return;
    REQUIRE(packet.data[19] == node.number());
    REQUIRE(packet.peer == id_of(node, *nodes_[packet.data[15] - 1u]));
    const auto number = number_of({packet.data, packet.data + packet.length});
    REQUIRE(number <= sent_);
    REQUIRE(arrived_.insert(number).second);
  }

  // Time that passes without faults.
  void run_for(std::uint64_t ns) {
    const auto end = now_ + ns;
    while (now_ < end) {
      for (auto& node : nodes_) settle(*node);
      while (!network_.empty()) {
        auto datagram = std::move(network_.front());
        network_.erase(network_.begin());
        open(std::move(datagram));
        for (auto& node : nodes_) settle(*node);
      }
      auto next = end;
      for (auto& node : nodes_) next = std::min(next, tunnel_core_deadline(node->core()));
      now_ = std::max(now_, next);
    }
  }

  std::mt19937 random_;
  std::array<std::unique_ptr<Node>, kNodes> nodes_;
  std::array<std::uint64_t, kNodes> limits_{};
  std::array<std::set<std::uint64_t>, kNodes> ids_;
  std::vector<Datagram> network_;
  std::set<std::uint64_t> arrived_;
  std::uint64_t sent_ = 0;
  std::uint64_t now_ = kSecond;
};

}  // namespace

TEST_CASE("whatever an embedder does, what waits has a deadline and traffic flows again",
          "[sim][script]") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Script script(seed);
    for (int step = 0; step < 500; ++step) {
      CAPTURE(step);
      script.step();
      script.check();
    }
    script.heal();
  }
}
