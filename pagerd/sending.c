/* Handing pages to a line; see sending.h. */
#include "sending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "codes.h"
#include "batch.h"
#include "causes.h"
#include "contacts.h"
#include "lines.h"
#include "pagerd/rules/digest.h"
#include "writing.h"

/* --- one ------------------------------------------------------------------------------------------- */

/* What was made of the page since it was written: who hangs behind the check, and that the budget is used up.
 * NULL: nothing. */
static char *extend(const struct pager *p, const struct incident *i, const struct call *c, bool last)
{
	char behind[48] = "", *text = NULL;
	if (c->kind == PAGE_NEW || c->kind == PAGE_REPEAT) {
		struct hashes above = causes_above(p);
		size_t n = causes_behind(&above, i->check);
		if (n)
			snprintf(behind, sizeof behind, ", %zu check%s behind it", n, n > 1 ? "s" : "");
		hashes_fini(&above);
	}
	last = last && pace_class_of(c->kind) != PACE_TEST;
	if (!behind[0] && !last)
		return NULL;
	int n = asprintf(&text, "%s%s%s", c->text, behind,
			 last ? "; from now on more is folded, see monitorctl status" : "");
	return n < 0 ? NULL : text;
}

/* What the configuration says now: a number is a name for people. */
static int64_t number_of(const struct pager *p, const struct incident *i)
{
	const struct conf_check *k = config_check(p->conf, i->check);
	return k ? k->number : 0;
}

void send_one(struct pager *p, struct incident *i, struct call *c, const struct route_view *v, bool last,
	      const struct stamp *now)
{
	char id[48], line[EVENT_NAME_MAX], code[8] = "";
	bool info = c->kind == PAGE_INFO;
	struct attempt *a = call_begin(c, v->line, v->to, now);
	if (!a)
		return;
	unsigned n = a->n;
	if (c->kind == PAGE_NEW || c->kind == PAGE_REPEAT)
		codes_for(p, i, c->contact, code);
	/* two incidents may bear the same id: neither a notifier nor we may take their pages for one
	 * another's */
	snprintf(id, sizeof id, "%s-%u.%u.%08x", i->id, c->n, n, (unsigned)incident_tag(i));
	snprintf(line, sizeof line, "%s", v->line);
	char *text = extend(p, i, c, last);
	struct page page = {
	    .id = id,
	    .to = v->to,
	    .kind = c->kind,
	    .resend = a->resend,
	    .incident = info ? "" : i->id,
	    .check = info ? "" : i->check,
	    .host = i->host,
	    .state = info ? "" : nag_name(c->state),
	    .code = code,
	    .text = text ? text : c->text,
	    .more = c->more,
	    .number = number_of(p, i),
	    .since_wall_ms = c->since.wall_ms,
	    .at_wall_ms = c->made.wall_ms,
	    .deadline_ms = p->deadline_ms,
	};
	contacts_dress(p->conf, c->contact, &page);
	i->dirty = true;
	writing_save(p, i); /* durable before the first byte that could make a phone ring */
	log_info("page %s (%s of %s to %s) goes to line %s%s", id, page_kind_name(c->kind), i->check,
		 c->contact, line, page.resend ? ", marked as a repeat" : "");
	p->write_owed = true;
	if (!lines_send(p->lines, line, &page))
		call_outcome(c, n, OUTCOME_RETRY, "the line did not take it", now, 0);
	free(text);
	pager_page_changed(p, i, c->n, now);
}

/* --- many ------------------------------------------------------------------------------------------ */

struct collected {
	struct digest_item *items;
	struct batch *b;
	const struct incident *first;
	int64_t since, at; /* the earliest, the latest */
	char contact[EVENT_NAME_MAX];
	size_t n;
};

static void collect(struct pager *p, struct collected *d, const struct waiting *w, const struct hashes *above,
		    const struct stamp *now)
{
	struct call *c = incident_find_call(w->i, w->call);
	if (!c || !batch_add(d->b, w->i, c, now))
		return;
	d->first = d->first ? d->first : w->i;
	d->items[d->n++] = (struct digest_item){
	    .cause = cause_of(p, w->i),
	    .check = w->i->check,
	    .id = w->i->id,
	    .text = c->text,
	    .state = c->state,
	    .made_wall_ms = c->made.wall_ms,
	    .fresh = w->fresh,
	    .behind = c->kind == PAGE_NEW || c->kind == PAGE_REPEAT ? causes_behind(above, w->i->check) : 0,
	};
	if (!d->since || (c->since.wall_ms && c->since.wall_ms < d->since))
		d->since = c->since.wall_ms;
	d->at = c->made.wall_ms > d->at ? c->made.wall_ms : d->at;
}

/* One code for all of them: a new one when none has any, theirs when all share it. Else there is none, and
 * each keeps its own. */
static void make_code(struct pager *p, struct collected *d, const struct waiting *w, size_t n, char code[8])
{
	const char *first = codes_of(w[0].i, d->contact);
	code[0] = '\0';
	for (size_t k = 1; k < n; k++)
		if (strcmp(codes_of(w[k].i, d->contact), first) != 0)
			return;
	codes_for(p, w[0].i, d->contact, code);
	for (size_t k = 1; code[0] && k < n; k++)
		codes_share(w[k].i, d->contact, code);
	batch_set_code(d->b, code);
}

static void say(struct pager *p, struct collected *d, const struct digest *g, const char *code,
		const struct route_view *v, const struct stamp *now)
{
	struct buf text, more;
	buf_init(&text, RESULT_TEXT_MAX);
	buf_init(&more, RESULT_LONG_MAX + 1024);
	digest_text(g, &text);
	digest_more(g, &more);
	struct page page = {
	    .id = batch_page_id(d->b),
	    .to = v->to,
	    .kind = PAGE_DIGEST,
	    .resend = batch_resends(d->b),
	    .incident = batch_id(d->b),
	    .check = "",
	    .host = "",
	    .state = nag_name(digest_state(g)),
	    .code = code,
	    .text = buf_str(&text),
	    .more = buf_str(&more),
	    .number = number_of(p, d->first), /* a pager that shows digits shows the first */
	    .since_wall_ms = d->since,
	    .at_wall_ms = d->at,
	    .deadline_ms = p->deadline_ms,
	};
	contacts_dress(p->conf, d->contact, &page);
	log_info("digest %s of %zu pages to %s goes to line %s%s: %s", page.incident, d->n, d->contact,
		 v->line, page.resend ? ", marked as a repeat" : "", page.text);
	batch_write(p, d->b, now); /* durable before the first byte that could make a phone ring */
	p->write_owed = true;
	if (!lines_send(p->lines, v->line, &page))
		batch_outcome(p, v->line, page.id, OUTCOME_RETRY, "the line did not take it", now);
	buf_fini(&text);
	buf_fini(&more);
}

bool send_digest(struct pager *p, const struct waiting *w, size_t n, enum pace_class class,
		 const struct route_view *v, bool last, const struct stamp *now)
{
	const struct call *first = incident_find_call(w[0].i, w[0].call);
	struct collected d = {.items = calloc(n, sizeof *d.items)};
	if (!first || !d.items) {
		free(d.items);
		return false;
	}
	snprintf(d.contact, sizeof d.contact, "%s", first->contact);
	char code[8] = "";
	size_t told = class == PACE_ALARM ? causes_told(p, d.contact) : 0;
	d.b = batch_begin(p, d.contact, v->line, v->to, now);
	struct hashes above = causes_above(p);
	for (size_t k = 0; d.b && k < n; k++)
		collect(p, &d, &w[k], &above, now);
	struct digest g = {
	    .class = class, .items = d.items, .n = d.n, .told = told, .folded = last ? d.n : 0};
	if (d.n && (class == PACE_ALARM || class == PACE_REPEAT))
		make_code(p, &d, w, n, code);
	if (d.n)
		say(p, &d, &g, code, v, now);
	hashes_fini(&above);
	free(d.items);
	return d.n > 0;
}
