/* A line whose notifier is stuck before it has said a word. */
#include "unit.h"

#include <unistd.h>

#include "lib/file.h"
#include "lib/contract/line.h"
#include "lib/loop.h"

static void on_outcome(void *arg, struct line *l, const char *id, enum outcome o, const char *detail)
{
	(void)arg, (void)l, (void)id, (void)o, (void)detail;
}

static void a_notifier_that_says_no_hello_is_replaced(void **state)
{
	(void)state;
	char dir[] = "/tmp/unit.XXXXXX", path[100], mark[100], script[400];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/notify_stuck", dir);
	snprintf(mark, sizeof mark, "%s/mark", dir);
	snprintf(script, sizeof script,
		 "#!/bin/sh\n[ -e %s ] || { touch %s; exec sleep 1000; }\necho '{\"v\":1,\"hello\":\"stuck\"}'\nread -r x\nread -r x\n", mark,
		 mark);
	assert_true(file_write_volatile(path, script, strlen(script), 0700));
	static const struct line_calls calls = { .outcome = on_outcome };
	struct event_base *base = loop_new();
	struct loop_timer *turn = loop_timer_new(base, (void (*)(void *))loop_stop, base);
	struct line *l = line_new(base, "stuck", "stuck", dir, NULL, &calls, NULL);
	for (int i = 0; i < 600 && !line_is_up(l); i++) {
		loop_timer_in(turn, 100);
		loop_run(base);
	}
	assert_true(line_is_up(l));
	line_free(l);
	loop_timer_free(turn);
	loop_free(base);
	unlink(path);
	unlink(mark);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notifier_that_says_no_hello_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
