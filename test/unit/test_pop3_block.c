/* POP3 answers of many lines: where they end however they are cut, and dots; the line that names a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/pop3/block.h"
#include "probes/pop3/reply.h"

static void expect(const char *bytes, size_t max, const char *kept, size_t taken, bool done)
{
	char out[100];

	for (size_t step = 1; step <= strlen(bytes); step++) {
		struct pop3_block b = {.out = out, .max = max};

		for (size_t at = 0; at < strlen(bytes) && !b.done;) {
			size_t n = strlen(bytes) - at < step ? strlen(bytes) - at : step;

			at += pop3_block_take(&b, bytes + at, n);
		}
		assert_int_equal(b.done, done);
		assert_int_equal(b.all, taken);
		assert_int_equal(b.len, strlen(kept));
		assert_memory_equal(out, kept, b.len);
	}
}

static void test_block(void **state)
{
	(void)state;
	expect("Subject: x\r\n\r\n.\r\n", 99, "Subject: x\r\n\r\n", 17, true);
	expect(".\r\n", 99, "", 3, true);
	expect(".\n", 99, "", 2, true); /* a server without carriage returns */
	expect("a\r\n.\r\nb\r\n", 99, "a\r\n", 6, true);
	expect("..a\r\n...\r\n.\r\n", 99, ".a\r\n..\r\n", 13, true);
	expect("a.\r\n.b\r\n", 99, "a.\r\nb\r\n", 8, false);
	expect(".\rx\r\n.\r\n", 99, "\rx\r\n", 8, true);
	expect("abcdef\r\n.\r\n", 3, "abc", 11, true);
	expect("no end", 99, "no end", 6, false);
}

static void test_uid(void **state)
{
	static const char *const bad[] = {
	    "+OK",	 "+OK 3",      "+OK 3 ",	 "+OK 4 abc", "-ERR 3 abc",
	    "+OK 3 a b", "+OK 3 a\tb", "+OK 3 \xc3\xa4", "+OK x abc", "+OK 99999999999999999999999 abc",
	    ""};
	char uid[POP3_UIDL_MAX + 1], line[100];

	(void)state;
	assert_true(pop3_uid("+OK 3 QhdPYR:00WBw1Ph7x7", 24, 3, uid));
	assert_string_equal(uid, "QhdPYR:00WBw1Ph7x7");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(pop3_uid(bad[i], strlen(bad[i]), 3, uid));
	memset(line, 'u', sizeof(line));
	memcpy(line, "+OK 3 ", 6);
	assert_true(pop3_uid(line, 76, 3, uid));
	assert_int_equal(strlen(uid), 70);
	assert_false(pop3_uid(line, 77, 3, uid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_block),
	    cmocka_unit_test(test_uid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
