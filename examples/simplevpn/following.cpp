#include "following.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

namespace simplevpn {
namespace {

constexpr std::size_t kMostEndpoints = 1u << 16;

bool same(const tunnel_address& a, const tunnel_address& b) {
  return a.family == b.family && a.port == b.port &&
         std::equal(std::begin(a.bytes), std::end(a.bytes), std::begin(b.bytes));
}

bool before(const tunnel_address& a, const tunnel_address& b) {
  if (a.family != b.family) return a.family < b.family;
  if (a.port != b.port) return a.port < b.port;
  return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) < 0;
}

// A table's command is a document for nft: its first line says nothing, the second which table.
std::string in_a_line(const tunnel_settings_change& change) {
  const char* from = change.text;
  const char* end = std::strchr(from, '\n');
  if (change.kind == TUNNEL_SETTING_TABLE && end != nullptr) from = end + 1;
  return {from, std::strcspn(from, "\n")};
}

}  // namespace

// A tunnel whose machine is not watched works as it did without that.
void Following::begin(tunnel_settings* settings) {
  settings_ = settings;
  std::int64_t handle = -1;
  const std::int32_t status = tunnel_settings_watch(settings_, &handle);
  handle_ = static_cast<int>(handle);
  if (status != TUNNEL_OK) {
    log_.write(Level::warning, "not_watched", {{"reason", tunnel_status_text(status)}});
  }
  unsettled_ = true;
  settle();
}

void Following::look() {
  if (settings_ == nullptr) return;
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  report(tunnel_settings_refresh(settings_, &fault), fault);
}

// ---- the peers ----

void Following::set_endpoint(const std::uint8_t* public_key, const tunnel_address& endpoint) {
  if (endpoint.family == TUNNEL_FAMILY_NONE) return;
  const PublicKey key = public_key_of(public_key);
  const auto found = endpoints_.find(key);
  if (found != endpoints_.end() && same(found->second, endpoint)) return;
  if (found == endpoints_.end() && endpoints_.size() >= kMostEndpoints) return;
  endpoints_[key] = endpoint;
  unsettled_ = true;
}

void Following::remove_endpoint(const std::uint8_t* public_key) {
  if (endpoints_.erase(public_key_of(public_key)) != 0) unsettled_ = true;
}

// A failure leaves the block as it was: closed for what is new.
void Following::settle() {
  if (settings_ == nullptr || !unsettled_) return;
  std::vector<tunnel_address> known;
  for (const auto& [key, endpoint] : endpoints_) known.push_back(endpoint);
  std::sort(known.begin(), known.end(), before);
  known.erase(std::unique(known.begin(), known.end(), same), known.end());
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status =
      tunnel_settings_set_endpoints(settings_, known.data(), known.size(), &fault);
  unsettled_ = status != TUNNEL_OK;
  report(status, fault);
}

void Following::set_peers(const tunnel_config* config) {
  if (settings_ == nullptr) return;
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  report(tunnel_settings_set_peers(settings_, config, &fault), fault);
}

void Following::set_mark(std::uint32_t mark) {
  if (settings_ == nullptr) return;
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  report(tunnel_settings_set_mark(settings_, mark, &fault), fault);
}

void Following::set_port(std::uint16_t port) {
  if (settings_ == nullptr) return;
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  report(tunnel_settings_set_port(settings_, port, &fault), fault);
}

void Following::set_resolvers(const std::vector<tunnel_address>& resolvers) {
  if (settings_ == nullptr) return;
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  report(tunnel_settings_set_resolvers(settings_, resolvers.data(), resolvers.size(), &fault),
         fault);
}

// ---- what is said about it ----

// What failed at a step is among the changes; the rest is a failure to look.
void Following::report(std::int32_t status, const tunnel_settings_fault& fault) {
  if (status != TUNNEL_OK && fault.message[0] == '\0') {
    log_.write(Level::warning, "not_looked", {{"reason", tunnel_status_text(status)}});
  }
  report_changes();
}

void Following::report_changes() {
  tunnel_settings_change change = TUNNEL_SETTINGS_CHANGE_INIT;
  while (tunnel_settings_next_change(settings_, &change) == 1) report_change(change);
}

void Following::report_change(const tunnel_settings_change& change) {
  const std::string text = in_a_line(change);
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.value = change.kind;
  switch (change.what) {
    case TUNNEL_CHANGE_ADDED:
      return log_.write(Level::info, "setting_added", {{"setting", text}});
    case TUNNEL_CHANGE_REMOVED:
      return log_.write(Level::info, "setting_removed", {{"setting", text}});
    case TUNNEL_CHANGE_FAILED:
      return log_.write(
          Level::warning, "setting_failed",
          {{"setting", text}, {"error", std::strerror(change.system)}, {"reason", change.reason}});
    case TUNNEL_CHANGE_FOUGHT:
      event.kind = TUNNEL_EVENT_FOUGHT;
      log_.write(Level::warning, "setting_fought_over", {{"setting", text}});
      return announce_(event);
    default:
      event.kind = TUNNEL_EVENT_RESTORED;
      log_.write(Level::warning, "setting_restored", {{"setting", text}});
      return announce_(event);
  }
}

}  // namespace simplevpn
