// demo.cpp - the process that was called: prints what the script finds, looks after it, and writes
// the report.
//
// The script runs apart, in namespaces of its own, and cannot outlive this process: neither by
// kill -9, nor by Ctrl-C, nor by a fault of its own.
#include "demo.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "cleanup.h"
#include "report.h"
#include "script.h"

namespace simplevpn {
namespace demo {
namespace {

constexpr double kLongest_s = 120;  // then something hangs, and the script is ended

// ---- in the process apart ----

std::string link_of(const char* path) {
  char text[64] = {};
  return readlink(path, text, sizeof text - 1) > 0 ? text : "";
}

std::string link_of(int handle) {
  return link_of(("/proc/self/fd/" + std::to_string(handle)).c_str());
}

void tell_spaces(const Topology& hosts, bool user, const Teller& teller) {
  std::vector<std::string> spaces{link_of("/proc/self/ns/pid"), link_of("/proc/self/ns/net"),
                                  link_of("/proc/self/ns/mnt")};
  std::vector<std::string> doors;
  for (const Host* host : {&hosts.client, &hosts.router, &hosts.server, &hosts.behind}) {
    spaces.push_back(link_of(host->network()));
    spaces.push_back(link_of(host->mounts()));
    doors.push_back(
        figures("%-7s %s --net=/proc/%%P/fd/%d --mount=/proc/%%P/fd/%d", host->name().c_str(),
                user ? "nsenter --preserve-credentials --user=/proc/%P/ns/user" : "nsenter",
                host->network(), host->mounts()));
  }
  teller.list("spaces", spaces);
  teller.list("doors", doors);
}

void await_hang_up(int alive) {
  pollfd caller{alive, 0, 0};
  poll(&caller, 1, -1);
}

int run_apart(const Teller& teller, bool user, int alive) {
  std::string error;
  const auto hosts = Topology::build(error);
  const auto configs = make_configs();
  if (!hosts || !configs) {
    teller.line({"hosts", false, error});
    return 1;
  }
  tell_spaces(*hosts, user, teller);
  Script script(*hosts, *configs, teller);
  script.run();
  teller.text("done", "");
  await_hang_up(alive);  // the caller looks first at what there is to end
  return 0;
}

// ---- in the process that was called ----

void print(const Line& line, const Output& output) {
  if (output.json) return;
  const char* color = !output.color ? "" : line.held ? "\033[32m" : "\033[1;31m";
  const char* plain = output.color ? "\033[0m" : "";
  std::printf("%s%s%s  %-28s %s\n", color, line.held ? "  ok  " : "FAILED", plain,
              line.title.c_str(), line.figures.c_str());
  std::fflush(stdout);
}

class Demo {
 public:
  Demo(const DemoOptions& options, const Output& output) : options_(options), output_(output) {}
  int run();

 private:
  bool launch();
  [[noreturn]] void become_script(const Fork& made, uid_t uid, gid_t gid, int theirs);
  void listen();
  bool take(const std::string& message);
  void keep_hosts() const;
  void end_script();
  void check_cleanup();
  int report();
  int refuse(const Obstacle& obstacle) const;

  const DemoOptions& options_;
  const Output& output_;
  const double began_ = now_s();
  Inventory inventory_;
  Findings findings_;
  Descriptor channel_;  // both ends of it: findings come in, and its end tells the script to end
  pid_t script_ = -1;
  bool done_ = false;
};

int Demo::run() {
  if (const std::string why = prepare_report(options_.report); !why.empty()) {
    return fail(output_, usage_failure("no report can be written: " + why,
                                       "simplevpn demo --report DIRECTORY"));
  }
  if (!launch()) return refuse(*findings_.obstacle);
  listen();
  if (findings_.obstacle) {
    end_script();
    return refuse(*findings_.obstacle);
  }
  if (options_.keep && done_) keep_hosts();
  inventory_.watch(script_, findings_.spaces);
  end_script();
  check_cleanup();
  return report();
}

bool Demo::launch() {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    findings_.obstacle = Obstacle{"no descriptors are left", "ulimit -n 1024"};
    return false;
  }
  channel_ = Descriptor(ends[0]);
  Descriptor theirs(ends[1]);
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  const Fork made = fork_apart();
  if (made.pid == 0) become_script(made, uid, gid, theirs.get());
  script_ = made.pid;
  findings_.obstacle = made.obstacle;
  return made.pid > 0;
}

void Demo::become_script(const Fork& made, uid_t uid, gid_t gid, int theirs) {
  channel_ = Descriptor();
  const Teller teller(theirs);
  int status = 1;
  if (const auto obstacle = settle(made.user, uid, gid, theirs)) {
    teller.obstacle(*obstacle);
  } else {
    status = run_apart(teller, made.user, theirs);
  }
  _exit(status);
}

// Until the script has come to its end, however that is.
void Demo::listen() {
  std::string text;
  char part[4096];
  while (!done_) {
    pollfd ready{channel_.get(), POLLIN, 0};
    const double left_s = began_ + kLongest_s - now_s();
    if (left_s <= 0 || poll(&ready, 1, static_cast<int>(left_s * 1000)) <= 0) break;
    const ssize_t got = read(channel_.get(), part, sizeof part);
    if (got <= 0) break;
    text.append(part, static_cast<std::size_t>(got));
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      take(text.substr(0, end));
      text.erase(0, end + 1);
    }
  }
  if (done_ || findings_.obstacle) return;
  if (!findings_.held() && !findings_.lines.empty()) return;  // it said why
  findings_.lines.push_back({"demo", false, "the script ended before its end, or hung"});
  print(findings_.lines.back(), output_);
}

bool Demo::take(const std::string& message) {
  const std::size_t known = findings_.lines.size();
  if (!hear(message, findings_)) return false;
  if (known == 0 && !findings_.lines.empty() && !output_.json) {
    std::puts("client - router - server - host behind: four throw-away hosts on this machine\n");
  }
  if (findings_.lines.size() > known) print(findings_.lines.back(), output_);
  done_ = done_ || message.find("{\"done\"") == 0;
  return true;
}

void Demo::keep_hosts() const {
  // Before the words: who reads them may type Ctrl-C at once.
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ends, signal);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  FILE* out = output_.json ? stderr : stdout;
  std::fprintf(out, "\nThe hosts stay up until Ctrl-C. To enter one%s:\n",
               geteuid() == 0 ? "" : ", as yourself");
  for (std::string door : findings_.doors) {
    for (std::size_t at = door.find("%P"); at != std::string::npos; at = door.find("%P")) {
      door.replace(at, 2, std::to_string(script_));
    }
    std::fprintf(out, "  %s\n", door.c_str());
  }
  std::fflush(out);
  int signal = 0;
  sigwait(&ends, &signal);
}

// The kernel ends every other process of the namespace before process 1 can be reaped.
void Demo::end_script() {
  channel_ = Descriptor();
  kill(script_, SIGKILL);
  waitpid(script_, nullptr, 0);
}

void Demo::check_cleanup() {
  const std::vector<std::string> left = inventory_.leftovers();
  // At least the script and the server: an empty list would prove nothing.
  const bool watched = inventory_.watched() >= (done_ ? 2 : 1);
  std::string text =
      figures("%zu processes ended, %zu namespaces gone; no interface, file or mount left",
              inventory_.watched(), findings_.spaces.size());
  if (!left.empty()) text = "left behind:";
  for (const std::string& each : left) text += " " + each + ",";
  findings_.lines.push_back({"clean-up", watched && left.empty(), text});
  print(findings_.lines.back(), output_);
}

int Demo::report() {
  findings_.seconds = now_s() - began_;
  if (const std::string why = write_report(options_.report, findings_); !why.empty()) {
    return fail(output_, {.code = "E_REPORT", .message = "no report: " + why});
  }
  if (output_.json) {
    std::fputs(findings_json(options_.report, findings_).c_str(), stdout);
  } else {
    std::printf("\n%s in %.1f s; the report is %s/report.md\n",
                findings_.held() ? "Every line held" : "Not every line held", findings_.seconds,
                options_.report.c_str());
  }
  if (findings_.held()) return kOk;
  std::string what;
  for (const Line& line : findings_.lines) {
    if (!line.held) what += (what.empty() ? "" : "; ") + line.title + ": " + line.figures;
  }
  return fail(output_, {.exit = kCheckFailed,
                        .code = "E_DEMO",
                        .message = "the demo did not hold: " + what,
                        .hint = options_.report + "/report.md has the logs of both ends"});
}

int Demo::refuse(const Obstacle& obstacle) const {
  return fail(output_, {.exit = kPermission,
                        .code = "E_PERMISSION",
                        .message = "the demo cannot run here: " + obstacle.message,
                        .hint = obstacle.fix});
}

}  // namespace
}  // namespace demo

int run_demo(const DemoOptions& options, const Output& output) {
  return demo::Demo(options, output).run();
}

}  // namespace simplevpn
