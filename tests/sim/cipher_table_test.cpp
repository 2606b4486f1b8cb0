// A data-plane cipher that the embedder brought: checked once, trusted no further than its results.
#include "sim/pair.h"

using namespace sim;

namespace {

// libsodium's table, with a switch that makes it stop working.
struct Switchable {
  tunnel_cipher inner{};
  bool works = true;
  std::size_t empty_calls = 0;
  tunnel_cipher_ops ops{};

  Switchable() {
    REQUIRE(tunnel_cipher_find(nullptr, &inner) == TUNNEL_OK);
    ops = {sizeof ops,
           inner.ops->key_size,
           "switchable",
           [](void* self, void* memory, const std::uint8_t key[32]) {
             const auto& table = static_cast<Switchable*>(self)->inner;
             return table.ops->key_init(table.self, memory, key);
           },
           [](void* self, tunnel_aead_job* jobs, std::size_t count) {
             static_cast<Switchable*>(self)->run(&tunnel_cipher_ops::seal, jobs, count);
           },
           [](void* self, tunnel_aead_job* jobs, std::size_t count) {
             static_cast<Switchable*>(self)->run(&tunnel_cipher_ops::open, jobs, count);
           }};
  }
  void run(decltype(tunnel_cipher_ops::seal) tunnel_cipher_ops::*verb, tunnel_aead_job* jobs,
           std::size_t count) {
    if (count == 0) ++empty_calls;
    if (works) (inner.ops->*verb)(inner.self, jobs, count);
  }
};

}  // namespace

TEST_CASE("a core refuses a cipher that does not encrypt as it should", "[sim][cipher]") {
  Switchable cipher;
  cipher.works = false;
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.cipher = {&cipher.ops, &cipher};
  tunnel_core* core = nullptr;
  CHECK(tunnel_core_create(&config, &core) == TUNNEL_ERR_SELF_TEST);
  CHECK(core == nullptr);
}

TEST_CASE("a message that the cipher left undone is neither sent nor delivered", "[sim][cipher]") {
  Switchable cipher;
  Simulation net;
  Node::Options options;
  options.number = 1;
  options.config.cipher = {&cipher.ops, &cipher};
  auto& alice = net.add(options);
  auto& bob = net.add(2);
  net.join(alice, bob);
  net.send(alice, bob, 0);
  net.run_for(kSecond);
  REQUIRE(bob.delivered.size() == 1);

  std::uint64_t sent = 0;
  net.tap = [&](const Datagram& datagram) { sent += datagram.from.bytes[3] == 1; };
  cipher.works = false;
  net.send(alice, bob, 1);
  net.send(bob, alice, 2);
  net.run_for(kSecond);
  CHECK(sent == 0);
  CHECK(alice.seal_verdicts.back() == TUNNEL_DROP_IO);
  CHECK(alice.delivered.empty());
  CHECK(alice.drops(TUNNEL_DROP_FORGED) == 1);

  cipher.works = true;
  net.send(alice, bob, 3);
  net.run_for(kSecond);
  CHECK(bob.delivered.size() == 2);
  CHECK(cipher.empty_calls == 0);
}
