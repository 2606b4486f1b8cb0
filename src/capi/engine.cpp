#include "engine/engine.h"

#include "base/base.h"

using tunnel::base::guarded;
using tunnel::base::read_sized;
using tunnel::base::write_sized;
using tunnel::engine::Engine;

struct tunnel_engine {
  std::unique_ptr<Engine> engine;
};

extern "C" {

void tunnel_engine_config_init(tunnel_engine_config* config) {
  if (config == nullptr) return;
  *config = {};
  config->size = sizeof *config;
}

int32_t tunnel_engine_create(const tunnel_engine_config* config, tunnel_engine** engine) {
  return guarded([&]() -> std::int32_t {
    if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
    *engine = nullptr;
    tunnel_engine_config known;
    if (const auto status = read_sized(config, known); status != TUNNEL_OK) return status;
    auto handle = std::make_unique<tunnel_engine>();
    auto created = Engine::create(known);
    if (!created) return created.status();
    handle->engine = std::move(*created);
    *engine = handle.release();
    return TUNNEL_OK;
  });
}

int32_t tunnel_engine_run(tunnel_engine* engine) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->run(); });
}

int32_t tunnel_engine_stop(tunnel_engine* engine) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  engine->engine->stop();
  return TUNNEL_OK;
}

int32_t tunnel_engine_destroy(tunnel_engine* engine) {
  if (engine == nullptr) return TUNNEL_OK;
  if (!engine->engine->retire()) return TUNNEL_ERR_STATE;
  delete engine;
  return TUNNEL_OK;
}

int32_t tunnel_engine_post(tunnel_engine* engine, tunnel_task task, void* context) {
  if (engine == nullptr || task == nullptr) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->post(task, context); });
}

int32_t tunnel_engine_notify(tunnel_engine* engine) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  engine->engine->notify();
  return TUNNEL_OK;
}

int32_t tunnel_engine_suspend(tunnel_engine* engine) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->suspend(); });
}

int32_t tunnel_engine_resume(tunnel_engine* engine) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->resume(); });
}

int32_t tunnel_engine_rebind(tunnel_engine* engine) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->rebind(); });
}

int32_t tunnel_engine_port(tunnel_engine* engine) {
  return engine == nullptr ? TUNNEL_ERR_ARGUMENT : engine->engine->port();
}

int32_t tunnel_engine_set_port(tunnel_engine* engine, uint16_t port) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->set_port(port); });
}

int32_t tunnel_engine_set_offload(tunnel_engine* engine, uint32_t enable) {
  if (engine == nullptr || enable > 1) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->set_offload(enable == 1); });
}

int32_t tunnel_engine_set_mark(tunnel_engine* engine, uint32_t mark) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  return guarded([&] { return engine->engine->set_mark(mark); });
}

int32_t tunnel_engine_next_event(tunnel_engine* engine, tunnel_event* event) {
  if (engine == nullptr || event == nullptr || event->size < sizeof event->size) {
    return TUNNEL_ERR_ARGUMENT;
  }
  tunnel_event oldest;
  if (!engine->engine->next_event(oldest)) return 0;
  const auto status = write_sized(oldest, event);
  return status == TUNNEL_OK ? 1 : status;
}

int64_t tunnel_engine_event_handle(const tunnel_engine* engine) {
  return engine == nullptr ? TUNNEL_ERR_ARGUMENT : engine->engine->event_handle();
}

int32_t tunnel_engine_get_counters(tunnel_engine* engine, tunnel_engine_counters* counters) {
  if (engine == nullptr) return TUNNEL_ERR_ARGUMENT;
  tunnel_engine_counters now = TUNNEL_ENGINE_COUNTERS_INIT;
  engine->engine->copy_counters(now);
  return write_sized(now, counters);
}

}  // extern "C"
