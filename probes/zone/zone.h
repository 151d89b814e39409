/*
 * What the dns probe looks at besides one question: reverse names that lead back, and the serials of a zone's
 * name servers. Used by check_dns.c; its list of findings (zone_note) by check_tlsa.c
 * too.
 */
#ifndef PROBES_ZONE_ZONE_H
#define PROBES_ZONE_ZONE_H

#include "lib/config/opts.h"
#include "lib/contract/result.h"
#include "probes/dns/ask.h"

enum { ZONE_SERVERS_MAX = 32, ZONE_ADDRESSES_MAX = 32 };

/* What was found so far: the worst is the result's text, everything goes to the further lines. */
struct zone_look {
	struct dns_net *net;
	int64_t deadline;
	struct result *result;
	enum nag_state state;
	char layer[24];
	char text[600];
};

void zone_note(struct zone_look *l, enum nag_state s, const char *layer, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Each address must have a name that leads back to it. */
void zone_forward_confirm(struct zone_look *l, const char *server, const struct dns_answer *const *answers,
			  size_t n);
/* All name servers of the zone, on all their addresses, must serve the same serial. */
void zone_serials(struct zone_look *l, const char *server, const char *zone, int port);

/* --- what is expected of an answer (expected.c) --- */
enum { ZONE_VALUE_MAX = 600 };

/* Goes through what is expected, from the start of its list: list and whole are given, all else is zero. */
struct zone_wanted {
	const struct opt_list *list;
	bool whole; /* texts: a comma is part of them */
	size_t i;
	const char *at;
	char now[ZONE_VALUE_MAX];
};

/* "10 mx.a.test"; else the value's text. */
void zone_value_text(const struct dns_value *v, char *out, size_t size);
/* want: "10 mx.a.test", "mx.a.test", an address in any spelling. */
bool zone_value_equal(const char *want, const struct dns_value *v);
/* The next one is now; false: there is none. */
bool zone_next_wanted(struct zone_wanted *w);
/* w: at the start of the list. */
bool zone_is_wanted(struct zone_wanted w, const struct dns_value *v);

#endif
