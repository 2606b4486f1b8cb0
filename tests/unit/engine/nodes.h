// nodes.h — engines on threads of their own, as an application runs them.
//
// Tests never sleep to wait for another thread: they wait on futures and handles, with a deadline
// so generous that only a hang reaches it.
#pragma once

#include <poll.h>
#include <sys/resource.h>
#include <tunnel/engine.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "cores.h"
#include "support/catch.hpp"

namespace tunnel::test {

inline constexpr std::chrono::seconds kPatience{20};
inline constexpr int kPatienceMs = 20'000;

struct EngineDeleter {
  void operator()(tunnel_engine* engine) const {
    CHECK(tunnel_engine_destroy(engine) == TUNNEL_OK);
  }
};
using EnginePtr = std::unique_ptr<tunnel_engine, EngineDeleter>;

// The test's end of a device pair: what a local program sees of the tunnel.
class Program {
 public:
  explicit Program(tunnel_device device) : device_(device) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { close(); }

  void close() {
    if (device_.ops != nullptr) device_.ops->close(device_.self);
    device_.ops = nullptr;
  }

  // False when the device is full.
  bool offer(std::vector<std::uint8_t> bytes) {
    tunnel_packet packet{};
    packet.data = bytes.data();
    packet.length = packet.room = static_cast<std::uint32_t>(bytes.size());
    packet.verdict = TUNNEL_VERDICT_DELIVER;
    return device_.ops->write(device_.self, &packet, 1) == TUNNEL_OK &&
           packet.verdict == TUNNEL_VERDICT_SENT;
  }
  // Waits while the device is full. False when that takes too long. Any thread (Catch's macros may
  // only be used on the test's own).
  bool try_send(const std::vector<std::uint8_t>& bytes) {
    while (!offer(bytes)) {
      if (!await(TUNNEL_WRITABLE, POLLOUT)) return false;
    }
    return true;
  }
  void send(const std::vector<std::uint8_t>& bytes) { REQUIRE(try_send(bytes)); }

  // The next packet out of the tunnel; fails the test when none comes.
  std::vector<std::uint8_t> receive() {
    while (read() == 0) REQUIRE(await(TUNNEL_READABLE, POLLIN));
    return {packet_.data, packet_.data + packet_.length};
  }
  // Throws away what has come.
  void discard() {
    while (read() > 0) {
    }
  }

 private:
  bool await(std::uint32_t event, short poll_event) {
    std::array<tunnel_handle, 2> handles{};
    const auto count = device_.ops->wait(device_.self, handles.data(), handles.size());
    for (std::int32_t i = 0; i < count; ++i) {
      const auto& handle = handles[static_cast<std::size_t>(i)];
      if ((handle.events & event) == 0) continue;
      pollfd entry{static_cast<int>(handle.handle), poll_event, 0};
      return ::poll(&entry, 1, kPatienceMs) == 1;
    }
    return false;
  }

  std::int32_t read() {
    const tunnel_slab slab{bytes_.data(), bytes_.size(), 0, 0, 1, 2000};
    return device_.ops->read(device_.self, &slab, &packet_, 1);
  }

  tunnel_device device_;
  std::array<std::uint8_t, 4096> bytes_;
  tunnel_packet packet_{};
};

// An engine and the thread that runs it.
class Node {
 public:
  struct Options {
    std::uint32_t flags = 0;
    std::uint64_t memory_budget = 0;
    std::uint32_t crypto_threads = 0;
  };
  // With a device pair: `program` is its other end.
  Node(CorePtr core, tunnel_transport transport, std::uint32_t flags = 0) {
    tunnel_device ends[2];
    REQUIRE(tunnel_device_pair(0, 0, ends) == TUNNEL_OK);
    program.emplace(ends[1]);
    create(std::move(core), ends[0], transport, {flags, 0, 0});
  }
  Node(CorePtr core, tunnel_device device, tunnel_transport transport,
       const Options& options = {TUNNEL_ENGINE_NO_INITIATE, 0, 0}) {
    create(std::move(core), device, transport, options);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() {
    if (thread_.joinable()) stop();
  }

  void start() {
    std::promise<std::int32_t> promise;
    result_ = promise.get_future();
    thread_ = std::thread([engine = engine_.get(), promise = std::move(promise)]() mutable {
      promise.set_value(tunnel_engine_run(engine));
    });
  }

  std::int32_t stop() {
    CHECK(tunnel_engine_stop(engine_.get()) == TUNNEL_OK);
    return result();
  }

  // What run() returned.
  std::int32_t result() {
    const bool ended = result_.wait_for(kPatience) == std::future_status::ready;
    if (!ended) std::abort();  // the thread cannot be joined, so the test cannot go on
    thread_.join();
    return result_.get();
  }

  // Runs `task` on the engine's thread and waits for it. Afterwards all commands that were given
  // before have been carried out.
  template <class Task>
  void do_there(Task task) {
    struct Context {
      Task& task;
      std::promise<void> done;
    } context{task, {}};
    auto done = context.done.get_future();
    const tunnel_task call = [](void* pointer, tunnel_core* core) {
      auto& own = *static_cast<Context*>(pointer);
      own.task(core);
      own.done.set_value();
    };
    if (tunnel_engine_post(engine_.get(), call, &context) != TUNNEL_OK) std::abort();
    if (done.wait_for(kPatience) != std::future_status::ready) std::abort();
  }
  void catch_up() {
    do_there([](tunnel_core*) {});
  }

  tunnel_engine_counters counters() {
    tunnel_engine_counters counters = TUNNEL_ENGINE_COUNTERS_INIT;
    REQUIRE(tunnel_engine_get_counters(engine_.get(), &counters) == TUNNEL_OK);
    return counters;
  }

  // The next event of this kind; others are thrown away.
  tunnel_event await_event(std::uint32_t kind) {
    tunnel_event event = TUNNEL_EVENT_INIT;
    do {
      pollfd entry{static_cast<int>(tunnel_engine_event_handle(engine_.get())), POLLIN, 0};
      REQUIRE(::poll(&entry, 1, kPatienceMs) == 1);
      REQUIRE(tunnel_engine_next_event(engine_.get(), &event) == 1);
    } while (event.kind != kind);
    return event;
  }

  tunnel_engine* engine() { return engine_.get(); }

  std::optional<Program> program;

 private:
  void create(CorePtr core, tunnel_device device, tunnel_transport transport,
              const Options& options) {
    tunnel_engine_config config = TUNNEL_ENGINE_CONFIG_INIT;
    config.flags = options.flags;
    config.memory_budget = options.memory_budget;
    config.crypto_threads = options.crypto_threads;
    config.core = core.get();
    config.device = device;
    config.transport = transport;
    tunnel_engine* created = nullptr;
    REQUIRE(tunnel_engine_create(&config, &created) == TUNNEL_OK);
    [[maybe_unused]] const auto* adopted = core.release();
    engine_.reset(created);
  }

  EnginePtr engine_;
  std::future<std::int32_t> result_;
  std::thread thread_;
};

// Only so many more descriptors can be opened while this lives. Catch's macros must keep out of its
// scope: what the sanitizers check about them takes a descriptor.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &old_);
    const int next = ::dup(0);
    ::close(next);
    rlimit low = old_;
    low.rlim_cur = static_cast<rlim_t>(next) + more;
    ::setrlimit(RLIMIT_NOFILE, &low);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &old_); }

 private:
  rlimit old_{};
};

// A UDP transport on the loopback address; `address` gets where it can be reached.
inline tunnel_transport open_loopback(tunnel_address& address) {
  tunnel_udp_config config = TUNNEL_UDP_CONFIG_INIT;
  config.families = TUNNEL_UDP_IPV4;
  config.flags = TUNNEL_UDP_NO_MONITOR;
  config.bind.family = TUNNEL_FAMILY_IPV4;
  config.bind.bytes[0] = 127;
  config.bind.bytes[3] = 1;
  tunnel_transport transport{};
  REQUIRE(tunnel_udp_open(&config, &transport) == TUNNEL_OK);
  address = config.bind;
  address.port = static_cast<std::uint16_t>(transport.ops->port(transport.self));
  return transport;
}

// Two engines that reach each other by UDP on the loopback interface. Not yet running.
struct UdpPair {
  UdpPair() {
    std::array<tunnel_address, 2> addresses{};
    std::array<tunnel_transport, 2> transports{};
    for (std::size_t i = 0; i < 2; ++i) transports[i] = open_loopback(addresses[i]);
    CorePair cores(addresses);
    a.emplace(std::move(cores.cores[0]), transports[0]);
    b.emplace(std::move(cores.cores[1]), transports[1], TUNNEL_ENGINE_NO_INITIATE);
  }

  void start() {
    a->start();
    b->start();
  }

  // One packet there and one back.
  void ping(std::uint32_t number) {
    const auto there = inside_packet(1, 2, number);
    a->program->send(there);
    CHECK(b->program->receive() == there);
    const auto back = inside_packet(2, 1, number);
    b->program->send(back);
    CHECK(a->program->receive() == back);
  }

  std::optional<Node> a;  // initiates
  std::optional<Node> b;
};

}  // namespace tunnel::test
