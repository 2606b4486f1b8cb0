#include "host/settings/nft.h"

#include <dlfcn.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace tunnel::host {

// The functions that we use, found by name, and a context made with them.
struct Nft::Library {
  void* handle;
  decltype(&nft_ctx_new) create;
  decltype(&nft_ctx_free) free;
  decltype(&nft_ctx_buffer_output) buffer_output;
  decltype(&nft_ctx_buffer_error) buffer_error;
  decltype(&nft_ctx_get_output_buffer) output;
  decltype(&nft_ctx_get_error_buffer) error;
  decltype(&nft_ctx_output_set_flags) set_flags;
  decltype(&nft_run_cmd_from_buffer) run;
  nft_ctx* context;
};

namespace {

constexpr const char* kLibrary = "libnftables.so.1";

// libnftables ends the process when the kernel does not give it this socket.
int try_socket() {
  const base::Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  return socket.valid() ? 0 : errno;
}

template <class Function>
bool load(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

// libnftables says what the kernel said only in words.
int error_of(std::string_view words) {
  for (const int error : {EPERM, ENOENT, EEXIST, EBUSY, ENOMEM, ENOBUFS, EOPNOTSUPP, EACCES}) {
    if (words.find(text_of(error)) != words.npos) return error;
  }
  return EINVAL;
}

// The first line without "Error: " and the position in a script that nobody sees.
std::string shortened(std::string_view words) {
  constexpr std::string_view kMark = "Error: ";
  const std::size_t begin = words.find(kMark);
  if (begin != words.npos) words.remove_prefix(begin + kMark.size());
  return std::string(words.substr(0, words.find('\n')));
}

}  // namespace

void Nft::Close::operator()(Library* library) const noexcept {
  if (library->context != nullptr) library->free(library->context);
  ::dlclose(library->handle);
  delete library;
}

std::optional<Nft> Nft::open(Answer& why) {
  why = {try_socket(), {}};
  if (why.error != 0) return std::nullopt;
  // Never unloaded again: its own libraries keep state.
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  why = {ENOSYS, "libnftables is not installed"};
  if (handle == nullptr) return std::nullopt;
  Nft nft(new Library{});
  Library& library = *nft.library_;
  library.handle = handle;
  const bool whole = load(handle, "nft_ctx_new", library.create) &&
                     load(handle, "nft_ctx_free", library.free) &&
                     load(handle, "nft_ctx_buffer_output", library.buffer_output) &&
                     load(handle, "nft_ctx_buffer_error", library.buffer_error) &&
                     load(handle, "nft_ctx_get_output_buffer", library.output) &&
                     load(handle, "nft_ctx_get_error_buffer", library.error) &&
                     load(handle, "nft_ctx_output_set_flags", library.set_flags) &&
                     load(handle, "nft_run_cmd_from_buffer", library.run);
  if (whole) library.context = library.create(NFT_CTX_DEFAULT);
  if (library.context == nullptr) return std::nullopt;
  library.buffer_output(library.context);
  library.buffer_error(library.context);
  library.set_flags(library.context, NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_TERSE);
  why = {};
  return nft;
}

Answer Nft::read(const std::string& command, std::string& output) {
  const bool done = library_->run(library_->context, command.c_str()) == 0;
  // Reading a buffer also empties it.
  const char* words = library_->error(library_->context);
  const std::string error = words == nullptr ? "" : words;
  const char* text = library_->output(library_->context);
  output = text == nullptr ? "" : text;
  if (done) return {};
  return {error_of(error), shortened(error)};
}

Answer Nft::run(const std::string& script) {
  std::string ignored;
  return read(script, ignored);
}

Answer Nft::has_table(const std::string& table, bool& found) {
  std::string tables;
  const Answer answer = read("list tables " + table.substr(0, table.find(' ')), tables);
  found = ("\n" + tables).find("\ntable " + table + "\n") != tables.npos;
  return answer;
}

Answer Nft::list_table(const std::string& table, std::string& text) {
  const Answer answer = read("list table " + table, text);
  return answer.error == ENOENT ? Answer{} : answer;
}

Answer Nft::find_rule(const std::string& chain, const std::string& comment, std::uint64_t& handle) {
  handle = 0;
  std::string rules;
  const Answer answer = read("list chain " + chain, rules);
  if (answer.error == ENOENT) return {};
  const std::string mark = " comment \"" + comment + "\" # handle ";
  const std::size_t found = rules.find(mark);
  if (found == rules.npos) return answer;
  std::from_chars(rules.data() + found + mark.size(), rules.data() + rules.size(), handle);
  return answer;
}

}  // namespace tunnel::host
