/* tunnel/host/dns.h - who answers for names on this machine, with and without the tunnel.
 *
 * DNS = of a configuration becomes a step of the plan (settings.h), made by one of four backends.
 * Any thread. */
#ifndef TUNNEL_HOST_DNS_H
#define TUNNEL_HOST_DNS_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/packet.h>
#include <tunnel/status.h>

TUNNEL_BEGIN_DECLS

#define TUNNEL_DNS_AUTO 0            /* the first of the following that works */
#define TUNNEL_DNS_RESOLVED 1        /* systemd-resolved, by resolvectl */
#define TUNNEL_DNS_NETWORK_MANAGER 2 /* by nmcli */
#define TUNNEL_DNS_RESOLVCONF 3      /* Debian's or openresolv */
#define TUNNEL_DNS_FILE 4            /* /etc/resolv.conf, whose original is kept */

/* "auto", "resolved", "network_manager", "resolvconf", "file"; null for other numbers. */
TUNNEL_API const char* tunnel_dns_backend_name(uint32_t backend);
/* The number of a name. NOT_FOUND for others. */
TUNNEL_API int32_t tunnel_dns_backend_from_name(const char* name, uint32_t* backend);

/* The backend that AUTO means here and now for a tunnel that gets all names. A tool or service that
 * is missing, does not answer, or would let other servers be asked, is passed over; FILE is always
 * possible. May take some seconds. */
TUNNEL_API int32_t tunnel_dns_detect(uint32_t* backend);

/* The resolvers of the uplink: those that this machine would ask without any tunnel of ours, best
 * first, ports 0 (which means 53). Ask before the plan is applied and after changes of the network:
 * endpoint names are looked up there while the tunnel is up (tunnel_resolver_ask), and a block of
 * other traffic has to let these questions through.
 *
 * Those of `own`, the tunnel's servers, are left out. Writes at most `size` addresses and sets
 * *count to how many there are. */
TUNNEL_API int32_t tunnel_dns_uplink(const tunnel_address* own, size_t own_count,
                                     tunnel_address* servers, size_t size, size_t* count);

TUNNEL_END_DECLS

#endif
