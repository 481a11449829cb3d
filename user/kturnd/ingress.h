/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _KTURND_INGRESS_H
#define _KTURND_INGRESS_H

struct config;
struct kturn;

/**
 * ingress_attach() - attach the devices that the configuration names
 * @cfg: configuration
 * @kt: handle, or NULL without the module
 * @again: it is not the first time: of what can't be attached nothing new is
 *	to be said
 *
 * What can't be is logged, and relayed as before.
 */
void ingress_attach(const struct config *cfg, struct kturn *kt, bool again);

#endif /* _KTURND_INGRESS_H */
