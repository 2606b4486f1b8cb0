#include "host/resolver/resolver.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

// ---- on the engine's thread ----

struct Assignment {
  PublicKey peer;
  tunnel_address endpoint;
};

std::uint64_t nanoseconds(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// Sets the endpoint and asks for a handshake. A peer that was removed meanwhile is left alone.
void assign(void* context, tunnel_core* core) {
  const std::unique_ptr<Assignment> task(static_cast<Assignment*>(context));
  if (core == nullptr) return;
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  config.fields = TUNNEL_PEER_ENDPOINT;
  config.flags = TUNNEL_PEER_UPDATE_ONLY;
  std::copy(task->peer.begin(), task->peer.end(), config.public_key);
  config.endpoint = task->endpoint;
  std::uint64_t peer = 0;
  if (tunnel_core_set_peer(core, &config, &peer) != TUNNEL_OK) return;
  const tunnel_time now{nanoseconds(CLOCK_BOOTTIME), nanoseconds(CLOCK_REALTIME)};
  (void)tunnel_core_initiate(core, peer, &now);
}

void post_assignment(tunnel_engine* engine, const PublicKey& peer, const tunnel_address& address) {
  auto task = std::make_unique<Assignment>(Assignment{peer, address});
  if (tunnel_engine_post(engine, assign, task.get()) == TUNNEL_OK) (void)task.release();
}

}  // namespace

// ---- on the resolver's thread ----

class Resolver::Work {
 public:
  Work(const tunnel_resolver_config& config, Lookup lookup, const Pauses& pauses)
      : config_(config), pauses_(pauses), lookup_(std::move(lookup)) {}

  void add(Name name);
  void remove(const PublicKey& peer);
  void event(const tunnel_event& event);
  void use(Lookup lookup);
  bool wait(std::chrono::milliseconds limit);
  void run();
  // Nothing of the owner is touched once it returned. True when the thread ends at once, false when
  // it sits in a lookup.
  bool end();

 private:
  void step();
  Name* due_name(std::unique_lock<std::mutex>& lock);
  Name* find(const PublicKey& peer);
  LookupResult look_up_unlocked(const Name& name, std::unique_lock<std::mutex>& lock);
  void report(const PublicKey& peer, const std::string& host, const tunnel_address* address,
              const char* reason);

  const tunnel_resolver_config config_;
  const Pauses pauses_;

  std::mutex reporting_;  // held in report calls, never together with mutex_
  std::mutex mutex_;      // guards what follows, and is held in calls into the engine
  std::condition_variable changed_;
  Lookup lookup_;
  std::vector<Name> names_;
  bool ending_ = false;
  bool looking_up_ = false;
};

void Resolver::Work::add(Name name) {
  const std::lock_guard lock(mutex_);
  Name* known = find(name.peer());
  if (known == nullptr) {
    names_.push_back(std::move(name));
  } else if (!known->same_place(name.host(), name.port())) {
    *known = std::move(name);
  }
  changed_.notify_all();
}

// A lookup under way for it comes to nothing.
void Resolver::Work::remove(const PublicKey& peer) {
  const std::lock_guard lock(mutex_);
  std::erase_if(names_, [&](const Name& name) { return name.peer() == peer; });
  changed_.notify_all();
}

Name* Resolver::Work::find(const PublicKey& peer) {
  const auto found = std::find_if(names_.begin(), names_.end(),
                                  [&](const Name& name) { return name.peer() == peer; });
  return found == names_.end() ? nullptr : &*found;
}

void Resolver::Work::event(const tunnel_event& event) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (event.kind == TUNNEL_EVENT_NETWORK) {
    for (Name& name : names_) name.network_changed(now);
  }
  Name* name = find(public_key_of(event.public_key));
  if (name != nullptr && event.kind == TUNNEL_EVENT_HANDSHAKE) name->session_made();
  if (name != nullptr && event.kind == TUNNEL_EVENT_HANDSHAKE_FAILED) name->handshake_failed(now);
  changed_.notify_all();
}

void Resolver::Work::use(Lookup lookup) {
  const std::lock_guard lock(mutex_);
  lookup_ = std::move(lookup);
  for (Name& name : names_) name.ask_anew(Clock::now());
  changed_.notify_all();
}

bool Resolver::Work::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] {
    return std::all_of(names_.begin(), names_.end(), [](const Name& name) { return name.asked(); });
  });
}

bool Resolver::Work::end() {
  bool ends_at_once = true;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    ends_at_once = !looking_up_;
  }
  changed_.notify_all();
  const std::lock_guard wait_for_report(reporting_);
  return ends_at_once;
}

void Resolver::Work::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
    }
    // Without memory this round is lost, not the daemon; the name stays due.
    (void)guarded([&]() -> std::int32_t {
      step();
      return TUNNEL_OK;
    });
  }
}

// Waits until a name is due. Null = the work ends.
Name* Resolver::Work::due_name(std::unique_lock<std::mutex>& lock) {
  while (!ending_) {
    const auto first =
        std::min_element(names_.begin(), names_.end(),
                         [](const Name& a, const Name& b) { return a.due() < b.due(); });
    if (first == names_.end() || first->due() == Clock::time_point::max()) {
      changed_.wait(lock);
    } else if (first->due() <= Clock::now()) {
      return &*first;
    } else {
      changed_.wait_until(lock, first->due());
    }
  }
  return nullptr;
}

LookupResult Resolver::Work::look_up_unlocked(const Name& name,
                                              std::unique_lock<std::mutex>& lock) {
  const std::string host = name.host();
  const std::uint16_t port = name.port();
  const Lookup lookup = lookup_;
  looking_up_ = true;
  lock.unlock();
  LookupResult result = lookup(host, port);
  lock.lock();
  looking_up_ = false;
  return result;
}

void Resolver::Work::step() {
  std::unique_lock lock(mutex_);
  looking_up_ = false;
  Name* name = due_name(lock);
  if (name == nullptr) return;
  const PublicKey peer = name->peer();
  const std::string host = name->host();
  const std::uint16_t port = name->port();
  auto address = name->next_address(pauses_, Clock::now());
  std::string reason;
  if (!address) {
    const LookupResult result = look_up_unlocked(*name, lock);
    name = find(peer);
    // What has changed meanwhile gets an answer of its own.
    if (ending_ || name == nullptr || !name->same_place(host, port)) return;
    name->looked_up(result, pauses_, Clock::now());
    changed_.notify_all();
    if (!result.addresses.empty()) address = name->next_address(pauses_, Clock::now());
    reason = result.reason;
  }
  lock.unlock();
  // First: whoever lets datagrams to known endpoints pass only has to know this one.
  report(peer, host, address ? &*address : nullptr, reason.c_str());
  lock.lock();
  name = find(peer);
  const bool wanted = !ending_ && name != nullptr && name->same_place(host, port);
  if (address && wanted) post_assignment(config_.engine, peer, *address);
}

void Resolver::Work::report(const PublicKey& peer, const std::string& host,
                            const tunnel_address* address, const char* reason) {
  const std::lock_guard reporting(reporting_);
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || config_.report == nullptr) return;
  }
  config_.report(config_.context, peer.data(), host.c_str(), address, reason);
}

// ---- on the owner's thread ----

Resolver::Resolver(const tunnel_resolver_config& config, Lookup lookup, const Pauses& pauses)
    : work_(std::make_shared<Work>(config, std::move(lookup), pauses)),
      thread_([work = work_] { work->run(); }) {}

Resolver::~Resolver() {
  if (work_->end()) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void Resolver::add(const PublicKey& peer, const std::string& host, std::uint16_t port) {
  work_->add(Name(peer, host, port, Clock::now()));
}

void Resolver::use(Lookup lookup) {
  work_->use(std::move(lookup));
}

bool Resolver::wait(std::chrono::milliseconds limit) {
  return work_->wait(limit);
}

void Resolver::remove(const PublicKey& peer) {
  work_->remove(peer);
}

void Resolver::event(const tunnel_event& event) {
  work_->event(event);
}

}  // namespace tunnel::host
