/*
 * The datagrams between two ops hosts (doc/peers.md): authenticated by a shared key, replay refused without
 * any clock. Pure but for the nonces it is given. Used by monitord-peer.
 *
 * Each side has a session (a nonce of its start) and counts its datagrams in it. A datagram is taken when its
 * sender's session is the one known and its count is higher than the last. Another session is taken only when
 * the datagram answers the challenge (a nonce, used once) that this side has out: so a recorded datagram, of
 * whichever session, is worth nothing.
 */
#ifndef MONITORD_PEERS_DATAGRAM_H
#define MONITORD_PEERS_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/event.h"
#include "lib/hmac.h"

struct cJSON;

enum { DATAGRAM_MAX = 8192, DATAGRAM_KEY_MIN = 16 };

enum datagram_verdict {
	DATAGRAM_FRESH,	   /* taken */
	DATAGRAM_UNPROVEN, /* from who has the key, perhaps long ago: answer, so that it can prove itself */
	DATAGRAM_REPLAYED, /* its count was seen, or passed by */
	DATAGRAM_FORGED,   /* not made with the key */
	DATAGRAM_BAD,	   /* no datagram of ours at all, or not for us */
	DATAGRAM_VERDICTS
};

struct datagram_side {
	char me[EVENT_NAME_MAX], other[EVENT_NAME_MAX];
	char key[4096];
	size_t key_len;
	bool (*nonce)(char out[NONCE_HEX + 1]);
	char session[NONCE_HEX + 1], challenge[NONCE_HEX + 1];
	uint64_t count;
	char their_session[NONCE_HEX + 1]; /* "": none was proven yet */
	uint64_t their_count;
	char answer[NONCE_HEX + 1]; /* their challenge */
};

/* False and why: the key is too short, or there are no nonces. */
bool datagram_init(struct datagram_side *s, const char *me, const char *other, const char *key,
		   bool (*nonce)(char out[NONCE_HEX + 1]), char *why, size_t size);
/* The next datagram, which says say (NULL: nothing but itself). Its length; 0: too long. */
size_t datagram_seal(struct datagram_side *s, const struct cJSON *say, char *out, size_t size);
/* What came. say: what it says, owned by the caller, only with DATAGRAM_FRESH; NULL: nothing. proven: its
 * session is new to us. */
enum datagram_verdict datagram_open(struct datagram_side *s, const char *bytes, size_t len,
				    struct cJSON **say, bool *proven);
const char *datagram_verdict_name(enum datagram_verdict v);

#endif
