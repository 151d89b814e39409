/* Coprocesses, control socket and heartbeats on a real loop with real children. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/clock.h"
#include "../../lib/control.h"
#include "../../lib/coproc.h"
#include "../../lib/heartbeat.h"
#include "../../lib/json.h"
#include "../../lib/loop.h"

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

static const struct coproc_calls calls = { on_line, on_up, on_down };

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

static void beats_travel(void **state)
{
	(void)state;
	struct world w = { 0 };
	char path[64], why[200];
	snprintf(path, sizeof path, "/tmp/unit-beat.%d", (int)getpid());
	begin(&w);
	struct heartbeat *a = heartbeat_listen(w.base, path, 20, fill_beat, &w, why, sizeof why);
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
		cmocka_unit_test(beats_judged),
		cmocka_unit_test(beats_travel),
		cmocka_unit_test(beats_decoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
