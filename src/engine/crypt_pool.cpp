#include "engine/crypt_pool.h"

#include <signal.h>

#include <cassert>

namespace tunnel::engine {

namespace {

// Signals of the process are for its own threads. A thread inherits the mask of its maker.
class BlockedSignals {
 public:
  BlockedSignals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::unique_ptr<CryptPool> CryptPool::create(std::size_t threads, std::size_t tasks) {
  std::unique_ptr<CryptPool> pool(new CryptPool(tasks));
  pool->start(threads);
  return pool;
}

void CryptPool::start(std::size_t threads) {
  const BlockedSignals blocked;
  threads_.reserve(threads);
  while (threads_.size() < threads) threads_.emplace_back([this] { work(); });
}

CryptPool::~CryptPool() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  more_.notify_all();
  for (auto& thread : threads_) thread.join();
}

// ---- the engine's thread

void CryptPool::submit(CryptTask& task) noexcept {
  task.done.store(false);
  {
    const std::lock_guard lock(mutex_);
    assert(count_ < queue_.size());
    queue_[(first_ + count_++) % queue_.size()] = &task;
  }
  more_.notify_one();
}

bool CryptPool::help() noexcept {
  CryptTask* task = nullptr;
  {
    const std::lock_guard lock(mutex_);
    task = take();
  }
  if (task == nullptr) return false;
  task->run();
  task->done.store(true);
  return true;
}

void CryptPool::finish(CryptTask& task) noexcept {
  while (!task.done.load() && help()) {
  }
  task.done.wait(false);
}

// ---- the pool's threads

void CryptPool::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return count_ != 0 || closing_; });
    CryptTask* task = take();
    if (task == nullptr) return;
    lock.unlock();
    task->run();
    complete(*task);
    lock.lock();
  }
}

// Once it is done the task may be gone; only its address is used after that.
void CryptPool::complete(CryptTask& task) noexcept {
  task.done.store(true);
  task.done.notify_one();
  if (const Waiter* waiter = waiting_.load(); waiter != nullptr) waiter->wake();
}

CryptTask* CryptPool::take() noexcept {
  if (count_ == 0) return nullptr;
  CryptTask* task = queue_[first_];
  first_ = (first_ + 1) % queue_.size();
  --count_;
  return task;
}

}  // namespace tunnel::engine
