/* tunnel/host/settings.h - addresses, MTU and routes of a tunnel's interface, by netlink.
 *
 * The plan is data: it can be shown before it is applied, and is undone in reverse. Routes carry
 * protocol number TUNNEL_SETTINGS_PROTOCOL and always name the interface. One thread at a time. */
#ifndef TUNNEL_HOST_SETTINGS_H
#define TUNNEL_HOST_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/host/config.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_settings tunnel_settings;

#define TUNNEL_SETTINGS_PROTOCOL 87 /* rtm_protocol of our routes; iproute2 has no name for it */

#define TUNNEL_SETTING_MTU 1     /* `value` */
#define TUNNEL_SETTING_ADDRESS 2 /* `prefix` with host bits */
#define TUNNEL_SETTING_UP 3
#define TUNNEL_SETTING_ROUTE 4 /* `prefix` */

typedef struct tunnel_setting {
  uint32_t size;    /* sizeof(tunnel_setting) */
  uint32_t kind;    /* TUNNEL_SETTING_ */
  uint32_t value;   /* bytes of MTU */
  uint32_t applied; /* 1 while it is in force through us */
  tunnel_prefix prefix;
  char text[96]; /* "route 10.9.0.0/24 dev wg0", for people */
} tunnel_setting;
#define TUNNEL_SETTING_INIT \
  { sizeof(tunnel_setting) }

/* Makes the plan for an interface: MTU, addresses, up, and routes for allowed IPs that no address
 * of the interface covers (none with Table = off).
 *
 * Refuses what tunnel_config_check refuses, with CONFIG and the same `issue` (may be null).
 * On success the caller owns *settings. Changes nothing. */
TUNNEL_API int32_t tunnel_settings_plan(const tunnel_config* config, const char* interface_name,
                                        tunnel_settings** settings, tunnel_config_issue* issue);

/* Frees the plan; what is applied stays. Null is fine. */
TUNNEL_API void tunnel_settings_destroy(tunnel_settings* settings);

/* How many steps the plan has. */
TUNNEL_API size_t tunnel_settings_count(const tunnel_settings* settings);
/* Step by number, in the order of application. NOT_FOUND past the end. */
TUNNEL_API int32_t tunnel_settings_get(const tunnel_settings* settings, size_t index,
                                       tunnel_setting* out);

/* Which step failed, and why. */
typedef struct tunnel_settings_fault {
  uint32_t size;     /* sizeof(tunnel_settings_fault) */
  int32_t system;    /* errno of the kernel's answer */
  uint64_t index;    /* of the step */
  char message[224]; /* "route 10.9.0.0/24 dev wg0: file exists" */
} tunnel_settings_fault;
#define TUNNEL_SETTINGS_FAULT_INIT \
  { sizeof(tunnel_settings_fault) }

/* Applies the plan. When a step fails, everything applied is undone, and the status is PERMISSION,
 * NOT_FOUND (no such interface), EXISTS, RESOURCES or SYSTEM. `fault` may be null. */
TUNNEL_API int32_t tunnel_settings_apply(tunnel_settings* settings, tunnel_settings_fault* fault);

/* Undoes what is applied, in reverse. What is gone already (the interface was deleted) is no
 * error. Goes on after a failure and reports the first one. */
TUNNEL_API int32_t tunnel_settings_undo(tunnel_settings* settings, tunnel_settings_fault* fault);

TUNNEL_END_DECLS

#endif
