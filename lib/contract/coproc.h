/*
 * A child that speaks lines on two pipes: probers and notifiers. Own process
 * group, chosen environment, all other descriptors closed, signals reset, stderr
 * to our log line by line (bounded). A child that dies before its first good line
 * is restarted with doubling delay (1 s to 60 s). After the end its whole group is killed.
 * One that leads to another host (ssh) is trusted less: coproc_is_far.
 */
#ifndef LIB_CONTRACT_COPROC_H
#define LIB_CONTRACT_COPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cJSON;
struct event_base;
struct coproc;

struct coproc_calls {
	/* A whole JSON line came. The value is freed after the call. */
	void (*line)(void *arg, struct coproc *c, struct cJSON *v);
	/* The child was started (again); send what it must know first. */
	void (*up)(void *arg, struct coproc *c);
	/* The child ended: why is text for people ("exited 1", "killed by signal 9", "spoke nonsense: ..."). It will be
	 * started again unless coproc_free is called from here or it was told to stop. */
	void (*down)(void *arg, struct coproc *c, const char *why);
	/* A line of its standard error (at most 1 KiB, as it came). NULL: to our log. Must not free or kill the coproc. */
	void (*complained)(void *arg, struct coproc *c, const char *line);
};

/* argv: NULL-terminated, argv[0] an absolute path; env: NULL-terminated "K=V" or NULL for PATH, LANG=C and TZ only.
 * name: for the log. Copies everything. Starts in the next turn of the loop. max_line: bytes a line may have. */
struct coproc *coproc_new(struct event_base *base, const char *name, char *const *argv, char *const *env,
			  size_t max_line, const struct coproc_calls *calls, void *arg);
/* The same over a Unix stream socket that something else listens on; reconnects with the same delays. */
struct coproc *coproc_connect(struct event_base *base, const char *name, const char *path, size_t max_line,
			      const struct coproc_calls *calls, void *arg);
/* Queues one JSON line. False when the child is down or more than 4 MiB wait. */
bool coproc_send(struct coproc *c, const struct cJSON *v);
/* What it speaks to may be down for long, and may be hostile: its delay is forgotten only after it was up for steady_ms,
 * and is shortened or lengthened by up to a quarter, by chance, so that many do not come back at the same moment. */
void coproc_is_far(struct coproc *c, int64_t steady_ms);
bool coproc_is_up(const struct coproc *c);
pid_t coproc_pid(const struct coproc *c); /* -1 when down or connected by socket */
/* Closes its input, so that a good child finishes and exits; kills its group after grace_ms; not restarted. down() is
 * still called. */
void coproc_stop(struct coproc *c, int64_t grace_ms);
/* Kills its group at once and lets it be restarted. */
void coproc_kill(struct coproc *c);
/* Kills without a call back and frees. Allowed from within its own call backs. */
void coproc_free(struct coproc *c);

#endif
