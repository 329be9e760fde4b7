/* What the kernel tells the agent: one record a transfer. The TypeScript twin is generated. */
#pragma once

enum event_kind { EVENT_DATA = 1, EVENT_CONNECT = 2, EVENT_CLOSE = 3, EVENT_END = 4 };
enum direction { DIRECTION_IN = 0, DIRECTION_OUT = 1 };
enum { IP_VERSION_UNIX = 1 };
enum role { ROLE_UNKNOWN = 0, ROLE_CLIENT = 1, ROLE_SERVER = 2 };
/*
 * What a message leaves because of. Of a call: the request that its thread read (THREAD), the one that
 * an answer led back to, or that answer itself where it is not known (RESTORED), the one that
 * connect() was called for (CONNECT). Of an answer: what its thread read last (READ).
 */
enum cause_kind {
	CAUSE_NONE = 0,
	CAUSE_THREAD = 1,
	CAUSE_RESTORED = 2,
	CAUSE_CONNECT = 3,
	CAUSE_READ = 4
};

struct event {
	__u64 at_ns; /* bpf_ktime_get_ns: CLOCK_MONOTONIC */
	__u64 cookie;
	__u64 turn_id;
	__u64 cause_id;
	__u32 pid;
	__u32 tid;
	__u32 sequence; /* TCP sequence number of the first byte, or what stands for it: unix.h */
	__u32 length;	/* bytes transferred */
	__u32 netns;
	__u32 lost_before;
	__u16 captured; /* bytes of payload that follow */
	__u16 local_port;
	__u16 remote_port;
	__u8 kind;
	__u8 direction;
	__u8 role;
	__u8 cause_kind;
	__u8 ip_version; /* 4, 6; IP_VERSION_UNIX: the addresses hold one path, its end */
	__u8 pad;
	__u32 answer_sequence; /* where what answers these bytes would begin; 0 where not told */
	__u8 local_address[16];
	__u8 remote_address[16];
	char comm[16];
};
_Static_assert(sizeof(struct event) == 120, "the TypeScript side reads fixed offsets");

/* What an event says beside its socket and its task. */
struct transfer {
	__u8 kind;
	__u8 direction;
	__u8 cause_kind;
	__u32 sequence;
	__u32 answer_sequence;
	__u32 length;
	__u64 turn_id;
	__u64 cause_id;
};
