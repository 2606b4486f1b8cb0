// cipher.cpp — every data-plane cipher opens and seals what it is given exactly as libsodium does.
#include <tunnel/cipher.h>

#include <cstring>

#include "input.h"
#include "support/providers.h"

namespace {

using namespace tunnel;
using Buffer = std::vector<std::uint8_t>;

constexpr std::size_t kMessages = 12, kTag = TUNNEL_AEAD_TAG;

struct Batch {
  std::array<std::uint8_t, 32> key;
  std::vector<Buffer> texts;  // as given: plain for seal, anything for open
  std::vector<std::uint64_t> counters;
};

struct Result {
  std::vector<Buffer> out;
  std::vector<std::int32_t> results;
};

Batch read_batch(fuzz::Input& input) {
  Batch batch{};
  for (auto& byte : batch.key) byte = input.byte();
  const std::size_t count = 1 + input.byte() % kMessages;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t wanted = std::size_t{input.byte()} << input.byte() % 4;
    Buffer text(wanted);
    for (auto& byte : text) byte = input.byte();
    batch.texts.push_back(std::move(text));
    batch.counters.push_back(input.byte());
  }
  return batch;
}

// Where a buffer lies; that of nothing lies somewhere too.
std::uint8_t* place(Buffer& buffer) {
  static std::uint8_t nothing;
  return buffer.empty() ? &nothing : buffer.data();
}

// Each message has memory of exactly its size, so that a sanitizer sees what lies outside. Every
// second one is worked on in place.
Result run(const tunnel_cipher& cipher, Batch& batch, bool seal) {
  alignas(16) std::array<std::uint8_t, TUNNEL_CIPHER_KEY_MAX> key;
  fuzz::expect(cipher.ops->key_init(cipher.self, key.data(), batch.key.data()) == TUNNEL_OK,
               "any key is taken");
  Result result;
  std::vector<tunnel_aead_job> jobs;
  for (std::size_t i = 0; i < batch.texts.size(); ++i) {
    auto& text = batch.texts[i];
    Buffer out(seal ? text.size() + kTag : text.size());
    const bool in_place = i % 2 == 1;
    if (in_place) std::copy(text.begin(), text.end(), out.begin());
    result.out.push_back(std::move(out));
    auto* to = place(result.out.back());
    jobs.push_back({.key = key.data(),
                    .counter = batch.counters[i],
                    .in = in_place ? to : place(text),
                    .out = to,
                    .length = static_cast<std::uint32_t>(text.size()),
                    .result = -1});
  }
  (seal ? cipher.ops->seal : cipher.ops->open)(cipher.self, jobs.data(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    result.results.push_back(jobs[i].result);
    if (!seal) result.out[i].resize(jobs[i].result == TUNNEL_OK ? jobs[i].length - kTag : 0);
  }
  return result;
}

void compare(const Result& one, const Result& other) {
  fuzz::expect(one.results == other.results, "every cipher accepts and refuses the same messages");
  fuzz::expect(one.out == other.out, "every cipher makes the same bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto ciphers = test::usable_providers();
  fuzz::Input input(data, size);
  auto batch = read_batch(input);
  const auto& libsodium = ciphers.back();
  const auto sealed = run(libsodium, batch, true);
  // What was sealed, one byte of some changed, and the texts themselves as forgeries.
  Batch back = batch;
  back.texts = sealed.out;
  for (auto& text : back.texts) {
    if (input.byte() % 4 == 0) text[input.byte() % text.size()] ^= input.byte();
  }
  const auto opened = run(libsodium, back, false);
  const auto forged = run(libsodium, batch, false);
  for (const auto& cipher : ciphers) {
    compare(run(cipher, batch, true), sealed);
    compare(run(cipher, back, false), opened);
    compare(run(cipher, batch, false), forged);
  }
  return 0;
}
