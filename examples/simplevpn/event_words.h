// event_words.h - an event of a tunnel in words: docs/schema/events.json describes them.
#pragma once

#include <string>

#include <tunnel/host/events.h>

namespace simplevpn {

// One line, without its end.
[[nodiscard]] std::string event_json(const std::string& tunnel, const tunnel_notice& notice);
[[nodiscard]] std::string event_text(const std::string& tunnel, const tunnel_notice& notice);

}  // namespace simplevpn
