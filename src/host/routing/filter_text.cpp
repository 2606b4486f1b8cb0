#include "host/routing/filter_text.h"

#include <tunnel/host/text.h>

#include <algorithm>
#include <array>

namespace tunnel::host {
namespace {

bool is_plain_sign(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_=+.-@").find(c) != std::string_view::npos;
}

}  // namespace

ChainText::ChainText(std::string_view name, std::string_view hook, std::string_view policy) {
  text_ = "\tchain " + std::string(name) + " {\n\t\ttype " + std::string(hook) + "; policy " +
          std::string(policy) + ";\n";
}

void ChainText::rule(std::string_view text) {
  text_ += "\t\t" + std::string(text) + "\n";
  ++rules_;
}

bool is_plain(std::string_view link) noexcept {
  return !link.empty() && std::all_of(link.begin(), link.end(), is_plain_sign);
}

std::string quoted(std::string_view link) {
  return "\"" + std::string(link) + "\"";
}

std::string link_set(const std::vector<std::string>& links) {
  std::string text;
  for (const std::string& link : links) {
    if (!is_plain(link)) continue;
    text += (text.empty() ? "{ " : ", ") + quoted(link);
  }
  return text.empty() ? text : text + " }";
}

std::string_view family_word(std::uint8_t family) noexcept {
  return family == TUNNEL_FAMILY_IPV4 ? "ip" : "ip6";
}

std::string network_text(const tunnel_prefix& prefix) {
  const tunnel_prefix network = network_of(prefix);
  std::array<char, TUNNEL_PREFIX_TEXT_SIZE> text{};
  (void)tunnel_prefix_to_text(&network, text.data());
  return text.data();
}

std::string bare_address(const tunnel_prefix& prefix) {
  std::array<char, TUNNEL_PREFIX_TEXT_SIZE> text{};
  (void)tunnel_prefix_to_text(&prefix, text.data());
  const std::string_view all = text.data();
  return std::string(all.substr(0, all.find('/')));
}

std::string bare_address(const tunnel_address& address) {
  return bare_address(host_prefix(address));
}

}  // namespace tunnel::host
