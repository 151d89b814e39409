/* The signature of a webhook; see sign.h. */
#include "notifiers/webhook/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "notifiers/webhook/template.h"

enum { KEY_MAX = 4096, DIGEST_SIZE = 32 };

/* The key's bytes into key; 0: there are none. */
static size_t key_of(const char *secret, unsigned char key[KEY_MAX])
{
	const char *b64 = strncmp(secret, "whsec_", 6) == 0 ? secret + 6 : NULL;
	size_t len = strlen(b64 ? b64 : secret), pad = 0;
	int n;

	if (b64 == NULL) {
		memcpy(key, secret, len < KEY_MAX ? len : KEY_MAX);
		return len < KEY_MAX ? len : KEY_MAX;
	}
	if (len == 0 || len % 4 != 0 || len > KEY_MAX)
		return 0;
	while (pad < 2 && b64[len - 1 - pad] == '=')
		pad++;
	n = EVP_DecodeBlock(key, (const unsigned char *)b64, (int)len);
	return n > (int)pad ? (size_t)n - pad : 0;
}

bool webhook_sign(const char *secret, const char *id, int64_t seconds, const char *body, size_t len,
		  char out[WEBHOOK_SIGNATURE_MAX])
{
	unsigned char key[KEY_MAX], mac[EVP_MAX_MD_SIZE], b64[48];
	size_t n = key_of(secret, key);
	unsigned int size = 0;
	struct buf text;
	bool ok;

	buf_init(&text, WEBHOOK_BODY_MAX + 1024);
	ok =
	    n > 0 && buf_printf(&text, "%s.%lld.", id, (long long)seconds) && buf_add(&text, body, len) &&
	    HMAC(EVP_sha256(), key, (int)n, (const unsigned char *)text.data, text.len, mac, &size) != NULL &&
	    size == DIGEST_SIZE;
	explicit_bzero(key, sizeof(key));
	buf_fini(&text);
	if (!ok)
		return false;
	EVP_EncodeBlock(b64, mac, DIGEST_SIZE);
	snprintf(out, WEBHOOK_SIGNATURE_MAX, "v1,%s", (const char *)b64);
	return true;
}
