/*
 * pagerd and monitord as children of monitord-run: started, started again when they die,
 * stopped, and nothing of theirs left behind: monitord-run adopts what a killed daemon leaves
 * (PR_SET_CHILD_SUBREAPER) and ends it.
 */
#ifndef MONITORD_RUN_DAEMONS_H
#define MONITORD_RUN_DAEMONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { RUN_DAEMONS = 2 };

struct run_daemon {
	const char *name;
	char *program;
	pid_t pid;	    /* -1: does not run */
	int64_t started_ms; /* CLOCK_BOOTTIME */
	int64_t again_ms;   /* start again then; 0: runs or must not */
	int64_t pause_ms;   /* before the next start: 1 s, doubling to 30 s while it dies young */
};

struct run_daemons {
	struct run_daemon v[RUN_DAEMONS]; /* pagerd first: it must listen when monitord beats */
	const char *config;
	const char *log; /* their standard error goes there; NULL: to ours */
	bool stopping;
	int64_t kill_ms; /* while stopping: when patience ends; 0: leftovers are being waited for */
};

/* Programs beside our own executable, else in the directory of the other programs. False: out of memory. */
bool run_daemons_init(struct run_daemons *d, const char *config, const char *log);
void run_daemons_fini(struct run_daemons *d);
/* The absolute path of a program of ours. Owned by the caller. */
char *run_program(const char *name);
/* Starts what is due; reaps, and says why something died. */
void run_daemons_tick(struct run_daemons *d, int64_t now_ms);
/* Asks them to end, monitord first; asked again: no more patience. */
void run_daemons_stop(struct run_daemons *d, int64_t now_ms);
/* While stopping, after a tick: true when nothing runs any more, of theirs or left by them. */
bool run_daemons_gone(struct run_daemons *d, int64_t now_ms);

#endif
