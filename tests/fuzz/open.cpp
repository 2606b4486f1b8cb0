// open.cpp — tunnel_core_open with anything: raw datagrams, changed true ones, and true datagrams
// with any inside bytes, as a hostile authenticated peer seals them.
#include <tunnel/tunnel.h>

#include <map>
#include <memory>

#include "input.h"
#include "support/simulation.h"

namespace {

using namespace tunnel;

std::uint64_t everything_goes_to = 0;

// The attacker's router: any bytes are a packet for the victim.
const tunnel_router_ops kAnything{
    sizeof(tunnel_router_ops), [](void*, std::int32_t, tunnel_packet* packets, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) packets[i].peer = everything_goes_to;
    }};

// An attacker with a session at the victim. Lives as long as the process: only what is authentic
// may change the victim, and each input's packets are new ones.
struct World {
  World() {
    sim::Node::Options options;
    options.number = 1;
    options.config.inner = TUNNEL_INNER_ETHERNET;
    options.config.router = {&kAnything, nullptr};
    attacker = &net.add(options);
    victim = &net.add(2);
    tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
    std::copy(victim->public_key(), victim->public_key() + 32, config.public_key);
    config.fields = TUNNEL_PEER_ENDPOINT;
    config.endpoint = victim->address;
    tunnel_core_set_peer(attacker->core(), &config, &everything_goes_to);
    net.add_peer(*victim, *attacker);
    net.send(*attacker, *victim, 0);
    net.run_for(sim::kSecond);
    fuzz::expect(victim->delivered.size() == 1, "the session stands");
  }

  sim::Bytes sealed(base::Bytes inside) {
    sim::Bytes buffer(16 + inside.size() + 64);
    std::copy(inside.begin(), inside.end(), buffer.begin() + 16);
    tunnel_packet packet{};
    packet.data = buffer.data() + 16;
    packet.length = static_cast<std::uint32_t>(inside.size());
    packet.headroom = 16;
    packet.room = static_cast<std::uint32_t>(buffer.size() - 16);
    const auto now = net.time();
    tunnel_core_seal(attacker->core(), &packet, 1, &now);
    fuzz::expect(packet.verdict == TUNNEL_VERDICT_SEND, "the attacker can seal");
    return {packet.data, packet.data + packet.length};
  }

  sim::Simulation net;
  sim::Node* attacker;
  sim::Node* victim;
};

// What must hold of every packet that open gave back.
void check(const tunnel_packet& packet, const sim::Bytes& buffer) {
  const auto verdict = packet.verdict;
  fuzz::expect(verdict == TUNNEL_VERDICT_DELIVER || verdict == TUNNEL_VERDICT_CONSUMED ||
                   verdict == TUNNEL_VERDICT_REPLY || verdict >= TUNNEL_DROP_FIRST,
               "every packet has a verdict");
  if (verdict != TUNNEL_VERDICT_DELIVER) return;
  fuzz::expect(
      packet.data >= buffer.data() && packet.data + packet.length <= buffer.data() + buffer.size(),
      "a delivered packet lies in its buffer");
  const auto header = base::read_ip_header({packet.data, packet.length});
  fuzz::expect(header && header->total_length == packet.length, "only whole IP packets come out");
  fuzz::expect(
      header->family == TUNNEL_FAMILY_IPV4 && header->source[0] == 10 && header->source[3] == 1,
      "only the peer's own addresses come out");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size > 4000) return 0;
  fuzz::Input input(data, size);
  const auto kind = input.byte() % 3;
  sim::Bytes datagram;
  if (kind == 0) datagram.assign(input.rest().begin(), input.rest().end());
  if (kind == 1) {
    datagram = world.sealed(sim::inside_packet(1, 2, 1));
    input.flip(datagram, 0, datagram.size());
  }
  // Without any byte it would be a keepalive, which seal refuses to make.
  if (kind == 2 && !input.rest().empty()) datagram = world.sealed(input.rest());

  tunnel_packet packet{};
  packet.data = datagram.data();
  packet.length = packet.room = static_cast<std::uint32_t>(datagram.size());
  packet.remote = world.attacker->address;
  const auto now = world.net.time();
  fuzz::expect(tunnel_core_open(world.victim->core(), &packet, 1, &now) == TUNNEL_OK, "open works");
  check(packet, datagram);
  world.net.settle(*world.victim);
  world.victim->delivered.clear();
  world.victim->events.clear();
  return 0;
}
