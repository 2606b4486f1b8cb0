#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <tunnel/host/text.h>

#include "config_support.h"
#include "host/resolver/resolver.h"
#include "running_engine.h"
#include "support/catch.hpp"

using namespace tunnel::test;
using namespace std::chrono_literals;
namespace host = tunnel::host;

namespace {

tunnel_address address(const std::string& text) {
  tunnel_address out{};
  REQUIRE(tunnel_address_from_text(text.data(), text.size(), &out) == TUNNEL_OK);
  return out;
}

constexpr host::Clock::time_point kStart{};

host::Name name() {
  return {host::PublicKey{1}, "vpn.example.com", 51820, kStart};
}

const host::LookupResult kNothing{{}, "no such name"};

host::LookupResult two_addresses() {
  return {{address("[2001:db8::1]:51820"), address("192.0.2.1:51820")}, {}};
}

// Collects what the resolver reports, and waits for a number of reports.
class Reports {
 public:
  struct Report {
    std::string host, reason;
    std::optional<tunnel_address> address;
  };

  tunnel_resolver_config config(tunnel_engine* engine) {
    tunnel_resolver_config config = TUNNEL_RESOLVER_CONFIG_INIT;
    config.engine = engine;
    config.report = take;
    config.context = this;
    return config;
  }
  std::vector<Report> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(came_.wait_for(lock, 10s, [&] { return reports_.size() >= count; }));
    return reports_;
  }

 private:
  static void take(void* context, const std::uint8_t*, const char* host,
                   const tunnel_address* address, const char* reason) {
    auto& self = *static_cast<Reports*>(context);
    const std::lock_guard lock(self.mutex_);
    self.reports_.push_back({host, reason, {}});
    if (address != nullptr) self.reports_.back().address = *address;
    self.came_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Report> reports_;
};

// A flag that one thread raises and another waits for.
class Flag {
 public:
  void raise() {
    const std::lock_guard lock(mutex_);
    up_ = true;
    raised_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(raised_.wait_for(lock, 10s, [this] { return up_; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable raised_;
  bool up_ = false;
};

// The endpoint that a core has for a peer, asked on the engine's thread.
tunnel_address endpoint_of(const RunningEngine& engine, const std::uint8_t* public_key) {
  struct Question {
    const std::uint8_t* public_key;
    tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
    Flag answered;
  } question{public_key};
  const auto task = [](void* context, tunnel_core* core) {
    auto& asked = *static_cast<Question*>(context);
    std::uint64_t peer = 0;
    (void)tunnel_core_find_peer(core, asked.public_key, &peer);
    (void)tunnel_core_get_peer(core, peer, &asked.info);
    asked.answered.raise();
  };
  REQUIRE(tunnel_engine_post(engine.get(), task, &question) == TUNNEL_OK);
  question.answered.wait();
  return question.info.endpoint;
}

// It is reported before the peer gets it. As endpoint_of, once there is one.
tunnel_address wait_for_endpoint(const RunningEngine& engine, const std::uint8_t* public_key) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  tunnel_address found{};
  while (found.family == TUNNEL_FAMILY_NONE && std::chrono::steady_clock::now() < end) {
    found = endpoint_of(engine, public_key);
  }
  return found;
}

host::PublicKey key_of(const tunnel_config_peer& peer) {
  host::PublicKey key{};
  std::copy_n(peer.public_key, key.size(), key.begin());
  return key;
}

}  // namespace

TEST_CASE("a name that is not found is asked for again with growing pauses", "[host][resolver]") {
  host::Name one = name();
  auto now = kStart;
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    CHECK_FALSE(one.next_address({}, now));
    one.looked_up(kNothing, {}, now);
    CHECK(one.due() == now + pause);
    now = one.due();
  }
}

TEST_CASE("each address gets its time, then the name is asked for again", "[host][resolver]") {
  host::Name one = name();
  one.looked_up(two_addresses(), {}, kStart);
  REQUIRE(one.next_address({}, kStart)->family == TUNNEL_FAMILY_IPV6);
  CHECK(one.due() == kStart + 7s);
  REQUIRE(one.next_address({}, one.due())->family == TUNNEL_FAMILY_IPV4);
  CHECK(one.due() == kStart + 7s + 7s + 1s);
  CHECK_FALSE(one.next_address({}, one.due()));
}

TEST_CASE("a session ends the search, and a failed handshake begins it anew", "[host][resolver]") {
  host::Name one = name();
  one.looked_up(two_addresses(), {}, kStart);
  (void)one.next_address({}, kStart);
  one.session_made();
  CHECK(one.due() == host::Clock::time_point::max());
  one.network_changed(kStart + 1s);
  CHECK(one.due() == host::Clock::time_point::max());
  one.handshake_failed(kStart + 100s);
  CHECK(one.due() == kStart + 100s);
  CHECK_FALSE(one.next_address({}, kStart + 100s));
}

TEST_CASE("a single address is kept until its handshake fails", "[host][resolver]") {
  host::Name one = name();
  one.looked_up({{address("192.0.2.1:1")}, {}}, {}, kStart);
  CHECK(one.next_address({}, kStart));
  CHECK(one.due() == host::Clock::time_point::max());
  one.handshake_failed(kStart + 90s);
  CHECK(one.due() == kStart + 90s);
  CHECK_FALSE(one.next_address({}, kStart + 90s));
}

TEST_CASE("an address that was good stays in the round when the name says otherwise",
          "[host][resolver]") {
  host::Name one = name();
  one.looked_up({{address("192.0.2.1:1")}, {}}, {}, kStart);
  (void)one.next_address({}, kStart);
  one.session_made();
  one.handshake_failed(kStart + 90s);
  CHECK_FALSE(one.next_address({}, kStart + 90s));
  one.looked_up({{address("192.0.2.2:1")}, {}}, {}, kStart + 90s);
  CHECK(one.next_address({}, kStart + 90s)->bytes[3] == 2);
  CHECK(one.next_address({}, kStart + 97s)->bytes[3] == 1);
}

TEST_CASE("a change of the network shortens the pause", "[host][resolver]") {
  host::Name one = name();
  for (int i = 0; i < 5; ++i) one.looked_up(kNothing, {}, kStart);
  one.network_changed(kStart + 1s);
  CHECK(one.due() == kStart + 1s);
  one.looked_up(kNothing, {}, kStart + 1s);
  CHECK(one.due() == kStart + 2s);
}

TEST_CASE("who is asked anew says which address is the first to try", "[host][resolver]") {
  host::Name one = name();
  one.looked_up(two_addresses(), {}, kStart);
  (void)one.next_address({}, kStart);
  one.ask_anew(kStart + 1s);
  CHECK(one.due() == kStart + 1s);
  CHECK_FALSE(one.next_address({}, kStart + 1s));  // a lookup, not the second of the former ones
  one.looked_up(two_addresses(), {}, kStart + 1s);
  (void)one.next_address({}, kStart + 1s);
  one.session_made();
  one.ask_anew(kStart + 2s);
  CHECK(one.due() == host::Clock::time_point::max());
}

TEST_CASE("the system's resolver knows addresses and localhost in the families it has",
          "[host][resolver]") {
  const auto literal = host::look_up("fe80::1%lo", 7);
  REQUIRE(literal.addresses.size() == 1);
  CHECK(literal.addresses[0].scope != 0);
  CHECK(literal.addresses[0].port == 7);
  const auto local = host::look_up("localhost", 7);
  CHECK_FALSE(local.addresses.empty());
  const auto missing = host::look_up("fe80::1%nosuchinterface", 7);
  CHECK(missing.addresses.empty());
  CHECK_FALSE(missing.reason.empty());
}

TEST_CASE("a peer gets the address of its name through the engine", "[host][resolver]") {
  const Parsed parsed = parse(with_peer("Endpoint = vpn.example.com:51820\n"));
  RunningEngine engine(parsed.config.get());
  engine.start();
  Reports reports;
  int lookups = 0;
  const auto lookup = [&lookups](const std::string&, std::uint16_t) {
    return ++lookups < 3 ? kNothing : host::LookupResult{{address("192.0.2.9:51820")}, {}};
  };
  const host::Pauses fast{1ms, 1ms, 1ms};
  {
    host::Resolver resolver(reports.config(engine.get()), lookup, fast);
    resolver.add(key_of(parsed.peer(0)), "vpn.example.com", 51820);
    const auto all = reports.wait_for(3);
    CHECK_FALSE(all[0].address);
    CHECK(all[0].reason == "no such name");
    CHECK(all[0].host == "vpn.example.com");
    REQUIRE(all[2].address);
    CHECK(all[2].address->bytes[3] == 9);
    CHECK(wait_for_endpoint(engine, parsed.peer(0).public_key).bytes[3] == 9);
  }
}

TEST_CASE("names without a session are looked up in the new way at once", "[host][resolver]") {
  const Parsed parsed = parse(with_peer("Endpoint = vpn.example.com:51820\n"));
  RunningEngine engine(parsed.config.get());
  engine.start();
  Reports reports;
  const auto nothing = [](const std::string&, std::uint16_t) { return kNothing; };
  const auto something = [](const std::string&, std::uint16_t) {
    return host::LookupResult{{address("192.0.2.9:51820")}, {}};
  };
  host::Resolver resolver(reports.config(engine.get()), nothing, {1h, 1h, 1h});
  CHECK(resolver.wait(0ms));
  resolver.add(key_of(parsed.peer(0)), "vpn.example.com", 51820);
  CHECK(resolver.wait(10s));
  CHECK_FALSE(reports.wait_for(1)[0].address);
  resolver.use(something);
  CHECK(reports.wait_for(2)[1].address);
}

TEST_CASE("a failed handshake in the engine's events leads to another lookup", "[host][resolver]") {
  const Parsed parsed = parse(with_peer("Endpoint = vpn.example.com:51820\n"));
  RunningEngine engine(parsed.config.get());
  engine.start();
  Reports reports;
  const auto lookup = [](const std::string&, std::uint16_t) {
    return host::LookupResult{{address("192.0.2.9:51820")}, {}};
  };
  host::Resolver resolver(reports.config(engine.get()), lookup, {});
  resolver.add(key_of(parsed.peer(0)), "vpn.example.com", 51820);
  (void)reports.wait_for(1);
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.kind = TUNNEL_EVENT_HANDSHAKE_FAILED;
  std::copy_n(parsed.peer(0).public_key, TUNNEL_KEY_SIZE, event.public_key);
  resolver.event(event);
  (void)reports.wait_for(2);
}

TEST_CASE("a name that a peer has already is not asked for again", "[host][resolver]") {
  const Parsed parsed = parse(with_peer("Endpoint = vpn.example.com:51820\n"));
  RunningEngine engine(parsed.config.get());
  engine.start();
  Reports reports;
  const auto lookup = [](const std::string&, std::uint16_t) {
    return host::LookupResult{{address("192.0.2.9:51820")}, {}};
  };
  host::Resolver resolver(reports.config(engine.get()), lookup, {});
  const host::PublicKey peer = key_of(parsed.peer(0));
  resolver.add(peer, "vpn.example.com", 51820);
  (void)reports.wait_for(1);
  resolver.add(peer, "vpn.example.com", 51820);
  resolver.add(host::PublicKey{1}, "later.example.com", 51820);
  CHECK(reports.wait_for(2)[1].host == "later.example.com");
  resolver.add(peer, "moved.example.com", 51820);
  CHECK(reports.wait_for(3)[2].host == "moved.example.com");
}

TEST_CASE("an answer that came too late is not taken for that of another name",
          "[host][resolver]") {
  const Parsed parsed = parse(with_peer("Endpoint = old.example.com:51820\n"));
  RunningEngine engine(parsed.config.get());
  engine.start();
  Reports reports;
  Flag entered;
  Flag released;
  const auto lookup = [&](const std::string& host, std::uint16_t) {
    if (host == "new.example.com") return host::LookupResult{{address("192.0.2.9:51820")}, {}};
    entered.raise();
    released.wait();
    return host::LookupResult{{address("192.0.2.1:51820")}, {}};
  };
  {
    host::Resolver resolver(reports.config(engine.get()), lookup, {});
    resolver.add(key_of(parsed.peer(0)), "old.example.com", 51820);
    entered.wait();
    resolver.add(key_of(parsed.peer(0)), "new.example.com", 51820);
    released.raise();
    const auto first = reports.wait_for(1)[0];
    CHECK(first.host == "new.example.com");
    REQUIRE(first.address);
    CHECK(wait_for_endpoint(engine, parsed.peer(0).public_key).bytes[3] == 9);
  }
}

TEST_CASE("destroying a resolver does not wait for a lookup that hangs", "[host][resolver]") {
  const Parsed parsed = parse(with_peer("Endpoint = vpn.example.com:51820\n"));
  Reports reports;
  // Shared with the lookup, which outlives everything here.
  struct Stages {
    Flag entered, released, left;
  };
  const auto stages = std::make_shared<Stages>();
  {
    RunningEngine engine(parsed.config.get());
    const auto lookup = [stages](const std::string&, std::uint16_t) {
      stages->entered.raise();
      stages->released.wait();
      stages->left.raise();
      return host::LookupResult{{tunnel_address{}}, {}};
    };
    host::Resolver resolver(reports.config(engine.get()), lookup, {});
    resolver.add(key_of(parsed.peer(0)), "vpn.example.com", 51820);
    stages->entered.wait();
  }
  // Resolver and engine are gone, the lookup is not: it must touch neither when it comes back.
  stages->released.raise();
  stages->left.wait();
  CHECK(reports.wait_for(0).empty());
}

TEST_CASE("the names of a configuration are looked up, its addresses are not", "[host][resolver]") {
  const Parsed parsed =
      parse(with_peer("Endpoint = localhost:51820\n[Peer]\nPublicKey = " + kOtherKey +
                      "\nEndpoint = 192.0.2.1:7\n"));
  RunningEngine engine(parsed.config.get());
  engine.start();
  Reports reports;
  const tunnel_resolver_config config = reports.config(engine.get());
  tunnel_resolver* resolver = nullptr;
  REQUIRE(tunnel_resolver_create(&config, &resolver) == TUNNEL_OK);
  CHECK(tunnel_resolver_add_config(resolver, parsed.config.get()) == TUNNEL_OK);
  const auto all = reports.wait_for(1);
  CHECK(all[0].host == "localhost");
  CHECK(all[0].address);
  CHECK(wait_for_endpoint(engine, parsed.peer(0).public_key).port == 51820);
  tunnel_resolver_destroy(resolver);
}
