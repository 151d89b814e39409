/* Configurations and checks that come and go; see apply.h. */
#include "apply.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "core.h"
#include "due.h"
#include "hostlists.h"
#include "monitord/store/evlog.h"
#include "monitord/peers/opspeer.h"
#include "monitord/peers/pagerwatch.h"
#include "monitord/peers/prober.h"
#include "passive.h"
#include "monitord/store/record.h"
#include "say.h"
#include "self.h"
#include "snapshot.h"
#include "waiters.h"

/* --- burials --------------------------------------------------------------------------------------- */

/* A check that is not configured any more: its problem is taken back; when that is in the spool, its record
 * goes. */
static void bury(struct super *s, struct check *c)
{
	struct check **v = realloc(s->buried, (s->nburied + 1) * sizeof *v);
	struct judge_say say;
	struct stamp now = clock_stamp();
	due_drop_run(s, c);
	waiters_gone(c, "it is no longer in the configuration");
	log_notice("%s: no longer in the configuration", c->name);
	check_set_result(c, "", "no longer watched: it was taken out of the configuration", NULL, NULL);
	if (judge_removed(&c->judge, &now, &say))
		say_event(s, c, &say, ""); /* to whom it concerned until now */
	c->conf = NULL;
	c->host = "";
	c->nparents = c->ndepends = 0;
	if (!v) {
		check_free(c);
		return;
	}
	s->buried = v;
	s->buried[s->nburied++] = c;
}

void apply_bury_finally(struct super *s)
{
	for (size_t i = 0; i < s->nburied;) {
		struct check *c = s->buried[i];
		say_tick(s, c, clock_boot_ms());
		if (c->out) {
			i++;
			continue;
		}
		/* configured again meanwhile: the record is the new one's */
		if (!checks_find(&s->checks, c->name))
			state_forget(&s->state, c);
		check_free(c);
		s->buried[i] = s->buried[--s->nburied];
	}
}

static struct check *orphan(struct super *s, const char *file)
{
	struct buf b;
	char *path = file_join(s->state.dir, file), why[512];
	struct check *c = NULL;
	buf_init(&b, RECORD_MAX);
	if (path && file_read(path, &b)) {
		cJSON *o = json_parse(b.data ? b.data : "", b.len, b.max, NULL);
		const char *name = json_str(o, "name", "");
		if (*name && strlen(name) < EVENT_NAME_MAX && !checks_find(&s->checks, name))
			c = check_new(name, CHECK_NET);
		cJSON_Delete(o);
	}
	buf_fini(&b);
	free(path);
	if (c)
		state_load(&s->state, c, s->history, why, sizeof why);
	return c;
}

void apply_bury_orphans(struct super *s)
{
	DIR *d = opendir(s->state.dir);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);
		struct check *c =
		    n > 5 && strcmp(e->d_name + n - 5, ".json") == 0 ? orphan(s, e->d_name) : NULL;
		if (!c)
			continue;
		say_again(s, c);
		bury(s, c);
	}
	if (d)
		closedir(d);
}

/* --- the configuration ----------------------------------------------------------------------------- */

/* Taken out and put back at once: what was said in between may not be on disk yet, and its numbers are used.
 */
static void rise_from_grave(struct super *s, struct check *c)
{
	for (size_t i = 0; i < s->nburied; i++)
		if (strcmp(s->buried[i]->name, c->name) == 0 &&
		    s->buried[i]->judge.change >= c->judge.change) {
			struct stamp now = clock_stamp();
			judge_init(&c->judge, s->buried[i]->judge.change, &now);
		}
}

/* A check that is new to this process: what is known of it comes from the disk. */
static void on_fresh(void *arg, struct check *c)
{
	struct super *s = arg;
	char why[512], text[768];
	struct stamp now = clock_stamp();
	enum state_found found = state_load(&s->state, c, s->history, why, sizeof why);
	rise_from_grave(s, c);
	if (c->kind == CHECK_SELF && strcmp(c->name, "self") == 0)
		c->max = 2;
	passive_fresh(c, &now);
	if (c->conf && c->kind != CHECK_PASSIVE) {
		bool hurry = judge_problem(&c->judge) || judge_retrying(&c->judge, c->max);
		int64_t last = c->has_run ? now.boot_ms - clock_age_ms(&c->last_run, &now) : SCHED_NEVER;
		sched_first(&c->slot, c->name, last, hurry, now.boot_ms);
		due_quarantine_again(c);
	}
	say_again(s, c);
	if (!why[0] || found == STATE_NEW)
		return;
	log_err("%s: %s", c->name, why);
	snprintf(text, sizeof text, "%s; attempts, downtime and the probe's state start afresh", why);
	if (found == STATE_LOST)
		say_notice(s, c, text);
}

static bool place_wanted(const struct config *conf, enum check_place which)
{
	for (size_t i = 0; i < conf->nchecks; i++)
		if (conf->checks[i].place == which)
			return true;
	return false;
}

/* Runs whose prober is not the one their check belongs to (any more) are nobody's; they are made again. */
static void drop_runs(struct super *s, const struct place *left)
{
	for (size_t i = 0; i < s->checks.nslots; i++) {
		struct check *c = check_of_slot(s->checks.slots[i]);
		const struct place *mine = due_place_of(s, c);
		if (c->run && (run_place(c->run) == left || run_place(c->run) != mine))
			due_drop_run(s, c);
	}
}

/* self.prober has the first word: it explains what becomes of the runs. */
static void on_lost(void *arg, struct run *r, const char *why, bool culprit)
{
	self_prober(arg, clock_boot_ms());
	self_remotes(arg, clock_boot_ms());
	core_lost(arg, r, why, culprit);
}

static void on_room(void *arg)
{
	due_start_soon(arg);
}

static const struct place_calls place_calls = {
    .done = core_done, .lost = on_lost, .store = core_store, .room = on_room};

/* Remotes that stay move to where the new configuration has them; the others go, and their runs with them. */
static void sort_remotes(struct super *s, const struct config *conf)
{
	struct place *old[SUPER_PLACES_MAX] = {0};
	size_t nold = s->nplaces;
	memcpy(old, s->places, sizeof old);
	s->nplaces = SUPER_REMOTES + conf->nremotes;
	for (size_t i = SUPER_REMOTES; i < SUPER_PLACES_MAX; i++)
		s->places[i] = NULL;
	for (size_t i = SUPER_REMOTES; i < s->nplaces; i++)
		for (size_t k = SUPER_REMOTES; k < nold; k++)
			if (old[k] && strcmp(prober_place_name(old[k]), conf->remotes[i - SUPER_REMOTES].name) == 0) {
				s->places[i] = old[k];
				old[k] = NULL;
			}
	for (size_t k = SUPER_REMOTES; k < nold; k++)
		if (old[k]) {
			drop_runs(s, old[k]);
			place_free(old[k]);
		}
}

static struct place_spec spec_of(const struct config *conf, size_t number, const char *libexec)
{
	if (number >= SUPER_REMOTES)
		return (struct place_spec){.which = PLACE_NET, .libexec = libexec, .remote = &conf->remotes[number - SUPER_REMOTES]};
	return (struct place_spec){.which = (enum check_place)number,
				   .libexec = libexec,
				   .socket = number == PLACE_LOCAL ? conf->prober_local_socket : conf->prober_net_socket};
}

/* Probers stay, unless their socket or program is another one now, or nothing needs them. */
static void apply_places(struct super *s)
{
	const struct config *conf = s->conf;
	char *libexec = file_libexec(conf->libexec);
	sort_remotes(s, conf);
	drop_runs(s, NULL);
	for (size_t i = 0; i < s->nplaces; i++) {
		const struct place_spec spec = spec_of(conf, i, libexec);
		bool wanted = spec.remote || place_wanted(conf, spec.which);
		if (s->places[i] && (!wanted || place_differs(s->places[i], &spec))) {
			drop_runs(s, s->places[i]);
			place_free(s->places[i]);
			s->places[i] = NULL;
		}
		if (wanted && !s->places[i])
			s->places[i] = place_new(s->base, &spec, &place_calls, s);
	}
	free(libexec);
}

static void log_warnings(const struct config *conf)
{
	for (size_t i = 0; i < conf->warnings.n; i++) {
		struct buf line;
		buf_init(&line, 4096);
		complaint_format(&conf->warnings.v[i], &line);
		log_warn("%s", buf_str(&line));
		buf_fini(&line);
	}
}

static const struct opspeer_calls peer_calls = {.overdue = due_overdue, .found = core_self, .news = core_settle_soon};

bool apply_config(struct super *s, struct config *conf)
{
	struct checks fresh, old = s->checks;
	struct config *old_conf = s->conf;
	/* new checks are looked up and told of in the new order of things */
	if (!checks_build(&fresh, old.v ? &old : NULL, conf, on_fresh, s))
		return false;
	s->checks = fresh;
	s->conf = conf;
	s->reload_at = clock_stamp();
	log_warnings(conf);
	for (size_t i = 0; i < old.n; i++)
		bury(s, old.v[i]);
	old.n = 0;
	checks_fini(&old);
	apply_places(s);
	evlog_keep(s->history, conf->history);
	if (s->hostlists)
		hostlists_use(s->hostlists, conf);
	if (s->pagerwatch)
		pagerwatch_apply(s->pagerwatch);
	if (!opspeer_apply(s, &peer_calls))
		log_err("the other ops host: out of memory, it is not watched");
	config_free(old_conf);
	snapshot_later(s);
	core_settle_soon(s);
	due_start_soon(s);
	return true;
}
