/*
 * An event: one hard change of one check's state, on its way from monitord to
 * pagerd. Its id is check + change number, so writing it again changes nothing.
 * The incident id that people read is made from the event that opened it.
 */
#ifndef LIB_CONTRACT_EVENT_H
#define LIB_CONTRACT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "result.h"

enum event_kind {
	EVENT_PROBLEM,  /* entered or changed a hard problem state */
	EVENT_RECOVERY, /* back to OK */
	EVENT_NOTICE,   /* something to tell once; opens no incident that a recovery must end */
	EVENT_ACK       /* somebody acts on it; text is the comment */
};

/* Whether the check changes again and again, so that one page stands for all its changes. */
enum event_flapping { EVENT_FLAPS_NOT, EVENT_FLAPS_STARTED, EVENT_FLAPS, EVENT_FLAPS_STOPPED };

enum { EVENT_NAME_MAX = 128, EVENT_SOURCE_MAX = 64 };

struct event {
	char check[EVENT_NAME_MAX]; /* name of the check; "self.NAME" for monitord's own concerns */
	char host[EVENT_NAME_MAX];  /* what it watches, for people; may be "" */
	uint64_t change;            /* grows by one per event of this check, survives restarts */
	/* The change number of the event that opened the problem this one belongs to. 0: whichever of this check is open;
	 * a problem that finds none opens one. */
	uint64_t opened;
	enum event_kind kind;
	enum nag_state state, previous;
	bool measured;
	char layer[24];
	enum event_flapping flapping;
	bool suppressed;  /* in downtime or below a down parent: recorded, not paged */
	char why_suppressed[160];
	char parent[EVENT_NAME_MAX]; /* the check whose being down suppresses it; "" */
	struct stamp since; /* when the problem was first seen (first soft failure) */
	struct stamp at;    /* when this event was decided */
	bool named;         /* of a problem: nothing changed but that it is recognised now; for the next page, not one of its own */
	char *text;         /* at most RESULT_TEXT_MAX; malloced, never NULL once filled */
	char *text_ja;      /* the same for who reads Japanese, when it differs; malloced, may be NULL */
	char *more;         /* at most RESULT_LONG_MAX; malloced, may be NULL */
	char source[EVENT_SOURCE_MAX]; /* another monitor, or whoever dropped it; "": monitord */
	char by[EVENT_NAME_MAX];       /* of an acknowledgement: whose */
	int64_t uid;        /* owner of the file it was read from; -1: not from a file. Not part of the JSON */
	char **contacts;    /* whom it concerns; NULL and 0: the default contacts */
	size_t ncontacts;
};

void event_init(struct event *e);
void event_fini(struct event *e);
/* "CHECK@CHANGE", into out; characters outside [A-Za-z0-9._-] of the check become =XX. Also the spool file's stem: a name of
 * more than 200 characters in this form is cut and ends in "=~" and a hash. */
char *event_id(const struct event *e, char *out, size_t size);
/* The incident's id for people, such as "K7Q2M": five characters without look-alikes, from check and opened. */
char *event_incident(const char *check, uint64_t opened, char *out, size_t size);
struct cJSON *event_to_json(const struct event *e);
/* Strict for what monitord writes, lenient for what a script drops: {"text": "..."} alone is a NOTICE whose check is
 * stem (the file's name) and whose state is CRITICAL. False and a reason in why. */
bool event_from_json(struct event *e, const struct cJSON *obj, const char *stem, char *why, size_t size);
const char *event_kind_name(enum event_kind k); /* "problem" "recovery" "notice" "ack" */
bool event_kind_from_name(const char *s, enum event_kind *k);

#endif
