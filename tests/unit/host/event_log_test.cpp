#include "host/control/event_log.h"

#include <tunnel/host/events.h>

#include <cstring>
#include <string>

#include "config_support.h"
#include "host/control/event_text.h"
#include "running_engine.h"
#include "scratch.h"
#include "support/catch.hpp"

using namespace tunnel::test;
using tunnel::base::WaitFlag;
using tunnel::host::EventLog;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

tunnel_event event_of(std::uint32_t kind, std::uint64_t mono_ns, std::uint8_t key = 7) {
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.kind = kind;
  event.mono_ns = mono_ns;
  event.public_key[0] = key;
  return event;
}

EventLog make_log() {
  auto flag = WaitFlag::create(WaitFlag::Kind::readable);
  REQUIRE(flag);
  return EventLog(std::move(*flag));
}

std::vector<std::uint32_t> kinds(const EventLog& log, std::uint64_t from = 0) {
  std::vector<std::uint32_t> list;
  for (const tunnel_notice& notice : log.from(from)) list.push_back(notice.kind);
  return list;
}

}  // namespace

TEST_CASE("a handshake while the session before it lives is a rekey", "[host][events]") {
  EventLog log = make_log();
  log.add(event_of(TUNNEL_EVENT_HANDSHAKE, 1 * kSecond), 1);
  log.add(event_of(TUNNEL_EVENT_HANDSHAKE, 121 * kSecond), 2);
  log.add(event_of(TUNNEL_EVENT_HANDSHAKE, 121 * kSecond, 8), 3);
  log.add(event_of(TUNNEL_EVENT_HANDSHAKE, 301 * kSecond), 4);
  log.add(event_of(TUNNEL_EVENT_PEER_EXPIRED, 302 * kSecond), 5);
  log.add(event_of(TUNNEL_EVENT_HANDSHAKE, 303 * kSecond), 6);
  CHECK(kinds(log) == std::vector<std::uint32_t>{TUNNEL_EVENT_HANDSHAKE, TUNNEL_EVENT_REKEY,
                                                 TUNNEL_EVENT_HANDSHAKE, TUNNEL_EVENT_HANDSHAKE,
                                                 TUNNEL_EVENT_PEER_EXPIRED,
                                                 TUNNEL_EVENT_HANDSHAKE});
}

TEST_CASE("a name without an address is told once for each reason", "[host][events]") {
  EventLog log = make_log();
  tunnel::host::PublicKey peer{7};
  log.looked_up(peer, "vpn.test: no such name", 1);
  log.looked_up(peer, "vpn.test: no such name", 2);
  log.looked_up(peer, "vpn.test: try again", 3);
  CHECK(kinds(log) == std::vector<std::uint32_t>(2, TUNNEL_EVENT_NOT_RESOLVED));
  CHECK(log.fault_of(peer) == "vpn.test: try again");
  std::uint64_t from = 0;
  CHECK(std::string(log.from(from)[1].reason) == "vpn.test: try again");
  log.looked_up(peer, "", 4);
  CHECK(log.fault_of(peer).empty());
  log.looked_up(peer, "vpn.test: no such name", 5);
  log.forget(peer);
  CHECK(log.fault_of(peer).empty());
  CHECK(kinds(log).size() == 3);
}

TEST_CASE("strangers cannot push out what peers did", "[host][events]") {
  EventLog log = make_log();
  log.add(event_of(TUNNEL_EVENT_HANDSHAKE, 0), 1);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    log.add(event_of(TUNNEL_EVENT_UNKNOWN_KEY, i * kSecond / 1000), 2);
  }
  CHECK(kinds(log).size() == 51);
  CHECK(kinds(log).front() == TUNNEL_EVENT_HANDSHAKE);
}

TEST_CASE("the oldest of too many events is forgotten, and the numbers tell", "[host][events]") {
  EventLog log = make_log();
  for (std::uint64_t i = 0; i < EventLog::kKept + 10; ++i) {
    log.add(event_of(TUNNEL_EVENT_NETWORK, i), i + 1);
  }
  std::uint64_t number = 1;
  const auto kept = log.from(number);
  CHECK(kept.size() == EventLog::kKept);
  CHECK(kept.front().number == 11);
  CHECK(number == EventLog::kKept + 11);
  CHECK(log.from(number).empty());
  CHECK(log.first_since(20) == 20);
  CHECK(log.first_since(UINT64_MAX) == EventLog::kKept + 11);
}

TEST_CASE("what only the state file needs is not kept", "[host][events]") {
  EventLog log = make_log();
  log.add(event_of(TUNNEL_EVENT_TIMESTAMP, 0), 1);
  log.add(event_of(TUNNEL_EVENT_TIMESTAMP_FLOOR, 0), 1);
  CHECK(kinds(log).empty());
}

TEST_CASE("an event survives its way over the socket", "[host][events]") {
  tunnel_notice sent = TUNNEL_NOTICE_INIT;
  sent.kind = TUNNEL_EVENT_ENDPOINT;
  sent.number = 42;
  sent.wall_ns = 1'700'000'000 * kSecond + 5;
  sent.value = -3;
  sent.has_key = 1;
  for (std::uint8_t i = 0; i < 32; ++i) sent.public_key[i] = static_cast<std::uint8_t>(i * 8);
  sent.address.family = TUNNEL_FAMILY_IPV4;
  sent.address.bytes[3] = 9;
  sent.address.port = 51820;
  std::string("laptop").copy(sent.name, 6);
  tunnel::base::WipedBuffer text;
  tunnel::host::write_notice(sent, text);
  REQUIRE(text.text().ends_with("\n\n"));
  tunnel_notice got{};
  REQUIRE(tunnel::host::read_notice(text.text().substr(0, text.size() - 1), got));
  CHECK(std::memcmp(&sent, &got, sizeof sent) == 0);
}

TEST_CASE("what is no event is refused", "[host][events]") {
  tunnel_notice notice{};
  for (const char* block : {"", "number=1\n", "x_event=\n", "x_event=1\nnonsense\n",
                            "x_event=1\npublic_key=12\n", "x_event=1\nendpoint=banana\n"}) {
    CAPTURE(block);
    CHECK_FALSE(tunnel::host::read_notice(block, notice));
  }
  CHECK(tunnel::host::read_notice("x_event=1\nx_future=1\n", notice));
  CHECK_FALSE(tunnel::host::read_events_request("x_events=soon").has_value());
  CHECK(tunnel::host::read_events_request("x_events=12") == 12);
}

TEST_CASE("who listens hears what was kept, what comes, and the end", "[host][events]") {
  const Scratch scratch;
  const Parsed parsed = parse("[Interface]\nPrivateKey = " + std::string(kPrivateKey) +
                              "\n[Peer]\n# friendly_name = laptop\nPublicKey = " + kPeerKey + "\n");
  RunningEngine engine(parsed.config.get());
  const std::string directory = scratch.file("wireguard");
  tunnel_control_config config = TUNNEL_CONTROL_CONFIG_INIT;
  config.name = "wg0";
  config.directory = directory.c_str();
  config.engine = engine.get();
  config.config = parsed.config.get();
  tunnel_control* control = nullptr;
  REQUIRE(tunnel_control_open(&config, &control) == TUNNEL_OK);
  tunnel_event handshake = event_of(TUNNEL_EVENT_HANDSHAKE, 1);
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  REQUIRE(tunnel_config_get_peer(parsed.config.get(), 0, &peer) == TUNNEL_OK);
  std::copy_n(peer.public_key, 32, handshake.public_key);
  REQUIRE(tunnel_control_event(control, &handshake) == TUNNEL_OK);

  tunnel_events* past = nullptr;
  tunnel_events* fresh = nullptr;
  REQUIRE(tunnel_events_open(directory.c_str(), "wg0", 0, &past) == TUNNEL_OK);
  REQUIRE(tunnel_events_open(directory.c_str(), "wg0", TUNNEL_EVENTS_NEW, &fresh) == TUNNEL_OK);
  tunnel_notice notice = TUNNEL_NOTICE_INIT;
  REQUIRE(tunnel_events_next(past, &notice) == 1);
  CHECK((notice.kind == TUNNEL_EVENT_UP && notice.number == 1));
  REQUIRE(tunnel_events_next(past, &notice) == 1);
  CHECK((notice.kind == TUNNEL_EVENT_HANDSHAKE && std::string(notice.name) == "laptop"));
  CHECK(tunnel_events_next(past, &notice) == 0);
  CHECK(tunnel_events_next(fresh, &notice) == 0);

  tunnel_control_detach(control);
  tunnel_control_close(control);
  for (tunnel_events* each : {past, fresh}) {
    CHECK(tunnel_events_next(each, &notice) == 1);
    CHECK(notice.kind == TUNNEL_EVENT_DOWN);
    CHECK(tunnel_events_next(each, &notice) == TUNNEL_ERR_CLOSED);
    tunnel_events_close(each);
  }
  CHECK(tunnel_events_open(directory.c_str(), "wg0", 0, &past) == TUNNEL_ERR_NOT_FOUND);
}
