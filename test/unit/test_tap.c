/* TAP 1.8: blocks as the specification writes them, and the state machine, cell by cell. drivers/tap/ */
#include "unit.h"

#include "drivers/tap/session.h"

/* --- blocks ------------------------------------------------------------------------------------------ */

static void the_specifications_own_checksum(void **state)
{
	(void)state;
	struct tap_block b[2];
	/* TAP 1.8: STX 123 CR ABC CR ETX has the checksum 17; */
	assert_int_equal(tap_blocks("123", "ABC", 0, b, 2), 1);
	assert_int_equal(b[0].len, 14);
	assert_memory_equal(b[0].bytes, "\002123\rABC\r\00317;\r", 14);
}

/* Recorded from HylaFAX 6.0.7's pagesend, a TAP client nobody here wrote, as it paged a terminal. */
static void the_bytes_of_another_client(void **state)
{
	(void)state;
	static const char hello[] = "\00212345\rhello from the relay\r\0038:4\r";
	struct tap_block b[2];
	char longer[1 + 6 + 300 + 2], sum[3];
	assert_int_equal(tap_blocks("12345", "hello from the relay", 0, b, 2), 1);
	assert_int_equal(b[0].len, sizeof hello - 1);
	assert_memory_equal(b[0].bytes, hello, b[0].len);
	/* its block of 300 x is longer than the protocol allows, and its checksum ==2 */
	memset(longer, 'x', sizeof longer);
	memcpy(longer, "\00298765\r", 7);
	memcpy(longer + 307, "\r\003", 2);
	tap_checksum(longer, sizeof longer, sum);
	assert_memory_equal(sum, "==2", 3);
}

static void an_empty_field_keeps_its_end(void **state)
{
	(void)state;
	struct tap_block b[1];
	assert_int_equal(tap_blocks("7", "", 0, b, 1), 1);
	assert_memory_equal(b[0].bytes, "\0027\r\r\003", 5);
}

static void control_characters_are_escaped(void **state)
{
	(void)state;
	struct tap_block b[1];
	/* LF is SUB J, ESC is SUB [ , SUB is SUB Z; a bell is left alone */
	assert_int_equal(tap_blocks("1", "a\nb\033c\032d\007", 0, b, 1), 1);
	assert_memory_equal(b[0].bytes, "\0021\ra\032Jb\032[c\032Zd\007\r\003", 16);
	assert_int_equal(tap_blocks("1", "\xc3\xa9", 0, b, 1), 0);
}

/* Puts blocks together as a terminal would. */
static void join(const struct tap_block *b, size_t n, char *out, char *ends)
{
	for (size_t i = 0; i < n; i++) {
		char sum[3];
		size_t k = b[i].len - 6;
		assert_true(b[i].len <= 256);
		assert_int_equal(b[i].bytes[0], TAP_STX);
		tap_checksum(b[i].bytes, k + 2, sum);
		assert_memory_equal(sum, b[i].bytes + k + 2, 3);
		assert_int_equal(b[i].bytes[b[i].len - 1], '\r');
		ends[i] = b[i].bytes[k + 1];
		memcpy(out, b[i].bytes + 1, k);
		out += k;
	}
	*out = '\0';
}

static void long_pages_go_in_blocks(void **state)
{
	(void)state;
	static struct tap_block b[TAP_BLOCKS_MAX];
	char text[600], joined[800], meant[800], ends[TAP_BLOCKS_MAX];
	for (size_t len = 200; len < 520; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		size_t n = tap_blocks("12345", text, 0, b, TAP_BLOCKS_MAX);
		assert_int_equal(n, len + 7 <= 250 ? 1 : len + 7 <= 500 ? 2 : 3);
		join(b, n, joined, ends);
		snprintf(meant, sizeof meant, "12345\r%s\r", text);
		assert_string_equal(joined, meant);
		for (size_t i = 0; i + 1 < n; i++)
			assert_int_equal(ends[i], TAP_US);
		assert_int_equal(ends[n - 1], TAP_ETX);
		/* no block is a bare field's end */
		assert_true(b[n - 1].len > 7);
	}
}

static void a_block_that_ends_with_a_field_says_so(void **state)
{
	(void)state;
	struct tap_block b[4];
	char joined[100], ends[4];
	/* ten characters of data: the id and its CR fill the first block */
	assert_int_equal(tap_blocks("123456789", "abc", 10, b, 4), 2);
	join(b, 2, joined, ends);
	assert_string_equal(joined, "123456789\rabc\r");
	assert_int_equal(ends[0], TAP_ETB);
	assert_int_equal(ends[1], TAP_ETX);
}

static void an_escaped_pair_is_never_split(void **state)
{
	(void)state;
	static struct tap_block b[TAP_BLOCKS_MAX];
	char text[64], joined[200], ends[TAP_BLOCKS_MAX];
	for (size_t lead = 0; lead < 12; lead++) {
		snprintf(text, sizeof text, "%.*s\n\n\n\n\n\n", (int)lead, "aaaaaaaaaaaa");
		size_t n = tap_blocks("1", text, 10, b, TAP_BLOCKS_MAX);
		assert_true(n > 1);
		join(b, n, joined, ends);
		for (size_t i = 0; i < n; i++)
			assert_int_not_equal(b[i].bytes[b[i].len - 6], TAP_SUB);
	}
}

static void parity_is_even(void **state)
{
	(void)state;
	for (int c = 0; c < 128; c++)
		assert_int_equal(__builtin_popcount((unsigned char)tap_even_parity((char)c)) % 2, 0);
	assert_int_equal((unsigned char)tap_even_parity('A'), 'A');
	assert_int_equal((unsigned char)tap_even_parity('C'), 'C' | 0x80);
}

/* --- the dialogue ------------------------------------------------------------------------------------ */

static struct tap t;

static void say(const char *bytes, size_t n)
{
	t.nout = 0;
	tap_take(&t, bytes, n, 1000);
}
#define SAY(s) say(s, sizeof(s) - 1)

static void late(void)
{
	t.nout = 0;
	tap_tick(&t, t.until);
}

static void expect_out(const char *s)
{
	assert_int_equal(t.nout, strlen(s));
	assert_memory_equal(t.out, s, t.nout);
}

static void fresh(enum tap_state state)
{
	static const struct tap_rules rules = {.password = "secret"};
	tap_begin(&t, &rules, 0);
	if (state >= TAP_LOGON)
		SAY("Welcome\r\nID=");
	if (state >= TAP_GO)
		SAY("110 1.8\r\006\r");
	if (state >= TAP_READY)
		SAY("\033[p\r");
	if (state >= TAP_BLOCK)
		tap_page(&t, "123", "ABC", 0);
	if (state >= TAP_BYE) {
		SAY("211 Page accepted\r\006\r");
		tap_bye(&t, 0);
	}
	assert_int_equal(t.state, state);
}

static void a_page_from_the_first_cr_to_the_last(void **state)
{
	(void)state;
	static const struct tap_rules rules = {.password = "secret"};
	tap_begin(&t, &rules, 0);
	expect_out("\r");
	SAY("PAGE TERMINAL 7\r\nID=");
	expect_out("\033PG1secret\r");
	SAY("110 1.8\r\006\r");
	assert_int_equal(t.state, TAP_GO);
	SAY("\033[p\r");
	assert_int_equal(t.state, TAP_READY);
	t.nout = 0;
	assert_true(tap_page(&t, "123", "ABC", 0));
	expect_out("\002123\rABC\r\00317;\r");
	SAY("211 Page 1 Accepted\r\006\r");
	assert_int_equal(t.verdict, TAP_TAKEN);
	assert_string_equal(t.why, "the terminal acknowledged it: 211 Page 1 Accepted");
	/* another one in the same call */
	t.nout = 0;
	assert_true(tap_page(&t, "124", "DEF", 0));
	SAY("\006\r");
	assert_int_equal(t.verdict, TAP_TAKEN);
	t.nout = 0;
	tap_bye(&t, 0);
	expect_out("\004\r");
	SAY("115 Thank you\r\033\004\r");
	assert_int_equal(t.state, TAP_OVER);
	assert_true(t.parted && !t.taken_back);
}

static void every_cell(void **state)
{
	(void)state;
	static const struct {
		const char *name, *bytes;
	} event[] = {{"ID=", "ID="},     {"ACK", "\006\r"},  {"NAK", "\025\r"}, {"RS", "\036\r"},
		     {"off", "\033\004\r"}, {"go", "\033[p\r"}, {"late", NULL}};
	static const enum tap_state to[][7] = {
	    /*              ID=        ACK        NAK        RS         off       go         late */
	    [TAP_WAKE] = {TAP_LOGON, TAP_WAKE, TAP_WAKE, TAP_WAKE, TAP_OVER, TAP_READY, TAP_WAKE},
	    [TAP_LOGON] = {TAP_LOGON, TAP_GO, TAP_LOGON, TAP_LOGON, TAP_OVER, TAP_READY, TAP_LOGON},
	    [TAP_GO] = {TAP_GO, TAP_GO, TAP_GO, TAP_GO, TAP_OVER, TAP_READY, TAP_OVER},
	    [TAP_READY] = {TAP_READY, TAP_READY, TAP_READY, TAP_READY, TAP_OVER, TAP_READY, TAP_READY},
	    [TAP_BLOCK] = {TAP_BLOCK, TAP_READY, TAP_BLOCK, TAP_READY, TAP_OVER, TAP_BLOCK, TAP_OVER},
	    [TAP_BYE] = {TAP_BYE, TAP_BYE, TAP_BYE, TAP_BYE, TAP_OVER, TAP_BYE, TAP_OVER},
	    [TAP_OVER] = {TAP_OVER, TAP_OVER, TAP_OVER, TAP_OVER, TAP_OVER, TAP_OVER, TAP_OVER},
	};
	for (int s = TAP_WAKE; s <= TAP_OVER; s++) {
		for (int e = 0; e < 7; e++) {
			fresh(s == TAP_OVER ? TAP_WAKE : (enum tap_state)s);
			if (s == TAP_OVER)
				tap_lost(&t, "gone");
			if (event[e].bytes)
				say(event[e].bytes, strlen(event[e].bytes));
			else if (t.until != INT64_MAX)
				late();
			if (t.state != to[s][e])
				fail_msg("state %d and %s: %d, not %d", s, event[e].name, t.state, to[s][e]);
		}
	}
}

static void what_becomes_of_a_page(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		enum tap_verdict v;
	} cells[] = {
	    {"\006\r", TAP_TAKEN},
	    {"\036\r", TAP_REJECTED},
	    {"511 Invalid pager ID\r\036\r", TAP_REJECTED},
	    {"512 Service suspended\r\036\r", TAP_NOT_NOW},
	    {"516 Temporarily cannot deliver\r\036\r", TAP_NOT_NOW},
	    {"\033\004\r", TAP_NOT_NOW},
	    {"510 Illegal digits\r\033\004\r", TAP_REJECTED},
	    {"\025\r\025\r\025\r", TAP_NOT_NOW},
	    {"\025\r\006\r", TAP_TAKEN},
	    {"noise \001\002\177\r\nmore noise", TAP_PENDING},
	};
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		fresh(TAP_BLOCK);
		say(cells[i].bytes, strlen(cells[i].bytes));
		if (t.verdict != cells[i].v)
			fail_msg("%zu: %d, not %d (%s)", i, t.verdict, cells[i].v, t.why);
	}
	fresh(TAP_BLOCK);
	late();
	assert_int_equal(t.verdict, TAP_DOUBT);
	fresh(TAP_BLOCK);
	tap_lost(&t, "the line went dead");
	assert_int_equal(t.verdict, TAP_DOUBT);
}

static void silence_before_the_last_block_is_no_doubt(void **state)
{
	(void)state;
	char text[400];
	memset(text, 'y', 399);
	text[399] = '\0';
	fresh(TAP_READY);
	assert_true(tap_page(&t, "1", text, 0));
	late();
	assert_int_equal(t.verdict, TAP_NOT_NOW);
	fresh(TAP_READY);
	assert_true(tap_page(&t, "1", text, 0));
	SAY("\006\r");
	assert_int_equal(t.verdict, TAP_PENDING);
	late();
	assert_int_equal(t.verdict, TAP_DOUBT);
}

static void a_terminal_that_says_no_id(void **state)
{
	(void)state;
	fresh(TAP_WAKE);
	for (int i = 0; i < 4; i++) {
		late();
		expect_out("\r");
		assert_int_equal(t.state, TAP_WAKE);
	}
	late();
	assert_int_equal(t.state, TAP_OVER);
	assert_string_equal(t.why, "no ID= came from the other side");
}

static void a_log_on_that_is_refused(void **state)
{
	(void)state;
	fresh(TAP_LOGON);
	SAY("\025\r");
	expect_out("\033PG1secret\r");
	SAY("\025\r");
	SAY("507 Invalid password\r\025\r");
	assert_int_equal(t.state, TAP_OVER);
	assert_true(t.bad_logon);
	assert_string_equal(t.why, "the terminal refuses the log-on; it said: 507 Invalid password");
}

static void acknowledged_and_taken_back(void **state)
{
	(void)state;
	fresh(TAP_BYE);
	SAY("513 Message too long\r\036\r\033\004\r");
	assert_true(t.taken_back && t.state == TAP_OVER);
	assert_string_equal(t.why, "at the end the terminal rejects what it acknowledged: 513 Message too long");
}

static void bytes_with_parity_are_the_same(void **state)
{
	(void)state;
	char id[] = "ID=";
	fresh(TAP_WAKE);
	for (int i = 0; i < 3; i++)
		id[i] = tap_even_parity(id[i]);
	say(id, 3);
	assert_int_equal(t.state, TAP_LOGON);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_specifications_own_checksum),
	    cmocka_unit_test(the_bytes_of_another_client),
	    cmocka_unit_test(an_empty_field_keeps_its_end),
	    cmocka_unit_test(control_characters_are_escaped),
	    cmocka_unit_test(long_pages_go_in_blocks),
	    cmocka_unit_test(a_block_that_ends_with_a_field_says_so),
	    cmocka_unit_test(an_escaped_pair_is_never_split),
	    cmocka_unit_test(parity_is_even),
	    cmocka_unit_test(a_page_from_the_first_cr_to_the_last),
	    cmocka_unit_test(every_cell),
	    cmocka_unit_test(what_becomes_of_a_page),
	    cmocka_unit_test(silence_before_the_last_block_is_no_doubt),
	    cmocka_unit_test(a_terminal_that_says_no_id),
	    cmocka_unit_test(a_log_on_that_is_refused),
	    cmocka_unit_test(acknowledged_and_taken_back),
	    cmocka_unit_test(bytes_with_parity_are_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
