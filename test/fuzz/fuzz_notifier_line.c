/*
 * A line to a notifier: it becomes a page or a reason, and every page has a text that fits a phone, whatever
 * its strings hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/gsm7.h"
#include "drivers/gsm/pdu.h"
#include "drivers/gsm/utf8.h"
#include "lib/json.h"
#include "notifiers/pageline.h"
#include "notifiers/sms/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct page *p)
{
	char *t = sms_text(p, 1), *small = page_text(p, 20, NULL), why[200];
	struct pdu_part part[PDU_PARTS_MAX];
	struct pdu_submit s = {.to = "+81", .text = t, .max_parts = 1};

	if (t == NULL || small == NULL)
		abort();
	if (p->deadline_ms < PAGE_DEADLINE_MIN || p->deadline_ms > PAGE_DEADLINE_MAX || p->id[0] == '\0' ||
	    p->to[0] == '\0')
		abort();
	/* a text without anything to cut may stay longer than a tiny screen, an ordinary incident never */
	if (strlen(p->incident) < 16 && pdu_submit(&s, part, why, sizeof(why)) != 1)
		abort();
	pdu_address_ok(p->to, why, sizeof(why));
	free(t);
	free(small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *reason;
	char why[200] = "";
	cJSON *v = json_parse((const char *)data, size, JSON_LINE_MAX, &reason);
	struct page p;

	if (page_from_json(&p, cJSON_GetObjectItemCaseSensitive(v, "page"), why, sizeof(why)))
		look_at(&p);
	else if (why[0] == '\0' || p.id == NULL)
		abort();
	cJSON_Delete(v);
	return 0;
}
