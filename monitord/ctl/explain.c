/* explain; see explain.h. Called by monitorctl.c. */
#include "explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json.h"
#include "lib/oncall/plan.h"
#include "check.h"
#include "people.h"
#include "time.h"

enum { HOUR_S = 3600, DAY_S = 86400, LOOK_S = 12 * HOUR_S, NEXT_S = 60 * DAY_S };

struct asked {
	const struct ctl *ctl;
	struct people p;
	const struct conf_check
	    *check; /* NULL: one of the daemons' own, which concern the default contacts */
	char *const *names;
	size_t nnames;
	enum nag_state state;
	int64_t at_s;
	struct plan plan;
};

/* "22:15", with the day when it is not the first one's. */
static const char *when(const struct asked *a, int64_t s, char *out, size_t size)
{
	char first[32], text[32];
	clock_text(a->at_s * 1000, first, sizeof first);
	clock_text(s * 1000, text, sizeof text);
	text[16] = '\0';
	snprintf(out, size, "%s", strncmp(first, text, 10) == 0 ? text + 11 : text + 5);
	return out;
}

/* --- why somebody is told --- */

static void add_reason(const struct asked *a, const struct plan_page *p, struct buf *out)
{
	const struct config *conf = a->p.conf;
	char until[TZ_TEXT_MAX];
	const char *name = a->names[p->how.target];
	if (p->how.step >= 0)
		buf_printf(out, "step %d of ladder %s", p->how.step + 1, name);
	else
		buf_puts(out, "named by the check");
	if (p->how.rota >= 0) {
		const struct rota *r = &conf->rotas[p->how.rota].rota;
		int64_t end = rota_until(r, p->at_s, p->at_s + NEXT_S);
		buf_printf(out, ", %s duty in rota %s until %s", p->handover ? "comes on" : "on",
			   conf->rotas[p->how.rota].name, tz_text(r->zone, end, until, sizeof until));
	}
	if (p->how.group >= 0)
		buf_printf(out, ", in group %s", conf->groups[p->how.group].name);
	if (p->again)
		buf_puts(out, "; again");
}

/* --- by which routes --- */

static void add_route(const struct asked *a, const struct conf_route *r, size_t place, struct buf *out)
{
	const char *need = people_failing_need(&a->p, r), *trouble = people_line_trouble(&a->p, r->line);
	const struct conf_line *line = config_line(a->p.conf, r->line);
	buf_printf(out, "           %zu. %s %s", place, r->line, r->to);
	if (need)
		buf_printf(out, "  (comes last: it needs \"%s\", which fails)", need);
	else if (trouble)
		buf_printf(out, "  (comes last: %s)", trouble);
	if (line && line->blind)
		buf_puts(out, "  (nobody knows whether it is got)");
	buf_puts(out, "\n");
}

static bool doubtful(const struct asked *a, const struct conf_route *r)
{
	return people_failing_need(&a->p, r) || people_line_trouble(&a->p, r->line);
}

/* As pagerd takes them: the good ones as configured, then those in doubt. */
static void add_routes(const struct asked *a, const struct conf_contact *k, struct buf *out)
{
	size_t place = 0;
	for (int late = 0; late < 2; late++)
		for (size_t i = 0; i < k->nroutes; i++)
			if (doubtful(a, &k->routes[i]) == (late == 1))
				add_route(a, &k->routes[i], ++place, out);
}

static void show_page(const struct asked *a, const struct plan_page *p, struct buf *out)
{
	const struct conf_contact *k = &a->p.conf->contacts[p->how.contact];
	char t[32], span[32];
	struct buf why;
	int used = 0;
	buf_init(&why, 2000);
	add_reason(a, p, &why);
	if (p->held_until_s)
		buf_printf(&why, "; quiet hours: it waits until %s", when(a, p->held_until_s, t, sizeof t));
	if (!p->again && k->repeat_ms)
		buf_printf(&why, "; then every %s", clock_span(k->repeat_ms, span, sizeof span));
	used = (int)strlen(when(a, p->at_s, t, sizeof t));
	buf_printf(out, "  %s%*s %s: ", t, used < 5 ? 5 - used : 0, "", k->name);
	ctl_wrap(out, buf_str(&why), 5 + used + ctl_width(k->name), 11, 0, &a->ctl->style);
	if (!p->again)
		add_routes(a, k, out);
	buf_fini(&why);
}

/* --- why somebody is not --- */

/* When this contact next comes on duty in one of the rotas that the names lead to; 0: not in sight. */
static int64_t next_duty(const struct asked *a, size_t contact, const char **rota)
{
	const struct config *conf = a->p.conf;
	int64_t best = 0;
	for (size_t i = 0; i < conf->nrotas; i++) {
		const struct who_ref ref = {WHO_ROTA, i};
		if (!who_reaches(conf, &ref, contact))
			continue;
		struct target t = {.begins = false};
		struct audience who;
		snprintf(t.name, sizeof t.name, "%s", conf->rotas[i].name);
		int64_t s = a->at_s, limit = s + NEXT_S;
		while (s < limit && (who_audience(conf, &t, 1, s, &who), !who_in(&who, contact)))
			s = rota_until(&conf->rotas[i].rota, s, limit);
		if (s < limit && (!best || s < best)) {
			best = s;
			*rota = conf->rotas[i].name;
		}
	}
	return best;
}

static void show_other(const struct asked *a, size_t contact, struct buf *out)
{
	const struct config *conf = a->p.conf;
	char span[32], t[32];
	const char *rota = "";
	int64_t next = next_duty(a, contact, &rota);
	buf_printf(out, "  %s: ", conf->contacts[contact].name);
	if (next > a->at_s)
		buf_printf(out, "not on duty; in rota %s from %s\n", rota, when(a, next, t, sizeof t));
	else
		buf_printf(out, "not within %s\n", clock_span(LOOK_S * 1000LL, span, sizeof span));
}

static void show_others(const struct asked *a, struct buf *out)
{
	const struct config *conf = a->p.conf;
	size_t unnamed = 0;
	bool first = true;
	for (size_t k = 0; k < conf->ncontacts; k++) {
		if (plan_first(&a->plan, k))
			continue;
		if (!who_concerns(conf, a->names, a->nnames, k)) {
			unnamed++;
			continue;
		}
		buf_puts(out, first ? "not told:\n" : "");
		first = false;
		show_other(a, k, out);
	}
	if (unnamed) {
		buf_puts(out, first ? "not told: " : "  ");
		ctl_count(out, (int)unnamed, "contact that this check names by no name",
			  "contacts that this check names by no name");
		buf_puts(out, "\n");
	}
}

/* --- all of it --- */

/* What is true just now and keeps pages back. */
static void show_now(const struct asked *a, struct buf *out)
{
	const cJSON *c = ctl_find_check(a->p.monitord, a->ctl->name);
	char text[80];
	if (!a->p.monitord || !a->p.pagerd)
		buf_printf(out, "  (what fails just now is not known: %s)\n", a->p.why);
	if (!c || a->ctl->at)
		return;
	if (ctl_downtime(c, text, sizeof text))
		buf_printf(out, "  just now it is %s: nobody is paged meanwhile\n", text);
	else if (json_bool(c, "suppressed", false))
		buf_printf(out, "  just now nobody is paged: %s\n", json_str(c, "why", ""));
}

static void show(const struct asked *a, struct buf *out)
{
	char t[32], zone[16] = "";
	time_t at = (time_t)a->at_s;
	struct tm tm;
	clock_text(a->at_s * 1000, t, sizeof t);
	strftime(zone, sizeof zone, "%Z", localtime_r(&at, &tm));
	buf_printf(out, "%s becomes %s on %.16s %s, and nobody acknowledges:\n", a->ctl->name,
		   nag_name(a->state), t, zone);
	show_now(a, out);
	for (size_t i = 0; i < a->plan.n; i++)
		show_page(a, &a->plan.v[i], out);
	if (a->plan.round_s)
		buf_printf(out, "  %s from the first step again\n", when(a, a->plan.round_s, t, sizeof t));
	show_others(a, out);
}

static bool parse(struct asked *a)
{
	int64_t ms = clock_wall_ms();
	const struct ctl *ctl = a->ctl;
	a->state = NAG_CRITICAL;
	if (ctl->at && !ctl_time(ctl->at, clock_wall_ms(), &ms)) {
		fprintf(stderr, "monitorctl: --at \"%s\": write HH:MM or \"YYYY-MM-DD HH:MM\"\n", ctl->at);
		return false;
	}
	if (ctl->state && (!nag_from_name(ctl->state, &a->state) || a->state == NAG_OK)) {
		fprintf(stderr, "monitorctl: --state \"%s\": must be WARNING, CRITICAL or UNKNOWN\n",
			ctl->state);
		return false;
	}
	a->at_s = ms / 1000;
	return true;
}

static bool known(struct asked *a)
{
	const struct config *conf = a->p.conf;
	const char *name = a->ctl->name;
	a->check = config_check(conf, name);
	a->names = people_names(conf, a->check, &a->nnames);
	if (a->check || strcmp(name, "self") == 0 || strncmp(name, "self.", 5) == 0)
		return true;
	const char **v = calloc(conf->nchecks + 1, sizeof *v);
	for (size_t i = 0; v && i < conf->nchecks; i++)
		v[i] = conf->checks[i].name;
	const char *near = v ? ctl_nearest(name, v, conf->nchecks) : NULL;
	fprintf(stderr, "monitorctl: there is no check \"%s\"%s%s%s\n", name, near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
	free(v);
	return false;
}

int ctl_do_explain(struct ctl *ctl)
{
	struct asked *a = calloc(1, sizeof *a);
	struct buf out;
	int rc = EXIT_USAGE;
	if (!a)
		return EXIT_REFUSED;
	a->ctl = ctl;
	buf_init(&out, ANSWER_MAX);
	if (parse(a)) {
		rc = EXIT_REFUSED;
		if (people_load(ctl, true, &a->p) && known(a)) {
			plan_make(a->p.conf, a->names, a->nnames, a->state, a->at_s, LOOK_S, &a->plan);
			show(a, &out);
			rc = EXIT_DONE;
		}
	}
	fputs(buf_str(&out), stdout);
	buf_fini(&out);
	people_free(&a->p);
	free(a);
	return rc;
}
