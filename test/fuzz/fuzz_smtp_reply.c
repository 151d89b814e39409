/*
 * Bytes of something that calls itself an SMTP server: read whole and in pieces (the first byte says how
 * long), both must find the same replies; then what the probes ask of a reply.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/smtp/fault.h"
#include "probes/smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void ask(const struct smtp_reply *r)
{
	static const char *const wants[] = {"SIZE", "AUTH PLAIN LOGIN", "AUTH=LOGIN", "", " ", "x y z"};
	struct smtp_fault f;
	char first[40];
	size_t i;
	const char *p;

	for (p = buf_str(&r->text); *p; p++)
		must(*p == '\n' || ((unsigned char)*p >= ' ' && *p != 0x7f));
	must(strlen(buf_str(&r->text)) == r->text.len && r->text.len <= SMTP_REPLY_MAX);
	must(r->lines <= SMTP_REPLY_LINES_MAX);
	must(r->code == 0 || (r->code >= 200 && r->code <= 599));
	must(r->state != SMTP_REPLY_DONE || r->code != 0);
	must((r->state == SMTP_REPLY_BAD) == (r->why != NULL));
	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		smtp_reply_offers(r, wants[i]);
	must(strlen(smtp_reply_first(buf_str(&r->text), first, sizeof(first))) < sizeof(first));
	smtp_fault_reply(&f, SMTP_GREETING, r->code, buf_str(&r->text));
	must(strlen(f.text) < sizeof(f.text) && smtp_fault_state(&f) != NAG_OK);
}

/* Feeds exact copies of pieces, so that one byte too far is seen. */
static size_t feed(struct smtp_reply *r, const uint8_t *data, size_t size, size_t piece)
{
	size_t at = 0, n, used;
	char *copy;

	while (at < size && r->state == SMTP_REPLY_MORE) {
		n = size - at < piece ? size - at : piece;
		copy = malloc(n);
		if (!copy)
			break;
		memcpy(copy, data + at, n);
		smtp_reply_feed(r, copy, n, &used);
		free(copy);
		must(used <= n && (used == n || r->state != SMTP_REPLY_MORE));
		at += used;
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_reply whole, cut;
	size_t piece, a, b;

	if (size < 1)
		return 0;
	piece = 1 + data[0] % 64;
	data++;
	size--;
	smtp_reply_init(&whole);
	smtp_reply_init(&cut);
	while (size > 0) {
		smtp_reply_reset(&whole);
		smtp_reply_reset(&cut);
		a = feed(&whole, data, size, size);
		b = feed(&cut, data, size, piece);
		ask(&whole);
		/* a line beyond its maximum is noticed where its piece ends; all else is the same */
		must(whole.state == cut.state);
		must(whole.state == SMTP_REPLY_BAD ||
		     (a == b && whole.code == cut.code && whole.lines == cut.lines));
		must(strcmp(buf_str(&whole.text), buf_str(&cut.text)) == 0);
		if (whole.state != SMTP_REPLY_DONE)
			break;
		data += a;
		size -= a;
	}
	smtp_reply_fini(&whole);
	smtp_reply_fini(&cut);
	return 0;
}
