/* Events on their way; see say.h. */
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/contract/spool.h"
#include "monitord/peers/pagerwatch.h"
#include "monitord/store/evlog.h"
#include "diagnosis.h"
#include "snapshot.h"

/* What the twin holds stays in the record until pagerd has surely had the time to read it. */
enum { TWIN_READ_MS = 60000 };

/* For people: what flapping means for the pages they get. */
static char *flapping_wording(const struct check *c, const struct judge_say *say, const char *text)
{
	char *out;
	int n = say->flapping == EVENT_FLAPS_STARTED
		    ? asprintf(&out, "flaps (%.0f %% of its last results changed), changes are not paged until it is calm; last: %s %s",
			       flapping_percent(&c->flapping), nag_name(c->judge.hard), text)
		: say->flapping == EVENT_FLAPS_STOPPED ? asprintf(&out, "no longer flaps: %s %s", nag_name(c->judge.hard), text)
						      : asprintf(&out, "%s %s", nag_name(c->judge.hard), text);
	return n < 0 ? NULL : out;
}

static char *wording(const struct check *c, const struct judge_say *say)
{
	const char *text = c->text && *c->text ? c->text : "no text";
	char *out;
	if (say->flapping)
		return flapping_wording(c, say, text);
	int n = say->measured || say->kind != EVENT_PROBLEM || c->judge.stale
		    ? asprintf(&out, "%s", text)
		    : asprintf(&out, "could not be measured: %s", text);
	return n < 0 ? NULL : out;
}

/* "NAME (TEXT)", the incident's name first: what a page is cut to begins with it. NAME alone when both are more than a
 * text may be. NULL: out of memory. */
static char *with_name(const char *name, const char *text)
{
	char *out;
	if (strlen(name) + strlen(text) + 3 > RESULT_TEXT_MAX)
		return strdup(name);
	return asprintf(&out, "%s (%s)", name, text) < 0 ? NULL : out;
}

/* The check's words, behind the incident's name when it is recognised. */
static void fill_words(struct event *e, const struct check *c, const struct judge_say *say, bool named)
{
	char *text = wording(c, say);
	if (!named || !c->named || !text) {
		e->text = text;
		return;
	}
	e->text = with_name(c->named, text);
	e->text_ja = with_name(c->named_ja, text);
	free(text);
}

/* Whether it speaks of a finding that can have a name; what could not be measured is none. */
static bool may_be_named(const struct judge_say *say)
{
	return say->kind == EVENT_PROBLEM && say->measured && !say->flapping && say->state != NAG_OK;
}

static bool copy_contacts(struct event *e, const struct check *c)
{
	size_t n = c->conf ? c->conf->ncontacts : 0;
	if (n == 0)
		return true;
	e->contacts = calloc(n, sizeof *e->contacts);
	for (size_t i = 0; e->contacts && i < n; i++)
		if ((e->contacts[i] = strdup(c->conf->contacts[i])))
			e->ncontacts++;
	return e->ncontacts == n;
}

static struct outgoing *outgoing_new(struct check *c)
{
	struct outgoing *o = calloc(1, sizeof *o);
	if (!o)
		return NULL;
	event_init(&o->event);
	memcpy(o->event.check, c->name, sizeof o->event.check);
	snprintf(o->event.host, sizeof o->event.host, "%s", c->host);
	o->event.at = clock_stamp();
	o->since_ms = o->event.at.boot_ms;
	return o;
}

static void outgoing_free(struct outgoing *o)
{
	event_fini(&o->event);
	free(o);
}

static void unlink_outgoing(struct check *c, struct outgoing **at)
{
	struct outgoing *o = *at;
	*at = o->next;
	if (c->out_last == &o->next)
		c->out_last = at;
	c->nout--;
	outgoing_free(o);
}

static void hand_over(struct super *s, struct outgoing *o)
{
	/* the status first, then the news: whoever acts on it looks there */
	snapshot_before_event(s);
	spool_write(s->spool, &o->event);
	o->handed = true;
}

static void keep(struct super *s, struct check *c, struct outgoing *o)
{
	*c->out_last = o;
	c->out_last = &o->next;
	c->nout++;
	while (c->nout > OUTGOING_MAX && c->out != o) {
		if (!c->out->handed)
			hand_over(s, c->out);
		unlink_outgoing(c, &c->out);
	}
}

static void log_event(const struct event *e)
{
	char incident[8], span[32];
	enum log_level level = e->kind == EVENT_PROBLEM ? LOG_L_WARN : LOG_L_NOTICE;
	event_incident(e->check, e->opened, incident, sizeof incident);
	if (e->kind == EVENT_RECOVERY)
		log_msg(level, "%s: recovered after %s (%s)%s%s: %s", e->check,
			clock_span(clock_age_ms(&e->since, &e->at), span, sizeof span), incident,
			e->suppressed ? ", not paged: " : "", e->why_suppressed, e->text);
	else
		log_msg(level, "%s: %s %s (%s)%s%s: %s", e->check,
			e->named ? "recognised" : event_kind_name(e->kind), nag_name(e->state), incident, e->suppressed ? ", not paged: " : "", e->why_suppressed,
			e->text);
}

static void publish(struct super *s, const struct event *e)
{
	if (!s->control)
		return;
	cJSON *v = cJSON_CreateObject();
	cJSON_AddItemToObject(v, "event", event_to_json(e));
	control_publish(s->control, v);
	cJSON_Delete(v);
}

/* All that an event sets in motion. */
static void out(struct super *s, struct check *c, struct outgoing *o)
{
	log_event(&o->event);
	keep(s, c, o);
	state_save(&s->state, c);
	o->ticket = c->ticket;
	snapshot_later(s);
	evlog_add(s->history, &o->event);
	publish(s, &o->event);
	pagerwatch_event(s->pagerwatch, &o->event);
}

void say_event(struct super *s, struct check *c, const struct judge_say *say, const char *why)
{
	struct outgoing *o = outgoing_new(c);
	if (!o) {
		log_err("%s: out of memory, an event is not said", c->name);
		return;
	}
	struct event *e = &o->event;
	e->change = say->change;
	e->opened = say->opened;
	e->kind = say->kind;
	e->state = say->state;
	e->previous = say->previous;
	e->measured = say->measured;
	e->suppressed = say->suppressed;
	e->flapping = say->flapping;
	e->since = say->since;
	snprintf(e->layer, sizeof e->layer, "%s", say->kind == EVENT_PROBLEM ? c->layer : "");
	snprintf(e->why_suppressed, sizeof e->why_suppressed, "%s",
		 !e->suppressed ? ""
		 : *why		? why
		 : say->flapping == EVENT_FLAPS ? "flapping: changes are not paged"
		 : say->flapping == EVENT_FLAPS_STOPPED ? "it no longer flaps; what is now is told anew"
				: "nobody was paged for the problem");
	snprintf(e->parent, sizeof e->parent, "%s", e->suppressed ? c->below : "");
	if (may_be_named(say))
		diagnosis_name(s, c, true);
	fill_words(e, c, say, may_be_named(say));
	if (say->kind == EVENT_RECOVERY)
		diagnosis_over(c);
	e->more = c->more ? strdup(c->more) : NULL;
	if (!e->text || !copy_contacts(e, c))
		log_err("%s: out of memory, an event is said in part", c->name);
	out(s, c, o);
}

void say_named(struct super *s, struct check *c)
{
	struct judge *j = &c->judge;
	struct outgoing *o = outgoing_new(c);
	if (!o)
		return;
	struct event *e = &o->event;
	const struct judge_say say = {.kind = EVENT_PROBLEM, .state = j->said_state, .measured = true};
	e->kind = EVENT_PROBLEM;
	e->named = true;
	e->change = ++j->change;
	e->opened = j->opened;
	e->state = e->previous = j->said_state;
	e->suppressed = j->said_suppressed;
	snprintf(e->why_suppressed, sizeof e->why_suppressed, "%s", e->suppressed ? c->mute : "");
	snprintf(e->parent, sizeof e->parent, "%s", e->suppressed ? c->below : "");
	snprintf(e->layer, sizeof e->layer, "%s", c->layer);
	e->since = j->since;
	fill_words(e, c, &say, true);
	e->more = c->more ? strdup(c->more) : NULL;
	if (!e->text || !copy_contacts(e, c))
		log_err("%s: out of memory, an event is said in part", c->name);
	out(s, c, o);
}

void say_notice(struct super *s, struct check *c, const char *text)
{
	struct outgoing *o = outgoing_new(c);
	if (!o)
		return;
	struct event *e = &o->event;
	e->change = e->opened = ++c->judge.change;
	e->kind = EVENT_NOTICE;
	e->state = e->previous = NAG_UNKNOWN;
	e->since = e->at;
	e->text = strdup(text);
	copy_contacts(e, c);
	out(s, c, o);
}

void say_again(struct super *s, struct check *c)
{
	for (struct outgoing *o = c->out; o; o = o->next) {
		char id[EVENT_NAME_MAX * 3 + 24];
		log_notice("%s: event %s may not have reached the spool, it is written again", c->name,
			   event_id(&o->event, id, sizeof id));
		o->since_ms = clock_boot_ms();
		spool_write(s->spool, &o->event);
		o->handed = true;
	}
}

void say_recorded(struct super *s, struct check *c, uint64_t ticket)
{
	for (struct outgoing *o = c->out; o; o = o->next)
		if (!o->handed && o->ticket <= ticket)
			hand_over(s, o);
}

/* The spool (or its twin) has an event. */
static bool arrived(struct super *s, struct check *c, const struct spool_fate *f)
{
	for (struct outgoing **at = &c->out; *at; at = &(*at)->next) {
		char id[sizeof f->id];
		if (!(*at)->handed || strcmp(event_id(&(*at)->event, id, sizeof id), f->id) != 0)
			continue;
		if (f->where == 0) {
			if ((*at)->twin)
				s->spool_twin--;
			unlink_outgoing(c, at);
			c->dirty = true;
		} else if (f->where == 1 && !(*at)->twin) {
			(*at)->twin = true;
			s->spool_twin++;
		}
		return true;
	}
	return false;
}

void say_spool_fates(struct super *s)
{
	struct spool_fate f;
	while (spool_writer_fate(s->spool, &f)) {
		if (f.where != 0 && !s->spool_trouble[0])
			log_err("spool: %s; events go to %s", f.why,
				f.where == 1 ? "its twin" : "memory until it is back");
		else if (f.where == 0 && s->spool_trouble[0])
			log_notice("spool: takes events again");
		snprintf(s->spool_trouble, sizeof s->spool_trouble, "%s",
			 f.where == 0 ? ""
			 : f.why[0]   ? f.why
				      : "no answer");
		bool found = false;
		for (size_t i = 0; i < s->checks.n && !found; i++)
			found = s->checks.v[i]->out && arrived(s, s->checks.v[i], &f);
		for (size_t i = 0; i < s->nburied && !found; i++)
			found = arrived(s, s->buried[i], &f);
	}
}

void say_tick(struct super *s, struct check *c, int64_t now_ms)
{
	bool hung = false;
	for (struct outgoing **at = &c->out; *at;) {
		struct outgoing *o = *at;
		if (!o->handed && now_ms - o->since_ms >= SAY_PATIENCE_MS) {
			hung = true;
			hand_over(s, o);
		}
		if (o->twin && now_ms - o->since_ms > TWIN_READ_MS && pagerwatch_alive(s->pagerwatch)) {
			s->spool_twin--;
			unlink_outgoing(c, at);
			c->dirty = true;
			continue;
		}
		at = &o->next;
	}
	if (hung) {
		log_err("%s: the disk with the state does not answer; the event leaves all the same",
			c->name);
		state_save_twin(&s->state, c);
	}
}
