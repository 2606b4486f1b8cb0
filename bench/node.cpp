// bench_node — one end of a tunnel with a cipher of one's choice, never part of the product.
//
//   bench_node [--cipher NAME|null] [--no-offload] -f INTERFACE
//
// Is started and configured as wireguard-go is: a TUN interface, and a control socket for wg(8).
// "null" copies nothing and computes nothing: whatever such a tunnel costs is plumbing, the floor
// below which no cipher comes. It protects nothing. --no-offload: one packet per system call.
// SIGUSR1 prints the engine's counters.
#include <csignal>
#include <string>
#include <thread>

#include <tunnel/host/host.h>
#include <tunnel/tunnel.hpp>

#include "measure.h"

namespace {

using namespace bench;

// A core refuses a table that does not seal as RFC 8439 says. So this one does, until the core is
// made, and then forgets it. Handshakes do not use the table.
class NullCipher {
 public:
  NullCipher() {
    require(tunnel_cipher_find(nullptr, &real_) == TUNNEL_OK, "no cipher");
    ops_ = *real_.ops;
    ops_.size = sizeof ops_;
    ops_.name = "null";
    ops_.key_init = [](void* self, void* memory, const std::uint8_t* key) {
      const auto& real = static_cast<NullCipher*>(self)->real_;
      return real.ops->key_init(real.self, memory, key);
    };
    ops_.seal = [](void* self, tunnel_aead_job* jobs, std::size_t count) {
      static_cast<NullCipher*>(self)->seal(jobs, count);
    };
    ops_.open = [](void* self, tunnel_aead_job* jobs, std::size_t count) {
      static_cast<NullCipher*>(self)->open(jobs, count);
    };
  }
  NullCipher(const NullCipher&) = delete;
  NullCipher& operator=(const NullCipher&) = delete;

  tunnel_cipher table() { return {&ops_, this}; }
  void forget() { idle_ = true; }

 private:
  void seal(tunnel_aead_job* jobs, std::size_t count) const {
    if (!idle_) return real_.ops->seal(real_.self, jobs, count);
    for (std::size_t i = 0; i < count; ++i) {
      keep(jobs[i], jobs[i].length);
      std::memset(jobs[i].out + jobs[i].length, 0, TUNNEL_AEAD_TAG);
    }
  }
  void open(tunnel_aead_job* jobs, std::size_t count) const {
    if (!idle_) return real_.ops->open(real_.self, jobs, count);
    for (std::size_t i = 0; i < count; ++i) keep(jobs[i], jobs[i].length - TUNNEL_AEAD_TAG);
  }
  static void keep(tunnel_aead_job& job, std::uint32_t length) {
    if (job.in != job.out) std::memcpy(job.out, job.in, length);
    job.result = TUNNEL_OK;
  }

  tunnel_cipher real_{};
  tunnel_cipher_ops ops_{};
  bool idle_ = false;
};

tunnel::Core make_core(const tunnel_cipher& cipher) {
  auto config = tunnel::sized<tunnel_core_config>();
  config.cipher = cipher;
  auto core = tunnel::Core::create(config);
  require(bool(core), "no core");
  return *std::move(core);
}

tunnel::Engine make_engine(const char* interface, const char* cipher, bool offload) {
  static NullCipher null;  // as long as the core
  tunnel_cipher table{};
  const bool floor = std::string_view(cipher) == "null";
  if (floor) table = null.table();
  const char* name = *cipher == '\0' ? nullptr : cipher;
  if (!floor) require(tunnel_cipher_find(name, &table) == TUNNEL_OK, "no such cipher");
  auto core = make_core(table);
  null.forget();
  auto tun = tunnel::sized<tunnel_tun_config>();
  tun.name = interface;
  tun.flags = offload ? 0 : TUNNEL_TUN_NO_OFFLOAD;
  auto device = tunnel::Device::tun(tun);
  require(bool(device), "no interface");
  auto udp = tunnel::sized<tunnel_udp_config>();
  udp.flags = offload ? 0 : TUNNEL_UDP_NO_OFFLOAD;
  auto transport = tunnel::Transport::udp(udp);
  require(bool(transport), "no UDP port");
  auto engine = tunnel::Engine::create(std::move(core), *std::move(device), *std::move(transport));
  require(bool(engine), "no engine");
  return *std::move(engine);
}

tunnel_control* open_control(const char* interface, tunnel::Engine& engine) {
  tunnel_control_config config = TUNNEL_CONTROL_CONFIG_INIT;
  config.name = interface;
  config.engine = engine.get();
  config.removed = [](void* removed) { (void)static_cast<tunnel::Engine*>(removed)->stop(); };
  config.context = &engine;
  tunnel_control* control = nullptr;
  require(tunnel_control_open(&config, &control) == TUNNEL_OK, "no control socket");
  return control;
}

void print_counters(const tunnel::Engine& engine) {
  const auto counters = engine.counters();
  require(bool(counters), "no counters");
  const auto of = [](std::uint64_t value) { return static_cast<double>(value); };
  print_line("counters", "node",
             {{"wakeups", of(counters->wakeups)},
              {"device_reads", of(counters->device_reads)},
              {"device_packets_in", of(counters->device_packets_in)},
              {"device_packets_out", of(counters->device_packets_out)},
              {"transport_reads", of(counters->transport_reads)},
              {"transport_packets_in", of(counters->transport_packets_in)},
              {"transport_packets_out", of(counters->transport_packets_out)}});
}

// Until somebody asks for the end, by a signal or by deleting the control socket.
void serve(const sigset_t& signals, const tunnel::Engine& engine) {
  for (int signal = 0; sigwait(&signals, &signal) == 0 && signal == SIGUSR1;) {
    print_counters(engine);
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments(count, values);
  const char* interface = arguments.text("-f", nullptr);
  require(interface != nullptr,
          "usage: bench_node [--cipher NAME|null] [--no-offload] -f INTERFACE");
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto engine =
      make_engine(interface, arguments.text("--cipher", ""), !arguments.has("--no-offload"));
  tunnel_control* control = open_control(interface, engine);
  std::thread packets([&] {
    (void)engine.run();
    kill(getpid(), SIGTERM);
  });
  serve(signals, engine);
  (void)engine.stop();
  packets.join();
  tunnel_control_detach(control);
  tunnel_control_close(control);
}
