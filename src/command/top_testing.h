/* SPDX-License-Identifier: Apache-2.0 */
/* top_testing: answers as a server gives them, for tests of `whydown top`. */
#ifndef WD_COMMAND_TOP_TESTING_H
#define WD_COMMAND_TOP_TESTING_H

/* Its first is flooded, its second gets requests, its third only reports. */
#define TOP_TESTING_SERVICES                                                                       \
	"{\"now\":\"2026-11-21T16:21:21Z\",\"services\":["                                         \
	"{\"id\":\"shop\",\"name\":\"Shop\",\"status\":\"incident\","                              \
	"\"last\":{\"step_s\":300,\"observed\":40,\"expected\":10},"                               \
	"\"incident\":\"shop-20261121-1621\",\"traffic\":{"                                        \
	"\"flows_at\":\"2026-11-21T16:21:20.750Z\",\"packets_per_s\":93000,"                       \
	"\"usual_packets_per_s\":1750,\"bits_per_s\":9.12e8,\"usual_bits_per_s\":4.4e6,"           \
	"\"records_per_s\":36000,\"sources\":3100.5,\"top\":{\"id\":\"amp.dns\",\"share\":0.62},"  \
	"\"cold\":false,\"requests_at\":null,\"requests_per_s\":null,\"finding\":null}},"          \
	"{\"id\":\"bank\",\"name\":\"Bank\",\"status\":\"usual\","                                 \
	"\"last\":{\"step_s\":60,\"observed\":null,\"expected\":0.5},\"incident\":null,"           \
	"\"traffic\":{\"flows_at\":null,\"packets_per_s\":null,\"cold\":true,"                     \
	"\"requests_at\":\"2026-11-21T16:21:19Z\",\"requests_per_s\":120,"                         \
	"\"usual_requests_per_s\":100,\"clients\":40,\"finding\":null,\"top\":null}},"             \
	"{\"id\":\"x\",\"name\":\"\",\"status\":\"unusual\","                                      \
	"\"last\":{\"step_s\":60,\"observed\":6,\"expected\":2},\"incident\":null,"                \
	"\"traffic\":null}]}"

#define TOP_TESTING_INCIDENT                                                                       \
	"{\"v\":1,\"id\":\"shop-20261121-1621\",\"service\":\"shop\",\"state\":\"open\","          \
	"\"reconstruction\":false,\"step_s\":60,\"began_at\":\"2026-11-21T16:21:12.750Z\","        \
	"\"decided_at\":\"2026-11-21T16:21:13.250Z\",\"ended_at\":null,"                           \
	"\"changed_at\":\"2026-11-21T16:21:18.250Z\",\"peak_at\":\"2026-11-21T16:21:15Z\","        \
	"\"peak_observed\":0,\"peak_expected\":0,\"excess\":0,\"severity\":0.078,"                 \
	"\"log10_return\":9.6,\"log10_return_decided\":9.6,\"severity_word\":\"minor\","           \
	"\"persons\":0,\"networks\":0,\"waves\":[],\"scope\":[],\"related\":[],"                   \
	"\"waves_dropped\":0,\"scope_dropped\":0,\"kinds\":[\"traffic\"],\"traffic\":{"            \
	"\"began_at\":\"2026-11-21T16:21:12.750Z\",\"decided_at\":\"2026-11-21T16:21:13.250Z\","   \
	"\"ended_at\":null,\"peak_at\":\"2026-11-21T16:21:15Z\",\"peak_packets_per_s\":93000,"     \
	"\"usual_packets_per_s\":1750,\"peak_bits_per_s\":9.12e8,\"usual_bits_per_s\":4.4e6,"      \
	"\"log10_return\":31.3,\"status\":\"reflector\","                                          \
	"\"vectors\":[{\"id\":\"amp.dns\",\"share\":0.62},{\"id\":\"syn.spoof\",\"share\":0.3}]}," \
	"\"headline\":\"Shop: incident\",\"url\":\"/i/shop-20261121-1621\"}"

#define TOP_TESTING_NOW "{\"version\":34,\"incidents\":[" TOP_TESTING_INCIDENT "]}"

#define TOP_TESTING_TRAFFIC                                                                        \
	"{\"service\":\"shop\",\"packets_per_s\":{\"begin\":\"2026-11-21T16:21:00Z\","             \
	"\"step_s\":1,\"observed\":[1,2,null,4e9]},\"requests_per_s\":null}"

#endif
