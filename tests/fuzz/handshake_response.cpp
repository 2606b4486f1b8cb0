// handshake_response.cpp — responses to one pending initiation, raw or true ones with flipped bits.
//
// Whatever else comes, the handshake survives and the true response finishes it, once.
#include "parties.h"

namespace {

using namespace tunnel;
using namespace tunnel::protocol;
using Message = std::array<std::uint8_t, kResponseSize>;

// Alice waits; bob has read her initiation and can answer with any ephemeral key.
struct Pending : fuzz::Parties {
  // Always the same one. Its answer uses it up.
  void begin() {
    std::array<std::uint8_t, kInitiationSize> message{};
    constexpr std::uint64_t wall_ns = 16'777'216;  // the stamp of the known answers
    fuzz::expect(initiate(initiator, cipher::Key(fuzz::counting(0x70)), wall_ns, message),
                 "a true initiation is written");
    initiation = message;
    truth = respond(fuzz::counting(0xa0));
  }

  Message respond(base::BytesOf<32> ephemeral) const {
    Responder responder;
    Message message{};
    SessionKeys keys;
    fuzz::expect(read(responder, initiation), "the true initiation is read");
    fuzz::expect(
        responder.respond(preshared, cipher::Key(ephemeral), fuzz::kBobIndex, message, keys),
        "the true initiation is answered");
    return message;
  }

  Initiator initiator;
  std::array<std::uint8_t, kInitiationSize> initiation{};
  Message truth{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Pending pending;
  pending.begin();
  fuzz::Input input(data, size);
  const auto kind = input.byte();
  Message message;
  bool changed = false;
  if (kind == 0) {
    message = input.bytes<kResponseSize>();
  } else {
    message = kind == 1 ? pending.truth : pending.respond(input.bytes<32>());
    changed = input.flip(message, 12, 60);
  }

  SessionKeys keys;
  const bool accepted = pending.initiator.finish(pending.alice, pending.preshared, message, keys);
  if (kind != 0) fuzz::expect(accepted != changed, "only a true response is accepted");
  fuzz::expect(accepted || (keys.send.is_zero() && keys.receive.is_zero()),
               "a refused response gives no keys");
  const bool again =
      pending.initiator.finish(pending.alice, pending.preshared, pending.truth, keys);
  fuzz::expect(again != accepted, "the true response is accepted after any other, and once");
  return 0;
}
