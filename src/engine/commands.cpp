#include "engine/commands.h"

#include <utility>

namespace tunnel::engine {

bool CommandQueue::push(const Command& command) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  commands_.push_back(command);
  waiting_.store(true, std::memory_order_release);
  return true;
}

void CommandQueue::take(std::vector<Command>& commands) noexcept {
  const std::lock_guard lock(mutex_);
  commands.swap(commands_);
  waiting_.store(false, std::memory_order_release);
}

std::vector<Command> CommandQueue::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  waiting_.store(false, std::memory_order_release);
  return std::exchange(commands_, {});
}

}  // namespace tunnel::engine
