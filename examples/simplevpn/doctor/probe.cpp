#include "probe.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include <tunnel/tunnel.hpp>

#include "../format.h"

namespace simplevpn::doctor {
namespace {

using Clock = std::chrono::steady_clock;

struct Rig {
  tunnel::Device inside;  // the far end of the device; without it the engine would end
  tunnel::Engine engine;
};

// What is counted is then about the peer that is asked for.
void forget_others(const Facts& facts, tunnel::Core& core) {
  for (const PeerFacts& peer : facts.peers) {
    const auto key = tunnel::PublicKey::from_text(peer.public_key);
    if (!key || facts.is_about(peer)) continue;
    if (const auto found = core.find_peer(*key)) static_cast<void>(core.remove_peer(*found));
  }
}

std::optional<Rig> make_rig(const tunnel_config* config, const Facts& facts) {
  auto core = tunnel::Core::create();
  if (!core || tunnel_config_apply(config, core->get()) != TUNNEL_OK) return {};
  forget_others(facts, *core);
  auto devices = tunnel::Device::pair(0, TUNNEL_MTU_DEFAULT);
  tunnel_udp_config udp = TUNNEL_UDP_CONFIG_INIT;
  udp.mark = facts.mark;
  auto transport = tunnel::Transport::udp(udp);
  if (!transport) {  // a mark needs privileges
    udp.mark = 0;
    transport = tunnel::Transport::udp(udp);
  }
  if (!devices || !transport) return {};
  auto engine =
      tunnel::Engine::create(*std::move(core), std::move((*devices)[0]), *std::move(transport));
  if (!engine) return {};
  return Rig{std::move((*devices)[1]), *std::move(engine)};
}

void take_events(tunnel::Engine& engine, Facts& facts) {
  while (const auto event = engine.next_event()) {
    if (event->kind != TUNNEL_EVENT_HANDSHAKE) continue;
    const std::string key = public_key_text(event->public_key);
    for (PeerFacts& peer : facts.peers) {
      if (peer.public_key == key) peer.live = true;
    }
  }
}

bool all_answered(const Facts& facts) {
  return std::all_of(facts.peers.begin(), facts.peers.end(), [&](const PeerFacts& peer) {
    return peer.live || peer.refused || peer.endpoint.empty() || !peer.not_found.empty() ||
           !facts.is_about(peer);
  });
}

tunnel_counters counters_of(tunnel::Engine& engine) {
  auto promise = std::make_shared<std::promise<tunnel_counters>>();
  auto future = promise->get_future();
  const auto posted = engine.post([promise](tunnel::Core& core) {
    const auto counters = core.counters();
    promise->set_value(counters ? *counters : tunnel_counters{});
  });
  const bool done =
      posted == TUNNEL_OK && future.wait_for(std::chrono::seconds(2)) == std::future_status::ready;
  return done ? future.get() : tunnel_counters{};
}

}  // namespace

void fill_counts(const tunnel_counters& core, const tunnel_engine_counters& engine,
                 Counts& counts) {
  counts.datagrams_in = core.rx_packets;
  const std::uint64_t no_data = core.handshakes_initiated + core.handshakes_responded +
                                core.cookie_replies + core.keepalives_sent;
  counts.data_out = core.tx_packets - std::min(no_data, core.tx_packets);
  counts.delivered = core.delivered_packets;
  counts.initiated = core.handshakes_initiated;
  counts.completed = core.handshakes_completed;
  counts.responded = core.handshakes_responded;
  counts.cookies_in = core.cookies_received;
  counts.cookies_out = core.cookie_replies;
  counts.under_load = core.under_load != 0;
  counts.refused_by_network = engine.transport_drops[TUNNEL_DROP_UNREACHABLE - TUNNEL_DROP_FIRST];
  std::copy(std::begin(core.drops), std::end(core.drops), counts.drops.begin());
}

void probe(const tunnel_config* config, int patience_ms, Facts& facts) {
  auto rig = make_rig(config, facts);
  if (!rig) return;
  tunnel::Engine* const engine = &rig->engine;
  std::thread thread([&] { (void)engine->run(); });
  const auto end = Clock::now() + std::chrono::milliseconds(patience_ms);
  while (!all_answered(facts) && Clock::now() < end) {
    pollfd waits{static_cast<int>(engine->event_handle()), POLLIN, 0};
    poll(&waits, 1, 100);
    take_events(*engine, facts);
  }
  const auto counted = engine->counters();
  fill_counts(counters_of(*engine), counted ? *counted : tunnel_engine_counters{}, facts.counts);
  (void)engine->stop();
  thread.join();
  facts.probed = true;
}

}  // namespace simplevpn::doctor
