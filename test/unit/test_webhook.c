/* A webhook's body and signature. notifiers/webhook/template.c, sign.c */
#include "unit.h"

#include "notifiers/webhook/sign.h"
#include "notifiers/webhook/template.h"

/* The example that the Standard Webhooks specification gives. */
static void the_signature_of_the_specification(void **state)
{
	static const char body[] = "{\"test\": 2432232314}";
	char out[WEBHOOK_SIGNATURE_MAX];

	(void)state;
	assert_true(webhook_sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
				 1614265330, body, strlen(body), out));
	assert_string_equal(out, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	assert_false(webhook_sign("whsec_abc", "m", 1, body, strlen(body), out));
	assert_false(webhook_sign("whsec_", "m", 1, body, strlen(body), out));
	assert_false(webhook_sign("", "m", 1, body, strlen(body), out));
}

static void templates(void **state)
{
	static const struct {
		const char *template;
		enum webhook_escape how;
		const char *body; /* NULL: not accepted */
	} rows[] = {
	    {"{\"t\":\"{text}\"}", WEBHOOK_JSON, "{\"t\":\"a\\\"b\\\\c\\nd &=+\"}"},
	    {"{\"n\":{number},\"r\":{resend},\"{}\":\"{ text}\"}", WEBHOOK_JSON,
	     "{\"n\":7,\"r\":true,\"{}\":\"{ text}\"}"},
	    {"{\"m\":\"{more}\"}", WEBHOOK_JSON, "{\"m\":\"\"}"},
	    {"{\"t\":{text}}", WEBHOOK_JSON, NULL},
	    {"{\"t\":\"{txet}\"}", WEBHOOK_JSON, NULL},
	    {"", WEBHOOK_JSON, NULL},
	    {"t={text}&k={kind}", WEBHOOK_FORM, "t=a%22b%5Cc%0Ad+%26%3D%2B&k=new"},
	    {"{text}", WEBHOOK_PLAIN, "a\"b\\c\nd &=+"},
	    {"{nothing}", WEBHOOK_PLAIN, NULL},
	};
	const struct page p = {.id = "1",
			       .to = "x",
			       .incident = "I",
			       .check = "c",
			       .host = "h",
			       .state = "CRITICAL",
			       .text = "a\"b\\c\nd &=+",
			       .number = 7,
			       .resend = true};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;
		char why[100] = "";
		bool ok = webhook_template_check(rows[i].template, rows[i].how, why, sizeof(why));

		if (ok != (rows[i].body != NULL) || (!ok && why[0] == '\0'))
			fail_msg("row %zu: %d %s", i, ok, why);
		if (!ok)
			continue;
		buf_init(&out, 1000);
		assert_true(webhook_render(rows[i].template, rows[i].how, &p, "l", &out));
		assert_string_equal(buf_str(&out), rows[i].body);
		buf_fini(&out);
	}
	char why[100];
	assert_true(webhook_template_check(webhook_default_body, WEBHOOK_JSON, why, sizeof(why)));
}

static void a_body_that_does_not_fit(void **state)
{
	const struct page p = {.id = "1",
			       .to = "x",
			       .incident = "I",
			       .check = "c",
			       .host = "h",
			       .state = "OK",
			       .text = "0123456789"};
	struct buf out;

	(void)state;
	buf_init(&out, 12);
	assert_false(webhook_render("{text}{text}", WEBHOOK_PLAIN, &p, "l", &out));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_signature_of_the_specification),
	    cmocka_unit_test(templates),
	    cmocka_unit_test(a_body_that_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
