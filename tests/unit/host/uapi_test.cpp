#include <algorithm>
#include <string>
#include <vector>

#include "host/control/event_text.h"
#include "host/control/uapi_read.h"
#include "host/control/uapi_write.h"
#include "support/catch.hpp"

using namespace tunnel;

namespace {

bool reads(const std::string& text) {
  host::Snapshot snapshot;
  return host::read_snapshot(text, snapshot);
}

const std::string kKey = "c809f3e5317e9575c9b5ed78b638b7ce530dabe85ddab614220241801ddf0669";

}  // namespace

TEST_CASE("what the daemon writes is what its client reads", "[host][control]") {
  base::Secret<TUNNEL_KEY_SIZE> key;
  for (std::size_t i = 0; i < TUNNEL_KEY_SIZE; ++i)
    key.data()[i] = static_cast<std::uint8_t>(i * 9);
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  counters.rx_bytes = 1;
  counters.memory_bytes = UINT64_MAX;
  counters.under_load = 1;
  counters.drops[TUNNEL_DROP_REPLAY - TUNNEL_DROP_FIRST] = 12;
  counters.drops[TUNNEL_DROP_COUNT - 1] = 13;
  tunnel_engine_counters engine = TUNNEL_ENGINE_COUNTERS_INIT;
  engine.running = 1;
  engine.wakeups = 14;
  engine.transport_packets_out = UINT64_MAX;
  engine.device_drops[TUNNEL_DROP_TOO_BIG - TUNNEL_DROP_FIRST] = 15;
  engine.transport_drops[TUNNEL_DROP_UNREACHABLE - TUNNEL_DROP_FIRST] = 16;
  engine.transport_drops[TUNNEL_DROP_COUNT - 1] = 17;
  tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
  std::copy_n(key.data(), TUNNEL_KEY_SIZE, info.public_key);
  info.latest_handshake_ns = 1'700'000'000'123'456'789;
  info.handshake_ns = 5;
  info.has_session = 1;
  base::WipedBuffer text;
  host::write_interface(
      {key.bytes(), 51820, 0xca6c, 1420, 77, 4711, counters, engine, TUNNEL_PROFILE_PLAIN}, text);
  host::write_peer({info, {}, "laptop of Ann"}, text);
  host::write_end(0, text);
  host::Snapshot snapshot;
  REQUIRE(host::read_snapshot(text.text(), snapshot));
  CHECK(snapshot.counters.rx_bytes == 1);
  CHECK(snapshot.counters.memory_bytes == UINT64_MAX);
  CHECK(snapshot.counters.under_load == 1);
  CHECK(std::equal(std::begin(counters.drops), std::end(counters.drops),
                   std::begin(snapshot.counters.drops)));
  CHECK(snapshot.engine.running == 1);
  CHECK(snapshot.engine.wakeups == 14);
  CHECK(snapshot.engine.transport_packets_out == UINT64_MAX);
  CHECK(std::equal(std::begin(engine.device_drops), std::end(engine.device_drops),
                   std::begin(snapshot.engine.device_drops)));
  CHECK(std::equal(std::begin(engine.transport_drops), std::end(engine.transport_drops),
                   std::begin(snapshot.engine.transport_drops)));
  CHECK(snapshot.interface.since_s == 77);
  CHECK(snapshot.interface.process == 4711);
  CHECK(snapshot.interface.profile == TUNNEL_PROFILE_PLAIN);
  REQUIRE(snapshot.peers.size() == 1);
  CHECK(std::equal(std::begin(info.public_key), std::end(info.public_key),
                   std::begin(snapshot.peers[0].info.public_key)));
  CHECK(snapshot.peers[0].info.latest_handshake_ns == info.latest_handshake_ns);
  CHECK(snapshot.peers[0].info.handshake_ns == 5);
  CHECK(snapshot.peers[0].info.has_session == 1);
  CHECK(snapshot.peers[0].name == "laptop of Ann");
}

TEST_CASE("the answer of another implementation is read, unknown keys and all", "[host][control]") {
  host::Snapshot snapshot;
  REQUIRE(
      host::read_snapshot("private_key=" + kKey +
                              "\nlisten_port=7\ndaita_x=1\nx_new=a\n"
                              "x_drop_999=1\nx_drop_y=1\nx_device_drop_63=1\nx_transport_drop_=1\n"
                              "x_engine_later=1\npublic_key=" +
                              kKey +
                              "\nx_later=1\n"
                              "errno=0\n\n",
                          snapshot));
  CHECK(snapshot.interface.ours == 0);
  CHECK(snapshot.interface.port == 7);
  CHECK(snapshot.peers.size() == 1);
  host::Snapshot refused;
  REQUIRE(host::read_snapshot("errno=1\n\n", refused));
  CHECK(refused.error == 1);
}

TEST_CASE("what a terminal would obey is no part of a name", "[host][control]") {
  host::Snapshot snapshot;
  REQUIRE(host::read_snapshot(
      "x_file=/run/\x1b[2J/wg0.conf\npublic_key=" + kKey + "\nx_name=a\x1b[2J\tb\nerrno=0\n\n",
      snapshot));
  CHECK(snapshot.file.empty());
  CHECK(snapshot.peers.at(0).name == "a?[2J?b");
  tunnel_notice notice = TUNNEL_NOTICE_INIT;
  REQUIRE(host::read_notice("x_event=1\nx_name=a\rb\n", notice));
  CHECK(std::string(notice.name) == "a?b");
  REQUIRE(host::read_notice("x_event=1\nx_reason=h: \x1b[2J\n", notice));
  CHECK(std::string(notice.reason) == "h: ?[2J");
}

TEST_CASE("what is no answer is refused", "[host][control]") {
  for (const std::string& text : std::vector<std::string>{
           "",
           "\n",
           "errno=0",
           "errno=0\n",
           "errno=0\n\nx",
           "errno=-1\n\n",
           "errno=x\n\n",
           "x\n\n",
           "listen_port=65536\nerrno=0\n\n",
           "listen_port=\nerrno=0\n\n",
           "private_key=00\nerrno=0\n\n",
           "public_key=" + kKey + "0\nerrno=0\n\n",
           "public_key=" + kKey.substr(1) + "g\nerrno=0\n\n",
           "x_since=-1\nerrno=0\n\n",
           "x_rx_bytes=99999999999999999999\nerrno=0\n\n",
           "x_engine_wakeups=-1\nerrno=0\n\n",
           "x_device_drop_70=x\nerrno=0\n\n",
           "public_key=" + kKey + "\nendpoint=example.com:1\nerrno=0\n\n",
           "public_key=" + kKey + "\nallowed_ip=10.0.0.0/33\nerrno=0\n\n",
           "public_key=" + kKey + "\nlast_handshake_time_sec=99999999999999999\nerrno=0\n\n"}) {
    CAPTURE(text);
    CHECK_FALSE(reads(text));
  }
}
