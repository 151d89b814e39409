/*
 * The queue list that Postfix' showq service sends (Postfix 3.1 and later): records of attributes, name NUL
 * value NUL ..., an empty name ends a record, an empty record the list. Fed piece by piece as it comes; holds
 * one string at a time, whatever the list's length. It says neither clients nor logins.
 */
#ifndef PROBES_QUEUE_SHOWQ_H
#define PROBES_QUEUE_SHOWQ_H

#include "queue.h"

enum { SHOWQ_STRING_MAX = 65536 }; /* a longer one is no answer of showq */

enum showq_state {
	SHOWQ_GOES_ON,
	SHOWQ_DONE,   /* the list is whole */
	SHOWQ_FOREIGN /* no list of this kind */
};

struct showq {
	enum showq_state state;
	/* In: called for each message, behind its recipients. */
	void (*message)(void *arg, const char *queue, const struct queue_message *m);
	struct queue_sink sink;
	void *arg;
	/* the record at hand */
	bool value, begun, any; /* a value comes next; the list had a record; the record had an attribute */
	char name[32], queue[QUEUE_NAME_MAX];
	struct queue_message m;
	/* the string at hand */
	char text[QUEUE_ADDRESS_MAX];
	size_t len;
};

/* Zeroed, with the call backs set, is how it begins. */
enum showq_state showq_feed(struct showq *q, const char *data, size_t n);

/* queue_mta.ask of Postfix: connects to public/showq below the instance's directory. */
bool showq_ask(struct queue_instance *in, const struct queue_asking *a, char *text);

#endif
