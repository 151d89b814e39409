/*
 * A mail by each MX of a domain, each judged as a round trip of its own (see roundtrip.h). Called by
 * check_roundtrip. Promises: at most RT_WAYS_MAX hosts, the best first; a store that cannot be looked into is
 * told once.
 */
#include "probes/mx/mx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probes/dns/ask.h"
#include "roundtrip.h"

static void take_hosts(struct rt_run *r, const struct mx_found *found)
{
	for (size_t i = 0; i < found->hosts; i++) {
		struct rt_mx_host *h = &r->mx.host[r->mx.n];

		if (r->mx.n == RT_WAYS_MAX) {
			r->mx.dropped++;
			continue;
		}
		r->mx.n++;
		snprintf(h->name, sizeof(h->name), "%s", found->host[i].name);
		h->preference = found->host[i].preference;
		h->backup = found->host[i].backup;
	}
	r->mx.dropped += found->hosts_dropped;
}

static const struct rt_mx_host *host_of(const struct rt_mx *mx, const char *name)
{
	for (size_t i = 0; i < mx->n; i++)
		if (strcasecmp(mx->host[i].name, name) == 0)
			return &mx->host[i];
	return NULL;
}

static bool is_mx(const char *name, const void *arg)
{
	return host_of(arg, name) != NULL;
}

static void give_ways(struct rt_run *r)
{
	rt_drop_ways(&r->state, is_mx, &r->mx);
	for (size_t i = 0; i < r->mx.n; i++)
		r->mx.host[i].way = rt_way(&r->state, r->mx.host[i].name);
}

bool rt_mx_find(struct rt_run *r, int64_t deadline)
{
	struct mx_conf conf = {.domain = r->conf->each_mx, .port = r->conf->smtp_port};
	struct mx_found *found = calloc(1, sizeof(*found));
	bool ok;

	if (!found) {
		result_fail(r->run->result, NAG_UNKNOWN, "local", "out of memory");
		r->run->result->measured = false;
		return false;
	}
	probe_at_name(r->run, "DNS", conf.domain);
	dns_servers_join(&r->conf->dns_servers, r->mx.servers, sizeof(r->mx.servers));
	ok = mx_find(&conf, r->mx.servers[0] ? r->mx.servers : NULL, deadline, found, r->run->result);
	if (ok) {
		take_hosts(r, found);
		give_ways(r);
	}
	free(found);
	return ok;
}

/* --- the result --- */

struct sum {
	size_t lost, late, pending, duplicates, failed;
	double slowest, oldest;
	enum nag_state state;
	bool measured;
	char layer[24];
	char bad[640]; /* what is said of those that are not OK, the worst first */
	char slowest_name[RT_WAY_NAME_MAX];
	const struct rt_mx_host *backup_dead;
	char lost_list[FACT_TEXT_MAX];
};

static void add_text(char *list, size_t size, const char *between, const char *name, const char *text)
{
	size_t n = strlen(list);

	snprintf(list + n, size - n, "%s%s%s%s", n ? between : "", name, text[0] ? ": " : "", text);
}

/* The worst stands first. */
static void add_bad(struct sum *x, const char *name, const struct result *one)
{
	char before[sizeof(x->bad)];
	bool worse = one->state != x->state && nag_worse(one->state, x->state) == one->state;

	if (!worse) {
		add_text(x->bad, sizeof(x->bad), "; ", name, buf_str(&one->text));
		return;
	}
	memcpy(before, x->bad, sizeof(before));
	x->bad[0] = '\0';
	add_text(x->bad, sizeof(x->bad), "; ", name, buf_str(&one->text));
	if (before[0])
		add_text(x->bad, sizeof(x->bad), "; ", before, "");
	x->state = one->state;
	x->measured = one->measured;
	snprintf(x->layer, sizeof(x->layer), "%s", one->layer);
}

static void add_counts(struct sum *x, const char *name, const struct rt_counts *c)
{
	x->lost += c->lost;
	x->late += c->late;
	x->pending += c->pending;
	x->duplicates += c->duplicates;
	if ((double)c->oldest_ms / 1000 > x->oldest)
		x->oldest = (double)c->oldest_ms / 1000;
	if (c->lost)
		add_text(x->lost_list, sizeof(x->lost_list), ", ", name, "");
}

/* One MX, as if it were the only one. */
static void one_way(struct rt_run *r, size_t way, const struct stamp *now, struct rt_state *state,
		    struct sum *x)
{
	const char *name = r->state.way[way].name;
	const struct rt_mx_host *h = host_of(&r->mx, name);
	struct rt_findings *f = &r->mx.found[way];
	struct result one;
	struct rt_counts c;

	rt_of_way(&r->state, way, state);
	rt_count(state, now, &r->limits.limits, &c);
	add_counts(x, name, &c);
	f->store = r->found.store; /* without a look nobody knows what is late */
	result_init(&one);
	rt_report(state, f, &r->limits, now, &one);
	x->failed += one.state != NAG_OK;
	if (one.state != NAG_OK)
		add_bad(x, name, &one);
	if (h && h->backup && (f->smtp.failed ? f->smtp.state == NAG_CRITICAL : c.lost_open > 0) &&
	    !x->backup_dead)
		x->backup_dead = h;
	if (f->arrived && (double)f->delay.ms / 1000 >= x->slowest) {
		x->slowest = (double)f->delay.ms / 1000;
		snprintf(x->slowest_name, sizeof(x->slowest_name), "%s", name);
	}
	if (h)
		result_more(r->run->result, "%s (%s, preference %u): %s %s", name,
			    h->backup ? "backup" : "primary", h->preference, nag_name(one.state),
			    buf_str(&one.text));
	else
		result_more(r->run->result, "%s (no MX any more): %s %s", name, nag_name(one.state),
			    buf_str(&one.text));
	result_perf(r->run->result, name, f->arrived ? (double)f->delay.ms / 1000 : NAN, "s", NULL, NULL);
	result_fini(&one);
}

static void figures(const struct rt_run *r, const struct sum *x, struct result *out)
{
	const struct {
		const char *name;
		double value;
	} v[] = {{"pending", (double)x->pending},
		 {"late", (double)x->late},
		 {"lost", (double)x->lost},
		 {"duplicates", (double)x->duplicates}};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		result_perf(out, v[i].name, v[i].value, "", NULL, NULL);
		if (!r->found.store.failed)
			result_fact(out, v[i].name, v[i].value);
	}
	result_fact(out, "addresses", (double)r->mx.n);
	result_fact(out, "store_failed", r->found.store.failed);
	result_fact(out, "backup_dead", x->backup_dead != NULL);
	if (x->backup_dead)
		result_fact_text(out, "backup_host", x->backup_dead->name);
	if (x->lost_list[0])
		result_fact_text(out, "lost_list", x->lost_list);
	if (x->slowest_name[0])
		result_fact(out, "delay_s", x->slowest);
	if (x->oldest > 0)
		result_fact(out, "oldest_s", x->oldest);
}

static void say(const struct rt_run *r, const struct sum *x, struct result *out)
{
	const char *domain = r->conf->each_mx;

	if (x->failed && !r->found.store.failed)
		result_fail(out, x->state, x->layer, "%s: trouble by %zu of %zu MX: %s", domain, x->failed,
			    r->mx.n, x->bad);
	else if (x->bad[0])
		result_fail(out, x->state, x->layer, "%s: %s", domain, x->bad);
	else if (x->slowest_name[0])
		result_set(out, NAG_OK, "%s: mail by %zu MX, slowest %s %.2f s", domain, r->mx.n,
			   x->slowest_name, x->slowest);
	else
		result_set(out, NAG_OK, "%s: mail by %zu MX, %zu on the way", domain, r->mx.n, x->pending);
	out->measured = x->measured;
}

/* Said once, and then only which MX did not take their mail. */
static void store_failed(const struct rt_run *r, struct sum *x)
{
	x->bad[0] = '\0';
	add_text(x->bad, sizeof(x->bad), "", "store failed", r->found.store.why);
	for (size_t i = 0; i < r->state.ways; i++)
		if (r->mx.found[i].smtp.failed)
			add_text(x->bad, sizeof(x->bad), "; ", r->mx.found[i].smtp.why, "");
}

/* What concerns the store and no way in particular. */
static void of_the_store(struct rt_run *r, struct sum *x, struct result *out)
{
	const struct rt_findings *f = &r->found;
	struct result one;

	if (f->store.failed)
		store_failed(r, x);
	result_init(&one);
	if (f->forged)
		result_set(&one, NAG_WARNING, "%zu with our token but not our signature, left alone",
			   f->forged);
	else if (f->undeleted[0])
		result_set(&one, NAG_WARNING, "cannot delete our mail: %s", f->undeleted);
	if (one.text.len)
		add_bad(x, "mailbox", &one);
	if (f->unseen)
		result_more(out, "%zu older messages were not looked at", f->unseen);
	if (f->orphans)
		result_more(out, "%zu of our mails that nobody remembered were cleaned away", f->orphans);
	if (r->mx.dropped)
		result_more(out, "%zu more MX get no mail: at most %d do", r->mx.dropped, RT_WAYS_MAX);
	if (f->state_lost)
		result_more(out, "the stored state was thrown away: %s", f->state_lost);
	result_fini(&one);
}

void rt_mx_report(struct rt_run *r, const struct stamp *now)
{
	struct rt_state *scratch = calloc(1, sizeof(*scratch));
	struct result *out = r->run->result;
	struct sum x = {.state = NAG_OK, .measured = true};

	if (!scratch) {
		result_fail(out, NAG_UNKNOWN, "local", "out of memory");
		return;
	}
	for (size_t i = 0; i < r->state.ways; i++)
		one_way(r, i, now, scratch, &x);
	of_the_store(r, &x, out);
	say(r, &x, out);
	figures(r, &x, out);
	free(scratch);
}
