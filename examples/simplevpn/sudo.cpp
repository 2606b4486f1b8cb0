#include "sudo.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "privilege.h"

namespace simplevpn {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

// Whether sudo would run something without a question.
bool sudo_needs_no_password() {
  std::vector<std::string> words{"sudo", "-n", "true"};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&quiet, standard, "/dev/null", O_RDWR, 0);
  }
  pid_t child = 0;
  int status = -1;
  if (posix_spawnp(&child, "sudo", &quiet, nullptr, pointers(words).data(), environ) == 0) {
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  }
  posix_spawn_file_actions_destroy(&quiet);
  return status == 0;
}

std::vector<std::string> command_line(const std::vector<std::string>& arguments) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::vector<std::string> words{
      "sudo", "-p",
      "simplevpn must be run as root. Please enter the password for %p to continue: ", "--",
      error ? arguments[0] : program.string()};
  words.insert(words.end(), arguments.begin() + 1, arguments.end());
  return words;
}

}  // namespace

void run_by_sudo(const std::vector<std::string>& arguments, const Output& output) {
  if (geteuid() == 0 || has_net_admin() || output.json) return;
  const bool terminal = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
  if (!terminal && !sudo_needs_no_password()) return;
  std::vector<std::string> words = command_line(arguments);
  advise(output, "[#] sudo " + output.command);
  execvp("sudo", pointers(words).data());
}

}  // namespace simplevpn
