#include "host/control/client.h"

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "host/control/socket_file.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

using base::Error;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kListPatience_ms = 500;  // for each socket of a list

// Waits until the socket can be read or written, or for the end of our patience: also of one that
// says something all the time.
std::int32_t wait_for(const base::Descriptor& fd, short what, Clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return TUNNEL_ERR_TIMEOUT;
    pollfd one{fd.get(), what, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left));
    if (ready > 0) return TUNNEL_OK;
    if (ready == 0) return TUNNEL_ERR_TIMEOUT;
    if (errno != EINTR) return status_of(errno);
  }
}

// Reads more of an answer. 0 bytes = the daemon hung up.
std::int32_t read_more(const base::Descriptor& fd, Clock::time_point end, base::WipedBuffer& text) {
  constexpr std::size_t kStep = 65536;
  const std::int32_t status = wait_for(fd, POLLIN, end);
  if (status != TUNNEL_OK) return status;
  const std::size_t before = text.size();
  const ssize_t count = ::recv(fd.get(), text.extend(kStep), kStep, 0);
  const int error = errno;
  text.truncate(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return status_of(error);
  return count == 0 ? TUNNEL_ERR_CLOSED : TUNNEL_OK;
}

// An answer ends with an empty line.
std::int32_t read_answer(const base::Descriptor& fd, Clock::time_point end,
                         base::WipedBuffer& text) {
  while (!text.text().ends_with("\n\n")) {
    if (text.size() > kLargestAnswer) return TUNNEL_ERR_UNSUPPORTED;
    const std::int32_t status = read_more(fd, end, text);
    if (status != TUNNEL_OK) return status;
  }
  return TUNNEL_OK;
}

// The daemon reads while it is sent to.
std::int32_t send_all(const base::Descriptor& fd, Clock::time_point end, std::string_view text) {
  while (!text.empty()) {
    const std::int32_t status = wait_for(fd, POLLOUT, end);
    if (status != TUNNEL_OK) return status;
    const ssize_t count = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EINTR && errno != EAGAIN) return status_of(errno);
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  return TUNNEL_OK;
}

Clock::time_point after(std::uint32_t timeout_ms) {
  return Clock::now() + std::chrono::milliseconds(timeout_ms);
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// "wg0" of "wg0.sock", or "".
std::string daemon_name(std::string_view file) {
  const std::string_view ending = kSocketEnding;
  if (!file.ends_with(ending)) return {};
  file.remove_suffix(ending.size());
  return is_tunnel_name(file) ? std::string(file) : std::string();
}

}  // namespace

base::Result<std::vector<std::string>> list_daemons(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  if (open == nullptr && errno == ENOENT) return names;
  if (open == nullptr) return Error{status_of(errno)};
  while (const dirent* entry = ::readdir(open.get())) {
    std::string name = daemon_name(entry->d_name);
    if (name.empty()) continue;
    const auto daemon = connect_to(socket_path(directory, name), kListPatience_ms);
    if (daemon || daemon.status() == TUNNEL_ERR_TIMEOUT) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::int32_t request(const DaemonPlace& place, std::string_view text, base::WipedBuffer& answer) {
  if (!is_tunnel_name(place.name)) return TUNNEL_ERR_ARGUMENT;
  const Clock::time_point end = after(place.timeout_ms);
  const auto daemon = connect_to(socket_path(place.directory, place.name), place.timeout_ms);
  if (!daemon) return daemon.status();
  const std::int32_t status = send_all(*daemon, end, text);
  return status == TUNNEL_OK ? read_answer(*daemon, end, answer) : status;
}

base::Result<Snapshot> ask_daemon(const std::string& directory, const std::string& name,
                                  std::uint32_t timeout_ms) {
  base::WipedBuffer text;
  const std::int32_t status = request({directory, name, timeout_ms}, "get=1\n\n", text);
  if (status != TUNNEL_OK) return Error{status};
  Snapshot snapshot;
  if (!read_snapshot(text.text(), snapshot)) return Error{TUNNEL_ERR_UNSUPPORTED};
  if (snapshot.error != 0) return Error{status_of(snapshot.error)};
  return snapshot;
}

std::int32_t set_daemon(const DaemonPlace& place, std::string_view lines) {
  base::WipedBuffer text;
  text.append("set=1\n");
  text.append(lines);
  text.append("\n");
  base::WipedBuffer answer;
  const std::int32_t status = request(place, text.text(), answer);
  if (status != TUNNEL_OK) return status;
  const auto error = read_set_answer(answer.text());
  if (!error) return TUNNEL_ERR_UNSUPPORTED;
  return *error == 0 ? TUNNEL_OK : status_of(*error);
}

std::int32_t stop_daemon(const std::string& directory, const std::string& name,
                         std::uint32_t timeout_ms) {
  if (!is_tunnel_name(name)) return TUNNEL_ERR_ARGUMENT;
  const Clock::time_point end = after(timeout_ms);
  const std::string path = socket_path(directory, name);
  // The connection is held until its end: the daemon closes it last of all.
  const auto daemon = connect_to(path, timeout_ms);
  if (!daemon && errno == ECONNREFUSED) {
    const std::int32_t status = remove_dead_socket(directory, name);
    return status == TUNNEL_OK ? TUNNEL_ERR_NOT_FOUND : status;
  }
  if (!daemon) return daemon.status();
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return status_of(errno);
  base::WipedBuffer ignored;
  for (;;) {
    const std::int32_t status = read_more(*daemon, end, ignored);
    if (status == TUNNEL_ERR_CLOSED) return TUNNEL_OK;
    if (status != TUNNEL_OK) return status;
    ignored.truncate(0);
  }
}

}  // namespace tunnel::host
