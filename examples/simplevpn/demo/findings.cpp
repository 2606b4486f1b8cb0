#include "findings.h"

#include <unistd.h>

#include <algorithm>
#include <cstdarg>

namespace simplevpn::demo {

using nlohmann::json;

bool Findings::held() const {
  return !lines.empty() &&
         std::all_of(lines.begin(), lines.end(), [](const Line& line) { return line.held; });
}

void Teller::send(const json& message) const {
  const std::string text = message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t taken = write(handle_, text.data() + sent, text.size() - sent);
    if (taken <= 0) return;  // nobody listens any more
    sent += static_cast<std::size_t>(taken);
  }
}

void Teller::line(const Line& line) const {
  send({{"line", {line.title, line.held, line.figures}}});
}

void Teller::chart(const std::vector<Sample>& samples, const std::vector<Mark>& marks) const {
  json points = json::array();
  for (const Sample& sample : samples) points.push_back({sample.seconds, sample.bytes});
  json texts = json::array();
  for (const Mark& mark : marks) texts.push_back({mark.seconds, mark.text});
  send({{"samples", points}, {"marks", texts}});
}

void Teller::text(const char* what, const std::string& text) const {
  send({{what, text}});
}

void Teller::list(const char* what, const std::vector<std::string>& texts) const {
  send({{what, texts}});
}

void Teller::obstacle(const Obstacle& obstacle) const {
  send({{"obstacle", {obstacle.message, obstacle.fix}}});
}

bool hear(const std::string& text, Findings& findings) {
  const json message = json::parse(text, nullptr, false);
  if (!message.is_object()) return false;
  if (const json line = message.value("line", json()); !line.is_null()) {
    findings.lines.push_back({line[0], line[1], line[2]});
  }
  for (const json& point : message.value("samples", json::array())) {
    findings.samples.push_back({point[0], point[1]});
  }
  for (const json& mark : message.value("marks", json::array())) {
    findings.marks.push_back({mark[0], mark[1]});
  }
  if (const json obstacle = message.value("obstacle", json()); !obstacle.is_null()) {
    findings.obstacle = Obstacle{obstacle[0], obstacle[1]};
  }
  findings.status = message.value("status", findings.status);
  findings.log = message.value("log", findings.log);
  findings.spaces = message.value("spaces", findings.spaces);
  findings.doors = message.value("doors", findings.doors);
  return true;
}

std::string figures(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

}  // namespace simplevpn::demo
