// plain.cpp — tunnel_core_open and _seal of the plain profile with anything, from anywhere.
//
// Nobody has to break a cipher here, so what is left must hold for every byte: only whole IP
// packets of the peer's own addresses come out, only from its own address, and nothing moves it.
#include <tunnel/tunnel.h>

#include "base/base.h"
#include "input.h"
#include "support/simulation.h"

namespace {

using namespace tunnel;

struct World {
  World() {
    sim::Node::Options options;
    options.config.profile = TUNNEL_PROFILE_PLAIN;
    options.number = 1;
    peer = &net.add(options);
    options.number = 2;
    node = &net.add(options);
    id = net.add_peer(*node, *peer);
  }

  sim::Simulation net;
  sim::Node* peer;
  sim::Node* node;
  std::uint64_t id;
};

void check_opened(const tunnel_packet& packet, const sim::Bytes& buffer, const World& world) {
  fuzz::expect(packet.verdict == TUNNEL_VERDICT_DELIVER || packet.verdict >= TUNNEL_DROP_FIRST,
               "a datagram is delivered or dropped, never answered");
  if (packet.verdict != TUNNEL_VERDICT_DELIVER) return;
  fuzz::expect(base::same_address(packet.remote, world.peer->address), "only from the peer");
  fuzz::expect(packet.data == buffer.data() && packet.length <= buffer.size(), "in its buffer");
  const auto header = base::read_ip_header({packet.data, packet.length});
  fuzz::expect(header && header->total_length == packet.length, "only whole IP packets come out");
  fuzz::expect(header->family == TUNNEL_FAMILY_IPV4 && header->source[3] == 1,
               "only the peer's own addresses come out");
}

void check_sealed(const tunnel_packet& packet, const sim::Bytes& before, const World& world) {
  fuzz::expect(packet.verdict == TUNNEL_VERDICT_SEND || packet.verdict >= TUNNEL_DROP_FIRST,
               "a packet is sent or dropped, never kept");
  if (packet.verdict != TUNNEL_VERDICT_SEND) return;
  fuzz::expect(base::same_address(packet.remote, world.peer->address), "to the peer");
  fuzz::expect(std::equal(before.begin(), before.end(), packet.data, packet.data + packet.length),
               "byte for byte");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size > 4000) return 0;
  fuzz::Input input(data, size);
  const auto choice = input.byte();
  sim::Bytes buffer(input.rest().begin(), input.rest().end());
  const auto before = buffer;

  tunnel_packet packet{};
  packet.data = buffer.data();
  packet.length = packet.room = static_cast<std::uint32_t>(buffer.size());
  packet.remote = world.peer->address;
  if (choice % 4 == 1) packet.remote.port = choice;
  if (choice % 4 == 2) packet.remote = sim::ipv4(choice);
  packet.flags = choice >= 0xf0 ? TUNNEL_PACKET_TRUNCATED : 0;
  const auto now = world.net.time();
  auto* core = world.node->core();
  if (choice % 4 == 3) {
    fuzz::expect(tunnel_core_seal(core, &packet, 1, &now) == TUNNEL_OK, "seal works");
    check_sealed(packet, before, world);
  } else {
    fuzz::expect(tunnel_core_open(core, &packet, 1, &now) == TUNNEL_OK, "open works");
    check_opened(packet, buffer, world);
  }
  tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
  tunnel_core_get_peer(core, world.id, &info);
  fuzz::expect(base::same_address(info.endpoint, world.peer->address), "nothing moves the peer");
  fuzz::expect(tunnel_core_deadline(core) == TUNNEL_TIME_NEVER, "nothing is ever due");
  return 0;
}
