/* SPDX-License-Identifier: Apache-2.0 */
#include "incident/lifecycle.h"

#include "base/check.h"

enum incident_state incident_after(enum incident_state state, enum lifecycle_event event)
{
	const enum incident_state S = INCIDENT_SUSPECTED, O = INCIDENT_OPEN,
				  R = INCIDENT_RECOVERING, C = INCIDENT_CLOSED;
	const enum incident_state after[4][LIFE_EVENTS] = {
		/*                       quiet suspicious significant calm calm long */
		[INCIDENT_SUSPECTED]  = {C,    S,         O,          C,   C},
		[INCIDENT_OPEN]       = {O,    O,         O,          R,   R},
		[INCIDENT_RECOVERING] = {R,    R,         O,          R,   C},
		[INCIDENT_CLOSED]     = {C,    S,         O,          C,   C},
	};
	WD_CHECK((unsigned)state < 4 && (unsigned)event < LIFE_EVENTS);
	return after[state][event];
}
