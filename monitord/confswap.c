/* New configurations; see confswap.h. */
#include "confswap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/contract/control.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/sdnotify.h"
#include "apply.h"
#include "self.h"
#include "snapshot.h"

enum { CLIENTS_MAX = 64, STOP_WAIT_S = 5 };

struct clients {
	struct control_client *v[CLIENTS_MAX];
	int n;
};

/* One loading; the thread's until it has told. */
struct confswap {
	struct super *s;
	pthread_t thread;
	bool running, again;
	struct clients now, later; /* who asked for this one, who while it ran */
	int fd;
	struct loop_fd *event;
	struct complaints complaints;
	struct config *conf;
	char keep_why[256]; /* why the last good copy could not be kept; "" when it could */
};

char *confswap_summary(const struct complaints *c)
{
	struct buf b;
	buf_init(&b, 4096);
	if (c->n == 0)
		buf_puts(&b, "it cannot be loaded");
	else
		complaint_format(&c->v[0], &b);
	if (c->n + c->dropped > 1)
		buf_printf(&b, " (and %zu more)", c->n + c->dropped - 1);
	return b.data;
}

static void *load(void *arg)
{
	struct confswap *r = arg;
	r->conf = config_load_lists(r->s->main_file, NULL, LISTS_KEEP, &r->complaints);
	r->keep_why[0] = '\0';
	if (r->conf && !config_keep(r->conf, r->s->state_dir, r->keep_why, sizeof r->keep_why) &&
	    !r->keep_why[0])
		snprintf(r->keep_why, sizeof r->keep_why, "no reason given");
	uint64_t one = 1;
	ssize_t n = write(r->fd, &one, sizeof one);
	(void)n;
	return NULL;
}

static cJSON *answer(const struct confswap *r, bool ok, const char *why)
{
	cJSON *a = cJSON_CreateObject(), *list;
	cJSON_AddBoolToObject(a, "ok", ok);
	cJSON_AddStringToObject(a, "digest", r->s->conf->digest);
	list = cJSON_AddArrayToObject(a, "complaints");
	for (size_t i = 0; i < r->complaints.n; i++) {
		struct buf b;
		buf_init(&b, 8192);
		complaint_format(&r->complaints.v[i], &b);
		cJSON_AddItemToArray(list, cJSON_CreateString(buf_str(&b)));
		buf_fini(&b);
	}
	if (!ok && r->complaints.n == 0)
		cJSON_AddItemToArray(list, cJSON_CreateString(why));
	if (!ok)
		cJSON_AddStringToObject(a, "error", why);
	return a;
}

static void answer_all(struct confswap *r, bool ok, const char *why)
{
	for (int i = 0; i < r->now.n; i++)
		control_reply(r->now.v[i], answer(r, ok, why));
	r->now.n = 0;
}

static void set_error(struct super *s, char *why)
{
	free(s->config_error);
	s->config_error = why;
	self_config(s);
	s->snapshot_dirty = true;
	snapshot_flush(s);
}

/* Directories are taken into use at the start only. */
static void say_later(const struct super *s, const struct config *conf)
{
	const struct config *old = s->conf;
	if (strcmp(old->spool, conf->spool) != 0 || strcmp(old->spool_twin, conf->spool_twin) != 0 ||
	    strcmp(s->run_dir, conf->monitord_run) != 0 || strcmp(s->state_dir, conf->monitord_state) != 0)
		log_warn("paths: changes of monitord's own directories take effect at its next start");
}

static void take(struct confswap *r)
{
	struct super *s = r->s;
	if (r->keep_why[0])
		log_warn("the last good copy of the configuration cannot be kept: %s", r->keep_why);
	say_later(s, r->conf);
	if (!apply_config(s, r->conf)) {
		config_free(r->conf);
		r->conf = NULL;
		answer_all(r, false, "out of memory");
		return;
	}
	r->conf = NULL;
	log_notice("configuration %s is in force: %zu checks", s->conf->digest, s->conf->nchecks);
	set_error(s, NULL);
	answer_all(r, true, NULL);
}

static void refuse(struct confswap *r)
{
	struct buf line;
	for (size_t i = 0; i < r->complaints.n; i++) {
		buf_init(&line, 4096);
		complaint_format(&r->complaints.v[i], &line);
		log_err("%s", buf_str(&line));
		buf_fini(&line);
	}
	log_err("the new configuration is not taken; %s stays in force", r->s->conf->digest);
	char *why = confswap_summary(&r->complaints);
	answer_all(r, false, why ? why : "it cannot be loaded");
	set_error(r->s, why ? why : strdup("it cannot be loaded"));
}

static void begin(struct confswap *r)
{
	sdnotify("RELOADING=1");
	complaints_init(&r->complaints);
	r->conf = NULL;
	r->running = pthread_create(&r->thread, NULL, load, r) == 0;
	if (!r->running) {
		answer_all(r, false, "a thread cannot be started");
		complaints_fini(&r->complaints);
		sdnotify("READY=1");
	}
}

static void on_loaded(void *arg)
{
	struct confswap *r = arg;
	uint64_t n;
	if (read(r->fd, &n, sizeof n) != sizeof n)
		return;
	pthread_join(r->thread, NULL);
	r->running = false;
	if (r->conf)
		take(r);
	else
		refuse(r);
	complaints_fini(&r->complaints);
	sdnotify("READY=1");
	if (!r->again)
		return;
	r->again = false;
	r->now = r->later;
	r->later.n = 0;
	begin(r);
}

struct confswap *confswap_new(struct super *s)
{
	struct confswap *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->s = s;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->event = r->fd >= 0 ? loop_fd_new(s->base, r->fd, on_loaded, r) : NULL;
	if (!r->event) {
		if (r->fd >= 0)
			close(r->fd);
		free(r);
		return NULL;
	}
	return r;
}

void confswap_ask(struct confswap *r, struct control_client *client)
{
	struct clients *who = r->running ? &r->later : &r->now;
	if (client && who->n == CLIENTS_MAX) {
		control_error(client, "too many ask for a reload at once");
		return;
	}
	if (client)
		who->v[who->n++] = client;
	if (r->running)
		r->again = true;
	else
		begin(r);
}

void confswap_free(struct confswap *r)
{
	if (!r)
		return;
	loop_fd_free(r->event);
	if (r->running) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += STOP_WAIT_S;
		if (pthread_timedjoin_np(r->thread, NULL, &until) != 0)
			return; /* it still uses r; the process is about to end */
		config_free(r->conf);
		complaints_fini(&r->complaints);
	}
	close(r->fd);
	free(r);
}

struct config *confswap_first(const char *main_file, const char *state_dir, struct complaints *c)
{
	struct config *conf = config_load_lists(main_file, NULL, LISTS_KEEP, c);
	if (conf)
		return conf;
	char *from_file = config_path_in_text(main_file, "monitord_state");
	const char *dirs[] = {state_dir, from_file, getenv("STATE_DIRECTORY"), "/var/lib/monitord"};
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs && !conf; i++) {
		char *kept = dirs[i] && *dirs[i] ? config_kept(dirs[i]) : NULL;
		struct complaints again;
		complaints_init(&again);
		if (kept)
			conf = config_load_lists(kept, NULL, LISTS_KEEP, &again);
		if (kept && !conf)
			log_err("the last good copy %s cannot be used either", kept);
		complaints_fini(&again);
		free(kept);
	}
	free(from_file);
	if (conf)
		conf->from_copy = true;
	return conf;
}
