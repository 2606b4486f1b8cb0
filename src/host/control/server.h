// server.h — the daemon's end of the control socket, on a thread of its own.
#pragma once

#include <tunnel/host/control.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/base.h"
#include "host/control/changer.h"
#include "host/control/connection.h"
#include "host/control/core_access.h"
#include "host/control/core_reader.h"
#include "host/control/event_log.h"
#include "host/control/facts.h"
#include "host/control/socket_file.h"

struct pollfd;

namespace tunnel::host {

// Told when somebody deleted the socket.
struct RemovedHook {
  void (*call)(void* context) = nullptr;
  void* context = nullptr;
};

class Server {
 public:
  static constexpr std::size_t kMostConnections = 16;

  static base::Result<std::unique_ptr<Server>> start(const tunnel_control_config& config);
  ~Server();  // closes all connections and removes the socket

  // Any thread.
  void add_event(const tunnel_event& event);
  void looked_up(const PublicKey& peer, const std::string& fault);

  void follow(const Followers& followers) { changer_.follow(followers); }
  void detach();

 private:
  Server(SocketFile file, base::WaitFlag ending, base::WaitFlag news,
         const tunnel_control_config& config);

  void run();
  bool serve_once();
  bool pause() const;
  int patience_ms() const;
  std::vector<pollfd> what_to_wait_for() const;
  void look_at_file();
  void accept_client();
  bool make_place();
  bool serve(Connection& connection, int events);
  bool answer_requests(Connection& connection);
  void answer_events(Connection& connection);
  void write_events(Connection& connection);
  void send_events();
  void answer_set(Connection& connection);
  void change(Connection& connection, bool ended);
  void answer_get(base::WipedBuffer& out);
  int write_status(base::WipedBuffer& out);
  void write_peers(const CorePiece& piece, base::WipedBuffer& out) const;

  const SocketFile file_;
  base::WaitFlag ending_;  // up = the thread shall end
  CoreAccess core_;
  EventLog events_;
  TunnelFacts facts_;  // the thread's once it runs
  Changer changer_;
  const RemovedHook removed_;
  const std::uint64_t since_s_;
  const std::uint32_t process_;
  std::uint64_t accepts_from_ms_ = 0;  // later than now = no clients are accepted
  bool told_ = false;                  // that the socket was deleted
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tunnel::host
