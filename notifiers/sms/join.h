/*
 * Joins the parts of long messages that come in. Parts wait in the modem's storage until the message is whole
 * or its time is over, so that a crash loses none: what is stored is read again at the next start. Pure; at
 * most JOIN_MESSAGES messages of JOIN_PARTS parts wait.
 */
#ifndef NOTIFIERS_SMS_JOIN_H
#define NOTIFIERS_SMS_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/gsm/pdu.h"

enum {
	JOIN_MESSAGES = 8,
	JOIN_PARTS = 16,      /* a message of more parts is told part by part */
	JOIN_MS = 10 * 60000, /* so long its parts are waited for, from the newest on */
	JOIN_TOLD = 8,	      /* messages whose late duplicates are known */
	JOIN_COPIES = 2,      /* stored copies of one part that are remembered */
	JOIN_PLACES = JOIN_PARTS * JOIN_COPIES
};

/* Where in the modem a message is stored, and what it was when it was read; memory "": nowhere, it was handed
 * over. */
struct sms_place {
	char memory[4];
	int index;
	uint32_t hash; /* of the PDU */
};

/* A message to be told: whole, or as far as it is there. */
struct join_whole {
	const char *from, *text;
	int64_t at_wall_ms; /* of its first part */
	struct sms_place place[JOIN_PLACES];
	size_t nplaces;
};

struct join_part {
	char *text; /* NULL: missing */
	struct sms_place place[JOIN_COPIES];
	size_t nplaces;
};

struct join_message {
	char from[PDU_ADDRESS_MAX + 2];
	unsigned ref, nparts, have; /* nparts 0: unused */
	int64_t newest, at_wall_ms;
	struct join_part part[JOIN_PARTS];
};

struct join_told {
	char from[PDU_ADDRESS_MAX + 2];
	unsigned ref, nparts;
	uint32_t hash[JOIN_PARTS];
	int64_t at;
};

struct join_calls {
	/* What is stored there is from now on the caller's to delete. False: it cannot be told now; what is
	 * stored will be read again. */
	bool (*tell)(void *arg, const struct join_whole *w);
	/* What is stored there is needless. */
	void (*drop)(void *arg, const struct sms_place *where);
};

struct join {
	struct join_calls calls;
	void *arg;
	struct join_message v[JOIN_MESSAGES];
	struct join_told told[JOIN_TOLD];
	size_t ntold; /* ever */
};

void join_init(struct join *j, const struct join_calls *calls, void *arg);
void join_fini(struct join *j);
/* A message, or a part of one, that was read. */
void join_take(struct join *j, const struct pdu_in *in, const struct sms_place *where, int64_t now);
/* Tells as far as they are there those whose time is over; all: whatever their time. */
void join_expire(struct join *j, int64_t now, bool all);
/* When the next one is over; -1: none waits. */
int64_t join_next(const struct join *j);
/* Forgets what is stored: it will be read again. What was only handed over stays. */
void join_restart(struct join *j);

#endif
