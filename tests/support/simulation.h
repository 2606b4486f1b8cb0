// simulation.h — cores on a simulated network with a virtual clock.
//
// Everything is deterministic: keys, losses and delays come from a seed, time moves only in
// run_until(). Cores are driven through the C ABI, as an embedder would.
#pragma once

#include <tunnel/tunnel.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace sim {

inline constexpr std::uint64_t kMillisecond = 1'000'000;
inline constexpr std::uint64_t kSecond = 1'000 * kMillisecond;
inline constexpr std::uint64_t kWallStart = 1'700'000'000 * kSecond;  // wall clock at time 0

using Bytes = std::vector<std::uint8_t>;

tunnel_address ipv4(std::uint8_t last, std::uint16_t port = 51820);               // 192.0.2.last
tunnel_prefix prefix4(std::uint8_t c, std::uint8_t d, std::uint8_t length = 32);  // 10.0.c.d
// An IPv4/UDP-like inside packet from 10.0.0.from to 10.0.0.to that carries `number`.
Bytes inside_packet(std::uint8_t from, std::uint8_t to, std::uint64_t number,
                    std::size_t size = 84);
std::uint64_t number_of(const Bytes& inside);

struct Datagram {
  std::uint64_t when = 0;
  std::uint64_t order = 0;
  tunnel_address from{};
  tunnel_address to{};
  Bytes bytes;
  std::uint8_t type() const { return bytes.empty() ? std::uint8_t{0} : bytes[0]; }
};

struct Faults {
  std::uint64_t delay_ns = 10 * kMillisecond;
  std::uint64_t jitter_ns = 0;  // on top of the delay: reorders
  std::uint32_t loss_ppm = 0;
  std::uint32_t duplicate_ppm = 0;
};

// One host: a core, an address, and what came out of it.
class Node {
 public:
  struct Options {
    std::uint8_t number = 0;  // outside 192.0.2.number, inside 10.0.0.number
    std::uint64_t seed = 1;
    tunnel_core_config config{sizeof(tunnel_core_config)};
  };
  explicit Node(const Options& options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  tunnel_core* core() const { return core_; }
  std::uint8_t number() const { return options_.number; }
  const std::uint8_t* public_key() const { return public_key_; }
  const std::uint8_t* private_key() const { return private_key_; }
  void restart();  // a new core with the same key and no peers; statistics are kept

  std::uint64_t count(std::uint32_t event_kind) const;
  tunnel_counters counters() const;
  std::uint64_t drops(std::int32_t reason) const;

  tunnel_address address{};
  bool stopped = false;          // SIGSTOP: nothing runs, datagrams are lost
  std::vector<Bytes> delivered;  // inside packets, in order
  std::vector<tunnel_event> events;
  std::vector<std::int32_t> seal_verdicts;

 private:
  void create();

  Options options_;
  tunnel_core* core_ = nullptr;
  std::uint8_t private_key_[32];
  std::uint8_t public_key_[32];
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed = 1, Faults network = {})
      : faults(network), random_(seed) {}

  Node& add(std::uint8_t number);
  Node& add(Node::Options options);
  // Makes `other` a peer of `node`: allowed IP 10.0.0.other/32, its present address as endpoint.
  std::uint64_t add_peer(Node& node, const Node& other, bool endpoint = true,
                         std::uint32_t keepalive_s = 0, const std::uint8_t* preshared = nullptr);
  void join(Node& a, Node& b) { add_peer(a, b), add_peer(b, a); }

  // One inside packet from one node to another; the number identifies it.
  void send(Node& from, const Node& to, std::uint64_t number, std::size_t size = 84);
  void inject(Datagram datagram, std::uint64_t delay_ns = 0);    // straight onto the network
  std::int32_t open_only(Node& node, const Datagram& datagram);  // hand it in; the verdict
  std::int32_t open_now(Node& node, const Datagram& datagram);   // and run what is due then
  void settle(Node& node);                                       // run what is due now

  void run_until(std::uint64_t when);
  void run_for(std::uint64_t ns) { run_until(now_ + ns); }
  std::uint64_t now() const { return now_; }
  tunnel_time time() const { return {now_, kWallStart + now_ + wall_offset}; }

  Faults faults;
  std::uint64_t wall_offset = 0;
  std::function<void(const Datagram&)> tap;   // sees every datagram sent
  std::function<bool(const Datagram&)> lose;  // decides about each datagram, before faults

 private:
  void post(Node& from, const tunnel_packet& packet);
  void deliver(const Datagram& datagram);
  std::uint64_t next_time() const;

  struct Later {
    bool operator()(const Datagram& a, const Datagram& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  std::uint64_t now_ = 0;
  std::uint64_t order_ = 0;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::priority_queue<Datagram, std::vector<Datagram>, Later> network_;
};

}  // namespace sim
