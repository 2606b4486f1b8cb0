// journal.h — what a tunnel has changed, on disk before it is changed.
//
// One file for each tunnel, DIRECTORY/NAME.journal, locked while its owner lives. The kernel frees
// the lock of a process that dies, and so the next one knows that what the file says is to be
// undone. The file is gone when everything is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "host/settings/journal_text.h"
#include "host/system/system.h"

namespace tunnel::host {

class Journal {
 public:
  enum class Missing : std::uint8_t { made, error };

  // IN_USE while another process has it, NOT_FOUND when it is not there and not to be made,
  // PERMISSION when others than root and we may write to it. `words` then says more.
  static base::Result<Journal> open(const std::string& directory, const std::string& name,
                                    Missing missing, std::string& words);
  Journal(Journal&&) = default;
  Journal& operator=(Journal&&) = delete;
  // Removes the file when nothing in it is left to be undone.
  ~Journal();

  const Origin& here() const noexcept { return here_; }
  const std::vector<Record>& live() const noexcept { return live_; }
  // Lines that could not be read when it was opened; the file with them is NAME.journal.damaged.
  std::size_t damaged() const noexcept { return damaged_; }

  // What is live in the journals of the other tunnels here, whether they run or were killed.
  std::vector<Record> others() const;
  // While it lives no other tunnel of this directory has its turn. Waits.
  base::Descriptor turn() const;

  // On disk when it returns without error; then take the step.
  Answer begin(const Step& step, const std::string& before, std::uint64_t& id);
  // The step is undone, or was not taken. A full disk is no error: undoing twice does no harm.
  void end(std::uint64_t id);

 private:
  Journal(base::Descriptor directory, base::Descriptor file, std::string file_name);
  std::int32_t read(std::string& words);
  void remove_unfinished();
  std::int32_t keep_damaged(const std::string& text);
  std::int32_t rewrite();
  Answer append(const std::string& line);

  std::string path_;  // of the directory
  base::Descriptor directory_;
  base::Descriptor file_;
  std::string file_name_;
  Origin here_;
  std::vector<Record> live_;
  std::uint64_t last_id_ = 0;
  std::size_t damaged_ = 0;
  std::size_t size_ = 0;   // of the file
  std::size_t slack_ = 0;  // written anew when it is larger
  bool known_ = false;     // read from end to end; before that it is not ours to remove
};

// What of a journal was done here and in this boot, or outlived another one, in the order in which
// it was done. Takes no lock and changes nothing, so its owner may live and write on. Errors as
// Journal::open.
base::Result<std::vector<Record>> peek_journal(const std::string& directory,
                                               const std::string& name);

// Names of the tunnels that have a journal.
std::vector<std::string> journal_names(const std::string& directory);

}  // namespace tunnel::host
