/*
 * One visit to a mail store, for check_imap and check_pop3: the name, its addresses in order, a session with
 * the first that lets us in, and one result. The protocol is a table of calls.
 */
#ifndef PROBES_MAILBOX_VISIT_H
#define PROBES_MAILBOX_VISIT_H

#include "conf.h"

struct mailbox_visit;

struct mailbox_kind {
	const char *name; /* "IMAP" */
	struct mailbox_words words;
	/* Each returns false with v->link's layer and why filled. open: to v->target, clock and limits are
	 * set; look: what is asked after the login. close: also after a failure; bye NULL: the protocol's
	 * own. */
	bool (*open)(struct mailbox_visit *v);
	bool (*look)(struct mailbox_visit *v);
	void (*close)(struct mailbox_visit *v);
};

struct mailbox_visit {
	const struct mailbox_kind *kind;
	const struct mailbox_conf *o;
	struct probe_run *run;
	void *session;		   /* the kind's own; its link is */
	struct mailbox_link *link; /* this one */
	struct mailbox_target target;
	uint16_t port;
	int64_t start_us, begun_us;    /* of all; of the address that was tried last */
	struct mailbox_clock resolved; /* only its time to resolve */
	/* what open and look found */
	bool counted; /* messages is known, of */
	const char *mailbox;
	uint64_t messages;
	bool sized; /* bytes is known */
	uint64_t bytes;
	bool limited; /* quota is known */
	struct {
		char of[64];  /* "STORAGE" */
		double share; /* 0..1 and beyond */
		uint64_t used, limit;
	} quota;
	struct range quota_warning, quota_critical; /* per cent */
};

/* Fills run->result. v holds kind, session, link and the quota's ranges; the rest is zero. */
void mailbox_run(struct mailbox_visit *v, struct probe_run *run);

#endif
