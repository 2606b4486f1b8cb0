#include <tunnel/cipher.h>

#include <algorithm>
#include <chrono>

#include "base/base.h"
#include "cipher/cipher.h"

using tunnel::base::guarded;
using tunnel::base::read_sized;
using tunnel::base::write_sized;
using tunnel::cipher::Workload;

namespace {

using Clock = std::chrono::steady_clock;
using Verb = void (Workload::*)() noexcept;

constexpr auto kRound = std::chrono::microseconds(250);  // each for seal and for open
constexpr std::uint32_t kLargestMessage = 65'535;
constexpr std::uint32_t kLargestBatch = 1024;
constexpr std::uint32_t kMostRounds = 1000;

void set_defaults(tunnel_cipher_speed& speed) noexcept {
  if (speed.length == 0) speed.length = 1420;
  if (speed.batch == 0) speed.batch = 45;
  if (speed.rounds == 0) speed.rounds = 5;
}

Clock::duration time(Workload& work, Verb verb) noexcept {
  const auto before = Clock::now();
  (work.*verb)();
  return Clock::now() - before;
}

// Median of the rounds, for one message.
std::uint64_t picoseconds(std::vector<double>& rounds, std::uint32_t messages) {
  std::sort(rounds.begin(), rounds.end());
  return static_cast<std::uint64_t>(1000 * rounds[rounds.size() / 2] / messages);
}

std::int32_t measure(const tunnel_cipher& cipher, tunnel_cipher_speed& speed) {
  const auto work = Workload::create(cipher, speed.length, speed.batch, speed.batch);
  if (work == nullptr) return TUNNEL_ERR_SELF_TEST;
  std::vector<double> seals, opens;
  for (std::uint32_t round = 0; round <= speed.rounds; ++round) {
    std::chrono::duration<double, std::nano> seal{}, open{};
    double times = 0;
    for (; seal + open < 2 * kRound; ++times) {
      seal += time(*work, &Workload::seal);
      open += time(*work, &Workload::open);
    }
    if (round == 0) continue;  // caches, clock rate
    seals.push_back(seal.count() / times);
    opens.push_back(open.count() / times);
  }
  speed.seal_ps = picoseconds(seals, speed.batch);
  speed.open_ps = picoseconds(opens, speed.batch);
  return work->good() ? TUNNEL_OK : TUNNEL_ERR_SELF_TEST;
}

}  // namespace

extern "C" {

int32_t tunnel_cipher_find(const char* name, tunnel_cipher* out) {
  if (out == nullptr) return TUNNEL_ERR_ARGUMENT;
  return tunnel::cipher::find_provider(name, *out);
}

int32_t tunnel_cipher_next(size_t* cursor, tunnel_cipher_info* info) {
  if (cursor == nullptr || info == nullptr) return TUNNEL_ERR_ARGUMENT;
  tunnel_cipher_info next = TUNNEL_CIPHER_INFO_INIT;
  const auto status = tunnel::cipher::next_provider(*cursor, next);
  return status == TUNNEL_OK ? write_sized(next, info) : status;
}

int32_t tunnel_cipher_measure(const tunnel_cipher* cipher, tunnel_cipher_speed* speed) {
  return guarded([&]() -> std::int32_t {
    if (cipher == nullptr || cipher->ops == nullptr) return TUNNEL_ERR_ARGUMENT;
    tunnel_cipher_speed known;
    if (const auto status = read_sized(speed, known); status != TUNNEL_OK) return status;
    set_defaults(known);
    if (known.length > kLargestMessage || known.batch > kLargestBatch ||
        known.rounds > kMostRounds) {
      return TUNNEL_ERR_ARGUMENT;
    }
    if (!tunnel::cipher::initialize()) return TUNNEL_ERR_UNAVAILABLE;
    const auto status = measure(*cipher, known);
    return status == TUNNEL_OK ? write_sized(known, speed) : status;
  });
}

}  // extern "C"
