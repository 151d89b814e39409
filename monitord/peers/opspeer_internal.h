/* What opspeer.c (hears) and opspeer_tell.c (tells) share; nobody else includes this. */
#ifndef MONITORD_PEERS_OPSPEER_INTERNAL_H
#define MONITORD_PEERS_OPSPEER_INTERNAL_H

#include "lib/contract/heartbeat.h"
#include "opspeer.h"

/* A problem of the other's, for people. */
struct shown {
	char check[EVENT_NAME_MAX], host[EVENT_NAME_MAX];
	char text[104], why[120];
	enum nag_state state;
	uint64_t opened;
	int64_t since_wall_ms, heard_ms;
	bool muted;
};

struct opspeer {
	struct super *s;
	struct opspeer_calls calls;
	struct conf_peer conf;
	struct coproc *proc;
	struct beat_watch watch;
	enum standin_link link; /* at the last tick */
	bool news, pager, other_primary;
	char trouble[200];
	int64_t forged, replayed, bad, problems;
	struct shown shown[OPSPEER_SHOWN_MAX];
	size_t nshown;
	int64_t sent_ms; /* of the last beat; 0: at once */
	size_t next;	 /* the check whose turn it is to be told of though it is fine */
};

/* Tells what is new, and at the interval that we live and all that is wrong. */
void opspeer_tell(struct opspeer *p, int64_t now_ms);
/* That we live; back_ms > 0: and stop now, and are back within that. */
void opspeer_beat(struct opspeer *p, int64_t back_ms);

#endif
