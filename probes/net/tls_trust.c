/*
 * Trust, for each TLS session of the probes: called by wire.c, and back by libcurl for http. The cache of trusted
 * certificates is the one thing that sessions share.
 */
#include "tls_trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certificate.h"

enum { STORES_MAX = 16 };

/* A CA file is loaded again when it changes. */
struct store {
	char *path; /* NULL: the system's */
	struct stat st;
	X509_STORE *x509;
	unsigned long used; /* larger: more recently */
};

static struct {
	pthread_mutex_t lock;
	struct store v[STORES_MAX];
	size_t n;
	unsigned long clock;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool same_path(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* As X509_STORE_set_default_paths, but without its third way of looking, which reads the whole directory of certificates
 * for each session whose issuer is not known: a fifth of what a session costs. */
static bool load_default(X509_STORE *x509)
{
	X509_LOOKUP *file = X509_STORE_add_lookup(x509, X509_LOOKUP_file());
	X509_LOOKUP *dir = X509_STORE_add_lookup(x509, X509_LOOKUP_hash_dir());

	if (!file || !dir)
		return false;
	/* each may be missing on its own */
	X509_LOOKUP_load_file(file, NULL, X509_FILETYPE_DEFAULT);
	X509_LOOKUP_add_dir(dir, NULL, X509_FILETYPE_DEFAULT);
	ERR_clear_error();
	return true;
}

static X509_STORE *load(const char *ca_file, char *why, size_t size)
{
	X509_STORE *x509 = X509_STORE_new();
	int ok;

	if (!x509) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	ok = ca_file ? X509_STORE_load_file(x509, ca_file) : load_default(x509);
	if (ok != 1) {
		snprintf(why, size, "cannot load the CA file %s: %s", ca_file ? ca_file : "of the system",
			 ERR_reason_error_string(ERR_peek_last_error()));
		ERR_clear_error();
		X509_STORE_free(x509);
		return NULL;
	}
	/* a CA file may hold an intermediate certificate, or a server's own self-signed one */
	X509_STORE_set_flags(x509, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	return x509;
}

/* A free place, or that of the file unused for longest; sessions that still use it hold their own reference.
 */
static struct store *place(void)
{
	struct store *oldest = &cache.v[0];
	size_t i;

	if (cache.n < STORES_MAX)
		return &cache.v[cache.n++];
	for (i = 1; i < cache.n; i++)
		if (cache.v[i].used < oldest->used)
			oldest = &cache.v[i];
	free(oldest->path);
	X509_STORE_free(oldest->x509);
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

static X509_STORE *find(const char *ca_file, const struct stat *st, char *why, size_t size)
{
	struct store *s = NULL;
	X509_STORE *x509;
	size_t i;

	for (i = 0; i < cache.n && !s; i++)
		if (same_path(cache.v[i].path, ca_file))
			s = &cache.v[i];
	if (s && same_file(&s->st, st)) {
		s->used = ++cache.clock;
		return s->x509;
	}
	x509 = load(ca_file, why, size);
	if (!x509)
		return NULL;
	if (!s) {
		s = place();
		s->path = ca_file ? strdup(ca_file) : NULL;
	}
	X509_STORE_free(s->x509);
	s->x509 = x509;
	s->st = *st;
	s->used = ++cache.clock;
	return x509;
}

/* The store with a reference of the caller's own, or NULL. Loading holds the lock: others would only load the
 * same. */
static X509_STORE *trusted(const char *ca_file, char *why, size_t size)
{
	struct stat st;
	X509_STORE *x509;

	memset(&st, 0, sizeof(st));
	if (ca_file && stat(ca_file, &st) != 0) {
		snprintf(why, size, "cannot read the CA file %s: %m", ca_file);
		return NULL;
	}
	if (!ca_file)
		stat(X509_get_default_cert_file(), &st);
	pthread_mutex_lock(&cache.lock);
	x509 = find(ca_file, &st, why, size);
	if (x509)
		X509_STORE_up_ref(x509);
	pthread_mutex_unlock(&cache.lock);
	return x509;
}

/* The certificate that ends first counts, be it the server's own or one above it. */
static void look(struct tls_report *report, X509 *leaf, STACK_OF(X509) * chain)
{
	int64_t not_before;
	int i;

	certificate_keep_first(report, leaf);
	not_before = report->not_before;
	for (i = 0; i < sk_X509_num(chain); i++)
		certificate_keep_first(report, sk_X509_value(chain, i));
	report->not_before = not_before;
}

/* What the server showed, as it came: its own certificate first. */
static void keep_shown(struct tls_shown *shown, X509 *leaf, STACK_OF(X509) * chain)
{
	int i, n = sk_X509_num(chain);

	tls_shown_fini(shown);
	shown->v[0].len = i2d_X509(leaf, &shown->v[0].der);
	shown->n = shown->v[0].len > 0;
	for (i = 0; i < n && shown->n > 0 && shown->n < TLS_SHOWN_MAX; i++) {
		X509 *x = sk_X509_value(chain, i);

		if (X509_cmp(x, leaf) == 0)
			continue;
		shown->v[shown->n].len = i2d_X509(x, &shown->v[shown->n].der);
		shown->n += shown->v[shown->n].len > 0;
	}
}

void tls_shown_fini(struct tls_shown *shown)
{
	for (size_t i = 0; i < shown->n; i++)
		OPENSSL_free(shown->v[i].der);
	memset(shown, 0, sizeof(*shown));
}

static int verify(X509_STORE_CTX *ctx, void *arg)
{
	struct tls_check *check = arg;
	struct tls_report *report = &check->report;
	char own[128];
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);

	report->chain_ok = X509_verify_cert(ctx) == 1;
	if (!leaf)
		return check->verify == TLS_VERIFY_OFF;
	report->name_ok = certificate_carries(leaf, check->name);
	look(report, leaf, X509_STORE_CTX_get0_chain(ctx));
	if (check->shown)
		keep_shown(check->shown, leaf, X509_STORE_CTX_get0_untrusted(ctx));
	if (!report->chain_ok) {
		snprintf(report->why, sizeof(report->why), "%s",
			 X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	} else if (!report->name_ok) {
		certificate_name(X509_get_subject_name(leaf), own, sizeof(own));
		snprintf(report->why, sizeof(report->why), "certificate is not for %.60s but for %.60s",
			 check->name, own);
	}
	if (check->verify == TLS_VERIFY_FULL && report->chain_ok && !report->name_ok)
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_HOSTNAME_MISMATCH);
	return check->verify == TLS_VERIFY_OFF ||
	       (report->chain_ok && (report->name_ok || check->verify == TLS_VERIFY_CHAIN));
}

static void progress(const SSL *ssl, int where, int ret)
{
	struct tls_check *check;

	(void)ret;
	if (!(where & SSL_CB_HANDSHAKE_DONE))
		return;
	check = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	if (!check || check->report.done)
		return;
	check->report.done = true;
	snprintf(check->report.protocol, sizeof(check->report.protocol), "%s", SSL_get_version(ssl));
	if (check->done)
		check->done(check->arg);
}

bool tls_trust_apply(void *ssl_ctx, struct tls_check *check, char *why, size_t size)
{
	SSL_CTX *ctx = ssl_ctx;
	X509_STORE *x509 = trusted(check->ca_file, why, size);

	if (!x509)
		return false;
	SSL_CTX_set_cert_store(ctx, x509); /* takes our reference */
	SSL_CTX_set_verify(ctx, check->verify == TLS_VERIFY_OFF ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, check);
	SSL_CTX_set_app_data(ctx, check);
	SSL_CTX_set_info_callback(ctx, progress);
	return true;
}
