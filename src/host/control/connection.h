// connection.h — one client of the control socket: takes requests apart, holds the answer until it
// is sent. Everything a client can do is bounded: line length, time for a request, time for taking
// the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/base.h"
#include "host/control/uapi_set.h"

namespace tunnel::host {

class Connection {
 public:
  static constexpr std::size_t kLongestLine = 4096;
  static constexpr std::uint64_t kPatience_ms = 10'000;  // for a request, and for an answer

  // A `set` comes in parts: each time its changes fill a piece, and at its end.
  enum class Request { none, get, set_part, set, events };

  Connection(base::Descriptor fd, std::uint64_t now_ms) : fd_(std::move(fd)), since_ms_(now_ms) {}

  int fd() const noexcept { return fd_.get(); }
  bool wants_to_write() const noexcept { return sent_ < out_.size(); }
  bool is_idle() const noexcept {
    return !wants_to_write() && in_.empty() && kind_ == Request::none;
  }
  // When the client's patience ends; UINT64_MAX while it is idle.
  std::uint64_t deadline_ms() const noexcept;
  std::uint64_t since_ms() const noexcept { return since_ms_; }

  // Reads what is there. False = the client is gone.
  bool receive(std::uint64_t now_ms);
  // The next complete request, or none; `sound` becomes false when the client does not speak the
  // protocol and is to be dropped. Answer it before the next call.
  Request next_request(bool& sound);
  // Of a set: what was asked for so far.
  SetParser& changes() noexcept { return *set_; }
  // The client's patience begins anew: a part of a long request was done.
  void made_progress(std::uint64_t now_ms) noexcept { since_ms_ = now_ms; }
  // Of a request for events: from when on, wall clock.
  std::uint64_t events_since_ns() const noexcept { return events_since_ns_; }
  // The number of the next event for this client; 0 = it does not listen.
  std::uint64_t next_event = 0;
  base::WipedBuffer& answer() noexcept { return out_; }
  // Sends as much as the client takes. False = the client is gone.
  bool send(std::uint64_t now_ms);

 private:
  bool take_line(std::string_view line);
  bool begin_request(std::string_view line);

  base::Descriptor fd_;
  std::uint64_t since_ms_;  // of the last progress
  base::WipedBuffer in_;
  base::WipedBuffer out_;
  std::size_t sent_ = 0;
  Request kind_ = Request::none;  // of the request that is being read
  bool complete_ = false;
  std::optional<SetParser> set_;  // of the last set
  std::uint64_t events_since_ns_ = 0;
};

}  // namespace tunnel::host
