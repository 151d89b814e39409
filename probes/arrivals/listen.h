/* Listening sockets of the policy service. */
#ifndef PROBES_ARRIVALS_LISTEN_H
#define PROBES_ARRIVALS_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

/* "unix:/PATH" (a socket left behind is replaced, one in use is not) or "inet:ADDRESS:PORT", the address
 * literal, an IPv6 one in brackets. The socket, non-blocking, or -1 and a reason. */
int policy_listen(const char *where, mode_t mode, char *why, size_t size);

#endif
