/* tunnel/status.h - one number space for everything a call or a packet can come back with.
 *
 *   0        success
 *   > 0      verdicts: what became of one packet (tunnel_packet.verdict)
 *   < 0      errors: the call as a whole did not happen
 *
 * Numbers are never reused. New verdicts are added inside their range, so that code which only
 * looks at the range keeps working. Attackers cause verdicts; environments and callers cause
 * errors. */
#ifndef TUNNEL_STATUS_H
#define TUNNEL_STATUS_H

#include <stdint.h>

#if defined(_WIN32)
#define TUNNEL_API __declspec(dllexport)
#elif defined(__GNUC__)
#define TUNNEL_API __attribute__((visibility("default")))
#else
#define TUNNEL_API
#endif

#ifdef __cplusplus
#define TUNNEL_BEGIN_DECLS extern "C" {
#define TUNNEL_END_DECLS }
#else
#define TUNNEL_BEGIN_DECLS
#define TUNNEL_END_DECLS
#endif

TUNNEL_BEGIN_DECLS

#define TUNNEL_OK 0

/* ---- errors ---- */
#define TUNNEL_ERR_ARGUMENT (-1)    /* null, out of range, or contradictory argument */
#define TUNNEL_ERR_VERSION (-2)     /* a struct is larger than this library knows, and it is used */
#define TUNNEL_ERR_MEMORY (-3)      /* allocation failed */
#define TUNNEL_ERR_LIMIT (-4)       /* a maximum from the configuration is reached */
#define TUNNEL_ERR_NOT_FOUND (-5)   /* no such peer, name or object */
#define TUNNEL_ERR_EXISTS (-6)      /* CREATE_ONLY was asked for and it is there already */
#define TUNNEL_ERR_KEY (-7)         /* a key that cannot be used: own key as peer, low order */
#define TUNNEL_ERR_UNSUPPORTED (-8) /* this build, table or system cannot do it */
#define TUNNEL_ERR_PERMISSION (-9)  /* the system refused: privileges are missing */
#define TUNNEL_ERR_IN_USE (-10)     /* a name, port or address is taken by somebody else */
#define TUNNEL_ERR_UNAVAILABLE (-11) /* something the system should have is absent */
#define TUNNEL_ERR_STATE (-12)       /* right call, wrong moment: e.g. run() of a running engine */
#define TUNNEL_ERR_CLOSED (-13)    /* the object under us is gone: device deleted, socket closed */
#define TUNNEL_ERR_SYSTEM (-14)    /* any other refusal of the system; errno tells */
#define TUNNEL_ERR_RESOURCES (-15) /* out of descriptors or kernel memory */
#define TUNNEL_ERR_SELF_TEST (-16) /* a cryptographic self-check failed; nothing was started */
#define TUNNEL_ERR_TIMEOUT (-17)   /* no answer within the time given */
#define TUNNEL_ERR_CONFIG (-18)    /* a configuration text is wrong; its issue says where */

/* ---- verdicts: 1-15, write this packet ---- */
#define TUNNEL_VERDICT_NONE 0    /* not looked at yet */
#define TUNNEL_VERDICT_SEND 1    /* a datagram: write it to packet.remote */
#define TUNNEL_VERDICT_REPLY 2   /* a datagram written over the one that caused it: send it too */
#define TUNNEL_VERDICT_DELIVER 3 /* an inside packet: write it to the device */
/* ---- verdicts: 16-31, nothing to do ---- */
#define TUNNEL_VERDICT_CONSUMED 16 /* the core took it in (handshake, keepalive) */
#define TUNNEL_VERDICT_HELD 17     /* the core keeps a copy until a session exists */
#define TUNNEL_VERDICT_SENT 18     /* the device or transport took it */
/* ---- verdicts: 32-47, the caller keeps it ---- */
#define TUNNEL_VERDICT_WAIT 32 /* not taken; offer it again later */
/* ---- verdicts: 64-127, dropped; the bytes of the buffer are undefined afterwards ---- */
#define TUNNEL_DROP_MALFORMED 64       /* outside: unknown type, reserved bits or wrong length */
#define TUNNEL_DROP_MAC1 65            /* handshake not meant for our key */
#define TUNNEL_DROP_BUSY 66            /* handshake queue full */
#define TUNNEL_DROP_RATE_LIMITED 67    /* under load and this source asked too often */
#define TUNNEL_DROP_UNKNOWN_INDEX 68   /* names no session or handshake of ours */
#define TUNNEL_DROP_EXPIRED_KEY 69     /* the session is past its age or message limit */
#define TUNNEL_DROP_FORGED 70          /* authentication tag wrong */
#define TUNNEL_DROP_REPLAY 71          /* counter seen before, or older than the window */
#define TUNNEL_DROP_COOKIE 72          /* cookie reply not asked for or not authentic */
#define TUNNEL_DROP_HANDSHAKE 73       /* handshake message does not decrypt or has no handshake */
#define TUNNEL_DROP_UNKNOWN_PEER 74    /* a static key (plain: an address) that nobody has */
#define TUNNEL_DROP_OLD_TIMESTAMP 75   /* initiation replayed: timestamp not above the last */
#define TUNNEL_DROP_FLOOD 76           /* more initiations of one peer than 50 a second */
#define TUNNEL_DROP_INNER_MALFORMED 77 /* inside: not an IP packet, or lengths that lie */
#define TUNNEL_DROP_NOT_ALLOWED 78     /* inside source address is not this peer's */
#define TUNNEL_DROP_NO_PEER 79         /* nobody owns the destination */
#define TUNNEL_DROP_NO_ENDPOINT 80     /* the owner's address is not known yet */
#define TUNNEL_DROP_NO_KEY 81          /* the core has no private key */
#define TUNNEL_DROP_TOO_BIG 82         /* larger than buffer, path or device takes */
#define TUNNEL_DROP_NO_ROOM 83         /* too little headroom or tailroom around the packet */
#define TUNNEL_DROP_UNREACHABLE 84     /* no route to the remote address */
#define TUNNEL_DROP_EXHAUSTED 85       /* a configured maximum (sessions, handshakes) is reached */
#define TUNNEL_DROP_IO 86              /* the system refused this packet for another reason */
#define TUNNEL_DROP_FILTERED 87        /* a filter said no */
#define TUNNEL_DROP_STAGED 88          /* waited: pushed out, handshake gave up, or peer removed */
#define TUNNEL_DROP_FIRST 64
#define TUNNEL_DROP_COUNT 64 /* verdicts 64..127 are drop reasons, now and later */

/* Name of an error or verdict ("forged", "address in use"); never null, valid for ever. Any
 * thread. */
TUNNEL_API const char* tunnel_status_text(int32_t status);

/* What a person can do about an error, or "" where there is nothing to say. Any thread. */
TUNNEL_API const char* tunnel_status_hint(int32_t status);

/* Version of the library: (major << 16) | (minor << 8) | patch. Any thread. */
TUNNEL_API uint32_t tunnel_version(void);

TUNNEL_END_DECLS

#endif
