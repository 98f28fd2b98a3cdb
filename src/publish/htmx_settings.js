/* SPDX-License-Identifier: Apache-2.0 */
/* Our content security policy allows neither eval nor style elements that a script makes. */
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.historyCacheSize = 0;
htmx.config.selfRequestsOnly = true;
