/*
 * What the answers to the forms mean. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "relay.h"

static void who(const struct relay_conf *o, const struct relay_seen *v, char *out, size_t size)
{
	if (resolve_literal(o->host, 0, NULL))
		snprintf(out, size, "%s", o->host);
	else
		snprintf(out, size, "%.80s [%s]", o->host, v->address.text);
}

static void one_address(const struct relay_seen *v, struct result *r)
{
	size_t i;

	if (v->fault.kind != SMTP_FINE)
		result_more(r, "%s: %s (after %zu forms)", v->address.text, v->fault.text, v->forms);
	else
		result_more(r, "%s: %zu forms tried, %zu taken, %zu unclear%s%s", v->address.text, v->forms,
			    v->open, v->unclear, v->vrfy ? ", VRFY is on" : "",
			    v->expn ? ", EXPN is on" : "");
	for (i = 0; i < v->open && i < RELAY_HITS_MAX; i++)
		result_more(r, "  taken: %s", v->hits[i]);
	if (v->put_off[0])
		result_more(r, "  put off: %s", v->put_off);
	if (v->catch_all_literal)
		result_more(r, "  takes any user of its own address, so forms that end in it say nothing");
	if (v->catch_all)
		result_more(r, "  takes any user of its own domain, so forms that end in it say nothing");
}

/* The address that is worst: an open one, then a broken dialogue, then put off, then one that tells names. */
static int rank(const struct relay_conf *o, const struct relay_seen *v)
{
	return v->open					? 4
	       : v->fault.kind != SMTP_FINE		? 3
	       : v->put_off[0]				? 2
	       : (v->vrfy || v->expn) && !o->allow_vrfy ? 1
							: 0;
}

static void open_relay(const struct relay_seen *v, const char *name, struct result *r)
{
	result_fail(r, NAG_CRITICAL, "open-relay", "%s is an open relay: takes RCPT TO:<%s> (%s)%s", name,
		    v->recipient, v->form, v->open > 1 ? " and more forms" : "");
	result_fact_text(r, "open_relay_form", v->form);
}

static void judge(const struct relay_conf *o, const struct relay_seen *v, struct result *r)
{
	char name[160];

	who(o, v, name, sizeof(name));
	switch (rank(o, v)) {
	case 4:
		open_relay(v, name, r);
		break;
	case 3:
		smtp_fault_report(&v->fault, name, r);
		break;
	case 2:
		result_fail(r, NAG_WARNING, "unclear", "%s puts %zu of %zu forms off: %s", name, v->unclear,
			    v->forms, v->put_off);
		break;
	case 1:
		result_fail(r, NAG_WARNING, "names", "%s relays nothing, but tells users by %s", name,
			    v->vrfy ? "VRFY" : "EXPN");
		break;
	default:
		result_set(r, NAG_OK, "%s relays nothing for strangers, %zu forms tried", name, v->forms);
	}
}

void relay_report(const struct relay_conf *o, const struct relay_seen *v, size_t n, struct result *r)
{
	const struct relay_seen *worst = &v[0];
	size_t i, forms = 0, open = 0, unclear = 0, asked = 0, vrfy = 0, expn = 0;
	double ms = 0;

	for (i = 0; i < n; i++) {
		if (rank(o, &v[i]) > rank(o, worst))
			worst = &v[i];
		forms += v[i].forms;
		open += v[i].open;
		unclear += v[i].unclear;
		asked += v[i].asked_names;
		vrfy += v[i].vrfy;
		expn += v[i].expn;
		ms += v[i].ms;
		one_address(&v[i], r);
	}
	judge(o, worst, r);
	result_perf(r, "time", ms / 1000, "s", NULL, NULL);
	result_perf(r, "forms", (double)forms, "", NULL, NULL);
	result_perf(r, "taken", (double)open, "", NULL, NULL);
	result_perf(r, "unclear", (double)unclear, "", NULL, NULL);
	result_fact(r, "addresses", (double)n);
	/* a dialogue that broke before any form has told nothing */
	if (open > 0 || forms > 0)
		result_fact(r, "open_relay", open > 0);
	if (asked > 0) {
		result_fact(r, "vrfy", vrfy > 0);
		result_fact(r, "expn", expn > 0);
	}
}
