// cookie.cpp — cookie replies, raw or true ones with flipped bits, and the mac2 made from them.
#include "parties.h"

namespace {

using namespace tunnel;
using namespace tunnel::protocol;
using Message = std::array<std::uint8_t, kInitiationSize>;
using Reply = std::array<std::uint8_t, kCookieReplySize>;

tunnel_address address_of(fuzz::Input& input) {
  constexpr std::uint8_t families[] = {TUNNEL_FAMILY_IPV4, TUNNEL_FAMILY_IPV6, TUNNEL_FAMILY_LINK,
                                       TUNNEL_FAMILY_NONE};
  tunnel_address address{};
  address.family = families[input.byte() % 4];
  address.port = base::load_be16(input.bytes<2>().data());
  const auto bytes = input.bytes<16>();
  std::copy(bytes.begin(), bytes.end(), address.bytes);
  return address;
}

// Alice has sent an initiation and holds no cookie yet.
struct Exchange {
  explicit Exchange(const fuzz::Parties& with)
      : parties(with), random(fuzz::counting(0)), initiation{1} {
    mac1 = jar.write_macs(initiation, parties.bob.public_key, 0);
  }

  Reply true_reply(const tunnel_address& from) {
    Message message = initiation;
    issuer.reply(parties.bob, message, from, 0, random);
    Reply reply;
    std::copy_n(message.begin(), reply.size(), reply.begin());
    return reply;
  }

  bool passes(const tunnel_address& from, std::uint64_t now) {
    (void)jar.write_macs(initiation, parties.bob.public_key, now);
    return issuer.check_mac2(initiation, from, now, random);
  }

  const fuzz::Parties& parties;
  cipher::Random random;
  Message initiation;
  CookieJar jar;
  CookieIssuer issuer;
  Mac mac1;
};

void check_limits(Exchange& exchange, const tunnel_address& from) {
  fuzz::expect(exchange.passes(from, kSecond), "a fresh cookie passes");
  auto other = from;
  other.port ^= 1;
  fuzz::expect(!exchange.passes(other, kSecond), "a cookie does not pass from another port");
  fuzz::expect(!exchange.passes(from, kCookieSecretMaxAge), "a cookie of an old secret fails");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Parties parties;
  fuzz::Input input(data, size);
  Exchange exchange(parties);
  const bool raw = input.byte() == 0;
  const auto from = address_of(input);
  auto reply = raw ? input.bytes<kCookieReplySize>() : exchange.true_reply(from);
  const bool changed = raw || input.flip(reply, 8, reply.size());

  const bool accepted = exchange.jar.accept(reply, parties.bob.public_key, exchange.mac1, 0);
  if (!raw) fuzz::expect(accepted != changed, "only the true reply is accepted");
  if (accepted && !raw) check_limits(exchange, from);
  if (!accepted) fuzz::expect(!exchange.passes(from, 0), "no cookie, no pass");
  return 0;
}
