/* The writing thread: order, replacing, twins, and a disk that comes back. */
#include "unit.h"

#include <poll.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"
#include "monitord/store/diskq.h"

static char dir[64];

static char *path(const char *name)
{
	static char out[4][128];
	static int i;
	i = (i + 1) % 4;
	snprintf(out[i], sizeof out[i], "%s/%s", dir, name);
	return out[i];
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/test-diskq-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static void expect_content(const char *file, const char *want)
{
	struct buf b;
	buf_init(&b, 4096);
	bool ok = file_read(file, &b);
	if (ok != (want != NULL) || (want && strcmp(buf_str(&b), want) != 0))
		fail_msg("%s: \"%s\" instead of \"%s\"", file, ok ? buf_str(&b) : "(none)",
			 want ? want : "(none)");
	buf_fini(&b);
}

static struct diskq_fate wait_fate(struct diskq *q)
{
	struct diskq_fate f = {0};
	struct pollfd p = {.fd = diskq_fd(q), .events = POLLIN};
	for (int i = 0; i < 100; i++) {
		if (diskq_fate(q, &f))
			return f;
		poll(&p, 1, 200);
	}
	fail_msg("no fate");
	return f;
}

static uint64_t put(struct diskq *q, const char *key, const char *text)
{
	char *file = path(key), twin[160];
	snprintf(twin, sizeof twin, "%s/twin-%s", dir, key);
	return diskq_put(q, key, file, twin, strdup(text), strlen(text));
}

static void files_are_replaced_and_told_of(void **state)
{
	(void)state;
	struct diskq *q = diskq_new();
	uint64_t first = put(q, "a", "one");
	struct diskq_fate f = wait_fate(q);
	assert_string_equal(f.key, "a");
	assert_int_equal(f.ticket, first);
	assert_int_equal(f.where, DISKQ_DURABLE);
	uint64_t last = 0;
	for (int i = 0; i < 200; i++) {
		char text[16];
		snprintf(text, sizeof text, "v%d", i);
		last = put(q, "a", text);
	}
	assert_true(diskq_flush(q, 5000));
	expect_content(path("a"), "v199");
	/* the newest is told last, older ones that were overtaken not at all */
	do {
		f = wait_fate(q);
	} while (f.ticket != last);
	assert_false(diskq_fate(q, &f));
	diskq_remove(q, path("a"), path("twin-a"));
	assert_true(diskq_flush(q, 5000));
	expect_content(path("a"), NULL);
	diskq_free(q);
}

static void a_sick_disk_has_a_twin_and_is_tried_again(void **state)
{
	(void)state;
	struct diskq *q = diskq_new();
	char blocked[128], twin[128];
	snprintf(blocked, sizeof blocked, "%s/deep", dir);
	snprintf(twin, sizeof twin, "%s/twin-b", dir);
	int fd = creat(blocked, 0600); /* a file where a directory should be */
	assert_true(fd >= 0);
	close(fd);
	char target[160];
	snprintf(target, sizeof target, "%s/b", blocked);
	uint64_t ticket = diskq_put(q, "b", target, twin, strdup("held"), 4);
	struct diskq_fate f = wait_fate(q);
	assert_int_equal(f.ticket, ticket);
	assert_int_equal(f.where, DISKQ_TWIN);
	assert_true(f.why[0]);
	expect_content(twin, "held");
	assert_false(diskq_flush(q, 50)); /* not written is not written */
	/* without a twin: nowhere, said once */
	ticket = diskq_put(q, "c", target, NULL, strdup("lost?"), 5);
	f = wait_fate(q);
	assert_int_equal(f.where, DISKQ_NOWHERE);
	/* the disk is back (its directory is even to be made): written without being asked again, and told */
	assert_int_equal(unlink(blocked), 0);
	f = wait_fate(q);
	assert_int_equal(f.ticket, ticket);
	assert_int_equal(f.where, DISKQ_DURABLE);
	expect_content(target, "lost?");
	diskq_free(q);
}

static int calls;

static void count(void *arg)
{
	calls += *(int *)arg;
	free(arg);
}

static void calls_are_made_in_order(void **state)
{
	(void)state;
	struct diskq *q = diskq_new();
	for (int i = 1; i <= 100; i++) {
		int *n = malloc(sizeof *n);
		*n = i;
		assert_true(diskq_call(q, count, n));
	}
	assert_true(diskq_flush(q, 5000));
	assert_int_equal(calls, 5050);
	diskq_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(files_are_replaced_and_told_of, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_sick_disk_has_a_twin_and_is_tried_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(calls_are_made_in_order, setup, teardown),
	};
	return cmocka_run_group_tests_name("diskq", tests, NULL, NULL);
}
