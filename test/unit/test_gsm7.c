/* The GSM alphabet against the tables of 23.038 and published packings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/gsm/gsm7.h"
#include "drivers/gsm/utf8.h"

static void count(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t n;
	} t[] = {
		{"", 0}, {"hello", 5}, {"@", 1}, {"\xC2\xA3", 1}, {"\xE2\x82\xAC", 2}, {"[]{}\\|~^", 16},
		{"\f", 2}, {"`", SIZE_MAX},
		{"\xE3\x81\x82", SIZE_MAX}, {"\xC3\xA7", SIZE_MAX}, {"\xC3\x87", 1}, {"\xCE\x94", 1},
		{"a\nb\rc", 5}, {"\xFF", SIZE_MAX},
		{"\t", SIZE_MAX}, {"\x1B", SIZE_MAX},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(gsm7_count(t[i].text), t[i].n);
}

static void every_character_comes_back(void **state)
{
	(void)state;
	size_t one = 0, two = 0;

	for (uint32_t cp = 1; cp < 0x3000; cp++) {
		uint8_t s[2];
		int n = gsm7_septets(cp, s);
		struct buf in, out;

		if (n == 0)
			continue;
		one += n == 1;
		two += n == 2;
		buf_init(&in, 8);
		buf_init(&out, 8);
		assert_true(utf8_put(&in, cp));
		gsm7_decode(s, (size_t)n, &out);
		assert_string_equal(buf_str(&in), buf_str(&out));
		buf_fini(&in);
		buf_fini(&out);
	}
	assert_int_equal(one, 127); /* 128 places, one of them is ESC */
	assert_int_equal(two, 10);
}

static void codes(void **state)
{
	(void)state;
	static const struct {
		uint32_t cp;
		int n;
		uint8_t s[2];
	} t[] = {{'@', 1, {0}}, {'$', 1, {2}}, {'A', 1, {0x41}}, {'a', 1, {0x61}}, {0xA1, 1, {0x40}},
	{0xBF, 1, {0x60}}, {'_', 1, {0x11}},
		 {0xE0, 1, {0x7F}}, {0x20AC, 2, {0x1B, 0x65}}, {'[', 2, {0x1B, 0x3C}}, {'~', 2, {0x1B, 0x3D}},
		{'|', 2, {0x1B, 0x40}},
		 {'\\', 2, {0x1B, 0x2F}}, {0, 0, {0}}, {0x1B, 0, {0}}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t s[2] = {0, 0};

		assert_int_equal(gsm7_septets(t[i].cp, s), t[i].n);
		if (t[i].n > 0)
			assert_memory_equal(s, t[i].s, (size_t)t[i].n);
	}
}

static void packing(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t n;
		uint8_t octets[12];
	} t[] = {
		{"hello", 5, {0xE8, 0x32, 0x9B, 0xFD, 0x06}},
		{"hellohello", 9, {0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37}},
		{"", 0, {0}},
		{"12345678", 7, {0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x70}},
	};
	uint8_t septets[160], out[140];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t n = gsm7_encode(t[i].text, septets, sizeof(septets));

		assert_int_equal(n, strlen(t[i].text));
		assert_int_equal(gsm7_pack(septets, n, 0, out, sizeof(out)), t[i].n);
		assert_memory_equal(out, t[i].octets, t[i].n);
	}
	assert_int_equal(gsm7_encode("abc", septets, 2), SIZE_MAX);
	assert_int_equal(gsm7_pack(septets, 160, 0, out, 139), 0);
}

static void packing_is_reversible(void **state)
{
	(void)state;
	uint8_t in[160], octets[150], out[160];

	for (size_t n = 0; n <= 160; n++) {
		for (unsigned skip = 0; skip < 7; skip++) {
			size_t len;

			for (size_t i = 0; i < n; i++)
				in[i] = (uint8_t)((i * 37 + n + skip) & 0x7F);
			len = gsm7_pack(in, n, skip, octets, sizeof(octets));
			assert_int_equal(len, (skip + n * 7 + 7) / 8);
			assert_int_equal(gsm7_unpack(octets, len, skip, n, out), n);
			assert_memory_equal(in, out, n);
			/* cut short, fewer come out and nothing behind the end is read */
			if (len > 0)
				assert_in_range(gsm7_unpack(octets, len - 1, skip, n, out), 0,
						n == 0 ? 0 : n - 1);
		}
	}
}

static void decode_odd_escapes(void **state)
{
	(void)state;
	static const uint8_t unknown[] = {'a', 0x1B, 'b', 0x1B, 0x1B, 'c', 0x1B};
	struct buf out;

	buf_init(&out, 32);
	gsm7_decode(unknown, sizeof(unknown), &out);
	assert_string_equal(buf_str(&out), "ab c");
	buf_fini(&out);
}

static void politeness(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} t[] = {
		{"plain", "plain"}, {"\xE2\x80\x9Cquoted\xE2\x80\x9D", "\"quoted\""},
		{"it\xE2\x80\x99s", "it's"}, {"a\xE2\x80\x93z", "a-z"},
		{"wait\xE2\x80\xA6", "wait..."}, {"\xC5\x81\xC3\xB3""d\xC5\xBA", "Lodz"},
		{"fa\xC3\xA7""ade", "facade"}, {"x\ty", "x y"},
		{"a\x01""b", "a?b"}, {"5 \xE2\x89\xA5 3", "5 >= 3"}, {"\xE2\x82\xAC", "\xE2\x82\xAC"},
		{"bad\xFF", "bad?"},
		{"\xE3\x81\x82", "\xE3\x81\x82"}, {"\xC2\x85", "?"}, {"\xC5\x93uvre", "oeuvre"},
		{"`x`", "'x'"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b;

		buf_init(&b, 100);
		gsm7_polite(t[i].in, &b);
		assert_string_equal(buf_str(&b), t[i].out);
		buf_fini(&b);
	}
}

static void utf8(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		uint32_t cp;
		size_t used;
	} t[] = {
		{"", 0, 0}, {"a", 'a', 1}, {"\xC3\xA4", 0xE4, 2}, {"\xE2\x82\xAC", 0x20AC, 3},
		{"\xF0\x9F\x98\x80", 0x1F600, 4},
		{"\xC0\x80", 0xFFFD, 1}, {"\xE0\x80\x80", 0xFFFD, 1}, {"\xED\xA0\x80", 0xFFFD, 1},
		{"\xF4\x90\x80\x80", 0xFFFD, 1},
		{"\xC3", 0xFFFD, 1}, {"\xE2\x82", 0xFFFD, 1}, {"\x80", 0xFFFD, 1}, {"\xF8", 0xFFFD, 1},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *p = t[i].in;

		assert_int_equal(utf8_next(&p), t[i].cp);
		assert_int_equal(p - t[i].in, t[i].used);
	}
	assert_int_equal(utf8_utf16_units("a\xF0\x9F\x98\x80\xE3\x81\x82"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(count), cmocka_unit_test(every_character_comes_back),
		cmocka_unit_test(codes), cmocka_unit_test(packing),
		cmocka_unit_test(packing_is_reversible), cmocka_unit_test(decode_odd_escapes),
		cmocka_unit_test(politeness),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
