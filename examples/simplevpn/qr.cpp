#include "qr.h"

#include <qrcodegen/qrcodegen.hpp>

namespace simplevpn {
namespace {

using qrcodegen::QrCode;

constexpr int kQuiet = 4;  // modules around the code that readers need

// Colours are set, because a reader needs dark on light whatever the terminal's are.
constexpr const char* kDarkOnLight = "\033[30;107m";
constexpr const char* kDefault = "\033[0m";

// One module is two characters wide.
struct Blocks {
  const char* dark;
  const char* light;
  const char* end;  // of a line
};
constexpr Blocks kLarge{"\033[40m  ", "\033[107m  ", kDefault};
constexpr Blocks kAscii{"##", "  ", ""};

std::string small(const QrCode& code) {
  static constexpr const char* kHalves[2][2] = {{" ", "▄"}, {"▀", "█"}};  // [upper][lower]
  std::string text;
  for (int y = -kQuiet; y < code.getSize() + kQuiet; y += 2) {
    text += kDarkOnLight;
    for (int x = -kQuiet; x < code.getSize() + kQuiet; ++x) {
      text += kHalves[code.getModule(x, y)][code.getModule(x, y + 1)];
    }
    text += std::string(kDefault) + "\n";
  }
  return text;
}

std::string drawn(const QrCode& code, const Blocks& blocks) {
  std::string text;
  for (int y = -kQuiet; y < code.getSize() + kQuiet; ++y) {
    for (int x = -kQuiet; x < code.getSize() + kQuiet; ++x) {
      text += code.getModule(x, y) ? blocks.dark : blocks.light;
    }
    text += std::string(blocks.end) + "\n";
  }
  return text;
}

}  // namespace

std::string qr_code(const char* text, const std::string& form) {
  try {
    const QrCode code = QrCode::encodeText(text, QrCode::Ecc::LOW);
    if (form == "small") return small(code);
    return drawn(code, form == "large" ? kLarge : kAscii);
  } catch (const qrcodegen::data_too_long&) {
    return "";
  }
}

}  // namespace simplevpn
