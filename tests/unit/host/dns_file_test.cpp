// The five kinds of /etc/resolv.conf, and when what is there is still ours.
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "dns_support.h"
#include "host/dns/file_swap.h"
#include "support/netns.h"

namespace host = tunnel::host;
using tunnel::test::ip;
using tunnel::test::Machine;

namespace {

constexpr auto kFile = host::ResolverStep::Backend::file;
constexpr const char* kBefore = "# by hand\nnameserver 192.0.2.1\nsearch lan\n";

host::ResolverStep step(const std::string& interface_name = "wg-test") {
  auto made = tunnel::test::step(kFile);
  made.interface_name = interface_name;
  return made;
}

std::string save(const Machine& machine, const host::ResolverStep& made = step()) {
  auto saved = host::save_resolver(made, machine.places());
  REQUIRE(saved);
  REQUIRE(saved->find('\n') == std::string::npos);
  return *saved;
}

// Saves and applies; the saved line is what a journal would have.
std::string take(const Machine& machine, const host::ResolverStep& made = step()) {
  const std::string saved = save(machine, made);
  const auto outcome = host::apply_resolver(made, saved, machine.places());
  INFO(outcome.words);
  REQUIRE(outcome.error == 0);
  REQUIRE(machine.resolv_conf().find("nameserver 10.9.0.1\n") != std::string::npos);
  return saved;
}

std::string put_back(const Machine& machine, const std::string& saved) {
  const auto outcome = host::undo_resolver(saved, machine.places());
  INFO(outcome.words);
  REQUIRE(outcome.error == 0);
  return outcome.words;
}

struct stat info(const Machine& machine) {
  struct stat found {};
  REQUIRE(::lstat(machine.files().file("etc/resolv.conf").c_str(), &found) == 0);
  return found;
}

// The body in a mount namespace of its own.
void with_mounts(const std::function<void()>& body) {
  test::in_namespace([&] {
    if (::unshare(CLONE_NEWNS) != 0) throw test::Skip{"no mount namespace here"};
    REQUIRE(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    body();
  });
}

}  // namespace

TEST_CASE("a file comes back with content, mode and owner", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  ::chmod(machine.files().file("etc/resolv.conf").c_str(), 0640);
  const std::string saved = take(machine);
  CHECK((info(machine).st_mode & 07777) == 0640);
  CHECK(machine.resolv_conf().find("nameserver 192.0.2.1\n") == std::string::npos);
  put_back(machine, saved);
  CHECK(machine.resolv_conf() == kBefore);
  CHECK((info(machine).st_mode & 07777) == 0640);
  put_back(machine, saved);  // once more is no harm
  CHECK(machine.resolv_conf() == kBefore);
}

TEST_CASE("a symlink comes back as one, and what it leads to is never touched", "[host][dns]") {
  const Machine machine;
  machine.files().write("run/theirs", kBefore, 0644);
  machine.link("etc/resolv.conf", "../run/theirs");
  const std::string saved = take(machine);
  CHECK(S_ISREG(info(machine).st_mode));
  CHECK(machine.files().read("run/theirs") == kBefore);
  put_back(machine, saved);
  CHECK(S_ISLNK(info(machine).st_mode));
  CHECK(machine.resolv_conf() == kBefore);
}

TEST_CASE("a symlink that leads nowhere comes back, too", "[host][dns]") {
  const Machine machine;
  machine.link("etc/resolv.conf", "../run/nothing");
  put_back(machine, take(machine));
  CHECK(std::filesystem::read_symlink(machine.files().file("etc/resolv.conf")) == "../run/nothing");
}

TEST_CASE("a file that was not there is gone again", "[host][dns]") {
  const Machine machine;
  put_back(machine, take(machine));
  CHECK_FALSE(std::filesystem::exists(machine.files().file("etc/resolv.conf")));
}

TEST_CASE("a bind mount cannot be renamed over: it is written in place", "[host][dns]") {
  with_mounts([] {
    const Machine machine;
    machine.resolv_conf("");
    machine.files().write("theirs", kBefore, 0644);
    REQUIRE(::mount(machine.files().file("theirs").c_str(),
                    machine.files().file("etc/resolv.conf").c_str(), nullptr, MS_BIND,
                    nullptr) == 0);
    const auto inode = info(machine).st_ino;
    const std::string saved = take(machine);
    REQUIRE(info(machine).st_ino == inode);
    put_back(machine, saved);
    REQUIRE(machine.resolv_conf() == kBefore);
    REQUIRE_FALSE(std::filesystem::exists(machine.files().file("etc/resolv.conf.simplevpn")));
    REQUIRE(::umount(machine.files().file("etc/resolv.conf").c_str()) == 0);
  });
}

TEST_CASE("an immutable file is left so, and said", "[host][dns]") {
  with_mounts([] {
    const Machine machine;
    machine.resolv_conf(kBefore);
    const std::string path = machine.files().file("etc/resolv.conf");
    const tunnel::base::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    int flags = FS_IMMUTABLE_FL;
    if (::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) != 0) {
      throw test::Skip{"no immutable files on this file system"};
    }
    const std::string saved = save(machine);
    const auto outcome = host::apply_resolver(step(), saved, machine.places());
    const auto undone = host::undo_resolver(saved, machine.places());
    const std::string content = machine.resolv_conf();
    flags = 0;
    REQUIRE(::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0);
    REQUIRE(outcome.error == EPERM);
    REQUIRE(outcome.words.find("immutable") != std::string::npos);
    REQUIRE(content == kBefore);
    REQUIRE(undone.error == 0);
  });
}

TEST_CASE("a read-only file system is said, and its file left alone", "[host][dns]") {
  with_mounts([] {
    const Machine machine;
    machine.resolv_conf(kBefore);
    const std::string etc = machine.files().file("etc");
    REQUIRE(::mount(etc.c_str(), etc.c_str(), nullptr, MS_BIND, nullptr) == 0);
    REQUIRE(::mount("none", etc.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    const std::string saved = save(machine);
    const auto outcome = host::apply_resolver(step(), saved, machine.places());
    const auto undone = host::undo_resolver(saved, machine.places());
    REQUIRE(::umount(etc.c_str()) == 0);
    REQUIRE(outcome.error == EROFS);
    REQUIRE(outcome.words.find("etc/resolv.conf") != std::string::npos);
    REQUIRE(machine.resolv_conf() == kBefore);
    REQUIRE(undone.error == 0);
  });
}

TEST_CASE("a writable file in a read-only directory is written in place", "[host][dns]") {
  with_mounts([] {
    const Machine machine;
    machine.resolv_conf("");
    machine.files().write("theirs", kBefore, 0644);
    const std::string etc = machine.files().file("etc");
    REQUIRE(::mount(etc.c_str(), etc.c_str(), nullptr, MS_BIND, nullptr) == 0);
    REQUIRE(::mount(machine.files().file("theirs").c_str(), (etc + "/resolv.conf").c_str(), nullptr,
                    MS_BIND, nullptr) == 0);
    REQUIRE(::mount("none", etc.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    put_back(machine, take(machine));
    REQUIRE(machine.resolv_conf() == kBefore);
    REQUIRE(::umount((etc + "/resolv.conf").c_str()) == 0);
    REQUIRE(::umount(etc.c_str()) == 0);
  });
}

TEST_CASE("what somebody else wrote meanwhile stays", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  const std::string saved = take(machine);
  machine.resolv_conf("nameserver 198.51.100.1\n");
  CHECK_FALSE(put_back(machine, saved).empty());
  CHECK(machine.resolv_conf() == "nameserver 198.51.100.1\n");
}

TEST_CASE("a file that somebody removed is not made again", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  const std::string saved = take(machine);
  std::filesystem::remove(machine.files().file("etc/resolv.conf"));
  put_back(machine, saved);
  CHECK_FALSE(std::filesystem::exists(machine.files().file("etc/resolv.conf")));
}

TEST_CASE("a write in place that was cut short, either way, is undone", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  const std::string saved = take(machine);
  const std::string ours = machine.resolv_conf();
  for (const std::string& cut : {std::string(), ours.substr(0, 30), std::string(kBefore, 12)}) {
    machine.resolv_conf(cut);
    put_back(machine, saved);
    CHECK(machine.resolv_conf() == kBefore);
  }
}

TEST_CASE("a write through a link that was cut short, either way, is undone", "[host][dns]") {
  with_mounts([] {
    const Machine machine;
    machine.files().write("run/theirs", kBefore, 0644);
    machine.link("etc/resolv.conf", "../run/theirs");
    const std::string etc = machine.files().file("etc");
    REQUIRE(::mount(etc.c_str(), etc.c_str(), nullptr, MS_BIND, nullptr) == 0);
    REQUIRE(::mount("none", etc.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    const std::string saved = take(machine);
    const std::string ours = machine.files().read("run/theirs");
    for (const std::string& cut : {std::string(), ours.substr(0, 30), std::string(kBefore, 12)}) {
      machine.files().write("run/theirs", cut, 0644);
      put_back(machine, saved);
      REQUIRE(machine.files().read("run/theirs") == kBefore);
    }
    REQUIRE(::umount(etc.c_str()) == 0);
  });
}

TEST_CASE("what somebody who was killed had half written beside it is removed", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  const std::string saved = save(machine);
  machine.files().write("etc/resolv.conf.simplevpn", "nameserver 10.9");
  put_back(machine, saved);
  CHECK(machine.resolv_conf() == kBefore);
  CHECK_FALSE(std::filesystem::exists(machine.files().file("etc/resolv.conf.simplevpn")));
}

TEST_CASE("a file whose original was lost is left as it is", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  const std::string saved = take(machine);
  const std::string ours = machine.resolv_conf();
  for (const std::string& line : {std::string("file wg-test"), std::string("file wg-test f 644"),
                                  saved.substr(0, saved.rfind(' '))}) {
    CHECK_FALSE(put_back(machine, line).empty());
    CHECK(machine.resolv_conf() == ours);
  }
}

TEST_CASE("a journal that was lost loses no original: our own file has it", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  (void)take(machine);
  put_back(machine, take(machine));
  CHECK(machine.resolv_conf() == kBefore);
}

TEST_CASE("two tunnels may end in either order", "[host][dns]") {
  test::in_namespace([] {
    const Machine machine;
    machine.resolv_conf(kBefore);
    test::run_command("ip link add dns-a type veth");
    const std::string first = take(machine, step("dns-a"));
    const std::string of_first = machine.resolv_conf();
    const std::string second = take(machine, step("dns-b"));
    put_back(machine, second);
    REQUIRE(machine.resolv_conf() == of_first);
    const std::string again = take(machine, step("dns-b"));
    put_back(machine, first);
    REQUIRE(machine.resolv_conf() != kBefore);
    test::run_command("ip link del dns-a");
    put_back(machine, again);
    REQUIRE(machine.resolv_conf() == kBefore);
  });
}

TEST_CASE("a tunnel that ends does not bring back a former file of its own", "[host][dns]") {
  test::in_namespace([] {
    const Machine machine;
    machine.resolv_conf(kBefore);
    test::run_command("ip link add dns-a type veth peer name dns-b");
    const std::string first = take(machine, step("dns-a"));
    const std::string second = take(machine, step("dns-b"));
    put_back(machine, first);
    const std::string again = take(machine, step("dns-a"));
    put_back(machine, second);
    test::run_command("ip link set dns-b name gone");
    put_back(machine, again);  // its interface goes later
    REQUIRE(machine.resolv_conf() == kBefore);
  });
}

TEST_CASE("tunnels that start together do not disturb each other", "[host][dns]") {
  const Machine machine;
  machine.resolv_conf(kBefore);
  const std::string path = machine.places().resolv_conf();
  const auto before = host::dns::save_file(path);
  REQUIRE(before);
  std::atomic<int> failures = 0;
  std::vector<std::thread> tunnels;
  for (int i = 0; i < 4; ++i) {
    tunnels.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        failures += host::dns::put_text(path, *before, "ours").error != 0 ? 1 : 0;
        failures += host::dns::put_back(path, "ours", *before).error != 0 ? 1 : 0;
      }
    });
  }
  for (std::thread& each : tunnels) each.join();
  CHECK(failures == 0);
  CHECK(machine.resolv_conf() == kBefore);
  const std::filesystem::directory_iterator left(machine.files().file("etc"));
  CHECK(std::distance(begin(left), end(left)) == 1);
}

TEST_CASE("what is no resolv.conf is refused before anything is changed", "[host][dns]") {
  const Machine machine;
  machine.folder("etc/resolv.conf");
  CHECK(host::save_resolver(step(), machine.places()).status() == TUNNEL_ERR_UNSUPPORTED);
}
