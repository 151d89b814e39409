/* Coprocesses, control socket and heartbeats on a real loop with real children. */
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/contract/control.h"
#include "lib/contract/coproc.h"
#include "lib/contract/heartbeat.h"
#include "lib/json.h"
#include "lib/loop.h"

struct world {
	struct event_base *base;
	struct loop_timer *limit;
	int lines, ups, downs;
	char last[200], why[300];
	int stop_after_lines, stop_after_downs;
	bool timed_out;
	const char *greet;
};

static void on_limit(void *arg)
{
	struct world *w = arg;
	w->timed_out = true;
	loop_stop(w->base);
}

static void begin(struct world *w)
{
	w->base = loop_new();
	w->limit = loop_timer_new(w->base, on_limit, w);
	loop_timer_in(w->limit, 20000);
}

static void end(struct world *w)
{
	assert_false(w->timed_out);
	loop_timer_free(w->limit);
	loop_free(w->base);
}

static void on_line(void *arg, struct coproc *c, cJSON *v)
{
	struct world *w = arg;
	(void)c;
	snprintf(w->last, sizeof w->last, "%s", json_str(v, "say", ""));
	if (++w->lines == w->stop_after_lines)
		loop_stop(w->base);
}

static void on_up(void *arg, struct coproc *c)
{
	struct world *w = arg;
	w->ups++;
	if (w->greet) {
		cJSON *v = json_parse(w->greet, strlen(w->greet), 1000, NULL);
		assert_true(coproc_send(c, v));
		cJSON_Delete(v);
	}
}

static void on_down(void *arg, struct coproc *c, const char *why)
{
	struct world *w = arg;
	(void)c;
	snprintf(w->why, sizeof w->why, "%s", why);
	if (++w->downs == w->stop_after_downs)
		loop_stop(w->base);
}

static const struct coproc_calls calls = {.line = on_line, .up = on_up, .down = on_down};

static struct coproc *shell(struct world *w, const char *script)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
	return coproc_new(w->base, "child", argv, NULL, 1000, &calls, w);
}

static void echoes(void **state)
{
	(void)state;
	struct world w = { .stop_after_lines = 1, .greet = "{\"say\":\"hello\"}" };
	begin(&w);
	struct coproc *c = shell(&w, "read x; echo \"$x\"; read y");
	loop_run(w.base);
	assert_string_equal(w.last, "hello");
	assert_true(coproc_pid(c) > 0);
	coproc_free(c);
	end(&w);
}

static void environment_is_chosen(void **state)
{
	(void)state;
	struct world w = { .stop_after_lines = 1 };
	setenv("NOTIFY_SOCKET", "/nowhere", 1);
	begin(&w);
	struct coproc *c = shell(&w, "echo \"{\\\"say\\\":\\\"$NOTIFY_SOCKET$LANG\\\"}\"; read y");
	loop_run(w.base);
	assert_string_equal(w.last, "C");
	unsetenv("NOTIFY_SOCKET");
	coproc_free(c);
	end(&w);
}

/* Each way to end: what down() says. */
static void says_why_it_ended(void **state)
{
	(void)state;
	static const struct {
		const char *script, *why;
	} cases[] = {
		{ "exit 3", "exited 3" },
		{ "kill -9 $$", "killed by signal 9" },
		{ "echo hello", "spoke nonsense" },
		{ "echo '[1]'", "spoke nonsense" },
		{ "printf '%2000s\\n' x; read y", "spoke nonsense" },
		{ "head -c 100000 /dev/zero; read y", "a line longer than allowed" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w = { .stop_after_downs = 1 };
		begin(&w);
		struct coproc *c = shell(&w, cases[i].script);
		loop_run(w.base);
		if (!strstr(w.why, cases[i].why))
			fail_msg("%s: %s", cases[i].script, w.why);
		coproc_free(c);
		end(&w);
	}
}

static void a_missing_program_is_said(void **state)
{
	(void)state;
	struct world w = { .stop_after_downs = 1 };
	char *argv[] = { (char *)"/nonexistent/x", NULL };
	begin(&w);
	struct coproc *c = coproc_new(w.base, "child", argv, NULL, 1000, &calls, &w);
	loop_run(w.base);
	assert_non_null(strstr(w.why, "/nonexistent/x: No such file"));
	coproc_free(c);
	end(&w);
}

/* A child that was good is started again after about a second; what it started dies with it. */
static void restarted_and_its_group_killed(void **state)
{
	(void)state;
	char path[] = "/tmp/unit.XXXXXX", script[300];
	int fd = mkstemp(path);
	struct world w = { .stop_after_lines = 2 };
	begin(&w);
	snprintf(script, sizeof script, "sleep 1000 & echo $! > %s; echo '{\"say\":\"x\"}'; exit 1", path);
	struct coproc *c = shell(&w, script);
	loop_run(w.base);
	assert_int_equal(w.ups, 2);
	coproc_free(c);
	char text[32] = "";
	assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
	/* killed at once; it may still wait for its reaper */
	for (int i = 0; i < 500 && kill(atoi(text), 0) == 0; i++) {
		char stat_path[64], line[200] = "";
		snprintf(stat_path, sizeof stat_path, "/proc/%d/stat", atoi(text));
		FILE *f = fopen(stat_path, "r");
		if (!f || !fgets(line, sizeof line, f) || strstr(line, ") Z ")) {
			if (f)
				fclose(f);
			break;
		}
		fclose(f);
		assert_true(i < 499);
		usleep(10000);
	}
	close(fd);
	unlink(path);
	end(&w);
}

static void stop_lets_it_finish(void **state)
{
	(void)state;
	struct world w = { .stop_after_lines = 1 };
	begin(&w);
	struct coproc *c = shell(&w, "echo '{\"say\":\"up\"}'; read x; echo '{\"say\":\"bye\"}'");
	loop_run(w.base);
	w.stop_after_downs = 1;
	coproc_stop(c, 15000);
	loop_run(w.base);
	assert_string_equal(w.last, "bye");
	assert_string_equal(w.why, "exited 0");
	coproc_free(c);
	end(&w);
}

static void stop_insists_after_the_grace(void **state)
{
	(void)state;
	struct world w = { .stop_after_lines = 1 };
	begin(&w);
	struct coproc *c = shell(&w, "trap '' TERM; echo '{\"say\":\"up\"}'; sleep 1000");
	loop_run(w.base);
	w.stop_after_downs = 1;
	coproc_stop(c, 50);
	loop_run(w.base);
	assert_non_null(strstr(w.why, "did not finish in time"));
	coproc_free(c);
	end(&w);
}

/* --- control socket --- */

static void on_request(void *arg, struct control_client *client, const cJSON *request)
{
	struct world *w = arg;
	const char *what = json_str(request, "do", "");
	if (strcmp(what, "stop") == 0)
		loop_stop(w->base);
	if (strcmp(what, "bad") == 0) {
		control_error(client, "no %s", "luck");
		return;
	}
	cJSON *answer = cJSON_CreateObject();
	cJSON_AddBoolToObject(answer, "ok", true);
	control_reply(client, answer);
}

static void control_answers(void **state)
{
	(void)state;
	struct world w = { 0 };
	char path[64], why[200];
	snprintf(path, sizeof path, "/tmp/unit-control.%d", (int)getpid());
	begin(&w);
	struct control *c = control_new(w.base, path, on_request, &w, why, sizeof why);
	assert_non_null(c);
	assert_null(control_new(w.base, path, on_request, &w, why, sizeof why)); /* one daemon per socket */
	pid_t pid = fork();
	if (pid == 0) {
		int bad = 0;
		cJSON *q = json_parse("{\"do\":\"bad\"}", 12, 100, NULL), *a = control_ask(path, q, 5000, why, sizeof why);
		bad |= !a || strcmp(json_str(a, "error", ""), "no luck") != 0;
		cJSON *q2 = json_parse("{\"v\":9}", 7, 100, NULL);
		a = control_ask(path, q2, 5000, why, sizeof why);
		bad |= (!a || json_bool(a, "ok", true)) << 1;
		cJSON *q3 = json_parse("{\"do\":\"stop\"}", 13, 100, NULL);
		a = control_ask(path, q3, 5000, why, sizeof why);
		bad |= (!a || !json_bool(a, "ok", false)) << 2;
		_exit(bad);
	}
	loop_run(w.base);
	control_free(c); /* flushes what is unsent */
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	cJSON *q = cJSON_CreateObject();
	assert_null(control_ask(path, q, 100, why, sizeof why));
	assert_non_null(strstr(why, "is it running?"));
	cJSON_Delete(q);
	end(&w);
}

/* A server whose clients misbehave. */
struct server {
	struct event_base *base;
	struct loop_timer *turn;
	struct control *control;
	char path[64];
	int asked, kept;
	struct control_client *waiting[1000];
	bool later; /* answers are owed, not given */
};

static void on_greedy(void *arg, struct control_client *client, const cJSON *request)
{
	struct server *s = arg;
	(void)request;
	s->asked++;
	if (s->later) {
		assert_true(s->kept < 1000);
		s->waiting[s->kept++] = client;
		return;
	}
	char large[100000];
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	cJSON *answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "large", large);
	control_reply(client, answer);
}

static void server_open(struct server *s)
{
	char why[200];
	*s = (struct server){ .base = loop_new() };
	snprintf(s->path, sizeof s->path, "/tmp/unit-server.%d", (int)getpid());
	s->control = control_new(s->base, s->path, on_greedy, s, why, sizeof why);
	assert_non_null(s->control);
	s->turn = loop_timer_new(s->base, (void (*)(void *))loop_stop, s->base);
}

static void server_run(struct server *s, int ms)
{
	loop_timer_in(s->turn, ms);
	loop_run(s->base);
}

static void server_close(struct server *s)
{
	control_free(s->control);
	loop_timer_free(s->turn);
	loop_free(s->base);
}

static int client(const struct server *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	strcpy(a.sun_path, s->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void ask_often(int fd, int times)
{
	static const char question[] = "{\"do\":\"x\"}\n";
	enum { LEN = sizeof question - 1 };
	char all[1000 * LEN];
	for (int i = 0; i < times; i++)
		memcpy(all + i * LEN, question, LEN);
	assert_int_equal(write(fd, all, (size_t)times * LEN), times * LEN);
}

static int answers_read(int fd)
{
	static char chunk[1 << 20];
	int lines = 0;
	ssize_t n;
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += chunk[i] == '\n';
	return lines;
}

/* Who asks and does not read must not fill our memory; when it reads, it gets all it asked for. */
static void control_does_not_answer_who_does_not_read(void **state)
{
	(void)state;
	struct server s;
	server_open(&s);
	int fd = client(&s), got = 0;
	ask_often(fd, 1000);
	for (int i = 0; i < 20; i++)
		server_run(&s, 5);
	assert_in_range(s.asked, 2, 30);
	for (int i = 0; i < 20000 && got < 1000; i++) {
		server_run(&s, 1);
		got += answers_read(fd);
	}
	assert_int_equal(got, 1000);
	close(fd);
	server_close(&s);
}

static void control_owes_a_client_only_so_much(void **state)
{
	(void)state;
	struct server s;
	server_open(&s);
	s.later = true;
	int fd = client(&s), got = 0;
	ask_often(fd, 500);
	for (int i = 0; i < 20; i++)
		server_run(&s, 5);
	assert_in_range(s.kept, 1, 64);
	for (int i = 0; i < 20000 && got < 500; i++) {
		while (s.kept)
			control_error(s.waiting[--s.kept], "no");
		server_run(&s, 1);
		got += answers_read(fd);
	}
	assert_int_equal(got, 500);
	close(fd);
	server_close(&s);
}

/* Connections that ask for nothing keep nobody out. */
static void control_has_room_for_who_asks(void **state)
{
	(void)state;
	struct server s;
	int idle[40];
	server_open(&s);
	for (int i = 0; i < 40; i++) {
		idle[i] = client(&s);
		server_run(&s, 1);
		assert_int_equal(write(idle[i], "{\"do\"", 5), 5);
		server_run(&s, 1);
	}
	int fd = client(&s), got = 0;
	ask_often(fd, 1);
	for (int i = 0; i < 2000 && got == 0; i++) {
		server_run(&s, 1);
		got = answers_read(fd);
	}
	assert_int_equal(s.asked, 1);
	assert_int_equal(got, 1);
	close(fd);
	for (int i = 0; i < 40; i++)
		close(idle[i]);
	server_close(&s);
}

/* A daemon that listens and never accepts, its backlog full: asking it ends in time and says so. */
static void asking_a_wedged_daemon_ends(void **state)
{
	(void)state;
	char why[200];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "/tmp/unit-wedged.%d", (int)getpid());
	int fds[16], n = 0, listener = socket(AF_UNIX, SOCK_STREAM, 0);
	unlink(a.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(listener, 1), 0);
	do {
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (connect(fds[n], (struct sockaddr *)&a, sizeof a) == 0 && ++n < 15);
	assert_true(n < 15);
	cJSON *q = cJSON_CreateObject();
	int64_t start = clock_boot_ms();
	assert_null(control_ask(a.sun_path, q, 300, why, sizeof why));
	assert_non_null(strstr(why, "does not answer"));
	assert_true(clock_boot_ms() - start >= 300);
	cJSON_Delete(q);
	for (int i = 0; i <= n; i++)
		close(fds[i]);
	close(listener);
	unlink(a.sun_path);
}

/* --- heartbeat --- */

static void beats_judged(void **state)
{
	(void)state;
	static const struct {
		struct beat_watch w;
		int64_t now;
		enum beat_verdict verdict;
	} table[] = {
		{ { .last_boot_ms = 0 }, 60000, BEAT_ALIVE },
		{ { .last_boot_ms = 0 }, 60001, BEAT_SILENT },
		{ { .last_boot_ms = 0, .ever = true }, 59999, BEAT_ALIVE },
		{ { .last_boot_ms = 0, .ever = true, .last = { .overdue_ms = 60001 } }, 10, BEAT_WEDGED },
		{ { .last_boot_ms = 0, .ever = true, .last = { .overdue_ms = 60001 } }, 60001, BEAT_SILENT },
		{ { .last_boot_ms = 0, .ever = true, .last = { .back_ms = 300000 } }, 300000, BEAT_PLANNED },
		{ { .last_boot_ms = 0, .ever = true, .last = { .back_ms = 300000 } }, 300001, BEAT_SILENT },
		{ { .last_boot_ms = 0, .ever = false, .last = { .back_ms = 300000 } }, 100000, BEAT_SILENT },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(beat_judge(&table[i].w, table[i].now, 60000), table[i].verdict);
}

static void fill_beat(void *arg, struct beat *b)
{
	struct world *w = arg;
	snprintf(b->from, sizeof b->from, "monitord");
	b->pid = 7;
	b->overdue_ms = 5;
	w->lines++;
}

static void fill_pagers_beat(void *arg, struct beat *b)
{
	fill_beat(arg, b);
	snprintf(b->from, sizeof b->from, "pagerd");
}

static void beats_travel(void **state)
{
	(void)state;
	struct world w = { 0 };
	char path[64], why[200];
	snprintf(path, sizeof path, "/tmp/unit-beat.%d", (int)getpid());
	begin(&w);
	struct heartbeat *a = heartbeat_listen(w.base, path, 20, fill_pagers_beat, &w, why, sizeof why);
	struct heartbeat *b = heartbeat_connect(w.base, path, 20, fill_beat, &w);
	assert_non_null(a);
	struct loop_timer *t = loop_timer_new(w.base, (void (*)(void *))loop_stop, w.base);
	while (!w.timed_out && !(heartbeat_watch(a)->ever && heartbeat_watch(b)->ever)) {
		loop_timer_in(t, 10);
		loop_run(w.base);
	}
	assert_int_equal(heartbeat_watch(a)->last.pid, 7);
	assert_int_equal(heartbeat_watch(b)->last.overdue_ms, 5);
	loop_timer_free(t);
	heartbeat_free(b);
	heartbeat_free(a);
	end(&w);
}

static void beats_decoded(void **state)
{
	(void)state;
	struct beat b = { .from = "pagerd", .pid = 1, .digest = "abc", .overdue_ms = 9, .overdue = "mx1", .back_ms = 0 }, back;
	char text[1024];
	const char *why = NULL;
	size_t n = beat_encode(&b, text, sizeof text);
	assert_true(beat_decode(&back, text, n, &why));
	assert_string_equal(back.overdue, "mx1");
	assert_int_equal(back.overdue_ms, 9);
	static const char *const bad[] = { "", "{}", "{\"v\":1,\"from\":\"x\"}", "{\"v\":1,\"from\":\"pagerd\",\"back_ms\":-1}",
					   "[1]", "{\"v\":2,\"from\":\"pagerd\"}" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(beat_decode(&back, bad[i], strlen(bad[i]), &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echoes),
		cmocka_unit_test(environment_is_chosen),
		cmocka_unit_test(says_why_it_ended),
		cmocka_unit_test(a_missing_program_is_said),
		cmocka_unit_test(restarted_and_its_group_killed),
		cmocka_unit_test(stop_lets_it_finish),
		cmocka_unit_test(stop_insists_after_the_grace),
		cmocka_unit_test(control_answers),
		cmocka_unit_test(asking_a_wedged_daemon_ends),
		cmocka_unit_test(control_does_not_answer_who_does_not_read),
		cmocka_unit_test(control_owes_a_client_only_so_much),
		cmocka_unit_test(control_has_room_for_who_asks),
		cmocka_unit_test(beats_judged),
		cmocka_unit_test(beats_travel),
		cmocka_unit_test(beats_decoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
