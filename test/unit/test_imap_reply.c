/* IMAP answers: where they end, what they say, and what servers that are none may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/imap/reply.h"

struct ended {
	const char *bytes;
	long length;
};

static const struct ended ended[] = {
	{"", 0},
	{"* OK", 0},
	{"* OK\r", 0},
	{"* OK\r\n", 6},
	{"* OK\n* more\n", 5},
	{"* 1 FETCH (BODY[] {5}\r\n", 0},
	{"* 1 FETCH (BODY[] {5}\r\nab\r\n", 0},
	{"* 1 FETCH (BODY[] {5}\r\nab\r\n)\r\n", 30},
	{"* 1 FETCH (BODY[] {5+}\r\nab\r\n)\r\n", 31},
	{"* 1 FETCH (A {3}\r\nabc B {0}\r\n)\r\nM1 OK\r\n", 32},
	{"* OK {x}\r\n", 10},
	{"* OK {}\r\n", 9},
	{"* OK {99999999999}\r\n", 20}, /* no number of 32 bits: no literal */
	{"* OK {4294967295}\r\n", -1},
	{"* OK {262144}\r\n", -1},
};

static void test_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
		long n = imap_reply_length(ended[i].bytes, strlen(ended[i].bytes));

		if (n != ended[i].length)
			print_error("%s\n", ended[i].bytes);
		assert_int_equal(n, ended[i].length);
	}
}

/* Every beginning of an answer says "not all there", so it may come in any pieces. */
static void test_in_pieces(void **state)
{
	/* the header's second line looks like the start of one more literal, but it is inside one */
	static const char whole[] = "* 1 FETCH (UID 7 BODY[HEADER] {14}\r\nA: b\r\nC: {9}\r\n)\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		assert_int_equal(imap_reply_length(whole, n), 0);
	assert_int_equal(imap_reply_length(whole, sizeof(whole) - 1), sizeof(whole) - 1);
}

static void test_too_long(void **state)
{
	size_t n = IMAP_REPLY_MAX + 2;
	char *line = malloc(n);

	(void)state;
	memset(line, 'x', n);
	assert_int_equal(imap_reply_length(line, IMAP_REPLY_MAX), 0);
	assert_int_equal(imap_reply_length(line, IMAP_REPLY_MAX + 1), -1);
	line[n - 1] = '\n';
	assert_int_equal(imap_reply_length(line, n), -1);
	free(line);
}

struct said {
	const char *reply;
	enum imap_status status;
	const char *text;
};

static const struct said said[] = {
	{"M3 OK [READ-WRITE] done\r\n", IMAP_OK, "[READ-WRITE] done"},
	{"m3 no Permission denied\r\n", IMAP_NO, "Permission denied"},
	{"M3 BAD what\x01?\r\n", IMAP_BAD, "what??"},
	{"M3 PREAUTH x\r\n", IMAP_NONSENSE, "x"},
	{"M33 OK done\r\n", IMAP_NONSENSE, "done"},
	{"* BYE going down\r\n", IMAP_BYE, "going down"},
	{"* 23 EXISTS\r\n", IMAP_UNTAGGED, "EXISTS"},
	{"+ go on\r\n", IMAP_CONTINUE, "on"},
	{"HTTP/1.1 400 Bad Request\r\n", IMAP_NONSENSE, "Bad Request"},
	{"\r\n", IMAP_NONSENSE, ""},
};

static void test_status(void **state)
{
	char text[20];

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		assert_int_equal(imap_reply_status(said[i].reply, strlen(said[i].reply), "M3"), said[i].status);
		assert_string_equal(imap_reply_text(said[i].reply, strlen(said[i].reply), text, sizeof(text)),
				    said[i].text);
	}
}

static void test_numbers(void **state)
{
	static const char uidnext[] = "* OK [UIDNEXT 50001] Predicted next UID\r\n", exists[] = "* 50000 EXISTS\r\n",
			  large[] = "* OK [UIDVALIDITY 4294967296] x\r\n";
	uint32_t n = 0;

	(void)state;
	assert_true(imap_reply_code(uidnext, strlen(uidnext), "UIDNEXT", &n));
	assert_int_equal(n, 50001);
	assert_false(imap_reply_code(uidnext, strlen(uidnext), "UIDVALIDITY", &n));
	assert_false(imap_reply_code(large, strlen(large), "UIDVALIDITY", &n));
	assert_true(imap_reply_exists(exists, strlen(exists), &n));
	assert_int_equal(n, 50000);
	assert_false(imap_reply_exists("* 5 RECENT\r\n", 12, &n));
}

static void test_capability(void **state)
{
	static const char with[] = "* CAPABILITY IMAP4rev1 uidplus IDLE\r\n", without[] = "* CAPABILITY IMAP4rev1 UIDPLUSX\r\n";
	bool has = false;

	(void)state;
	assert_true(imap_reply_capability(without, strlen(without), "UIDPLUS", &has));
	assert_false(has);
	assert_false(imap_reply_capability("* OK UIDPLUS\r\n", 14, "UIDPLUS", &has));
	assert_false(has);
	assert_true(imap_reply_capability(with, strlen(with), "UIDPLUS", &has));
	assert_true(has);
}

static void test_search(void **state)
{
	static const char few[] = "* SEARCH 5 17 4294967295\r\n", none[] = "* SEARCH\r\n", odd[] = "* SEARCH 5 x 7\r\n";
	uint32_t uids[2];
	size_t n = 0, total = 0;

	(void)state;
	assert_true(imap_reply_search(few, strlen(few), uids, 2, &n, &total));
	assert_int_equal(n, 2);
	assert_int_equal(total, 3);
	assert_int_equal(uids[1], 17);
	n = total = 0;
	assert_true(imap_reply_search(none, strlen(none), uids, 2, &n, &total));
	assert_int_equal(total, 0);
	assert_true(imap_reply_search(odd, strlen(odd), uids, 2, &n, &total));
	assert_int_equal(n, 1);
	assert_false(imap_reply_search("* FLAGS ()\r\n", 12, uids, 2, &n, &total));
}

struct fetched {
	const char *reply;
	bool ok;
	uint32_t uid;
	int64_t arrived_s;
	const char *header; /* NULL: none */
};

static const struct fetched fetches[] = {
	{"* 12 FETCH (UID 5 INTERNALDATE \"21-Nov-2026 19:23:20 +0900\" BODY[HEADER.FIELDS (X-MONITORD-TOKEN RECEIVED)]<0>"
	 " {6}\r\nA: b\r\n)\r\n", true, 5, 1795256600, "A: b\r\n"},
	{"* 12 FETCH (FLAGS (\\Seen $X (\"a\" {1}\r\n))) BODY[HEADER] \"A: \\\"b\" UID 7)\r\n", true, 7, 0, "A: \\\"b"},
	{"* 12 FETCH (INTERNALDATE \" 1-Nov-2026 19:23:20 +0900\" UID 7 BODY[HEADER] NIL)\r\n", true, 7, 1793528600, NULL},
	{"* 12 FETCH (UID 7 BODY[HEADER] \"\")\r\n", true, 7, 0, ""},
	{"* 12 FETCH (INTERNALDATE \"soon\" UID 7)\r\n", true, 7, 0, NULL},
	{"* 12 FETCH ()\r\n", true, 0, 0, NULL},
	{"* 12 FETCH (UID x)\r\n", false, 0, 0, NULL},
	{"* 12 FETCH (UID 7", false, 0, 0, NULL},
	{"* 12 FETCH (UID 7 BODY[HEADER] {9}\r\nabc)\r\n", false, 0, 0, NULL},
	{"* 12 FETCH (UID 7 BODY[HEADER {3}\r\nabc)\r\n", false, 0, 0, NULL},
	{"* 12 FETCH (FLAGS (((\r\n", false, 0, 0, NULL},
	{"* 12 EXISTS\r\n", false, 0, 0, NULL},
};

static void test_fetch(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fetches) / sizeof(fetches[0]); i++) {
		const struct fetched *want = &fetches[i];
		struct imap_fetched f;
		bool ok = imap_reply_fetch(want->reply, strlen(want->reply), &f);

		if (ok != want->ok)
			print_error("%s\n", want->reply);
		assert_int_equal(ok, want->ok);
		if (!ok)
			continue;
		assert_int_equal(f.uid, want->uid);
		assert_int_equal(f.arrived_wall_ms, want->arrived_s * 1000);
		assert_int_equal(f.header != NULL, want->header != NULL);
		if (want->header) {
			assert_int_equal(f.header_len, strlen(want->header));
			assert_memory_equal(f.header, want->header, f.header_len);
		}
	}
}

static void test_quote(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(imap_quote("My \"own\" \\ box", &b));
	assert_string_equal(buf_str(&b), "\"My \\\"own\\\" \\\\ box\"");
	assert_false(imap_quote("a\r\nM9 DELETE INBOX", &b));
	assert_false(imap_quote("\xc3\xa4", &b));
	buf_fini(&b);
}

static bool quota(const char *reply, struct imap_quota *q)
{
	return imap_reply_quota(reply, strlen(reply), q);
}

static void test_quota(void **state)
{
	struct imap_quota q = {0};

	(void)state;
	assert_true(quota("* QUOTA \"\" ()\r\n", &q));
	assert_false(q.found);
	assert_true(quota("* QUOTA \"User quota\" (STORAGE 10 512 MESSAGE 30 100)\r\n", &q));
	assert_true(q.found && q.used == 30 && q.limit == 100 && q.share == 0.3);
	assert_string_equal(q.resource, "MESSAGE");
	assert_true(quota("* QUOTA other (STORAGE 9 10)\r\n", &q)); /* the fullest of all roots */
	assert_true(q.share == 0.9);
	assert_true(quota("* QUOTA {3}\r\na b (STORAGE 1 0)\r\n", &q)); /* nothing is allowed */
	assert_true(q.share == 1);
	assert_false(quota("* QUOTA \"\" (STORAGE 10)\r\n", &q));
	assert_false(quota("* QUOTA \"\" (STORAGE 10 99999999999999999999)\r\n", &q));
	assert_false(quota("* QUOTA \"\" (STORAGE 10 20", &q));
	assert_false(quota("* QUOTAROOT INBOX \"\"\r\n", &q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length), cmocka_unit_test(test_in_pieces), cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_status), cmocka_unit_test(test_numbers),   cmocka_unit_test(test_capability),
		cmocka_unit_test(test_search), cmocka_unit_test(test_fetch),     cmocka_unit_test(test_quote),
			cmocka_unit_test(test_quota),
};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
