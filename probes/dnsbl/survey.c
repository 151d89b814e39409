/*
 * The questions of a survey and the meaning of its answers. A list whose test entries fail has no say: what
 * it answers about our addresses is not looked at.
 */
#include "survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool any_six(const struct dns_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++)
		if (hosts->v[i].ip.six)
			return true;
	return false;
}

static struct dns_ask *add(struct dnsbl_survey *s, const struct dns_ip *ip, const char *zone)
{
	struct dns_ask *ask = &s->v[s->n];

	dns_ip_name(ip, zone, s->names[s->n], sizeof(s->names[0]));
	*ask = (struct dns_ask){.name = s->names[s->n], .type = DNS_A, .flags = DNS_RD};
	s->n++;
	return ask;
}

/* 127.0.0.2 and 127.0.0.1; for IPv6 RFC 5782 has them as ::ffff:7f00:2 and ::ffff:7f00:1, written as IPv6 */
static void plan_controls(struct dnsbl_survey *s, struct dnsbl_row *row, bool six)
{
	struct dns_ip four = {.b = {127, 0, 0, 2}};
	struct dns_ip mapped = {.six = true, .b = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 2}};

	if (row->list.no_control)
		return;
	row->control[DNSBL_MUST] = add(s, &four, row->list.zone);
	four.b[3] = 1;
	row->control[DNSBL_MUST_NOT] = add(s, &four, row->list.zone);
	if (!six)
		return;
	row->control[DNSBL_MUST6] = add(s, &mapped, row->list.zone);
	mapped.b[15] = 1;
	row->control[DNSBL_MUST_NOT6] = add(s, &mapped, row->list.zone);
}

bool dnsbl_plan(struct dnsbl_survey *s)
{
	size_t most = s->nrows * (s->hosts->n + DNSBL_CONTROLS);
	bool six = any_six(s->hosts);

	s->v = calloc(most + 1, sizeof(*s->v));
	s->names = calloc(most + 1, sizeof(*s->names));
	s->hits = calloc(DNSBL_HITS_MAX, sizeof(*s->hits));
	if (!s->v || !s->names || !s->hits)
		return false;
	for (size_t i = 0; i < s->nrows; i++) {
		plan_controls(s, &s->rows[i], six);
		s->rows[i].address = &s->v[s->n];
		for (size_t k = 0; k < s->hosts->n; k++)
			add(s, &s->hosts->v[k].ip, s->rows[i].list.zone);
	}
	return true;
}

/* A list of IPv6 addresses alone has no entry 127.0.0.2. */
static bool usable(struct dnsbl_row *row)
{
	char other[DNSBL_NOTE_MAX];

	row->why[0] = '\0';
	if (row->list.no_control || dnsbl_alive(&row->list, &row->control[DNSBL_MUST]->answer,
						&row->control[DNSBL_MUST_NOT]->answer, row->why))
		return true;
	return row->control[DNSBL_MUST6] && dnsbl_alive(&row->list, &row->control[DNSBL_MUST6]->answer,
							&row->control[DNSBL_MUST_NOT6]->answer, other);
}

static void hit(struct dnsbl_survey *s, size_t row, size_t host, const char *answer)
{
	struct dnsbl_hit *h = &s->hits[s->nhits];

	if (s->nhits == DNSBL_HITS_MAX) {
		s->more_hits++;
		return;
	}
	*h = (struct dnsbl_hit){.row = row, .host = host};
	memcpy(h->answer, answer, sizeof(h->answer));
	s->nhits++;
}

/* The first answer that cannot be judged makes the list unusable, whatever its test entries say. */
static void look(struct dnsbl_survey *s, size_t r)
{
	struct dnsbl_row *row = &s->rows[r];
	char note[DNSBL_NOTE_MAX];

	for (size_t k = 0; k < s->hosts->n; k++) {
		enum dnsbl_verdict v = dnsbl_judge(&row->list, &row->address[k].answer, note);

		if (v == DNSBL_LISTED)
			hit(s, r, k, note);
		if (v <= DNSBL_LISTED || !row->usable)
			continue;
		row->usable = false;
		if (v == DNSBL_BARRED)
			snprintf(row->why, sizeof(row->why), "refuses our resolver: it answers %.100s", note);
		else if (v == DNSBL_NO_ANSWER)
			snprintf(row->why, sizeof(row->why), "cannot be asked about %s: it %.100s",
				 s->hosts->v[k].text, note);
		else
			snprintf(row->why, sizeof(row->why),
				 "answers %.100s for %s, which means nothing we know", note,
				 s->hosts->v[k].text);
	}
}

void dnsbl_evaluate(struct dnsbl_survey *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->dead += dns_dead(&s->v[i].answer);
	for (size_t r = 0; r < s->nrows; r++) {
		s->rows[r].usable = usable(&s->rows[r]);
		if (s->rows[r].usable)
			look(s, r);
		s->unusable += !s->rows[r].usable;
	}
}

void dnsbl_survey_fini(struct dnsbl_survey *s)
{
	dns_asks_fini(s->v, s->n);
	free(s->v);
	free(s->names);
	free(s->hits);
	free(s->rows);
}
