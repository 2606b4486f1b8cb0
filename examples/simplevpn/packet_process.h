// packet_process.h - the process that reads what strangers send: engine, control socket, resolver.
//
// It is a fork of the daemon that has given up root (confine.h) and has, of the daemon's
// descriptors, only those of packets, the control socket and the channel. The daemon applies
// settings, keeps the files and says when packets may move; this process says what happens. It ends
// with the daemon, and the daemon outlives it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <tunnel/tunnel.hpp>

#include "channel.h"
#include "handles.h"
#include "output.h"

namespace simplevpn {

// What it works with, made by the daemon.
struct PacketParts {
  std::string name;
  tunnel::Core core;
  tunnel::Device device;
  tunnel::Transport transport;
  ConfigHandle config;
  int listener = -1;  // of the control socket; ours
  std::vector<tunnel_address> resolvers;
  tunnel::EngineOptions engine;
  std::uint32_t mark = 0;       // of the socket, and of our own questions for names
  bool asks_itself = false;     // once the settings are applied, the system's resolver is no help
  bool binds_low_port = false;  // below 1024
  pid_t daemon = 0;
};

class PacketProcess {
 public:
  // Before it has threads. `channel` leads to the daemon; both outlive this.
  PacketProcess(PacketParts parts, const Channel& channel, const Output& output);
  ~PacketProcess();

  // Until the daemon hangs up. Returns the exit status; a failure before `ready` was reported.
  [[nodiscard]] int run();

 private:
  // The stages before `ready`; each returns 0 or the exit status of its failure.
  int give_up_root();
  int create_engine();
  int open_control();
  int start_resolver();
  int leave_terminal();

  void say_ready();

  void serve();
  bool listen();
  void obey(const Message& message);
  void start_engine();
  void ask(const Message& message);
  void stop();
  void say_ended();
  void release();
  void take_events();
  int refuse(std::int32_t status, const std::string& doing);
  void settle(const Message& message);
  std::int64_t wait_until_settled(Message message);
  void stop_waiting();
  static void on_endpoint(void* self, const std::uint8_t* key, const tunnel_address* endpoint);
  static std::uint32_t on_mark(void* self, std::uint32_t mark);
  static void on_port(void* self, std::uint16_t port);
  static void on_resolved(void* self, const std::uint8_t* key, const char* host,
                          const tunnel_address* address, const char* reason);

  PacketParts parts_;
  const Channel& channel_;
  const Output& output_;
  std::string user_;
  std::optional<tunnel::Engine> engine_;
  ControlHandle control_;
  ResolverHandle resolver_;
  Descriptor ended_;  // readable when the engine's run() has returned
  std::thread engine_thread_;
  std::atomic<std::int32_t> engine_result_{0};

  std::mutex settling_;  // guards what follows
  std::condition_variable settled_;
  bool waits_ = true;  // the daemon listens
  std::uint64_t asked_ = 0;
  Message answer_;  // the last one
};

}  // namespace simplevpn
