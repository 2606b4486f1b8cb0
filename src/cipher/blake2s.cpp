// blake2s.cpp — BLAKE2s written from RFC 7693, with its names: h, v, m, sigma, G.
#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "cipher/cipher.h"

namespace tunnel::cipher {

namespace {

using Words = std::array<std::uint32_t, 16>;

// RFC 7693, 2.6
constexpr std::array<std::uint32_t, 8> kIv{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// RFC 7693, 2.7
constexpr std::uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

// The mixing function G of RFC 7693, 3.1.
inline void mix(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d,
                std::pair<std::uint32_t, std::uint32_t> words) noexcept {
  a += b + words.first;
  d = std::rotr(d ^ a, 16);
  c += d;
  b = std::rotr(b ^ c, 12);
  a += b + words.second;
  d = std::rotr(d ^ a, 8);
  c += d;
  b = std::rotr(b ^ c, 7);
}

// One round. The round number is a template argument so that sigma folds into constants and all
// words stay in registers: a quarter faster or more than indexing the table (gcc 12).
template <std::size_t Round>
inline void round(Words& v, const Words& m) noexcept {
  constexpr auto& s = kSigma[Round];
  mix(v[0], v[4], v[8], v[12], {m[s[0]], m[s[1]]});
  mix(v[1], v[5], v[9], v[13], {m[s[2]], m[s[3]]});
  mix(v[2], v[6], v[10], v[14], {m[s[4]], m[s[5]]});
  mix(v[3], v[7], v[11], v[15], {m[s[6]], m[s[7]]});
  mix(v[0], v[5], v[10], v[15], {m[s[8]], m[s[9]]});
  mix(v[1], v[6], v[11], v[12], {m[s[10]], m[s[11]]});
  mix(v[2], v[7], v[8], v[13], {m[s[12]], m[s[13]]});
  mix(v[3], v[4], v[9], v[14], {m[s[14]], m[s[15]]});
}

template <std::size_t... Rounds>
inline void all_rounds(Words& v, const Words& m, std::index_sequence<Rounds...>) noexcept {
  (round<Rounds>(v, m), ...);
}

}  // namespace

Blake2s::Blake2s(std::size_t length, Bytes key) noexcept
    : h_(kIv), length_(static_cast<std::uint32_t>(length)) {
  assert(length >= 1 && length <= 32 && key.size() <= 32);
  h_[0] ^= 0x01010000u ^ static_cast<std::uint32_t>(key.size() << 8) ^ length_;
  if (key.empty()) return;
  std::memcpy(buffer_.data(), key.data(), key.size());  // a whole block, padded with zeros
  buffered_ = kBlock;
}

Blake2s::~Blake2s() {
  base::wipe(this, sizeof *this);
}

Blake2s& Blake2s::update(Bytes input) noexcept {
  while (!input.empty()) {
    // A full block waits here until more comes, because the last block is compressed differently.
    if (buffered_ == kBlock) {
      total_ += kBlock;
      compress(buffer_.data(), false);
      buffered_ = 0;
    }
    const std::size_t taken = std::min(input.size(), kBlock - buffered_);
    std::memcpy(&buffer_[buffered_], input.data(), taken);
    buffered_ += static_cast<std::uint32_t>(taken);
    input = input.subspan(taken);
  }
  return *this;
}

void Blake2s::finish(std::uint8_t* digest) noexcept {
  total_ += buffered_;
  std::fill(buffer_.begin() + buffered_, buffer_.end(), std::uint8_t{0});
  compress(buffer_.data(), true);
  for (std::size_t i = 0; i < length_; ++i) {
    digest[i] = static_cast<std::uint8_t>(h_[i / 4] >> (8 * (i % 4)));
  }
}

// The compression function F of RFC 7693, 3.2.
void Blake2s::compress(const std::uint8_t* block, bool last) noexcept {
  Words m, v;
  for (std::size_t i = 0; i < 16; ++i) m[i] = base::load_le32(block + 4 * i);
  std::copy(h_.begin(), h_.end(), v.begin());
  std::copy(kIv.begin(), kIv.end(), v.begin() + 8);
  v[12] ^= static_cast<std::uint32_t>(total_);
  v[13] ^= static_cast<std::uint32_t>(total_ >> 32);
  if (last) v[14] = ~v[14];
  all_rounds(v, m, std::make_index_sequence<10>());
  for (std::size_t i = 0; i < 8; ++i) h_[i] ^= v[i] ^ v[i + 8];
  // Under a key, m is the key itself in the first block, and v is as good as the state.
  base::wipe(m.data(), sizeof m);
  base::wipe(v.data(), sizeof v);
}

}  // namespace tunnel::cipher
