/*
 * A YAML file as a tree whose every node knows its file, line and column. The only
 * file that includes yaml.h is tree.c. Limits: 4 MiB a file, depth 32, 200,000 nodes;
 * aliases and anchors are refused (said with their place), duplicate keys are complaints.
 */
#ifndef LIB_CONFIG_TREE_H
#define LIB_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "complaint.h"

enum node_kind { NODE_SCALAR, NODE_SEQ, NODE_MAP };

struct node {
	enum node_kind kind;
	struct mark at;      /* of the value */
	char *key;           /* in a map: this entry's key; else NULL */
	struct mark key_at;
	char *scalar;        /* NODE_SCALAR: never NULL */
	bool null;           /* a plain empty scalar, ~ or null */
	struct node **kids;  /* NODE_SEQ: items; NODE_MAP: values, in the file's order */
	size_t nkids;
};

/* file is copied and owned by the returned root's tree. NULL only when nothing usable came out; complaints say why.
 * An empty document is an empty map. */
struct node *tree_parse(const char *file, const char *bytes, size_t len, struct complaints *c);
void tree_free(struct node *root);
/* Frees all nodes but the root, which keeps alive the file name that copied marks point to. */
void tree_strip(struct node *root);
struct node *tree_get(const struct node *map, const char *key); /* NULL when absent or not a map */

#endif
