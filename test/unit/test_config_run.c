/*
 * The loader on a real disk with real programs (small shell scripts): how they are run, what becomes of those
 * that hang, crash or talk without end, which files are read, and the last good copy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/config/internal.h"
#include "lib/file.h"

/* --- a disk that dies or fills up at the Nth change ---
 * These stand before the C library's own. */
static int steps, die_at, fail_at; /* 0: never */

static bool step(void)
{
	steps++;
	if (steps == die_at)
		_exit(99);
	if (steps != fail_at)
		return true;
	errno = ENOSPC;
	return false;
}

int fsync(int fd)
{
	return step() ? (int)syscall(SYS_fsync, fd) : -1;
}

int rename(const char *from, const char *to)
{
	return step() ? (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) : -1;
}

int symlink(const char *target, const char *path)
{
	return step() ? (int)syscall(SYS_symlinkat, target, AT_FDCWD, path) : -1;
}

int mkdir(const char *path, mode_t mode)
{
	return step() ? (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode) : -1;
}

int remove(const char *path)
{
	struct stat st;
	if (!step())
		return -1;
	int flag = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0;
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, flag);
}

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-config-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path below the test's directory; good until the fourth call after it. */
static const char *at(const char *name)
{
	static char paths[4][256];
	static int next;
	char *p = paths[next++ % 4];
	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static void put(const char *name, const char *text, mode_t mode)
{
	char *slash;
	char path[256];
	snprintf(path, sizeof(path), "%s", at(name));
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_true(file_mkdirs(path, 0700));
	*slash = '/';
	assert_true(file_write_volatile(path, text, strlen(text), mode));
}

static void script(const char *name, const char *body)
{
	char text[4096];
	snprintf(text, sizeof(text), "#!/bin/sh\n%s", body);
	put(name, text, 0755);
}

/* --- running --- */

static struct buf output;
static char why[512];

static bool run(const char *body, const char *input, int timeout_ms, size_t max)
{
	struct buf in;
	buf_fini(&output);
	buf_init(&output, max);
	buf_init(&in, 8 << 20);
	buf_puts(&in, input);
	why[0] = '\0';
	script("p", body);
	bool ok = config_run(at("p"), "--describe", &in, timeout_ms, &output, why, sizeof(why));
	buf_fini(&in);
	return ok;
}

static const struct {
	const char *body, *input;
	bool ok;
	const char *output, *why;
} runs[] = {
	{"echo hello $1", "", true, "hello --describe\n", ""},
	{"cat", "some\ntext\n", true, "some\ntext\n", ""},
	{"exec 0<&-; echo done", "nobody reads this", true, "done\n", ""},
	{"echo ok; echo noise >&2", "", true, "ok\n", ""},
	{"i=0; while [ $i -lt 3000 ]; do echo a lot of noise >&2; i=$((i+1)); done; echo ok", "", true, "ok\n", ""},
	{"echo it is broken >&2; echo more >&2; exit 3", "", false, "", "exited 3: it is broken"},
	{"exit 1", "", false, "", "exited 1"},
	{"kill -9 $$", "", false, "", "was killed by signal 9"},
	{"echo slow >&2; sleep 100", "", false, "", "did not end within 2 s: slow"},
	{"trap '' TERM INT HUP; while :; do :; done", "", false, "", "did not end within 2 s"},
	{"exec >&-; sleep 100", "", false, "", "did not end within 2 s"},
	{"yes", "", false, NULL, "said more than 1 KiB"},
	/* a grandchild that keeps the pipes does not keep us */
	{"sleep 100 & echo ok", "", true, "ok\n", ""},
	/* chosen environment, no descriptors but three, own group, nothing blocked or ignored */
	{"env | sort | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_=", "", true,
	 "CREDENTIALS_DIRECTORY=/creds\nLANG=C\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTZ=Asia/Tokyo\n",
	 ""},
	{"ls /proc/$$/fd", "", true, NULL, ""},
	/* signals 1 to 28, of the sed: the shell itself blocks all while it forks; some C libraries let the two they keep for themselves, 32 and 33, be ignored in a child */
	{"sed -nE 's/^(Sig(Blk|Ign)):.*(.{7})$/\\1:\\3/p' /proc/self/status", "", true, "SigBlk:0000000\nSigIgn:0000000\n", ""},
	{"set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo own group", "", true, "own group\n", ""},
};

static void test_runs(void **state)
{
	(void)state;
	int extra = open("/dev/null", O_RDONLY); /* not close-on-exec: must not reach the child all the same */
	setenv("NOTIFY_SOCKET", "/x", 1);
	setenv("SECRET", "hunter2", 1);
	setenv("TZ", "Asia/Tokyo", 1);
	setenv("CREDENTIALS_DIRECTORY", "/creds", 1);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		/* generous where nothing hangs: the machine may be busy */
		int timeout = strstr(runs[i].why, "within") ? 2000 : 20000;
		bool ok = run(runs[i].body, runs[i].input, timeout, 1024);
		if (ok != runs[i].ok || strcmp(why, runs[i].why) != 0)
			fail_msg("%s: %s, \"%s\"", runs[i].body, ok ? "ok" : "failed", why);
		if (runs[i].output)
			assert_string_equal(buf_str(&output), runs[i].output);
		else if (runs[i].ok) /* 10 (dash) and 255 (bash) are the shell's own script */
			assert_true(strcmp(buf_str(&output), "0\n1\n10\n2\n") == 0 ||
				    strcmp(buf_str(&output), "0\n1\n2\n255\n") == 0);
	}
	close(extra);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("SECRET");
	unsetenv("CREDENTIALS_DIRECTORY");
	buf_fini(&output);
}

static void test_not_runnable(void **state)
{
	struct buf out;
	(void)state;
	buf_init(&out, 100);
	assert_false(config_run(at("none"), "-x", NULL, 1000, &out, why, sizeof(why)));
	assert_string_equal(why, "cannot be run: No such file or directory");
	put("text", "not a program", 0644);
	if (geteuid() != 0 || access(at("text"), X_OK) != 0) {
		assert_false(config_run(at("text"), "-x", NULL, 1000, &out, why, sizeof(why)));
		assert_string_equal(why, "cannot be run: Permission denied");
	}
	put("bad", "#!/no/such/interpreter\n", 0755);
	assert_false(config_run(at("bad"), "-x", NULL, 1000, &out, why, sizeof(why)));
	assert_string_equal(why, "could not be started");
	buf_fini(&out);
}

static bool gone(pid_t pid)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return true;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	return n == 0 || strstr(text, ") Z ") != NULL;
}

/* What the program left behind is killed with it, whether it ended by itself or not. */
static void test_group_is_killed(void **state)
{
	static const char *const bodies[] = {"sleep 1000 & echo $!", "sleep 1000 & echo $!; sleep 1000"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_true(run(bodies[i], "", 500, 100) == (i == 0));
		pid_t pid = (pid_t)atoi(buf_str(&output));
		assert_true(pid > 1);
		int64_t until = clock_boot_ms() + 10000;
		while (!gone(pid) && clock_boot_ms() < until)
			usleep(1000);
		assert_true(gone(pid));
	}
	buf_fini(&output);
}

/* 4 MiB in and out at once: neither side may wait for the other. */
static void test_large_both_ways(void **state)
{
	(void)state;
	char *text = malloc((4 << 20) + 1);
	memset(text, 'x', 4 << 20);
	text[4 << 20] = '\0';
	assert_true(run("exec cat", text, 20000, 8 << 20));
	assert_int_equal(output.len, 4 << 20);
	/* nobody reads it: no SIGPIPE, and the outcome is the program's */
	signal(SIGPIPE, SIG_DFL);
	assert_false(run("exit 4", text, 20000, 100));
	assert_string_equal(why, "exited 4");
	free(text);
	buf_fini(&output);
}

static atomic_bool stop;

static void *busy(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		void *p[64];
		for (int i = 0; i < 64; i++)
			p[i] = malloc((size_t)(i + 1) * 100);
		for (int i = 0; i < 64; i++)
			free(p[i]);
	}
	return NULL;
}

/* Threads that hold the allocator's lock at the moment of the fork must not stop the child. */
static void test_with_threads(void **state)
{
	pthread_t t[3];
	(void)state;
	atomic_store(&stop, false);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, busy, NULL);
	for (int i = 0; i < 50; i++)
		assert_true(run("echo ok", "", 20000, 100));
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	buf_fini(&output);
}

/* Some daemons ignore SIGCHLD, and then nobody can be asked how it ended: what it said counts. */
static void test_reaped_by_others(void **state)
{
	(void)state;
	void (*before)(int) = signal(SIGCHLD, SIG_IGN);
	assert_true(run("echo ok", "", 20000, 100));
	assert_string_equal(buf_str(&output), "ok\n");
	assert_false(run("sleep 100", "", 300, 100));
	signal(SIGCHLD, before);
	buf_fini(&output);
}

/* --- loading --- */

#define LINES "lines: {m: {notifier: sms, device: /dev/x}}\ncontacts: {op: {routes: [{line: m, to: '+1'}]}}\n"

static void put_programs(void)
{
	script("lib/prober",
	       "case $1 in\n"
	       "--describe) echo '{\"v\":1,\"probes\":[{\"name\":\"smtp\",\"place\":\"net\",\"host_option\":\"host\",\"options\":[{\"name\":"
	       "\"host\",\"type\":\"string\",\"required\":true}]}]}' ;;\n"
	       "--validate) while read -r line; do case $line in\n"
	       "  *wrong*) echo '{\"ok\":false,\"complaints\":[{\"item\":\"host\",\"value\":\"wrong\",\"reason\":\"is wrong\"}]}' ;;\n"
	       "  *) echo '{\"ok\":true}' ;; esac; done ;;\n"
	       "esac\n");
	script("lib/notify_sms",
	       "case $1 in\n"
	       "--describe) echo '{\"v\":1,\"name\":\"sms\",\"options\":[{\"name\":\"device\",\"type\":\"string\",\"required\":true}]}' ;;\n"
	       "--validate) while read -r line; do echo '{\"ok\":true}'; done ;;\n"
	       "esac\n");
}

static char *said(const struct complaints *c)
{
	struct buf out;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < c->n; i++) {
		complaint_format(&c->v[i], &out);
		buf_puts(&out, "\n");
	}
	char *text = strdup(buf_str(&out));
	buf_fini(&out);
	return text;
}

/* Loads DIR/etc/m.yaml. wrong: what must be said, with DIR for the directory; NULL: it must load. */
static struct config *load(const char *wrong)
{
	struct complaints c;
	char expect[2048] = "";
	complaints_init(&c);
	struct config *conf = config_load(at("etc/m.yaml"), at("lib"), &c);
	char *text = said(&c);
	for (const char *p = wrong ? wrong : ""; *p;) {
		size_t len = strlen(expect);
		if (strncmp(p, "DIR", 3) == 0) {
			snprintf(expect + len, sizeof(expect) - len, "%s", dir);
			p += 3;
		} else {
			expect[len] = *p++;
		}
	}
	assert_string_equal(text, expect);
	assert_true(!conf == !!wrong);
	free(text);
	complaints_fini(&c);
	return conf;
}

static void test_load(void **state)
{
	(void)state;
	put_programs();
	put("etc/m.yaml", LINES, 0644);
	put("etc/conf.d/b.yaml", "checks: {b: {probe: smtp, host: h}}\n", 0644);
	put("etc/conf.d/B.yaml", "checks: {B: {probe: smtp, host: h}}\n", 0644);
	put("etc/conf.d/a.yaml", "checks: {a: {probe: smtp, host: h}}\n", 0644);
	put("etc/conf.d/.hidden.yaml", "nonsense\n", 0644);
	put("etc/conf.d/a.yaml~", "nonsense\n", 0644);
	put("etc/conf.d/README", "nonsense\n", 0644);
	put("etc/conf.d/c.yml", "nonsense\n", 0644);
	struct config *conf = load(NULL);
	assert_int_equal(conf->nchecks, 3);
	assert_string_equal(conf->checks[0].name, "B"); /* byte order of the files */
	assert_string_equal(conf->checks[1].name, "a");
	assert_string_equal(conf->checks[2].name, "b");
	assert_string_equal(conf->checks[2].at.file, at("etc/conf.d/b.yaml"));
	assert_string_equal(conf->source, at("etc/m.yaml"));
	assert_string_equal(conf->libexec, at("lib"));
	char *warned = said(&conf->warnings);
	assert_non_null(strstr(warned, "conf.d/c.yml: is not read: only names that end in .yaml are\n"));
	free(warned);
	config_free(conf);
}

static void test_load_refused(void **state)
{
	(void)state;
	put_programs();
	load("DIR/etc/m.yaml: cannot be read: No such file or directory\n");
	put("etc/m.yaml", LINES, 0644);
	put("etc/conf.d/a.yaml", "checks: {a: {probe: smtp, host: wrong}, b: {probe: smtp, host: right}}\n", 0644);
	load("DIR/etc/conf.d/a.yaml:1:33: checks.a.host \"wrong\": is wrong\n");
	put("etc/conf.d/a.yaml", "checks: {a: {probe: smtp, host: right}}\n", 0644);
	assert_int_equal(mkdir(at("etc/conf.d/d.yaml"), 0700), 0);
	struct complaints c;
	complaints_init(&c);
	assert_null(config_load(at("etc/m.yaml"), at("lib"), &c));
	assert_int_equal(c.n, 1);
	assert_string_equal(c.v[0].file, at("etc/conf.d/d.yaml"));
	complaints_fini(&c);
	rmdir(at("etc/conf.d/d.yaml"));
	script("lib/prober", "echo no >&2; exit 9\n");
	load("prober --describe: DIR/lib/prober: exited 9: no; the options of no check were looked at\n");
	unlink(at("lib/notify_sms"));
	put("etc/conf.d/a.yaml", "", 0644);
	load("DIR/etc/m.yaml:1:23: lines.m.notifier \"sms\": there is no such notifier (no DIR/lib/notify_sms)\n");
}

static void test_libexec_from_file(void **state)
{
	struct complaints c;
	char text[512];
	(void)state;
	put_programs();
	snprintf(text, sizeof(text), "paths: {libexec: %s}\n" LINES, at("lib"));
	put("etc/m.yaml", text, 0644);
	complaints_init(&c);
	struct config *conf = config_load(at("etc/m.yaml"), NULL, &c);
	assert_non_null(conf);
	assert_string_equal(conf->libexec, at("lib"));
	config_free(conf);
	complaints_fini(&c);
}

static void test_large_files(void **state)
{
	struct buf b;
	(void)state;
	put_programs();
	put("etc/m.yaml", LINES, 0644);
	buf_init(&b, 8 << 20);
	for (int i = 0; i < 80000; i++)
		buf_puts(&b, "# fifty bytes of nothing in particular, to be long\n");
	for (int i = 0; i < 5; i++) {
		char name[64];
		snprintf(name, sizeof(name), "etc/conf.d/%d.yaml", i);
		put(name, buf_str(&b), 0644);
	}
	load("DIR/etc/conf.d/4.yaml: is not read: all files together are larger than 16 MiB\n");
	for (int i = 0; i < 8000; i++)
		buf_puts(&b, "# fifty bytes of nothing in particular, to be long\n");
	put("etc/conf.d/4.yaml", buf_str(&b), 0644);
	load("DIR/etc/conf.d/4.yaml: larger than 4 MiB\n");
	buf_fini(&b);
}

/* --- the last good copy --- */

static size_t entries(const char *path)
{
	size_t n = 0;
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void keep(const struct config *conf)
{
	if (!config_keep(conf, at("state"), why, sizeof(why)))
		fail_msg("%s", why);
}

/* The copy loads, and is the configuration with that digest. */
static void copy_is(const char *digest)
{
	struct complaints c;
	complaints_init(&c);
	char *path = config_kept(at("state"));
	assert_non_null(path);
	struct config *copy = config_load(path, at("lib"), &c);
	assert_non_null(copy);
	assert_string_equal(copy->digest, digest);
	config_free(copy);
	complaints_fini(&c);
	free(path);
}

static void test_keep(void **state)
{
	(void)state;
	put_programs();
	assert_null(config_kept(at("state")));
	put("etc/m.yaml", LINES, 0644);
	put("etc/conf.d/a.yaml", "checks: {a: {probe: smtp, host: h}}\n", 0644);
	struct config *one = load(NULL);
	put("etc/conf.d/a.yaml", "# changed after it was read\n", 0644);
	put("state/.keep", "", 0600);
	keep(one);
	copy_is(one->digest);
	assert_int_equal(entries(at("state/last-good")), 2); /* the copy and the link */
	/* the same again: nothing is written */
	char *before = config_kept(at("state"));
	keep(one);
	char *after = config_kept(at("state"));
	assert_string_equal(before, after);
	/* another one: the old copy goes */
	struct config *two = load(NULL);
	assert_string_not_equal(one->digest, two->digest);
	keep(two);
	copy_is(two->digest);
	assert_int_equal(entries(at("state/last-good")), 2);
	assert_int_not_equal(access(before, F_OK), 0);
	/* a copy that was tampered with is written again */
	char *path = config_kept(at("state"));
	assert_true(file_write_volatile(path, "broken: [", 9, 0600));
	keep(two);
	copy_is(two->digest);
	free(path);
	free(before);
	free(after);
	config_free(one);
	config_free(two);
}

/* What a crash at any point leaves: half a copy, a fresh link not yet renamed, a link to nothing. */
static void test_keep_after_crash(void **state)
{
	(void)state;
	put_programs();
	put("etc/m.yaml", LINES, 0644);
	struct config *conf = load(NULL);
	put("state/last-good/0123456789abcdef.AbCdEf/m.yaml", "hal", 0600);
	assert_int_equal(symlink("0123456789abcdef.AbCdEf/m.yaml", at("state/last-good/current.new")), 0);
	put("state/last-good/notes.txt", "an administrator's", 0600);
	assert_null(config_kept(at("state"))); /* no link yet: no copy */
	keep(conf);
	copy_is(conf->digest);
	assert_int_equal(entries(at("state/last-good")), 3); /* copy, link, and what is not ours */
	assert_int_equal(access(at("state/last-good/notes.txt"), F_OK), 0);
	/* links that lead nowhere or elsewhere are no copy */
	static const char *const targets[] = {"gone/m.yaml", "../../etc/m.yaml", "/etc/passwd"};
	for (size_t i = 0; i < 3; i++) {
		unlink(at("state/last-good/current"));
		assert_int_equal(symlink(targets[i], at("state/last-good/current")), 0);
		assert_null(config_kept(at("state")));
	}
	keep(conf);
	copy_is(conf->digest);
	config_free(conf);
}

static void test_keep_fails(void **state)
{
	(void)state;
	put_programs();
	put("etc/m.yaml", LINES, 0644);
	struct config *conf = load(NULL);
	put("state", "a file where a directory should be", 0600);
	assert_false(config_keep(conf, at("state"), why, sizeof(why)));
	assert_non_null(strstr(why, "last-good: Not a directory"));
	config_free(conf);
}

/* Killed before each change in turn: the copy in force is the old one whole or the new one whole. Out of space at each
 * in turn: the same, and what went wrong is said. Either way the next keep succeeds and leaves nothing behind. */
static void keep_broken(const struct config *old, const struct config *new, bool dies)
{
	int at_step = 0, rounds = 0;
	bool done = false;
	while (!done) {
		assert_true(++rounds < 200);
		keep(old);
		pid_t pid = fork();
		if (pid == 0) {
			steps = 0;
			*(dies ? &die_at : &fail_at) = ++at_step;
			bool ok = config_keep(new, at("state"), why, sizeof(why));
			_exit(ok ? steps >= at_step ? 2 : 0 : strstr(why, "No space left") ? 1 : 3);
		}
		at_step++;
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		/* 2: only tidying up failed, which is no failure of the copy */
		if (dies)
			assert_true(WEXITSTATUS(status) == 99 || WEXITSTATUS(status) == 0);
		else
			assert_true(WEXITSTATUS(status) <= 2);
		done = WEXITSTATUS(status) == 0;
		char *kept = config_kept(at("state"));
		assert_non_null(kept);
		bool is_new = strstr(kept, new->digest) != NULL;
		copy_is(is_new ? new->digest : old->digest);
		if (done || WEXITSTATUS(status) == 2)
			assert_true(is_new);
		free(kept);
		keep(is_new ? old : new);
		assert_int_equal(entries(at("state/last-good")), 2);
	}
	assert_true(rounds > 12); /* directories, two files, the link, and their syncs */
}

static void test_keep_killed_or_full(void **state)
{
	(void)state;
	put_programs();
	put("etc/m.yaml", LINES, 0644);
	struct config *old = load(NULL);
	put("etc/conf.d/a.yaml", "checks: {a: {probe: smtp, host: h}}\n", 0644);
	struct config *new = load(NULL);
	put("state/.keep", "", 0600);
	keep_broken(old, new, true);
	keep_broken(old, new, false);
	config_free(old);
	config_free(new);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_runs),
		TEST(test_not_runnable),
		TEST(test_group_is_killed),
		TEST(test_large_both_ways),
		TEST(test_with_threads),
		TEST(test_reaped_by_others),
		TEST(test_load),
		TEST(test_load_refused),
		TEST(test_libexec_from_file),
		TEST(test_large_files),
		TEST(test_keep),
		TEST(test_keep_after_crash),
		TEST(test_keep_killed_or_full),
		TEST(test_keep_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
