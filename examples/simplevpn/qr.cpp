#include "qr.h"

#include <qrcodegen/qrcodegen.hpp>

namespace simplevpn {
namespace {

using qrcodegen::QrCode;

constexpr int kQuiet = 4;  // modules around the code that readers need

// Colours are set, because a reader needs dark on light whatever the terminal's are.
constexpr const char* kDarkOnLight = "\033[30;107m";
constexpr const char* kLight = "\033[107m";
constexpr const char* kDark = "\033[40m";
constexpr const char* kEnd = "\033[0m\n";

std::string small(const QrCode& code) {
  static constexpr const char* kHalves[2][2] = {{" ", "▄"}, {"▀", "█"}};  // [upper][lower]
  std::string text;
  for (int y = -kQuiet; y < code.getSize() + kQuiet; y += 2) {
    text += kDarkOnLight;
    for (int x = -kQuiet; x < code.getSize() + kQuiet; ++x) {
      text += kHalves[code.getModule(x, y)][code.getModule(x, y + 1)];
    }
    text += kEnd;
  }
  return text;
}

std::string large(const QrCode& code) {
  std::string text;
  for (int y = -kQuiet; y < code.getSize() + kQuiet; ++y) {
    for (int x = -kQuiet; x < code.getSize() + kQuiet; ++x) {
      text += std::string(code.getModule(x, y) ? kDark : kLight) + "  ";
    }
    text += kEnd;
  }
  return text;
}

std::string ascii(const QrCode& code) {
  std::string text;
  for (int y = -kQuiet; y < code.getSize() + kQuiet; ++y) {
    for (int x = -kQuiet; x < code.getSize() + kQuiet; ++x) {
      text += code.getModule(x, y) ? "##" : "  ";
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string qr_code(const char* text, const std::string& form) {
  try {
    const QrCode code = QrCode::encodeText(text, QrCode::Ecc::LOW);
    if (form == "small") return small(code);
    return form == "large" ? large(code) : ascii(code);
  } catch (const qrcodegen::data_too_long&) {
    return "";
  }
}

}  // namespace simplevpn
