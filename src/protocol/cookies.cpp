// cookies.cpp — mac1, mac2 and cookie replies (whitepaper 5.4.4, 5.4.7).
#include <algorithm>

#include "protocol/gate.h"

namespace tunnel::protocol {

namespace {

constexpr std::size_t kReplyNonce = 8;
constexpr std::size_t kReplyNonceSize = 24;
constexpr std::size_t kReplyCookie = kReplyNonce + kReplyNonceSize;
constexpr std::size_t kSealedCookieSize = kMacSize + cipher::kTag;

// Both macs end the message, whatever its type.
base::Bytes before_mac1(base::Bytes message) noexcept {
  return message.first(message.size() - 2 * kMacSize);
}
base::Bytes before_mac2(base::Bytes message) noexcept {
  return message.first(message.size() - kMacSize);
}
base::Bytes mac1_of(base::Bytes message) noexcept {
  return message.subspan(message.size() - 2 * kMacSize, kMacSize);
}
base::Bytes mac2_of(base::Bytes message) noexcept {
  return message.last(kMacSize);
}

std::size_t address_size(std::uint8_t family) noexcept {
  if (family == TUNNEL_FAMILY_IPV4) return 4;
  return family == TUNNEL_FAMILY_IPV6 ? 16 : 6;
}

}  // namespace

Mac CookieJar::write_macs(base::MutableBytes message, const PublicKey& receiver,
                          std::uint64_t now) const noexcept {
  const Mac mac1 = cipher::mac(mac1_key_of(receiver), before_mac1(message));
  std::copy(mac1.begin(), mac1.end(), message.end() - 2 * kMacSize);

  // The giver forgets its secret after 120 s; 5 s are left for the way.
  const bool fresh = valid_ && now - received_at_ < kCookieSecretMaxAge - kCookieSecretLatency;
  const Mac mac2 = fresh ? cipher::mac(cookie_, before_mac2(message)) : Mac{};
  std::copy(mac2.begin(), mac2.end(), message.end() - kMacSize);
  return mac1;
}

bool CookieJar::accept(CookieReplyBytes reply, const PublicKey& sender, const Mac& mac1,
                       std::uint64_t now) noexcept {
  Cookie cookie;
  const bool authentic = cipher::xaead_open(cookie.data(), cookie_key_of(sender),
                                            reply.subspan<kReplyNonce, kReplyNonceSize>(),
                                            reply.subspan<kReplyCookie, kSealedCookieSize>(), mac1);
  if (!authentic) return false;
  cookie_ = cookie;
  received_at_ = now;
  valid_ = true;
  return true;
}

bool check_mac1(const Identity& us, base::Bytes message) noexcept {
  const Mac expected = cipher::mac(us.mac1_key, before_mac1(message));
  return base::equal_constant_time(expected, mac1_of(message));
}

bool CookieIssuer::check_mac2(base::Bytes message, const tunnel_address& from, std::uint64_t now,
                              cipher::Random& random) noexcept {
  const Mac expected = cipher::mac(cookie_for(from, now, random), before_mac2(message));
  return base::equal_constant_time(expected, mac2_of(message));
}

void CookieIssuer::reply(const Identity& us, base::MutableBytes message, const tunnel_address& from,
                         std::uint64_t now, cipher::Random& random) noexcept {
  // The reply lies over the message: what it is made of is read first.
  const std::uint32_t receiver = sender_index(message);
  Mac mac1;
  std::ranges::copy(mac1_of(message), mac1.begin());
  const Cookie cookie = cookie_for(from, now, random);

  base::store_le32(message.data(), static_cast<std::uint32_t>(MessageType::cookie));
  base::store_le32(&message[4], receiver);
  const auto nonce = message.subspan<kReplyNonce, kReplyNonceSize>();
  random.fill(nonce);
  cipher::xaead_seal(&message[kReplyCookie], us.cookie_key, nonce, cookie, mac1);
}

// cookie = MAC(secret, address || port): bound to the port too, since one address may be shared.
Cookie CookieIssuer::cookie_for(const tunnel_address& from, std::uint64_t now,
                                cipher::Random& random) noexcept {
  if (!has_secret_ || now - secret_made_at_ >= kCookieSecretMaxAge) {
    random.fill(secret_.writable());
    secret_made_at_ = now;
    has_secret_ = true;
  }
  std::array<std::uint8_t, 2> port;
  base::store_be16(port.data(), from.port);
  return cipher::mac(secret_.bytes(), base::Bytes(from.bytes, address_size(from.family)), port);
}

}  // namespace tunnel::protocol
