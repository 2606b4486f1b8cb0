// qr.h - a text as a QR code for terminals.
#pragma once

#include <string>

namespace simplevpn {

// `form`: "small" (half blocks, two modules per character), "large" (two blank cells per module,
// coloured) or "ascii" ("##" for dark modules, for terminals that know nothing else). "" when the
// text is too long for a code.
[[nodiscard]] std::string qr_code(const char* text, const std::string& form);

}  // namespace simplevpn
