/*
 * Page to text and the SMS line's memory; see text.h. For notify_sms.c.
 */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/gsm7.h"
#include "drivers/gsm/utf8.h"

enum { POLITE_MAX = 8192 };

/* The whole text, however long, can be written in GSM-7. */
static bool is_gsm7(const struct page *p)
{
	char *all = page_text(p, SIZE_MAX, NULL);
	bool ok = all != NULL && gsm7_count(all) != SIZE_MAX;

	free(all);
	return ok;
}

char *sms_text(const struct page *p, size_t max_parts)
{
	struct page q = *p;
	struct buf text, check, host;
	size_t max, units;
	char *out;

	buf_init(&text, POLITE_MAX);
	buf_init(&check, POLITE_MAX);
	buf_init(&host, POLITE_MAX);
	gsm7_polite(p->text, &text);
	gsm7_polite(p->check, &check);
	gsm7_polite(p->host, &host);
	q.text = buf_str(&text);
	q.check = buf_str(&check);
	q.host = buf_str(&host);
	/* one unit a part is left for a pair that must not be split */
	max = max_parts <= 1 ? PDU_SINGLE_GSM7 : max_parts * (PDU_PART_GSM7 - 1);
	units = max_parts <= 1 ? PDU_SINGLE_UCS2 : max_parts * (PDU_PART_UCS2 - 1);
	out = is_gsm7(&q) ? page_text(&q, max, gsm7_count) : page_text(&q, units, utf8_utf16_units);
	buf_fini(&text);
	buf_fini(&check);
	buf_fini(&host);
	return out;
}

void sms_preview(const struct page *p, size_t max_parts, struct preview *out)
{
	struct pdu_part parts[PDU_PARTS_MAX];
	struct pdu_submit submit = {.to = p->to, .max_parts = max_parts > 0 ? max_parts : 1};
	bool gsm7;

	out->shows = sms_text(p, max_parts);
	if (out->shows == NULL)
		return;
	submit.text = out->shows;
	gsm7 = gsm7_count(out->shows) != SIZE_MAX;
	out->units = gsm7 ? gsm7_count(out->shows) : utf8_utf16_units(out->shows);
	out->parts = (unsigned)pdu_submit(&submit, parts, out->note, sizeof(out->note));
	if (max_parts <= 1)
		out->max = gsm7 ? PDU_SINGLE_GSM7 : PDU_SINGLE_UCS2;
	else
		out->max = max_parts * (gsm7 ? PDU_PART_GSM7 : PDU_PART_UCS2);
	if (out->parts > 0)
		snprintf(out->note, sizeof(out->note), gsm7 ? "characters of GSM-7" : "characters of UCS-2");
}

void sms_refs_add(struct sms_refs *r, const char *id, const char *to, uint8_t mr, unsigned part,
		  unsigned nparts)
{
	struct sms_ref *x = &r->v[r->n++ % SMS_REFS_MAX];

	snprintf(x->id, sizeof(x->id), "%s", id);
	snprintf(x->to, sizeof(x->to), "%s", to);
	x->mr = mr;
	x->part = part;
	x->nparts = nparts;
	x->delivered = false;
}

static bool same_number(const char *a, const char *b)
{
	size_t i = strlen(a), k = strlen(b), n = 0;

	for (; i > 0 && k > 0 && n < 8; i--, k--, n++)
		if (a[i - 1] != b[k - 1])
			return false;
	return n > 0;
}

static bool all_delivered(const struct sms_refs *r, const struct sms_ref *x)
{
	size_t have = 0, stored = r->n < SMS_REFS_MAX ? r->n : SMS_REFS_MAX;

	for (unsigned part = 1; part <= x->nparts; part++) {
		bool got = false;

		for (size_t i = 0; i < stored && !got; i++)
			got = r->v[i].part == part && r->v[i].delivered && strcmp(r->v[i].id, x->id) == 0;
		have += got;
	}
	return have == x->nparts;
}

const struct sms_ref *sms_refs_report(struct sms_refs *r, uint8_t mr, const char *to, bool delivered,
				      bool *all)
{
	size_t stored = r->n < SMS_REFS_MAX ? r->n : SMS_REFS_MAX;

	*all = false;
	/* newest first: references wrap around after 256 */
	for (size_t i = 0; i < stored; i++) {
		struct sms_ref *x = &r->v[(r->n - 1 - i) % SMS_REFS_MAX];

		if (x->mr != mr || !same_number(x->to, to))
			continue;
		if (delivered) {
			x->delivered = true;
			*all = all_delivered(r, x);
		}
		return x;
	}
	return NULL;
}

unsigned sms_tries_count(struct sms_tries *t, const char *id)
{
	size_t i;

	for (i = 0; i < SMS_TRIES_MAX; i++)
		if (strcmp(t->v[i].id, id) == 0)
			return ++t->v[i].n;
	i = t->next++ % SMS_TRIES_MAX;
	snprintf(t->v[i].id, sizeof(t->v[i].id), "%s", id);
	t->v[i].n = 1;
	return 1;
}
