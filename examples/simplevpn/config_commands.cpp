// config_commands.cpp - check, strip and save: what is done with a file and needs no interface.
#include "commands.h"
#include "config_read.h"
#include "save.h"
#include "secret_text.h"
#include "target.h"

namespace simplevpn {
namespace {

using EditHandle = Handle<tunnel_config_edit, tunnel_config_edit_close>;

std::optional<Failure> open_edit(const std::string& path, const Output& output, EditHandle& edit) {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_config_edit* opened = nullptr;
  const std::int32_t status = tunnel_config_edit_open(path.c_str(), &opened, &issue);
  if (status != TUNNEL_OK) return config_failure(output, status, path, issue);
  edit.reset(opened);
  return {};
}

Failure cannot_save(const Output& output, std::int32_t status, const std::string& path) {
  Failure failure = file_failure(output, status, "write " + path, kFailure);
  failure.file = path;
  if (status == TUNNEL_ERR_IN_USE) failure.hint = "another program changed it meanwhile; try again";
  return failure;
}

}  // namespace

int check(const std::string& file, const Output& output) {
  Target target;
  if (const auto failure = find_target(file, target)) return fail(output, *failure);
  ConfigHandle config;
  if (const auto failure = read_config(target.path, output, config)) return fail(output, *failure);
  advise_warnings(target.path, output, config.get());
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  const std::int32_t status = tunnel_config_check(config.get(), &issue);
  if (status == TUNNEL_OK) return kOk;
  return fail(output, config_failure(output, status, target.path, issue));
}

int strip(const std::string& file, const Output& output) {
  Target target;
  if (const auto failure = find_target(file, target)) return fail(output, *failure);
  EditHandle edit;
  if (const auto failure = open_edit(target.path, output, edit)) return fail(output, *failure);
  const std::int32_t status = tunnel_config_edit_strip(edit.get());
  if (status != TUNNEL_OK) {
    return fail(output, status_failure(output, status, "strip " + target.path, kFailure));
  }
  if (SecretText(edit.get()).print()) return kOk;
  return fail(output, {.code = "E_SYSTEM", .message = "cannot write to standard output"});
}

int save_running(const Target& target, const Output& output) {
  tunnel_snapshot* read = nullptr;
  std::int32_t status =
      tunnel_snapshot_read(nullptr, target.name.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &read);
  const SnapshotHandle snapshot(read);
  if (status == TUNNEL_ERR_NOT_FOUND) return fail(output, not_running(target.name));
  if (status != TUNNEL_OK) {
    return fail(output, status_failure(output, status, "ask " + target.name, kFailure));
  }
  EditHandle edit;
  if (const auto failure = open_edit(target.path, output, edit)) return fail(output, *failure);
  status = tunnel_config_edit_update(edit.get(), snapshot.get());
  if (status == TUNNEL_OK) status = tunnel_config_edit_save(edit.get(), nullptr);
  return status == TUNNEL_OK ? kOk : fail(output, cannot_save(output, status, target.path));
}

int save(const std::string& file, const Output& output) {
  Target target;
  if (const auto failure = find_running(file, target)) return fail(output, *failure);
  const int exit = save_running(target, output);
  if (exit == kOk) advise(output, target.path + " is saved");
  return exit;
}

}  // namespace simplevpn
