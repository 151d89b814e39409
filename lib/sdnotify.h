/* sd_notify(3) without libsystemd: one datagram. Does nothing when NOTIFY_SOCKET is not set. */
#ifndef LIB_SDNOTIFY_H
#define LIB_SDNOTIFY_H

#include <stdint.h>

/* Reads and removes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment, so that no child gets them. */
void sdnotify_init(void);
/* "READY=1", "RELOADING=1" (MONOTONIC_USEC is added), "STOPPING=1", "STATUS=...", "WATCHDOG=1", joined by newlines. */
void sdnotify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* How often to say WATCHDOG=1 (half of WATCHDOG_USEC) in ms; 0: not asked for. */
int64_t sdnotify_watchdog_ms(void);

#endif
