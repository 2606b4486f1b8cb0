#include "protocol/timers.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cipher/cipher.h"
#include "support/catch.hpp"

using namespace tunnel;
using namespace tunnel::protocol;

namespace {

constexpr auto kJitterUsed = kSecond / 4;

enum class Event {
  data_sent,      // includes what every sent packet does
  data_received,  // includes what every received packet does
  keepalive_sent,
  keepalive_received,
  initiated,
  complete,
  derived,
  new_trigger,
  persistent_on,  // 25 s
  persistent_off,
  cleared,
};

void apply(Timers& timers, Event event, std::uint64_t now) {
  switch (event) {
    case Event::data_sent:
      timers.data_sent(now, kJitterUsed);
      [[fallthrough]];
    case Event::keepalive_sent:
      timers.any_sent();
      return timers.any_traversal(now);
    case Event::data_received:
      timers.data_received(now);
      [[fallthrough]];
    case Event::keepalive_received:
      timers.any_received();
      return timers.any_traversal(now);
    case Event::initiated:
      timers.any_sent();
      timers.any_traversal(now);
      return timers.handshake_initiated(now, kJitterUsed);
    case Event::complete:
      return timers.handshake_complete();
    case Event::derived:
      return timers.session_derived(now);
    case Event::new_trigger:
      return timers.reset_attempts();
    case Event::persistent_on:
      return timers.set_persistent_keepalive(25, now);
    case Event::persistent_off:
      return timers.set_persistent_keepalive(0, now);
    case Event::cleared:
      return timers.clear();
  }
}

struct Step {
  double at;  // seconds
  Event event;
};
struct Fired {
  double at;
  std::uint32_t actions;
  bool operator==(const Fired&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Fired& fired) {
  return out << fired.at << "s:" << fired.actions;
}

std::uint64_t nanoseconds(double seconds) {
  return static_cast<std::uint64_t>(seconds * 1000) * 1'000'000;
}

// Runs a script up to `until`, firing each deadline in its time. A retry is sent at once, as a core
// does; nothing else is reacted to.
std::vector<Fired> run(const std::vector<Step>& script, double until) {
  Timers timers;
  std::vector<Fired> fired;
  const auto fire_before = [&](std::uint64_t end) {
    while (timers.deadline() < end) {
      const auto now = timers.deadline();
      const auto actions = timers.expire(now);
      fired.push_back({static_cast<double>(now / 1'000'000) / 1000, actions});
      if (actions & Timers::kRetryHandshake) apply(timers, Event::initiated, now);
    }
  };
  for (const auto& step : script) {
    fire_before(nanoseconds(step.at));
    apply(timers, step.event, nanoseconds(step.at));
  }
  fire_before(nanoseconds(until));
  return fired;
}

struct Script {
  std::string name;
  std::vector<Step> steps;
  double until;
  std::vector<Fired> expected;
};

using E = Event;
using T = Timers;

const Script kScripts[] = {
    {"nothing happens, nothing fires", {}, 1e6, {}},
    {"data without an answer starts a handshake after 15 s and jitter",
     {{1, E::data_sent}},
     100,
     {{16.25, T::kNewHandshake}}},
    {"more data does not put the handshake off",
     {{1, E::data_sent}, {9, E::data_sent}, {15, E::data_sent}},
     30,
     {{16.25, T::kNewHandshake}}},
    {"a keepalive is an answer", {{1, E::data_sent}, {16, E::keepalive_received}}, 100, {}},
    {"sent keepalives need no answer", {{1, E::keepalive_sent}}, 100, {}},
    {"data received is answered with one keepalive after 10 s",
     {{1, E::data_received}},
     100,
     {{11, T::kKeepalive}}},
    {"the keepalive counts from the first data and answers all that came since",
     {{1, E::data_received}, {5, E::data_received}, {9, E::data_received}},
     100,
     {{11, T::kKeepalive}}},
    {"data after it is answered by the next one",
     {{1, E::data_received}, {13, E::data_received}},
     100,
     {{11, T::kKeepalive}, {23, T::kKeepalive}}},
    {"anything sent makes the keepalive needless",
     {{1, E::data_received}, {10, E::keepalive_sent}},
     100,
     {}},
    {"so does a handshake message",
     {{1, E::data_received}, {10, E::initiated}, {11, E::complete}},
     100,
     {}},
    {"data received after sending is waited for anew",
     {{1, E::data_received}, {3, E::data_received}, {4, E::data_sent}, {5, E::data_received}},
     100,
     {{15, T::kKeepalive}}},
    {"a keepalive received asks for nothing", {{1, E::keepalive_received}}, 100, {}},
    {"an initiation is repeated after 5 s and jitter until it is answered",
     {{0, E::initiated}, {12, E::complete}},
     200,
     {{5.25, T::kRetryHandshake}, {10.5, T::kRetryHandshake}}},
    {"the keys are wiped 540 s after the last session",
     {{0, E::derived}, {100, E::derived}},
     2000,
     {{640, T::kWipe}}},
    {"the persistent keepalive is due at once and then each interval",
     {{3, E::persistent_on}},
     60,
     {{3, T::kPersistentKeepalive}, {28, T::kPersistentKeepalive}, {53, T::kPersistentKeepalive}}},
    {"traffic either way puts the persistent keepalive off",
     {{3, E::persistent_on}, {20, E::keepalive_received}, {40, E::keepalive_sent}},
     70,
     {{3, T::kPersistentKeepalive}, {65, T::kPersistentKeepalive}}},
    {"the persistent keepalive is turned off at once",
     {{3, E::persistent_on}, {4, E::persistent_off}, {5, E::keepalive_sent}},
     1000,
     {{3, T::kPersistentKeepalive}}},
    {"setting the same interval again sends nothing",
     {{3, E::persistent_on}, {10, E::persistent_on}},
     30,
     {{3, T::kPersistentKeepalive}, {28, T::kPersistentKeepalive}}},
    {"clear disarms everything",
     {{0, E::data_sent},
      {0, E::data_received},
      {0, E::initiated},
      {0, E::derived},
      {1, E::cleared}},
     1000,
     {}},
    {"the interval survives clear and is due when it is set again",
     {{0, E::persistent_on}, {5, E::cleared}, {90, E::persistent_on}},
     100,
     {{0, T::kPersistentKeepalive}, {90, T::kPersistentKeepalive}}},
};

}  // namespace

TEST_CASE("timers follow their scripts", "[protocol][timers]") {
  for (const auto& script : kScripts) {
    INFO(script.name);
    CHECK(run(script.steps, script.until) == script.expected);
  }
}

TEST_CASE("a handshake is given up after twenty tries and the keys are wiped later",
          "[protocol][timers]") {
  const auto fired = run({{0, E::data_received}, {0, E::initiated}}, 2000);
  REQUIRE(fired.size() == 21);
  for (std::size_t i = 0; i < 19; ++i) CHECK(fired[i].actions == T::kRetryHandshake);
  CHECK(fired[19] == Fired{105, T::kGiveUp});
  CHECK(fired[20] == Fired{645, T::kWipe});
}

TEST_CASE("giving up is never terminal: a new trigger counts from zero", "[protocol][timers]") {
  const auto fired = run({{0, E::initiated}, {300, E::new_trigger}, {300, E::initiated}}, 500);
  std::size_t retries = 0, given_up = 0;
  for (const auto& [at, actions] : fired) {
    retries += (actions & T::kRetryHandshake) != 0;
    given_up += (actions & T::kGiveUp) != 0;
  }
  CHECK(retries == 38);
  CHECK(given_up == 2);
}

TEST_CASE("giving up leaves a nearer wipe alone and cancels the keepalive", "[protocol][timers]") {
  Timers timers;
  timers.session_derived(0);
  for (int i = 0; i <= 19; ++i) {
    timers.data_received(100 * kSecond);  // armed again, since each initiation cancels it
    timers.retry_at(101 * kSecond);
    const auto actions = timers.expire(101 * kSecond);
    CHECK(actions == (i == 19 ? T::kGiveUp : T::kRetryHandshake));
  }
  CHECK(timers.deadline() == kWipeAfterTime);
  CHECK_FALSE(timers.handshake_in_progress());
}

TEST_CASE("a throttled retry is due when the throttle ends", "[protocol][timers]") {
  Timers timers;
  timers.handshake_initiated(0, 0);
  REQUIRE(timers.expire(5 * kSecond) == T::kRetryHandshake);
  CHECK(timers.deadline() == T::kOff);
  timers.retry_at(8 * kSecond);
  CHECK(timers.handshake_in_progress());
  CHECK(timers.expire(8 * kSecond - 1) == T::kNothing);
  CHECK(timers.expire(8 * kSecond) == T::kRetryHandshake);
}

TEST_CASE("what falls due together is reported together", "[protocol][timers]") {
  Timers timers;
  timers.data_sent(0, 0);
  timers.data_received(0);
  timers.session_derived(0);
  timers.handshake_initiated(0, 0);
  timers.set_persistent_keepalive(10, 0);
  CHECK(timers.expire(1000 * kSecond) == (T::kRetryHandshake | T::kNewHandshake | T::kKeepalive |
                                          T::kPersistentKeepalive | T::kWipe));
  CHECK(timers.deadline() == 1010 * kSecond);
}

namespace {

// Follows a peer's events beside its timers and knows, from the events alone, which actions the
// rules allow. Does what a core does with an action.
struct Witness {
  void happen(Event event) {
    apply(timers, event, now);
    if (event == E::data_sent && !unanswered_since) unanswered_since = now;
    if (event == E::data_received && !owed_since) owed_since = now;
    if (event == E::data_received || event == E::keepalive_received) unanswered_since.reset();
    if (event == E::data_sent || event == E::keepalive_sent || event == E::initiated) {
      owed_since.reset();
    }
    if (event == E::initiated) initiated_at = now;
    if (event == E::derived) derived_at = now;
    if (event == E::complete) initiated_at.reset();
    if (event == E::complete || event == E::new_trigger || event == E::cleared) retries = 0;
    if (event == E::cleared) {
      unanswered_since = owed_since = initiated_at = derived_at = std::nullopt;
    }
  }

  bool past(const std::optional<std::uint64_t>& since, std::uint64_t time) const {
    return since && now - *since >= time;
  }

  bool allows(std::uint32_t action) const {
    switch (action) {
      case T::kRetryHandshake:
        return past(initiated_at, kRekeyTimeout) && retries < kMostRetries;
      case T::kGiveUp:
        return past(initiated_at, kRekeyTimeout) && retries == kMostRetries;
      case T::kNewHandshake:
        return past(unanswered_since, kNewHandshakeTime);
      case T::kKeepalive:
        return past(owed_since, kKeepaliveTimeout);
      case T::kPersistentKeepalive:
        return timers.persistent_keepalive() != 0;
      default:
        return past(derived_at, kWipeAfterTime);
    }
  }

  void react(std::uint32_t action) {
    if (action == T::kRetryHandshake) {
      ++retries;
      happen(E::initiated);
    } else if (action == T::kGiveUp) {
      initiated_at.reset();
      owed_since.reset();
      if (!derived_at) derived_at = now;
      happen(E::new_trigger);
    } else if (action == T::kNewHandshake) {
      unanswered_since.reset();
      if (!initiated_at) retries = 0;
    } else if (action == T::kWipe) {
      derived_at.reset();
    } else {
      happen(E::keepalive_sent);
    }
  }

  static constexpr std::uint32_t kMostRetries = kMaxHandshakeAttempts + 1;

  Timers timers;
  std::uint64_t now = 0;
  std::optional<std::uint64_t> unanswered_since, owed_since, initiated_at, derived_at;
  std::uint32_t retries = 0;
};

std::vector<std::uint32_t> bits_of(std::uint32_t actions) {
  std::vector<std::uint32_t> bits;
  for (std::uint32_t bit = 1; bit <= T::kWipe; bit *= 2) {
    if (actions & bit) bits.push_back(bit);
  }
  return bits;
}

// Often to the deadline, sometimes short of it or far past it.
std::uint64_t later(cipher::Random& random, std::uint64_t now, std::uint64_t deadline) {
  now += random.below(4) == 0 ? random.below(200 * kSecond) : random.below(6 * kSecond);
  return deadline != T::kOff && random.below(4) != 0 ? std::max(now, deadline) : now;
}

}  // namespace

TEST_CASE("random scripts never break the rules of the timers", "[protocol][timers]") {
  cipher::Random random(std::array<std::uint8_t, 32>{4});
  std::map<std::uint32_t, std::size_t> seen;
  for (int script = 0; script < 5'000; ++script) {
    Witness witness;
    for (int i = 0; i < 60; ++i) {
      const auto deadline = witness.timers.deadline();
      witness.now = later(random, witness.now, deadline);
      const auto actions = witness.timers.expire(witness.now);
      REQUIRE((actions != 0) == (deadline <= witness.now));
      REQUIRE(witness.timers.deadline() > witness.now);
      for (const auto action : bits_of(actions)) REQUIRE(witness.allows(action));
      for (const auto action : bits_of(actions)) {
        ++seen[action];
        witness.react(action);
      }
      // Every third script is of a peer that never answers a handshake.
      const auto event = static_cast<Event>(random.below(11));
      const bool silent = script % 3 == 0 && i > 5;
      if (!silent || event == E::data_received) witness.happen(event);
    }
  }
  CHECK(seen.size() == 6);
}

TEST_CASE("data that goes on unanswered does not keep a handshake from being given up",
          "[protocol][timers]") {
  Timers timers;
  timers.handshake_initiated(0, 0);
  std::uint64_t given_up = 0;
  for (std::uint64_t now = 0; given_up == 0 && now < 300 * kSecond; now += kSecond / 2) {
    timers.data_sent(now, 0);
    const std::uint32_t due = timers.expire(now);
    if ((due & T::kRetryHandshake) != 0) timers.handshake_initiated(now, 0);
    if ((due & T::kGiveUp) != 0) given_up = now;
  }
  CHECK(given_up == 100 * kSecond);
}
