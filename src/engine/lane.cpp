#include "engine/lane.h"

#include <numeric>

namespace tunnel::engine {

namespace {

// Fewer bytes are done sooner here than handed over.
constexpr std::size_t kWorthwhileBytes = std::size_t{16} * 1024;

std::size_t bytes_of(std::span<const tunnel_aead_job> jobs) noexcept {
  return std::accumulate(jobs.begin(), jobs.end(), std::size_t{0},
                         [](std::size_t sum, const auto& job) { return sum + job.length; });
}

}  // namespace

Lane::Lane(const Parts& parts, const Verbs& verbs, const Shape& shape)
    : parts_(parts), verbs_(verbs) {
  for (std::size_t i = 0; i < parts.batches; ++i) {
    batches_.push_back(std::make_unique<Batch>(shape.bytes, shape.packets, shape.verdict));
    if (parts.pool != nullptr) batches_.back()->jobs.resize(shape.packets);
  }
}

Batch* Lane::vacant() noexcept {
  return reads() ? &at(under_way_) : nullptr;
}

void Lane::take(std::size_t count, const tunnel_time& now) noexcept {
  Batch& batch = at(under_way_++);
  batch.read = count;
  batch.offered = false;
  batch.decided = parts_.pool == nullptr;
  if (batch.decided) {
    [[maybe_unused]] const auto status =
        verbs_.whole(parts_.core, batch.packets.data(), count, &now);
    return;
  }
  const auto planned =
      verbs_.plan(parts_.core, batch.packets.data(), count, batch.jobs.data(), &now);
  batch.task.verb = verbs_.crypt;
  batch.task.cipher = parts_.cipher;
  batch.task.jobs = {batch.jobs.data(), static_cast<std::size_t>(planned)};
  crypt(batch);
}

void Lane::crypt(Batch& batch) noexcept {
  if (batch.task.jobs.empty()) return;
  if (under_way_ == 1 && bytes_of(batch.task.jobs) < kWorthwhileBytes) {
    batch.task.run();
  } else {
    parts_.pool->submit(batch.task);
  }
}

void Lane::decide(Batch& batch, const tunnel_time& now) noexcept {
  if (std::exchange(batch.decided, true)) return;
  [[maybe_unused]] const auto status =
      verbs_.commit(parts_.core, batch.packets.data(), batch.read, batch.jobs.data(), &now);
}

Batch* Lane::decided(const tunnel_time& now) noexcept {
  if (under_way_ == 0 || !front().task.done.load()) return nullptr;
  decide(at(0), now);
  return &at(0);
}

void Lane::release() noexcept {
  first_ = (first_ + 1) % batches_.size();
  --under_way_;
}

bool Lane::ready() const noexcept {
  return under_way_ != 0 && !front().decided && front().task.done.load();
}

void Lane::settle(const tunnel_time& now) noexcept {
  for (std::size_t i = 0; i < under_way_; ++i) {
    Batch& batch = at(i);
    if (!batch.decided) parts_.pool->finish(batch.task);
    decide(batch, now);
  }
}

}  // namespace tunnel::engine
