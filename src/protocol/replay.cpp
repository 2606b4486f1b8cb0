#include "protocol/replay.h"

#include <algorithm>

#include "protocol/wire.h"

namespace tunnel::protocol {

bool ReplayWindow::accept(std::uint64_t counter) noexcept {
  constexpr std::uint64_t kWords = kBits / 64;
  if (counter >= kRejectAfterMessages) return false;  // also keeps next_ from wrapping
  if (counter + kWidth + 1 < next_) return false;

  const std::uint64_t word = counter / 64;
  if (counter >= next_) {
    // Clear the words that the window moves onto; the newest word so far stays. Before the first
    // counter all words are clear.
    const std::uint64_t newest_word = next_ == 0 ? 0 : (next_ - 1) / 64;
    const std::uint64_t moved = std::min(word - newest_word, kWords);
    for (std::uint64_t i = 1; i <= moved; ++i) seen_[(newest_word + i) % kWords] = 0;
    next_ = counter + 1;
  }

  const std::uint64_t bit = std::uint64_t{1} << (counter % 64);
  if ((seen_[word % kWords] & bit) != 0) return false;
  seen_[word % kWords] |= bit;
  return true;
}

}  // namespace tunnel::protocol
