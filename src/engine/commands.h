// commands.h — what other threads ask of the engine's thread, in order.
#pragma once

#include <tunnel/engine.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace tunnel::engine {

struct Command {
  enum class Kind : std::uint8_t { task, suspend, resume, rebind, port, mark, offload };

  Kind kind;
  std::uint32_t value = 0;  // of port, mark and offload
  tunnel_task task = nullptr;
  void* context = nullptr;
};

class CommandQueue {
 public:
  // False when the queue was closed. Any thread.
  [[nodiscard]] bool push(const Command& command);
  // Cheap enough for every batch.
  bool waiting() const noexcept { return waiting_.load(std::memory_order_acquire); }
  // Swaps everything that waits into `commands`, which must be empty. The engine's thread.
  void take(std::vector<Command>& commands) noexcept;
  // Refuses commands from now on, and gives back those that will not run.
  std::vector<Command> close() noexcept;

 private:
  std::mutex mutex_;
  std::vector<Command> commands_;
  bool closed_ = false;
  std::atomic<bool> waiting_{false};
};

}  // namespace tunnel::engine
