// tunnel.cpp — two cores and a sequence of anything that can happen to them: packets, lost,
// doubled, changed and late datagrams, time, reconfiguration, restarts.
//
// Whatever happens: no inside packet comes out twice or changed, nothing is sent under a key of 180
// s, no peer starts handshakes more often than every five seconds, and afterwards the tunnel works
// again.
#include <map>
#include <set>
#include <tuple>

#include "input.h"
#include "support/simulation.h"

namespace {

using namespace tunnel;

class Story {
 public:
  explicit Story(fuzz::Input& input) : input_(input), alice_(net_.add(1)), bob_(net_.add(2)) {
    net_.join(alice_, bob_);
    net_.tap = [this](const sim::Datagram& datagram) { watch(datagram); };
    net_.lose = [this](const sim::Datagram& datagram) { return touch(datagram); };
  }

  void run() {
    for (int step = 0; step < 200 && !input_.empty(); ++step) {
      act();
      check_delivered(alice_, 2);
      check_delivered(bob_, 1);
    }
    recover();
  }

 private:
  void act() {
    const auto choice = input_.byte();
    auto& node = choice % 2 == 0 ? alice_ : bob_;
    auto& other = choice % 2 == 0 ? bob_ : alice_;
    switch (choice / 2 % 8) {
      case 0:
      case 1:
        net_.send(node, other, ++sent_);
        break;
      case 2:
        net_.run_for(input_.byte() * sim::kMillisecond);
        break;
      case 3:
        net_.run_for(input_.byte() * sim::kSecond);
        break;
      case 4:
        mood_ = input_.byte() % 5;
        break;
      case 5:
        replay();
        break;
      case 6:
        reconfigure(node, other);
        break;
      default:
        node.address = sim::ipv4(node.number(), static_cast<std::uint16_t>(1 + choice));
    }
  }

  // Decides the fate of datagrams from now on. True = lost.
  bool touch(const sim::Datagram& datagram) {
    kept_ = datagram;
    switch (mood_) {
      case 1:
        return true;
      case 2:
        net_.inject(datagram, 30 * sim::kMillisecond);
        return false;
      case 3: {
        auto changed = datagram;
        changed.bytes[input_.byte() % changed.bytes.size()] ^= 0x40;
        net_.inject(changed, sim::kMillisecond);
        return false;
      }
      case 4:
        net_.inject(datagram, 40 * sim::kMillisecond);
        return true;  // late
      default:
        return false;
    }
  }

  void replay() {
    if (kept_.bytes.empty()) return;
    kept_.from = sim::ipv4(66);
    net_.inject(kept_);
  }

  void reconfigure(sim::Node& node, sim::Node& other) {
    const auto now = net_.time();
    switch (input_.byte() % 5) {
      case 0:
        net_.add_peer(node, other, true, input_.byte() % 40);
        break;
      case 1:
        tunnel_core_network_changed(node.core(), &now);
        break;
      case 2:
        tunnel_core_initiate(node.core(), 0, &now);
        break;
      case 3:
        tunnel_core_forget_sessions(node.core());
        break;
      default:
        net_.wall_offset += sim::kSecond;  // a restart takes a moment
        node.restart();
        net_.add_peer(node, other);
    }
    net_.settle(node);
  }

  // Seen on the wire: an index appears with its handshake; data under it ends 180 s later.
  void watch(const sim::Datagram& datagram) {
    const auto* bytes = datagram.bytes.data();
    const auto sender = datagram.from.bytes[3];
    if (datagram.type() == 1 || datagram.type() == 2) {
      born_[{sender, base::load_le32(bytes + 4)}] = net_.now();
    }
    if (datagram.type() != 4) return;
    const auto receiver = static_cast<std::uint8_t>(3 - sender);
    const auto born = born_.find({receiver, base::load_le32(bytes + 4)});
    fuzz::expect(born != born_.end(), "data names an index of the other side");
    fuzz::expect(net_.now() < born->second + 185 * sim::kSecond, "no data under an old key");
    const auto counter = base::load_le64(bytes + 8);
    fuzz::expect(nonces_.insert({sender, base::load_le32(bytes + 4), counter}).second,
                 "no counter is used twice");
  }

  void check_delivered(sim::Node& node, std::uint8_t from) {
    for (const auto& packet : node.delivered) {
      const auto number = sim::number_of(packet);
      fuzz::expect(packet == sim::inside_packet(from, node.number(), number), "unchanged");
      fuzz::expect(seen_.insert(number).second, "delivered once");
    }
    node.delivered.clear();
  }

  // With a calm network, 200 s of patience and true endpoints both directions work again.
  void recover() {
    mood_ = 0;
    net_.run_for(200 * sim::kSecond);
    net_.add_peer(alice_, bob_);
    net_.add_peer(bob_, alice_);
    check_delivered(alice_, 2);
    check_delivered(bob_, 1);
    net_.send(alice_, bob_, ++sent_);
    net_.run_for(20 * sim::kSecond);
    fuzz::expect(seen_by(bob_, sent_), "alice reaches bob again");
    net_.send(bob_, alice_, ++sent_);
    net_.run_for(sim::kSecond);
    fuzz::expect(seen_by(alice_, sent_), "bob reaches alice again");
  }

  static bool seen_by(const sim::Node& node, std::uint64_t number) {
    return std::any_of(node.delivered.begin(), node.delivered.end(),
                       [&](const auto& packet) { return sim::number_of(packet) == number; });
  }

  fuzz::Input& input_;
  sim::Simulation net_;
  sim::Node& alice_;
  sim::Node& bob_;
  std::uint64_t sent_ = 0;
  int mood_ = 0;
  sim::Datagram kept_;
  std::map<std::pair<std::uint8_t, std::uint32_t>, std::uint64_t> born_;
  std::set<std::tuple<std::uint8_t, std::uint32_t, std::uint64_t>> nonces_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2000) return 0;
  tunnel::fuzz::Input input(data, size);
  Story(input).run();
  return 0;
}
