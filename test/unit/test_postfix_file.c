/* The queue file reader: records put together by hand, every way a file can end, real files of Postfix 3.7,
 * ids, main.cf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "probes/queue/postfix_conf.h"
#include "probes/queue/postfix_file.h"

struct bytes {
	struct buf data;
	struct buf todo, done; /* recipients, each with a blank behind it */
	unsigned reads;
	bool fail;
};

static ssize_t read_at(void *arg, uint64_t off, void *to, size_t n)
{
	struct bytes *b = arg;

	b->reads++;
	if (b->fail) {
		errno = EIO;
		return -1;
	}
	if (off >= b->data.len)
		return 0;
	if (n > b->data.len - off)
		n = b->data.len - (size_t)off;
	memcpy(to, b->data.data + off, n);
	return (ssize_t)n;
}

static void rcpt(void *arg, const char *address, bool done)
{
	struct bytes *b = arg;

	buf_printf(done ? &b->done : &b->todo, "%s ", address);
}

static void bytes_init(struct bytes *b)
{
	memset(b, 0, sizeof(*b));
	buf_init(&b->data, 1 << 22);
	buf_init(&b->todo, 1 << 20);
	buf_init(&b->done, 1 << 20);
}

static void bytes_fini(struct bytes *b)
{
	buf_fini(&b->data);
	buf_fini(&b->todo);
	buf_fini(&b->done);
}

static void add(struct bytes *b, char type, const char *text)
{
	size_t n = strlen(text);
	char c;

	buf_add(&b->data, &type, 1);
	for (; n >= 0x80; n >>= 7) {
		c = (char)((n & 0x7f) | 0x80);
		buf_add(&b->data, &c, 1);
	}
	c = (char)n;
	buf_add(&b->data, &c, 1);
	buf_puts(&b->data, text);
}

static struct postfix_file get(struct bytes *b)
{
	struct postfix_source src = {.read_at = read_at, .rcpt = rcpt, .arg = b};
	struct postfix_file f;

	postfix_file_read(&src, &f);
	return f;
}

static void test_plain(void **state)
{
	struct bytes b, envelope;
	struct postfix_file f;
	char text[120];
	size_t at, offset;

	(void)state;
	bytes_init(&envelope);
	add(&envelope, 'T', "1795289212 440901");
	add(&envelope, 'S', "from@a.bc");
	add(&envelope, 'A', "log_client_address=192.0.2.7");
	add(&envelope, 'A', "client_address=127.0.0.1");
	add(&envelope, 'A', "sasl_username=bob");
	add(&envelope, 'R', "a@b.c");
	add(&envelope, 'D', "d@e.f");
	bytes_init(&b);
	offset = 97 + envelope.data.len + 2;
	snprintf(text, sizeof(text), "%15d %15zu %15d %15d %15d %15d", 14, offset, 1, 0, 14, 0);
	add(&b, 'C', text);
	buf_add(&b.data, envelope.data.data, envelope.data.len);
	bytes_fini(&envelope);
	add(&b, 'M', "");
	at = b.data.len;
	assert_int_equal(at, offset);
	add(&b, 'N', "R\003x@y hides"); /* content that looks like a recipient */
	buf_puts(&b.data, "!");		/* and 14 bytes are not whole records: only the offset counts */
	assert_int_equal(b.data.len - at, 14);
	add(&b, 'X', "");
	add(&b, 'R', "behind@g.h");
	add(&b, 'E', "");
	f = get(&b);
	assert_int_equal(f.end, POSTFIX_FILE_WHOLE);
	assert_true(f.has_sender);
	assert_string_equal(f.sender, "from@a.bc");
	assert_string_equal(f.client, "192.0.2.7");
	assert_string_equal(f.account, "bob");
	assert_int_equal(f.arrival_ms, 1795289212440);
	assert_string_equal(buf_str(&b.todo), "a@b.c behind@g.h ");
	assert_string_equal(buf_str(&b.done), "d@e.f ");
	assert_int_equal(b.reads, 1);
	bytes_fini(&b);
}

/* Files made of these records, front to back, and how reading them must end. */
static const struct {
	const char *what;
	struct {
		char type;
		const char *text;
	} rec[6];
	const char *tail; /* raw bytes behind them */
	enum postfix_file_end end;
	const char *sender, *todo;
} table[] = {
    {"maildrop: no C, the content follows",
     {{'T', "1 2"}, {'S', "a@b"}, {'R', "c@d"}, {'M', ""}, {'N', "text"}},
     "",
     POSTFIX_FILE_WHOLE,
     "a@b",
     "c@d "},
    {"null sender", {{'T', "1 2"}, {'S', ""}, {'R', "c@d"}, {'E', ""}}, "", POSTFIX_FILE_WHOLE, "", "c@d "},
    {"the first sender holds",
     {{'T', "1 2"}, {'S', "a@b"}, {'S', "x@y"}, {'E', ""}},
     "",
     POSTFIX_FILE_WHOLE,
     "a@b",
     ""},
    {"unknown record types are passed over",
     {{'T', "1 2"}, {'S', "a@b"}, {'~', "?"}, {'w', "   "}, {'E', ""}},
     "",
     POSTFIX_FILE_WHOLE,
     "a@b",
     ""},
    {"recipient taken back by a milter",
     {{'T', "1 2"}, {'S', "a@b"}, {'/', "gone@d"}, {'E', ""}},
     "",
     POSTFIX_FILE_WHOLE,
     "a@b",
     ""},
    {"no end", {{'T', "1 2"}, {'S', "a@b"}, {'R', "c@d"}}, "", POSTFIX_FILE_CUT, "a@b", "c@d "},
    {"cut in a record", {{'T', "1 2"}, {'S', "a@b"}}, "R\020c@d", POSTFIX_FILE_CUT, "a@b", ""},
    {"cut in a length", {{'T', "1 2"}, {'S', "a@b"}}, "R\377", POSTFIX_FILE_CUT, "a@b", ""},
    {"a length beyond all measure",
     {{'T', "1 2"}, {'S', "a@b"}},
     "R\377\377\377\377\177",
     POSTFIX_FILE_BROKEN,
     "a@b",
     ""},
    {"a length that never ends",
     {{'T', "1 2"}, {'S', "a@b"}},
     "R\377\377\377\377\377\377",
     POSTFIX_FILE_BROKEN,
     "a@b",
     ""},
    {"a type that is no character",
     {{'T', "1 2"}, {'S', "a@b"}},
     "\001\001x",
     POSTFIX_FILE_BROKEN,
     "a@b",
     ""},
    {"pointer to itself", {{'T', "1 2"}, {'p', "              5"}}, "", POSTFIX_FILE_LIMIT, NULL, ""},
    {"pointer 0 is none",
     {{'T', "1 2"}, {'p', "              0"}, {'S', "a@b"}, {'E', ""}},
     "",
     POSTFIX_FILE_WHOLE,
     "a@b",
     ""},
    {"pointer behind the end", {{'T', "1 2"}, {'p', "99999"}}, "", POSTFIX_FILE_CUT, NULL, ""},
    {"pointer beyond all files",
     {{'T', "1 2"}, {'p', "9223372036854775807"}},
     "",
     POSTFIX_FILE_CUT,
     NULL,
     ""},
    {"pointer before the start", {{'T', "1 2"}, {'p', "-1"}}, "", POSTFIX_FILE_BROKEN, NULL, ""},
    {"content twice", {{'C', "0 17"}, {'M', ""}, {'M', ""}, {'M', ""}}, "", POSTFIX_FILE_CUT, NULL, ""},
    {"content behind itself", {{'C', "0 6 "}, {'M', ""}, {'E', ""}}, "", POSTFIX_FILE_BROKEN, NULL, ""},
    {"sizes that overflow",
     {{'C', "9223372036854775807 9223372036854775807"}, {'M', ""}},
     "",
     POSTFIX_FILE_WHOLE,
     NULL,
     ""},
    {"not a queue file", {{'N', "From: x"}}, "", POSTFIX_FILE_BROKEN, NULL, ""},
    {"empty", {{0, NULL}}, "", POSTFIX_FILE_CUT, NULL, ""},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes b;
		struct postfix_file f;

		bytes_init(&b);
		for (size_t k = 0; k < 6 && table[i].rec[k].type; k++)
			add(&b, table[i].rec[k].type, table[i].rec[k].text);
		buf_puts(&b.data, table[i].tail);
		f = get(&b);
		if (f.end != table[i].end || f.has_sender != (table[i].sender != NULL))
			fail_msg("%s: end %d, sender %d", table[i].what, f.end, f.has_sender);
		if (table[i].sender)
			assert_string_equal(f.sender, table[i].sender);
		assert_string_equal(buf_str(&b.todo), table[i].todo);
		bytes_fini(&b);
	}
}

static void test_io_error(void **state)
{
	struct bytes b;

	(void)state;
	bytes_init(&b);
	b.fail = true;
	assert_int_equal(get(&b).end, POSTFIX_FILE_IO);
	bytes_fini(&b);
}

static void test_bounds(void **state)
{
	struct bytes b;
	struct postfix_file f;
	char text[600];

	(void)state;
	/* more recipients than are read: what was read holds, and it costs no more than the bounds say */
	bytes_init(&b);
	add(&b, 'T', "1 2");
	add(&b, 'S', "a@b");
	for (int i = 0; i < 20000; i++)
		add(&b, 'R', "somebody@somewhere.example");
	add(&b, 'E', "");
	f = get(&b);
	assert_int_equal(f.end, POSTFIX_FILE_LIMIT);
	assert_in_range(f.todo, 5000, POSTFIX_FILE_RECORDS);
	assert_in_range(b.reads, 1, POSTFIX_FILE_READS + 1);
	bytes_fini(&b);

	/* an address longer than any: cut, and the next record is found */
	bytes_init(&b);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	add(&b, 'T', "1 2");
	add(&b, 'S', text);
	add(&b, 'R', "c@d");
	add(&b, 'E', "");
	f = get(&b);
	assert_int_equal(f.end, POSTFIX_FILE_WHOLE);
	assert_int_equal(strlen(f.sender), POSTFIX_ADDRESS_MAX - 1);
	assert_string_equal(buf_str(&b.todo), "c@d ");
	bytes_fini(&b);
}

/* Files that Postfix 3.7 wrote; what `postqueue -j` said of them. */
static const struct {
	const char *file, *sender, *todo, *client;
	int64_t arrival_s;
} real[] = {
    {"smtp-two-recipients", "a@lab.test", "x@elsewhere.example gone@elsewhere.example ", "127.0.0.1",
     1795289209},
    {"null", "", "x@elsewhere.example ", "127.0.0.1", 1795289209},
    {"sendmail-t", "root@mx.lab.test", "t1@elsewhere.example t2@other.example gone@elsewhere.example ", "",
     1795289209},
    {"smtp-milter", "new.sender@milter.example",
     "x@elsewhere.example added1@milter.example added2@milter.example ", "127.0.0.1", 1795289212},
    {"null-milter", "new.sender@milter.example",
     "x@elsewhere.example added1@milter.example added2@milter.example ", "127.0.0.1", 1795289212},
    {"sendmail-t-milter", "new.sender@milter.example",
     "added1@milter.example added2@milter.example t1@elsewhere.example t2@other.example ", "", 1795289212},
};

static void test_real(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
		char path[128];
		struct bytes b;
		struct postfix_file f;

		bytes_init(&b);
		snprintf(path, sizeof(path), "test/fuzz/corpus/queue_file/%s", real[i].file);
		if (!file_read(path, &b.data))
			fail_msg("%s: %s (run from the top of the source)", path, strerror(errno));
		f = get(&b);
		assert_int_equal(f.end, POSTFIX_FILE_WHOLE);
		assert_string_equal(f.sender, real[i].sender);
		assert_string_equal(f.client, real[i].client);
		assert_string_equal(buf_str(&b.todo), real[i].todo);
		assert_int_equal(f.arrival_ms / 1000, real[i].arrival_s);
		bytes_fini(&b);
	}
}

static void test_ids(void **state)
{
	static const struct {
		const char *id;
		bool ok;
		int64_t s; /* 0: a short id */
	} ids[] = {
	    {"DF6BC63", true, 0},
	    {"00000AC", true, 0},
	    {"F2F7A6E", true, 0},
	    {"4jX2JX3934z2q", true, 1795289212},
	    {"4jX2JX3frFz31", true, 1795289212},
	    {"4jX2JX3Zcdz2v", true, 1795289212},
	    {"scratch", false, 0}, /* vowels are no digits */
	    {".", false, 0},
	    {"..", false, 0},
	    {"A", false, 0},
	    {"", false, 0},
	    {"12345", false, 0},
	    {"DF6BC63.tmp", false, 0},
	    {"4jX2JX\xc3\xa9z2q", false, 0},
	    {"QQQQ4jX2JX3934z2q", true, 0}, /* no time is that long */
	    {"4jX2JXAAAAz2q", true, 0}, /* A only stands in short ids */
	    {"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", false, 0},
	};
	size_t stem, other = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_int_equal(postfix_id_ok(ids[i].id, &stem), ids[i].ok);
		if (ids[i].ok)
			assert_int_equal(postfix_id_time_ms(ids[i].id) / 1000, ids[i].s);
	}
	/* the order of stems is the order of time */
	assert_true(postfix_id_ok("4jX2JX3934z2q", &stem) && postfix_id_ok("4jX2JX3frFz31", &other));
	assert_int_equal(stem, other);
	assert_true(memcmp("4jX2JX3934", "4jX2JX3frF", stem) < 0);
	assert_true(postfix_id_time_ms("4jX2JX3934z2q") < postfix_id_time_ms("4jX2JX3frFz31"));
}

static void test_main_cf(void **state)
{
	static const struct {
		const char *text;
		enum postfix_conf_found found;
		const char *value;
	} confs[] = {
	    {"", POSTFIX_CONF_ABSENT, ""},
	    {"queue_directory = /var/spool/postfix\n", POSTFIX_CONF_FOUND, "/var/spool/postfix"},
	    {"queue_directory=/a", POSTFIX_CONF_FOUND, "/a"},
	    {"queue_directory = /a \t\r\n", POSTFIX_CONF_FOUND, "/a"},
	    {"queue_directory = /a\nqueue_directory = /b\n", POSTFIX_CONF_FOUND, "/b"},
	    {"# queue_directory = /a\nx = y\n", POSTFIX_CONF_ABSENT, ""},
	    {" queue_directory = /a\n", POSTFIX_CONF_ABSENT, ""},
	    {"x = y\n queue_directory = /a\n", POSTFIX_CONF_ABSENT, ""},
	    {"queue_directory2 = /a\n", POSTFIX_CONF_ABSENT, ""},
	    {"queue_directory =\n  /a\n", POSTFIX_CONF_FOUND, "/a"},
	    {"queue_directory = /a\n# between\n\n  b\nx = y\n", POSTFIX_CONF_FOUND, "/a b"},
	    {"top = /srv\nqueue_directory = $top/spool\n", POSTFIX_CONF_FOUND, "/srv/spool"},
	    {"queue_directory = ${top}x\ntop = /srv\n", POSTFIX_CONF_FOUND, "/srvx"},
	    {"queue_directory = $(top)x\ntop = /srv\n", POSTFIX_CONF_FOUND, "/srvx"},
	    {"queue_directory = $config_directory/spool\n", POSTFIX_CONF_FOUND, "/etc/pf/spool"},
	    {"queue_directory = /a$$b\n", POSTFIX_CONF_FOUND, "/a$b"},
	    {"queue_directory = $nowhere\n", POSTFIX_CONF_BEYOND,
	     "it refers to $nowhere, which the file does not define"},
	    {"queue_directory = ${a?b}\n", POSTFIX_CONF_BEYOND,
	     "it holds more than plain references such as $name"},
	    {"a = $b\nb = $a\nqueue_directory = $a\n", POSTFIX_CONF_BEYOND,
	     "it refers to others more than 8 deep"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
		char out[256];
		enum postfix_conf_found found =
		    postfix_conf_get(confs[i].text, "/etc/pf", "queue_directory", out, sizeof(out));

		if (found != confs[i].found || strcmp(out, confs[i].value) != 0)
			fail_msg("%s: %d \"%s\"", confs[i].text, found, out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),   cmocka_unit_test(test_table), cmocka_unit_test(test_io_error),
	    cmocka_unit_test(test_bounds),  cmocka_unit_test(test_real),  cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_main_cf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
