// listen.cpp - `events`: what happens to tunnels, one line per event, until interrupted or until
// the last of them has ended.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>

#include "commands.h"
#include "event_words.h"
#include "format.h"
#include "interrupt.h"
#include "status.h"
#include "target.h"

namespace simplevpn {
namespace {

using EventsHandle = Handle<tunnel_events, tunnel_events_close>;

constexpr std::uint64_t kSecond = 1'000'000'000;

// "90s", "10m", "2h", "1d": that long ago.
std::optional<std::uint64_t> ago(const std::string& text) {
  static constexpr std::pair<char, std::uint64_t> kUnits[] = {
      {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  const std::string digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
  if (digits.empty() || digits.size() > 6 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return {};
  }
  for (const auto& [unit, seconds] : kUnits) {
    if (text.back() != unit) continue;
    const std::uint64_t now = wall_now_ns();
    return now - std::min<std::uint64_t>(now, std::stoull(digits) * seconds * kSecond);
  }
  return {};
}

// "2026-03-01T09:30:00Z", as our own output has it; fractions are dropped.
std::optional<std::uint64_t> moment(const std::string& text) {
  tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return {};
  if (*rest == '.') rest += 1 + std::strspn(rest + 1, "0123456789");
  const time_t seconds = timegm(&parts);
  if (std::string(rest) != "Z" || seconds < 0) return {};
  return static_cast<std::uint64_t>(seconds) * kSecond;
}

std::optional<std::uint64_t> read_since(const std::string& text) {
  if (text.empty()) return TUNNEL_EVENTS_NEW;
  if (text == "all") return 0;
  const auto duration = ago(text);
  return duration ? duration : moment(text);
}

struct Source {
  std::string tunnel;
  EventsHandle events;
};

class Listener {
 public:
  Listener(const Events& options, const Output& output) : options_(options), output_(output) {}

  int run() {
    if (const int exit = open(); exit != kOk) return exit;
    const Interrupt interrupt;
    for (;;) {
      for (Source& source : sources_) drain(source);
      std::erase_if(sources_, [](const Source& source) { return source.events == nullptr; });
      if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return kFailure;
      if (sources_.empty()) return exit_;
      std::vector<int> handles;
      for (const Source& source : sources_) {
        handles.push_back(static_cast<int>(tunnel_events_handle(source.events.get())));
      }
      if (interrupt.wait(handles, -1) == Interrupt::Woken::signal) return interrupt.exit_status();
    }
  }

 private:
  int open() {
    const auto since = read_since(options_.since);
    if (!since) {
      return fail(output_, usage_failure("--since " + options_.since + " is no time",
                                         "all, 90s, 10m, 2h, 1d or 2026-03-01T09:30:00Z"));
    }
    if (!options_.target.empty()) {
      const std::string name = tunnel_name(options_.target);
      const std::int32_t status = open(name, *since);
      return status == TUNNEL_OK ? kOk : refuse(status, name);
    }
    return open_all(*since);
  }

  // Of all tunnels those that can be listened to: one may have ended meanwhile, and the daemon of
  // another may be a program that tells no events.
  int open_all(std::uint64_t since) {
    std::vector<std::string> names;
    const std::int32_t listed = list_tunnels(names);
    if (listed != TUNNEL_OK) {
      return fail(output_, status_failure(output_, listed, "list the tunnels", kFailure));
    }
    for (const std::string& name : names) {
      const std::int32_t status = open(name, since);
      const bool skipped = status == TUNNEL_ERR_NOT_FOUND || status == TUNNEL_ERR_CLOSED ||
                           status == TUNNEL_ERR_UNSUPPORTED;
      if (status != TUNNEL_OK && !skipped) return refuse(status, name);
      if (status == TUNNEL_ERR_UNSUPPORTED) advise(output_, name + " tells no events");
    }
    return sources_.empty() ? refuse(TUNNEL_ERR_NOT_FOUND, "a tunnel") : kOk;
  }

  std::int32_t open(const std::string& name, std::uint64_t since) {
    tunnel_events* events = nullptr;
    const std::int32_t status = tunnel_events_open(nullptr, name.c_str(), since, &events);
    if (status == TUNNEL_OK) sources_.push_back({name, EventsHandle(events)});
    return status;
  }

  int refuse(std::int32_t status, const std::string& name) const {
    if (status == TUNNEL_ERR_NOT_FOUND) return fail(output_, not_running(name));
    int exit = status == TUNNEL_ERR_TIMEOUT ? kTimeout : kFailure;
    if (status == TUNNEL_ERR_ARGUMENT) exit = kUsage;
    return fail(output_, status_failure(output_, status, "listen to the daemon of " + name, exit));
  }

  // Everything that is there; forgets the source when its daemon has ended.
  void drain(Source& source) {
    tunnel_notice notice = TUNNEL_NOTICE_INIT;
    std::int32_t taken = 0;
    while ((taken = tunnel_events_next(source.events.get(), &notice)) == 1) {
      print(source.tunnel, notice);
    }
    if (taken == TUNNEL_OK) return;
    if (taken != TUNNEL_ERR_CLOSED) exit_ = refuse(taken, source.tunnel);
    source.events.reset();
  }

  void print(const std::string& tunnel, const tunnel_notice& notice) const {
    const std::string line = output_.json ? event_json(tunnel, notice) : event_text(tunnel, notice);
    std::printf("%s\n", line.c_str());
  }

  const Events& options_;
  const Output& output_;
  std::vector<Source> sources_;
  int exit_ = kOk;
};

}  // namespace

int events(const Events& options, const Output& output) {
  return Listener(options, output).run();
}

}  // namespace simplevpn
