// handshake_initiation.cpp — initiations with a right mac1, raw or true ones with flipped bits.
//
// Without the right mac1 every input would end at the first check.
#include "parties.h"

namespace {

using namespace tunnel;
using namespace tunnel::protocol;
using Message = std::array<std::uint8_t, kInitiationSize>;

// The whole way: bob answers, and alice, whose initiation it was, understands.
void answer(const fuzz::Parties& parties, Initiator& initiator, Responder& responder,
            bool untouched) {
  std::array<std::uint8_t, kResponseSize> response{};
  SessionKeys ours, theirs;
  const bool answered = responder.respond(parties.preshared, cipher::Key(fuzz::counting(0xa0)),
                                          fuzz::kBobIndex, response, theirs);
  if (!untouched) return;
  fuzz::expect(answered, "a true initiation is answered");
  fuzz::expect(initiator.finish(parties.alice, parties.preshared, response, ours),
               "the true response is accepted");
  fuzz::expect(fuzz::same(ours.send, theirs.receive) && fuzz::same(ours.receive, theirs.send),
               "both derive the same keys");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Parties parties;
  fuzz::Input input(data, size);
  const bool raw = input.byte() == 0;
  Message message{};
  Initiator initiator;
  bool changed = false;
  if (raw) {
    message = input.bytes<kInitiationSize>();
  } else {
    cipher::Key ephemeral(input.bytes<32>());
    const auto wall_ns = input.number();
    fuzz::expect(parties.initiate(initiator, std::move(ephemeral), wall_ns, message),
                 "a true initiation is written");
    changed = input.flip(message, 8, 116);
  }
  base::store_le32(message.data(), static_cast<std::uint32_t>(MessageType::initiation));
  (void)CookieJar().write_macs(message, parties.bob.public_key, 0);
  fuzz::expect(check_mac1(parties.bob, message), "the mac1 we write is the mac1 we check");

  Responder responder;
  const bool accepted = parties.read(responder, message);
  if (!raw) fuzz::expect(accepted != changed, "only the true initiation is accepted");
  if (accepted) answer(parties, initiator, responder, !raw);
  return 0;
}
