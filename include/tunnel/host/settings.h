/* tunnel/host/settings.h - what a tunnel changes on the machine: its interface, routes, rules,
 * kernel settings, packet filter, name servers.
 *
 * The plan is data: it can be shown before it is applied, and is undone in reverse. Routes and
 * rules carry protocol number TUNNEL_SETTINGS_PROTOCOL; routes always name their device. One thread
 * at a time. */
#ifndef TUNNEL_HOST_SETTINGS_H
#define TUNNEL_HOST_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/host/config.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_settings tunnel_settings;

#define TUNNEL_SETTINGS_PROTOCOL 87 /* of our routes and rules; iproute2 has no name for it */

#define TUNNEL_SETTING_MTU 1     /* `value` */
#define TUNNEL_SETTING_ADDRESS 2 /* `prefix` with host bits */
#define TUNNEL_SETTING_UP 3
#define TUNNEL_SETTING_ROUTE 4        /* `prefix` */
#define TUNNEL_SETTING_RULE 5         /* which packets are routed by which table */
#define TUNNEL_SETTING_SYSCTL 6       /* a kernel setting */
#define TUNNEL_SETTING_TABLE 7        /* an nft table of our own */
#define TUNNEL_SETTING_FOREIGN_RULE 8 /* a rule in an nft chain of somebody else */
#define TUNNEL_SETTING_RESOLVER 9     /* name servers */

typedef struct tunnel_setting {
  uint32_t size;    /* sizeof(tunnel_setting) */
  uint32_t kind;    /* TUNNEL_SETTING_ */
  uint32_t value;   /* bytes of MTU */
  uint32_t applied; /* 1 while it is in force through us; see also tunnel_settings_recall */
  tunnel_prefix prefix;
  char text[256]; /* the command that does the same; of a long one the beginning */
} tunnel_setting;
#define TUNNEL_SETTING_INIT \
  { sizeof(tunnel_setting) }

/* Which routes a tunnel for everything gets. */
#define TUNNEL_SCHEME_WG_QUICK 0 /* as Table = of the file says, exactly as wg-quick does it */
#define TUNNEL_SCHEME_STRICT 1   /* a table above table main: no route of others wins */
#define TUNNEL_SCHEME_SPLIT 2    /* 0/1 and 128/1, and a route to each endpoint */

#define TUNNEL_SETTINGS_LAN 0x01u              /* private networks of the uplinks stay reachable */
#define TUNNEL_SETTINGS_KILL_SWITCH 0x02u      /* block all else; STRICT, and needs a journal */
#define TUNNEL_SETTINGS_SERVER 0x04u           /* forward and translate what comes from clients */
#define TUNNEL_SETTINGS_CLIENT_TO_CLIENT 0x08u /* SERVER: clients may reach each other */
#define TUNNEL_SETTINGS_NO_FOREIGN_RULES 0x10u /* no rules in packet filter chains of others */

/* What is asked for besides the file. Zero is what `wg-quick up` does. */
typedef struct tunnel_settings_request {
  uint32_t size;                   /* sizeof(tunnel_settings_request) */
  uint32_t flags;                  /* TUNNEL_SETTINGS_ */
  uint32_t scheme;                 /* TUNNEL_SCHEME_ */
  uint32_t dns_backend;            /* TUNNEL_DNS_ (dns.h) */
  const char* nat;                 /* SERVER: interface to the Internet, null = the uplink */
  const char* share;               /* interface whose hosts we take along, null = none */
  const tunnel_address* resolvers; /* name servers asked outside the tunnel, for KILL_SWITCH */
  size_t resolver_count;
  uint32_t port; /* SERVER: the UDP port of the socket; 0 = that of the file. Nobody else is
                  * translated to it. */
  uint32_t reserved;
} tunnel_settings_request;
#define TUNNEL_SETTINGS_REQUEST_INIT \
  { sizeof(tunnel_settings_request) }
TUNNEL_API void tunnel_settings_request_init(tunnel_settings_request* request);

/* Makes the plan for an interface, on this machine as it is now: MTU, addresses, up, packet filter,
 * routes and rules, and DNS (dns.h). `request` null = all zero.
 *
 * Refuses what tunnel_config_check refuses, with CONFIG and the same `issue` (may be null).
 * NOT_FOUND: there is no interface `nat` or `share`, as `issue` says.
 * On success the caller owns *settings. Changes nothing. */
TUNNEL_API int32_t tunnel_settings_plan_for(const tunnel_config* config,
                                            const tunnel_settings_request* request,
                                            const char* interface_name, tunnel_settings** settings,
                                            tunnel_config_issue* issue);

/* The same with a request that is all zero. */
TUNNEL_API int32_t tunnel_settings_plan(const tunnel_config* config, const char* interface_name,
                                        tunnel_settings** settings, tunnel_config_issue* issue);

/* The firewall mark that the tunnel's UDP socket must carry for this plan, 0 = none. Of a recalled
 * plan: the one that it carries. */
TUNNEL_API uint32_t tunnel_settings_mark(const tunnel_settings* settings);

/* Frees the plan; what is applied stays. Null is fine. */
TUNNEL_API void tunnel_settings_destroy(tunnel_settings* settings);

/* How many steps the plan has. */
TUNNEL_API size_t tunnel_settings_count(const tunnel_settings* settings);
/* Step by number, in the order of application. NOT_FOUND past the end. */
TUNNEL_API int32_t tunnel_settings_get(const tunnel_settings* settings, size_t index,
                                       tunnel_setting* out);

/* The whole plan as commands that do the same, a line or more for each step. The text lives until
 * the plan changes (tunnel_settings_refresh and what calls it). */
TUNNEL_API const char* tunnel_settings_text(const tunnel_settings* settings);

/* Which step failed, and why. */
typedef struct tunnel_settings_fault {
  uint32_t size;     /* sizeof(tunnel_settings_fault) */
  int32_t system;    /* errno of the kernel's answer */
  uint64_t index;    /* of the step */
  char message[224]; /* "ip -4 route add 10.9.0.0/24 dev wg0 proto 87: File exists" */
} tunnel_settings_fault;
#define TUNNEL_SETTINGS_FAULT_INIT \
  { sizeof(tunnel_settings_fault) }

/* Keeps a journal from here on, so that what a process that died has left is undone: each step is
 * on disk before it is taken (DIRECTORY/NAME.journal, where the directory and the name are those of
 * root). `directory` null = /var/lib/simplevpn; made (0700) when missing.
 *
 * First undoes what an earlier process has left in the journal, all but the block. Call it before
 * tunnel_settings_apply; the journal is locked until tunnel_settings_destroy. Status: IN_USE (the
 * tunnel runs), PERMISSION (others may write there), or that of what could not be undone. */
TUNNEL_API int32_t tunnel_settings_open_journal(tunnel_settings* settings, const char* directory,
                                                tunnel_settings_fault* fault);

/* Applies the plan. When a step fails, everything applied is undone, and the status is PERMISSION,
 * NOT_FOUND (no such interface), EXISTS, RESOURCES or SYSTEM. `fault` may be null. */
TUNNEL_API int32_t tunnel_settings_apply(tunnel_settings* settings, tunnel_settings_fault* fault);

/* Undoes what is applied, in reverse, all but the block. What is gone already (the interface was
 * deleted) or was changed by somebody else since is no error. Goes on after a failure and reports
 * the first one. */
TUNNEL_API int32_t tunnel_settings_undo(tunnel_settings* settings, tunnel_settings_fault* fault);

/* ---- while the tunnel runs: the plan follows the machine and the peers ----
 *
 * Other programs remove rules, gateways change, bridges come and go. After tunnel_settings_apply
 * wait for the handle of tunnel_settings_watch, and call tunnel_settings_refresh when it is
 * readable, and the tunnel_settings_set_ functions when something else has changed. Each looks at
 * the machine, plans anew by the same request, and makes the difference: what is missing is put
 * back, what is no longer asked for is undone, in an order in which no packet gets out in between,
 * and in the journal before it is done. Then take out what happened with
 * tunnel_settings_next_change. Marks, tables and priorities that were chosen once stay. */

/* A handle that becomes readable when it is time to refresh. It belongs to the settings, which keep
 * it until tunnel_settings_undo. RESOURCES or SYSTEM when the kernel does not let us listen. */
TUNNEL_API int32_t tunnel_settings_watch(tunnel_settings* settings, int64_t* handle);

/* Call it when the handle is readable; at other times it does no harm. It does nothing while it is
 * too early: what comes in a burst is looked at once, at most a tenth of the time is spent on this,
 * and what another program takes away again and again is put back ever later, up to 6.4 s.
 *
 * Goes on after a failure and reports the first one, in `fault` (may be null) too; what failed is
 * tried again in time. STATE when the plan is not applied. */
TUNNEL_API int32_t tunnel_settings_refresh(tunnel_settings* settings, tunnel_settings_fault* fault);

/* All endpoints that the peers have now: the block lets these through and no others, and with SPLIT
 * each gets a route. Call it before anything is sent to a new one. One transaction of the packet
 * filter, which changes nothing when it fails. Without both it does nothing. Status as
 * tunnel_settings_refresh. */
TUNNEL_API int32_t tunnel_settings_set_endpoints(tunnel_settings* settings,
                                                 const tunnel_address* endpoints, size_t count,
                                                 tunnel_settings_fault* fault);

/* The allowed IPs of this configuration's peers, for the routes; nothing else of it is looked at.
 * Call it when the file was read anew. Afterwards ask tunnel_settings_mark: a tunnel that takes
 * everything from now on may need one. */
TUNNEL_API int32_t tunnel_settings_set_peers(tunnel_settings* settings, const tunnel_config* config,
                                             tunnel_settings_fault* fault);

/* The mark that somebody wants for the tunnel's socket; 0 = as it was chosen. The socket gets what
 * tunnel_settings_mark says afterwards. */
TUNNEL_API int32_t tunnel_settings_set_mark(tunnel_settings* settings, uint32_t mark,
                                            tunnel_settings_fault* fault);

/* The port that the tunnel's socket has now, for SERVER. */
TUNNEL_API int32_t tunnel_settings_set_port(tunnel_settings* settings, uint16_t port,
                                            tunnel_settings_fault* fault);

/* Other name servers than the request's, for KILL_SWITCH. */
TUNNEL_API int32_t tunnel_settings_set_resolvers(tunnel_settings* settings,
                                                 const tunnel_address* resolvers, size_t count,
                                                 tunnel_settings_fault* fault);

#define TUNNEL_CHANGE_ADDED 1    /* the machine or the peers ask for it now */
#define TUNNEL_CHANGE_REMOVED 2  /* they no longer do */
#define TUNNEL_CHANGE_RESTORED 3 /* another program had taken it away, or altered it */
#define TUNNEL_CHANGE_FAILED 4   /* wanted, but `system` came in the way; said once */
#define TUNNEL_CHANGE_FOUGHT 5   /* restored so often that it will be later from now on */

typedef struct tunnel_settings_change {
  uint32_t size;   /* sizeof(tunnel_settings_change) */
  uint32_t what;   /* TUNNEL_CHANGE_ */
  uint32_t kind;   /* TUNNEL_SETTING_ */
  int32_t system;  /* errno of the kernel's answer */
  char text[256];  /* the command that does the same; of a long one the beginning */
  char reason[96]; /* the kernel's words, or "" */
} tunnel_settings_change;
#define TUNNEL_SETTINGS_CHANGE_INIT \
  { sizeof(tunnel_settings_change) }

/* Takes the oldest change out. Returns 1, 0 when there is none, or ARGUMENT. Of more than 256 the
 * oldest are forgotten. */
TUNNEL_API int32_t tunnel_settings_next_change(tunnel_settings* settings,
                                               tunnel_settings_change* change);

/* Undoes what a process that died has left, all but the block; when `directory` is null also its
 * control socket. `name` null = of every tunnel that has a journal and does not run. IN_USE when
 * the named tunnel runs; OK when there is nothing to undo. */
TUNNEL_API int32_t tunnel_settings_cleanup(const char* directory, const char* name,
                                           tunnel_settings_fault* fault);

/* The same, and lifts the block: what the kill switch leaves in force when its tunnel is gone. Only
 * this call does. `name` null = whatever block there is, also that of a tunnel that runs, and one
 * that no journal knows of any more. */
TUNNEL_API int32_t tunnel_settings_unblock(const char* directory, const char* name,
                                           tunnel_settings_fault* fault);

/* ---- what is in force, also of a tunnel whose daemon is dead ---- */

/* Names of the tunnels that have a journal in the directory (null = /var/lib/simplevpn), sorted.
 * Copies up to `max`; *count gets how many there are. */
TUNNEL_API int32_t tunnel_settings_list(const char* directory, char (*names)[16], size_t max,
                                        size_t* count);

/* The steps that a tunnel has in its journal, taken in this boot and network namespace, or a file
 * of name servers since before; those that end with the interface are not journalled.
 * tunnel_setting.applied then says whether the machine is still so, or another program has changed
 * it since. Such a plan can be looked at and not applied. Changes nothing, and takes no lock: the
 * daemon may live.
 *
 * On success the caller owns *settings. NOT_FOUND: there is no journal; PERMISSION. */
TUNNEL_API int32_t tunnel_settings_recall(const char* directory, const char* name,
                                          tunnel_settings** settings);

#define TUNNEL_SCHEME_NONE 255 /* it does not take everything */

typedef struct tunnel_settings_summary {
  uint32_t size;   /* sizeof(tunnel_settings_summary) */
  uint32_t flags;  /* TUNNEL_SETTINGS_KILL_SWITCH: the block; _SERVER: it forwards, or shares */
  uint32_t scheme; /* TUNNEL_SCHEME_ */
  uint32_t dns_backend; /* TUNNEL_DNS_; AUTO = it does not say who answers for names */
} tunnel_settings_summary;
#define TUNNEL_SETTINGS_SUMMARY_INIT \
  { sizeof(tunnel_settings_summary) }
/* What the steps that are applied come to. */
TUNNEL_API int32_t tunnel_settings_summarize(const tunnel_settings* settings,
                                             tunnel_settings_summary* out);

TUNNEL_END_DECLS

#endif
