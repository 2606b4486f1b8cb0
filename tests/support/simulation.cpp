#include "support/simulation.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

namespace sim {

namespace {

constexpr std::size_t kBuffer = 2048;

// A packet with all the room a core may ask for.
struct Buffer {
  std::array<std::uint8_t, 64 + kBuffer> bytes{};
  tunnel_packet packet{};

  explicit Buffer(const Bytes& content = {}) {
    assert(content.size() <= kBuffer);
    std::copy(content.begin(), content.end(), bytes.begin() + 64);
    packet.data = bytes.data() + 64;
    packet.length = static_cast<std::uint32_t>(content.size());
    packet.room = kBuffer;
    packet.headroom = 64;
  }
  Bytes content() const { return {packet.data, packet.data + packet.length}; }
};

bool same(const tunnel_address& a, const tunnel_address& b) {
  return a.family == b.family && a.port == b.port && std::memcmp(a.bytes, b.bytes, 16) == 0;
}

}  // namespace

tunnel_address ipv4(std::uint8_t last, std::uint16_t port) {
  tunnel_address address{};
  address.family = TUNNEL_FAMILY_IPV4;
  address.port = port;
  const std::array<std::uint8_t, 4> bytes{192, 0, 2, last};
  std::copy(bytes.begin(), bytes.end(), address.bytes);
  return address;
}

tunnel_prefix prefix4(std::uint8_t c, std::uint8_t d, std::uint8_t length) {
  tunnel_prefix prefix{};
  prefix.family = TUNNEL_FAMILY_IPV4;
  prefix.length = length;
  const std::array<std::uint8_t, 4> bytes{10, 0, c, d};
  std::copy(bytes.begin(), bytes.end(), prefix.bytes);
  return prefix;
}

Bytes inside_packet(std::uint8_t from, std::uint8_t to, std::uint64_t number, std::size_t size) {
  Bytes packet(size);
  packet[0] = 0x45;
  packet[2] = static_cast<std::uint8_t>(size >> 8);
  packet[3] = static_cast<std::uint8_t>(size);
  packet[8] = 64;
  packet[9] = 17;
  packet[12] = packet[16] = 10;
  packet[15] = from;
  packet[19] = to;
  for (std::size_t i = 0; i < 8; ++i) {
    packet[20 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  for (std::size_t i = 28; i < size; ++i) packet[i] = static_cast<std::uint8_t>(i);
  return packet;
}

std::uint64_t number_of(const Bytes& inside) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number |= std::uint64_t{inside.at(20 + i)} << (8 * i);
  return number;
}

// ---- node

Node::Node(const Options& options) : address(ipv4(options.number)), options_(options) {
  std::memset(private_key_, options.number, sizeof private_key_);
  private_key_[1] = 0x5a;
  tunnel_key_public(private_key_, public_key_);
  create();
}

Node::~Node() {
  tunnel_core_destroy(core_);
}

void Node::create() {
  std::array<std::uint8_t, 32> seed{};
  for (std::size_t i = 0; i < 8; ++i) {
    seed[i] = static_cast<std::uint8_t>(options_.seed >> (8 * i));
  }
  seed[31] = options_.number;
  auto config = options_.config;
  config.test_seed = seed.data();
  [[maybe_unused]] const auto status = tunnel_core_create(&config, &core_);
  assert(status == TUNNEL_OK);
  tunnel_core_set_private_key(core_, private_key_);
}

void Node::restart() {
  tunnel_core_destroy(core_);
  ++options_.seed;
  create();
}

std::uint64_t Node::count(std::uint32_t event_kind) const {
  return static_cast<std::uint64_t>(std::count_if(
      events.begin(), events.end(), [&](const auto& event) { return event.kind == event_kind; }));
}

tunnel_counters Node::counters() const {
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  tunnel_core_counters(core_, &counters);
  return counters;
}

std::uint64_t Node::drops(std::int32_t reason) const {
  return counters().drops[reason - TUNNEL_DROP_FIRST];
}

// ---- simulation

Node& Simulation::add(std::uint8_t number) {
  Node::Options options;
  options.number = number;
  return add(options);
}

Node& Simulation::add(Node::Options options) {
  nodes_.push_back(std::make_unique<Node>(options));
  return *nodes_.back();
}

std::uint64_t Simulation::add_peer(Node& node, const Node& other, bool endpoint,
                                   std::uint32_t keepalive_s, const std::uint8_t* preshared) {
  const auto prefix = prefix4(0, other.number());
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  std::memcpy(config.public_key, other.public_key(), sizeof config.public_key);
  config.prefixes = &prefix;
  config.prefix_count = 1;
  config.fields = TUNNEL_PEER_KEEPALIVE;
  config.keepalive_s = keepalive_s;
  if (endpoint) {
    config.fields |= TUNNEL_PEER_ENDPOINT;
    config.endpoint = other.address;
  }
  if (preshared != nullptr) {
    config.fields |= TUNNEL_PEER_PRESHARED_KEY;
    std::memcpy(config.preshared_key, preshared, sizeof config.preshared_key);
  }
  std::uint64_t id = 0;
  [[maybe_unused]] const auto status = tunnel_core_set_peer(node.core(), &config, &id);
  assert(status == TUNNEL_OK);
  return id;
}

void Simulation::send(Node& from, const Node& to, std::uint64_t number, std::size_t size) {
  Buffer buffer(inside_packet(from.number(), to.number(), number, size));
  const auto now = time();
  tunnel_core_seal(from.core(), &buffer.packet, 1, &now);
  from.seal_verdicts.push_back(buffer.packet.verdict);
  if (buffer.packet.verdict == TUNNEL_VERDICT_SEND) post(from, buffer.packet);
  settle(from);
}

void Simulation::inject(Datagram datagram, std::uint64_t delay_ns) {
  datagram.when = now_ + delay_ns;
  datagram.order = order_++;
  network_.push(std::move(datagram));
}

std::int32_t Simulation::open_only(Node& node, const Datagram& datagram) {
  Buffer buffer(datagram.bytes);
  buffer.packet.remote = datagram.from;
  buffer.packet.local = datagram.to;
  buffer.packet.local.port = 0;
  const auto now = time();
  tunnel_core_open(node.core(), &buffer.packet, 1, &now);
  const auto verdict = buffer.packet.verdict;
  if (verdict == TUNNEL_VERDICT_DELIVER) node.delivered.push_back(buffer.content());
  if (verdict == TUNNEL_VERDICT_REPLY) post(node, buffer.packet);
  return verdict;
}

std::int32_t Simulation::open_now(Node& node, const Datagram& datagram) {
  const auto verdict = open_only(node, datagram);
  settle(node);
  return verdict;
}

void Simulation::settle(Node& node) {
  const auto now = time();
  for (;;) {
    std::vector<Buffer> buffers(4);
    std::array<tunnel_packet, 4> packets;
    for (std::size_t i = 0; i < packets.size(); ++i) packets[i] = buffers[i].packet;
    const auto filled = tunnel_core_poll(node.core(), packets.data(), packets.size(), 1, &now);
    assert(filled >= 0);
    for (std::int32_t i = 0; i < filled; ++i) post(node, packets[static_cast<std::size_t>(i)]);
    if (tunnel_core_deadline(node.core()) > now_) break;
  }
  tunnel_event event = TUNNEL_EVENT_INIT;
  while (tunnel_core_next_event(node.core(), &event) == 1) node.events.push_back(event);
}

void Simulation::post(Node& from, const tunnel_packet& packet) {
  Datagram datagram;
  datagram.from = from.address;
  datagram.to = packet.remote;
  datagram.bytes.assign(packet.data, packet.data + packet.length);
  if (tap) tap(datagram);
  if (lose && lose(datagram)) return;
  const auto hit = [&](std::uint32_t ppm) { return ppm != 0 && random_() % 1'000'000 < ppm; };
  if (hit(faults.loss_ppm)) return;
  for (int copies = hit(faults.duplicate_ppm) ? 2 : 1; copies > 0; --copies) {
    inject(datagram, faults.delay_ns + (faults.jitter_ns == 0 ? 0 : random_() % faults.jitter_ns));
  }
}

void Simulation::deliver(const Datagram& datagram) {
  for (auto& node : nodes_) {
    if (!same(node->address, datagram.to)) continue;
    if (!node->stopped) open_now(*node, datagram);
    return;
  }
}

std::uint64_t Simulation::next_time() const {
  auto next = network_.empty() ? TUNNEL_TIME_NEVER : network_.top().when;
  for (const auto& node : nodes_) {
    if (!node->stopped) next = std::min(next, tunnel_core_deadline(node->core()));
  }
  return std::max(next, now_);
}

void Simulation::run_until(std::uint64_t when) {
  for (auto next = next_time(); next <= when; next = next_time()) {
    now_ = next;
    while (!network_.empty() && network_.top().when <= now_) {
      const auto datagram = network_.top();
      network_.pop();
      deliver(datagram);
    }
    for (auto& node : nodes_) {
      if (!node->stopped && tunnel_core_deadline(node->core()) <= now_) settle(*node);
    }
  }
  now_ = std::max(now_, when);
}

}  // namespace sim
