/*
 * The supervisor as a whole: what its parts share. Each part is one module that is handed this
 * structure; only core.c changes checks, the others ask it to.
 */
#ifndef MONITORD_SUPER_H
#define MONITORD_SUPER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/config/config.h"
#include "check.h"
#include "monitord/store/state.h"

struct control;
struct opspeer;
struct pagerwatch;
struct diskq;
struct event_base;
struct evlog;
struct loop_fd;
struct loop_timer;
struct place;
struct confswap;
struct hostlists;
struct spool_writer;

enum { SUPER_REMOTES = 2, SUPER_PLACES_MAX = SUPER_REMOTES + 100 };

struct super {
	struct event_base *base;
	/* as given at the start */
	const char *main_file;
	struct stamp started;

	struct config *conf;	   /* in force */
	char *config_error;	   /* why the newest one is not; NULL: it is */
	struct stamp reload_at;	   /* when conf came into force */
	char *run_dir, *state_dir; /* of the configuration at the start: they change at a restart only */

	struct checks checks;
	struct check **buried; /* no longer configured; their last event is on its way */
	size_t nburied;

	struct diskq *disk;
	struct loop_fd *disk_fd;
	struct state state;
	struct evlog *history;

	struct spool_writer *spool;
	struct loop_fd *spool_fd;
	size_t spool_twin;	 /* events that are in the twin only */
	char spool_trouble[200]; /* why the last event is not in the spool; "" when it is */

	/* by enum check_place (NULL: no check needs it), then the remotes in the order of the configuration */
	struct place *places[SUPER_PLACES_MAX];
	size_t nplaces;
	struct loop_timer *sched_timer, *tick_timer, *settle_timer;
	int64_t named_ms; /* boot ms: when an unnamed problem was last looked at again */
	int64_t tick_ms; /* boot ms of the last tick */
	int64_t self_ms; /* of the last look at own link */
	int64_t beat_snapshot_ms;

	struct loop_timer *snapshot_timer;
	bool snapshot_dirty;
	bool snapshot_hurried; /* the last one was for an event, soon after another */
	int64_t snapshot_us, snapshot_cost_us; /* when it was written last, and how long that took */
	char *snapshot_path;

	struct control *control;
	struct pagerwatch *pagerwatch;
	struct opspeer *opspeer; /* NULL: no other ops host is configured */
	struct confswap *confswap;
	struct hostlists *hostlists;
	bool stopping;

	/* own link, now: what settle.c asks of a file above it */
	void (*look_at_self)(struct super *s, int64_t now_ms);
};

#endif
