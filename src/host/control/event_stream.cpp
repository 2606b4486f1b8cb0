#include "host/control/event_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>

#include "host/control/event_text.h"
#include "host/control/socket_file.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

using base::Error;

constexpr std::string_view kEndOfPast = "errno=0\n\n";
// A daemon sends no more than 1,024 events at once; what is longer is none of ours.
constexpr std::size_t kLongest = std::size_t{1} << 20;

}  // namespace

base::Result<EventStream> EventStream::open(const std::string& directory, const std::string& name,
                                            std::uint64_t since_ns) {
  if (!is_tunnel_name(name)) return Error{TUNNEL_ERR_ARGUMENT};
  auto daemon = connect_to(socket_path(directory, name), TUNNEL_CONTROL_TIMEOUT_MS);
  if (!daemon) return Error{daemon.status()};
  const std::string request = std::string(kEventsRequest) + std::to_string(since_ns) + "\n\n";
  if (::send(daemon->get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Error{TUNNEL_ERR_CLOSED};
  }
  EventStream stream(std::move(*daemon));
  const std::int32_t status = stream.wait_for_past();
  if (status != TUNNEL_OK) return Error{status};
  return stream;
}

std::int32_t EventStream::receive(int flags) {
  char part[16384];
  const ssize_t count = ::recv(daemon_.get(), part, sizeof(part), flags);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? TUNNEL_OK : base::status_of(errno);
  if (count == 0 || text_.size() > kLongest) return TUNNEL_ERR_CLOSED;
  text_.append(part, static_cast<std::size_t>(count));
  return TUNNEL_OK;
}

// Until the line that ends what the daemon has kept. Others hang up or refuse: they are not ours.
std::int32_t EventStream::wait_for_past() {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(TUNNEL_CONTROL_TIMEOUT_MS);
  for (;;) {
    const std::size_t mark = text_.find(kEndOfPast);
    if (mark == 0 || (mark != std::string::npos && text_[mark - 1] == '\n')) {
      text_.erase(mark, kEndOfPast.size());
      return TUNNEL_OK;
    }
    if (text_.starts_with("errno=")) return TUNNEL_ERR_UNSUPPORTED;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd one{daemon_.get(), POLLIN, 0};
    if (left <= 0 || ::poll(&one, 1, static_cast<int>(left)) == 0) return TUNNEL_ERR_TIMEOUT;
    const std::int32_t status = receive(MSG_DONTWAIT);
    if (status == TUNNEL_ERR_CLOSED) return TUNNEL_ERR_UNSUPPORTED;
    if (status != TUNNEL_OK) return status;
  }
}

std::int32_t EventStream::next(tunnel_notice& notice) {
  std::size_t end = text_.find("\n\n");
  if (end == std::string::npos) {
    const std::int32_t status = receive(MSG_DONTWAIT);
    if (status != TUNNEL_OK) return status;
    end = text_.find("\n\n");
  }
  if (end == std::string::npos) return 0;
  const bool sound = read_notice(std::string_view(text_).substr(0, end + 1), notice);
  text_.erase(0, end + 2);
  return sound ? 1 : TUNNEL_ERR_UNSUPPORTED;
}

}  // namespace tunnel::host
