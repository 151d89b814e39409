/*
 * monitord's half of the dead-man: beats to pagerd, and the verdict about it. When pagerd is gone
 * (silent or wedged past the limit), monitord pages by itself on the last resort's line: that
 * pagerd is gone, and, while it is, each new problem, within bounds; and when it is back. The built-in
 * check self.pagerd says the same, and also when the two run different configurations for a minute.
 */
#ifndef MONITORD_PEERS_PAGERWATCH_H
#define MONITORD_PEERS_PAGERWATCH_H

#include "monitord/super.h"

struct cJSON;

/* The configurations may differ for so many beats (a minute): a reload reaches the daemons one after the
 * other. */
enum { PAGERWATCH_DIFFER_BEATS = 12 };

/* What it asks of those above it. */
struct pagerwatch_calls {
	/* The age and name of the oldest start that is owed. */
	int64_t (*overdue)(const struct super *s, const char **name);
	/* What self.pagerd is found to be. */
	void (*found)(struct super *s, const char *name, enum nag_state state, const char *layer,
		      const char *text);
};

struct pagerwatch *pagerwatch_new(struct super *s, const struct pagerwatch_calls *calls);
/* A new configuration is in force. */
void pagerwatch_apply(struct pagerwatch *w);
/* Every second. */
void pagerwatch_tick(struct pagerwatch *w, int64_t now_ms);
/* We slept ourselves: silence of that time is not pagerd's. */
void pagerwatch_forgive(struct pagerwatch *w, int64_t now_ms);
/* An event was decided. */
void pagerwatch_event(struct pagerwatch *w, const struct event *e);
bool pagerwatch_alive(const struct pagerwatch *w);
/* Whether anything can be said of pagerd yet: it was heard of, or waited for in vain. */
bool pagerwatch_knows(const struct pagerwatch *w);
/* Why self.pagerd's problem need not be paged by pagerd: the last resort did; NULL: it was not. */
const char *pagerwatch_paged(const struct pagerwatch *w);
/* The object "pager" of the snapshot. */
struct cJSON *pagerwatch_json(const struct pagerwatch *w);
/* Tells pagerd that we stop and will be back. */
void pagerwatch_goodbye(struct pagerwatch *w);
void pagerwatch_free(struct pagerwatch *w);

#endif
