/* How things are, in one message; see summary.h. */
#include "summary.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lines.h"

enum { STATUS_MAX = 16 << 20, BEATS = 3 };

const char *summary_time(int64_t wall_ms, char *out, size_t size)
{
	time_t t = (time_t)(wall_ms / 1000), now = time(NULL);
	struct tm then, today;
	localtime_r(&t, &then);
	localtime_r(&now, &today);
	bool same = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;
	strftime(out, size, same ? "%H:%M" : "%m-%d %H:%M", &then);
	return out;
}

/* --- what is counted ------------------------------------------------------------------------------- */

/* monitord's own checks (without a probe) are not among those that are counted. */
static void count_checks(const cJSON *v, struct answer_counts *c)
{
	const cJSON *check;
	cJSON_ArrayForEach(check, cJSON_GetObjectItemCaseSensitive(v, "checks"))
	{
		enum nag_state s;
		if (*json_str(check, "probe", "") && nag_from_name(json_str(check, "hard_state", ""), &s))
			c->n[s]++;
	}
}

static struct answer_counts counts_of(const struct pager *p)
{
	struct answer_counts c = {.known = false};
	struct stamp at, now = clock_stamp();
	char path[PATH_MAX];
	struct buf b;
	buf_init(&b, STATUS_MAX);
	snprintf(path, sizeof path, "%s/status.json", p->conf->monitord_run);
	cJSON *v = file_read(path, &b) ? json_parse(buf_str(&b), b.len, STATUS_MAX, NULL) : NULL;
	c.known = v && json_get_stamp(v, "at", &at) && clock_age_ms(&at, &now) <= BEATS * p->conf->beat_ms;
	if (c.known)
		count_checks(v, &c);
	cJSON_Delete(v);
	buf_fini(&b);
	return c;
}

struct answer_item *summary_items(const struct pager *p, size_t *n)
{
	struct stamp now = clock_stamp();
	struct answer_item *v = calloc(p->ninc + 1, sizeof *v);
	*n = 0;
	for (size_t k = 0; v && k < p->ninc; k++) {
		const struct incident *i = p->inc[k];
		if (i->ephemeral || !incident_is_problem(i) || i->suppressed || i->state == NAG_OK)
			continue;
		v[(*n)++] = (struct answer_item){.state = i->state,
						 .check = i->check,
						 .id = i->id,
						 .age_ms = clock_age_ms(&i->since, &now),
						 .acked = i->phase == INC_ACKED,
						 .of = k};
	}
	if (v)
		qsort(v, *n, sizeof *v, answer_item_order);
	return v;
}

bool summary_status(const struct pager *p, const struct answer_item *v, size_t n, bool ja,
		    char out[ANSWER_OUT_MAX])
{
	struct answer_counts c = counts_of(p);
	answer_status(&c, v, n, ja, out);
	return c.known && !n && !c.n[NAG_WARNING] && !c.n[NAG_CRITICAL] && !c.n[NAG_UNKNOWN];
}

/* --- the day --------------------------------------------------------------------------------------- */

static int64_t last_page_ms(const struct pager *p)
{
	int64_t last = 0;
	for (size_t k = 0; k < p->ninc; k++)
		for (size_t m = 0; !p->inc[k]->ephemeral && m < p->inc[k]->ncalls; m++) {
			const struct call *c = p->inc[k]->calls[m];
			if (c->phase == CALL_SENT && c->done.wall_ms > last)
				last = c->done.wall_ms;
		}
	return last;
}

/* Lines that say of themselves that they can send, and those whose newest proof is not withdrawn. */
static void look_at_lines(const struct pager *p, size_t *bad, size_t *proved, int64_t *oldest)
{
	*bad = *proved = 0;
	*oldest = 0;
	for (size_t k = 0; k < p->conf->nlines; k++) {
		struct route_view v = {.line = p->conf->lines[k].name};
		int64_t newest = 0;
		bool last = p->conf->has_last_resort && strcmp(p->conf->last_resort.line, v.line) == 0;
		lines_look(p->lines, &v, clock_boot_ms());
		*bad += !last && ((!v.up && !v.starting) || v.doubtful);
		for (size_t m = 0; m < p->proofs.n; m++)
			if (strcmp(p->proofs.v[m].line, v.line) == 0 &&
			    p->proofs.v[m].proved.wall_ms > newest)
				newest = p->proofs.v[m].proved.wall_ms;
		*proved += newest > 0;
		if (newest && (!*oldest || newest < *oldest))
			*oldest = newest;
	}
}

static void all_well(const struct pager *p, bool ja, size_t proved, int64_t oldest, char out[ANSWER_OUT_MAX])
{
	char since[32] = "", page[32];
	struct answer_counts c = counts_of(p);
	int64_t last = last_page_ms(p);
	if (oldest)
		summary_time(oldest, since, sizeof since);
	if (ja)
		snprintf(out, ANSWER_OUT_MAX, "異常なし: 正常%u、回線確認%zu%s%s、最終ページ%s", c.n[NAG_OK],
			 proved, oldest ? " " : "", since,
			 last ? summary_time(last, page, sizeof page) : "なし");
	else
		snprintf(out, ANSWER_OUT_MAX, "all well: %u checks OK, %zu line%s proved%s%s, last page %s",
			 c.n[NAG_OK], proved, proved == 1 ? "" : "s", oldest ? " since " : "", since,
			 last ? summary_time(last, page, sizeof page) : "none");
}

void summary_day(const struct pager *p, bool ja, char out[ANSWER_OUT_MAX])
{
	char status[ANSWER_OUT_MAX];
	size_t bad, proved, n;
	int64_t oldest;
	struct answer_item *v = summary_items(p, &n);
	bool well = summary_status(p, v, n, ja, status);
	free(v);
	look_at_lines(p, &bad, &proved, &oldest);
	if (well && !bad)
		all_well(p, ja, proved, oldest, out);
	else if (bad && ja)
		snprintf(out, ANSWER_OUT_MAX, "異常あり: 回線異常%zu、%.400s", bad, status);
	else if (bad)
		snprintf(out, ANSWER_OUT_MAX, "NOT well: %zu line%s cannot send, %.400s", bad,
			 bad == 1 ? "" : "s", status);
	else
		snprintf(out, ANSWER_OUT_MAX, ja ? "異常あり: %.400s" : "NOT well: %.400s", status);
	answer_fit(out);
}
