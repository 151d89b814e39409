/*
 * The other ops host (doc/peers.md): that it lives, what its problems are, and what each of us says of the
 * checks that both watch. The socket and the key are monitord-peer's, a child; this decides nothing but
 * whether the other is there (self.peer): who pages a shared check is rules/standin.h's.
 */
#ifndef MONITORD_PEERS_OPSPEER_H
#define MONITORD_PEERS_OPSPEER_H

#include "monitord/super.h"

struct cJSON;

/* What it asks of those above it. */
struct opspeer_calls {
	/* The age and name of the oldest start that is owed. */
	int64_t (*overdue)(const struct super *s, const char **name);
	/* What self.peer is found to be. */
	void (*found)(struct super *s, const char *name, enum nag_state state, const char *layer,
		      const char *text);
	/* What may be said of shared checks has changed. */
	void (*news)(struct super *s);
};

/* Problems of the other that are shown; checks that both watch and are well, told of in one turn. */
enum { OPSPEER_SHOWN_MAX = 64, OPSPEER_FINE_AT_ONCE = 200 };

/* A configuration is in force: makes, changes or frees s->opspeer. False: out of memory, there is none. */
bool opspeer_apply(struct super *s, const struct opspeer_calls *calls);
/* Every second. All of these take NULL: there is no other. */
void opspeer_tick(struct opspeer *p, int64_t now_ms);
/* We slept for ms ourselves. */
void opspeer_forgive(struct opspeer *p, int64_t ms);
/* We stop on purpose: tells the other; true when that takes a moment. */
bool opspeer_goodbye(struct opspeer *p);
void opspeer_free(struct opspeer *p);

enum standin_link opspeer_link(const struct opspeer *p);
/* For a check that is shared and has a problem here. */
enum standin_do opspeer_decide(const struct opspeer *p, const struct check *c, int64_t now_ms);
/* How long the other's word may be waited for; for the last part of it the other is told that we are about to
 * page, so that it does not begin to just then. */
int64_t opspeer_patience(const struct opspeer *p);
int64_t opspeer_notice(const struct opspeer *p);
/* "paged by opsA (K7Q2M)" */
void opspeer_mute_text(const struct opspeer *p, const struct check *c, char *out, size_t size);
/* The object "peer" of the snapshot. */
struct cJSON *opspeer_json(const struct opspeer *p);

#endif
