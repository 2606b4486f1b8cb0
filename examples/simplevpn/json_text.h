// json_text.h - what our JSON documents have in common.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace simplevpn {

// An empty text means that there is none.
inline nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

}  // namespace simplevpn
