/*
 * Heartbeats both ways over a SOCK_SEQPACKET Unix socket. pagerd listens,
 * monitord connects (again, every second, while it is not connected). Each sends
 * a beat at the interval. The age of the oldest overdue check rides along, so
 * that a wedged supervisor counts as dead though it still beats.
 */
#ifndef LIB_CONTRACT_HEARTBEAT_H
#define LIB_CONTRACT_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct heartbeat;

struct beat {
	char from[16];      /* "monitord" "pagerd" */
	int64_t pid;
	char digest[20];    /* of the configuration in force */
	int64_t overdue_ms; /* age of the oldest overdue check; pagerd: of the oldest page no route has tried yet */
	char overdue[128];  /* its name */
	int64_t back_ms;    /* > 0: a planned stop, back within that */
};

/* Pure: one datagram to and from text. decode: false and why. */
size_t beat_encode(const struct beat *b, char *out, size_t size);
bool beat_decode(struct beat *b, const char *bytes, size_t len, const char **why);

/* Pure: the verdict about the other side. */
enum beat_verdict { BEAT_ALIVE, BEAT_PLANNED, BEAT_SILENT, BEAT_WEDGED };
struct beat_watch {
	int64_t last_boot_ms; /* when the last beat came, or when watching began */
	bool ever;            /* a beat came since watching began */
	struct beat last;
	unsigned crashes; /* times it came back as another process without having said that it stops */
};
enum beat_verdict beat_judge(const struct beat_watch *w, int64_t now_boot_ms, int64_t limit_ms);

/* fill: writes what we send. came: a beat arrived (may be NULL). */
struct heartbeat *heartbeat_listen(struct event_base *base, const char *path, int64_t interval_ms,
				   void (*fill)(void *arg, struct beat *b), void *arg, char *why, size_t size);
struct heartbeat *heartbeat_connect(struct event_base *base, const char *path, int64_t interval_ms,
				    void (*fill)(void *arg, struct beat *b), void *arg);
const struct beat_watch *heartbeat_watch(const struct heartbeat *h);
/* This process slept for ms itself: that much of the silence is not the other side's. */
void heartbeat_forgive(struct heartbeat *h, int64_t ms);
/* Sends one beat now (a planned stop, after fill). */
void heartbeat_now(struct heartbeat *h);
void heartbeat_free(struct heartbeat *h);

#endif
