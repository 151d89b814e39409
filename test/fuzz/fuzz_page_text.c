/*
 * The text of a page, from whatever its parts and its contact's template hold: never longer than the screen,
 * valid UTF-8 when its parts are, and state, check and id in it as long as there is room for them. Fields are
 * separated by newlines.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/gsm7.h"
#include "drivers/gsm/utf8.h"
#include "lib/contract/result.h"
#include "lib/contract/template.h"
#include "notifiers/sms/text.h"
#include "notifiers/text/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 8 };

/* As everything that comes from a result or a configuration has been made. */
static char *clean(const char *s)
{
	struct result r;
	result_init(&r);
	result_set(&r, NAG_OK, "%s", s ? s : "");
	char *out = strdup(buf_str(&r.text));
	result_fini(&r);
	return out;
}

static bool is_utf8(const char *s)
{
	char *again = clean(s);
	/* what is not valid becomes '?', so the length tells; blanks at the ends and bars may go */
	bool ok = strlen(again) <= strlen(s) && (!strchr(again, '?') || strchr(s, '?'));
	free(again);
	return ok;
}

static void look_at(const struct page *p, size_t max)
{
	char *ucs2 = page_text(p, max, utf8_utf16_units), *bytes = page_text(p, max, NULL),
	     *sms = sms_text(p, 1);
	if (!ucs2 || !bytes || !sms)
		abort();
	if (utf8_utf16_units(ucs2) > max || strlen(bytes) > max)
		abort();
	if (gsm7_count(sms) == SIZE_MAX ? utf8_utf16_units(sms) > 70 : gsm7_count(sms) > 160)
		abort();
	if (!is_utf8(ucs2) || !is_utf8(bytes) || !is_utf8(sms))
		abort();
	/* an ordinary incident on an ordinary screen */
	if (max >= 70 && strlen(p->incident) <= 8 && strlen(p->code) <= 8 && p->incident[0] &&
	    strlen(p->check) <= 8 && strlen(p->state) <= 8 && strlen(p->host) <= 8 && p->kind < PAGE_TEST)
		if (!strstr(ucs2, p->incident) || !strstr(ucs2, p->check))
			abort();
	free(ucs2);
	free(bytes);
	free(sms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	char *text = malloc(size + 1), *field[FIELDS] = {0};
	struct template_part parts[TEMPLATE_PARTS_MAX];
	char why[256] = "";
	size_t n, max = data[0];
	unsigned flags = data[1];
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	char *s = text;
	for (int i = 0; i < FIELDS; i++)
		field[i] = clean(s ? strsep(&s, "\n") : "");
	if (!template_parse(field[0], parts, &n, why, sizeof why) && !why[0])
		abort();
	struct page p = {.id = "1",
			 .to = "x",
			 .kind = (enum page_kind)(flags % (PAGE_INFO + 1)),
			 .resend = flags & 0x10,
			 .template = field[0][0] ? field[0] : NULL,
			 .lang = flags & 0x20 ? "ja" : "en",
			 .check = field[1],
			 .host = field[2],
			 .state = field[3],
			 .text = field[4],
			 .incident = field[5],
			 .code = field[6],
			 .number = (int64_t)strlen(field[7]),
			 .since_wall_ms = flags & 0x40 ? 1795290251000 : 0,
			 .at_wall_ms = 1795290251000 + (int64_t)size * 100000};
	look_at(&p, max);
	for (int i = 0; i < FIELDS; i++)
		free(field[i]);
	free(text);
	return 0;
}
