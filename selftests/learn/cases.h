/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases in ends.c, for the table in learn_test.c. */
#ifndef KTURN_SELFTESTS_LEARN_CASES_H
#define KTURN_SELFTESTS_LEARN_CASES_H

void foreign(void);
void socket_gone(void);
void shared_socket(void);
void requests_lost(void);
void answers_lost(void);
void refresh_unmatched(void);
void allocate_unmatched(void);
void refresh_family(void);
void copies(void);
void unread(void);
void permission_with_number(void);
void too_many(void);
void kernel_ends(void);
void kernel_says_no(void);
void expires(void);
void allocated_again(void);

#endif /* KTURN_SELFTESTS_LEARN_CASES_H */
