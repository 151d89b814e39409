/*
 * A TLSA record against certificates; see record.h. Called by check_tlsa's judge.
 */
#include "record.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "probes/net/tls_trust.h"

static void say(struct tlsa_record *t, enum tlsa_verdict v, const char *why)
{
	t->verdict = v;
	snprintf(t->why, sizeof(t->why), "%s", why);
}

static bool usable(struct tlsa_record *t)
{
	static const size_t digest[] = {0, 32, 64};
	const char *why = NULL;

	if (t->usage < TLSA_TA)
		why = "usage 0 and 1 are not for mail servers";
	else if (t->usage > TLSA_EE)
		why = "unknown usage";
	else if (t->selector > 1)
		why = "unknown selector";
	else if (t->matching > 2)
		why = "unknown matching type";
	else if (t->matching && t->len != digest[t->matching])
		why = "its digest has the wrong length";
	if (why)
		say(t, TLSA_UNUSABLE, why);
	return !why;
}

bool tlsa_read(const uint8_t *bytes, size_t len, struct tlsa_record *t)
{
	size_t n;

	memset(t, 0, sizeof(*t));
	if (len < 4)
		return false;
	t->usage = bytes[0];
	t->selector = bytes[1];
	t->matching = bytes[2];
	t->data = bytes + 3;
	t->len = len - 3;
	n = (size_t)snprintf(t->text, sizeof(t->text), "%u %u %u ", t->usage, t->selector, t->matching);
	for (size_t i = 0; i < t->len && i < 8; i++)
		n += (size_t)snprintf(t->text + n, sizeof(t->text) - n, "%02x", t->data[i]);
	if (t->len > 8)
		snprintf(t->text + n, sizeof(t->text) - n, "...");
	if (usable(t))
		t->verdict = TLSA_NO_MATCH;
	return true;
}

/* What the record is of: the whole certificate or its key, as DER. Freed with OPENSSL_free. */
static int selected(const struct tlsa_record *t, const unsigned char *der, int len, unsigned char **out)
{
	const unsigned char *p = der;
	X509 *x = d2i_X509(NULL, &p, len);
	int n = -1;

	*out = NULL;
	if (x)
		n = t->selector ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), out) : i2d_X509(x, out);
	X509_free(x);
	return n;
}

static bool equal(const struct tlsa_record *t, const unsigned char *der, int len)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *what;
	unsigned int size = 0;
	int n = selected(t, der, len, &what);
	bool same = false;

	if (n > 0 && t->matching == 0)
		same = (size_t)n == t->len && memcmp(what, t->data, t->len) == 0;
	else if (n > 0 && EVP_Digest(what, (size_t)n, digest, &size,
				     t->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL))
		same = size == t->len && memcmp(digest, t->data, size) == 0;
	OPENSSL_free(what);
	return same;
}

/* Usage 2: of any certificate shown, or one that the record brings along itself. */
static void hold_anchor(struct tlsa_record *t, const struct tls_shown *shown, const char *const *names,
			size_t nnames, int64_t now)
{
	const unsigned char *anchor = NULL;
	int len = 0;

	for (size_t i = shown->n; i-- > 0 && !anchor;)
		if (equal(t, shown->v[i].der, shown->v[i].len)) {
			anchor = shown->v[i].der;
			len = shown->v[i].len;
		}
	if (!anchor && t->matching == 0 && t->selector == 0 && t->len < 65536) {
		anchor = t->data;
		len = (int)t->len;
	}
	if (!anchor)
		return;
	if (tlsa_chain(shown, anchor, len, names, nnames, now, t->why, sizeof(t->why)))
		t->verdict = TLSA_MATCH;
	else if (anchor != t->data)
		t->verdict = TLSA_BROKEN;
}

void tlsa_hold(struct tlsa_record *t, const struct tls_shown *shown, const char *const *names, size_t nnames,
	       int64_t now)
{
	if (t->verdict == TLSA_UNUSABLE || shown->n == 0)
		return;
	say(t, TLSA_NO_MATCH, "");
	/* usage 3: the server's own, whatever its name and dates */
	if (t->usage == TLSA_TA)
		hold_anchor(t, shown, names, nnames, now);
	else if (equal(t, shown->v[0].der, shown->v[0].len))
		t->verdict = TLSA_MATCH;
	if (t->verdict != TLSA_BROKEN)
		t->why[0] = '\0';
}
