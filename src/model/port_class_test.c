/* SPDX-License-Identifier: Apache-2.0 */
#include "model/port_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct port_classes p;
static uint8_t plain[65536];

static void same(void)
{
	for (unsigned port = 0; port < 65536; port++)
		assert_int_equal(port_class(&p, (uint16_t)port), plain[port]);
}

static void set(unsigned port, uint8_t class)
{
	port_class_set(&p, (uint16_t)port, class);
	plain[port] = class;
}

static void all_ports_have_the_first_class(void **state)
{
	(void)state;
	same(); /* 0, of a table of zeros */
	port_class_fill(&p, 7);
	memset(plain, 7, sizeof(plain));
	same();
	assert_int_equal(p.used, 0);
}

static void a_port_has_its_own_class(void **state)
{
	(void)state;
	static const uint16_t ports[] = {0, 53, 255, 256, 11211, 65535};
	port_class_fill(&p, 7);
	memset(plain, 7, sizeof(plain));
	for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		set(ports[i], (uint8_t)(i + 8));
	same();
	assert_int_equal(p.used, 4);
	set(53, 7); /* as the others again */
	set(80, 7);
	same();
}

static void every_port_can_have_one(void **state)
{
	(void)state;
	port_class_fill(&p, 0);
	for (unsigned port = 0; port < 65536; port++)
		set(port, (uint8_t)(port * 31 + port / 256));
	same();
	assert_true(p.used <= PORT_PAGE);
	port_class_fill(&p, 3);
	memset(plain, 3, sizeof(plain));
	same();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ports_have_the_first_class),
		cmocka_unit_test(a_port_has_its_own_class),
		cmocka_unit_test(every_port_can_have_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
