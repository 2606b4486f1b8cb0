#include "host/control/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "host/control/event_text.h"

namespace tunnel::host {

std::uint64_t Connection::deadline_ms() const noexcept {
  return is_idle() ? UINT64_MAX : since_ms_ + kPatience_ms;
}

bool Connection::receive(std::uint64_t now_ms) {
  const std::size_t before = in_.size();
  char* room = in_.extend(kLongestLine);
  const ssize_t count = ::recv(fd_.get(), room, kLongestLine, MSG_DONTWAIT);
  const int error = errno;
  in_.truncate(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return error == EAGAIN || error == EINTR;
  // A request must be complete in time, however slowly it trickles in: only its beginning counts.
  if (before == 0 && kind_ == Request::none) since_ms_ = now_ms;
  return count > 0;
}

bool Connection::begin_request(std::string_view line) {
  if (line == "get=1") kind_ = Request::get;
  if (line == "set=1") {
    kind_ = Request::set;
    set_.emplace();
  }
  if (const auto since = read_events_request(line)) {
    kind_ = Request::events;
    events_since_ns_ = *since;
  }
  return kind_ != Request::none;
}

// Looks at one line of a request. A blank line ends it; only a set has more than that.
bool Connection::take_line(std::string_view line) {
  if (kind_ == Request::none) return begin_request(line);
  complete_ = line.empty();
  if (complete_ || kind_ != Request::set) return complete_;
  set_->take(line);
  return true;
}

Connection::Request Connection::next_request(bool& sound) {
  sound = true;
  while (!complete_) {
    const std::size_t end = in_.text().find('\n');
    if (end == std::string_view::npos) {
      sound = in_.size() < kLongestLine;
      return Request::none;
    }
    sound = end < kLongestLine && take_line(in_.text().substr(0, end));
    if (!sound) return Request::none;
    in_.drop_front(end + 1);
    if (kind_ == Request::set && set_->is_full()) return Request::set_part;
  }
  complete_ = false;
  return std::exchange(kind_, Request::none);
}

bool Connection::send(std::uint64_t now_ms) {
  while (sent_ < out_.size()) {
    const std::string_view rest = out_.text().substr(sent_);
    const ssize_t count = ::send(fd_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN;
    sent_ += static_cast<std::size_t>(count);
    since_ms_ = now_ms;
  }
  out_ = base::WipedBuffer();
  sent_ = 0;
  return true;
}

}  // namespace tunnel::host
