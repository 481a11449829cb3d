// SPDX-License-Identifier: GPL-2.0-or-later
/* The YAML file: one mapping from option names to values, kturnd.yaml(5). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "config.h"
#include "log.h"
#include "option.h"

/* Far more than any configuration needs. */
#define YAML_SIZE_MAX	1048576

static int line_of(const yaml_node_t *node)
{
	return (int)node->start_mark.line + 1;
}

static const char *kind_of(const yaml_node_t *node)
{
	return node->type == YAML_MAPPING_NODE ? "a mapping" :
	       node->type == YAML_SEQUENCE_NODE ? "a list" : "a text";
}

/* A scalar's text, or NULL if it holds a NUL. */
static const char *text_of(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	return strlen(text) == node->data.scalar.length ? text : NULL;
}

static void unknown_key(struct config *cfg, const yaml_node_t *key)
{
	char name[64], known[1024] = "";
	size_t i, n = 0;

	log_escape(name, sizeof(name), (const char *)key->data.scalar.value,
		   key->data.scalar.length);
	for (i = 0; i < n_options && n < sizeof(known); i++)
		if (!options[i].flag_only)
			n += (size_t)snprintf(known + n, sizeof(known) - n,
					      "%s%s", n ? ", " : "",
					      options[i].key);
	config_error(cfg, line_of(key), name, "unknown key, expected one of %s",
		     known);
}

static void read_scalar(struct config *cfg, size_t opt,
			const yaml_node_t *node)
{
	const struct option_def *o = &options[opt];
	const char *text;

	if (node->type != YAML_SCALAR_NODE) {
		config_error(cfg, line_of(node), o->key,
			     "expected %s%s, got %s", o->expected,
			     o->repeatable ? " or a list of such" : "",
			     kind_of(node));
		return;
	}
	text = text_of(node);
	if (!text) {
		config_error(cfg, line_of(node), o->key,
			     "expected %s, got a NUL character", o->expected);
		return;
	}
	config_value(cfg, opt, text, line_of(node));
}

static void read_value(struct config *cfg, yaml_document_t *doc, size_t opt,
		       const yaml_node_t *value)
{
	const yaml_node_item_t *item;

	if (value->type != YAML_SEQUENCE_NODE || !options[opt].repeatable) {
		read_scalar(cfg, opt, value);
		return;
	}
	for (item = value->data.sequence.items.start;
	     item < value->data.sequence.items.top; item++)
		read_scalar(cfg, opt, yaml_document_get_node(doc, *item));
}

static void read_pair(struct config *cfg, yaml_document_t *doc,
		      const yaml_node_pair_t *pair, int seen[])
{
	const yaml_node_t *key = yaml_document_get_node(doc, pair->key);
	const yaml_node_t *value = yaml_document_get_node(doc, pair->value);
	const char *name;
	size_t opt;

	if (key->type != YAML_SCALAR_NODE) {
		config_error(cfg, line_of(key), NULL,
			     "expected the name of an option, got %s",
			     kind_of(key));
		return;
	}
	name = text_of(key);
	opt = name ? option_find(name) : n_options;
	if (opt == n_options || options[opt].flag_only) {
		unknown_key(cfg, key);
		return;
	}
	if (seen[opt]) {
		config_error(cfg, line_of(key), name,
			     "expected once, but it is on line %d too",
			     seen[opt]);
		return;
	}
	seen[opt] = line_of(key);
	read_value(cfg, doc, opt, value);
}

static void read_document(struct config *cfg, yaml_document_t *doc)
{
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	int seen[CONFIG_OPTIONS_MAX] = { 0 };
	const yaml_node_pair_t *pair;

	/* A file of comments is an empty one. */
	if (!root || (root->type == YAML_SCALAR_NODE &&
		      !root->data.scalar.length))
		return;
	if (root->type != YAML_MAPPING_NODE) {
		config_error(cfg, line_of(root), NULL,
			     "expected lines of the form 'key: value', got %s",
			     kind_of(root));
		return;
	}
	for (pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++)
		read_pair(cfg, doc, pair, seen);
}

static void syntax_error(struct config *cfg, const yaml_parser_t *parser)
{
	size_t line = parser->problem_mark.line;

	/* The reader knows no marks. */
	if (parser->error == YAML_READER_ERROR)
		line = parser->mark.line;
	config_error(cfg, (int)line + 1, NULL,
		     "expected YAML, but there is a mistake%s%s: %s",
		     parser->context ? " " : "",
		     parser->context ? parser->context : "",
		     parser->problem ? parser->problem : "out of memory");
}

void config_yaml(struct config *cfg, const char *name, const void *text,
		 size_t len)
{
	yaml_document_t doc;
	yaml_parser_t parser;

	cfg->file = name;
	if (!yaml_parser_initialize(&parser)) {
		config_error(cfg, 0, NULL, "out of memory");
		return;
	}
	yaml_parser_set_input_string(&parser, text, len);
	if (!yaml_parser_load(&parser, &doc)) {
		syntax_error(cfg, &parser);
		goto out;
	}
	read_document(cfg, &doc);
	yaml_document_delete(&doc);

	if (!yaml_parser_load(&parser, &doc)) {
		syntax_error(cfg, &parser);
		goto out;
	}
	if (yaml_document_get_root_node(&doc))
		config_error(cfg, (int)doc.start_mark.line + 1, NULL,
			     "expected one YAML document, but here begins another");
	yaml_document_delete(&doc);
out:
	yaml_parser_delete(&parser);
}

void config_yaml_file(struct config *cfg, const char *path)
{
	FILE *in = fopen(path, "re");
	char *text;
	size_t n;

	if (!in) {
		config_error(cfg, 0, "config", "can't open %s: %s", path,
			     strerror(errno));
		return;
	}
	text = malloc(YAML_SIZE_MAX + 1);
	if (!text) {
		config_error(cfg, 0, "config", "out of memory");
		goto close;
	}
	n = fread(text, 1, YAML_SIZE_MAX + 1, in);
	if (ferror(in))
		config_error(cfg, 0, "config", "can't read %s: %s", path,
			     strerror(errno));
	else if (n > YAML_SIZE_MAX)
		config_error(cfg, 0, "config",
			     "expected a file of at most %d bytes, %s is longer",
			     YAML_SIZE_MAX, path);
	else
		config_yaml(cfg, path, text, n);
	explicit_bzero(text, YAML_SIZE_MAX + 1);
	free(text);
close:
	fclose(in);
}
