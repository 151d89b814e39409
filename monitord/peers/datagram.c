/* Datagrams between ops hosts; see datagram.h. */
#include "datagram.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"

/* 2^53: beyond it JSON's numbers are not exact. Ten datagrams a second reach it in 28 million years. */
#define COUNT_MAX (INT64_C(1) << 53)

const char *datagram_verdict_name(enum datagram_verdict v)
{
	static const char *const names[] = {"fresh", "unproven", "replayed", "forged", "bad"};
	return names[v];
}

bool datagram_init(struct datagram_side *s, const char *me, const char *other, const char *key,
		   bool (*nonce)(char out[NONCE_HEX + 1]), char *why, size_t size)
{
	*s = (struct datagram_side){.nonce = nonce, .key_len = strlen(key)};
	snprintf(s->me, sizeof s->me, "%s", me);
	snprintf(s->other, sizeof s->other, "%s", other);
	if (s->key_len < DATAGRAM_KEY_MIN || s->key_len >= sizeof s->key) {
		snprintf(why, size, "the shared key has %zu bytes; it must have %d to %zu", s->key_len,
			 DATAGRAM_KEY_MIN, sizeof s->key - 1);
		return false;
	}
	memcpy(s->key, key, s->key_len);
	if (nonce(s->session) && nonce(s->challenge))
		return true;
	snprintf(why, size, "the kernel gives no random numbers");
	return false;
}

size_t datagram_seal(struct datagram_side *s, const cJSON *say, char *out, size_t size)
{
	cJSON *o = cJSON_CreateObject();
	struct buf body;
	char mac[HMAC_HEX + 1];
	size_t n = 0;
	buf_init(&body, DATAGRAM_MAX - HMAC_HEX - 1);
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "from", s->me);
	cJSON_AddStringToObject(o, "to", s->other);
	cJSON_AddStringToObject(o, "session", s->session);
	json_add_int(o, "count", (int64_t)++s->count);
	cJSON_AddStringToObject(o, "challenge", s->challenge);
	cJSON_AddStringToObject(o, "answer", s->answer);
	if (say)
		cJSON_AddItemReferenceToObject(o, "say", (cJSON *)(uintptr_t)say);
	if (json_line(o, &body) && hmac_hex(s->key, s->key_len, body.data, body.len, mac) &&
	    body.len + HMAC_HEX + 1 < size)
		n = (size_t)snprintf(out, size, "%s %s", mac, body.data);
	buf_fini(&body);
	cJSON_Delete(o);
	return n;
}

static bool is_nonce(const char *s)
{
	return strlen(s) == NONCE_HEX && strspn(s, "0123456789abcdef") == NONCE_HEX;
}

/* Of one that has the key. */
static enum datagram_verdict judge(struct datagram_side *s, const cJSON *o, bool *proven)
{
	const char *session = json_str(o, "session", ""), *challenge = json_str(o, "challenge", "");
	int64_t count = json_int(o, "count", 0);
	if (json_int(o, "v", 0) != 1 || strcmp(json_str(o, "from", ""), s->other) != 0 ||
	    strcmp(json_str(o, "to", ""), s->me) != 0 || !is_nonce(session) || !is_nonce(challenge) ||
	    count <= 0 || count > COUNT_MAX)
		return DATAGRAM_BAD;
	if (strcmp(session, s->their_session) == 0) {
		if ((uint64_t)count <= s->their_count)
			return DATAGRAM_REPLAYED;
		s->their_count = (uint64_t)count;
		memcpy(s->answer, challenge, sizeof s->answer);
		return DATAGRAM_FRESH;
	}
	memcpy(s->answer, challenge, sizeof s->answer);
	if (strcmp(json_str(o, "answer", ""), s->challenge) != 0)
		return DATAGRAM_UNPROVEN;
	memcpy(s->their_session, session, sizeof s->their_session);
	s->their_count = (uint64_t)count;
	*proven = true;
	/* used once; without another nonce no session can be proven any more, and none is taken */
	if (!s->nonce(s->challenge))
		memset(s->challenge, '-', NONCE_HEX);
	return DATAGRAM_FRESH;
}

enum datagram_verdict datagram_open(struct datagram_side *s, const char *bytes, size_t len, cJSON **say,
				    bool *proven)
{
	char mac[HMAC_HEX + 1];
	*say = NULL;
	*proven = false;
	if (len <= HMAC_HEX + 1 || len > DATAGRAM_MAX || bytes[HMAC_HEX] != ' ')
		return DATAGRAM_BAD;
	const char *body = bytes + HMAC_HEX + 1;
	size_t body_len = len - HMAC_HEX - 1;
	/* before anything of it is parsed */
	if (!hmac_hex(s->key, s->key_len, body, body_len, mac) || !hmac_equal(mac, bytes, HMAC_HEX))
		return DATAGRAM_FORGED;
	cJSON *o = json_parse(body, body_len, DATAGRAM_MAX, NULL);
	enum datagram_verdict v = o ? judge(s, o, proven) : DATAGRAM_BAD;
	if (v == DATAGRAM_FRESH)
		*say = cJSON_DetachItemFromObjectCaseSensitive(o, "say");
	cJSON_Delete(o);
	return v;
}
