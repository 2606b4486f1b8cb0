// crypt_pool.h — threads that do nothing but run a cipher over whole batches.
//
// The engine's thread plans and commits, in order; between the two a batch's jobs may be done
// anywhere, in any order. A batch is handed over whole: the hand-over costs about as much as one
// packet. Threads sleep while there is nothing to do.
#pragma once

#include <tunnel/cipher.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/base.h"
#include "engine/waiter.h"

namespace tunnel::engine {

// The jobs of one batch. The engine's thread owns it; what it points to stays in place until done.
struct CryptTask {
  using Verb = void (*)(void* self, tunnel_aead_job* jobs, std::size_t count);

  Verb verb = nullptr;
  void* cipher = nullptr;
  std::span<tunnel_aead_job> jobs;
  std::atomic<bool> done{true};

  void run() noexcept { verb(cipher, jobs.data(), jobs.size()); }
};

class CryptPool {
 public:
  // At most `tasks` may be under way at once. May throw what std::thread throws.
  static std::unique_ptr<CryptPool> create(std::size_t threads, std::size_t tasks);
  // Every task that was handed over is done first.
  ~CryptPool();
  CryptPool(const CryptPool&) = delete;
  CryptPool& operator=(const CryptPool&) = delete;

  // ---- the engine's thread
  void submit(CryptTask& task) noexcept;
  // Does the oldest task that no thread has begun, on this one. False when there is none.
  bool help() noexcept;
  // Returns when the task is done, with our help if need be.
  void finish(CryptTask& task) noexcept;

  // Between these two calls every task that gets done wakes the waiter. Look for done tasks after
  // the first: what was done before wakes nobody.
  void watch(const Waiter& waiter) noexcept { waiting_.store(&waiter); }
  void unwatch() noexcept { waiting_.store(nullptr); }

 private:
  explicit CryptPool(std::size_t tasks) : queue_(tasks) {}

  void start(std::size_t threads);
  void work() noexcept;
  void complete(CryptTask& task) noexcept;
  CryptTask* take() noexcept;  // under the lock; null when there is none

  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<CryptTask*> queue_;  // a ring
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  bool closing_ = false;
  std::atomic<const Waiter*> waiting_{nullptr};
  std::vector<std::thread> threads_;
};

}  // namespace tunnel::engine
