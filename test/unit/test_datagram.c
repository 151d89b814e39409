/* Datagrams between two ops hosts: what is taken and what is refused, over restarts of either side. The HMAC's expected
 * values are RFC 4231's. */
#include "unit.h"

#include "lib/json.h"
#include "monitord/peers/datagram.h"

#define KEY "sixteen bytes or more"

static unsigned nonces;

static bool counted_nonce(char out[NONCE_HEX + 1])
{
	snprintf(out, NONCE_HEX + 1, "%032x", ++nonces);
	return true;
}

static bool no_nonce(char out[NONCE_HEX + 1])
{
	out[0] = '\0';
	return false;
}

struct gram {
	char bytes[DATAGRAM_MAX + 1];
	size_t len;
};

static struct datagram_side side(const char *me, const char *other)
{
	struct datagram_side s;
	char why[160];
	assert_true(datagram_init(&s, me, other, KEY, counted_nonce, why, sizeof why));
	return s;
}

static struct gram seal(struct datagram_side *s, const char *word)
{
	struct gram g;
	cJSON *say = cJSON_CreateObject();
	cJSON_AddStringToObject(say, "word", word);
	g.len = datagram_seal(s, say, g.bytes, sizeof g.bytes);
	assert_true(g.len > 0);
	cJSON_Delete(say);
	return g;
}

/* The verdict; with a fresh one the word must be that. */
static enum datagram_verdict opened(struct datagram_side *s, const struct gram *g, const char *word)
{
	cJSON *say;
	bool proven;
	enum datagram_verdict v = datagram_open(s, g->bytes, g->len, &say, &proven);
	if (v == DATAGRAM_FRESH)
		assert_string_equal(json_str(say, "word", ""), word);
	else
		assert_null(say);
	cJSON_Delete(say);
	return v;
}

static void pass(struct datagram_side *from, struct datagram_side *to, enum datagram_verdict want)
{
	struct gram g = seal(from, "x");
	assert_int_equal(opened(to, &g, "x"), want);
}

/* a speaks first: b does not know it, answers; a takes the answer's proof, b that of the next. */
static void shake_hands(struct datagram_side *a, struct datagram_side *b)
{
	pass(a, b, DATAGRAM_UNPROVEN);
	pass(b, a, DATAGRAM_FRESH);
	pass(a, b, DATAGRAM_FRESH);
	pass(b, a, DATAGRAM_FRESH);
}

static void known_answers(void **state)
{
	(void)state;
	char mac[HMAC_HEX + 1], key[131];
	assert_true(hmac_hex("Jefe", 4, "what do ya want for nothing?", 28, mac));
	assert_string_equal(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	assert_true(hmac_hex(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac));
	assert_string_equal(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	char a[NONCE_HEX + 1], b[NONCE_HEX + 1];
	assert_true(nonce_hex(a) && nonce_hex(b));
	assert_int_equal(strlen(a), NONCE_HEX);
	assert_string_not_equal(a, b);
}

static void each_is_taken_once(void **state)
{
	(void)state;
	struct datagram_side a = side("a", "b"), b = side("b", "a");
	shake_hands(&a, &b);
	struct gram one = seal(&a, "one"), two = seal(&a, "two"), three = seal(&a, "three");
	assert_int_equal(opened(&b, &one, "one"), DATAGRAM_FRESH);
	assert_int_equal(opened(&b, &one, "one"), DATAGRAM_REPLAYED);
	/* one that was overtaken is worth as little; nothing depends on a single one */
	assert_int_equal(opened(&b, &three, "three"), DATAGRAM_FRESH);
	assert_int_equal(opened(&b, &two, "two"), DATAGRAM_REPLAYED);
	/* not one's own, either */
	assert_int_equal(opened(&a, &one, "one"), DATAGRAM_BAD);
}

static void whatever_was_recorded_is_refused(void **state)
{
	(void)state;
	struct datagram_side a = side("a", "b"), b = side("b", "a");
	struct gram recorded[8];
	size_t n = 0;
	shake_hands(&a, &b);
	for (int k = 0; k < 4; k++) {
		recorded[n] = seal(&a, "old");
		assert_int_equal(opened(&b, &recorded[n++], "old"), DATAGRAM_FRESH);
	}
	/* a starts again */
	a = side("a", "b");
	shake_hands(&a, &b);
	recorded[n] = seal(&a, "newer");
	assert_int_equal(opened(&b, &recorded[n++], "newer"), DATAGRAM_FRESH);
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(opened(&b, &recorded[i], ""), DATAGRAM_FRESH);
	/* the replays were answered with nothing that keeps the true one out */
	pass(&a, &b, DATAGRAM_FRESH);
	/* b starts again, while a is dead: nothing that was recorded brings it to life */
	b = side("b", "a");
	for (size_t i = 0; i < n; i++)
		assert_int_equal(opened(&b, &recorded[i], ""), DATAGRAM_UNPROVEN);
	/* a lives: b answers the challenge in the newest of them, which only who has the key can; then a proves itself */
	pass(&b, &a, DATAGRAM_FRESH);
	pass(&a, &b, DATAGRAM_FRESH);
	pass(&b, &a, DATAGRAM_FRESH);
}

/* Also the one datagram that proved a session, and an answer to a challenge that is used up. */
static void a_proof_is_worth_something_once(void **state)
{
	(void)state;
	struct datagram_side a = side("a", "b"), b = side("b", "a");
	pass(&a, &b, DATAGRAM_UNPROVEN);
	pass(&b, &a, DATAGRAM_FRESH);
	struct gram proof = seal(&a, "proof");
	assert_int_equal(opened(&b, &proof, "proof"), DATAGRAM_FRESH);
	assert_int_equal(opened(&b, &proof, "proof"), DATAGRAM_REPLAYED);
	a = side("a", "b");
	shake_hands(&a, &b);
	assert_int_equal(opened(&b, &proof, "proof"), DATAGRAM_UNPROVEN);
}

static void what_is_no_datagram_of_ours(void **state)
{
	(void)state;
	struct datagram_side a = side("a", "b"), b = side("b", "a"), c = side("a", "c"), thief = side("a", "b");
	shake_hands(&a, &b);
	struct gram g = seal(&a, "x");
	for (size_t i = 0; i < g.len; i++) { /* any bit */
		struct gram bad = g;
		bad.bytes[i] ^= 1;
		enum datagram_verdict v = opened(&b, &bad, "");
		assert_true(v == DATAGRAM_FORGED || (v == DATAGRAM_BAD && i == HMAC_HEX));
	}
	for (size_t len = 0; len < g.len; len++) {
		struct gram cut = g;
		cut.len = len;
		assert_int_equal(opened(&b, &cut, ""), len > HMAC_HEX + 1 ? DATAGRAM_FORGED : DATAGRAM_BAD);
	}
	assert_int_equal(opened(&b, &g, "x"), DATAGRAM_FRESH); /* none of that spoiled it */
	/* the right key, for somebody else */
	g = seal(&c, "x");
	assert_int_equal(opened(&b, &g, ""), DATAGRAM_BAD);
	/* another key */
	memcpy(thief.key, "SIXTEEN", 7);
	g = seal(&thief, "x");
	assert_int_equal(opened(&b, &g, ""), DATAGRAM_FORGED);
}

static void what_cannot_begin(void **state)
{
	(void)state;
	struct datagram_side s;
	char why[160] = "", out[200];
	assert_false(datagram_init(&s, "a", "b", "short", counted_nonce, why, sizeof why));
	assert_non_null(strstr(why, "5 bytes"));
	assert_false(datagram_init(&s, "a", "b", KEY, no_nonce, why, sizeof why));
	/* more than a datagram holds is not sent in part */
	s = side("a", "b");
	assert_int_equal(datagram_seal(&s, NULL, out, sizeof out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_answers),
	    cmocka_unit_test(each_is_taken_once),
	    cmocka_unit_test(whatever_was_recorded_is_refused),
	    cmocka_unit_test(a_proof_is_worth_something_once),
	    cmocka_unit_test(what_is_no_datagram_of_ours),
	    cmocka_unit_test(what_cannot_begin),
	};
	return cmocka_run_group_tests_name("datagram", tests, NULL, NULL);
}
