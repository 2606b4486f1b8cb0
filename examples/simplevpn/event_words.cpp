#include "event_words.h"

#include "format.h"
#include "json_text.h"

namespace simplevpn {
namespace {

using nlohmann::ordered_json;

struct Word {
  std::uint32_t kind;
  const char* event;
  const char* state;  // of an event "state": what the tunnel is now
};

constexpr Word kWords[] = {
    {TUNNEL_EVENT_UP, "state", "up"},
    {TUNNEL_EVENT_DOWN, "state", "down"},
    {TUNNEL_EVENT_RELOADED, "state", "reloaded"},
    {TUNNEL_EVENT_DEVICE_LOST, "state", "interface_lost"},
    {TUNNEL_EVENT_TRANSPORT, "state", "transport_lost"},
    {TUNNEL_EVENT_NETWORK, "state", "network_changed"},
    {TUNNEL_EVENT_RESTORED, "state", "setting_restored"},
    {TUNNEL_EVENT_FOUGHT, "state", "setting_fought_over"},
    {TUNNEL_EVENT_HANDSHAKE, "handshake", nullptr},
    {TUNNEL_EVENT_REKEY, "rekey", nullptr},
    {TUNNEL_EVENT_HANDSHAKE_FAILED, "handshake_failed", nullptr},
    {TUNNEL_EVENT_ENDPOINT, "roam", nullptr},
    {TUNNEL_EVENT_PEER_EXPIRED, "expired", nullptr},
    {TUNNEL_EVENT_UNKNOWN_KEY, "unknown_key", nullptr},
    {TUNNEL_EVENT_OVERFLOW, "overflow", nullptr},
    {TUNNEL_EVENT_NOT_RESOLVED, "not_resolved", nullptr},
};

Word word_of(const tunnel_notice& notice) {
  if (notice.kind == TUNNEL_EVENT_UNDER_LOAD) {
    return {notice.kind, "state", notice.value != 0 ? "under_load" : "load_relaxed"};
  }
  for (const Word& word : kWords) {
    if (word.kind == notice.kind) return word;
  }
  return {notice.kind, "other", nullptr};
}

ordered_json role_of(const tunnel_notice& notice) {
  if (notice.kind != TUNNEL_EVENT_HANDSHAKE && notice.kind != TUNNEL_EVENT_REKEY) return nullptr;
  return notice.value == 1 ? "initiator" : "responder";
}

ordered_json object_of(const std::string& tunnel, const tunnel_notice& notice) {
  const Word word = word_of(notice);
  const bool has_address = notice.address.family != TUNNEL_FAMILY_NONE;
  return {
      {"schema", "simplevpn.event/1"},
      {"time", rfc3339(notice.wall_ns)},
      {"tunnel", tunnel},
      {"number", notice.number},
      {"event", word.event},
      {"state", text_or_null(word.state == nullptr ? "" : word.state)},
      {"peer", text_or_null(notice.name)},
      {"public_key", text_or_null(notice.has_key != 0 ? public_key_text(notice.public_key) : "")},
      {"role", role_of(notice)},
      {"endpoint", text_or_null(has_address ? address_text(notice.address) : "")},
      {"reason", text_or_null(notice.reason)}};
}

}  // namespace

std::string event_json(const std::string& tunnel, const tunnel_notice& notice) {
  return object_of(tunnel, notice).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// "2026-03-01T09:30:00.125Z wg0 handshake peer=laptop role=initiator"
std::string event_text(const std::string& tunnel, const tunnel_notice& notice) {
  ordered_json line = object_of(tunnel, notice);
  std::string text =
      line["time"].get<std::string>() + " " + tunnel + " " + line["event"].get<std::string>();
  if (!line["peer"].is_null()) line["public_key"] = nullptr;
  for (const char* key : {"state", "peer", "public_key", "role", "endpoint", "reason"}) {
    if (!line[key].is_null()) text += " " + std::string(key) + "=" + line[key].get<std::string>();
  }
  return text;
}

}  // namespace simplevpn
