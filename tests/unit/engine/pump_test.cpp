#include "engine/pump.h"

#include <random>

#include "cores.h"
#include "scripted.h"
#include "support/catch.hpp"

using tunnel::engine::Counts;
using tunnel::engine::CryptPool;
using tunnel::engine::Pump;
using tunnel::test::inside_packet;
using tunnel::test::number_of;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

tunnel_time at(std::uint64_t mono_ns) {
  return {.mono_ns = 100 * kSecond + mono_ns, .wall_ns = 1'700'000'000 * kSecond + mono_ns};
}

// A pump with everything that it borrows. With more than one batch each way there is a pool; it has
// no threads, so that what the cipher does is up to the test.
struct Node {
  Node(tunnel_core* borrowed, std::size_t batches) : core(borrowed) {
    if (batches > 1) pool = CryptPool::create(0, 2 * batches);
    tunnel_cipher cipher{};
    REQUIRE(tunnel_core_cipher(core, &cipher) == TUNNEL_OK);
    tunnel_layout layout = TUNNEL_LAYOUT_INIT;
    REQUIRE(tunnel_core_layout(core, &layout) == TUNNEL_OK);
    const Pump::Parts parts{
        .core = core,
        .cipher = cipher,
        .device = *tunnel::engine::read_table(device.table().ops, device.table().self),
        .transport = *tunnel::engine::read_table(transport.table().ops, transport.table().self),
        .batch = 64,
        .answers = true,
        .pool = pool.get(),
        .batches = batches};
    pump = std::make_unique<Pump>(parts, layout, counts);
  }

  // Runs rounds until nothing moves.
  void drain(std::uint64_t mono_ns) {
    while (pump->round(at(mono_ns)) || pump->help()) {
    }
  }

  tunnel_core* core;
  tunnel::test::ScriptedDevice device;
  tunnel::test::ScriptedTransport transport;
  Counts counts;
  std::unique_ptr<CryptPool> pool;
  std::unique_ptr<Pump> pump;
};

void carry(Node& from, Node& to) {
  for (auto& datagram : from.transport.output) to.transport.input.push_back(std::move(datagram));
  from.transport.output.clear();
}

// Whatever holds without a pool holds with one.
std::size_t some_batches() {
  return GENERATE(std::size_t{1}, std::size_t{3});
}

struct Tunnel {
  // Carries datagrams both ways until there are none.
  void settle(std::uint64_t mono_ns) {
    do {
      a.drain(mono_ns);
      carry(a, b);
      b.drain(mono_ns);
      carry(b, a);
    } while (!a.transport.input.empty());
  }

  // With a session on both sides.
  void connect() {
    a.device.input.push_back(inside_packet(1, 2, 0));
    settle(0);
    REQUIRE(b.device.output.size() == 1);
    b.device.output.clear();
  }

  tunnel::test::CorePair pair{{tunnel::test::scripted_remote(), tunnel::test::scripted_remote()}};
  std::size_t batches = some_batches();
  Node a{pair.cores[0].get(), batches};
  Node b{pair.cores[1].get(), batches};
};

std::uint64_t drops(const tunnel::engine::SideCounts& side, int reason) {
  return side.drops[static_cast<std::size_t>(reason - TUNNEL_DROP_FIRST)].get();
}

void check_in_order(const std::vector<tunnel::test::Bytes>& packets, std::size_t count) {
  REQUIRE(packets.size() == count);
  for (std::size_t i = 0; i < count; ++i) CHECK(number_of(packets[i]) == i);
}

}  // namespace

TEST_CASE("a side is read when it is asked, and again when much came", "[engine][pump]") {
  using Ask = Pump::Ask;
  Tunnel tunnel;
  tunnel.connect();
  auto& device = tunnel.a.device;
  auto& pump = *tunnel.a.pump;
  const int device_reads = device.reads;
  device.input.push_back(inside_packet(1, 2, 0));
  CHECK_FALSE(pump.outward(Ask::no, at(1)));
  CHECK_FALSE(pump.inward(Ask::no, at(1)));
  CHECK(device.reads == device_reads);
  // One packet: the device will say when there is more.
  CHECK_FALSE(pump.outward(Ask::once, at(1)));
  CHECK(device.reads == device_reads + 1);
  CHECK(tunnel.a.transport.output.size() == 1);
  // A device that cannot say so is asked until it has nothing.
  device.input.push_back(inside_packet(1, 2, 1));
  CHECK(pump.outward(Ask::to_the_end, at(1)));
  CHECK_FALSE(pump.outward(Ask::to_the_end, at(1)));
  for (std::uint32_t i = 0; i < 32; ++i) device.input.push_back(inside_packet(1, 2, i));
  CHECK(pump.outward(Ask::once, at(1)));
  CHECK_FALSE(pump.outward(Ask::once, at(1)));
  tunnel.settle(1);
}

TEST_CASE("the first packet makes the handshake and arrives", "[engine][pump]") {
  Tunnel tunnel;
  const auto packet = inside_packet(1, 2, 7);
  tunnel.a.device.input.push_back(packet);
  tunnel.settle(0);
  REQUIRE(tunnel.b.device.output.size() == 1);
  CHECK(tunnel.b.device.output[0] == packet);
  CHECK(tunnel.a.counts.device.packets_in.get() == 1);
  CHECK(tunnel.b.counts.device.packets_out.get() == 1);
}

TEST_CASE("many packets arrive in order, both ways at once", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.connect();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    tunnel.a.device.input.push_back(inside_packet(1, 2, i, 40 + i));
    tunnel.b.device.input.push_back(inside_packet(2, 1, i, 40 + i));
  }
  tunnel.settle(1);
  check_in_order(tunnel.a.device.output, 1000);
  check_in_order(tunnel.b.device.output, 1000);
}

TEST_CASE("a full transport stops the device and loses nothing", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.connect();
  for (std::uint32_t i = 0; i < 500; ++i) tunnel.a.device.input.push_back(inside_packet(1, 2, i));
  tunnel.a.transport.space = 10;
  tunnel.a.drain(1);
  CHECK_FALSE(tunnel.a.pump->reads_device());
  CHECK(tunnel.a.pump->reads_transport());
  const int reads = tunnel.a.device.reads;
  tunnel.a.drain(2);
  CHECK(tunnel.a.device.reads == reads);
  CHECK(tunnel.a.transport.output.size() == 10);

  std::minstd_rand random(1);
  for (std::uint64_t now = 3; !tunnel.a.pump->reads_device() || !tunnel.a.device.input.empty();
       ++now) {
    tunnel.a.transport.space = random() % 20;
    tunnel.a.drain(now);
  }
  carry(tunnel.a, tunnel.b);
  tunnel.b.drain(1000);
  check_in_order(tunnel.b.device.output, 500);
}

TEST_CASE("a full device stops the transport, the other direction goes on", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.connect();
  for (std::uint32_t i = 0; i < 200; ++i) tunnel.a.device.input.push_back(inside_packet(1, 2, i));
  tunnel.a.drain(1);
  carry(tunnel.a, tunnel.b);
  tunnel.b.device.space = 70;
  tunnel.b.drain(2);
  CHECK(tunnel.b.device.output.size() == 70);
  CHECK_FALSE(tunnel.b.pump->reads_transport());

  tunnel.b.device.input.push_back(inside_packet(2, 1, 0));
  tunnel.b.drain(3);
  CHECK(tunnel.b.transport.output.size() == 1);
  CHECK(tunnel.b.device.output.size() == 70);

  tunnel.b.device.space = SIZE_MAX;
  tunnel.b.drain(4);
  check_in_order(tunnel.b.device.output, 200);
}

TEST_CASE("sealed packets that waited too long are dropped and counted", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.connect();
  tunnel.a.transport.space = 0;
  tunnel.a.device.input.push_back(inside_packet(1, 2, 1));
  tunnel.a.drain(1);
  tunnel.a.drain(5 * kSecond);
  CHECK_FALSE(tunnel.a.pump->reads_device());
  tunnel.a.drain(5 * kSecond + 2);
  CHECK(tunnel.a.pump->reads_device());
  CHECK(drops(tunnel.a.counts.transport, TUNNEL_DROP_EXPIRED_KEY) == 1);
}

TEST_CASE("sealed packets can be dropped before their keys are", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.connect();
  tunnel.a.transport.space = 0;
  tunnel.a.device.input.push_back(inside_packet(1, 2, 1));
  tunnel.a.drain(1);
  tunnel.a.pump->drop_sealed(at(2));
  tunnel.a.transport.space = SIZE_MAX;
  tunnel.a.drain(2);
  CHECK(tunnel.a.transport.output.empty());
  CHECK(drops(tunnel.a.counts.transport, TUNNEL_DROP_EXPIRED_KEY) == 1);
}

TEST_CASE("handshakes that the transport did not take are sent later", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.a.transport.space = 0;
  tunnel.a.device.input.push_back(inside_packet(1, 2, 7));
  tunnel.a.drain(0);
  CHECK(tunnel.a.pump->deadline() == TUNNEL_TIME_NEVER);
  tunnel.a.transport.space = SIZE_MAX;
  tunnel.settle(1);
  CHECK(tunnel.b.device.output.size() == 1);
}

TEST_CASE("handshakes of many peers do not keep packets waiting", "[engine][pump]") {
  constexpr std::uint8_t kClients = 10;
  const tunnel::test::KeyPair server_keys;
  const auto server_core = tunnel::test::make_core(server_keys);
  Node server(server_core.get(), 1);
  for (std::uint8_t i = 1; i <= kClients; ++i) {
    const tunnel::test::KeyPair keys;
    const auto client = tunnel::test::make_core(keys);
    const auto remote = tunnel::test::scripted_remote();
    const auto peer = tunnel::test::add_peer(client.get(), server_keys.open, 1, remote);
    tunnel::test::add_peer(server_core.get(), keys.open, i, remote);
    const auto now = at(0);
    REQUIRE(tunnel_core_initiate(client.get(), peer, &now) == TUNNEL_OK);
    Node sender(client.get(), 1);
    sender.drain(0);
    carry(sender, server);
  }
  REQUIRE(server.transport.input.size() == kClients);
  server.pump->round(at(1));
  // One handshake after each of the two batches of a round, and no more.
  CHECK(server.transport.output.size() <= 2);
  server.drain(1);
  CHECK(server.transport.output.size() == kClients);
}

TEST_CASE("a packet that nobody owns is answered on the device", "[engine][pump]") {
  Tunnel tunnel;
  const auto packet = inside_packet(1, 9, 0);
  tunnel.a.device.input.push_back(packet);
  tunnel.a.drain(0);
  REQUIRE(tunnel.a.device.output.size() == 1);
  const auto& answer = tunnel.a.device.output[0];
  CHECK(answer.size() == 28 + packet.size());
  CHECK(std::equal(packet.begin(), packet.end(), answer.begin() + 28));
  CHECK(tunnel.a.transport.output.empty());
}

TEST_CASE("answers to unroutable packets do not flood the device", "[engine][pump]") {
  Tunnel tunnel;
  for (std::uint32_t i = 0; i < 500; ++i) tunnel.a.device.input.push_back(inside_packet(1, 9, i));
  tunnel.a.drain(0);
  CHECK(tunnel.a.device.output.size() == 50);
}

TEST_CASE("errors of the tables are reported once", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.a.device.read_error = TUNNEL_ERR_CLOSED;
  tunnel.a.transport.read_error = TUNNEL_ERR_SYSTEM;
  CHECK_FALSE(tunnel.a.pump->round(at(0)));
  CHECK(tunnel.a.pump->take_device_error() == TUNNEL_ERR_CLOSED);
  CHECK(tunnel.a.pump->take_device_error() == TUNNEL_OK);
  CHECK(tunnel.a.pump->take_transport_error() == TUNNEL_ERR_SYSTEM);
  CHECK(tunnel.a.pump->take_transport_error() == TUNNEL_OK);
}

TEST_CASE("packets that a broken writer did not judge are counted as dropped", "[engine][pump]") {
  Tunnel tunnel;
  tunnel.connect();
  tunnel.a.transport.write_error = TUNNEL_ERR_CLOSED;
  tunnel.a.device.input.push_back(inside_packet(1, 2, 1));
  tunnel.a.pump->round(at(1));
  CHECK(tunnel.a.pump->take_transport_error() == TUNNEL_ERR_CLOSED);
  CHECK(drops(tunnel.a.counts.transport, TUNNEL_DROP_IO) == 1);
  CHECK(tunnel.a.pump->reads_device());
}
