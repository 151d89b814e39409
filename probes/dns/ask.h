/*
 * Many questions at once, back by a deadline: c-ares carries them (tries again, takes the next server, goes
 * to TCP when an answer was truncated, ignores what bears another id or question), the answer's bytes are
 * read by answer.h. No name is completed from a search list. What is asked of several servers takes the
 * answer of the first one that gives any.
 */
#ifndef PROBES_DNS_ASK_H
#define PROBES_DNS_ASK_H

#include "answer.h"

struct complaints;
struct opt_list;

enum { DNS_ANSWER_LIMIT_MS = 10000, DNS_SERVERS_MAX = 16 };

struct dns_ask {
	const char *name;
	uint16_t type;
	unsigned flags;		  /* DNS_RD ... */
	const char *server;	  /* "192.0.2.1:53": ask this one; NULL: those of dns_open */
	struct dns_answer answer; /* the asker's to free: dns_asks_fini */
	/* ask.c's own */
	int64_t since_us;
	bool done;
};

struct dns_net;

/* Once per process, before threads. */
void dns_global_init(void);
/* servers: "192.0.2.53,[::1]:5353", NULL or "": those of resolv.conf. limit_ms: how long a question may stay
 * open. NULL: why says it. */
struct dns_net *dns_open(const char *servers, int64_t limit_ms, char *why, size_t size);
void dns_close(struct dns_net *net);
/* The servers of dns_open, each as "192.0.2.53:53" or "[::1]:53". */
size_t dns_servers(const struct dns_net *net, char out[][64], size_t max);

/* Asks all of them at the same time and returns when each has its answer or the time is over (deadline:
 * CLOCK_BOOTTIME ms). */
void dns_ask_all(struct dns_net *net, struct dns_ask *v, size_t n, int64_t deadline);
void dns_asks_fini(struct dns_ask *v, size_t n);

/* The option `resolver` (a list): complaints about what is no address; and joined for dns_open. */
void dns_servers_check(const struct opt_list *list, const char *item, struct complaints *c);
const char *dns_servers_join(const struct opt_list *list, char *out, size_t size);

#endif
