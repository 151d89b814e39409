/* Sources of events; see sources.h. Called by inputs.c (events) and pager.c (time). */
#include "sources.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "state.h"
#include "pagerd/rules/budget.h"

enum { SOURCES_KNOWN = 100 };

struct source {
	char name[EVENT_SOURCE_MAX];
	struct budget budget;
};

struct sources {
	struct pager *p;
	struct source *v[SOURCES_KNOWN]; /* made when one is first heard of */
	size_t n;
};

struct sources *sources_new(struct pager *p)
{
	struct sources *s = calloc(1, sizeof *s);
	if (s)
		s->p = p;
	return s;
}

void sources_free(struct sources *s)
{
	for (size_t i = 0; s && i < s->n; i++)
		free(s->v[i]);
	free(s);
}

/* --- who may say what ------------------------------------------------------------------------------- */

/* root, ourselves, and monitord, to whom the spool belongs. */
static bool is_trusted(const struct config *conf, int64_t uid)
{
	struct stat st;
	if (uid == 0 || uid == (int64_t)geteuid())
		return true;
	return stat(conf->spool, &st) == 0 && uid == (int64_t)st.st_uid;
}

static bool is_user(const struct conf_source *k, int64_t uid)
{
	const struct passwd *pw = getpwnam(k->user);
	return pw && (int64_t)pw->pw_uid == uid;
}

static void user_name(int64_t uid, char *out, size_t size)
{
	const struct passwd *pw = getpwuid((uid_t)uid);
	if (pw)
		snprintf(out, size, "%s", pw->pw_name);
	else
		snprintf(out, size, "uid %lld", (long long)uid);
}

/* The configured source of that user, else one by the user's name. */
static void name_source(const struct config *conf, struct event *e)
{
	for (size_t i = 0; i < conf->nsources; i++) {
		if (!is_user(&conf->sources[i], e->uid))
			continue;
		snprintf(e->source, sizeof e->source, "%s", conf->sources[i].name);
		return;
	}
	user_name(e->uid, e->source, sizeof e->source);
}

/* A problem that is told, ended or acknowledged must be the source's own. */
static bool is_own(const struct pager *p, const struct event *e)
{
	if (e->kind == EVENT_NOTICE)
		return true;
	if (config_check(p->conf, e->check) || strncmp(e->check, "self", 4) == 0)
		return false;
	for (size_t k = 0; k < p->ninc; k++)
		if (incident_is_problem(p->inc[k]) && strcmp(p->inc[k]->check, e->check) == 0 &&
		    strcmp(p->inc[k]->source, e->source) != 0)
			return false;
	return true;
}

/* It names some of its source's contacts and no others. */
static bool all_listed(const struct conf_source *k, const struct event *e)
{
	size_t listed = 0;
	for (size_t i = 0; i < e->ncontacts; i++)
		for (size_t j = 0; j < k->ncontacts; j++)
			listed += strcmp(e->contacts[i], k->contacts[j]) == 0;
	return e->ncontacts > 0 && listed >= e->ncontacts;
}

bool sources_admit(const struct sources *s, struct event *e, char *const **contacts, size_t *n, char *why,
		   size_t size)
{
	const struct config *conf = s->p->conf;
	const struct conf_source *k = e->source[0] ? config_source(conf, e->source) : NULL;
	char user[EVENT_SOURCE_MAX];
	bool trusted = is_trusted(conf, e->uid);
	*n = 0;
	if (!trusted && k && !is_user(k, e->uid)) {
		user_name(e->uid, user, sizeof user);
		snprintf(why, size, "user %s speaks for source \"%s\", which is user %s's", user, k->name,
			 k->user);
		return false;
	}
	if (!trusted && !k)
		name_source(conf, e);
	if (!trusted && !is_own(s->p, e)) {
		snprintf(why, size, "source \"%s\" speaks of \"%.100s\", which is not its own", e->source,
			 e->check);
		return false;
	}
	k = e->source[0] ? config_source(conf, e->source) : NULL;
	if (k && k->ncontacts && !all_listed(k, e)) {
		*contacts = k->contacts;
		*n = k->ncontacts;
	}
	return true;
}

/* --- how much --------------------------------------------------------------------------------------- */

static struct source *find(struct sources *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i]->name, name) == 0)
			return s->v[i];
	struct source *x = s->n < SOURCES_KNOWN ? calloc(1, sizeof *x) : NULL;
	if (x) {
		snprintf(x->name, sizeof x->name, "%s", name);
		s->v[s->n++] = x;
	}
	return x;
}

/* What pagerd pages about a source is a check of its own. */
static void concern(const char *source, char *out, size_t size)
{
	snprintf(out, size, "self.source-%s", source);
}

bool sources_spend(struct sources *s, const char *source, char *why, size_t size)
{
	const struct conf_source *k = source[0] ? config_source(s->p->conf, source) : NULL;
	struct source *x = k && k->budget ? find(s, source) : NULL;
	char text[400], check[EVENT_NAME_MAX], span[32];
	if (!x || budget_spend(&x->budget, k->budget, k->budget_ms, clock_boot_ms()))
		return true;
	clock_span(k->budget_ms, span, sizeof span);
	snprintf(why, size, "beyond the budget of source %s: %lld within %s", source, (long long)k->budget,
		 span);
	concern(source, check, sizeof check);
	snprintf(text, sizeof text,
		 "source %s has used its budget of %lld pages within %s: what else it says is recorded and "
		 "not paged one by "
		 "one, see monitorctl incidents",
		 source, (long long)k->budget, span);
	pager_self_problem_to(s->p, check, NAG_WARNING, text, k->contacts, k->ncontacts);
	return false;
}

/* It is quiet again: how many there were. */
static void tell_over(struct sources *s, struct source *x, const struct conf_source *k)
{
	char text[400], check[EVENT_NAME_MAX];
	concern(x->name, check, sizeof check);
	snprintf(
	    text, sizeof text,
	    "source %s is within its budget again; %u of its events were recorded and not paged one by one",
	    x->name, x->budget.folded);
	x->budget.folded = 0;
	pager_self_over_to(s->p, check, text, k ? k->contacts : NULL, k ? k->ncontacts : 0);
}

int64_t sources_watch(struct sources *s, int64_t now)
{
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < s->n; i++) {
		struct source *x = s->v[i];
		const struct conf_source *k = config_source(s->p->conf, x->name);
		int64_t span = k && k->budget ? k->budget_ms : 0;
		if (!x->budget.folded)
			continue;
		int64_t left = x->budget.last_folded + span - now;
		if (budget_is_over(&x->budget, span, now))
			tell_over(s, x, k);
		else if (left < next)
			next = left;
	}
	return next;
}
