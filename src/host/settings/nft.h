// nft.h — the packet filter, through libnftables.
//
// The library is loaded when the first table is needed: a tunnel without packet filter works on a
// machine without nftables, and libtunnel-host, under the MIT licence, does not link a GPL library.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/base.h"
#include "host/system/system.h"

struct nft_ctx;

namespace tunnel::host {

class Nft {
 public:
  // ENOSYS in `why` when libnftables is not installed: ENOENT would be a table that is gone.
  static std::optional<Nft> open(Answer& why);

  // Runs a script as one transaction.
  Answer run(const std::string& script);
  // The same, and what it prints, with handles.
  Answer read(const std::string& command, std::string& output);

  // `table` stands after its family: "inet ltun".
  Answer has_table(const std::string& table, bool& found);
  // The table as nft writes it, with handles and without what is in its sets; "" = there is none.
  Answer list_table(const std::string& table, std::string& text);
  // Handle of the rule with this comment in a chain, 0 when there is none. A chain that is not
  // there has no rules.
  Answer find_rule(const std::string& chain, const std::string& comment, std::uint64_t& handle);

 private:
  struct Library;
  struct Close {
    void operator()(Library* library) const noexcept;
  };

  explicit Nft(Library* library) noexcept : library_(library) {}

  std::unique_ptr<Library, Close> library_;
};

}  // namespace tunnel::host
