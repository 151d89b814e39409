/* One question to another daemon; see asker.h. Used by answers.c. */
#include "asker.h"

#include <stdlib.h>

#include "lib/contract/coproc.h"
#include "lib/json.h"
#include "lib/loop.h"

enum { ANSWER_MAX = 1 << 20 };

struct asker {
	struct coproc *link;
	struct loop_timer *timer;
	cJSON *request, *answer;
	asker_done *done;
	void *arg;
	bool asked;
};

void asker_free(struct asker *a)
{
	if (!a)
		return;
	coproc_free(a->link);
	loop_timer_free(a->timer);
	cJSON_Delete(a->request);
	cJSON_Delete(a->answer);
	free(a);
}

/* Outside of the link's own calls. */
static void finish(void *arg)
{
	struct asker *a = arg;
	a->done(a->arg, a->answer, a->answer ? "" : a->asked ? "it gives no answer" : "it does not run");
	asker_free(a);
}

static void on_up(void *arg, struct coproc *c)
{
	struct asker *a = arg;
	a->asked |= coproc_send(c, a->request);
}

static void on_line(void *arg, struct coproc *c, cJSON *v)
{
	struct asker *a = arg;
	(void)c;
	if (a->answer)
		return;
	a->answer = cJSON_Duplicate(v, true);
	loop_timer_in(a->timer, 0);
}

/* It is connected to again until the time is over: a daemon may just be starting. */
static void on_down(void *arg, struct coproc *c, const char *why)
{
	(void)arg, (void)c, (void)why;
}

struct asker *asker_start(struct event_base *base, const char *path, cJSON *request, asker_done *done,
			  void *arg)
{
	static const struct coproc_calls calls = {.line = on_line, .up = on_up, .down = on_down};
	struct asker *a = calloc(1, sizeof *a);
	if (!a) {
		cJSON_Delete(request);
		return NULL;
	}
	*a = (struct asker){.request = request, .done = done, .arg = arg};
	a->timer = loop_timer_new(base, finish, a);
	a->link = a->timer ? coproc_connect(base, "monitord", path, ANSWER_MAX, &calls, a) : NULL;
	if (!a->link) {
		asker_free(a);
		return NULL;
	}
	loop_timer_in(a->timer, ASKER_WAIT_MS);
	return a;
}
