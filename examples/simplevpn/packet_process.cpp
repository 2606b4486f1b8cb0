// packet_process.cpp - what happens in it, in order.
//
//   give_up_root          before there are threads, and before a byte of a stranger is read
//   create_engine         which adopts core, device and transport
//   open_control          answers from here on; the socket's file is the daemon's
//   start_resolver        names of endpoints, as long as the system's resolver is any good
//   ready ... start       the daemon applies its settings
//   serve                 events to the daemon, words of the daemon
//   stop, release         when it says so
#include "packet_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "confine.h"
#include "trim.h"

namespace simplevpn {
namespace {

constexpr std::chrono::seconds kSettleTime{1};
constexpr std::uint32_t kPatienceMs = 3000;  // for the first answers about names

Message about(Word word, const std::uint8_t* key) {
  Message message;
  message.word = word;
  std::copy_n(key, message.key.size(), message.key.begin());
  return message;
}

void put_address(Message& message, const tunnel_address* address) {
  if (address == nullptr) return;
  message.addresses[0] = *address;
  message.count = 1;
}

}  // namespace

PacketProcess::PacketProcess(PacketParts parts, const Channel& channel, const Output& output)
    : parts_(std::move(parts)), channel_(channel), output_(output) {}

PacketProcess::~PacketProcess() {
  stop();
  if (engine_thread_.joinable()) engine_thread_.join();
  release();
}

int PacketProcess::run() {
  int exit = give_up_root();
  if (exit == kOk) exit = create_engine();
  if (exit == kOk) exit = open_control();
  if (exit == kOk) exit = start_resolver();
  if (exit == kOk) exit = leave_terminal();
  if (exit != kOk) return exit;
  parts_.config.reset();
  trim_memory();
  say_ready();
  serve();
  return kOk;
}

int PacketProcess::refuse(std::int32_t status, const std::string& doing) {
  return fail(output_, status_failure(output_, status, doing, kActivation));
}

// ---- the pieces ----

int PacketProcess::give_up_root() {
  const Confinement confinement = confine(parts_.daemon, parts_.binds_low_port);
  user_ = confinement.user;
  return confinement.status == TUNNEL_OK ? kOk : refuse(confinement.status, "give up root");
}

int PacketProcess::create_engine() {
  ended_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (ended_.get() < 0) return refuse(TUNNEL_ERR_RESOURCES, "make the engine");
  auto engine = tunnel::Engine::create(std::move(parts_.core), std::move(parts_.device),
                                       std::move(parts_.transport), parts_.engine);
  if (!engine) return refuse(engine.status(), "make the engine");
  engine_ = *std::move(engine);
  return kOk;
}

int PacketProcess::open_control() {
  tunnel_control_config config = TUNNEL_CONTROL_CONFIG_INIT;
  config.flags = TUNNEL_CONTROL_NO_FILE;
  config.name = parts_.name.c_str();
  config.engine = engine_->get();
  config.config = parts_.config.get();
  config.endpoint = on_endpoint;
  config.mark = on_mark;
  config.port = on_port;
  config.fwmark = parts_.mark;
  config.context = this;
  config.listener = parts_.listener;
  config.take_listener = 1;
  config.process = static_cast<std::uint32_t>(parts_.daemon);
  tunnel_control* control = nullptr;
  const std::int32_t status = tunnel_control_open(&config, &control);
  control_.reset(control);
  return status == TUNNEL_OK ? kOk : refuse(status, "open the control socket of " + parts_.name);
}

int PacketProcess::start_resolver() {
  tunnel_resolver_config config = TUNNEL_RESOLVER_CONFIG_INIT;
  config.engine = engine_->get();
  config.report = on_resolved;
  config.context = this;
  tunnel_resolver* resolver = nullptr;
  std::int32_t status = tunnel_resolver_create(&config, &resolver);
  resolver_.reset(resolver);
  if (status == TUNNEL_OK) status = tunnel_resolver_add_config(resolver, parts_.config.get());
  if (status != TUNNEL_OK) return refuse(status, "start the resolver");
  tunnel_control_follow(control_.get(), resolver, nullptr);
  // Whoever starts us hears of a name that is wrong, and what was begun may come to an end for some
  // seconds; later questions are ours.
  static_cast<void>(tunnel_resolver_wait(resolver, kPatienceMs));
  if (!parts_.asks_itself) return kOk;
  static_cast<void>(
      tunnel_resolver_ask(resolver, parts_.resolvers.data(), parts_.resolvers.size(), parts_.mark));
  return kOk;
}

// From now on the daemon speaks for us, and whoever reads our standard output waits for its end.
int PacketProcess::leave_terminal() {
  const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null.get() < 0) return refuse(TUNNEL_ERR_RESOURCES, "open /dev/null");
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    dup2(null.get(), standard);
  }
  return kOk;
}

void PacketProcess::say_ready() {
  Message ready;
  ready.word = Word::ready;
  ready.value = engine_->port();
  put_text(ready.name, user_);
  static_cast<void>(channel_.send(ready));
}

// ---- until the daemon hangs up ----

void PacketProcess::serve() {
  for (;;) {
    const bool runs = engine_thread_.joinable();
    pollfd waits[3] = {
        {channel_.handle(), POLLIN, 0},
        {engine_ ? static_cast<int>(engine_->event_handle()) : -1, POLLIN, 0},
        {runs ? ended_.get() : -1, POLLIN, 0},
    };
    if (poll(waits, 3, -1) < 0 && errno != EINTR) return;
    take_events();
    if (waits[2].revents != 0) say_ended();
    if (waits[0].revents != 0 && !listen()) return;
  }
}

// False when the daemon has gone: it said `release` before if all is well. If not it was killed,
// and what is left of us must not move packets for another moment.
bool PacketProcess::listen() {
  Message message;
  for (;;) {
    const Channel::Got got = channel_.receive(message);
    if (got == Channel::Got::nothing) return true;
    if (got == Channel::Got::closed && engine_) _exit(kFailure);
    if (got == Channel::Got::closed) return false;
    obey(message);
  }
}

void PacketProcess::obey(const Message& message) {
  switch (message.word) {
    case Word::start:
      return start_engine();
    case Word::settled:
      return settle(message);
    case Word::ask:
      return ask(message);
    case Word::announce:
      static_cast<void>(tunnel_control_event(control_.get(), &message.event));
      return;
    case Word::stop:
      if (!engine_thread_.joinable()) return say_ended();
      return stop();
    case Word::release: {
      release();
      Message released;
      released.word = Word::released;
      static_cast<void>(channel_.send(released));
      return;
    }
    default:
      return;
  }
}

void PacketProcess::start_engine() {
  if (!engine_ || engine_thread_.joinable()) return;
  engine_thread_ = std::thread([this] {
    engine_result_ = engine_->run();
    eventfd_write(ended_.get(), 1);
  });
}

void PacketProcess::ask(const Message& message) {
  if (resolver_ == nullptr) return;
  static_cast<void>(tunnel_resolver_ask(resolver_.get(), message.addresses.data(), message.count,
                                        static_cast<std::uint32_t>(message.value)));
}

void PacketProcess::take_events() {
  while (engine_) {
    const auto event = engine_->next_event();
    if (!event) return;
    if (resolver_ != nullptr) static_cast<void>(tunnel_resolver_event(resolver_.get(), &*event));
    static_cast<void>(tunnel_control_event(control_.get(), &*event));
    Message message;
    message.word = Word::event;
    message.event = *event;
    static_cast<void>(channel_.send(message));
  }
}

// ---- what clients and name servers say ----

// The daemon lets datagrams through its block, and routes them, before they are sent. One that does
// not answer holds nobody up for long: then they are dropped until it does.
std::int64_t PacketProcess::wait_until_settled(Message message) {
  std::unique_lock lock(settling_);
  message.number = ++asked_;
  if (!channel_.send(message) || !waits_) return message.value;
  const auto done = [&] { return !waits_ || answer_.number >= message.number; };
  const bool answered = settled_.wait_for(lock, kSettleTime, done) && waits_;
  return answered ? answer_.value : message.value;
}

void PacketProcess::settle(const Message& message) {
  const std::lock_guard lock(settling_);
  answer_ = message;
  settled_.notify_all();
}

void PacketProcess::stop_waiting() {
  const std::lock_guard lock(settling_);
  waits_ = false;
  settled_.notify_all();
}

// The removal of a peer opens nothing: nobody waits for it.
void PacketProcess::on_endpoint(void* self, const std::uint8_t* key,
                                const tunnel_address* endpoint) {
  auto* process = static_cast<PacketProcess*>(self);
  Message message = about(Word::endpoint, key);
  put_address(message, endpoint);
  if (endpoint != nullptr) {
    process->wait_until_settled(message);
  } else {
    static_cast<void>(process->channel_.try_send(message));
  }
}

std::uint32_t PacketProcess::on_mark(void* self, std::uint32_t mark) {
  Message message;
  message.word = Word::mark;
  message.value = mark;
  return static_cast<std::uint32_t>(static_cast<PacketProcess*>(self)->wait_until_settled(message));
}

void PacketProcess::on_port(void* self, std::uint16_t port) {
  Message message;
  message.word = Word::port;
  message.value = port;
  static_cast<PacketProcess*>(self)->wait_until_settled(message);
}

void PacketProcess::on_resolved(void* self, const std::uint8_t* key, const char* host,
                                const tunnel_address* address, const char* reason) {
  Message message = about(Word::resolved, key);
  put_address(message, address);
  put_text(message.name, host);
  if (reason != nullptr) put_text(message.reason, reason);
  auto* process = static_cast<PacketProcess*>(self);
  static_cast<void>(tunnel_control_looked_up(process->control_.get(), key, host,
                                             address == nullptr ? reason : nullptr));
  process->wait_until_settled(message);
}

// ---- the end ----

void PacketProcess::stop() {
  stop_waiting();
  if (engine_) engine_->stop();
}

void PacketProcess::say_ended() {
  if (engine_thread_.joinable()) engine_thread_.join();
  take_events();
  Message ended;
  ended.word = Word::ended;
  ended.value = engine_result_;
  static_cast<void>(channel_.send(ended));
}

// The connections of the control socket stay: whoever waits for our end waits for the daemon's.
void PacketProcess::release() {
  stop_waiting();
  if (control_ != nullptr) tunnel_control_follow(control_.get(), nullptr, nullptr);
  resolver_.reset();
  if (control_ != nullptr) tunnel_control_detach(control_.get());
  engine_.reset();
}

}  // namespace simplevpn
