// control_set_test.cpp — what `set=1` does to a running tunnel.
#include <arpa/inet.h>
#include <tunnel/host/events.h>
#include <tunnel/host/resolver.h>
#include <tunnel/host/state.h>
#include <tunnel/host/text.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control_support.h"
#include "support/catch.hpp"

using namespace tunnel::test;
using tunnel::base::Descriptor;

namespace {

const std::string kDone = "errno=0\n\n";

std::string key_text(char digit) {
  return std::string(64, digit);
}

std::string hex_of(const std::string& base64) {
  std::uint8_t key[TUNNEL_KEY_SIZE];
  REQUIRE(tunnel_key_from_text(base64.data(), base64.size(), key) == TUNNEL_OK);
  std::string text;
  for (const std::uint8_t byte : key) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// A tunnel with one peer, and a client of it.
struct Running {
  explicit Running(bool udp = false) : daemon(with_peer("AllowedIPs = 10.0.0.0/8\n"), "wg0", udp) {
    daemon.start();
    client = connect(daemon);
  }
  std::string set(const std::string& lines) const { return talk(client, "set=1\n" + lines + "\n"); }
  std::string get() const { return talk(client, "get=1\n\n"); }
  bool says(const std::string& lines) const { return get().find(lines) != std::string::npos; }

  Daemon daemon;
  Descriptor client;
};

// A name server that never answers.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    auto* name = reinterpret_cast<sockaddr*>(&own);
    REQUIRE(::bind(fd_.get(), name, size) == 0);
    REQUIRE(::getsockname(fd_.get(), name, &size) == 0);
    const std::string text = "127.0.0.1:" + std::to_string(ntohs(own.sin_port));
    REQUIRE(tunnel_address_from_text(text.data(), text.size(), &address_) == TUNNEL_OK);
  }

  const tunnel_address& address() const { return address_; }

 private:
  Descriptor fd_;
  tunnel_address address_{};
};

// Holds the engine's thread until it is opened.
class Gate {
 public:
  static void wait(void* self, tunnel_core*) {
    auto& gate = *static_cast<Gate*>(self);
    std::unique_lock lock(gate.mutex_);
    gate.changed_.wait(lock, [&] { return gate.open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

std::string peer_lines(const std::string& key, const std::string& lines) {
  return "public_key=" + key + "\n" + lines;
}

}  // namespace

TEST_CASE("a peer is made, changed in place and removed", "[host][control]") {
  const Running running;
  const std::string key = key_text('7');
  CHECK(running.set(peer_lines(key, "preshared_key=" + key_text('c') +
                                        "\nendpoint=[2001:db8::1]:5\n"
                                        "persistent_keepalive_interval=9\nallowed_ip=10.1.0.0/16\n"
                                        "allowed_ip=fd00::/64\nprotocol_version=1\n")) == kDone);
  CHECK(running.says(peer_lines(
      key, "preshared_key=" + key_text('c') + "\nprotocol_version=1\nendpoint=[2001:db8::1]:5\n")));
  CHECK(
      running.says("persistent_keepalive_interval=9\nallowed_ip=10.1.0.0/16\n"
                   "allowed_ip=fd00::/64\n"));
  CHECK(running.set(peer_lines(key, "allowed_ip=-10.1.0.0/16\n")) == kDone);
  CHECK(running.says("persistent_keepalive_interval=9\nallowed_ip=fd00::/64\n"));
  CHECK(running.set(peer_lines(key,
                               "replace_allowed_ips=true\nallowed_ip=10.2.0.0/16\n"
                               "preshared_key=" +
                                   key_text('0') + "\n")) == kDone);
  CHECK(running.says(peer_lines(key, "preshared_key=" + key_text('0') + "\n")));
  CHECK(running.says("persistent_keepalive_interval=9\nallowed_ip=10.2.0.0/16\n"));
  CHECK(running.set(peer_lines(key, "remove=true\nallowed_ip=10.3.0.0/16\n")) == kDone);
  CHECK_FALSE(running.says(key));
  CHECK_FALSE(running.says("10.3.0.0"));
}

TEST_CASE("only what is there is updated when a client asks for that", "[host][control]") {
  const Running running;
  const std::string key = key_text('7');
  CHECK(running.set(peer_lines(key, "update_only=true\nallowed_ip=10.1.0.0/16\nx_name=x\n")) ==
        kDone);
  CHECK_FALSE(running.says(key));
  CHECK(running.set(peer_lines(key, "")) == kDone);
  CHECK(running.says(peer_lines(key, "")));
  CHECK_FALSE(running.says("x_name=x"));
  CHECK(running.set(peer_lines(key, "update_only=true\nallowed_ip=10.1.0.0/16\n")) == kDone);
  CHECK(running.says("10.1.0.0/16"));
  CHECK(running.set(peer_lines(key_text('8'), "remove=true\n")) == kDone);
}

TEST_CASE("all peers are replaced by those of the request", "[host][control]") {
  const Running running;
  std::string lines = "replace_peers=true\n";
  for (int i = 0; i < 1000; ++i) {
    std::string key = std::to_string(1000000 + i);
    key.resize(64, '3');
    lines += peer_lines(key, "allowed_ip=10.0." + std::to_string(i / 256) + "." +
                                 std::to_string(i % 256) + "/32\n");
  }
  CHECK(running.set(lines) == kDone);
  CHECK(interface_of(running.daemon.ask()).peer_count == 1000);
  CHECK_FALSE(running.says(hex_of(kPeerKey)));
  CHECK(running.set("replace_peers=true\n") == kDone);
  CHECK(interface_of(running.daemon.ask()).peer_count == 0);
}

TEST_CASE("the private key is changed and cleared, and takes the own peer with it",
          "[host][control]") {
  const Running running;
  CHECK(running.set(peer_lines(hex_of(kOwnPublicKey), "allowed_ip=10.1.0.0/16\n")) == kDone);
  CHECK(interface_of(running.daemon.ask()).peer_count == 1);  // our own key is passed over
  CHECK(running.set("private_key=" + key_text('0') + "\n") == kDone);
  CHECK_FALSE(running.says("private_key="));
  CHECK(running.set(peer_lines(hex_of(kOwnPublicKey), "x_name=myself\n")) == kDone);
  CHECK(running.says("x_name=myself"));
  CHECK(running.set("private_key=" + hex_of(kPrivateKey) + "\n") == kDone);
  CHECK(running.says("private_key=" + hex_of(kPrivateKey)));
  CHECK_FALSE(running.says("public_key=" + hex_of(kOwnPublicKey)));
}

TEST_CASE("the port moves, and stays when the new one is taken", "[host][control]") {
  const Running running(true);
  const Daemon other(with_peer(""), "wg1", true);
  const auto taken = std::to_string(tunnel_engine_port(other.engine.get()));
  const auto before = tunnel_engine_port(running.daemon.engine.get());
  CHECK(running.set("listen_port=" + taken + "\n") == "errno=-98\n\n");
  CHECK(tunnel_engine_port(running.daemon.engine.get()) == before);
  CHECK(running.says("listen_port=" + std::to_string(before)));
  CHECK(running.set("listen_port=0\n") == kDone);
  CHECK(tunnel_engine_port(running.daemon.engine.get()) != before);
  CHECK(running.set("listen_port=" + std::to_string(before) + "\n") == kDone);
  CHECK(running.says("listen_port=" + std::to_string(before)));
}

TEST_CASE("the daemon hears which port the socket has got", "[host][control]") {
  Daemon daemon(with_peer(""), "wg0", true);
  std::atomic<std::uint16_t> told{0};
  daemon.config.context = &told;
  daemon.config.removed = nullptr;
  daemon.config.port = [](void* context, std::uint16_t port) {
    *static_cast<std::atomic<std::uint16_t>*>(context) = port;
  };
  daemon.start();
  CHECK(talk(connect(daemon), "set=1\nlisten_port=0\n\n") == kDone);
  CHECK(told != 0);
  CHECK(told == tunnel_engine_port(daemon.engine.get()));
}

TEST_CASE("what comes before a fault holds", "[host][control]") {
  const Running running;
  const std::string key = key_text('7');
  CHECK(running.set(peer_lines(key,
                               "persistent_keepalive_interval=9\nallowed_ip=nonsense\n"
                               "allowed_ip=10.1.0.0/16\n")) == "errno=-22\n\n");
  CHECK(running.says("persistent_keepalive_interval=9\n"));
  CHECK_FALSE(running.says("10.1.0.0"));
  CHECK(running.set(peer_lines(key_text('0'), "")) == "errno=-22\n\n");  // of low order
  CHECK(running.set("") == kDone);
}

TEST_CASE("names come and go with our own key", "[host][control]") {
  const Running running;
  const std::string key = hex_of(kPeerKey);
  CHECK(running.set(peer_lines(key, "x_name=laptop\n")) == kDone);
  CHECK(running.says("x_name=laptop\n"));
  CHECK(running.set(peer_lines(key, "x_name=\n")) == kDone);
  CHECK_FALSE(running.says("x_name="));
  CHECK(running.set(peer_lines(key, "x_name=laptop\n" + peer_lines(key, "remove=true\n") +
                                        peer_lines(key, ""))) == kDone);
  CHECK_FALSE(running.says("x_name="));
}

TEST_CASE("a request whose end never comes is not obeyed", "[host][control]") {
  const Running running;
  {
    const Descriptor fd = connect(running.daemon);
    const std::string half = "set=1\n" + peer_lines(key_text('7'), "");
    REQUIRE(::send(fd.get(), half.data(), half.size(), MSG_NOSIGNAL) > 0);
  }
  CHECK_FALSE(running.says(key_text('7')));
}

TEST_CASE("what is set reaches the stored endpoints", "[host][control]") {
  const Running running;
  tunnel_state* state = nullptr;
  const std::string directory = running.daemon.scratch.file("state");
  REQUIRE(tunnel_state_open(directory.c_str(), "wg0", &state) == TUNNEL_OK);
  REQUIRE(tunnel_control_follow(running.daemon.control.get(), nullptr, state) == TUNNEL_OK);
  CHECK(running.set(peer_lines(hex_of(kPeerKey), "endpoint=192.0.2.9:7\n") +
                    peer_lines(key_text('7'), "endpoint=192.0.2.9:8\n")) == kDone);
  CHECK(running.set(peer_lines(key_text('7'), "remove=true\n")) == kDone);
  REQUIRE(tunnel_control_follow(running.daemon.control.get(), nullptr, nullptr) == TUNNEL_OK);
  CHECK(running.set(peer_lines(hex_of(kPeerKey), "endpoint=192.0.2.9:9\n")) == kDone);
  tunnel_state_destroy(state);
  CHECK(running.daemon.scratch.read("state/wg0.endpoints") == kPeerKey + " 192.0.2.9:7\n");
  CHECK(tunnel_control_follow(nullptr, nullptr, nullptr) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("an endpoint that was set as an address is no longer looked up", "[host][control]") {
  const Running running;
  std::uint8_t key[TUNNEL_KEY_SIZE];
  REQUIRE(tunnel_key_from_text(kPeerKey.data(), kPeerKey.size(), key) == TUNNEL_OK);
  struct Lookups {
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;
  } lookups;
  tunnel_resolver_config config = TUNNEL_RESOLVER_CONFIG_INIT;
  config.engine = running.daemon.engine.get();
  config.context = &lookups;
  config.report = [](void* context, const std::uint8_t*, const char*, const tunnel_address*,
                     const char*) {
    auto* to = static_cast<Lookups*>(context);
    const std::lock_guard lock(to->mutex);
    ++to->count;
    to->changed.notify_all();
  };
  const auto wait_for_lookup = [&](int count) {
    std::unique_lock lock(lookups.mutex);
    lookups.changed.wait(lock, [&] { return lookups.count >= count; });
  };
  tunnel_resolver* resolver = nullptr;
  REQUIRE(tunnel_resolver_create(&config, &resolver) == TUNNEL_OK);
  REQUIRE(tunnel_resolver_add(resolver, key, "localhost", 7) == TUNNEL_OK);
  wait_for_lookup(1);
  REQUIRE(tunnel_control_follow(running.daemon.control.get(), resolver, nullptr) == TUNNEL_OK);
  CHECK(running.set(peer_lines(hex_of(kPeerKey), "endpoint=192.0.2.9:7\n")) == kDone);
  tunnel_event failed = TUNNEL_EVENT_INIT;
  failed.kind = TUNNEL_EVENT_HANDSHAKE_FAILED;
  std::copy_n(key, sizeof(key), failed.public_key);
  REQUIRE(tunnel_resolver_event(resolver, &failed) == TUNNEL_OK);
  // Another name is looked up after it, so nothing was due for the peer.
  const std::uint8_t other[TUNNEL_KEY_SIZE] = {1};
  REQUIRE(tunnel_resolver_add(resolver, other, "localhost", 8) == TUNNEL_OK);
  wait_for_lookup(2);
  CHECK(running.says("endpoint=192.0.2.9:7\n"));
  REQUIRE(tunnel_control_follow(running.daemon.control.get(), nullptr, nullptr) == TUNNEL_OK);
  tunnel_resolver_destroy(resolver);
  CHECK(lookups.count == 2);
}

TEST_CASE("a lookup under way does not override an endpoint that is being set", "[host][control]") {
  const Running running;
  std::uint8_t key[TUNNEL_KEY_SIZE];
  REQUIRE(tunnel_key_from_text(kPeerKey.data(), kPeerKey.size(), key) == TUNNEL_OK);
  const SilentServer server;
  tunnel_resolver_config config = TUNNEL_RESOLVER_CONFIG_INIT;
  config.engine = running.daemon.engine.get();
  tunnel_resolver* resolver = nullptr;
  REQUIRE(tunnel_resolver_create(&config, &resolver) == TUNNEL_OK);
  REQUIRE(tunnel_resolver_ask(resolver, &server.address(), 1, 0) == TUNNEL_OK);
  REQUIRE(tunnel_resolver_add(resolver, key, "vpn.example.com", 7) == TUNNEL_OK);
  REQUIRE(tunnel_control_follow(running.daemon.control.get(), resolver, nullptr) == TUNNEL_OK);
  Gate gate;
  REQUIRE(tunnel_engine_post(config.engine, Gate::wait, &gate) == TUNNEL_OK);
  std::string answer;
  std::thread client(
      [&] { answer = running.set(peer_lines(hex_of(kPeerKey), "endpoint=192.0.2.9:7\n")); });
  // Before the core has taken it there is no name any more: nothing is waited for.
  CHECK(tunnel_resolver_wait(resolver, 3000) == TUNNEL_OK);
  gate.open();
  client.join();
  CHECK(answer == kDone);
  CHECK(running.says("endpoint=192.0.2.9:7\n"));
  REQUIRE(tunnel_control_follow(running.daemon.control.get(), nullptr, nullptr) == TUNNEL_OK);
  tunnel_resolver_destroy(resolver);
}

TEST_CASE("the first handshake of a peer that was removed and came back is no rekey",
          "[host][control]") {
  const Running running;
  tunnel_event handshake = TUNNEL_EVENT_INIT;
  handshake.kind = TUNNEL_EVENT_HANDSHAKE;
  handshake.mono_ns = 1'000'000'000;
  REQUIRE(tunnel_key_from_text(kPeerKey.data(), kPeerKey.size(), handshake.public_key) ==
          TUNNEL_OK);
  tunnel_control* control = running.daemon.control.get();
  REQUIRE(tunnel_control_event(control, &handshake) == TUNNEL_OK);
  CHECK(running.set(peer_lines(hex_of(kPeerKey), "remove=true\n")) == kDone);
  CHECK(running.set(peer_lines(hex_of(kPeerKey), "")) == kDone);
  handshake.mono_ns *= 2;
  REQUIRE(tunnel_control_event(control, &handshake) == TUNNEL_OK);
  tunnel_events* events = nullptr;
  REQUIRE(tunnel_events_open(running.daemon.directory.c_str(), "wg0", 0, &events) == TUNNEL_OK);
  std::vector<std::uint32_t> kinds;
  tunnel_notice notice = TUNNEL_NOTICE_INIT;
  while (tunnel_events_next(events, &notice) == 1) kinds.push_back(notice.kind);
  tunnel_events_close(events);
  CHECK(kinds == std::vector<std::uint32_t>{TUNNEL_EVENT_UP, TUNNEL_EVENT_HANDSHAKE,
                                            TUNNEL_EVENT_HANDSHAKE});
}
