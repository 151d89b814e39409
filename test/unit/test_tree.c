/* YAML into trees: what is taken, what is refused and where it says so, the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/config/tree.h"

/* {key=value,...} [item,...] text; null as ~ */
static void dump(const struct node *n, struct buf *out)
{
	if (n->kind == NODE_SCALAR) {
		buf_puts(out, n->null ? "~" : n->scalar);
		return;
	}
	buf_puts(out, n->kind == NODE_MAP ? "{" : "[");
	for (size_t i = 0; i < n->nkids; i++) {
		if (i)
			buf_puts(out, ",");
		if (n->kind == NODE_MAP)
			buf_printf(out, "%s=", n->kids[i]->key);
		dump(n->kids[i], out);
	}
	buf_puts(out, n->kind == NODE_MAP ? "}" : "]");
}

static void texts(const struct complaints *c, struct buf *out)
{
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			buf_puts(out, "\n");
		complaint_format(&c->v[i], out);
	}
}

static const struct {
	const char *yaml;
	const char *tree;  /* NULL: none */
	const char *wrong; /* all complaints, a line each */
} cases[] = {
	{"", "{}", ""},
	{"# nothing\n", "{}", ""},
	{"~\n", "{}", ""},
	{"---\n", "{}", ""},
	{"a: 1\nb: two words\n", "{a=1,b=two words}", ""},
	{"\xef\xbb\xbf" "a: 1\n", "{a=1}", ""},
	{"a: 1\r\nb: 2\r\n", "{a=1,b=2}", ""},
	{"a:\n  b: [x, 'y z', \"q\"]\n  c: {d: ~, e: null, f: , g: '', h: 'null'}\n",
	 "{a={b=[x,y z,q],c={d=~,e=~,f=~,g=,h=null}}}", ""},
	{"[a, b]\n", "[a,b]", ""},
	{"just text\n", "just text", ""},
	{"yes: no\n1: 2\n", "{yes=no,1=2}", ""},
	{"a: 日本\n", "{a=日本}", ""},
	{"a: |\n  one\n  two\n", "{a=one\ntwo\n}", ""},
	/* said, and the rest still read */
	{"a: 1\nb: 2\na: 3\n", "{a=1,b=2}", "f:3:1: a: is given twice in the same map; the first is at line 1"},
	{"a: {x: 1, x: 2, x: 3}\n", "{a={x=1}}",
	 "f:1:11: x: is given twice in the same map; the first is at line 1\n"
	 "f:1:17: x: is given twice in the same map; the first is at line 1"},
	{"a: &x 1\nb: *x\nc: 3\n", "{a=1,c=3}",
	 "f:1:4: \"x\": anchors (&name) are not taken\n"
	 "f:2:4: b \"x\": aliases (*name) are not taken: write the value out"},
	{"a: [*x, 1]\n", "{a=[1]}", "f:1:5: \"x\": aliases (*name) are not taken: write the value out"},
	{"a: !!int 5\nb: !secret x\n", "{a=5,b=x}",
	 "f:1:4: \"tag:yaml.org,2002:int\": tags (!name) are not taken\nf:2:4: \"!secret\": tags (!name) are not taken"},
	{"a: \"x\\0y\"\nb: \"+81\\r\"\n", "{a=x,b=+81\r}",
	 "f:1:4: a: holds a control character\nf:2:4: b: holds a control character"},
	/* nothing usable */
	{"a: 1\n---\nb: 2\n", NULL, "f:2:1: a second document (---) begins here; a file holds one"},
	{"a: [1\n", NULL,
	 "f:2:1: not YAML: did not find expected ',' or ']' (while parsing a flow sequence that began at line 1)"},
	{"a:\n\tb: 1\n", NULL, "f:2:1: not YAML: a tab stands where only spaces may indent"},
	{"a: b: c\n", NULL, "f:1:5: not YAML: mapping values are not allowed in this context"},
	{"? [a, b]\n: 1\n", NULL, "f:1:3: a key must be plain text, not a list or a map"},
	{"*x : 1\n", NULL, "f:1:1: aliases (*name) are not taken: write the key out"},
	{"a: 1\nb: \xff\n", NULL, "f:2:4: not UTF-8 text: invalid leading UTF-8 octet"},
	{"a: 'open\n", NULL,
	 "f:2:1: not YAML: found unexpected end of stream (while scanning a quoted scalar that began at line 1)"},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct complaints c;
		struct buf tree, wrong;
		complaints_init(&c);
		buf_init(&tree, 4096);
		buf_init(&wrong, 4096);
		struct node *n = tree_parse("f", cases[i].yaml, strlen(cases[i].yaml), &c);
		if (n)
			dump(n, &tree);
		texts(&c, &wrong);
		if (!n != !cases[i].tree)
			fail_msg("%s: %s a tree", cases[i].yaml, n ? "gave" : "did not give");
		if (n)
			assert_string_equal(buf_str(&tree), cases[i].tree);
		assert_string_equal(buf_str(&wrong), cases[i].wrong);
		tree_free(n);
		buf_fini(&tree);
		buf_fini(&wrong);
		complaints_fini(&c);
	}
}

static void test_marks(void **state)
{
	static const char yaml[] = "checks:\n  mx1 smtp:\n    host:   mx1\n    ports: [25,\n            587]\n";
	struct complaints c;
	(void)state;
	complaints_init(&c);
	struct node *root = tree_parse("dir/x.yaml", yaml, strlen(yaml), &c);
	assert_non_null(root);
	const struct node *check = tree_get(tree_get(root, "checks"), "mx1 smtp");
	assert_non_null(check);
	assert_string_equal(check->key_at.file, "dir/x.yaml");
	assert_int_equal(check->key_at.line, 2);
	assert_int_equal(check->key_at.column, 3);
	assert_int_equal(check->at.line, 3);
	const struct node *host = tree_get(check, "host");
	assert_int_equal(host->at.line, 3);
	assert_int_equal(host->at.column, 13);
	assert_int_equal(host->key_at.column, 5);
	const struct node *ports = tree_get(check, "ports");
	assert_int_equal(ports->kids[1]->at.line, 5);
	assert_int_equal(ports->kids[1]->at.column, 13);
	assert_null(ports->kids[1]->key);
	assert_null(tree_get(check, "port"));
	assert_null(tree_get(host, "x"));
	assert_null(tree_get(NULL, "x"));
	tree_free(root);
	complaints_fini(&c);
}

/* A text of a repeated part must be refused with this reason; or taken, when it is NULL. */
static void refused(const char *head, const char *part, size_t times, const char *tail, const char *reason)
{
	struct complaints c;
	struct buf b;
	complaints_init(&c);
	buf_init(&b, 8 << 20);
	buf_puts(&b, head);
	for (size_t i = 0; i < times; i++)
		assert_true(buf_puts(&b, part));
	buf_puts(&b, tail);
	struct node *n = tree_parse("f", buf_str(&b), b.len, &c);
	if (reason) {
		assert_null(n);
		assert_int_equal(c.n, 1);
		assert_string_equal(c.v[0].reason, reason);
	} else {
		assert_int_equal(c.n, 0);
		assert_non_null(n);
	}
	tree_free(n);
	buf_fini(&b);
	complaints_fini(&c);
}

static void test_limits(void **state)
{
	(void)state;
	refused("a: ", "[", 31, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", NULL);
	refused("a: ", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested deeper than 32 levels");
	refused("a: ", "[", 100000, "1", "nested deeper than 32 levels");
	refused("- ", "- ", 100000, "1", "nested deeper than 32 levels");
	refused("a: [", "1,", 199990, "1]", NULL);
	refused("a: [", "1,", 200000, "1]", "more than 200,000 values in one file");
	refused("# ", "xxxxxxxx", 1 << 19, "\n", "larger than 4 MiB");
	refused("# ", "xxxxxxxx", (1 << 19) - 1, "\n", NULL);
	refused("", "k", 255, ": 1", NULL);
	refused("", "k", 256, ": 1", "a key is longer than 255 bytes");
}

/* A map of 100,000 entries with one duplicate at its end: found, and not by comparing each with each. */
static void test_large_map(void **state)
{
	struct complaints c;
	struct buf b;
	(void)state;
	complaints_init(&c);
	buf_init(&b, 8 << 20);
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "key%d: %d\n", i, i);
	buf_puts(&b, "key50000: again\n");
	struct node *n = tree_parse("f", buf_str(&b), b.len, &c);
	assert_non_null(n);
	assert_int_equal(n->nkids, 100000);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.v[0].line, 100001);
	assert_string_equal(tree_get(n, "key50000")->scalar, "50000");
	tree_free(n);
	buf_fini(&b);
	complaints_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_large_map),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
