/* The pure cores of the disk probe: mounts, selection, judgement, growth. */
#include "unit.h"

#include <errno.h>
#include <math.h>

#include "probes/disk/disk.h"
#include "probes/disk/growth.h"
#include "probes/disk/select.h"
#include "probes/disk/mounts.h"

static const char table[] =
	"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
	"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
	"28 27 254:1 / /var rw,relatime master:1 propagate_from:2 - ext4 /dev/vdb ro,errors=remount-ro\n"
	"29 28 254:2 / /var/spool ro,nosuid - xfs /dev/vdc rw,attr2\n"
	"30 27 0:40 / /home rw - nfs4 filer:/home rw,vers=4.2\n"
	"31 27 0:41 / /mnt/with\\040blank rw - tmpfs tmpfs rw,size=4k\n"
	"32 27 254:2 /sub /srv rw - xfs /dev/vdc rw\n"
	"33 27 7:0 / /snap ro - squashfs /dev/loop0 ro\n"
	"34 27 254:3 / /gone rw - ext4 /dev/vdd rw,emergency_ro\n"
	"35 27 0:43 / /old rw - tmpfs one rw\n"
	"36 27 0:44 / /old rw - tmpfs two rw\n";

static void mountinfo(void **state)
{
	static const struct {
		const char *dir, *source;
		bool mount_ro, super_ro, broken, dummy, remote, image;
	} rows[] = {
		{ "/proc", "proc", false, false, false, true, false, false },
		{ "/", "/dev/vda", false, false, false, false, false, false },
		{ "/var", "/dev/vdb", false, true, false, false, false, false },
		{ "/var/spool", "/dev/vdc", true, false, false, false, false, false },
		{ "/home", "filer:/home", false, false, false, false, true, false },
		{ "/mnt/with blank", "tmpfs", false, false, false, false, false, false },
		{ "/srv", "/dev/vdc", false, false, false, false, false, false },
		{ "/snap", "/dev/loop0", true, true, false, false, false, true },
		{ "/gone", "/dev/vdd", false, true, true, false, false, false },
		{ "/old", "two", false, false, false, false, false, false },
	};
	struct mounts m;

	(void)state;
	mounts_parse(&m, table);
	assert_int_equal(m.n, sizeof rows / sizeof rows[0]);
	assert_int_equal(m.dropped, 0);
	for (size_t i = 0; i < m.n; i++) {
		const struct mount *one = &m.v[i];
		if (strcmp(one->dir, rows[i].dir) != 0 || strcmp(one->source, rows[i].source) != 0 ||
		    one->mount_ro != rows[i].mount_ro || one->super_ro != rows[i].super_ro ||
		    one->broken != rows[i].broken || one->dummy != rows[i].dummy ||
		    one->remote != rows[i].remote || one->image != rows[i].image)
			fail_msg("row %zu: %s %s", i, one->dir, one->source);
	}
	assert_string_equal(mounts_holding(&m, "/var/spool/postfix")->dir, "/var/spool");
	assert_string_equal(mounts_holding(&m, "/var/spoolx")->dir, "/var");
	assert_string_equal(mounts_holding(&m, "/")->dir, "/");
	assert_string_equal(mounts_holding(&m, "/etc")->dir, "/");
	assert_string_equal(mounts_exact(&m, "/dev/vdb")->dir, "/var");
	assert_null(mounts_exact(&m, "/etc"));
	mounts_fini(&m);
}

static void a_chroot(void **state)
{
	struct mounts m;

	(void)state;
	mounts_parse(&m, "36 35 0:5 / /proc rw - proc proc rw\n");
	assert_null(mounts_holding(&m, "/var/spool"));
	mounts_add_root(&m, 8, 1);
	mounts_add_root(&m, 9, 9); /* there is one now */
	assert_int_equal(m.n, 2);
	assert_string_equal(mounts_holding(&m, "/var/spool")->dir, "/");
	assert_string_equal(mounts_holding(&m, "/var/spool")->source, "-");
	assert_int_equal(mounts_holding(&m, "/var/spool")->dev_major, 8);
	mounts_fini(&m);
}

static void mountinfo_hostile(void **state)
{
	static const char *const rows[] = {
		"", "\n\n", "1 2 3\n", "1 2 3:4 / /x rw -\n", "1 2 3:4 / /x rw - ext4\n", "1 2 3:4 / /x rw - ext4 dev\n",
		"1 2 x:y / /x rw - ext4 dev rw\n", "1 2 3:4 / x rw - ext4 dev rw\n", "- - - - - - - - -\n",
		"1 2 3:4 / /x rw a b c d e f g\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mounts m;
		mounts_parse(&m, rows[i]);
		if (m.n != 0)
			fail_msg("row %zu gave %zu mounts", i, m.n);
		assert_null(mounts_holding(&m, "/x"));
		mounts_fini(&m);
	}
}

static char *resolve(void *arg, const char *path)
{
	(void)arg;
	if (strcmp(path, "/link") == 0)
		return strdup("/var/spool/postfix");
	if (strcmp(path, "/missing") == 0) {
		errno = ENOENT;
		return NULL;
	}
	return strdup(path);
}

struct select_row {
	const char *path[3], *exclude[2], *exclude_type[2], *include_type[2], *match[2], *ignore[2];
	bool exact, local, stat_remote;
	const char *want; /* directories, or ?PATH for what is not there; ! behind what is only touched */
};

static struct opt_list list_of(const char *const *v, size_t max)
{
	struct opt_list l = { (char **)v, 0 };

	while (l.n < max && v[l.n])
		l.n++;
	return l;
}

static void selection(void **state)
{
	static const struct select_row rows[] = {
		{ .want = "/ /var /var/spool /home /mnt/with blank /gone /old " },
		{ .exclude = { "/var" }, .exclude_type = { "tmpfs" }, .want = "/ /var/spool /home /gone " },
		{ .exclude = { "/dev/vda" }, .include_type = { "ext4" }, .want = "/var /gone " },
		{ .local = true, .include_type = { "nfs4" }, .want = "" },
		{ .stat_remote = true, .include_type = { "nfs4" }, .want = "/home! " },
		{ .ignore = { "^/(var|old)" }, .want = "/ /home /mnt/with blank /srv /gone " },
		{ .match = { "spool$" }, .want = "/var/spool " },
		{ .match = { "vd[bc]" }, .want = "/var /var/spool /srv " },
		{ .path = { "/etc", "/" }, .want = "/ " },
		{ .path = { "/link" }, .want = "/var/spool " },
		{ .path = { "/dev/vdb" }, .exclude = { "/var" }, .want = "/var " },
		{ .path = { "/missing", "/snap" }, .want = "?/missing /snap " },
		{ .path = { "/etc" }, .exact = true, .want = "?/etc " },
		{ .path = { "/home" }, .local = true, .want = "" },
		{ .path = { "/srv", "/var/spool" }, .want = "/srv /var/spool " },
	};
	struct mounts m;

	(void)state;
	mounts_parse(&m, table);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct select_row *r = &rows[i];
		struct disk_conf whole = { .select = { list_of(r->path, 3),
						       list_of(r->exclude, 2),
						       list_of(r->exclude_type, 2),
						       list_of(r->include_type, 2),
						       list_of(r->match, 2),
						       { 0 },
						       list_of(r->ignore, 2),
						       { 0 },
						       r->exact,
						       r->local,
						       r->stat_remote } };
		struct disk_rules rules;
		struct disk_targets t;
		char got[512] = "";
		assert_true(disk_rules_make(&rules, &whole, NULL));
		assert_true(disk_select(&t, &m, &whole.select, &rules, resolve, NULL));
		for (size_t k = 0; k < t.n; k++)
			sprintf(got + strlen(got), "%s%s%s ", t.v[k].mount ? "" : "?",
				t.v[k].mount ? t.v[k].mount->dir : t.v[k].asked, t.v[k].only_stat ? "!" : "");
		if (strcmp(got, r->want) != 0)
			fail_msg("row %zu: [%s] wanted [%s]", i, got, r->want);
		disk_targets_fini(&t);
		disk_rules_fini(&rules);
	}
	mounts_fini(&m);
}

struct judge_row {
	double total, used, free, inodes, inodes_free;
	const char *w[2], *c[2], *iw, *ic;
	enum nag_state state;
	const char *why;
};

#define MB 1048576.0

static void judgement(void **state)
{
	static const struct judge_row rows[] = {
		{ 1000 * MB, 500 * MB, 500 * MB, 100, 50, { "10%" }, { "5%" }, NULL, NULL, NAG_OK, "" },
		{ 1000 * MB, 900 * MB, 100 * MB, 100, 50, { "10%" }, { "5%" }, NULL, NULL, NAG_WARNING, "10% free, not above 10%" },
		{ 1000 * MB, 899 * MB, 101 * MB, 100, 50, { "10%" }, { "5%" }, NULL, NULL, NAG_OK, "" },
		{ 1000 * MB, 960 * MB, 40 * MB, 100, 50, { "10%" }, { "5%" }, NULL, NULL, NAG_CRITICAL, "4% free, not above 5%" },
		/* whole units count, the limit itself alerts */
		{ 1000 * MB, 900 * MB, 100.9 * MB, 100, 50, { "100" }, { NULL }, NULL, NULL, NAG_WARNING, "100 MiB free, not above 100 MiB" },
		{ 1000 * MB, 899 * MB, 101 * MB, 100, 50, { "100" }, { NULL }, NULL, NULL, NAG_OK, "" },
		/* reserved blocks: 100 of the 1000 are for root alone, so 0 free is 0 % though 10 % is unused */
		{ 1000 * MB, 900 * MB, 0, 100, 50, { NULL }, { "5%" }, NULL, NULL, NAG_CRITICAL, "0% free, not above 5%" },
		/* units and percent together: either alerts */
		{ 1000 * MB, 500 * MB, 500 * MB, 100, 50, { "600", "10%" }, { NULL }, NULL, NULL, NAG_WARNING, "500 MiB free, not above 600 MiB" },
		{ 1000 * MB, 500 * MB, 500 * MB, 100, 50, { "60%", "10" }, { NULL }, NULL, NULL, NAG_WARNING, "50% free, not above 60%" },
		/* inodes */
		{ 1000 * MB, 1 * MB, 999 * MB, 100, 9, { NULL }, { NULL }, "20%", "10%", NAG_CRITICAL, "9% of the inodes free, not above 10%" },
		{ 1000 * MB, 1 * MB, 999 * MB, 100, 15, { NULL }, { NULL }, "20", "10", NAG_WARNING, "15% of the inodes free, not above 20%" },
		{ 1000 * MB, 1 * MB, 999 * MB, 0, 0, { NULL }, { NULL }, "20%", "10%", NAG_OK, "" },
		/* a range alerts inside */
		{ 1000 * MB, 500 * MB, 500 * MB, 100, 50, { "400:600" }, { NULL }, NULL, NULL, NAG_WARNING, "500 MiB free, inside 400 to 600 MiB" },
		{ 1000 * MB, 300 * MB, 700 * MB, 100, 50, { "400:600" }, { NULL }, NULL, NULL, NAG_OK, "" },
		/* nothing configured, nothing wrong */
		{ 1000 * MB, 1000 * MB, 0, 100, 0, { NULL }, { NULL }, NULL, NULL, NAG_OK, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct judge_row *r = &rows[i];
		struct opt_list w = list_of(r->w, 2), c = list_of(r->c, 2);
		struct disk_limits l = { .unit = MB };
		struct disk_space s = { r->total,  r->used,	  r->free, r->total - r->used - r->free,
					r->inodes, r->inodes_free };
		const char *why = NULL;
		assert_true(disk_limit_parse(&w, &l.warn, &why) && disk_limit_parse(&c, &l.crit, &why));
		assert_true(disk_inode_limit_parse(r->iw, &l.iwarn, &why) &&
			    disk_inode_limit_parse(r->ic, &l.icrit, &why));
		struct disk_verdict v = disk_judge(&s, &l);
		if (v.state != r->state || strcmp(v.why, r->why) != 0)
			fail_msg("row %zu: %s [%s]", i, nag_name(v.state), v.why);
	}
}

static void bad_limits(void **state)
{
	static const char *const rows[][2] = { { "x", NULL },	 { "10%", "20%" }, { "10", "20" },
					       { "101%", NULL }, { "", NULL },	   { "20:10", NULL } };
	struct disk_limit l;
	struct range r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct opt_list v = list_of(rows[i], 2);
		why = NULL;
		if (disk_limit_parse(&v, &l, &why) || !why)
			fail_msg("row %zu was taken", i);
	}
	assert_false(disk_inode_limit_parse("200%", &r, &why));
	assert_false(disk_inode_limit_parse("many", &r, &why));
}

static void used_limits(void **state)
{
	struct disk_space s = { .total = 1000 * MB };
	struct disk_limit units = { .units = { .set = true, .inside = true, .end = 100 } };
	struct disk_limit percent = { .percent = { .set = true, .inside = true, .end = 20 } };
	struct disk_limit both = { .units = units.units, .percent = percent.percent };
	struct disk_limit huge = { .units = { .set = true, .inside = true, .end = 5000 } };

	(void)state;
	assert_true(disk_used_limit(&s, &units, MB).end == 900 * MB);
	assert_true(disk_used_limit(&s, &percent, MB).end == 800 * MB);
	assert_true(disk_used_limit(&s, &both, MB).end == 800 * MB);
	assert_true(disk_used_limit(&s, &huge, MB).end == 0);
	assert_false(disk_used_limit(&s, &(struct disk_limit){ 0 }, MB).set);
}

enum { HOUR = 3600 * 1000 };

static void growth_is_a_line(void **state)
{
	struct growth g = { 0 };
	struct growth_fs *fs = growth_at(&g, "/var");
	int64_t now = 1700000000000, span = 0;
	double rate = 0;
	int changes = 0;

	(void)state;
	/* 1000 bytes a second, looked at each minute for three hours */
	for (int i = 0; i <= 180; i++) {
		changes += growth_add(fs, now + i * 60000, 5e9 + i * 60000.0, HOUR);
		assert_true(fs->n <= GROWTH_SAMPLES);
	}
	now += 180 * 60000;
	assert_true(growth_rate(fs, now + 30000, 5e9 + 180 * 60000.0 + 30000, HOUR, &rate, &span));
	assert_true(fabs(rate - 1000) < 0.01);
	assert_true(span >= HOUR * 9 / 10 && span <= HOUR * 11 / 10);
	assert_int_equal(changes, 37); /* every fifth minute; most runs change nothing that must be stored */
	/* the wall clock is set back: what is in the future goes */
	assert_true(growth_add(fs, now - 10 * HOUR, 1, HOUR));
	assert_int_equal(fs->n, 1);
	assert_false(growth_rate(fs, now - 10 * HOUR, 1, HOUR, &rate, &span));
}

static void growth_needs_time(void **state)
{
	struct growth g = { 0 };
	struct growth_fs *fs = growth_at(&g, "/");
	double rate;
	int64_t span;

	(void)state;
	assert_false(growth_rate(fs, 1000, 1, HOUR, &rate, &span));
	growth_add(fs, 1000, 1, HOUR);
	assert_false(growth_rate(fs, 2000, 2, HOUR, &rate, &span));
	growth_add(fs, 1000 + HOUR / 12, 2, HOUR);
	assert_false(growth_rate(fs, 2000 + HOUR / 12, 3, HOUR, &rate, &span));
	assert_true(growth_rate(fs, 1000 + HOUR / 4, 3, HOUR, &rate, &span));
}

static void growth_survives(void **state)
{
	struct growth *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (int i = 0; i < GROWTH_FS_MAX + 5; i++) {
		char dir[GROWTH_DIR_MAX];
		memset(dir, 'd', sizeof dir);
		snprintf(dir + 240, 16, "%d", i);
		struct growth_fs *fs = growth_at(a, dir);
		assert_true((fs != NULL) == (i < GROWTH_FS_MAX));
		if (!fs)
			continue;
		fs->seen = i != 3;
		fs->writable = i % 2 == 0;
		for (int k = 0; k < 20; k++)
			growth_add(fs, 1700000000000 + k * HOUR / 12, 123456789012345.0 + k, HOUR);
	}
	assert_true(growth_save(a, &out)); /* the largest there is fits into a state */
	growth_load(b, out.data, out.len);
	assert_int_equal(b->n, GROWTH_FS_MAX - 1); /* what was not seen any more is gone */
	for (size_t i = 0; i < b->n; i++) {
		const struct growth_fs *fs = growth_at(a, b->v[i].dir);
		assert_true(b->v[i].known && b->v[i].writable == fs->writable && b->v[i].n == fs->n);
		assert_memory_equal(b->v[i].s, fs->s, fs->n * sizeof fs->s[0]);
	}
	buf_fini(&out);
	free(a);
	free(b);
}

static void growth_bad_state(void **state)
{
	static const char *const rows[] = {
		"", "x", "[]", "{\"fs\":1}", "{\"fs\":[1,{}]}", "{\"fs\":[{\"dir\":5}]}",
		"{\"fs\":[{\"dir\":\"/\",\"used\":[[1]]},{\"dir\":\"/\",\"used\":[[\"a\",\"b\"]]}]}",
		"{\"fs\":[{\"dir\":\"/\",\"used\":[[1e300,1]]}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct growth g;
		growth_load(&g, rows[i], strlen(rows[i]));
		for (size_t k = 0; k < g.n; k++)
			assert_int_equal(g.v[k].n, 0);
	}
}

/* A command line as check_disk reads it, and what becomes of each path: "path:w%/c%", with the group in front. */
static void limits_by_path(void **state)
{
	static const struct {
		const char *noted[10], *want; /* want NULL: refused */
	} rows[] = {
		{ { "warning=10%", "critical=5%", "path=/tmp", "path=/var", "clear=yes", "warning=20%", "path=/" },
		  "/tmp:10/5 /var:10/5 /:20/- " },
		{ { "warning=10%", "clear=yes", "warning=20%", "group=g", "ereg_path=x" }, "all:10/- g=x:20/- " },
		{ { "path=/a", "warning=10%", "path=/b", "critical=5%" }, "/a:10/5 /b:10/5 " },
		{ { "warning=10%", "path=/a", "warning=20%", "path=/b" }, "/a:10/- /b:20/- " },
		{ { "warning=10%" }, "all:10/- " },
		{ { "clear=yes", "clear=yes", "all=yes" }, "all:-/- all:-/- all:-/- " },
		{ { "group=g", "warning=1%", "path=/a", "clear=yes", "path=/b" }, "g=/a:1/- /b:-/- " },
		{ { "warning=1%", "warning=2%", "path=/a" }, NULL },
		{ { "path=/a", "group=g" }, NULL },
		{ { "path=/a", "iwarning=5%", "iwarning=6%" }, NULL },
		{ { "warning=x" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct disk_conf conf = { .in_order = list_of(rows[i].noted, 10) };
		struct disk_rules r;
		char got[512] = "";
		bool ok = disk_rules_make(&r, &conf, NULL);
		for (size_t k = 0; ok && k < r.n; k++) {
			const struct disk_rule *v = &r.v[k];
			char w[16] = "-", c[16] = "-";
			if (v->limits.warn.percent.set)
				snprintf(w, sizeof w, "%g", v->limits.warn.percent.end);
			if (v->limits.crit.percent.set)
				snprintf(c, sizeof c, "%g", v->limits.crit.percent.end);
			sprintf(got + strlen(got), "%s%s%s:%s/%s ", v->group ? v->group : "", v->group ? "=" : "",
				v->value ? v->value : "all", w, c);
		}
		if (ok != (rows[i].want != NULL) || (ok && strcmp(got, rows[i].want) != 0))
			fail_msg("row %zu: %d [%s]", i, ok, got);
		disk_rules_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mountinfo),	   cmocka_unit_test(a_chroot), cmocka_unit_test(mountinfo_hostile), cmocka_unit_test(selection),
		cmocka_unit_test(judgement),		cmocka_unit_test(bad_limits),
		cmocka_unit_test(used_limits),	   cmocka_unit_test(growth_is_a_line),	cmocka_unit_test(growth_needs_time),
		cmocka_unit_test(growth_survives), cmocka_unit_test(growth_bad_state),
		cmocka_unit_test(limits_by_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
