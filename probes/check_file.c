/*
 * file: a file's age, size and growth, whether it is there (or must not be), whose it is and what may be done
 * with it: a backup that is late, a log that swells, a lock that was left. The flags of monitoring-plugins'
 * check_file_age mean the same.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/json.h"
#include "probe.h"
#include "probes/file/limit.h"

enum { KIND_ANY, KIND_FILE, KIND_DIRECTORY, KIND_SOCKET, KIND_FIFO, KIND_DEVICE };

struct file_conf {
	char *file, *limit[LIMITS], *owner, *group, *mode;
	bool ignore_missing, absent;
	int kind;
	struct range growth_warning, growth_critical;
};

#define AT(f) .offset = offsetof(struct file_conf, f)

static const struct opt file_opts[] = {
    {.name = "file", .letter = 'f', .type = OPT_PATH, AT(file), .flags = OPT_REQUIRED, .help = "the file"},
    {.name = "warning_age",
     .letter = 'w',
     .type = OPT_STRING,
     AT(limit[LIMIT_AGE_W]),
     .unit = "AGE|RANGE",
     .help = "WARNING when it is older (240 s when nothing but age and size is asked for)"},
    {.name = "critical_age",
     .letter = 'c',
     .type = OPT_STRING,
     AT(limit[LIMIT_AGE_C]),
     .unit = "AGE|RANGE",
     .help = "CRITICAL when it is older (600 s likewise)"},
    {.name = "warning_size",
     .letter = 'W',
     .type = OPT_STRING,
     AT(limit[LIMIT_SIZE_W]),
     .unit = "SIZE|RANGE",
     .help = "WARNING when it is smaller; as a range, outside. One range makes all four ranges"},
    {.name = "critical_size",
     .letter = 'C',
     .type = OPT_STRING,
     AT(limit[LIMIT_SIZE_C]),
     .unit = "SIZE|RANGE",
     .help = "CRITICAL when it is smaller"},
    {.name = "ignore_missing",
     .letter = 'i',
     .type = OPT_BOOL,
     AT(ignore_missing),
     .help = "OK when there is none"},
    {.name = "absent", .type = OPT_BOOL, AT(absent), .help = "it must not be there: CRITICAL when it is"},
    {.name = "growth_warning",
     .type = OPT_RANGE,
     AT(growth_warning),
     .help = "WARNING when the bytes it gains a minute are outside (needs a state between runs)"},
    {.name = "growth_critical",
     .type = OPT_RANGE,
     AT(growth_critical),
     .help = "CRITICAL when the bytes it gains a minute are outside"},
    {.name = "owner",
     .type = OPT_STRING,
     AT(owner),
     .unit = "USER",
     .help = "CRITICAL when it belongs to somebody else"},
    {.name = "group",
     .type = OPT_STRING,
     AT(group),
     .unit = "GROUP",
     .help = "CRITICAL when it is another group's"},
    {.name = "mode",
     .type = OPT_STRING,
     AT(mode),
     .unit = "OCTAL",
     .help = "CRITICAL when it permits anything beyond: 640"},
    {.name = "kind",
     .type = OPT_ENUM,
     AT(kind),
     .dflt = "any",
     .choices = "any|file|directory|socket|fifo|device",
     .help = "CRITICAL when it is something else"},
    {0},
};

static const char *const limit_names[LIMITS] = {"warning_age", "critical_age", "warning_size",
						"critical_size"};

/* check_file_age's own limits hold where nothing else is asked for. */
static bool limits_of(const struct file_conf *fc, struct range out[LIMITS], struct complaints *c)
{
	const char *text[LIMITS], *why = "";
	int bad = 0;

	memcpy(text, fc->limit, sizeof text);
	if (!fc->owner && !fc->group && !fc->mode && fc->kind == KIND_ANY && !fc->growth_warning.set &&
	    !fc->growth_critical.set) {
		text[LIMIT_AGE_W] = text[LIMIT_AGE_W] ? text[LIMIT_AGE_W] : "240";
		text[LIMIT_AGE_C] = text[LIMIT_AGE_C] ? text[LIMIT_AGE_C] : "600";
	}
	if (file_limits(text, out, &bad, &why))
		return true;
	if (c)
		complaint_add(c, NULL, limit_names[bad], text[bad], "%s", why);
	return false;
}

static void file_check_conf(const void *conf, struct complaints *c)
{
	const struct file_conf *fc = conf;
	struct range r[LIMITS];
	mode_t mode;

	limits_of(fc, r, c);
	if (fc->mode && !file_mode(fc->mode, &mode))
		complaint_add(c, NULL, "mode", fc->mode, "must be octal, from 0 to 7777");
	if (fc->absent && fc->ignore_missing)
		complaint_add(c, NULL, "absent", NULL, "excludes ignore_missing");
}

static bool owner_is(struct probe_run *run, const char *name, uid_t uid)
{
	struct passwd pw, *found = NULL;
	char room[4096];
	int64_t number;

	if (units_int(name, &number, NULL))
		return number == (int64_t)uid;
	probe_at_name(run, "getpwnam", name);
	return getpwnam_r(name, &pw, room, sizeof room, &found) == 0 && found && found->pw_uid == uid;
}

static bool group_is(struct probe_run *run, const char *name, gid_t gid)
{
	struct group gr, *found = NULL;
	char room[16384];
	int64_t number;

	if (units_int(name, &number, NULL))
		return number == (int64_t)gid;
	probe_at_name(run, "getgrnam", name);
	return getgrnam_r(name, &gr, room, sizeof room, &found) == 0 && found && found->gr_gid == gid;
}

static bool kind_is(int kind, mode_t m)
{
	switch (kind) {
	case KIND_FILE:
		return S_ISREG(m);
	case KIND_DIRECTORY:
		return S_ISDIR(m);
	case KIND_SOCKET:
		return S_ISSOCK(m);
	case KIND_FIFO:
		return S_ISFIFO(m);
	case KIND_DEVICE:
		return S_ISCHR(m) || S_ISBLK(m);
	default:
		return true;
	}
}

/* Whose it is and what it permits; what is wrong goes into why. */
static bool rights_ok(struct probe_run *run, const struct stat *st, char *why, size_t size)
{
	static const char *const kinds[] = {"", "a file", "a directory", "a socket", "a pipe", "a device"};
	const struct file_conf *c = run->conf;
	mode_t most = 07777;

	if (c->mode)
		file_mode(c->mode, &most);
	if (!kind_is(c->kind, st->st_mode))
		snprintf(why, size, "is not %s", kinds[c->kind]);
	else if (c->owner && !owner_is(run, c->owner, st->st_uid))
		snprintf(why, size, "belongs to user %u, not to %.64s", st->st_uid, c->owner);
	else if (c->group && !group_is(run, c->group, st->st_gid))
		snprintf(why, size, "is of group %u, not of %.64s", st->st_gid, c->group);
	else if (st->st_mode & 07777 & ~most)
		snprintf(why, size, "has mode %04o, which permits more than %04o", st->st_mode & 07777, most);
	else
		return true;
	return false;
}

/* Bytes a minute since the last run; a file that was replaced grew from nothing. */
static bool growth(struct probe_run *run, const struct stat *st, double *rate)
{
	struct stamp now = clock_stamp(), then;
	cJSON *v = run->state_len ? json_parse(run->state, run->state_len, PROBE_STATE_MAX, NULL) : NULL;
	bool known = v && json_get_stamp(v, "at", &then);
	double age = known ? (double)clock_age_ms(&then, &now) / 60e3 : 0;

	if (known && age > 0) {
		int64_t was = json_int(v, "ino", 0) == (int64_t)st->st_ino ? json_int(v, "size", 0) : 0;
		*rate = ((double)st->st_size - (double)(was > st->st_size ? 0 : was)) / age;
	}
	cJSON_Delete(v);
	v = cJSON_CreateObject();
	json_add_stamp(v, "at", &now);
	json_add_int(v, "ino", (int64_t)st->st_ino);
	json_add_int(v, "size", st->st_size);
	json_line(v, &run->newstate);
	cJSON_Delete(v);
	return known && age > 0;
}

static void judge(struct probe_run *run, const struct stat *st)
{
	const struct file_conf *c = run->conf;
	struct result *r = run->result;
	struct range l[LIMITS];
	char why[200] = "", grows[80] = "";
	double age = (double)clock_wall_ms() / 1000 - (double)st->st_mtime, rate = 0,
	       size = (double)st->st_size;

	limits_of(c, l, NULL);
	age = age < 0 ? -(double)(int64_t)-age : (double)(int64_t)age;
	enum nag_state s = nag_worse(nag_judge(age, &l[LIMIT_AGE_W], &l[LIMIT_AGE_C]),
				     nag_judge(size, &l[LIMIT_SIZE_W], &l[LIMIT_SIZE_C]));
	if (growth(run, st, &rate)) {
		snprintf(grows, sizeof grows, ", gains %.0f bytes a minute", rate);
		s = nag_worse(s, nag_judge(rate, &c->growth_warning, &c->growth_critical));
		result_fact(r, "growth_per_min", rate);
	}
	if (c->absent)
		snprintf(why, sizeof why, "is there and must not be");
	if (c->absent || !rights_ok(run, st, why, sizeof why))
		s = NAG_CRITICAL;
	result_set(r, s, "%s %s%sis %.0f seconds old and %.0f bytes%s", c->file, why, why[0] ? "; it " : "",
		   age, size, grows);
	result_perf(r, "age", age, "s", &l[LIMIT_AGE_W], &l[LIMIT_AGE_C]);
	struct perf *p = result_perf(r, "size", size, "B", &l[LIMIT_SIZE_W], &l[LIMIT_SIZE_C]);
	if (p)
		p->has_min = true;
	if (grows[0])
		result_perf(r, "growth", rate, "", &c->growth_warning, &c->growth_critical);
	result_fact(r, "age_s", age);
	result_fact(r, "size_bytes", size);
}

static void file_run(struct probe_run *run)
{
	const struct file_conf *c = run->conf;
	struct stat st;

	result_fact_text(run->result, "path", c->file);
	probe_at_name(run, "stat", c->file);
	int err = stat(c->file, &st) == 0 ? 0 : errno;
	result_fact(run->result, "missing", err == ENOENT || err == ENOTDIR);
	if (!err && c->absent) {
		struct stat link; /* check_file_age's limits are of no interest then */
		judge(run, lstat(c->file, &link) == 0 ? &link : &st);
	} else if (!err) {
		judge(run, &st);
	} else if (err == ENOENT || err == ENOTDIR) {
		bool fine = c->absent || c->ignore_missing;
		result_fail(run->result, fine ? NAG_OK : NAG_CRITICAL, fine ? "" : "missing",
			    fine ? "%s is not there, as it may be" : "%s is not there", c->file);
	} else {
		result_fail(run->result, NAG_UNKNOWN, "read", "%s cannot be looked at: %s", c->file,
			    strerror(err));
		run->result->measured = false;
	}
}

const struct probe probe_file = {
    .name = "file",
    .help = "a file's age, size and growth, whether it is there, whose it is and what it permits",
    .place = PROBE_LOCAL,
    .opts = file_opts,
    .conf_size = sizeof(struct file_conf),
    .check_conf = file_check_conf,
    .run = file_run,
};
