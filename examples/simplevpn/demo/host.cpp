#include "host.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace simplevpn::demo {
namespace {

Descriptor open_namespace(const char* kind) {
  return Descriptor(open((std::string("/proc/self/ns/") + kind).c_str(), O_RDONLY | O_CLOEXEC));
}

bool make_directory(const std::string& path, mode_t mode) {
  return mkdir(path.c_str(), mode) == 0 || errno == EEXIST;
}

bool mount_fresh(const std::string& path, const char* options) {
  return mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

// The entry of `directory` that holds our own program, "" when it lies elsewhere.
std::string home_of_program(const std::string& directory) {
  char program[PATH_MAX] = {};
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) return "";
  const std::string path = program;
  if (!path.starts_with(directory + "/")) return "";
  return path.substr(0, path.find('/', directory.size() + 1));
}

// An empty directory over `directory`. Where our program lies inside (a CI worker that lives in
// /var/lib, a disk below /run/media), that part stays visible: its libraries lie beside it.
bool cover(const std::string& directory) {
  const std::string home = home_of_program(directory);
  const Descriptor kept(home.empty() ? -1 : open(home.c_str(), O_PATH | O_CLOEXEC));
  if (!mount_fresh(directory, "mode=755")) return false;
  if (home.empty()) return true;
  const std::string source = "/proc/self/fd/" + std::to_string(kept.get());
  return make_directory(home, 0755) &&
         mount(source.c_str(), home.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

bool freshen_files() {
  const std::string state = "/var/lib/simplevpn";
  if (!cover("/run") || !make_directory("/run/wireguard", 0700) ||
      !make_directory("/run/simplevpn", 0700)) {
    return false;
  }
  // Made on the machine, the directory would be a trace of us: so it is made on a cover.
  if (access(state.c_str(), F_OK) == 0) return mount_fresh(state, "mode=700");
  return cover("/var/lib") && make_directory(state, 0700);
}

// Duplicate address detection would keep IPv6 addresses unusable for a second.
void hurry_addresses() {
  write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
}

std::string read_all(int handle) {
  std::string text;
  char part[4096];
  ssize_t got = 0;
  while ((got = read(handle, part, sizeof part)) > 0) text.append(part, static_cast<size_t>(got));
  return text;
}

struct Pipe {
  Descriptor out;
  Descriptor in;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return {Descriptor(), Descriptor()};
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

bool write_file(const std::string& path, const std::string& text) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.valid() &&
         write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string read_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.valid() ? read_all(file.get()) : "";
}

std::optional<Host> Host::create(std::string name) {
  const Descriptor home_network = open_namespace("net");
  const Descriptor home_mounts = open_namespace("mnt");
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return {};
  Host host(std::move(name), open_namespace("net"), open_namespace("mnt"));
  const bool ready = freshen_files();
  const int error = errno;
  hurry_addresses();
  const bool back =
      setns(home_network.get(), CLONE_NEWNET) == 0 && setns(home_mounts.get(), CLONE_NEWNS) == 0;
  if (!ready) errno = error;
  if (!ready || !back || !host.network_.valid() || !host.mounts_.valid()) return {};
  return host;
}

bool Host::enter() const {
  return setns(network_.get(), CLONE_NEWNET) == 0 && setns(mounts_.get(), CLONE_NEWNS) == 0;
}

Process Host::start(const std::function<int()>& body) const {
  return Process::start([this, &body] { return enter() ? body() : 1; });
}

Outcome Host::run(const std::vector<std::string>& command, const std::string& input) const {
  Pipe answer = make_pipe();
  Pipe question = make_pipe();
  // Small enough for the pipe's buffer, so it can be written before anybody reads.
  if (write(question.in.get(), input.data(), input.size()) < 0) return {1, "no pipe"};
  question.in = Descriptor();
  Process child = start([&] {
    dup2(question.out.get(), STDIN_FILENO);
    dup2(answer.in.get(), STDOUT_FILENO);
    dup2(answer.in.get(), STDERR_FILENO);
    return become(command);
  });
  answer.in = Descriptor();
  Outcome outcome;
  outcome.output = read_all(answer.out.get());
  outcome.status = child.wait(10).value_or(124);
  return outcome;
}

Descriptor Host::open_socket(const std::function<int()>& open) const {
  const Descriptor home = open_namespace("net");
  if (setns(network_.get(), CLONE_NEWNET) != 0) return Descriptor();
  Descriptor made(open());
  if (setns(home.get(), CLONE_NEWNET) != 0) return Descriptor();
  return made;
}

}  // namespace simplevpn::demo
