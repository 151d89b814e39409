/* PDUs against published examples (the hellohello ones are known from every tutorial) and against the
 * simulated modem's own reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/gsm/gsm7.h"
#include "drivers/gsm/pdu.h"
#include "drivers/sim/simpdu.h"

static void submit_example(void **state)
{
	(void)state;
	struct pdu_part part[PDU_PARTS_MAX];
	struct pdu_submit s = {
	    .to = "+46708251358", .text = "hellohello", .validity_ms = 4 * 86400000LL, .max_parts = 1};
	char why[100];

	assert_int_equal(pdu_submit(&s, part, why, sizeof(why)), 1);
	assert_string_equal(part[0].hex, "0011000B916407281553F80000AA0AE8329BFD4697D9EC37");
	assert_int_equal(part[0].tpdu_octets, 23);
	s.smsc = "+491710760000";
	assert_int_equal(pdu_submit(&s, part, why, sizeof(why)), 1);
	assert_memory_equal(part[0].hex, "07919471016700001100", 20);
	assert_int_equal(part[0].tpdu_octets, 23);
}

static void first_octet(void **state)
{
	(void)state;
	static const struct {
		struct pdu_submit s;
		const char *fo;
	} t[] = {
		{{.to = "1", .text = "x"}, "01"},
		{{.to = "1", .text = "x", .validity_ms = 1}, "11"},
		{{.to = "1", .text = "x", .report = true}, "21"},
		{{.to = "1", .text = "x", .reject_duplicates = true}, "05"},
		{{.to = "1", .text = "x", .report = true, .reject_duplicates = true, .validity_ms = 1}, "35"},
	};
	struct pdu_part part[PDU_PARTS_MAX];
	char why[100];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(pdu_submit(&t[i].s, part, why, sizeof(why)), 1);
		assert_memory_equal(part[0].hex + 2, t[i].fo, 2);
	}
}

static void validity(void **state)
{
	(void)state;
	const int64_t min = 60000, h = 60 * min, d = 24 * h, w = 7 * d;
	const struct {
		int64_t ms;
		uint8_t octet;
	} t[] = {{1, 0}, {5 * min, 0}, {5 * min + 1, 1}, {h, 11}, {12 * h, 143}, {12 * h + 1, 144},
	{24 * h, 167}, {25 * h, 168},
		 {2 * d, 168}, {4 * d, 170}, {30 * d, 196}, {31 * d, 197}, {5 * w, 197}, {63 * w, 255},
		{100 * w, 255}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(pdu_validity(t[i].ms), t[i].octet);
}

static void addresses(void **state)
{
	(void)state;
	static const struct {
		const char *to;
		bool ok;
	} t[] = {{"+819012345678", true}, {"09012345678", true}, {"110", true}, {"+", false}, {"", false},
	{"+0812", false}, {"81 90", false},
		 {"12345678901234567890", true}, {"123456789012345678901", false},
		{"+12345678901234567890", true}, {"kei", false}, {"++81", false}};
	char why[100];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(pdu_address_ok(t[i].to, why, sizeof(why)), t[i].ok);
}

/* Sends text through our encoder and the simulated network's reader; what the phone would show. */
static char *through(const char *text, size_t max_parts, size_t *n, const char **alphabet)
{
	struct pdu_part part[PDU_PARTS_MAX];
	struct pdu_submit s = {.to = "+8190123456789",
			       .text = text,
			       .validity_ms = 3600000,
			       .max_parts = max_parts,
			       .ref = 77,
			       .report = true};
	char why[100], *all = calloc(1, 8192);

	*n = pdu_submit(&s, part, why, sizeof(why));
	for (size_t i = 0; i < *n; i++) {
		struct simpdu sms;
		const char *reason = "";

		if (!simpdu_submit(part[i].hex, part[i].tpdu_octets, &sms, &reason))
			fail_msg("part %zu of \"%s\": %s: %s", i + 1, text, reason, part[i].hex);
		assert_string_equal(sms.to, "+8190123456789");
		assert_true(sms.report);
		assert_int_equal(sms.nparts, *n);
		assert_int_equal(sms.part, i + 1);
		if (*n > 1)
			assert_int_equal(sms.ref, 77);
		*alphabet = sms.alphabet;
		strcat(all, sms.text);
	}
	return all;
}

static void repeat(char *out, const char *unit, size_t n, const char *end)
{
	out[0] = '\0';
	while (n-- > 0)
		strcat(out, unit);
	strcat(out, end);
}

static void lengths(void **state)
{
	(void)state;
	static const struct {
		const char *unit;
		size_t n;
		const char *end;
		size_t max, parts;
		const char *alphabet;
	} t[] = {
		{"a", 160, "", 1, 1, "gsm7"}, {"a", 161, "", 1, 0, ""}, {"a", 161, "", 2, 2, "gsm7"},
		{"a", 306, "", 2, 2, "gsm7"},
		{"a", 307, "", 2, 0, ""}, {"{", 80, "", 1, 1, "gsm7"}, {"{", 80, "a", 1, 0, ""}, {"{", 81, "",
		 2, 2, "gsm7"},
		{"a", 152, "{aaaaaaaaaaaaaa", 2, 2, "gsm7"}, {"{", 152, "", 2, 2, "gsm7"}, {"{", 153, "", 2,
		 0, ""},
		{"\xE3\x81\x82", 70, "", 1, 1, "ucs2"}, {"\xE3\x81\x82", 71, "", 1, 0, ""},
		{"\xE3\x81\x82", 134, "", 2, 2, "ucs2"},
		{"\xF0\x9F\x98\x80", 35, "", 1, 1, "ucs2"},
		{"\xE3\x81\x82", 66, "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 2, 2, "ucs2"},
		{"\xF0\x9F\x98\x80", 66, "", 2, 2, "ucs2"}, {"\xF0\x9F\x98\x80", 67, "", 2, 0, ""},
		{"a", 1530, "", 10, 10, "gsm7"},
		{"a", 1531, "", 10, 0, ""}, {"", 0, "", 1, 1, "gsm7"},
	};
	char text[8192];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *alphabet = "";
		size_t n;
		char *seen;

		repeat(text, t[i].unit, t[i].n, t[i].end);
		seen = through(text, t[i].max, &n, &alphabet);
		assert_int_equal(n, t[i].parts);
		if (n > 0) {
			assert_string_equal(seen, text);
			assert_string_equal(alphabet, t[i].alphabet);
		}
		free(seen);
	}
}

/* At every offset, an escape pair or a surrogate pair meets the border of two parts. */
static void no_pair_is_split(void **state)
{
	(void)state;
	static const char *const pair[] = {"\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
	char text[8192];

	for (size_t p = 0; p < 2; p++) {
		for (size_t before = 40; before < 170; before++) {
			const char *alphabet;
			size_t n;
			char *seen;

			repeat(text, "x", before, "");
			for (size_t i = 0; i < 60; i++)
				strcat(text, pair[p]);
			seen = through(text, 10, &n, &alphabet);
			assert_in_range(n, 1, 10);
			assert_string_equal(seen, text);
			free(seen);
		}
	}
}

static void read_deliver(void **state)
{
	(void)state;
	struct pdu_in in;
	const char *why = "",
		   *hex = "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37";

	pdu_in_init(&in);
	assert_true(pdu_read(&in, hex, strlen(hex), &why));
	assert_int_equal(in.kind, PDU_DELIVER);
	assert_string_equal(buf_str(&in.text), "hellohello");
	assert_string_equal(in.from, "27838890001");
	assert_int_equal(in.at_wall_ms, 922713419000LL); /* 1999-03-29 15:16:59 +02:00 */
	assert_false(in.parts);
	pdu_in_fini(&in);
}

static void read_name_and_header(void **state)
{
	(void)state;
	static const struct {
		const char *hex, *from, *text;
		unsigned part, nparts, ref;
	} t[] = {
		/* alphanumeric sender "Design@Home", a published example */
		{"07914477581006500414D0C4F23C7D760390EF7619000062112191442100" "0AE8329BFD4697D9EC37",
		 "Design@Home", "hellohello", 0, 0, 0},
		/* part 1 of 2, 8-bit reference, 7-bit text with one fill bit */
		{"0044" "0481" "2143" "0000" "62112191442100" "0C" "050003CC0201" "D06536FB0D", "1234",
		 "hello", 1, 2, 0xCC},
		/* 16-bit reference, UCS-2 */
		{"0044" "0481" "2143" "0008" "62112191442100" "09" "06080401020201" "3042", "1234",
		 "\xE3\x81\x82", 1, 2, 0x0102},
		/* a surrogate pair and a lonely half */
		{"0004" "0481" "2143" "0008" "62112191442100" "06" "D83DDE00D83D", "1234",
		 "\xF0\x9F\x98\x80\xEF\xBF\xBD", 0, 0, 0},
		/* 8-bit data */
		{"0004" "0481" "2143" "0004" "62112191442100" "03" "410042", "1234", "A?B", 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct pdu_in in;
		const char *why = "";

		pdu_in_init(&in);
		if (!pdu_read(&in, t[i].hex, strlen(t[i].hex), &why))
			fail_msg("%zu: %s", i, why);
		assert_string_equal(in.from, t[i].from);
		assert_string_equal(buf_str(&in.text), t[i].text);
		assert_int_equal(in.parts, t[i].nparts > 0);
		assert_int_equal(in.nparts, t[i].nparts);
		assert_int_equal(in.part, t[i].part);
		assert_int_equal(in.ref, t[i].ref);
		pdu_in_fini(&in);
	}
}

static void read_report(void **state)
{
	(void)state;
	char hex[SIMPDU_HEX_MAX];
	struct pdu_in in;
	const char *why = "";

	simpdu_report(203, "+819012345678", 0x46, 1795290251, hex);
	pdu_in_init(&in);
	assert_true(pdu_read(&in, hex, strlen(hex), &why));
	assert_int_equal(in.kind, PDU_REPORT);
	assert_int_equal(in.mr, 203);
	assert_string_equal(in.from, "+819012345678");
	assert_int_equal(in.status, 0x46);
	assert_int_equal(in.at_wall_ms, 1795290251000LL);
	pdu_in_fini(&in);
}

/* Every prefix of a good PDU, and every octet of it changed, is read or refused, never more. */
static void damaged(void **state)
{
	(void)state;
	const char *good = "0044" "0481" "2143" "0000" "62112191442100" "0C" "050003CC0201" "D06536FB0D";
	char hex[200];

	for (size_t n = 0; n < strlen(good); n++) {
		struct pdu_in in;
		const char *why = NULL;

		pdu_in_init(&in);
		assert_false(pdu_read(&in, good, n, &why));
		assert_non_null(why);
		pdu_in_fini(&in);
	}
	for (size_t at = 0; at < strlen(good); at += 2) {
		for (unsigned v = 0; v < 256; v++) {
			struct pdu_in in;
			const char *why = NULL;
			char octet[3];

			strcpy(hex, good);
			snprintf(octet, sizeof(octet), "%02X", v);
			memcpy(hex + at, octet, 2);
			pdu_in_init(&in);
			if (!pdu_read(&in, hex, strlen(hex), &why))
				assert_non_null(why);
			pdu_in_fini(&in);
		}
	}
}

static void delivery(void **state)
{
	(void)state;
	static const struct {
		uint8_t status;
		enum pdu_delivery d;
	} t[] = {{0x00, PDU_DELIVERED}, {0x01, PDU_DELIVERED}, {0x02, PDU_DELIVERED}, {0x03, PDU_FAILED},
	{0x20, PDU_STILL_TRYING},
		 {0x30, PDU_STILL_TRYING}, {0x3F, PDU_STILL_TRYING}, {0x40, PDU_FAILED}, {0x46, PDU_FAILED},
		{0x60, PDU_FAILED}, {0xFF, PDU_FAILED}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(pdu_delivery(t[i].status), t[i].d);
}

/* --lines: texts on standard input, each ended by a zero byte; for each a line with the PDUs it becomes, in hex. What
 * others read in them is looked at by test/e2e/test_pdu_corpus.py. */
static int make_pdus(void)
{
	struct pdu_part parts[PDU_PARTS_MAX];
	char *text = NULL, why[160];
	size_t size = 0;
	uint8_t ref = 0;

	while (getdelim(&text, &size, '\0', stdin) > 0) {
		struct pdu_submit s = {.to = "+819012345678", .text = text, .ref = ref++, .max_parts = PDU_PARTS_MAX};
		size_t n = pdu_submit(&s, parts, why, sizeof(why));

		if (n == 0)
			printf("%s", why);
		for (size_t i = 0; i < n; i++)
			printf("%s%s", i > 0 ? " " : "", parts[i].hex);
		printf("\n");
	}
	free(text);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--lines") == 0)
		return make_pdus();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submit_example), cmocka_unit_test(first_octet), cmocka_unit_test(validity),
		cmocka_unit_test(addresses),
		cmocka_unit_test(lengths), cmocka_unit_test(no_pair_is_split), cmocka_unit_test(read_deliver),
		cmocka_unit_test(read_name_and_header),
		cmocka_unit_test(read_report), cmocka_unit_test(damaged), cmocka_unit_test(delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
