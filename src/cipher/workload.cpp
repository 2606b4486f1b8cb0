#include "cipher/workload.h"

#include <algorithm>

#include "cipher/cipher.h"

namespace tunnel::cipher {

namespace {

constexpr std::size_t kHeader = 16;

// As a device lays packets: header, padded message, tag.
std::size_t stride_of(std::uint32_t length) noexcept {
  return kHeader + (std::size_t{length} + 15) / 16 * 16 + kTag;
}

}  // namespace

std::unique_ptr<Workload> Workload::create(const tunnel_cipher& cipher, std::uint32_t length,
                                           std::uint32_t count, std::uint32_t batch) {
  std::unique_ptr<Workload> work(new Workload(cipher));
  work->length_ = length;
  work->batch_ = batch;
  Random random;
  Key key;
  random.fill(key.writable());
  if (cipher.ops->key_init(cipher.self, work->key_.data(), key.data()) != TUNNEL_OK) return nullptr;
  work->memory_.resize(stride_of(length) * count);
  work->jobs_.resize(count);
  random.fill(work->memory_);
  for (std::uint32_t i = 0; i < count; ++i) {
    auto* at = &work->memory_[stride_of(length) * i + kHeader];
    work->jobs_[i] = {.key = work->key_.data(), .counter = i, .in = at, .out = at};
  }
  return work;
}

Workload::~Workload() {
  base::wipe(key_.data(), key_.size());
}

void Workload::seal() noexcept {
  for (auto& job : jobs_) job.length = length_;
  run(cipher_.ops->seal);
}

void Workload::open() noexcept {
  for (auto& job : jobs_) job.length = length_ + static_cast<std::uint32_t>(kTag);
  run(cipher_.ops->open);
}

void Workload::run(decltype(tunnel_cipher_ops::seal) verb) noexcept {
  for (std::size_t at = 0; at < jobs_.size(); at += batch_) {
    verb(cipher_.self, &jobs_[at], std::min<std::size_t>(batch_, jobs_.size() - at));
  }
  for (const auto& job : jobs_) good_ = good_ && job.result == TUNNEL_OK;
}

}  // namespace tunnel::cipher
