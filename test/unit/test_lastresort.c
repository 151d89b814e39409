/* The last resort over a real line, whose notifier takes pages and never answers. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "monitord/peers/lastresort.h"

enum { LATER_MS = 400000 }; /* beyond every time limit of the last resort */

struct world {
	char dir[64], log[100], notifier[100];
	struct event_base *base;
	struct loop_timer *turn;
	struct lastresort *l;
	struct conf_line line;
	struct config conf;
	int told;
};

static void on_told(void *arg, const struct lastresort_news *n)
{
	struct world *w = arg;
	(void)n;
	w->told++;
}

static void use(struct world *w, const char *options)
{
	cJSON_Delete(w->line.options);
	w->line.options = cJSON_Parse(options);
	lastresort_use(w->l, &w->conf);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char script[300];
	*state = w;
	strcpy(w->dir, "/tmp/unit.XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	snprintf(w->log, sizeof w->log, "%s/log", w->dir);
	snprintf(w->notifier, sizeof w->notifier, "%s/notify_mute", w->dir);
	snprintf(script, sizeof script, "#!/bin/sh\necho '{\"v\":1,\"hello\":\"mute\"}'\nwhile read -r x; do echo \"$x\" >> %s; done\n",
		 w->log);
	if (!file_write_volatile(w->notifier, script, strlen(script), 0700))
		return -1;
	w->base = loop_new();
	w->turn = loop_timer_new(w->base, (void (*)(void *))loop_stop, w->base);
	w->l = lastresort_new(w->base, w->dir, on_told, w);
	strcpy(w->line.name, "emergency");
	strcpy(w->line.notifier, "mute");
	w->conf = (struct config){ .has_last_resort = true, .lines = &w->line, .nlines = 1 };
	strcpy(w->conf.last_resort.line, "emergency");
	strcpy(w->conf.last_resort.to, "boss");
	use(w, "{}");
	lastresort_stand_up(w->l);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	lastresort_free(w->l);
	loop_timer_free(w->turn);
	loop_free(w->base);
	cJSON_Delete(w->line.options);
	unlink(w->log);
	unlink(w->notifier);
	rmdir(w->dir);
	free(w);
	return 0;
}

/* Ticks at ms from now until the notifier got n pages; the last one. Owned by the caller. */
static cJSON *page(struct world *w, int64_t ms, int n)
{
	for (int i = 0; i < 1500; i++) {
		struct buf b;
		cJSON *last = NULL;
		int pages = 0;
		loop_timer_in(w->turn, 10);
		loop_run(w->base);
		lastresort_tick(w->l, clock_boot_ms() + ms);
		buf_init(&b, 1 << 20);
		char *save, *line = file_read(w->log, &b) ? strtok_r(b.data, "\n", &save) : NULL;
		for (; line; line = strtok_r(NULL, "\n", &save)) {
			cJSON *v = cJSON_Parse(line), *p = cJSON_DetachItemFromObjectCaseSensitive(v, "page");
			cJSON_Delete(v);
			if (!p)
				continue;
			cJSON_Delete(last);
			last = p;
			pages++;
		}
		buf_fini(&b);
		if (pages == n)
			return last;
		cJSON_Delete(last);
	}
	fail_msg("%d pages did not come", n);
	return NULL;
}

static void say(struct world *w)
{
	struct lastresort_news n = { .check = "mx1", .opened = 7, .kind = PAGE_NEW, .state = NAG_CRITICAL, .text = "down",
				     .since = clock_stamp(), .at = clock_stamp() };
	lastresort_page(w->l, &n);
}

static void the_line_is_not_opened_before_there_is_something_to_say(void **state)
{
	struct world *w = *state;
	for (int i = 0; i < 20; i++) {
		loop_timer_in(w->turn, 5);
		loop_run(w->base);
		lastresort_tick(w->l, clock_boot_ms());
	}
	assert_int_not_equal(access(w->log, F_OK), 0);
}

static void a_notifier_that_never_answers_is_replaced(void **state)
{
	struct world *w = *state;
	say(w);
	cJSON *first = page(w, 0, 1), *second = page(w, LATER_MS, 2);
	assert_false(json_bool(first, "resend", true));
	assert_true(json_bool(second, "resend", false));
	assert_string_equal(json_str(first, "incident", "a"), json_str(second, "incident", "b"));
	assert_true(w->told >= 1); /* it may have reached somebody */
	cJSON_Delete(first);
	cJSON_Delete(second);
}

static void a_page_that_a_reload_cuts_off_is_marked(void **state)
{
	struct world *w = *state;
	say(w);
	cJSON *first = page(w, 0, 1);
	use(w, "{\"other\":\"options\"}");
	cJSON *second = page(w, 0, 2);
	assert_false(json_bool(first, "resend", true));
	assert_true(json_bool(second, "resend", false));
	cJSON_Delete(first);
	cJSON_Delete(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_line_is_not_opened_before_there_is_something_to_say, setup, teardown),
		cmocka_unit_test_setup_teardown(a_notifier_that_never_answers_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_that_a_reload_cuts_off_is_marked, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
