#include "chart.h"

#include <algorithm>
#include <cmath>

namespace simplevpn::demo {
namespace {

constexpr double kWidth = 880;
constexpr double kHeight = 360;
constexpr double kLeft = 72;
constexpr double kRight = 24;
constexpr double kTop = 84;
constexpr double kBottom = 48;
constexpr double kStep_s = 0.05;  // one point of the line

constexpr const char* kHead = R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 360"
     width="880" height="360" role="img" aria-labelledby="title description">
<style>
  svg { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  .page { fill: #ffffff; }
  .title { fill: #1f2328; font-size: 17px; font-weight: 600; }
  .note { fill: #59636e; }
  .grid { stroke: #d8dee4; stroke-width: 1; }
  .area { fill: #0969da; opacity: 0.16; }
  .line { fill: none; stroke: #0969da; stroke-width: 2; stroke-linejoin: round; }
  .mark { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 4 4; }
  .event { fill: #bc4c00; font-weight: 600; }
  .left { text-anchor: end; }
  .middle { text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    .title { fill: #e6edf3; }
    .note { fill: #9198a1; }
    .grid { stroke: #2b323b; }
    .area { fill: #4493f8; }
    .line { stroke: #4493f8; }
    .mark { stroke: #f0883e; }
    .event { fill: #f0883e; }
  }
</style>
)";

struct Point {
  double seconds = 0;
  double gigabits = 0;  // per second
};

// Bytes at a moment, between two samples.
double bytes_at(const std::vector<Sample>& samples, double seconds) {
  const auto after =
      std::lower_bound(samples.begin(), samples.end(), seconds,
                       [](const Sample& sample, double moment) { return sample.seconds < moment; });
  if (after == samples.end()) return static_cast<double>(samples.back().bytes);
  if (after == samples.begin()) return static_cast<double>(after->bytes);
  const auto before = after - 1;
  const double part = (seconds - before->seconds) / (after->seconds - before->seconds);
  return static_cast<double>(before->bytes) +
         part * static_cast<double>(after->bytes - before->bytes);
}

std::vector<Point> rates(const std::vector<Sample>& samples) {
  std::vector<Point> points;
  if (samples.size() < 2) return points;
  for (double at = 0; at + kStep_s <= samples.back().seconds; at += kStep_s) {
    const double bytes = bytes_at(samples, at + kStep_s) - bytes_at(samples, at);
    points.push_back({at + kStep_s / 2, bytes * 8e-9 / kStep_s});
  }
  return points;
}

// 1, 2 or 5 times a power of ten, so that about `count` of them cover `range`.
double tick(double range, int count) {
  const double rough = range / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

class Drawing {
 public:
  Drawing(const Findings& findings, std::vector<Point> points)
      : findings_(findings), points_(std::move(points)) {
    end_ = findings.samples.back().seconds;
    double top = 0.1;
    for (const Point& point : points_) top = std::max(top, point.gigabits);
    tick_ = tick(top, 4);
    top_ = std::ceil(top / tick_) * tick_;
  }

  std::string svg() {
    text_ = kHead;
    add_titles();
    add_grid();
    add_curve();
    for (const Mark& mark : findings_.marks) add_mark(mark);
    return text_ + "</svg>\n";
  }

 private:
  double x(double seconds) const { return kLeft + seconds / end_ * (kWidth - kLeft - kRight); }
  double y(double gigabits) const {
    return kHeight - kBottom - gigabits / top_ * (kHeight - kTop - kBottom);
  }

  void add_titles() {
    const double megabytes = static_cast<double>(findings_.samples.back().bytes) / 1e6;
    text_ += figures(
        "<title id=\"title\">Throughput of a copy through the tunnel</title>\n"
        "<desc id=\"description\">%.0f megabytes in %.1f seconds.</desc>\n",
        megabytes, end_);
    text_ += "<rect class=\"page\" width=\"880\" height=\"360\" rx=\"8\"/>\n";
    text_ += figures(
        "<text class=\"title\" x=\"%.0f\" y=\"30\">A copy through the tunnel: %.0f MB "
        "in %.1f s</text>\n",
        24.0, megabytes, end_);
    text_ += "<text class=\"note\" x=\"24\" y=\"50\">Gbit/s of payload over seconds</text>\n";
  }

  void add_grid() {
    for (double value = 0; value <= top_ + tick_ / 2; value += tick_) {
      text_ += figures(
          "<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>\n"
          "<text class=\"note left\" x=\"%.0f\" y=\"%.1f\">%g</text>\n",
          kLeft, kWidth - kRight, y(value), y(value), kLeft - 8, y(value) + 4, value);
    }
    const double step = tick(end_, 8);
    for (double value = 0; value <= end_; value += step) {
      text_ += figures("<text class=\"note middle\" x=\"%.1f\" y=\"%.0f\">%g s</text>\n", x(value),
                       kHeight - kBottom + 22, value);
    }
  }

  void add_curve() {
    std::string path;
    for (const Point& point : points_) {
      path += figures("%s%.1f %.1f", path.empty() ? "M" : "L", x(point.seconds), y(point.gigabits));
    }
    if (path.empty()) return;
    text_ += "<path class=\"area\" d=\"" + path +
             figures("L%.1f %.1fL%.1f %.1fZ\"/>\n", x(points_.back().seconds), y(0),
                     x(points_.front().seconds), y(0));
    text_ += "<path class=\"line\" d=\"" + path + "\"/>\n";
  }

  // The first label stands left of its line, the others right: two events may be close together.
  void add_mark(const Mark& mark) {
    const bool first = &mark == &findings_.marks.front();
    text_ += figures(
        "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\"/>\n"
        "<text class=\"event%s\" x=\"%.1f\" y=\"%.0f\">%s</text>\n",
        x(mark.seconds), x(mark.seconds), kTop - 18, kHeight - kBottom, first ? " left" : "",
        x(mark.seconds) + (first ? -6 : 6), kTop - 8, mark.text.c_str());
  }

  const Findings& findings_;
  std::vector<Point> points_;
  double end_ = 1;
  double top_ = 1;
  double tick_ = 1;
  std::string text_;
};

}  // namespace

std::string chart(const Findings& findings) {
  if (findings.samples.size() < 2) {
    return std::string(kHead) +
           "<title id=\"title\">There was no copy</title>\n"
           "<rect class=\"page\" width=\"880\" height=\"360\" rx=\"8\"/>\n"
           "<text class=\"title\" x=\"24\" y=\"30\">The demo ended before the "
           "copy</text>\n</svg>\n";
  }
  return Drawing(findings, rates(findings.samples)).svg();
}

}  // namespace simplevpn::demo
