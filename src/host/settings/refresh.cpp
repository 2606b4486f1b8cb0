// refresh.cpp — a plan that is in force becomes another one, in the order of difference().
#include <cerrno>
#include <utility>

#include "host/settings/applier.h"

namespace tunnel::host {

struct Applier::Round {
  Tools tools;
  Present present;
  const std::vector<Step>& wanted;
  std::vector<StepChange>& changes;
  std::vector<std::size_t> places{};        // in done_, of each step in force
  std::vector<std::optional<Done>> next{};  // of each wanted step that is new in force
  bool whole = true;                        // all that is wanted is there so far

  // True when there is no error.
  bool note(StepChange::What what, const Step& step, const Answer& answer) {
    if (answer.error != 0) whole = false;
    changes.push_back({answer.error == 0 ? what : StepChange::What::failed, step, answer});
    return answer.error == 0;
  }
};

std::vector<TakenStep> Applier::taken() const {
  std::vector<TakenStep> taken;
  for (const auto& done : done_) {
    if (done) taken.push_back({done->step, done->before});
  }
  return taken;
}

std::int32_t Applier::refresh(std::vector<Step> wanted, std::vector<StepChange>& changes) {
  if (!in_force_) return TUNNEL_ERR_STATE;
  auto tools = Tools::open(plan_.interface_name);
  if (!tools) return tools.status();
  if (tools->index == 0) return TUNNEL_OK;
  Present present;
  if (const Answer read = present.read(*tools); read.error != 0) return status_of(read.error);
  Round round{std::move(*tools), std::move(present), wanted, changes};
  round.next.resize(wanted.size());
  std::vector<Step> now;
  for (std::size_t i = 0; i < done_.size(); ++i) {
    if (!done_[i]) continue;
    round.places.push_back(i);
    now.push_back(done_[i]->step);
  }
  const auto todos = difference(now, wanted, plan_.interface_name);
  for (const Todo& todo : todos) work_off(todo, round);
  adopt(todos, round);
  return TUNNEL_OK;
}

void Applier::work_off(const Todo& todo, Round& round) {
  switch (todo.kind) {
    case Todo::Kind::keep:
      return keep(*done_[round.places[todo.now]], round);
    case Todo::Kind::take: {
      auto& into = round.next[todo.wanted];
      const Answer answer = take(round.tools, round.wanted[todo.wanted], into);
      if (answer.error != 0 || into) {
        round.note(StepChange::What::added, round.wanted[todo.wanted], answer);
      }
      return;
    }
    case Todo::Kind::swap: {
      auto& now = done_[round.places[todo.now]];
      const Step& wanted = round.wanted[todo.wanted];
      const Answer answer = take_instead(round.tools, *now, wanted, round.next[todo.wanted]);
      if (round.note(StepChange::What::added, wanted, answer)) now.reset();
      return;
    }
    case Todo::Kind::undo:
      return undo_left_over(done_[round.places[todo.now]], round);
  }
}

// What could not be brought back stays ours: the next round tries again.
void Applier::keep(Done& done, Round& round) {
  if (round.present.has(round.tools, done.step, done.seen)) return;
  const Answer answer = take_again(round.tools, done);
  // Lists that the kernel gives while they change may lack what is there.
  const bool there = answer.error == EEXIST && !std::holds_alternative<TableStep>(done.step);
  if (!there) round.note(StepChange::What::restored, done.step, answer);
}

void Applier::undo_left_over(std::optional<Done>& done, Round& round) {
  if (!round.whole && keeps_inside(done->step, plan_.interface_name)) return;
  const Answer answer = undo_one(round.tools, *done, Why::unwanted);
  if (round.note(StepChange::What::removed, done->step, answer)) done.reset();
}

// The plan is what is wanted now, and behind it what is still in force of the former one.
void Applier::adopt(const std::vector<Todo>& todos, Round& round) {
  std::vector<Step> steps = round.wanted;
  steps.reserve(steps.size() + done_.size());
  round.next.reserve(round.next.size() + done_.size());
  for (const Todo& todo : todos) {
    if (todo.kind != Todo::Kind::keep) continue;
    auto& done = done_[round.places[todo.now]];
    round.next[todo.wanted] = std::exchange(done, std::nullopt);
  }
  for (auto& done : done_) {
    if (!done) continue;
    steps.push_back(done->step);
    round.next.push_back(std::move(done));
  }
  plan_.steps = std::move(steps);
  done_ = std::move(round.next);
}

}  // namespace tunnel::host
