// routing_support.h — what a plan says, in words.
#pragma once

#include <string>
#include <vector>

#include "host/routing/routing.h"
#include "host/step/step.h"
#include "machines.h"

namespace tunnel::test {

using Texts = std::vector<std::string>;

inline host::Request full(host::Scheme scheme) {
  host::Request request;
  request.name = "wg0";
  request.scheme = scheme;
  request.addresses = {prefix("10.9.0.2/24"), prefix("fd09::2/64")};
  request.allowed_ips = {prefix("0.0.0.0/0"), prefix("::/0")};
  request.endpoints = {address("203.0.113.5:51820")};
  return request;
}

// Steps as commands, without those of the interface; a table as its name.
inline Texts texts(const host::Request& request, const host::Machine& machine) {
  Texts texts;
  for (const host::Step& step : plan_routing(request, machine)) {
    if (const auto* table = std::get_if<host::TableStep>(&step)) {
      texts.push_back("table " + table->name);
    } else if (!std::holds_alternative<host::MtuStep>(step) &&
               !std::holds_alternative<host::UpStep>(step) &&
               !std::holds_alternative<host::AddressStep>(step)) {
      std::string text = step_text(step, request.name);
      const std::size_t end = text.find(" proto");
      texts.push_back(text.substr(0, end));
    }
  }
  return texts;
}

}  // namespace tunnel::test
