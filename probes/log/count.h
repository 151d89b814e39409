/* What is counted of a mail log's lines, in fixed memory however many names come. Pure. Used by check_log and
 * report.c. */
#ifndef PROBES_LOG_COUNT_H
#define PROBES_LOG_COUNT_H

#include "event.h"
#include "lib/config/opts.h"
#include "pairs.h"
#include "probes/queue/top.h"
#include "sessions.h"

enum { LOG_TOP_ROOM = 1024, LOG_NAME_BYTES = 200 };

enum log_top {
	LOG_TOP_CLIENT, /* of what was received */
	LOG_TOP_SASL,
	LOG_TOP_UID,
	LOG_TOP_SENDER,
	LOG_TOP_RCPT,  /* of what was delivered, deferred or bounced */
	LOG_TOP_DEFER, /* domains */
	LOG_TOP_BOUNCE,
	LOG_TOP_UNKNOWN,  /* clients that ask for unknown users */
	LOG_TOP_REJECTED, /* clients */
	LOG_TOP_AUTH,	  /* clients whose logins fail */
	LOG_TOP_HOPS,	  /* recipients of what loops */
	LOG_TOP_LIST,	  /* who lists us or them */
	LOG_TOPS
};

struct log_counts {
	uint64_t kind[LOG_KINDS];
	uint64_t why[LOG_KINDS][LOG_REASONS];
	uint64_t reason[LOG_REASONS]; /* whatever became of it */
	uint64_t format[LOG_FORMATS];
	uint64_t strange; /* lines of no known mail program */
	uint64_t ours;	  /* left out */
	struct top *top[LOG_TOPS];
	struct log_pairs sasl_clients, unknown_clients, deferred, bounced;
	struct log_sessions sessions;
	uint64_t hops_id, exim_line; /* fingerprints: whose hops were counted last; a line that may come twice */
	char spf[LOG_NAME_BYTES]; /* the last reply that names SPF and refuses us */
	char stage[LOG_NAME_BYTES]; /* the last next hop on this host that took nothing */
	uint64_t stage_down;	    /* deferred for it */
	const struct opt_list
	    *leave_out; /* clients, senders and recipients that are our own traffic; may be NULL */
};

struct log_counts *log_counts_new(const struct opt_list *leave_out); /* NULL when memory is out */
void log_counts_free(struct log_counts *c);
/* One line, as log_tail calls it. */
void log_counts_line(void *counts, const char *s, size_t n);

#endif
