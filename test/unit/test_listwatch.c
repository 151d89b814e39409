/* A list of hosts that changes on the disk is told once, after it stayed as it is for two looks. lib/config/listwatch.c */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/config/internal.h"
#include "lib/config/listwatch.h"

enum { LISTS = 3 };

struct fixture {
	char *dir, paths[LISTS][100];
	struct conf_list lists[LISTS];
	struct config conf;
	struct listwatch *w;
};

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void set_time(const char *path, long ns)
{
	const struct timespec t[2] = {{1000000000, ns}, {1000000000, ns}};
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* The configuration is read (again). */
static void take(struct fixture *f)
{
	for (int i = 0; i < LISTS; i++)
		f->lists[i].id = config_list_id(f->paths[i]);
	listwatch_use(f->w, &f->conf);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char dir[] = "/tmp/listwatch.XXXXXX";
	assert_non_null(mkdtemp(dir));
	f->dir = strdup(dir);
	for (int i = 0; i < LISTS; i++) {
		snprintf(f->paths[i], sizeof f->paths[i], "%s/%d", dir, i);
		f->lists[i] = (struct conf_list){.source = f->paths[i], .path = f->paths[i]};
		put(f->paths[i], "mx1\n");
	}
	f->conf.lists = f->lists;
	f->conf.nlists = LISTS;
	f->w = listwatch_new();
	take(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < LISTS; i++)
		unlink(f->paths[i]);
	rmdir(f->dir);
	free(f->dir);
	listwatch_free(f->w);
	free(f);
	return 0;
}

static void quiet(struct fixture *f, int looks)
{
	while (looks--)
		assert_null(listwatch_look(f->w));
}

/* The next look but one tells of it, and no later one. */
static void told_once(struct fixture *f, int list)
{
	quiet(f, 1);
	const char *what = listwatch_look(f->w);
	assert_non_null(what);
	assert_string_equal(what, f->paths[list]);
	quiet(f, 3);
}

static void nothing_changes(void **state)
{
	quiet(*state, 5);
}

static void each_kind_of_change(void **state)
{
	struct fixture *f = *state;
	put(f->paths[1], "mx1\nmx2\n"); /* another size */
	told_once(f, 1);
	take(f);
	quiet(f, 3);
	set_time(f->paths[1], 5); /* written again, as long as before */
	told_once(f, 1);
	take(f);
	char fresh[120];
	snprintf(fresh, sizeof fresh, "%s.new", f->paths[1]); /* another file in its place, as old and as long */
	put(fresh, "mx3\nmx4\n");
	set_time(fresh, 5);
	assert_int_equal(rename(fresh, f->paths[1]), 0);
	told_once(f, 1);
}

static void one_that_is_being_written(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 5; i++) {
		set_time(f->paths[0], 100 + i);
		quiet(f, 1);
	}
	const char *what = listwatch_look(f->w);
	assert_non_null(what);
	assert_string_equal(what, f->paths[0]);
}

static void gone_and_back(void **state)
{
	struct fixture *f = *state;
	unlink(f->paths[2]);
	told_once(f, 2); /* that the old list stays in force is the loader's affair */
	put(f->paths[2], "mx1\n");
	set_time(f->paths[2], 7);
	told_once(f, 2);
}

/* What was refused is not told again until it changes again; what is put back as it was is nothing new. */
static void refused_then_as_before(void **state)
{
	struct fixture *f = *state;
	set_time(f->paths[0], 1);
	take(f);
	set_time(f->paths[0], 2);
	told_once(f, 0);
	set_time(f->paths[0], 1);
	quiet(f, 4);
	set_time(f->paths[0], 3);
	told_once(f, 0);
}

static void several_at_once(void **state)
{
	struct fixture *f = *state;
	set_time(f->paths[0], 1);
	set_time(f->paths[2], 1);
	assert_null(listwatch_look(f->w));
	bool first = false, last = false;
	for (int i = 0; i < 4; i++) {
		const char *what = listwatch_look(f->w);
		first |= what && strcmp(what, f->paths[0]) == 0;
		last |= what && strcmp(what, f->paths[2]) == 0;
	}
	assert_true(first && last);
	quiet(f, 2);
}

static void a_list_that_is_in_no_file(void **state)
{
	struct fixture *f = *state;
	f->lists[0].path = NULL;
	take(f);
	set_time(f->paths[0], 9);
	quiet(f, 3);
	set_time(f->paths[1], 9);
	told_once(f, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(nothing_changes), T(each_kind_of_change), T(one_that_is_being_written),
					   T(gone_and_back), T(refused_then_as_before), T(several_at_once),
					   T(a_list_that_is_in_no_file)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
