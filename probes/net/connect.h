/*
 * A TCP connection with a deadline.
 */
#ifndef PROBES_NET_CONNECT_H
#define PROBES_NET_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "resolve.h"

/* A connected, non-blocking, close-on-exec socket, or -1 and *err: an errno, 0 when the deadline
 * (CLOCK_BOOTTIME us) passed. */
int net_connect(const struct net_address *to, int64_t deadline_us, int *err);
/* Waits for events (POLLIN, POLLOUT) on fd until the deadline; false when it passed. */
bool net_wait(int fd, short events, int64_t deadline_us);

#endif
