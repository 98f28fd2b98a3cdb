/* SPDX-License-Identifier: Apache-2.0 */
/* port_class: the class of each of the 65,536 ports. Most ports have one and the same, so ports
 * that differ in the lower byte alone share a page, and all pages without a port of its own are
 * one: what a busy collector reads of this are a few KB that stay in the processor's first caches,
 * where a plain table's 64 KB do not. Plain values, no pointers. */
#ifndef WD_MODEL_PORT_CLASS_H
#define WD_MODEL_PORT_CLASS_H

#include <stdint.h>

enum { PORT_PAGE = 256 };

struct port_classes {
	uint16_t page[PORT_PAGE]; /* of the port's upper byte; 0: all as at first */
	uint16_t used;            /* pages after that one */
	uint8_t class[PORT_PAGE + 1][PORT_PAGE];
};

/* All ports. */
void port_class_fill(struct port_classes *p, uint8_t class);
void port_class_set(struct port_classes *p, uint16_t port, uint8_t class);

static inline uint8_t port_class(const struct port_classes *p, uint16_t port)
{
	return p->class[p->page[port >> 8]][port & 0xff];
}

#endif
