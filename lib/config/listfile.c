/*
 * Lists of hosts as they are on the disk and in the DNS: what config_load hands to the loader as struct
 * conf_programs.lists. A list of the DNS is asked for by a child, `prober --expand`, and kept in a file that
 * both daemons read; that file is what is known when nobody answers. The last good copy of a configuration
 * holds its lists as well.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/file.h"

enum { ASK_MS = 15000, ANSWER_MAX = 1 << 20 };

struct conf_list_id config_list_id(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return (struct conf_list_id){.ino = 0};
	return (struct conf_list_id){.ino = st.st_ino,
				     .size = st.st_size,
				     .ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec};
}

char *config_list_path(const char *state_dir, const char *source)
{
	char name[CONF_LIST_NAME_MAX], *path = NULL;
	if (conf_list_is_file(source))
		return strdup(source);
	conf_list_name(source, name, sizeof name);
	return asprintf(&path, "%s/lists/%s", state_dir, name) < 0 ? NULL : path;
}

/* --- asking ------------------------------------------------------------------------------------------------
 */

static bool add_question(struct buf *input, const char *source, char *const *resolvers, size_t n)
{
	cJSON *q = cJSON_CreateObject();
	cJSON_AddStringToObject(q, "from", source);
	cJSON *v = n ? cJSON_AddArrayToObject(q, "resolver") : NULL;
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(v, cJSON_CreateString(resolvers[i]));
	bool ok = json_line(q, input);
	cJSON_Delete(q);
	return ok;
}

/* A child's word is gossip: what is no host is left to the loader, but a line must stay a line. */
static bool write_hosts(const cJSON *hosts, const char *source, struct buf *out)
{
	const cJSON *h;
	bool ok = cJSON_IsArray(hosts) && hosts->child && buf_printf(out, "# %s\n", source);
	cJSON_ArrayForEach(h, hosts) ok = ok && cJSON_IsString(h) && !conf_bad_host(h->valuestring) &&
					  buf_printf(out, "%s\n", h->valuestring);
	return ok;
}

static void take_answer(const char *line, size_t len, const char *source, struct config_answer *a)
{
	cJSON *v = json_parse(line, len, ANSWER_MAX, NULL);
	a->ok = json_bool(v, "ok", false) &&
		write_hosts(cJSON_GetObjectItemCaseSensitive(v, "hosts"), source, &a->bytes);
	a->answered = a->ok || json_bool(v, "answered", false);
	snprintf(a->why, sizeof a->why, "%s",
		 a->ok ? "" : json_str(v, "why", "prober --expand gave no usable answer"));
	cJSON_Delete(v);
}

void config_lists_ask(const char *libexec, char *const *resolvers, size_t nresolvers,
		      const char *const *sources, size_t n, struct config_answer *out)
{
	struct buf input, said;
	char *program = file_join(libexec, "prober"), why[200] = "out of memory";
	buf_init(&input, ANSWER_MAX);
	buf_init(&said, ANSWER_MAX);
	bool ok = program != NULL;
	for (size_t i = 0; i < n; i++) {
		buf_init(&out[i].bytes, CONF_LIST_BYTES_MAX);
		ok = ok && add_question(&input, sources[i], resolvers, nresolvers);
	}
	ok = ok && config_run(program, "--expand", &input, ASK_MS, &said, why, sizeof why);
	const char *p = buf_str(&said), *end = p + said.len;
	for (size_t i = 0; i < n; i++) {
		const char *nl = ok && p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (nl)
			take_answer(p, (size_t)(nl - p), sources[i], &out[i]);
		else
			snprintf(out[i].why, sizeof out[i].why, "prober --expand: %.130s",
				 ok ? "gave no answer" : why);
		p = nl ? nl + 1 : end;
	}
	free(program);
	buf_fini(&input);
	buf_fini(&said);
}

bool config_list_keep(const char *path, const struct buf *bytes)
{
	char *dir = strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;
	if (slash)
		*slash = '\0';
	bool ok =
	    slash && file_mkdirs(dir, 0750) && file_write_atomic(path, buf_str(bytes), bytes->len, 0640);
	free(dir);
	return ok;
}

/* --- for one load
 * ------------------------------------------------------------------------------------------- */

static bool read_from(const char *path, struct conf_listed *out)
{
	out->ok = path && file_read(path, &out->bytes);
	return out->ok;
}

/* The copy beside the main file, which is there for the last good copy only. */
static bool read_copy(const struct config *conf, const char *source, struct conf_listed *out)
{
	char name[CONF_LIST_NAME_MAX], *path = NULL;
	const char *slash = strrchr(conf->source, '/');
	conf_list_name(source, name, sizeof name);
	if (asprintf(&path, "%.*slists/%s", slash ? (int)(slash - conf->source + 1) : 0, conf->source, name) <
	    0)
		return false;
	bool ok = read_from(path, out);
	free(path);
	return ok;
}

static bool wants_asking(enum config_lists how, const char *source, const struct conf_listed *got)
{
	return !conf_list_is_file(source) && how != LISTS_KNOWN && (how == LISTS_ASK || !got->ok);
}

static void take(enum config_lists how, struct conf_listed *got, const struct config_answer *a)
{
	got->answered = a->answered;
	if (!a->ok) {
		snprintf(got->why, sizeof got->why, "%s", a->why); /* what is known stays */
		return;
	}
	got->bytes.len = 0;
	got->ok = buf_add(&got->bytes, a->bytes.data, a->bytes.len);
	got->why[0] = '\0';
	if (how != LISTS_KEEP || !got->path)
		return;
	config_list_keep(got->path, &got->bytes);
	got->id = config_list_id(got->path);
}

static void ask(const struct config *conf, enum config_lists how, struct conf_listed *got)
{
	const char *sources[CONF_LISTS_MAX];
	struct config_answer *a = calloc(conf->nlists, sizeof *a);
	size_t n = 0, k = 0;
	for (size_t i = 0; i < conf->nlists; i++)
		if (wants_asking(how, conf->lists[i].source, &got[i]))
			sources[n++] = conf->lists[i].source;
	if (a && n)
		config_lists_ask(conf->libexec, conf->resolvers, conf->nresolvers, sources, n, a);
	for (size_t i = 0; a && k < n && i < conf->nlists; i++) {
		if (strcmp(conf->lists[i].source, sources[k]) != 0)
			continue;
		take(how, &got[i], &a[k]);
		buf_fini(&a[k++].bytes);
	}
	free(a);
}

void conf_lists_load(const struct config *conf, enum config_lists how, struct conf_listed *got)
{
	for (size_t i = 0; i < conf->nlists; i++) {
		const char *source = conf->lists[i].source;
		got[i].why[0] = '\0';
		got[i].path = config_list_path(conf->monitord_state, source);
		if (got[i].path)
			got[i].id = config_list_id(got[i].path);
		if (!read_copy(conf, source, &got[i]) && !read_from(got[i].path, &got[i]))
			snprintf(got[i].why, sizeof got[i].why, "%s",
				 conf_list_is_file(source) ? strerror(errno) : "nobody asked the DNS yet");
	}
	ask(conf, how, got);
}
