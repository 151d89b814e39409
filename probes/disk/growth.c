/*
 * Growth of file systems; see growth.h. Called by the disk probe.
 */
#include "growth.h"

#include <math.h>
#include <string.h>

#include "lib/json.h"

enum { STATE_MAX = 65536, STEPS = GROWTH_SAMPLES - 1 };

static void load_samples(struct growth_fs *fs, const cJSON *samples)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, samples) {
		const cJSON *at = cJSON_GetArrayItem(one, 0), *used = cJSON_GetArrayItem(one, 1);
		if (fs->n == GROWTH_SAMPLES || !cJSON_IsNumber(at) || !cJSON_IsNumber(used) ||
		    !isfinite(used->valuedouble) || !(fabs(at->valuedouble) < 9e15))
			return;
		fs->s[fs->n++] = (struct growth_sample){ (int64_t)at->valuedouble, used->valuedouble };
	}
}

void growth_load(struct growth *g, const char *state, size_t len)
{
	const cJSON *one;

	memset(g, 0, sizeof *g);
	if (len == 0)
		return;
	cJSON *root = json_parse(state, len, STATE_MAX, NULL);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "fs");
	cJSON_ArrayForEach(one, list) {
		const char *dir = json_str(one, "dir", NULL);
		struct growth_fs *fs = dir ? growth_at(g, dir) : NULL;
		if (!fs || fs->known)
			continue;
		fs->known = true;
		fs->seen = false;
		fs->writable = json_bool(one, "rw", false);
		load_samples(fs, cJSON_GetObjectItemCaseSensitive(one, "used"));
	}
	cJSON_Delete(root);
}

struct growth_fs *growth_at(struct growth *g, const char *dir)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->v[i].dir, dir) == 0)
			return &g->v[i];
	if (g->n == GROWTH_FS_MAX || strlen(dir) >= GROWTH_DIR_MAX)
		return NULL;
	struct growth_fs *fs = &g->v[g->n++];
	memcpy(fs->dir, dir, strlen(dir) + 1);
	return fs;
}

static void drop_first(struct growth_fs *fs, size_t k)
{
	memmove(fs->s, fs->s + k, (fs->n - k) * sizeof fs->s[0]);
	fs->n -= k;
}

bool growth_add(struct growth_fs *fs, int64_t now_ms, double used, int64_t window_ms)
{
	size_t old = 0, before = fs->n;

	/* the wall clock was set back: what lies in the future is worth nothing */
	while (fs->n > 0 && fs->s[fs->n - 1].at_ms > now_ms)
		fs->n--;
	if (fs->n > 0 && now_ms - fs->s[fs->n - 1].at_ms < window_ms / STEPS)
		return fs->n != before;
	while (old < fs->n && fs->s[old].at_ms < now_ms - window_ms)
		old++;
	drop_first(fs, old);
	if (fs->n == GROWTH_SAMPLES)
		drop_first(fs, 1);
	fs->s[fs->n++] = (struct growth_sample){ now_ms, used };
	return true;
}

bool growth_rate(const struct growth_fs *fs, int64_t now_ms, double used, int64_t window_ms, double *rate,
		 int64_t *span_ms)
{
	struct growth_sample s[GROWTH_SAMPLES + 1];
	size_t n = fs->n;
	double t = 0, u = 0, tt = 0, tu = 0;

	memcpy(s, fs->s, n * sizeof s[0]);
	if (n == 0 || s[n - 1].at_ms < now_ms)
		s[n++] = (struct growth_sample){ now_ms, used };
	*span_ms = s[n - 1].at_ms - s[0].at_ms;
	if (n < 3 || *span_ms < window_ms / 6)
		return false;
	for (size_t i = 0; i < n; i++) {
		t += (double)(s[i].at_ms - s[0].at_ms) / 1e3 / (double)n;
		u += s[i].used / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		double dt = (double)(s[i].at_ms - s[0].at_ms) / 1e3 - t;
		tt += dt * dt;
		tu += dt * (s[i].used - u);
	}
	if (!(tt > 0))
		return false;
	*rate = tu / tt;
	return isfinite(*rate);
}

bool growth_save(const struct growth *g, struct buf *out)
{
	cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "fs");

	for (size_t i = 0; i < g->n; i++) {
		const struct growth_fs *fs = &g->v[i];
		if (!fs->seen)
			continue;
		cJSON *one = cJSON_CreateObject(), *samples;
		cJSON_AddStringToObject(one, "dir", fs->dir);
		cJSON_AddBoolToObject(one, "rw", fs->writable);
		samples = cJSON_AddArrayToObject(one, "used");
		for (size_t k = 0; k < fs->n; k++) {
			cJSON *pair = cJSON_CreateArray();
			cJSON_AddItemToArray(pair, cJSON_CreateNumber((double)fs->s[k].at_ms));
			cJSON_AddItemToArray(pair, cJSON_CreateNumber(fs->s[k].used));
			cJSON_AddItemToArray(samples, pair);
		}
		cJSON_AddItemToArray(list, one);
	}
	bool ok = json_line(root, out);
	cJSON_Delete(root);
	return ok;
}
