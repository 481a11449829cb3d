// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PRECIS's FreeformClass; see freeform.h. Of RFC 8264 section 8's questions
 * those are left out whose answer changes nothing here: the exceptions that
 * are valid, and what has compatibility equivalents, are letters, numbers,
 * symbols and punctuation, too.
 */
#include <stdbool.h>
#include <string.h>
#include <unictype.h>

#include "freeform.h"

#define DISALLOWED	"contains a character that is not allowed"
#define OUT_OF_CONTEXT	"contains a character that is not allowed where it is"

/**
 * struct label - a text, and what rules about all of it ask
 * @text: its code points
 * @n: how many
 * @japanese: there are some of Hiragana, Katakana or Han
 * @arabic_indic: there are ARABIC-INDIC DIGITs
 * @extended: there are EXTENDED ARABIC-INDIC DIGITs
 */
struct label {
	const ucs4_t *text;
	size_t n;
	bool japanese;
	bool arabic_indic;
	bool extended;
};

static bool within(ucs4_t c, ucs4_t first, ucs4_t last)
{
	return c >= first && c <= last;
}

static bool has_script(ucs4_t c, const char *name)
{
	const uc_script_t *script = uc_script(c);

	return script && !strcmp(script->name, name);
}

/* Asked once, not for each character: names come from whom nobody knows. */
static void look_over(struct label *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		ucs4_t c = l->text[i];

		l->arabic_indic |= within(c, 0x660, 0x669);
		l->extended |= within(c, 0x6f0, 0x6f9);
		l->japanese |= has_script(c, "Hiragana") ||
			       has_script(c, "Katakana") ||
			       has_script(c, "Han");
	}
}

/* RFC 5892 appendix A.1's expression around a ZERO WIDTH NON-JOINER. */
static bool breaks_joint(const struct label *l, size_t at)
{
	size_t i = at, j = at + 1;
	int before, after;

	while (i && uc_joining_type(l->text[i - 1]) == UC_JOINING_TYPE_T)
		i--;
	while (j < l->n && uc_joining_type(l->text[j]) == UC_JOINING_TYPE_T)
		j++;
	if (!i || j == l->n)
		return false;
	before = uc_joining_type(l->text[i - 1]);
	after = uc_joining_type(l->text[j]);
	return (before == UC_JOINING_TYPE_L || before == UC_JOINING_TYPE_D) &&
	       (after == UC_JOINING_TYPE_R || after == UC_JOINING_TYPE_D);
}

/* RFC 5892 appendix A; true for what needs no context. */
static bool context_ok(const struct label *l, size_t i)
{
	ucs4_t c = l->text[i];
	ucs4_t before = i ? l->text[i - 1] : 0;
	ucs4_t after = i + 1 < l->n ? l->text[i + 1] : 0;

	switch (c) {
	case 0x200c:	/* ZERO WIDTH NON-JOINER */
		return uc_combining_class(before) == UC_CCC_VR ||
		       breaks_joint(l, i);
	case 0x200d:	/* ZERO WIDTH JOINER */
		return uc_combining_class(before) == UC_CCC_VR;
	case 0xb7:	/* MIDDLE DOT */
		return before == 'l' && after == 'l';
	case 0x375:	/* GREEK LOWER NUMERAL SIGN */
		return has_script(after, "Greek");
	case 0x5f3:	/* HEBREW PUNCTUATION GERESH and GERSHAYIM */
	case 0x5f4:
		return has_script(before, "Hebrew");
	case 0x30fb:	/* KATAKANA MIDDLE DOT */
		return l->japanese;
	default:
		return !(within(c, 0x660, 0x669) && l->extended) &&
		       !(within(c, 0x6f0, 0x6f9) && l->arabic_indic);
	}
}

/* RFC 5892 section 2.6, to which RFC 8264 section 9.6 refers. */
static bool is_disallowed_exception(ucs4_t c)
{
	return c == 0x640 || c == 0x7fa || within(c, 0x302e, 0x302f) ||
	       within(c, 0x3031, 0x3035) || c == 0x303b;
}

/* RFC 8264 section 9.9: conjoining letters that make no modern syllable. */
static bool is_old_hangul_jamo(ucs4_t c)
{
	return within(c, 0x1100, 0x11ff) || within(c, 0xa960, 0xa97c) ||
	       within(c, 0xd7b0, 0xd7c6) || within(c, 0xd7cb, 0xd7fb);
}

/* RFC 8264 section 8. */
static const char *code_point(ucs4_t c)
{
	const uint32_t allowed = UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
		UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S |
		UC_CATEGORY_MASK_Zs;

	if (is_disallowed_exception(c))
		return DISALLOWED;
	if (uc_is_property_not_a_character(c))
		return "contains a code point that is no character";
	if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cn))
		return "contains an unassigned code point";
	if (uc_is_property_join_control(c))
		return NULL;
	if (is_old_hangul_jamo(c))
		return DISALLOWED;
	if (uc_is_property_default_ignorable_code_point(c))
		return "contains an invisible character";
	if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc))
		return "contains a control character";
	if (!uc_is_general_category_withtable(c, allowed))
		return DISALLOWED;
	return NULL;
}

const char *freeform_check(const ucs4_t *text, size_t n)
{
	struct label l = { .text = text, .n = n };
	const char *why;
	size_t i;

	look_over(&l);
	for (i = 0; i < n; i++) {
		why = code_point(text[i]);
		if (why)
			return why;
		if (!context_ok(&l, i))
			return OUT_OF_CONTEXT;
	}
	return NULL;
}
