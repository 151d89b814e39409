/*
 * What it means when some of the ways in are dead. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "mx.h"

struct tally {
	size_t addresses, dead, odd; /* odd: alive, but it put us off or limits us */
	size_t lookup;		     /* hosts nobody could tell the addresses of */
	const struct mx_visit *worst, *strange;
	const struct mx_host *nameless, *backup;
	struct buf list;
};

/* An address of a family that this host has no way out for says nothing about the other side. */
static bool counts(const struct mx_found *f, const struct mx_visit *v)
{
	return v->fault.kind != SMTP_FAULT_LOCAL && v->fault.kind != SMTP_FAULT_RESOLVER &&
	       (v->fault.kind != SMTP_FAULT_UNREACHABLE || v->address.sa.any.sa_family != AF_INET6 ||
		f->n == 1);
}

static bool is_dead(const struct mx_visit *v)
{
	return smtp_fault_state(&v->fault) == NAG_CRITICAL;
}

static void who(const struct mx_found *f, const struct mx_visit *v, char *out, size_t size)
{
	const struct mx_host *h = &f->host[v->host];
	char port[8] = "";

	if (h->port != 25)
		snprintf(port, sizeof(port), ":%u", h->port);
	if (resolve_literal(h->name, 0, NULL))
		snprintf(out, size, "%s%s", h->name, port);
	else
		snprintf(out, size, "%.100s%s [%s]", h->name, port, v->address.text);
}

static void one_visit(const struct mx_found *f, const struct mx_visit *v, struct tally *t, struct result *r)
{
	const struct mx_host *h = &f->host[v->host];
	char name[200];

	who(f, v, name, sizeof(name));
	result_more(r, "%s (%s): %s", name,
		    h->fallback ? "fallback"
		    : h->backup ? "backup"
				: "primary",
		    !counts(f, v)		 ? "not counted"
		    : v->fault.kind == SMTP_FINE ? "takes mail"
						 : v->fault.text);
	if (!counts(f, v))
		return;
	t->addresses++;
	if (is_dead(v)) {
		t->dead++;
		t->worst = t->worst ? t->worst : v;
		buf_printf(&t->list, "%s%s", t->list.len ? ", " : "", name);
	} else if (v->fault.kind != SMTP_FINE) {
		t->odd++;
		t->strange = t->strange ? t->strange : v;
	}
}

/* A host is dead when none of its addresses that count takes mail, or it has none. */
static void one_host(struct mx_found *f, size_t n, struct tally *t, struct result *r)
{
	struct mx_host *h = &f->host[n];
	size_t i, alive = 0, all = 0;

	for (i = 0; i < f->n; i++) {
		if (f->v[i].host != n || !counts(f, &f->v[i]))
			continue;
		all++;
		alive += !is_dead(&f->v[i]);
	}
	h->dead = all > 0 ? alive == 0 : h->lookup && h->answered;
	t->lookup += h->lookup && !h->answered;
	if (h->lookup)
		result_more(r, "%s: %s", h->name, h->why);
	if (h->lookup && h->answered) {
		t->dead++;
		t->addresses++;
		t->nameless = t->nameless ? t->nameless : h;
		buf_printf(&t->list, "%s%s", t->list.len ? ", " : "", h->name);
	}
	if (h->dead && h->backup && !t->backup)
		t->backup = h;
}

static void facts(const struct tally *t, struct result *r)
{
	result_perf(r, "addresses", (double)t->addresses, "", NULL, NULL);
	result_perf(r, "dead", (double)t->dead, "", NULL, NULL);
	result_fact(r, "addresses", (double)t->addresses);
	result_fact(r, "dead", (double)t->dead);
	result_fact(r, "backup_dead", t->backup != NULL);
	if (t->list.len)
		result_fact_text(r, "dead_list", buf_str(&t->list));
	if (t->backup)
		result_fact_text(r, "backup_host", t->backup->name);
}

static bool enough(const struct mx_conf *o, const struct tally *t)
{
	size_t alive = t->addresses - t->dead;

	return o->require == MX_ALL	 ? t->dead == 0
	       : o->require == MX_QUORUM ? alive * 2 > t->addresses
					 : alive > 0;
}

static void say_dead(const struct mx_conf *o, const struct mx_found *f, const struct tally *t,
		     struct result *r)
{
	enum nag_state state = enough(o, t) ? NAG_WARNING : NAG_CRITICAL;
	const char *layer = t->worst ? smtp_fault_layer(&t->worst->fault) : "resolve";
	char name[200], rest[60] = "";

	snprintf(rest, sizeof(rest), " (%zu of %zu addresses dead)", t->dead, t->addresses);
	if (t->worst) {
		who(f, t->worst, name, sizeof(name));
		result_fail(r, state, layer, "%s%s %s%s", f->host[t->worst->host].backup ? "backup " : "",
			    name, t->worst->fault.text, rest);
	} else {
		result_fail(r, state, layer, "%s%s: %s%s", t->nameless->backup ? "backup " : "",
			    t->nameless->name, t->nameless->why, rest);
	}
}

static void judge(const struct mx_conf *o, const struct mx_found *f, const struct tally *t, struct result *r)
{
	const char *what = o->domain ? o->domain : "fallbacks";
	char name[200];

	if (t->dead > 0) {
		say_dead(o, f, t, r);
	} else if (t->addresses == 0 || t->lookup > 0) {
		result_fail(r, NAG_UNKNOWN, "resolve",
			    "%s: not every host's addresses can be looked up or reached from here", what);
		r->measured = t->addresses > 0;
	} else if (t->odd > 0) {
		who(f, t->strange, name, sizeof(name));
		result_fail(r, NAG_WARNING, smtp_fault_layer(&t->strange->fault), "%s %s", name,
			    t->strange->fault.text);
	} else {
		result_set(r, NAG_OK, "%s: %zu address%s of %zu host%s take%s mail%s", what, t->addresses,
			   t->addresses == 1 ? "" : "es", f->hosts, f->hosts == 1 ? "" : "s",
			   t->addresses == 1 ? "s" : "", f->implicit ? " (no MX record)" : "");
	}
}

void mx_report(const struct mx_conf *o, struct mx_found *f, struct result *r)
{
	struct tally t = {0};
	double slowest = 0;
	size_t i;

	buf_init(&t.list, 400);
	for (i = 0; i < f->n; i++) {
		one_visit(f, &f->v[i], &t, r);
		slowest = f->v[i].ms > slowest ? f->v[i].ms : slowest;
	}
	for (i = 0; i < f->hosts; i++)
		one_host(f, i, &t, r);
	if (f->dropped || f->hosts_dropped)
		result_more(r, "not tried: %zu hosts, %zu addresses beyond the maximum", f->hosts_dropped,
			    f->dropped);
	judge(o, f, &t, r);
	result_perf(r, "slowest", slowest / 1000, "s", NULL, NULL);
	facts(&t, r);
	buf_fini(&t.list);
}
