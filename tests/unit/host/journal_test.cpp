#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "scratch.h"
#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

const Origin kHere{"0f3c", 42};

Record record(std::uint64_t id, std::string before, Step step) {
  return {id, kHere, std::move(before), std::move(step)};
}

Step setting(const char* value) {
  return SysctlStep{"net/ipv4/conf/lo/forwarding", value};
}

std::vector<std::uint64_t> ids(const JournalText& journal) {
  std::vector<std::uint64_t> ids;
  for (const Record& each : journal.live) ids.push_back(each.id);
  return ids;
}

using Ids = std::vector<std::uint64_t>;

std::int32_t open_status(const std::string& directory, const char* name = "wg0") {
  std::string words;
  const auto journal = Journal::open(directory, name, Journal::Missing::made, words);
  CHECK((journal.status() == TUNNEL_OK) == words.empty());
  return journal.status();
}

// A journal of a process that ended without undoing anything.
void leave(const std::string& directory, std::vector<Step> steps) {
  std::string words;
  auto journal = Journal::open(directory, "wg0", Journal::Missing::made, words);
  REQUIRE(journal);
  std::uint64_t id = 0;
  for (const Step& step : steps) REQUIRE(journal->begin(step, "0", id).error == 0);
}

}  // namespace

TEST_CASE("a journal gives back what was written, whatever is in it", "[host][journal]") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const std::vector<Record> records = {record(1, "", setting("1")), record(2, bytes, setting("2")),
                                       record(7, "=%", TableStep{"t", "a\nb\tc \"d\"", true})};
  std::string text;
  for (const Record& each : records) text += write_record(each);
  const JournalText journal = read_journal(text);
  CHECK(journal.damaged == 0);
  CHECK(journal.whole == text.size());
  CHECK(journal.last_id == 7);
  REQUIRE(ids(journal) == Ids{1, 2, 7});
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK(journal.live[i].origin == records[i].origin);
    CHECK(journal.live[i].before == records[i].before);
    CHECK(same_step(journal.live[i].step, records[i].step));
  }
}

TEST_CASE("what is undone is no longer live", "[host][journal]") {
  const std::string text = write_record(record(1, "", setting("1"))) +
                           write_record(record(2, "", setting("2"))) + write_undone(1);
  CHECK(ids(read_journal(text)) == Ids{2});
  CHECK(read_journal(text + write_undone(2)).live.empty());
  CHECK(read_journal(text + write_undone(2)).last_id == 2);
}

TEST_CASE("a torn last line is no damage: its step was not taken", "[host][journal]") {
  const std::string first = write_record(record(1, "", setting("1")));
  const std::string second = write_record(record(2, "", setting("2")));
  for (std::size_t size = 0; size < second.size(); ++size) {
    const JournalText journal = read_journal(first + second.substr(0, size));
    CHECK(ids(journal) == Ids{1});
    CHECK(journal.damaged == 0);
    CHECK(journal.whole == first.size());
  }
}

TEST_CASE("a byte that has changed costs its line and no other", "[host][journal]") {
  const std::string first = write_record(record(1, "", setting("1")));
  const std::string second = write_record(record(2, "before", setting("2")));
  const std::string third = write_record(record(3, "", setting("3")));
  for (std::size_t i = 0; i + 1 < second.size(); ++i) {
    std::string changed = second;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    if (changed[i] == '\n') continue;
    const JournalText journal = read_journal(first + changed + third);
    CHECK(ids(journal) == Ids{1, 3});
    CHECK(journal.damaged == 1);
  }
}

TEST_CASE("a line that stands twice counts once", "[host][journal]") {
  const std::string line = write_record(record(1, "", setting("1")));
  const JournalText journal = read_journal(line + line);
  CHECK(ids(journal) == Ids{1});
  CHECK(journal.damaged == 1);
}

TEST_CASE("a journal is private, and gone when nothing is left to be undone", "[host][journal]") {
  const Scratch scratch;
  const std::string directory = scratch.file("state");
  {
    std::string words;
    auto journal = Journal::open(directory, "wg0", Journal::Missing::made, words);
    REQUIRE(journal);
    struct stat info {};
    REQUIRE(::stat(directory.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
    REQUIRE(::stat((directory + "/wg0.journal").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
    std::uint64_t id = 0;
    REQUIRE(journal->begin(setting("1"), "0", id).error == 0);
    CHECK(ids(read_journal(scratch.read("state/wg0.journal"))) == Ids{id});
    CHECK(open_status(directory) == TUNNEL_ERR_IN_USE);
    CHECK(open_status(directory, "wg1") == TUNNEL_OK);
    journal->end(id);
  }
  CHECK(std::filesystem::is_empty(directory));
  std::string words;
  CHECK(Journal::open(directory, "wg0", Journal::Missing::error, words).status() ==
        TUNNEL_ERR_NOT_FOUND);
}

TEST_CASE("what somebody who was killed had half written beside a journal is removed",
          "[host][journal]") {
  const Scratch scratch;
  scratch.write("wg0.journal.new", "half a l");
  scratch.write("wg0.journal.damaged.new", "half a l");
  CHECK(open_status(scratch.path()) == TUNNEL_OK);
  CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("the journal of a process that is killed can be opened at once", "[host][journal]") {
  const Scratch scratch;
  for (int round = 0; round < 50; ++round) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      leave(scratch.path(), {setting("1")});
      std::string words;
      const auto journal = Journal::open(scratch.path(), "wg0", Journal::Missing::made, words);
      if (::write(ready[1], "", 1) == 1) ::pause();
      ::_exit(1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    REQUIRE(::kill(child, SIGKILL) == 0);
    CHECK(open_status(scratch.path()) == TUNNEL_OK);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    ::close(ready[0]);
    ::close(ready[1]);
  }
}

TEST_CASE("only files named after a tunnel are journals", "[host][journal]") {
  const Scratch scratch;
  for (const char* name : {".journal", "a b.journal", "sixteen_letters_.journal", "wg1.journal",
                           "wg0.journal", "wg0.journal.damaged", "wg2"}) {
    scratch.write(name, "");
  }
  CHECK(journal_names(scratch.path()) == std::vector<std::string>{"wg0", "wg1"});
}

TEST_CASE("a journal where others could write, or that is no file, is refused", "[host][journal]") {
  const Scratch scratch;
  const std::string directory = scratch.file("state");
  std::filesystem::create_directory(directory);
  std::filesystem::permissions(directory, static_cast<std::filesystem::perms>(0770));
  CHECK(open_status(directory) == TUNNEL_ERR_PERMISSION);
  std::filesystem::permissions(directory, static_cast<std::filesystem::perms>(0700));

  scratch.write("state/open.journal", "", 0666);
  CHECK(open_status(directory, "open") == TUNNEL_ERR_PERMISSION);
  REQUIRE(::mkfifo((directory + "/fifo.journal").c_str(), 0600) == 0);
  CHECK(open_status(directory, "fifo") == TUNNEL_ERR_PERMISSION);
  std::filesystem::create_symlink(scratch.write("target", ""), directory + "/link.journal");
  CHECK(open_status(directory, "link") < 0);
  std::filesystem::create_directory_symlink(directory, scratch.file("elsewhere"));
  CHECK(open_status(scratch.file("elsewhere")) < 0);
  CHECK(open_status(directory, "../wg0") == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("a damaged journal is kept for people, and what can be read is undone",
          "[host][journal]") {
  test::in_namespace([] {
    const Scratch scratch;
    leave(scratch.path(), {setting("1"), SysctlStep{"net/ipv4/conf/lo/rp_filter", "2"}});
    test::run_command("sysctl -qw net.ipv4.conf.lo.forwarding=1 net.ipv4.conf.lo.rp_filter=2");
    const std::string text = scratch.read("wg0.journal");
    scratch.write("wg0.journal", "7" + text + "torn");
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(clean_up(scratch.path(), "wg0", Block::kept, fault) == TUNNEL_ERR_SYSTEM);
    REQUIRE(std::string(fault.message) == "1 lines of wg0.journal were damaged");
    REQUIRE(scratch.read("wg0.journal.damaged") == "7" + text + "torn");
    REQUIRE_FALSE(std::filesystem::exists(scratch.file("wg0.journal")));
    REQUIRE(has_line(machine(), "net.ipv4.conf.lo.forwarding = 1"));
    REQUIRE(has_line(machine(), "net.ipv4.conf.lo.rp_filter = 0"));
    REQUIRE(clean_up(scratch.path(), "wg0", Block::kept, fault) == TUNNEL_OK);
  });
}

TEST_CASE("after another boot nothing of the kernel is undone, and the journal is done with",
          "[host][journal]") {
  test::in_namespace([] {
    const Scratch scratch;
    scratch.write("wg0.journal", write_record(record(1, "0", setting("1"))));
    test::run_command("sysctl -qw net.ipv4.conf.lo.forwarding=1");
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(clean_up(scratch.path(), "wg0", Block::kept, fault) == TUNNEL_OK);
    REQUIRE(has_line(machine(), "net.ipv4.conf.lo.forwarding = 1"));
    REQUIRE(std::filesystem::is_empty(scratch.path()));
  });
}

TEST_CASE("what was done in another network namespace is left alone", "[host][journal]") {
  test::in_namespace([] {
    const Scratch scratch;
    leave(scratch.path(), {setting("1")});
    const std::string text = scratch.read("wg0.journal");
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    const test::Neighbour neighbour;
    neighbour.run([&] {
      test::run_command("sysctl -qw net.ipv4.conf.lo.forwarding=1");
      REQUIRE(clean_up(scratch.path(), "wg0", Block::kept, fault) == TUNNEL_OK);
      REQUIRE(has_line(machine(), "net.ipv4.conf.lo.forwarding = 1"));
      // A tunnel of the same name works there, and undoes its own steps only.
      leave(scratch.path(), {SysctlStep{"net/ipv4/conf/lo/rp_filter", "2"}});
      test::run_command("sysctl -qw net.ipv4.conf.lo.rp_filter=2");
      REQUIRE(clean_up(scratch.path(), "wg0", Block::kept, fault) == TUNNEL_OK);
      REQUIRE(has_line(machine(), "net.ipv4.conf.lo.rp_filter = 0"));
    });
    REQUIRE(ids(read_journal(scratch.read("wg0.journal"))) == ids(read_journal(text)));
    test::run_command("sysctl -qw net.ipv4.conf.lo.forwarding=1");
    REQUIRE(tunnel_settings_cleanup(scratch.path().c_str(), nullptr, &fault) == TUNNEL_OK);
    REQUIRE(has_line(machine(), "net.ipv4.conf.lo.forwarding = 0"));
    REQUIRE(std::filesystem::is_empty(scratch.path()));
  });
}

TEST_CASE("a journal does not grow with what is undone", "[host][journal]") {
  const Scratch scratch;
  std::string words;
  auto journal = Journal::open(scratch.path(), "wg0", Journal::Missing::made, words);
  REQUIRE(journal);
  std::uint64_t first = 0, id = 0;
  REQUIRE(journal->begin(setting("1"), "0", first).error == 0);
  const Step large = TableStep{"t", std::string(100000, 'x')};
  for (int i = 0; i < 40; ++i) {
    REQUIRE(journal->begin(large, "", id).error == 0);
    journal->end(id);
  }
  CHECK(std::filesystem::file_size(scratch.file("wg0.journal")) < 2000000);
  CHECK(ids(read_journal(scratch.read("wg0.journal"))) == Ids{first});
  CHECK(open_status(scratch.path()) == TUNNEL_ERR_IN_USE);
}

TEST_CASE("a step is not taken when the journal cannot be written", "[host][journal]") {
  test::in_namespace([] {
    if (::unshare(CLONE_NEWNS) != 0) throw test::Skip{"mount namespaces are not allowed here"};
    const Scratch scratch;
    test::run_command("mount --make-rprivate / && mount -t tmpfs -o size=8k,mode=700 tmpfs " +
                      scratch.path());
    test::run_command("ip link add wg0 type veth peer name other");
    Plan plan{"wg0", {setting("1")}};
    for (int i = 0; i < 200; ++i) {
      plan.steps.push_back(RuleStep{.family = 4, .priority = static_cast<std::uint32_t>(100 + i)});
    }
    const std::string before = machine();
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    {
      Applier applier(plan);
      REQUIRE(applier.open_journal(scratch.path(), fault) == TUNNEL_OK);
      REQUIRE(applier.apply(fault) == TUNNEL_ERR_RESOURCES);
      REQUIRE(has_line(fault.message, "No space left on device (cannot write to wg0.journal)"));
    }
    REQUIRE(machine() == before);
    REQUIRE(std::filesystem::is_empty(scratch.path()));
    test::run_command("umount " + scratch.path());
  });
}
