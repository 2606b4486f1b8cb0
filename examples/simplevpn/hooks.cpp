#include "hooks.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace simplevpn {
namespace {

constexpr std::array<const char*, 4> kNames = {"PreUp", "PostUp", "PreDown", "PostDown"};

// A hook takes signals as any program does, whatever we do with ours.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::string with_name(std::string command, const std::string& name) {
  for (std::size_t at = 0; (at = command.find("%i", at)) != std::string::npos;) {
    command.replace(at, 2, name);
    at += name.size();
  }
  return command;
}

// Root's environment, as a login would make it; of the caller's only the terminal.
std::vector<std::string> environment() {
  std::vector<std::string> variables{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root",
      "SHELL=/bin/bash"};
  if (const char* terminal = std::getenv("TERM"))
    variables.push_back("TERM=" + std::string(terminal));
  return variables;
}

// The exit status of bash, or 128 and the signal that ended it; -1 = it could not be started.
int run_bash(const std::string& command) {
  std::string shell = "bash", option = "-c", text = command;
  char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  std::vector<std::string> variables = environment();
  std::vector<char*> pointers;
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  const SpawnAttributes attributes;
  pid_t child = 0;
  errno = posix_spawn(&child, "/bin/bash", nullptr, attributes.get(), arguments, pointers.data());
  if (errno != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Failure failed(const char* name, const std::string& command, int status) {
  const std::string how = status < 0 ? std::string("cannot run bash: ") + std::strerror(errno)
                                     : "exit status " + std::to_string(status);
  return {.exit = kActivation,
          .code = "E_HOOK",
          .message = std::string(name) + " failed (" + how + "): " + command,
          .hint = "--no-hooks leaves the commands of the file out"};
}

Failure interrupted() {
  return {.exit = kInterrupted, .code = "E_INTERRUPTED", .message = "interrupted"};
}

}  // namespace

SignalsHeld::SignalsHeld() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}

SignalsHeld::~SignalsHeld() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool SignalsHeld::told_to_end() {
  sigset_t waiting;
  return sigpending(&waiting) == 0 &&
         (sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1);
}

Hooks::Hooks(const tunnel_config* config, std::string interface_name)
    : name_(std::move(interface_name)) {
  for (std::uint32_t kind = TUNNEL_HOOK_PRE_UP; kind <= TUNNEL_HOOK_POST_DOWN; ++kind) {
    std::vector<std::string>& commands = commands_[kind - TUNNEL_HOOK_PRE_UP];
    while (const char* command = tunnel_config_hook(config, kind, commands.size())) {
      commands.emplace_back(command);
    }
  }
}

std::optional<Failure> Hooks::run(std::uint32_t kind, const Output& output) const {
  const SignalsHeld held;
  for (const std::string& hook : commands_[kind - TUNNEL_HOOK_PRE_UP]) {
    const std::string command = with_name(hook, name_);
    advise(output, "[#] " + command);
    const int status = run_bash(command);
    if (SignalsHeld::told_to_end()) return interrupted();
    if (status != 0) return failed(kNames[kind - TUNNEL_HOOK_PRE_UP], command, status);
  }
  return {};
}

}  // namespace simplevpn
