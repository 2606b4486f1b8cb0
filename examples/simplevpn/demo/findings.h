// findings.h - what the demo found out, and how it travels.
//
// The script runs in a process apart and tells what it finds; the process that was called prints
// it, looks after the script, and writes the report.
#pragma once

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "copy.h"
#include "isolation.h"

namespace simplevpn::demo {

// One thing that was to be shown.
struct Line {
  std::string title;
  bool held = false;
  std::string figures;  // or why it did not hold
};

// What happened at a moment of the copy.
struct Mark {
  double seconds = 0;
  std::string text;
};

struct Findings {
  std::vector<Line> lines;
  std::vector<Sample> samples;  // of the long copy
  std::vector<Mark> marks;
  std::string status;               // of the server, `status --json`
  std::string log;                  // of both daemons, when a line did not hold
  std::vector<std::string> spaces;  // "net:[4026532281]": the namespaces of all hosts
  std::vector<std::string> doors;   // how to enter each host, with %P for the script's process
  std::optional<Obstacle> obstacle;
  double seconds = 0;  // it took all in all

  bool held() const;
};

// The script's side. Each call writes one line of JSON.
class Teller {
 public:
  explicit Teller(int handle) : handle_(handle) {}

  void line(const Line& line) const;
  void chart(const std::vector<Sample>& samples, const std::vector<Mark>& marks) const;
  void text(const char* what, const std::string& text) const;                // "status", "log"
  void list(const char* what, const std::vector<std::string>& texts) const;  // "spaces", "doors"
  void obstacle(const Obstacle& obstacle) const;

 private:
  void send(const nlohmann::json& message) const;

  int handle_;
};

// The other side: adds what one line of JSON tells. False when it is not one.
bool hear(const std::string& message, Findings& findings);

// printf into a string, for figures.
[[gnu::format(printf, 1, 2)]] std::string figures(const char* format, ...);

}  // namespace simplevpn::demo
