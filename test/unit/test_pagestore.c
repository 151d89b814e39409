/* Incidents on disk: both copies, broken files, the lock, a disk that refuses. pagerd/store/store.c */
#include "unit.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "pagerd/store/store.h"

static char base[64], state_dir[80], run_dir[80];

static int rm(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(base, sizeof base, "/tmp/test-pagestore-XXXXXX");
	assert_non_null(mkdtemp(base));
	snprintf(state_dir, sizeof state_dir, "%s/state", base);
	snprintf(run_dir, sizeof run_dir, "%s/run", base);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(base, rm, 16, FTW_DEPTH | FTW_PHYS);
}

static struct store *open_store(void)
{
	char why[256] = "";
	struct store *s = store_open(state_dir, run_dir, why, sizeof why);
	if (!s)
		fail_msg("%s", why);
	return s;
}

/* An incident as an event would make it. */
static struct incident *make(const char *check, uint64_t opened)
{
	struct contact_view who = {.name = "a", .recovery = true};
	struct stamp now = {.wall_ms = 1700000000000, .boot_ms = 5, .boot_id = "b"};
	struct event e = {.change = opened, .opened = opened, .state = NAG_CRITICAL, .since = now, .at = now};
	char text[] = "it is down";
	struct incident *i = incident_new(check, opened);
	e.text = text;
	assert_true(incident_event(i, &e, &who, 1, &now));
	return i;
}

struct seen {
	struct incident *v[16];
	size_t n, bad;
	char why[256];
};

static void found(void *arg, struct incident *i)
{
	struct seen *s = arg;
	assert_true(s->n < 16);
	s->v[s->n++] = i;
}

static void bad(void *arg, const char *path, const char *why)
{
	struct seen *s = arg;
	assert_true(access(path, F_OK) == 0);
	s->bad++;
	snprintf(s->why, sizeof s->why, "%s", why);
}

static void seen_free(struct seen *s)
{
	for (size_t k = 0; k < s->n; k++)
		incident_free(s->v[k]);
}

static size_t count(const char *dir, const char *sub)
{
	char path[256];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/%s", dir, sub);
	DIR *d = opendir(path);
	struct dirent *e;
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static void save(struct store *s, struct incident *i, enum store_where where)
{
	char why[256] = "";
	assert_int_equal(store_save(s, i, why, sizeof why), where);
	assert_int_equal(why[0] == '\0', where == STORE_DISK);
	assert_int_equal(i->owed, where != STORE_DISK);
	assert_false(i->dirty);
}

static void what_was_saved_is_loaded(void **state)
{
	(void)state;
	struct store *s = open_store();
	struct incident *a = make("mx1", 1), *b = make("mx1", 2), *c = make("../odd name", 1);
	struct seen seen = {.n = 0};
	save(s, a, STORE_DISK);
	save(s, b, STORE_DISK);
	save(s, c, STORE_DISK);
	save(s, a, STORE_DISK);
	store_close(s);
	s = open_store();
	store_load(s, found, bad, &seen);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.bad, 0);
	for (size_t k = 0; k < seen.n; k++) {
		assert_string_equal(seen.v[k]->text, "it is down");
		assert_int_equal(seen.v[k]->ncalls, 1);
		assert_false(seen.v[k]->owed);
	}
	store_forget(s, a);
	assert_int_equal(count(state_dir, "incidents"), 2);
	store_close(s);
	seen_free(&seen);
	incident_free(a);
	incident_free(b);
	incident_free(c);
}

static void only_one_holds_the_lock(void **state)
{
	(void)state;
	char why[256] = "";
	struct store *s = open_store();
	assert_null(store_open(state_dir, run_dir, why, sizeof why));
	assert_non_null(strstr(why, "another pagerd"));
	store_close(s);
	store_close(open_store());
}

static void the_newer_of_disk_and_twin_counts(void **state)
{
	(void)state;
	/* saved on the disk, then twice aside; or aside first and then on the disk */
	for (int newer_aside = 0; newer_aside < 2; newer_aside++) {
		struct store *s = open_store();
		struct incident *a = make("mx1", 1);
		struct seen seen = {.n = 0};
		save(s, a, STORE_DISK);
		snprintf(a->comment, sizeof a->comment, "second");
		assert_true(store_save_aside(s, a));
		assert_true(a->owed);
		if (!newer_aside) {
			snprintf(a->comment, sizeof a->comment, "third");
			save(s, a, STORE_DISK);
			assert_int_equal(count(run_dir, "incidents"), 0);
		}
		store_load(s, found, bad, &seen);
		assert_int_equal(seen.n, 1);
		assert_string_equal(seen.v[0]->comment, newer_aside ? "second" : "third");
		assert_int_equal(seen.v[0]->owed, newer_aside);
		seen_free(&seen);
		incident_free(a);
		store_close(s);
	}
}

static void a_stale_twin_is_passed_over(void **state)
{
	(void)state;
	struct store *s = open_store();
	struct incident *a = make("mx1", 1);
	struct seen seen = {.n = 0};
	assert_true(store_save_aside(s, a));
	a->owed = false; /* so that the twin stays, as after a crash between the two steps */
	snprintf(a->comment, sizeof a->comment, "newer");
	save(s, a, STORE_DISK);
	assert_int_equal(count(run_dir, "incidents"), 1);
	store_load(s, found, bad, &seen);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.v[0]->comment, "newer");
	assert_false(seen.v[0]->owed);
	seen_free(&seen);
	incident_free(a);
	store_close(s);
}

static void broken_files_are_set_aside_and_told(void **state)
{
	(void)state;
	static const char *const contents[] = {"", "{", "[]", "{\"v\":1}", "{\"v\":2,\"check\":\"x\"}", "null", "\x00\xff"};
	struct store *s = open_store();
	struct incident *a = make("mx1", 1);
	size_t n = sizeof contents / sizeof *contents;
	save(s, a, STORE_DISK);
	for (size_t k = 0; k < n; k++) {
		char path[256];
		snprintf(path, sizeof path, "%s/incidents/BAD%zu-0.json", state_dir, k);
		assert_true(file_write_atomic(path, contents[k], strlen(contents[k]), 0600));
	}
	char tmp[256];
	snprintf(tmp, sizeof tmp, "%s/incidents/CUT-0.json.tmp77", state_dir);
	assert_true(file_write_atomic(tmp, "{", 1, 0600));
	struct seen seen = {.n = 0};
	store_load(s, found, bad, &seen);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.bad, n);
	assert_true(seen.why[0]);
	assert_int_equal(count(state_dir, "bad"), n);
	assert_int_equal(count(state_dir, "incidents"), 1);
	/* and told once */
	struct seen again = {.n = 0};
	store_load(s, found, bad, &again);
	assert_int_equal(again.bad, 0);
	seen_free(&seen);
	seen_free(&again);
	incident_free(a);
	store_close(s);
}

static void a_disk_that_refuses_leaves_the_twin(void **state)
{
	(void)state;
	char path[256], moved[256];
	struct store *s = open_store();
	struct incident *a = make("mx1", 1);
	snprintf(path, sizeof path, "%s/incidents", state_dir);
	snprintf(moved, sizeof moved, "%s/elsewhere", state_dir);
	assert_int_equal(rename(path, moved), 0);
	save(s, a, STORE_TWIN);
	assert_int_equal(count(run_dir, "incidents"), 1);
	assert_int_equal(rename(moved, path), 0);
	save(s, a, STORE_DISK);
	assert_int_equal(count(run_dir, "incidents"), 0);
	/* neither takes it */
	char twin[256];
	snprintf(twin, sizeof twin, "%s/incidents", run_dir);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(rmdir(twin), 0);
	save(s, a, STORE_NOWHERE);
	assert_false(store_save_aside(s, a));
	incident_free(a);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_was_saved_is_loaded, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_one_holds_the_lock, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_newer_of_disk_and_twin_counts, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_stale_twin_is_passed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(broken_files_are_set_aside_and_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_disk_that_refuses_leaves_the_twin, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
