#include <sys/stat.h>
#include <tunnel/host/state.h>
#include <tunnel/host/text.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "config_support.h"
#include "core_support.h"
#include "host/state/state.h"
#include "scratch.h"
#include "support/catch.hpp"

using namespace tunnel::test;

namespace {

struct StateDeleter {
  void operator()(tunnel_state* state) const { tunnel_state_destroy(state); }
};
using StatePtr = std::unique_ptr<tunnel_state, StateDeleter>;

StatePtr open_state(const Scratch& scratch) {
  tunnel_state* state = nullptr;
  REQUIRE(tunnel_state_open(scratch.file("state").c_str(), "wg0", &state) == TUNNEL_OK);
  return StatePtr(state);
}

tunnel_event moved(const std::uint8_t* public_key, const char* address) {
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.kind = TUNNEL_EVENT_ENDPOINT;
  std::copy_n(public_key, TUNNEL_KEY_SIZE, event.public_key);
  REQUIRE(tunnel_address_from_text(address, std::string(address).size(), &event.address) ==
          TUNNEL_OK);
  return event;
}

Parsed two_peers(const char* endpoint_of_second) {
  return parse(with_peer("[Peer]\nPublicKey = " + kOtherKey + "\n" + endpoint_of_second));
}

}  // namespace

TEST_CASE("endpoints that moved are known after a restart", "[host][state]") {
  const Scratch scratch;
  const Parsed parsed = two_peers("Endpoint = 198.51.100.1:1000\n");
  {
    const StatePtr state = open_state(scratch);
    for (int i = 1; i < 1000; ++i) {
      const std::string address = "192.0.2.7:" + std::to_string(i);
      const tunnel_event event = moved(parsed.peer(0).public_key, address.c_str());
      REQUIRE(tunnel_state_event(state.get(), &event) == TUNNEL_OK);
    }
    const tunnel_event event = moved(parsed.peer(1).public_key, "[2001:db8::7]:5000");
    REQUIRE(tunnel_state_event(state.get(), &event) == TUNNEL_OK);
  }
  struct stat info {};
  REQUIRE(::stat(scratch.file("state/wg0.endpoints").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  const StatePtr state = open_state(scratch);
  const CorePtr core = make_core();
  REQUIRE(tunnel_config_apply(parsed.config.get(), core.get()) == TUNNEL_OK);
  REQUIRE(tunnel_state_apply(state.get(), core.get()) == TUNNEL_OK);
  CHECK(peer_info(core.get(), parsed.peer(0).public_key).endpoint.port == 999);
  // What the configuration says goes before what was seen.
  CHECK(peer_info(core.get(), parsed.peer(1).public_key).endpoint.port == 1000);
}

TEST_CASE("peers that are no longer configured are forgotten", "[host][state]") {
  const Scratch scratch;
  const Parsed parsed = two_peers("");
  const Parsed fewer = parse(with_peer(""));
  for (const Parsed* now : {&parsed, &fewer}) {
    const StatePtr state = open_state(scratch);
    const CorePtr core = make_core();
    REQUIRE(tunnel_config_apply(now->config.get(), core.get()) == TUNNEL_OK);
    REQUIRE(tunnel_state_apply(state.get(), core.get()) == TUNNEL_OK);
    for (std::size_t i = 0; i < now->interface().peer_count; ++i) {
      const tunnel_event event = moved(now->peer(i).public_key, "192.0.2.7:1");
      REQUIRE(tunnel_state_event(state.get(), &event) == TUNNEL_OK);
    }
  }
  CHECK(scratch.read("state/wg0.endpoints") == kPeerKey + " 192.0.2.7:1\n");
}

TEST_CASE("what is stored is removed with its tunnel's name, or all of it", "[host][state]") {
  const Scratch scratch;
  const std::string state = scratch.file("state");
  REQUIRE(tunnel_state_remove(state.c_str(), nullptr) == TUNNEL_OK);  // there is none
  std::filesystem::create_directory(state);
  std::filesystem::permissions(state, std::filesystem::perms::owner_all);
  const std::vector<std::string> files = {"wg0.endpoints", "wg0.endpoints.new", "wg1.endpoints",
                                          "wg2.endpoints.new", "other"};
  for (const std::string& file : files) std::ofstream(state + "/" + file) << "x";
  REQUIRE(tunnel_state_remove(state.c_str(), "wg0") == TUNNEL_OK);
  CHECK_FALSE(std::filesystem::exists(state + "/wg0.endpoints"));
  CHECK_FALSE(std::filesystem::exists(state + "/wg0.endpoints.new"));
  CHECK(std::filesystem::exists(state + "/wg1.endpoints"));
  REQUIRE(tunnel_state_remove(state.c_str(), nullptr) == TUNNEL_OK);
  CHECK_FALSE(std::filesystem::exists(state + "/wg1.endpoints"));
  CHECK_FALSE(std::filesystem::exists(state + "/wg2.endpoints.new"));
  CHECK(std::filesystem::exists(state + "/other"));
  CHECK(tunnel_state_remove(state.c_str(), "../x") == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("a damaged file gives what can be read of it", "[host][state]") {
  const std::string text = "nonsense\n" + kPeerKey + " 192.0.2.1:7\n" + kPeerKey + "\n" +
                           kOtherKey + " 192.0.2.1\n\n" + kOtherKey + " example.com:7\n" +
                           kOtherKey.substr(1) + " 192.0.2.1:7\n" + kOtherKey + " 192.0.2.1:";
  CHECK(tunnel::host::read_endpoints(text).size() == 1);
  CHECK(tunnel::host::write_endpoints(tunnel::host::read_endpoints(text)) ==
        kPeerKey + " 192.0.2.1:7\n");
}

TEST_CASE("other events write nothing, and bad names are refused", "[host][state]") {
  const Scratch scratch;
  {
    const StatePtr state = open_state(scratch);
    tunnel_event event = TUNNEL_EVENT_INIT;
    event.kind = TUNNEL_EVENT_HANDSHAKE;
    CHECK(tunnel_state_event(state.get(), &event) == TUNNEL_OK);
    CHECK(tunnel_state_event(state.get(), nullptr) == TUNNEL_ERR_ARGUMENT);
  }
  CHECK_FALSE(std::filesystem::exists(scratch.file("state/wg0.endpoints")));
  tunnel_state* state = nullptr;
  CHECK(tunnel_state_open(scratch.path().c_str(), "../wg0", &state) == TUNNEL_ERR_ARGUMENT);
  const std::string missing = scratch.file("missing/state");
  CHECK(tunnel_state_open(missing.c_str(), "wg0", &state) == TUNNEL_ERR_NOT_FOUND);
}
