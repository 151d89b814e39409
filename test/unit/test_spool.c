/* The spool: writer and reader on real directories, the twin, bad files, trimming. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/contract/spool.h"

struct dirs {
	char base[64], spool[100], twin[100];
};

static int make_dir(void **state)
{
	struct dirs *d = calloc(1, sizeof *d);
	strcpy(d->base, "/tmp/unit.XXXXXX");
	if (!mkdtemp(d->base))
		return -1;
	snprintf(d->spool, sizeof d->spool, "%s/spool", d->base);
	snprintf(d->twin, sizeof d->twin, "%s/twin", d->base);
	*state = d;
	return 0;
}

static int remove_dir(void **state)
{
	struct dirs *d = *state;
	char command[300];
	snprintf(command, sizeof command, "rm -rf '%s'", d->base);
	int rc = system(command);
	free(d);
	return rc;
}

static void fill(struct event *e, const char *check, uint64_t change)
{
	event_init(e);
	snprintf(e->check, sizeof e->check, "%s", check);
	e->change = e->opened = change;
	e->state = NAG_CRITICAL;
	e->at = e->since = clock_stamp();
	e->at.wall_ms += (int64_t)change * 60000; /* however long it takes to fill the next one */
	e->text = strdup("down");
}

static void put(struct spool_writer *w, const char *check, uint64_t change)
{
	struct event e;
	fill(&e, check, change);
	spool_write(w, &e);
	event_fini(&e);
}

struct seen {
	char ids[20][300];
	char bad[20][300];
	size_t n, nbad;
	bool take;
};

static bool on_event(void *arg, const struct event *e, const struct spool_item *item)
{
	struct seen *s = arg;
	event_id(e, s->ids[s->n++], sizeof s->ids[0]);
	assert_non_null(strstr(item->path, "/new/"));
	return s->take;
}

static void on_bad(void *arg, const char *path, const char *why)
{
	struct seen *s = arg;
	snprintf(s->bad[s->nbad++], sizeof s->bad[0], "%s: %s", path, why);
}

static int count(const char *dir, const char *room)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", dir, room);
	DIR *d = opendir(path);
	int n = 0;
	struct dirent *e;
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static void written_read_done(void **state)
{
	struct dirs *d = *state;
	char why[200];
	struct spool_reader *r = spool_reader_new(d->spool, d->twin, why, sizeof why);
	struct spool_writer *w = spool_writer_new(d->spool, d->twin, why, sizeof why);
	assert_non_null(r);
	assert_non_null(w);
	int fd = spool_reader_fd(r);
	put(w, "b", 2);
	put(w, "a", 1);
	put(w, "a", 1); /* writing again is a no-op */
	assert_true(spool_writer_flush(w, 5000));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 5000), 1);
	struct spool_fate fate;
	int fates = 0;
	while (spool_writer_fate(w, &fate)) {
		assert_int_equal(fate.where, 0);
		fates++;
	}
	assert_int_equal(fates, 3);
	struct seen s = { .take = false };
	assert_int_equal(spool_scan(r, on_event, on_bad, &s), 2);
	assert_string_equal(s.ids[0], "a@1");
	assert_string_equal(s.ids[1], "b@2");
	assert_int_equal(count(d->spool, "new"), 2); /* not taken: they stay */
	s = (struct seen){ .take = true };
	spool_scan(r, on_event, on_bad, &s);
	assert_int_equal(count(d->spool, "new"), 0);
	assert_int_equal(count(d->spool, "done"), 2);
	assert_int_equal(count(d->spool, "tmp"), 0);
	snprintf(why, sizeof why, "%s/tmp/left.1", d->spool);
	assert_true(file_write_volatile(why, "x", 1, 0600));
	snprintf(why, sizeof why, "%s/tmp/left.2", d->spool);
	assert_true(file_write_volatile(why, "x", 1, 0600));
	spool_trim(r, 1);
	assert_int_equal(count(d->spool, "done"), 1);
	assert_int_equal(count(d->spool, "tmp"), 1);
	spool_writer_free(w);
	spool_reader_free(r);
}

static void a_long_name_in_any_script_is_written(void **state)
{
	struct dirs *d = *state;
	char why[200], name[101];
	for (size_t n = 0; n + 3 <= 100; n += 3)
		memcpy(name + n, "\xe9\x83\xb5", 4);
	struct spool_reader *r = spool_reader_new(d->spool, d->twin, why, sizeof why);
	struct spool_writer *w = spool_writer_new(d->spool, d->twin, why, sizeof why);
	put(w, name, 1790000000000);
	assert_true(spool_writer_flush(w, 5000));
	struct seen s = { .take = true };
	assert_int_equal(spool_scan(r, on_event, on_bad, &s), 1);
	assert_int_equal(count(d->spool, "done"), 1);
	spool_writer_free(w);
	spool_reader_free(r);
}

/* The spool's directory is no directory: the twin takes it, says why, and the reader finds it there. */
static void twin_takes_over(void **state)
{
	struct dirs *d = *state;
	char why[200];
	assert_true(file_write_volatile(d->spool, "", 0, 0600));
	struct spool_writer *w = spool_writer_new(d->spool, d->twin, why, sizeof why);
	assert_non_null(w);
	put(w, "a", 1);
	assert_true(spool_writer_flush(w, 5000));
	struct spool_fate fate;
	assert_true(spool_writer_fate(w, &fate));
	assert_int_equal(fate.where, 1);
	assert_non_null(strstr(fate.why, d->spool));
	/* the disk comes back: the next event goes to the spool again */
	unlink(d->spool);
	put(w, "a", 2);
	assert_true(spool_writer_flush(w, 5000));
	assert_true(spool_writer_fate(w, &fate));
	assert_int_equal(fate.where, 0);
	struct spool_reader *r = spool_reader_new(d->spool, d->twin, why, sizeof why);
	struct seen s = { .take = true };
	assert_int_equal(spool_scan(r, on_event, on_bad, &s), 2);
	assert_int_equal(count(d->twin, "done"), 1);
	spool_reader_free(r);
	spool_writer_free(w);
}

/* A spool that never answers (a FIFO nobody reads stands where its file would go): the twin has it after 2 s. */
static void a_hung_spool_does_not_hold_events(void **state)
{
	struct dirs *d = *state;
	char why[200], path[200];
	assert_true(spool_make(d->spool, why, sizeof why));
	snprintf(path, sizeof path, "%s/tmp/a@1.%d", d->spool, (int)getpid());
	assert_int_equal(mkfifo(path, 0600), 0);
	struct spool_writer *w = spool_writer_new(d->spool, d->twin, why, sizeof why);
	put(w, "a", 1);
	assert_true(spool_writer_flush(w, 15000));
	struct spool_fate fate;
	assert_true(spool_writer_fate(w, &fate));
	assert_int_equal(fate.where, 1);
	assert_non_null(strstr(fate.why, "no answer"));
	assert_int_equal(count(d->twin, "new"), 1);
	int fd = open(path, O_RDONLY | O_NONBLOCK); /* let the blocked thread go */
	spool_writer_free(w);
	close(fd);
}

static void bad_files_are_set_aside(void **state)
{
	struct dirs *d = *state;
	char why[200], path[300];
	struct spool_reader *r = spool_reader_new(d->spool, NULL, why, sizeof why);
	static const char *const bad[] = { "not json", "{\"text\":", "{\"kind\":\"problem\",\"text\":\"x\"}", "" };
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/new/bad%zu.json", d->spool, i);
		assert_true(file_write_volatile(path, bad[i], strlen(bad[i]), 0600));
	}
	snprintf(path, sizeof path, "%s/new/large", d->spool);
	char *large = calloc(1, 70000);
	memset(large, ' ', 70000);
	assert_true(file_write_volatile(path, large, 70000, 0600));
	free(large);
	snprintf(path, sizeof path, "%s/new/dropped", d->spool);
	assert_true(file_write_volatile(path, "{\"text\":\"hello\"}", 16, 0600));
	struct seen s = { .take = true };
	assert_int_equal(spool_scan(r, on_event, on_bad, &s), 1);
	assert_string_equal(s.ids[0], "dropped@0");
	assert_int_equal(s.nbad, 5);
	assert_int_equal(count(d->spool, "bad"), 5);
	assert_int_equal(count(d->spool, "new"), 0);
	spool_reader_free(r);
}

struct many {
	bool seen[2500], twin;
};

static bool count_many(void *arg, const struct event *e, const struct spool_item *item)
{
	struct many *m = arg;
	(void)item;
	if (strcmp(e->check, "twin") == 0)
		m->twin = true;
	else
		m->seen[atoi(e->check)] = true;
	return false;
}

/* More files than one scan takes, and none of them can be let go of (pagerd's disk is full): all are seen all the same,
 * and the twin's with each scan. */
static void files_that_stay_do_not_hide_others(void **state)
{
	struct dirs *d = *state;
	struct many *m = calloc(1, sizeof *m);
	char why[200], path[300], text[100];
	struct spool_reader *r = spool_reader_new(d->spool, d->twin, why, sizeof why);
	for (int i = 0; i < 2500; i++) {
		snprintf(path, sizeof path, "%s/new/%d.json", d->spool, i);
		snprintf(text, sizeof text, "{\"text\":\"x\",\"check\":\"%d\"}", i);
		assert_true(file_write_volatile(path, text, strlen(text), 0600));
	}
	snprintf(path, sizeof path, "%s/new/twin.json", d->twin);
	assert_true(file_write_volatile(path, "{\"text\":\"x\"}", 12, 0600));
	for (int i = 0; i < 6; i++) {
		m->twin = false;
		assert_true(spool_scan(r, count_many, on_bad, m) <= 2000);
		assert_true(m->twin);
	}
	for (int i = 0; i < 2500; i++)
		assert_true(m->seen[i]);
	free(m);
	spool_reader_free(r);
}

/* Out of descriptors: that is nothing the file can help. */
static void a_file_that_cannot_be_opened_just_now_stays(void **state)
{
	struct dirs *d = *state;
	char why[200];
	struct rlimit old, few;
	struct spool_reader *r = spool_reader_new(d->spool, NULL, why, sizeof why);
	struct spool_writer *w = spool_writer_new(d->spool, NULL, why, sizeof why);
	put(w, "a", 1);
	assert_true(spool_writer_flush(w, 5000));
	spool_writer_free(w);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	int probe = dup(0);
	few.rlim_cur = (rlim_t)probe + 1; /* room for the directory, none for the file */
	close(probe);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct seen s = { .take = true };
	size_t n = spool_scan(r, on_event, on_bad, &s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(n, 0);
	assert_int_equal(s.nbad, 0);
	assert_int_equal(spool_scan(r, on_event, on_bad, &s), 1);
	assert_int_equal(count(d->spool, "done"), 1);
	spool_reader_free(r);
}

/* One group, two users: what one daemon makes the other must be able to write, whatever its umask. */
static void rooms_are_writable_by_the_group(void **state)
{
	struct dirs *d = *state;
	char why[200], path[200];
	struct stat st;
	mode_t old = umask(077);
	assert_true(spool_make(d->spool, why, sizeof why));
	umask(old);
	static const char *const rooms[] = { "", "/tmp", "/new", "/done", "/bad" };
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof path, "%s%s", d->spool, rooms[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0770);
	}
}

/* More at once than a healthy disk takes in 2 s: a long queue is not a hung disk, nothing goes to the twin. */
static void a_long_queue_is_not_a_hung_disk(void **state)
{
	struct dirs *d = *state;
	char why[200], name[32];
	struct spool_writer *w = spool_writer_new(d->spool, d->twin, why, sizeof why);
	assert_non_null(w);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "c%d", i);
		put(w, name, 1);
	}
	assert_true(spool_writer_flush(w, 120000));
	struct spool_fate fate;
	int n = 0;
	while (spool_writer_fate(w, &fate)) {
		assert_int_equal(fate.where, 0);
		n++;
	}
	assert_int_equal(n, 2000);
	assert_int_equal(count(d->spool, "new"), 2000);
	spool_writer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_read_done, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_long_name_in_any_script_is_written, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(twin_takes_over, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_long_queue_is_not_a_hung_disk, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_hung_spool_does_not_hold_events, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(rooms_are_writable_by_the_group, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(bad_files_are_set_aside, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(files_that_stay_do_not_hide_others, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened_just_now_stays, make_dir, remove_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
