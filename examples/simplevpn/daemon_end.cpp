// daemon_end.cpp - a tunnel's end: packets stop, everything is undone in reverse, and the packet
// process lets go of the interface. Whoever said `down` is told last of all.
#include <tunnel/host/state.h>

#include <nlohmann/json.hpp>

#include "daemon.h"
#include "in_force.h"

namespace simplevpn {
namespace {

constexpr int kPatienceMs = 2000;  // for each word of the packet process

}  // namespace

// Also what start() calls when it gives up half-way: each line does nothing when there is nothing.
int Daemon::stop() {
  end_packets();
  int exit = undo_settings();
  state_.reset();
  forget_endpoints();
  if (packets_.lives()) {
    packets_.tell(Word::release);
    if (!hear_until(released_, kPatienceMs)) packets_.kill();
  }
  core_.reset();
  device_.reset();
  transport_.reset();
  control_file_.reset();
  packets_.end();
  config_.reset();
  if (end_ == End::refused && exit == kOk) exit = lift_own_block();
  return exit;
}

// Its answer comes after its last events. One that does not answer any more is killed.
void Daemon::end_packets() {
  if (running_ && end_ != End::refused) notify_.send("STOPPING=1");
  if (packets_.lives() && !ended_) {
    packets_.tell(Word::stop);
    if (!hear_until(ended_, kPatienceMs)) packets_.kill();
  }
  if (!running_) return;
  running_ = false;
  if (end_ == End::none) end_ = ended_ ? End::lost : End::died;
  if (!ended_) {
    log_.write(Level::error, "packets_died", {{"reason", packets_.how_it_ended()}});
  }
  log_.write(Level::info, "down");
}

int Daemon::undo_settings() {
  following_.end();
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  int exit = kOk;
  if (settings_ != nullptr && tunnel_settings_undo(settings_.get(), &fault) != TUNNEL_OK) {
    log_.write(Level::error, "not_undone", {{"message", fault.message}});
    exit = kDeactivation;
  }
  settings_.reset();
  return exit;
}

// Where peers were is for whoever starts the tunnel anew: after a crash, and after a service
// manager has stopped it, which is how it restarts services. Otherwise nothing stays.
void Daemon::forget_endpoints() const {
  const bool stopped = end_ == End::terminated || end_ == End::interrupted || end_ == End::lost;
  if (end_ != End::removed && (!stopped || notify_.is_heard())) return;
  const std::int32_t status = tunnel_state_remove(nullptr, name_.c_str());
  if (status != TUNNEL_OK) log_.write(Level::error, "not_undone", {{"message", "endpoints"}});
}

int Daemon::take_back() {
  end_ = End::refused;
  return stop();
}

// What the end of a tunnel leaves on purpose a start that failed does not.
int Daemon::lift_own_block() {
  if (had_block_ || !read_in_force(name_).kill_switch) return kOk;
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  if (tunnel_settings_unblock(nullptr, name_.c_str(), &fault) == TUNNEL_OK) return kOk;
  log_.write(Level::error, "not_undone", {{"message", fault.message}});
  return kDeactivation;
}

int Daemon::exit_status(int undone) const {
  if (undone != kOk) return undone;
  if (end_ == End::interrupted) return kInterrupted;
  if (end_ == End::refused) return kActivation;
  if (end_ == End::died) return fail(output_, death());
  return end_ == End::lost ? fail(output_, loss()) : kOk;
}

Failure Daemon::death() const {
  return {.exit = kFailure,
          .code = "E_PACKETS_DIED",
          .message = "the packet process of " + name_ + " ended: " + packets_.how_it_ended(),
          .hint = "everything was undone; start the tunnel anew"};
}

// What was lost last ended the run.
Failure Daemon::loss() const {
  const std::string reason = tunnel_status_text(engine_result_);
  if (engine_result_ != TUNNEL_ERR_CLOSED || lost_ == Lost::nothing) {
    return {.exit = kFailure,
            .code = "E_STOPPED",
            .message = "the tunnel " + name_ + " stopped by itself: " + reason,
            .hint = "start it anew"};
  }
  if (lost_ == Lost::transport) {
    return {.exit = kFailure,
            .code = "E_TRANSPORT_LOST",
            .message = "the UDP socket of " + name_ + " is gone: " + reason,
            .hint = "it could not be opened anew or waited for; start the tunnel anew"};
  }
  return {.exit = kFailure,
          .code = "E_INTERFACE_LOST",
          .message = "the interface " + name_ + " is gone: " + reason,
          .hint = "somebody deleted it (ip link del?); start the tunnel anew"};
}

}  // namespace simplevpn
