/*
 * The serial of a zone at each of its name servers, asked directly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone.h"

struct place {
	char server[80];
	const char *name; /* of the name server */
};

struct places {
	struct place v[ZONE_SERVERS_MAX];
	size_t n;
};

/* Both families of each name server, at the port. */
static void find_places(struct zone_look *l, const char *server, const struct dns_answer *ns, int port,
			struct places *out)
{
	struct dns_ask v[2 * ZONE_SERVERS_MAX];
	size_t n = ns->n < ZONE_SERVERS_MAX ? ns->n : ZONE_SERVERS_MAX;

	for (size_t i = 0; i < 2 * n; i++)
		v[i] = (struct dns_ask){.name = ns->v[i / 2].text,
					.type = i % 2 ? DNS_AAAA : DNS_A,
					.flags = DNS_RD,
					.server = server};
	dns_ask_all(l->net, v, 2 * n, l->deadline);
	for (size_t i = 0; i < 2 * n; i++) {
		if (i % 2 && !v[i].answer.n && !v[i - 1].answer.n)
			zone_note(l, NAG_CRITICAL, "name server", "the name server %s has no address: %s",
				  v[i].name, v[i - 1].answer.why);
		for (size_t k = 0; k < v[i].answer.n && out->n < ZONE_SERVERS_MAX; k++) {
			snprintf(out->v[out->n].server, sizeof(out->v[0].server),
				 i % 2 ? "[%.50s]:%d" : "%.50s:%d", v[i].answer.v[k].text, port);
			out->v[out->n++].name = v[i].name;
		}
	}
	dns_asks_fini(v, 2 * n);
}

/* The newest serial counts, as secondaries compare them (RFC 1982). */
static uint32_t newest(const struct dns_ask *v, size_t n)
{
	uint32_t best = 0;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!v[i].answer.n)
			continue;
		if (!any || (int32_t)(v[i].answer.v[0].number - best) > 0)
			best = v[i].answer.v[0].number;
		any = true;
	}
	return best;
}

static void compare(struct zone_look *l, const char *zone, const struct places *p)
{
	struct dns_ask v[ZONE_SERVERS_MAX];
	uint32_t best;
	size_t wrong = 0;

	for (size_t i = 0; i < p->n; i++)
		v[i] = (struct dns_ask){.name = zone, .type = DNS_SOA, .server = p->v[i].server};
	dns_ask_all(l->net, v, p->n, l->deadline);
	best = newest(v, p->n);
	for (size_t i = 0; i < p->n; i++) {
		const struct dns_answer *a = &v[i].answer;

		if (a->n && a->v[0].number == best && a->aa)
			continue;
		wrong++;
		if (!a->n)
			zone_note(l, NAG_CRITICAL, "name server", "%s at %s does not serve %s: %s",
				  p->v[i].name, p->v[i].server, zone, a->why);
		else if (!a->aa)
			zone_note(l, NAG_CRITICAL, "name server", "%s at %s has no authority over %s",
				  p->v[i].name, p->v[i].server, zone);
		else
			zone_note(l, NAG_CRITICAL, "serial", "%s at %s serves %s with serial %u, others %u",
				  p->v[i].name, p->v[i].server, zone, a->v[0].number, best);
	}
	if (!wrong)
		zone_note(l, NAG_OK, "", "%zu name server addresses serve %s with serial %u", p->n, zone,
			  best);
	result_perf(l->result, "serial", best, "", NULL, NULL);
	result_fact(l->result, "serials_wrong", (double)wrong);
	dns_asks_fini(v, p->n);
}

void zone_serials(struct zone_look *l, const char *server, const char *zone, int port)
{
	struct dns_ask ask = {.name = zone, .type = DNS_NS, .flags = DNS_RD, .server = server};
	struct places *p = calloc(1, sizeof(*p));

	dns_ask_all(l->net, &ask, 1, l->deadline);
	if (!dns_answered(&ask.answer)) {
		zone_note(l, NAG_UNKNOWN, "resolver", "the name servers of %s are not known: the resolver %s",
			  zone, ask.answer.why);
	} else if (!ask.answer.n) {
		zone_note(l, NAG_CRITICAL, "name server", "%s has no name servers: %s", zone, ask.answer.why);
	} else if (p) {
		find_places(l, server, &ask.answer, port, p);
		if (p->n)
			compare(l, zone, p);
	}
	free(p);
	dns_asks_fini(&ask, 1);
}
