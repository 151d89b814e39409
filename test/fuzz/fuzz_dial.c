/*
 * What an analog modem may say, what a plugin's words become on a pocket bell, what a template may hold, and
 * a damaged memory of dials. Beyond not crashing: codes are digits, two a character; a piece of a dial string
 * is never longer than the modem takes, and the pieces are the string.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/atparse.h"
#include "drivers/modem/redial.h"
#include "drivers/modem/result.h"
#include "notifiers/dial/code.h"
#include "notifiers/dial/freeword.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void modem(const uint8_t *data, size_t size)
{
	struct at_lines l;

	at_lines_init(&l);
	for (size_t i = 0; i < size; i++) {
		struct hayes_said s;

		if (at_lines_feed(&l, (char)data[i]) != AT_FED_LINE)
			continue;
		s = hayes_classify(l.line);
		if (s.speed < 0 || s.wait_s < 0 || s.wait_s > 86400 || hayes_text(s.result)[0] == '?')
			abort();
	}
}

static void text(const char *s)
{
	struct buf b;
	size_t lost;

	buf_init(&b, 100);
	lost = freeword_encode(s, &b);
	if (b.len > 0 && strspn(buf_str(&b), "0123456789") != b.len)
		abort();
	if (b.len % 2 != 0 || (lost != SIZE_MAX && freeword_count(s) != b.len / 2))
		abort();
	freeword_has_kanji(s);
	buf_fini(&b);
}

static void in_pieces(const char *s, size_t max)
{
	char one[128];
	size_t at = 0, before = 0;

	while (dial_piece(s, &at, 'T', max, one, sizeof(one))) {
		size_t n = strlen(one);

		if (at <= before || n > max || memcmp(one + 4, s + before, n - 5) != 0 ||
		    n - 5 != at - before)
			abort();
		before = at;
	}
	if (s[at] != '\0')
		abort();
}

static void template(const char *s, size_t size)
{
	struct page p = {
	    .incident = s, .check = "", .host = "", .state = "CRITICAL", .text = "", .number = (int64_t)size};
	char why[200];
	struct buf b;

	buf_init(&b, DIAL_STRING_MAX);
	if (code_template_ok(s, why, sizeof(why)) && code_of_page(s, &p, (enum code_check)(size % 2), &b) &&
	    !dial_string_ok(buf_str(&b), why, sizeof(why)))
		abort();
	buf_reset(&b);
	if (dial_template_ok(s, why, sizeof(why)) && dial_of_template(s, "0120", "03", "12#", &b)) {
		if (!dial_string_ok(buf_str(&b), why, sizeof(why)))
			abort();
		in_pieces(buf_str(&b), 20 + size % 80);
	}
	buf_fini(&b);
}

static void memory(const uint8_t *data, size_t size)
{
	static struct redial r;
	struct stamp now = {.wall_ms = 1795290000000, .boot_ms = 1000, .boot_id = "b"};

	if (!redial_parse(&r, (const char *)data, size))
		return;
	for (int i = 0; i < 4; i++)
		if (redial_wait(&r, &redial_rules[i], "03", &now) < 0)
			abort();
	redial_dialled(&r, "03", &now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	memcpy(s, data, size);
	s[size] = '\0';
	modem(data, size);
	text(s);
	template(s, size);
	memory(data, size);
	free(s);
	return 0;
}
