/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle: the states of an incident as one table.
 *
 *                 suspicious             significant
 *     ┌────────┐ ───────────► ┌───────────┐ ───────────► ┌──────┐
 *     │ closed │              │ suspected │              │ open │ ◄───┐ significant:
 *     └────────┘ ◄─────────── └───────────┘              └──────┘     │ a new wave
 *       ▲    │      quiet                                   │ calm    │
 *       │    │ significant: straight to open, or reopened   ▼         │
 *       │    └──────────────────────────────────────► ┌────────────┐ ─┘
 *       └──────────────────────────────────────────── │ recovering │
 *                     calm for long                   └────────────┘
 *
 * One event a bucket, the strongest that holds. What no arrow leaves stays as it is. */
#ifndef WD_INCIDENT_LIFECYCLE_H
#define WD_INCIDENT_LIFECYCLE_H

#include "model/incident.h"

enum lifecycle_event {
	LIFE_QUIET,       /* nothing out of the ordinary */
	LIFE_SUSPICIOUS,  /* above usual, the budget not passed (or the floors not met) */
	LIFE_SIGNIFICANT, /* past the false-alarm budget, and by enough persons and networks */
	LIFE_CALM,        /* back to usual by the detector's closing rule */
	LIFE_CALM_LONG,   /* and that for the closing time */
	LIFE_EVENTS,
};

enum incident_state incident_after(enum incident_state state, enum lifecycle_event event);

#endif
