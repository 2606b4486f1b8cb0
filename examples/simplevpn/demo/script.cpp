#include "script.h"

#include <algorithm>
#include <limits>
#include <span>

#include "attack.h"
#include "ping.h"

namespace simplevpn::demo {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr std::uint64_t kCopy = 100 * kMegabyte;
constexpr double kHandshake_ms = 2000;  // a lost initiation would cost five seconds
constexpr double kPatience_s = 30;      // for a copy
constexpr double kStallAllowed_s = 3;   // after the server was restarted
constexpr std::uint32_t kPings = 100;   // of each kind
constexpr std::size_t kAttacks = 1000;
constexpr std::size_t kPortion = 100;  // of attacks at a time
constexpr double kCounted_s = 2;       // until the server has counted a portion
constexpr double kQuiet_s = 0.7;       // of undisturbed copy around each event, for the chart
constexpr unsigned kTick_ms = 10;

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / kMegabyte;
}

std::size_t marked(const std::vector<Packet>& packets) {
  return static_cast<std::size_t>(std::count_if(
      packets.begin(), packets.end(), [](const Packet& packet) { return packet.has_marker(); }));
}

double first_of_type(const std::vector<Packet>& packets, std::uint8_t type) {
  const auto found = std::find_if(packets.begin(), packets.end(), [type](const Packet& packet) {
    return packet.message_type() == type;
  });
  return found == packets.end() ? std::numeric_limits<double>::infinity() : found->seconds;
}

// The first data message is what confirms the new keys.
double handshake_time(const std::vector<Packet>& packets) {
  return first_of_type(packets, kData) - first_of_type(packets, kInitiation);
}

std::uint64_t counter(const json& status, const std::string& name) {
  if (!status.is_object()) return 0;
  return status["counters"].value(name, std::uint64_t{0});
}

std::uint64_t drops(const json& status, const std::string& reason) {
  if (!status.is_object()) return 0;
  return status["counters"]["drops"].value(reason, std::uint64_t{0});
}

std::uint64_t dropped(const json& before, const json& after,
                      const std::vector<std::string>& reasons) {
  std::uint64_t total = 0;
  for (const auto& reason : reasons) total += drops(after, reason) - drops(before, reason);
  return total;
}

// "935 forged, 18 unknown index"
std::string drops_text(const json& before, const json& after,
                       const std::vector<std::string>& reasons) {
  std::string text;
  for (const auto& reason : reasons) {
    if (!text.empty()) text += ", ";
    text += std::to_string(dropped(before, after, {reason})) + " " + reason;
  }
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

}  // namespace

Script::Script(const Topology& hosts, const Configs& configs, const Teller& teller)
    : hosts_(hosts),
      teller_(teller),
      client_(hosts.client, "client", configs.client),
      server_(hosts.server, "server", configs.server) {}

bool Script::tell(const std::string& title, bool held, const std::string& figures) {
  teller_.line({title, held, figures});
  return held;
}

void Script::run() {
  const bool held = handshake() && pings("ping, IPv4", kServerInside4, kBehind4) &&
                    pings("ping, IPv6", kServerInside6, kBehind6) && copy() && long_copy() &&
                    record() && attack() && plaintext();
  teller_.text("status", server_.status_document());
  if (held) return;
  teller_.text("log", "server:\n" + server_.log() + "\nclient:\n" + client_.log());
}

// ---- the tunnel is there ----

bool Script::handshake() {
  const char* title = "handshake";
  if (!server_.configure() || !client_.configure()) {
    return tell(title, false, "the configuration files cannot be written");
  }
  if (!server_.start()) return tell(title, false, "the server did not start: " + server_.log());
  Capture router(hosts_.router);
  if (!router.valid()) return tell(title, false, "no packet socket to capture with");
  const double called = now_s();
  if (!client_.start()) return tell(title, false, "the client did not start: " + client_.log());
  if (!answers(hosts_.client, kServerInside4, 10)) {
    return tell(title, false, "no ping came through the tunnel within 10 s");
  }
  const double first_ping_ms = (now_s() - called) * 1000;
  const double handshake_ms = handshake_time(router.stop()) * 1000;
  return tell(title, handshake_ms < kHandshake_ms,
              figures("%.2f ms from initiation to first data, seen by the router; first ping "
                      "through the tunnel %.0f ms after `simplevpn client`",
                      handshake_ms, first_ping_ms));
}

bool Script::pings(const char* title, const char* server, const char* behind) {
  const PingResult near = ping(hosts_.client, server, kPings);
  const PingResult far = ping(hosts_.client, behind, kPings);
  return tell(title, near.answered == kPings && far.answered == kPings,
              figures("%u of %u answered; median %.2f ms to the server, %.2f ms to the host behind",
                      near.answered + far.answered, 2 * kPings, near.median_ms, far.median_ms));
}

// ---- copies ----

bool Script::copy() {
  Copy copy(hosts_.client, hosts_.behind, kCopy);
  const bool held = copy.begin() && copy.complete(kPatience_s);
  if (!held) {
    return tell("copy of 100 MB", false,
                figures("%.1f MB arrived, or the checksums differ", megabytes(copy.progress())));
  }
  return tell("copy of 100 MB", true,
              figures("%.2f Gbit/s; checksum equal on both sides (%016llx)",
                      copy.gigabits_per_second(), static_cast<unsigned long long>(copy.hash())));
}

bool Script::await_bytes(Copy& copy, std::uint64_t bytes, double seconds) {
  return wait_until(kPatience_s, kTick_ms,
                    [&] { return copy.progress() >= bytes && copy.elapsed() >= seconds; });
}

// At full speed, and as long as it takes: 100 MB would be over before anything can happen.
bool Script::long_copy() {
  Copy copy(hosts_.client, hosts_.behind, kCopy);
  const bool went_on = copy.begin() && await_bytes(copy, kCopy / 4, kQuiet_s) &&
                       move_client(copy) && restart_server(copy) &&
                       await_bytes(copy, copy.progress() + 1, copy.elapsed() + kQuiet_s);
  const bool held = report_long_copy(copy) && went_on;
  teller_.chart(copy.samples(), marks_);
  return held;
}

bool Script::move_client(Copy& copy) {
  copy.reset_stall();
  marks_.push_back({copy.elapsed(), "address changed"});
  std::string error;
  if (!hosts_.move_client(error)) {
    moved_ = error;
    return false;
  }
  const std::uint64_t before = copy.progress();
  const bool went_on = await_bytes(copy, before + kMegabyte, copy.elapsed() + kQuiet_s);
  const json peer = server_.peer();
  const std::string endpoint = peer.is_object() ? peer.value("endpoint", "") : "";
  const bool followed = endpoint.starts_with(std::string(kClientMoved) + ":");
  moved_ = figures("%s to %s after %.0f MB; the copy paused for %.0f ms", kClientOutside,
                   endpoint.c_str(), megabytes(before), copy.longest_stall_s() * 1000);
  return went_on && followed && copy.longest_stall_s() <= kStallAllowed_s;
}

bool Script::restart_server(Copy& copy) {
  // The endpoint that a restarted server begins with is written at most once a second.
  const bool stored = wait_until(5, kTick_ms, [&] {
    copy.progress();
    return server_.stored_endpoints().find(kClientMoved) != std::string::npos;
  });
  if (!stored) {
    restarted_ = "the server did not write down where the client is";
    return false;
  }
  copy.reset_stall();
  marks_.push_back({copy.elapsed(), "server restarted"});
  const std::uint64_t before = copy.progress();
  const double killed = now_s();
  server_.kill();
  const bool started = server_.start();
  const double down_s = now_s() - killed;
  const bool went_on = started && await_bytes(copy, copy.progress() + kMegabyte, 0);
  stall_s_ = copy.longest_stall_s();
  restarted_ =
      figures("kill -9 after %.0f MB, up again in %.2f s; the copy paused for %.2f s (3 s allowed)",
              megabytes(before), down_s, stall_s_);
  if (!started) restarted_ = "the server did not start again: " + server_.log();
  return went_on && stall_s_ <= kStallAllowed_s;
}

// The events have held only if the copy came to a good end.
bool Script::report_long_copy(Copy& copy) {
  const bool whole = copy.complete(kPatience_s);
  const std::string end =
      whole ? figures("; all %.0f MB arrived, checksum equal", megabytes(copy.progress()))
            : std::string("; the copy did not arrive whole");
  const bool moved = tell("client changes its address", whole && !restarted_.empty(), moved_ + end);
  if (restarted_.empty()) return false;
  const bool restarted = whole && stall_s_ > 0 && stall_s_ <= kStallAllowed_s;
  return tell("server killed and restarted", restarted, restarted_ + end) && moved;
}

// ---- somebody on the path ----

bool Script::record() {
  Capture router(hosts_.router);
  Capture behind(hosts_.behind);
  if (!router.valid() || !behind.valid()) {
    return tell("no plaintext on the path", false, "no packet socket to capture with");
  }
  static_cast<void>(ping(hosts_.client, kBehind4, kAttacks / 2));
  static_cast<void>(ping(hosts_.client, kBehind6, kAttacks / 2));
  Copy copy(hosts_.client, hosts_.behind, kMegabyte);
  if (!copy.begin() || !copy.complete(kPatience_s)) {
    return tell("no plaintext on the path", false, "the copy to look at did not arrive");
  }
  seen_by_router_ = router.stop();
  marked_behind_ = marked(behind.stop());
  not_captured_ = router.lost();
  return true;
}

bool Script::attack() {
  const std::vector<Packet> replayed = data_to_server(seen_by_router_, kAttacks);
  std::vector<Packet> tampered = replayed;
  tamper(tampered);
  return refused("1,000 tampered datagrams", tampered, {"forged", "unknown_index", "malformed"}) &&
         refused("1,000 replayed datagrams", replayed, {"replay"});
}

bool Script::refused(const char* title, const std::vector<Packet>& packets,
                     const std::vector<std::string>& reasons) {
  if (packets.size() < kAttacks) {
    return tell(title, false, figures("the router saw only %zu datagrams", packets.size()));
  }
  const json before = server_.status();
  if (!before.is_object()) return tell(title, false, "the server does not answer `status`");
  json after;
  std::size_t sent = 0;
  // In portions that fit the socket's buffer: what the kernel drops there, nobody refuses.
  for (std::size_t i = 0; i < kAttacks; i += kPortion) {
    sent += inject(hosts_.router, std::span(packets).subspan(i, kPortion));
    static_cast<void>(wait_until(kCounted_s, 1, [&] {
      after = server_.status();
      return dropped(before, after, reasons) >= sent;
    }));
  }
  if (!after.is_object()) return tell(title, false, "the server stopped answering `status`");
  const auto delivered = counter(after, "delivered_packets") - counter(before, "delivered_packets");
  const PingResult still = ping(hosts_.client, kBehind4, 10);
  const bool refused = sent == kAttacks && dropped(before, after, reasons) >= kAttacks;
  return tell(title, refused && delivered == 0 && still.answered == 10,
              figures("%zu sent from the router as the client: %s; %llu delivered; then %u of 10 "
                      "pings answered",
                      sent, drops_text(before, after, reasons).c_str(),
                      static_cast<unsigned long long>(delivered), still.answered));
}

bool Script::plaintext() {
  const std::size_t readable = marked(seen_by_router_);
  std::size_t tunnel = 0;
  std::size_t foreign = 0;
  for (const Packet& packet : seen_by_router_) {
    if (packet.is_tunnel()) ++tunnel;
    if (!packet.is_tunnel() && !packet.is_housekeeping()) ++foreign;
  }
  return tell("no plaintext on the path",
              readable == 0 && foreign == 0 && not_captured_ == 0 && tunnel > kAttacks &&
                  marked_behind_ > kAttacks,
              figures("router: %zu packets, all UDP port %u (%zu others), marker in %zu, %u not "
                      "captured; control: the host behind sees it in %zu",
                      tunnel, kServerPort, foreign, readable, not_captured_, marked_behind_));
}

}  // namespace simplevpn::demo
