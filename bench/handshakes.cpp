// bench_handshakes — handshakes per second on one core, of either side, against the bound.
//
//   bench_handshakes [--rounds N] [--handshakes N]
//
// Both sides of a handshake need at least three Diffie-Hellman and one multiplication with the base
// point. What these four take is measured in the same round; its inverse is the bound. The product
// of the two static keys is kept while a peer is active: a rekey has it, a first contact needs a
// fourth Diffie-Hellman. Virtual time advances by six seconds per handshake, more than the five
// that an initiator waits between two.
#include "cipher/cipher.h"
#include "ends.h"

namespace {

using namespace bench;
namespace cipher = tunnel::cipher;

double bound_ns(std::uint64_t count) {
  cipher::Key secret, shared;
  cipher::Random().fill(secret.writable());
  cipher::clamp(secret);
  cipher::PublicKey point{9};
  Stopwatch watch;
  watch.time([&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      for (int j = 0; j < 3; ++j) require(cipher::x25519(secret, point, shared), "no product");
      cipher::x25519_base(secret, point);
    }
  });
  return watch.ns_per(count);
}

class Exchange {
 public:
  Exchange() : cipher_(find_cipher(nullptr)), a_(1, cipher_), b_(2, cipher_) {
    peer_ = a_.add(b_);
    b_.add(a_);
  }

  void forget() {
    require(a_.core().forget_sessions() == TUNNEL_OK, "sessions were kept");
    require(b_.core().forget_sessions() == TUNNEL_OK, "sessions were kept");
  }

  void run(Stopwatch& initiator, Stopwatch& responder) {
    now_.mono_ns += 6 * kSecond;
    now_.wall_ns += 6 * kSecond;
    std::span<tunnel_packet> initiation, response, confirmation;
    initiator.time([&] {
      (void)a_.core().initiate(peer_, now_);
      initiation = there_.collect(a_, now_);
    });
    require(!initiation.empty(), "no initiation");
    responder.time([&] {
      (void)b_.core().open(initiation, now_);
      response = back_.collect(b_, now_);
    });
    require(!response.empty(), "no response");
    initiator.time([&] {
      (void)a_.core().open(response, now_);
      confirmation = there_.collect(a_, now_);
    });
    require(!confirmation.empty(), "no confirmation");
    responder.time([&] { (void)b_.core().open(confirmation, now_); });
    require(confirmation.back().verdict == TUNNEL_VERDICT_CONSUMED, "not confirmed");
  }

 private:
  tunnel_cipher cipher_;
  End a_, b_;
  std::uint64_t peer_ = 0;
  tunnel_time now_ = start_of_time();
  Mail there_, back_;
};

void measure(Exchange& exchange, bool first, std::uint64_t handshakes) {
  Stopwatch initiator, responder;
  for (std::uint64_t i = 0; i < handshakes; ++i) {
    if (first) exchange.forget();
    exchange.run(initiator, responder);
  }
  const double bound = bound_ns(handshakes);
  const std::pair<const char*, double> sides[] = {{"responder", responder.ns_per(handshakes)},
                                                  {"initiator", initiator.ns_per(handshakes)}};
  for (const auto& [side, ns] : sides) {
    print_line(first ? "first contact" : "rekey", side,
               {{"per_second", 1e9 / ns},
                {"bound_per_second", 1e9 / bound},
                {"of_bound", bound / ns},
                {"us", ns / 1e3}});
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments(count, values);
  const auto rounds = arguments.number("--rounds", 11);
  const auto handshakes = arguments.number("--handshakes", 200);
  Exchange exchange;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (const bool first : {false, true}) measure(exchange, first, handshakes);
  }
}
