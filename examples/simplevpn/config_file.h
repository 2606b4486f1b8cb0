// config_file.h - a new configuration file under way.
//
// Never overwrites, is 0600 from its first byte, and is complete or not there at all: the
// destructor removes what keep() did not confirm. Keys go from wiped buffers straight into the
// file. The first error sticks and makes flush() false.
#pragma once

#include <string>

#include <tunnel/tunnel.hpp>

#include "output.h"

namespace simplevpn {

class ConfigFile {
 public:
  explicit ConfigFile(std::string path);  // "-" = standard output
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  ~ConfigFile();

  void line(const std::string& text);
  void secret(const char* name, const tunnel::Key& key);

  [[nodiscard]] bool flush();
  void keep() { kept_ = true; }

  bool is_output() const { return path_ == "-"; }
  const std::string& path() const { return path_; }
  Failure failure(const Output& output) const;

 private:
  void bytes(const char* data, std::size_t length);

  std::string path_;
  int handle_ = -1;
  int error_ = 0;
  bool kept_ = false;
};

}  // namespace simplevpn
