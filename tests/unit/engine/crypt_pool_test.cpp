// The cipher on other threads: everything is done once, and packets keep their order.
#include "engine/crypt_pool.h"

#include <signal.h>

#include <algorithm>

#include "nodes.h"
#include "scripted.h"
#include "support/catch.hpp"

using namespace tunnel::test;
using tunnel::engine::CryptPool;
using tunnel::engine::CryptTask;

namespace {

// A "cipher" that counts how often a job was done.
void count_jobs(void*, tunnel_aead_job* jobs, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) ++jobs[i].length;
}

void note_signals(void* self, tunnel_aead_job*, std::size_t) {
  ::pthread_sigmask(SIG_SETMASK, nullptr, static_cast<sigset_t*>(self));
}

struct Work {
  Work(std::size_t count, CryptTask::Verb verb, void* cipher) : tasks(count), jobs(count * 3) {
    for (std::size_t i = 0; i < count; ++i) {
      tasks[i].verb = verb;
      tasks[i].cipher = cipher;
      tasks[i].jobs = {&jobs[i * 3], 3};
    }
  }
  bool all_done_once() const {
    return std::all_of(tasks.begin(), tasks.end(), [](const auto& t) { return t.done.load(); }) &&
           std::all_of(jobs.begin(), jobs.end(), [](const auto& job) { return job.length == 1; });
  }

  std::vector<CryptTask> tasks;
  std::vector<tunnel_aead_job> jobs;
};

// Two engines with pools on a network that loses nothing and makes senders wait.
struct PooledPair {
  explicit PooledPair(std::uint32_t threads) {
    tunnel_pair_config config = TUNNEL_PAIR_CONFIG_INIT;
    config.capacity = 256;
    config.addresses[0] = scripted_remote();
    config.addresses[1] = scripted_remote();
    config.addresses[1].port = 7;
    std::array<tunnel_transport, 2> transports{};
    REQUIRE(tunnel_transport_pair(&config, transports.data()) == TUNNEL_OK);
    CorePair cores({config.addresses[0], config.addresses[1]});
    for (std::size_t i = 0; i < 2; ++i) {
      tunnel_device ends[2];
      REQUIRE(tunnel_device_pair(0, 0, ends) == TUNNEL_OK);
      const Node::Options options{.flags = TUNNEL_ENGINE_NO_INITIATE, .crypto_threads = threads};
      nodes[i].emplace(std::move(cores.cores[i]), ends[0], transports[i], options);
      nodes[i]->program.emplace(ends[1]);
    }
  }

  void start() {
    for (auto& node : nodes) node->start();
    nodes[0]->program->send(inside_packet(1, 2, 0));
    CHECK(number_of(nodes[1]->program->receive()) == 0);
  }

  std::array<std::optional<Node>, 2> nodes;
};

// A packet of some size: number `i` from one node to the other.
std::vector<std::uint8_t> packet_of(std::uint8_t source, std::uint32_t i) {
  return inside_packet(source, static_cast<std::uint8_t>(3 - source), i, 40 + i * 37 % 1380);
}

}  // namespace

TEST_CASE("a pool does every task once", "[engine][pool]") {
  for (const std::size_t threads : std::array<std::size_t, 3>{0, 1, 4}) {
    Work work(200, count_jobs, nullptr);
    const auto pool = CryptPool::create(threads, work.tasks.size());
    for (auto& task : work.tasks) pool->submit(task);
    for (auto& task : work.tasks) pool->finish(task);
    CHECK(work.all_done_once());
    CHECK_FALSE(pool->help());
  }
}

TEST_CASE("a pool that ends does what it was given first", "[engine][pool]") {
  Work work(200, count_jobs, nullptr);
  auto pool = CryptPool::create(2, work.tasks.size());
  for (auto& task : work.tasks) pool->submit(task);
  pool.reset();
  CHECK(work.all_done_once());
}

TEST_CASE("the threads of a pool take no signals of the process", "[engine][pool]") {
  sigset_t mask;
  ::sigemptyset(&mask);
  Work work(1, note_signals, &mask);
  auto pool = CryptPool::create(1, 1);
  pool->submit(work.tasks[0]);
  work.tasks[0].done.wait(false);
  pool.reset();
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD}) {
    CHECK(::sigismember(&mask, signal) == 1);
  }
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(::sigismember(&mask, SIGUSR1) == 0);  // the maker's own mask is as it was
}

TEST_CASE("engines with a pool carry packets in order, both ways at once", "[engine][pool]") {
  constexpr std::uint32_t kCount = 3000;
  PooledPair pair(2);
  pair.start();
  auto& left = *pair.nodes[0]->program;
  auto& right = *pair.nodes[1]->program;
  std::uint32_t there = 0;
  std::uint32_t back = 0;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    while (there < kCount && left.offer(packet_of(1, there))) ++there;
    while (back < kCount && right.offer(packet_of(2, back))) ++back;
    REQUIRE(right.receive() == packet_of(1, i));
    REQUIRE(left.receive() == packet_of(2, i));
  }
  pair.nodes[0]->catch_up();  // it counts what it has written after writing it
  CHECK(pair.nodes[0]->counters().device_packets_in == kCount + 1);
  CHECK(pair.nodes[0]->counters().device_packets_out == kCount);
}

TEST_CASE("a pool does not stand in the way of stops, suspends and ends", "[engine][pool]") {
  PooledPair pair(2);
  pair.start();
  for (int i = 0; i < 20; ++i) {
    for (auto& node : pair.nodes) {
      for (std::uint32_t packet = 0; packet < 100; ++packet) {
        const auto self = static_cast<std::uint8_t>(&node == &pair.nodes[0] ? 1 : 2);
        (void)node->program->offer(
            inside_packet(self, static_cast<std::uint8_t>(3 - self), packet, 1400));
      }
      if (i % 4 == 0) CHECK(tunnel_engine_suspend(node->engine()) == TUNNEL_OK);
      if (i % 4 == 0) CHECK(tunnel_engine_resume(node->engine()) == TUNNEL_OK);
      if (i % 4 == 1) {
        CHECK(node->stop() == TUNNEL_OK);
        node->start();
      }
      if (i % 4 == 2) {
        node->do_there([](tunnel_core* core) { tunnel_core_forget_sessions(core); });
      }
      node->program->discard();
    }
  }
  for (auto& node : pair.nodes) CHECK(node->stop() == TUNNEL_OK);
}

TEST_CASE("an engine has at most sixteen threads for its cipher", "[engine][pool]") {
  tunnel_engine_config config = TUNNEL_ENGINE_CONFIG_INIT;
  const auto core = make_core({});
  ScriptedDevice device;
  ScriptedTransport transport;
  config.core = core.get();
  config.device = device.table();
  config.transport = transport.table();
  config.crypto_threads = 17;
  tunnel_engine* engine = nullptr;
  CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_ARGUMENT);
}
