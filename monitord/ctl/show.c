/*
 * Text of monitorctl's status; see show.h. Who reads it was just woken up: what is wrong, whether
 * somebody was told and by which line stands first; what needs nobody is one line each.
 */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/contract/result.h"
#include "check.h"
#include "pages.h"
#include "peer.h"

enum { NAME_MAX_COLUMNS = 24, OK_ROWS_MAX = 20, TEXT_LINES_MAX = 3 };

/* One thing to show: a check, an incident, or a check with its incident. */
struct entry {
	const cJSON *check, *incident;
	int rank;
};

struct entries {
	struct entry *v;
	size_t n;
};

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static bool is_ok(const cJSON *o)
{
	return strcmp(json_str(o, "state", ""), "OK") == 0;
}

/* monitord's own checks: nobody configured them, so nobody wants to read them while they are fine */
static bool is_internal(const cJSON *check)
{
	const char *name = json_str(check, "name", "");
	return !*json_str(check, "probe", "") && strncmp(name, "self", 4) == 0;
}

/* Nothing ran yet, as after a start: nothing is wrong, nothing is known to be fine. */
static bool is_pending(const cJSON *check)
{
	return cJSON_IsNull(get(check, "last_run")) && !json_bool(check, "problem", false) &&
	       strcmp(json_str(check, "state", ""), "UNKNOWN") == 0;
}

/* Nobody needs to read it one by one. */
static bool is_calm(const cJSON *check)
{
	return is_ok(check) || is_pending(check);
}

/* --- what there is, in order --- */

/* CRITICAL first; of equal states the confirmed before the soft; then what pages nobody; OK last. */
static int rank(const cJSON *check, const cJSON *incident)
{
	static const int order[] = {[NAG_CRITICAL] = 0, [NAG_UNKNOWN] = 1, [NAG_WARNING] = 2, [NAG_OK] = 3};
	enum nag_state s = NAG_UNKNOWN;
	nag_from_name(json_str(check ? check : incident, "state", "UNKNOWN"), &s);
	bool soft = check && !json_bool(check, "hard", true);
	if (s == NAG_OK || (check && is_pending(check)))
		return incident ? 8 : s == NAG_OK ? 100 : 99;
	return order[s] * 2 + soft + (check && json_bool(check, "suppressed", false) ? 50 : 0);
}

static const char *name_of(const struct entry *e)
{
	return json_str(e->check ? e->check : e->incident, e->check ? "name" : "check", "?");
}

static int by_rank(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->rank != y->rank ? x->rank - y->rank : strcmp(name_of(x), name_of(y));
}

static void add_entry(struct entries *all, const cJSON *check, const cJSON *incident)
{
	all->v[all->n++] = (struct entry){check, incident, rank(check, incident)};
}

static bool has_incident(const struct entries *all, size_t checks, const cJSON *incident)
{
	for (size_t i = 0; i < checks; i++)
		if (all->v[i].incident == incident)
			return true;
	return false;
}

/* The check's open incident, or one that is over while a page of it (that it is over) still waits. */
static const cJSON *incident_to_show(const cJSON *check, const cJSON *pagerd)
{
	const cJSON *i, *open = ctl_incident_of(check, pagerd);
	if (open)
		return open;
	cJSON_ArrayForEach(i,
			   get(pagerd, "incidents")) if (ctl_incident_has_undone(i) &&
							 strcmp(json_str(i, "check", ""),
								json_str(check, "name", "")) == 0) return i;
	return NULL;
}

/* Every check, with its incident; then the incidents that belong to none and are not settled. */
static struct entries gather(const cJSON *monitord, const cJSON *pagerd)
{
	const cJSON *checks = get(monitord, "checks"), *incidents = get(pagerd, "incidents"), *o;
	size_t max = (size_t)cJSON_GetArraySize(checks) + (size_t)cJSON_GetArraySize(incidents);
	struct entries all = {calloc(max + 1, sizeof *all.v), 0};
	if (!all.v)
		return all;
	cJSON_ArrayForEach(o, checks) add_entry(&all, o, incident_to_show(o, pagerd));
	size_t n = all.n;
	cJSON_ArrayForEach(o, incidents) if ((ctl_incident_is_open(o) || ctl_incident_has_undone(o)) &&
					     !has_incident(&all, n, o)) add_entry(&all, NULL, o);
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, by_rank);
	return all;
}

/* It was paged before something silenced its check, so repeats of it still go out. */
static bool still_pages(const cJSON *incident)
{
	return strcmp(json_str(incident, "phase", ""), "new") == 0 &&
	       !json_bool(incident, "suppressed", false);
}

/* A row of its own or a block; what is fine and what pages nobody is a row. */
static bool is_row(const struct entry *e)
{
	if (e->incident && ctl_incident_has_undone(e->incident))
		return false;
	if (e->check && json_bool(e->check, "suppressed", false))
		return !still_pages(e->incident);
	return e->check && is_calm(e->check);
}

/* --- the daemons --- */

static void count_states(const struct entries *all, struct buf *out)
{
	static const enum nag_state order[] = {NAG_CRITICAL, NAG_UNKNOWN, NAG_WARNING, NAG_OK};
	int counts[4] = {0}, total = 0, pending = 0;
	for (size_t i = 0; i < all->n; i++) {
		const cJSON *c = all->v[i].check;
		enum nag_state s = NAG_UNKNOWN;
		if (!c || (is_calm(c) && is_internal(c)))
			continue;
		nag_from_name(json_str(c, "state", ""), &s);
		*(is_pending(c) ? &pending : &counts[s]) += 1;
		total++;
	}
	ctl_count(out, total, "check", "checks");
	const char *sign = ":";
	for (size_t i = 0; i < 4; i++)
		if (counts[order[i]]) {
			buf_printf(out, "%s %d %s", sign, counts[order[i]], nag_name(order[i]));
			sign = ",";
		}
	if (pending)
		buf_printf(out, "%s %d not checked yet", sign, pending);
	buf_puts(out, "\n");
}

static void show_pager(const cJSON *m, struct buf *out)
{
	const cJSON *pager = get(m, "pager");
	const char *digest = json_str(pager, "digest", ""), *verdict = json_str(pager, "verdict", "?");
	if (!json_bool(pager, "connected", true) && strcmp(verdict, "planned") == 0)
		buf_puts(out, "          pagerd said that it restarts\n");
	else if (!json_bool(pager, "connected", true))
		buf_printf(out, "          NO HEARTBEAT of pagerd (%s)\n", verdict);
	else if (*digest && strcmp(digest, json_str(m, "digest", "")) != 0)
		buf_printf(out, "          pagerd runs ANOTHER CONFIGURATION (%s, monitord %s)\n", digest,
			   json_str(m, "digest", ""));
}

static void show_config_error(const cJSON *daemon, const struct ctl_style *style, struct buf *out)
{
	const char *error = json_str(daemon, "config_error", "");
	if (!*error)
		return;
	buf_printf(out, "          CONFIGURATION NOT TAKEN, %s is in force:\n          ",
		   json_bool(daemon, "from_copy", false) ? "the last good copy" : "the old one");
	ctl_wrap(out, error, 10, 10, TEXT_LINES_MAX, style);
}

static void show_monitord(const cJSON *m, const struct entries *all, const struct ctl_style *style,
			  const struct stamp *now, struct buf *out)
{
	char up[32];
	const cJSON *spool = get(m, "spool"), *p;
	buf_printf(out, "monitord  up %s, ", ctl_age(m, "started", now, up, sizeof up));
	count_states(all, out);
	show_config_error(m, style, out);
	if (*json_str(spool, "trouble", ""))
		buf_printf(out, "          SPOOL: %s\n", json_str(spool, "trouble", ""));
	cJSON_ArrayForEach(p, get(m, "probers")) if (!json_bool(p, "up", true)) buf_printf(
	    out, "          %s %s is down: %s\n", json_bool(p, "remote", false) ? "REMOTE" : "PROBER", json_str(p, "place", "?"),
	    json_str(p, "why", ""));
	show_pager(m, out);
}

static void count_incidents(const cJSON *pagerd, struct buf *out)
{
	int open = 0, acked = 0, quiet = 0;
	const cJSON *i;
	cJSON_ArrayForEach(i, get(pagerd, "incidents"))
	{
		const char *phase = json_str(i, "phase", "");
		open += still_pages(i);
		acked += strcmp(phase, "acknowledged") == 0;
		quiet += strcmp(phase, "suppressed") == 0 ||
			 (strcmp(phase, "new") == 0 && json_bool(i, "suppressed", false));
	}
	if (open)
		ctl_count(out, open, "incident is open", "incidents are open");
	else
		buf_puts(out, "no open incident");
	if (acked)
		buf_printf(out, ", %d acknowledged", acked);
	if (quiet)
		buf_printf(out, ", %d kept quiet", quiet);
	buf_puts(out, "\n");
}

/* "; proved 2 h ago by a test", "; NOT PROVED to +8190...": when something last left over the line for certain. */
static void show_proof(const cJSON *p, const char *line, const struct stamp *now, struct buf *out)
{
	const cJSON *r, *newest = NULL, *doubted = NULL;
	struct stamp at;
	int64_t youngest = INT64_MAX;
	char age[32];
	cJSON_ArrayForEach(r, get(p, "routes"))
	{
		if (strcmp(json_str(r, "line", ""), line) != 0)
			continue;
		if (json_bool(r, "doubted", false))
			doubted = r;
		if (json_get_stamp(r, "proved", &at) && clock_age_ms(&at, now) < youngest) {
			youngest = clock_age_ms(&at, now);
			newest = r;
		}
	}
	if (doubted)
		buf_printf(out, "; NOT PROVED to %s", json_str(doubted, "to", "?"));
	else if (newest)
		buf_printf(out, "; proved %s ago by a %s", ctl_age(newest, "proved", now, age, sizeof age),
			   json_str(newest, "how", "page"));
}

static void show_line(const cJSON *p, const cJSON *l, const struct ctl_style *style, const struct stamp *now,
		      struct buf *out)
{
	struct buf words;
	const char *text = json_str(l, "text", "");
	bool up = json_bool(l, "up", false), good = up && json_bool(l, "ok", false);
	buf_init(&words, 4096);
	buf_printf(&words, "%s (%s) %s", json_str(l, "name", "?"), json_str(l, "notifier", "?"),
		   good ? "ok"
		   : up ? "NOT OK"
			: "DOWN");
	if (*text)
		buf_printf(&words, ": %s", text);
	if (json_int(l, "queue", 0))
		buf_puts(&words, "; sends a page now");
	show_proof(p, json_str(l, "name", "?"), now, &words);
	buf_puts(out, "line      ");
	ctl_wrap(out, buf_str(&words), 10, 10, good ? 1 : TEXT_LINES_MAX, style);
	buf_fini(&words);
}

static void show_pool(const cJSON *pool, struct buf *out)
{
	const cJSON *name;
	bool first = true;
	buf_printf(out, "pool      %s: %d of %d good (", json_str(pool, "name", "?"), (int)json_int(pool, "good", 0),
		   cJSON_GetArraySize(get(pool, "lines")));
	cJSON_ArrayForEach(name, get(pool, "lines")) {
		if (cJSON_IsString(name))
			buf_printf(out, "%s%s", first ? "" : ", ", name->valuestring);
		first = false;
	}
	buf_puts(out, ")\n");
}

static void show_pagerd(const cJSON *p, const struct ctl_style *style, const struct stamp *now,
			struct buf *out)
{
	char up[32];
	const cJSON *l;
	const char *verdict = json_str(get(p, "supervisor"), "verdict", "?");
	buf_printf(out, "pagerd    up %s, ", ctl_age(p, "started", now, up, sizeof up));
	count_incidents(p, out);
	if (strcmp(verdict, "planned") == 0)
		buf_puts(out, "          monitord said that it restarts\n");
	else if (strcmp(verdict, "alive") != 0)
		buf_printf(out, "          NO HEARTBEAT of monitord (%s)\n", verdict);
	show_config_error(p, style, out);
	if (json_bool(p, "state_trouble", false))
		buf_puts(out, "          DISK: it does not take what pagerd writes\n");
	int bad = (int)json_int(get(p, "spool"), "bad", 0);
	if (bad) {
		buf_puts(out, "          ");
		ctl_count(out, bad, "unreadable event file", "unreadable event files");
		buf_puts(out, " in the spool's bad/: read and remove\n");
	}
	cJSON_ArrayForEach(l, get(p, "lines")) show_line(p, l, style, now, out);
	cJSON_ArrayForEach(l, get(p, "pools")) show_pool(l, out);
}

/* --- checks and incidents --- */

static void show_block(const struct entry *e, const struct ctl_style *style, const struct stamp *now,
		       struct buf *out)
{
	char age[32];
	const cJSON *o = e->check ? e->check : e->incident, *i = e->incident;
	ctl_state(out, json_str(o, "state", "?"), style);
	buf_printf(out, " %s  %s", name_of(e), ctl_age(o, "since", now, age, sizeof age));
	const char *id = i ? json_str(i, "id", "") : json_str(o, "incident", "");
	if (*id)
		buf_printf(out, "  #%s", id);
	if (i && strcmp(json_str(i, "phase", ""), "acknowledged") == 0)
		buf_printf(out, ", acknowledged by %s",
			   *json_str(i, "by", "") ? json_str(i, "by", "") : "somebody");
	if (i && *json_str(i, "comment", ""))
		buf_printf(out, ": %s", json_str(i, "comment", ""));
	if (e->check && !json_bool(e->check, "hard", true))
		buf_printf(out, "  attempt %d of %d, not confirmed", (int)json_int(e->check, "attempt", 0),
			   (int)json_int(e->check, "max", 0));
	buf_puts(out, "\n         ");
	ctl_wrap(out, ctl_says(o), 9, 9, TEXT_LINES_MAX, style);
	if (json_bool(o, "suppressed", false))
		buf_printf(out, "         %s\n", json_str(o, e->check ? "why" : "why_suppressed", ""));
	if (i)
		ctl_pages_now(i, 9, style, now, out);
}

static void show_row(const struct entry *e, int width, const struct ctl_style *style, const struct stamp *now,
		     struct buf *out)
{
	char age[32], given[80], tag[256] = "";
	const cJSON *c = e->check;
	if (json_bool(c, "suppressed", false))
		snprintf(tag, sizeof tag, "no page: %.160s; ", json_str(c, "why", ""));
	else if (ctl_downtime(c, given, sizeof given))
		snprintf(tag, sizeof tag, "(%s) ", given);
	ctl_state(out, is_pending(c) ? "-" : json_str(c, "state", "?"), style);
	buf_puts(out, " ");
	ctl_pad(out, name_of(e), width);
	buf_printf(out, " %9s  ", ctl_age(c, "since", now, age, sizeof age));
	struct buf words;
	buf_init(&words, 8192);
	buf_printf(&words, "%s%.*s", tag, (int)strcspn(ctl_says(c), "\n"), ctl_says(c));
	ctl_cut(out, buf_str(&words), style->columns ? style->columns - 21 - width : 0);
	buf_puts(out, "\n");
	buf_fini(&words);
}

/* The internal checks that are fine, in one line. */
static void show_internal(const struct entries *all, struct buf *out, const struct ctl_style *style)
{
	int n = 0;
	for (size_t i = 0; i < all->n; i++)
		n += is_row(&all->v[i]) && is_internal(all->v[i].check) && is_calm(all->v[i].check);
	if (!n)
		return;
	ctl_state(out, "OK", style);
	buf_puts(out, " self: ");
	ctl_count(out, n, "internal check\n", "internal checks\n");
}

static void show_rows(const struct entries *all, const struct ctl_style *style, const struct stamp *now,
		      struct buf *out)
{
	int width = 4, ok = 0, hidden = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct entry *e = &all->v[i];
		int n = ctl_width(name_of(e));
		if (!is_row(e) || (is_internal(e->check) && is_calm(e->check) && !style->all))
			continue;
		width = n > width ? n : width;
		ok += is_calm(e->check);
	}
	width = style->columns && width > NAME_MAX_COLUMNS ? NAME_MAX_COLUMNS : width;
	bool hide = style->columns && !style->all && ok > OK_ROWS_MAX;
	for (size_t i = 0; i < all->n; i++) {
		const struct entry *e = &all->v[i];
		if (!is_row(e) || (is_internal(e->check) && is_calm(e->check) && !style->all))
			continue;
		if (hide && is_calm(e->check) && !cJSON_IsObject(get(e->check, "downtime")))
			hidden++;
		else
			show_row(e, width, style, now, out);
	}
	if (hidden) {
		ctl_state(out, "OK", style);
		buf_printf(out, " %d checks (monitorctl status --all lists them)\n", hidden);
	}
	if (!style->all)
		show_internal(all, out, style);
}

void ctl_show_status(const cJSON *monitord, const char *monitord_why, const cJSON *pagerd,
		     const char *pagerd_why, const struct ctl_style *style, const struct stamp *now,
		     struct buf *out)
{
	struct entries all = gather(monitord, pagerd);
	if (monitord)
		show_monitord(monitord, &all, style, now, out);
	else
		buf_printf(out, "monitord  DOES NOT ANSWER: %s\n", monitord_why);
	if (pagerd)
		show_pagerd(pagerd, style, now, out);
	else
		buf_printf(out, "pagerd    DOES NOT ANSWER: %s\n", pagerd_why);
	ctl_show_peer(monitord, style, now, out);
	bool first = true;
	for (size_t i = 0; i < all.n; i++) {
		if (is_row(&all.v[i]))
			continue;
		buf_puts(out, first ? "\n" : "");
		show_block(&all.v[i], style, now, out);
		first = false;
	}
	if (monitord)
		buf_puts(out, "\n");
	show_rows(&all, style, now, out);
	free(all.v);
}

bool ctl_has_problem(const cJSON *monitord, const cJSON *pagerd)
{
	const cJSON *o;
	cJSON_ArrayForEach(o, get(monitord, "checks")) if (json_bool(o, "problem", false) &&
							   !json_bool(o, "suppressed", false)) return true;
	cJSON_ArrayForEach(o, get(pagerd, "lines")) if (!json_bool(o, "up", true) ||
							!json_bool(o, "ok", true)) return true;
	return false;
}
