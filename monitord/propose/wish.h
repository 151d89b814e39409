/*
 * What is wished of `monitorctl propose`: its command line, read and bounded. Used by every file of this
 * room.
 */
#ifndef MONITORD_PROPOSE_WISH_H
#define MONITORD_PROPOSE_WISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl;

enum {
	WISH_LIST_MAX = 16,
	WISH_HOST_MAX = 253,
	SERVICE_SMTP = 0,
	SERVICE_SUBMISSION,
	SERVICE_SMTPS,
	SERVICE_IMAP,
	SERVICE_IMAPS,
	SERVICE_POP3,
	SERVICE_POP3S,
	SERVICES
};

struct wish_list {
	char *v[WISH_LIST_MAX];
	size_t n;
};

struct wish {
	char subject[WISH_HOST_MAX + 1]; /* a domain, a host or an address; lower case, no dot at its end */
	bool address;			 /* the subject is one */
	struct wish_list outbound, selectors, resolvers, lists;
	int ports[SERVICES];
	const char *ca_file; /* or NULL */
	const char *out;     /* the file to write, or NULL: standard output */
	bool local;	     /* this host's own mail system too */
	int64_t deadline;    /* CLOCK_BOOTTIME ms */
};

/* "smtp" "submission" "smtps" "imap" "imaps" "pop3" "pop3s" */
const char *wish_service(int service);
/* A name that may stand as a host in a configuration: letters, digits, dots, hyphens, underscores. */
bool wish_is_name(const char *s);
/* False: what is wrong with the command line was said. wish_fini in any case. */
bool wish_read(struct wish *w, const struct ctl *ctl);
void wish_fini(struct wish *w);

#endif
