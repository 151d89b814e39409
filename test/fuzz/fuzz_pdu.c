/*
 * PDUs both ways. As hex from a modem the input is read or refused. As a page's text it goes through our
 * encoder and the simulated network's own reader: what comes out must be what went in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gsm/pdu.h"
#include "drivers/sim/simpdu.h"
#include "drivers/gsm/utf8.h"
#include "notifiers/sms/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool told(void *arg, const struct join_whole *w)
{
	(void)arg;
	if (strlen(w->from) > PDU_ADDRESS_MAX + 1 || strlen(w->text) > JOIN_PARTS * PDU_TEXT_MAX + 1024 ||
	    w->nplaces > JOIN_PLACES)
		abort();
	return true;
}

static void dropped(void *arg, const struct sms_place *where)
{
	(void)arg;
	if (where->memory[0] == '\0')
		abort();
}

/* The same message several times over, as other parts of it. */
static void join(struct pdu_in *in)
{
	static const struct join_calls calls = {told, dropped};
	struct sms_place where = {.memory = "SM"};
	struct join j;

	join_init(&j, &calls, NULL);
	for (int i = 0; i < 20; i++) {
		where.index = i;
		if (i % 3 == 0 && in->parts)
			in->part = in->part % in->nparts + 1;
		in->ref += i % 7 == 6;
		join_take(&j, in, &where, i);
	}
	join_expire(&j, 1000, true);
	if (join_next(&j) != -1)
		abort();
	join_fini(&j);
}

static void as_hex(const char *hex, size_t len)
{
	struct pdu_in in;
	struct simpdu sms;
	const char *why = NULL;

	pdu_in_init(&in);
	if (!pdu_read(&in, hex, len, &why) && why == NULL)
		abort();
	if (strlen(in.from) >= sizeof(in.from) || in.text.len > PDU_TEXT_MAX ||
	    (in.parts && in.part > in.nparts))
		abort();
	pdu_delivery(in.status);
	if (in.kind == PDU_DELIVER)
		join(&in);
	pdu_in_fini(&in);
	simpdu_submit(hex, len / 2 > 0 ? len / 2 - 1 : 0, &sms, &why);
}

static void as_text(const char *raw, uint8_t ref)
{
	struct pdu_part part[PDU_PARTS_MAX];
	struct buf text, seen;
	struct pdu_submit s = {
	    .to = "+8190123", .validity_ms = ref * 100000LL, .max_parts = PDU_PARTS_MAX, .ref = ref};
	const char *p = raw, *reason;
	char why[100];
	size_t n;

	buf_init(&text, 100000);
	buf_init(&seen, 100000);
	for (uint32_t cp; (cp = utf8_next(&p)) != 0;)
		utf8_put(&text, cp);
	s.text = buf_str(&text);
	n = pdu_submit(&s, part, why, sizeof(why));
	for (size_t i = 0; i < n; i++) {
		struct simpdu sms;

		if (!simpdu_submit(part[i].hex, part[i].tpdu_octets, &sms, &reason) || sms.part != i + 1 ||
		    sms.nparts != n)
			abort();
		buf_puts(&seen, sms.text);
	}
	if (n > 0 && strcmp(buf_str(&seen), s.text) != 0)
		abort();
	if (n == 0 && utf8_utf16_units(s.text) <= PDU_SINGLE_UCS2)
		abort();
	buf_fini(&text);
	buf_fini(&seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	memcpy(s, data, size);
	s[size] = '\0';
	as_hex(s, strlen(s));
	as_text(s, size > 0 ? data[0] : 0);
	free(s);
	return 0;
}
