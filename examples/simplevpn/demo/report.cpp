#include "report.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <tunnel/status.h>

#include "../format.h"
#include "chart.h"
#include "host.h"

namespace simplevpn::demo {
namespace {

namespace fs = std::filesystem;

std::string library_version() {
  const std::uint32_t version = tunnel_version();
  return figures("%u.%u.%u", version >> 16, version >> 8 & 255, version & 255);
}

// The value of "KEY<separator>VALUE" in a file of the system, without quotes.
std::string value_in(const std::string& file, const std::string& key, char separator) {
  const std::string text = std::string("\n").append(read_file(file));
  const std::size_t line = text.find(std::string("\n").append(key));
  if (line == std::string::npos) return "unknown";
  const std::size_t end = text.find('\n', line + 1);
  std::size_t from = text.find(separator, line);
  if (from >= end) return "unknown";
  from = text.find_first_not_of(" \t\"", from + 1);
  std::string value = text.substr(from, end - from);
  while (value.ends_with('"') || value.ends_with(' ')) value.pop_back();
  return value;
}

std::string machine() {
  utsname system{};
  uname(&system);
  std::string text = "| | |\n|---|---|\n";
  text += "| processor | " + value_in("/proc/cpuinfo", "model name", ':') +
          figures(", %u in use |\n", std::thread::hardware_concurrency());
  text += "| system | " + value_in("/etc/os-release", "PRETTY_NAME", '=') + ", " + system.sysname +
          " " + system.release + " " + system.machine + " |\n";
  text += std::string("| simplevpn | ") + SIMPLEVPN_VERSION + ", libtunnel " + library_version() +
          " |\n";
  text += std::string("| run as | ") +
          (geteuid() == 0 ? "root" : "an ordinary user, in a user namespace") + " |\n";
  text += "| date | " + rfc3339(wall_now_ns()) + " |\n";
  return text;
}

constexpr const char* kTopology = R"(```
client ---------------- router ---------------- server ---------------- host behind
192.0.2.2   192.0.2.1     198.51.100.1   198.51.100.2  10.20.0.1   10.20.0.2
                                                       fd20::1     fd20::2
inside the tunnel: server 10.9.0.1, fd09::1; client 10.9.0.2, fd09::2
```
)";

constexpr const char* kMethod = R"(
- Every host is a network namespace and a mount namespace of its own on this one machine. Both ends
  of the tunnel, both ends of the copy and the attacker share its processors, so the rates are
  lower than between two machines.
- Client and server are `simplevpn client` and `simplevpn server`, as anybody runs them.
- The handshake is timed on the path, by the router: from the first initiation to the first data
  message, which confirms the new keys.
- The copies are TCP from the client to the host behind the server: random bytes, with a checksum of
  64 bits (FNV-1a over words) computed on both sides. The second copy runs until both events are
  over, because 100 MB would be over sooner. A pause is the longest time in which the receiver got
  nothing.
- The server is killed when its state file holds the client's new address; it is written at most
  once a second.
- Tampered and replayed datagrams are data datagrams of the current session, captured on the router
  and sent from there with the client's address; one bit is flipped, each time at another place.
  They are counted by the server, under its drop reasons.
- The router captures 1,000 pings and 1 MB of a copy, all with a marker inside. The control shows
  that the same search finds the marker where it may be read.
)";

std::string markdown(const Findings& findings) {
  std::string text = "# A tunnel between throw-away hosts\n\n";
  text += figures("**%s** in %.1f s.\n\n",
                  findings.held() ? "Every line held," : "Not every line held,", findings.seconds);
  text += "| | | |\n|---|---|---|\n";
  for (const Line& line : findings.lines) {
    text += std::string("| ") + (line.held ? "held" : "**FAILED**") + " | " + line.title + " | " +
            line.figures + " |\n";
  }
  text += "\n![Throughput of the copy](throughput.svg)\n\n## The machine\n\n" + machine();
  text += std::string("\n## The hosts\n\n") + kTopology + "\n## How it was measured\n" + kMethod;
  text += "\n`status.json` is what `simplevpn status --json` said on the server at the end.\n";
  if (!findings.log.empty()) text += "\n## Logs\n\n```\n" + findings.log + "```\n";
  return text;
}

bool write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return !file.fail();
}

}  // namespace

std::string prepare_report(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return directory + ": " + error.message();
  if (access(directory.c_str(), W_OK | X_OK) != 0) return directory + " is not writable";
  return "";
}

std::string write_report(const std::string& directory, const Findings& findings) {
  const fs::path folder = directory;
  const std::string status = findings.status.empty() ? "null\n" : findings.status;
  const std::pair<const char*, std::string> files[] = {{"report.md", markdown(findings)},
                                                       {"throughput.svg", chart(findings)},
                                                       {"status.json", status}};
  for (const auto& [name, text] : files) {
    if (!write(folder / name, text)) return (folder / name).string() + " cannot be written";
  }
  return "";
}

std::string findings_json(const std::string& directory, const Findings& findings) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const Line& line : findings.lines) {
    lines.push_back({{"title", line.title}, {"held", line.held}, {"figures", line.figures}});
  }
  const nlohmann::ordered_json document{{"schema", "simplevpn.demo/1"},
                                        {"held", findings.held()},
                                        {"seconds", findings.seconds},
                                        {"report", directory},
                                        {"lines", lines}};
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace simplevpn::demo
