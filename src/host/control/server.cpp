// server.cpp — the loop of the control thread: wait, look at the socket's file, accept, serve each
// client, drop those that are gone or too slow.
#include "host/control/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "host/control/event_text.h"
#include "host/control/uapi_write.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::uint64_t kPauseWhenExhausted_ms = 200;

enum Slot : std::size_t { kEnding, kWatch, kListener, kEvents, kClients };  // in the list for poll

std::uint64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::uint64_t wall_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::uint64_t wall_s() {
  return wall_ns() / 1'000'000'000;
}

tunnel_event own_event(std::uint32_t kind) {
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.kind = kind;
  return event;
}

base::Result<SocketFile> file_of(const tunnel_control_config& config, base::Descriptor listener) {
  if ((config.flags & TUNNEL_CONTROL_NO_FILE) != 0) {
    return SocketFile::without_file(std::move(listener));
  }
  const char* directory = config.directory == nullptr ? kSocketDirectory : config.directory;
  return listener.valid() ? SocketFile::adopt(directory, config.name, std::move(listener))
                          : SocketFile::create(directory, config.name);
}

// The plan of a tunnel that takes everything has chosen a mark where the file names none.
TunnelFacts first_facts(const tunnel_control_config& config) {
  TunnelFacts facts = facts_of(config.config);
  if (config.fwmark != 0) facts.fwmark = config.fwmark;
  return facts;
}

}  // namespace

base::Result<std::unique_ptr<Server>> Server::start(const tunnel_control_config& config) {
  base::Descriptor listener;
  if (config.take_listener != 0) listener = base::Descriptor(static_cast<int>(config.listener));
  const bool named = config.name != nullptr && is_tunnel_name(config.name);
  if (!named || config.engine == nullptr) return base::Error{TUNNEL_ERR_ARGUMENT};
  auto ending = base::WaitFlag::create(base::WaitFlag::Kind::readable);
  if (!ending) return base::Error{ending.status()};
  auto news = base::WaitFlag::create(base::WaitFlag::Kind::readable);
  if (!news) return base::Error{news.status()};
  auto file = file_of(config, std::move(listener));
  if (!file) return base::Error{file.status()};
  return std::unique_ptr<Server>(
      new Server(std::move(*file), std::move(*ending), std::move(*news), config));
}

Server::Server(SocketFile file, base::WaitFlag ending, base::WaitFlag news,
               const tunnel_control_config& config)
    : file_(std::move(file)),
      ending_(std::move(ending)),
      core_(config.engine),
      events_(std::move(news)),
      facts_(first_facts(config)),
      changer_(core_, facts_, events_, {config.endpoint, config.mark, config.port, config.context}),
      removed_{config.removed, config.context},
      since_s_(wall_s()),
      process_(config.process != 0 ? config.process : static_cast<std::uint32_t>(::getpid())),
      thread_([this] { run(); }) {
  add_event(own_event(TUNNEL_EVENT_UP));
}

void Server::add_event(const tunnel_event& event) {
  events_.add(event, wall_ns());
}

void Server::looked_up(const PublicKey& peer, const std::string& fault) {
  events_.looked_up(peer, fault, wall_ns());
}

void Server::detach() {
  core_.detach();
  add_event(own_event(TUNNEL_EVENT_DOWN));
}

Server::~Server() {
  core_.detach();
  ending_.set(true);
  thread_.join();
  file_.remove();
}

void Server::run() {
  bool goes_on = true;
  while (goes_on) {
    // Without memory for a client's request that client is lost, not the daemon.
    const std::int32_t status = guarded([&]() -> std::int32_t {
      goes_on = serve_once();
      return TUNNEL_OK;
    });
    if (status != TUNNEL_OK) connections_.clear();
  }
  (void)guarded([&]() -> std::int32_t {
    send_events();  // who listens shall hear of the end
    return TUNNEL_OK;
  });
}

std::vector<pollfd> Server::what_to_wait_for() const {
  std::vector<pollfd> list(kClients);
  list[kEnding] = {static_cast<int>(ending_.handle()), POLLIN, 0};
  list[kWatch] = {file_.watch(), POLLIN, 0};
  const bool accepts = now_ms() >= accepts_from_ms_;
  list[kListener] = {file_.listener(), static_cast<short>(accepts ? POLLIN : 0), 0};
  list[kEvents] = {events_.handle(), POLLIN, 0};
  for (const auto& connection : connections_) {
    // While an answer is on its way no further request is read.
    const short events = connection->wants_to_write() ? POLLOUT : POLLIN;
    list.push_back({connection->fd(), events, 0});
  }
  return list;
}

// How long poll may wait, -1 = for ever.
int Server::patience_ms() const {
  const std::uint64_t now = now_ms();
  std::uint64_t deadline = accepts_from_ms_ > now ? accepts_from_ms_ : UINT64_MAX;
  for (const auto& connection : connections_) {
    deadline = std::min(deadline, connection->deadline_ms());
  }
  if (deadline == UINT64_MAX) return -1;
  return static_cast<int>(std::max(deadline, now) - now);
}

// One round. False = the thread shall end.
bool Server::serve_once() {
  std::vector<pollfd> list = what_to_wait_for();
  if (::poll(list.data(), list.size(), patience_ms()) < 0) {
    return errno == EINTR || pause();
  }
  if (list[kEnding].revents != 0) return false;
  if (list[kWatch].revents != 0) look_at_file();
  if (list[kEvents].revents != 0) send_events();
  std::size_t at = kClients;
  std::erase_if(connections_, [&](const auto& connection) {
    const int events = list[at++].revents;
    return !serve(*connection, events) || connection->deadline_ms() <= now_ms();
  });
  if (list[kListener].revents != 0) accept_client();
  return true;
}

// poll() fails for want of memory, or with EINVAL while more is waited for than the process may
// have descriptors (a limit lowered meanwhile). Neither is the end, and one descriptor is always
// allowed.
bool Server::pause() const {
  pollfd ending{static_cast<int>(ending_.handle()), POLLIN, 0};
  return ::poll(&ending, 1, static_cast<int>(kPauseWhenExhausted_ms)) <= 0;
}

void Server::look_at_file() {
  file_.drain_watch();
  if (told_ || file_.is_there()) return;
  told_ = true;
  if (removed_.call != nullptr) removed_.call(removed_.context);
}

void Server::accept_client() {
  base::Descriptor fd(::accept4(file_.listener(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  // Out of descriptors, the listener stays readable: look away for a while instead of spinning.
  if (!fd.valid() && errno != EAGAIN) accepts_from_ms_ = now_ms() + kPauseWhenExhausted_ms;
  if (!fd.valid() || !make_place()) return;
  connections_.push_back(std::make_unique<Connection>(std::move(fd), now_ms()));
}

// The client that has been idle longest gives its place to a new one.
bool Server::make_place() {
  if (connections_.size() < kMostConnections) return true;
  const auto older = [](const auto& a, const auto& b) {
    if (a->is_idle() != b->is_idle()) return a->is_idle();
    return a->since_ms() < b->since_ms();
  };
  const auto oldest = std::min_element(connections_.begin(), connections_.end(), older);
  if (!(*oldest)->is_idle()) return false;
  connections_.erase(oldest);
  return true;
}

bool Server::serve(Connection& connection, int events) {
  if (events == 0) return true;
  if (connection.wants_to_write()) {
    if (!connection.send(now_ms())) return false;
    // Requests may have come along with the one that was just answered.
    if (!connection.wants_to_write()) write_events(connection);
    return connection.wants_to_write() || answer_requests(connection);
  }
  if ((events & POLLIN) == 0) return false;  // POLLHUP, POLLERR
  return connection.receive(now_ms()) && answer_requests(connection);
}

bool Server::answer_requests(Connection& connection) {
  bool sound = true;
  while (!connection.wants_to_write()) {
    const Connection::Request request = connection.next_request(sound);
    if (request == Connection::Request::none) return sound;
    if (request == Connection::Request::get) answer_get(connection.answer());
    if (request == Connection::Request::events) answer_events(connection);
    if (request == Connection::Request::set_part) change(connection, false);
    if (request == Connection::Request::set) answer_set(connection);
    if (!connection.send(now_ms())) return false;
  }
  return true;
}

// What was kept first, the end of it, and from then on what comes.
void Server::answer_events(Connection& connection) {
  connection.next_event = events_.first_since(connection.events_since_ns());
  write_events(connection);
  write_end(0, connection.answer());
}

void Server::write_events(Connection& connection) {
  if (connection.next_event == 0) return;
  for (tunnel_notice& notice : events_.from(connection.next_event)) {
    name_of(facts_, notice.public_key).copy(notice.name, sizeof(notice.name) - 1);
    write_notice(notice, connection.answer());
  }
}

// To everybody who listens and has taken what was sent before; the others get it after that.
void Server::send_events() {
  events_.rest();
  for (const auto& connection : connections_) {
    if (connection->wants_to_write()) continue;
    write_events(*connection);
    (void)connection->send(now_ms());  // whoever is gone is found out when it is next served
  }
}

// Hands what was asked for so far to the engine. After a fault the rest of the request is skipped.
void Server::change(Connection& connection, bool ended) {
  SetParser& parser = connection.changes();
  const int error = changer_.apply(parser.take_changes(ended));
  if (error != 0) parser.fail(error);
  connection.made_progress(now_ms());
}

void Server::answer_set(Connection& connection) {
  change(connection, true);
  write_end(-connection.changes().error(), connection.answer());
}

void Server::answer_get(base::WipedBuffer& out) {
  const int error = write_status(out);
  if (error != 0) out.truncate(0);
  write_end(error, out);
}

int Server::write_status(base::WipedBuffer& out) {
  CorePiece piece;
  for (bool first = true; !piece.last; first = false) {
    const int error = piece.read(core_);
    if (error != 0) return error;
    if (first) {
      const tunnel_engine_counters engine = core_.engine_counters();
      write_interface({facts_.private_key.bytes(), core_.port(), facts_.fwmark, piece.mtu, since_s_,
                       process_, piece.counters, engine, piece.profile, facts_.file},
                      out);
    }
    write_peers(piece, out);
  }
  return 0;
}

void Server::write_peers(const CorePiece& piece, base::WipedBuffer& out) const {
  for (const CorePiece::Peer& peer : piece.peers) {
    const std::span prefixes(piece.prefixes.data() + peer.first_prefix, peer.info.prefix_count);
    const bool has_endpoint = peer.info.endpoint.family != TUNNEL_FAMILY_NONE;
    const std::string fault =
        has_endpoint ? "" : events_.fault_of(public_key_of(peer.info.public_key));
    write_peer({peer.info, prefixes, name_of(facts_, peer.info.public_key), fault}, out);
  }
}

}  // namespace tunnel::host
