/* SPDX-License-Identifier: Apache-2.0 */
#include "model/port_class.h"

#include <string.h>

void port_class_fill(struct port_classes *p, uint8_t class)
{
	memset(p->page, 0, sizeof(p->page));
	memset(p->class[0], class, sizeof(p->class[0]));
	p->used = 0;
}

void port_class_set(struct port_classes *p, uint16_t port, uint8_t class)
{
	uint16_t *page = &p->page[port >> 8];
	if (port_class(p, port) == class)
		return;
	if (*page == 0) {
		*page = ++p->used;
		memcpy(p->class[*page], p->class[0], sizeof(p->class[0]));
	}
	p->class[*page][port & 0xff] = class;
}
