/* Buffer, clock, complaints, JSON, files, secrets. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/config/complaint.h"
#include "lib/file.h"
#include "lib/json.h"

static void buffer_stops_at_its_maximum(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	assert_string_equal(buf_str(&b), "");
	assert_true(buf_puts(&b, "12345"));
	assert_false(buf_printf(&b, "%s", "678901"));
	assert_true(b.full);
	assert_string_equal(buf_str(&b), "12345");
	assert_false(buf_add_cut(&b, "678901", 6));
	assert_string_equal(buf_str(&b), "1234567890");
	buf_drop(&b, 4);
	assert_string_equal(buf_str(&b), "567890");
	buf_reset(&b);
	assert_false(b.full);
	assert_true(buf_puts(&b, "0123456789"));
	buf_fini(&b);
}

static void ages(void **state)
{
	(void)state;
	static const struct {
		struct stamp then, now;
		int64_t age;
	} table[] = {
		/* same boot: boottime counts, whatever the wall clock did */
		{ { 1000, 500, "a" }, { 99000, 700, "a" }, 200 },
		{ { 99000, 500, "a" }, { 1000, 700, "a" }, 200 },
		/* another boot: wall time counts, never negative */
		{ { 1000, 9999, "a" }, { 5000, 10, "b" }, 4000 },
		{ { 5000, 9999, "a" }, { 1000, 10, "b" }, 0 },
		/* an unknown boot id is no boot id */
		{ { 1000, 100, "" }, { 2500, 150, "" }, 1500 },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(clock_age_ms(&table[i].then, &table[i].now), table[i].age);
}

static void spans(void **state)
{
	(void)state;
	char t[40];
	assert_string_equal(clock_span(900, t, sizeof t), "900 ms");
	assert_string_equal(clock_span(45000, t, sizeof t), "45 s");
	assert_string_equal(clock_span(180000, t, sizeof t), "3 min");
	assert_string_equal(clock_span(7500000, t, sizeof t), "2 h 5 min");
	assert_string_equal(clock_span(7200000, t, sizeof t), "2 h");
	assert_string_equal(clock_span(4 * 86400000LL + 3 * 3600000, t, sizeof t), "4 d 3 h");
	assert_string_equal(clock_iso(0, t, sizeof t), "1970-01-01T00:00:00.000Z");
}

static void complaint_lines(void **state)
{
	(void)state;
	struct complaints c;
	struct mark at = { "a.yaml", 3, 7 };
	struct buf b;
	buf_init(&b, 1000);
	complaints_init(&c);
	complaint_add(&c, &at, "checks.mx1.port", "a\nb", "not a %s number", "whole");
	complaint_format(&c.v[0], &b);
	assert_string_equal(buf_str(&b), "a.yaml:3:7: checks.mx1.port \"a\\x0ab\": not a whole number");
	for (int i = 0; i < COMPLAINTS_MAX + 5; i++)
		complaint_add(&c, NULL, NULL, NULL, "x");
	assert_int_equal(c.n, COMPLAINTS_MAX);
	assert_int_equal(c.dropped, 6);
	complaints_fini(&c);
	buf_fini(&b);
}

/* One value as json_line prints it. Takes it over. */
static const char *printed(cJSON *v, char *out, size_t size)
{
	struct buf line;
	buf_init(&line, 4096);
	assert_true(json_line(v, &line));
	assert_true(line.len > 0 && line.data[line.len - 1] == '\n');
	snprintf(out, size, "%.*s", (int)line.len - 1, line.data);
	buf_fini(&line);
	cJSON_Delete(v);
	return out;
}

static void json_numbers(void **state)
{
	static const struct { double v; const char *text; } t[] = {
		{ 0, "0" }, { -0.0, "0" }, { 1, "1" }, { -1, "-1" }, { 0.5, "0.5" }, { -0.000001, "-0.000001" },
		{ 0.000123, "0.000123" }, { 12.3, "12.3" }, { 100, "100" }, { 1e6, "1000000" }, { 99.999999, "99.999999" },
		{ 8999999999.5, "8999999999.5" }, { 1795290251000, "1795290251000" }, { -9007199254.0, "-9007199254" },
		{ 999999999999999.0, "999999999999999" }, { 0.1 + 0.2, "0.3" }, { 123 / 1000.0 / 1000, "0.000123" }, { NAN, "null" }, { INFINITY, "null" },
	};
	/* no short text is exact for these */
	static const double odd[] = { 1.0 / 3, -2e-7, 1e15, 9007199254740993.0, 1e300, 5e-324, 1e-6 + 1e-15, 9e9 + 0.1 };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		assert_string_equal(printed(cJSON_CreateNumber(t[i].v), text, sizeof text), t[i].text);
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		assert_true(strtod(printed(cJSON_CreateNumber(odd[i]), text, sizeof text), NULL) == odd[i]);
	/* every microsecond count comes back as it was */
	for (int64_t us = 1; us < 4000000000; us += us / 7 + 1)
		assert_true(strtod(printed(cJSON_CreateNumber((double)us / 1e6), text, sizeof text), NULL) == (double)us / 1e6);
}

/* The history is searched for texts as cJSON prints them. */
static void json_prints_as_cjson(void **state)
{
	static const char *const texts[] = {
		"{}", "[]", "[[],{},[{}]]", "{\"a\":null,\"b\":true,\"c\":false,\"d\":[1,2,\"x\"],\"\":\"\"}",
		"\"plain\"", "\"\\\"\\\\\\b\\f\\n\\r\\t/\\u0001\\u001f\"", "\"\xc3\xa9\xe2\x82\xac\x7f\"", "true", "null", "-17",
		"{\"k\\n\":{\"k\":\"v\"}}",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		cJSON *v = json_parse(texts[i], strlen(texts[i]), 1000, NULL);
		assert_non_null(v);
		char *theirs = cJSON_PrintUnformatted(v);
		assert_string_equal(printed(v, text, sizeof text), theirs);
		cJSON_free(theirs);
	}
}

static void json_limits(void **state)
{
	(void)state;
	char deep[300];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	const char *why = NULL;
	assert_null(json_parse(deep, 200, 1000, &why));
	assert_string_equal(why, "nested too deeply");
	assert_null(json_parse("{}", 2, 1, &why));
	assert_null(json_parse("{} x", 4, 100, &why));
	assert_null(json_parse("{\"a\":1", 6, 100, &why));
	assert_null(json_parse("{}\0", 3, 100, &why));
	assert_null(json_parse("", 0, 100, &why));
	const char text[] = "{\"s\":\"]]]]\",\"n\":12,\"b\":true,\"f\":1e300} \r\n";
	cJSON *v = json_parse(text, sizeof text - 1, 1000, &why);
	assert_non_null(v);
	assert_string_equal(json_str(v, "s", ""), "]]]]");
	assert_int_equal(json_int(v, "n", 0), 12);
	assert_int_equal(json_int(v, "f", -7), -7);
	assert_int_equal(json_int(v, "s", -7), -7);
	assert_true(json_bool(v, "b", false));
	struct stamp s = { 1700000000123, 456, "boot" }, back = { 0 };
	json_add_stamp(v, "at", &s);
	assert_true(json_get_stamp(v, "at", &back));
	assert_int_equal(back.wall_ms, s.wall_ms);
	assert_int_equal(back.boot_ms, s.boot_ms);
	assert_string_equal(back.boot_id, "boot");
	struct buf line;
	buf_init(&line, 5);
	assert_false(json_line(v, &line));
	assert_int_equal(line.len, 0);
	buf_fini(&line);
	cJSON_Delete(v);
}

static int make_dir(void **state)
{
	char template[] = "/tmp/unit.XXXXXX";
	*state = strdup(mkdtemp(template));
	return *state ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[300];
	snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
	int rc = system(command);
	free(*state);
	return rc;
}

static void files(void **state)
{
	char path[300], sub[400];
	struct buf b;
	buf_init(&b, 8);
	snprintf(path, sizeof path, "%s/f", (char *)*state);
	assert_true(file_write_atomic(path, "one", 3, 0640));
	assert_true(file_write_atomic(path, "second", 6, 0640));
	assert_true(file_read(path, &b));
	assert_string_equal(buf_str(&b), "second");
	assert_true(file_write_volatile(path, "123456789", 9, 0640));
	assert_false(file_read(path, &b));
	assert_int_equal(errno, EFBIG);
	snprintf(sub, sizeof sub, "%s/f/x", (char *)*state);
	assert_false(file_write_atomic(sub, "x", 1, 0640));
	assert_int_equal(errno, ENOTDIR);
	snprintf(sub, sizeof sub, "%s/a/b/c", (char *)*state);
	assert_true(file_mkdirs(sub, 0755));
	assert_true(file_mkdirs(sub, 0755));
	assert_false(file_read(sub, &b));
	snprintf(sub, sizeof sub, "%s/fifo", (char *)*state);
	assert_int_equal(mkfifo(sub, 0600), 0);
	assert_false(file_read(sub, &b));
	buf_fini(&b);
}

static void secrets(void **state)
{
	char path[300], why[200];
	snprintf(path, sizeof path, "%s/secret", (char *)*state);
	assert_null(file_secret(path, why, sizeof why));
	assert_non_null(strstr(why, "No such file"));
	assert_true(file_write_volatile(path, "hunter2\n", 8, 0600));
	char *s = file_secret(path, why, sizeof why);
	assert_string_equal(s, "hunter2");
	free(s);
	chmod(path, 0604);
	assert_null(file_secret(path, why, sizeof why));
	assert_non_null(strstr(why, "readable by everybody"));
	assert_null(strstr(why, "hunter2"));
	chmod(path, 0600);
	setenv("CREDENTIALS_DIRECTORY", *state, 1);
	s = file_secret("credential:secret", why, sizeof why);
	assert_string_equal(s, "hunter2");
	free(s);
	assert_null(file_secret("credential:../x", why, sizeof why));
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_null(file_secret("credential:secret", why, sizeof why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_stops_at_its_maximum),
		cmocka_unit_test(ages),
		cmocka_unit_test(spans),
		cmocka_unit_test(complaint_lines),
		cmocka_unit_test(json_limits), cmocka_unit_test(json_numbers), cmocka_unit_test(json_prints_as_cjson),
		cmocka_unit_test_setup_teardown(files, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(secrets, make_dir, remove_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
