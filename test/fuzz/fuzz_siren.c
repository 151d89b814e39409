/*
 * What a siren remembers, as a crash or a curious hand may have left its file; and the points and values of
 * Modbus as people write them. What is accepted must be written back alike and be lived with. (Answers of
 * Modbus units and of HTTP servers are parsed by libmodbus and libcurl.)
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "notifiers/modbus/siren.h"
#include "probes/modbus/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_value(const char *text)
{
	uint16_t registers[2] = {0xFFFF, 0x7FC0};
	struct modbus_value v;
	char shown[160];
	const char *why = NULL;

	if (!modbus_value_parse(text, &v, &why)) {
		if (why == NULL)
			abort();
		return;
	}
	if (v.at.address + modbus_value_registers(&v) > 65536 || v.at.unit > 255)
		abort();
	modbus_value_text(&v, modbus_value_of(&v, registers), shown, sizeof(shown));
}

static void live_with(struct siren *s)
{
	const struct opt_list none = {0};
	const struct siren_rules rules = {.states = &none, .max_on_ms = 1000, .test_ms = 10};
	const struct stamp now = {.wall_ms = 1800000000000, .boot_ms = 1000000};
	struct siren_place *place;

	for (int kind = PAGE_NEW; kind <= PAGE_INFO; kind++) {
		struct page p = {.id = "1",
				 .to = "coil:0",
				 .kind = (enum page_kind)kind,
				 .incident = "K7Q2M",
				 .state = "CRITICAL",
				 .text = ""};

		siren_page(s, &rules, &p, &now, &place);
	}
	for (size_t i = 0; i < s->n; i++) {
		int64_t left;

		if (siren_on(&s->places[i], &now, &left) && left < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct siren s = {0}, again = {0};
	struct buf out, twice;
	const char *why = NULL;
	char *text = strndup((const char *)data, size);

	look_at_value(text);
	buf_init(&out, SIREN_STATE_MAX);
	buf_init(&twice, SIREN_STATE_MAX);
	if (siren_load(&s, (const char *)data, size, &why)) {
		if (siren_save(&s, &out)) {
			if (!siren_load(&again, out.data, out.len, &why) || !siren_save(&again, &twice) ||
			    strcmp(buf_str(&out), buf_str(&twice)) != 0)
				abort();
		}
		live_with(&s);
	} else if (why == NULL) {
		abort();
	}
	siren_fini(&s);
	siren_fini(&again);
	buf_fini(&out);
	buf_fini(&twice);
	free(text);
	return 0;
}
