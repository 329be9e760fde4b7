/* What the agent tells the kernel, and what the kernel remembers of sockets and threads. */
#pragma once

/* Room for payload in an event: the ring reserves constant sizes only. */
enum { PAYLOAD_TINY = 128, PAYLOAD_SMALL = 256, PAYLOAD_MEDIUM = 512, PAYLOAD_LARGE = 1024 };
enum { CPUS_MAX = 64 };
enum verdict { VERDICT_NONE = 0, VERDICT_WANTED = 1, VERDICT_UNWANTED = 2 };

/* Written by the agent without system calls: the page is mapped. */
struct config {
	__u32 enabled;
	__u32 capture_bytes;
	__u32 turn_bytes;
	__u32 has_wanted_ports; /* 1: only sockets with a port in `ports` marked PORT_WANTED */
	__u32 generation;	/* a change re-evaluates the verdicts kept at sockets */
	__u32 has_wanted_netns;
	__u32 is_paused;   /* the agent is over its CPU budget: nothing is told, state is kept */
	__u32 pause_bytes; /* so much unread in the ring: pause without being told */
};
volatile struct config config = {.capture_bytes = 512, .turn_bytes = 8192, .pause_bytes = ~0u};

/*
 * NAMED: sockets older than the agent that had no cookie (rung B only). SHED: transfers on TCP,
 * wanted or not, while paused.
 */
enum counter { EVENTS, LOST, FILTERED, BYTES, NO_STORAGE, NAMED, SHED, COUNTERS };
struct {
	__u64 of[8];
} counters[CPUS_MAX];

static __always_inline void count(enum counter which, __u64 amount)
{
	counters[bpf_get_smp_processor_id() & (CPUS_MAX - 1)].of[which] += amount;
}

enum port_verdict { PORT_WANTED = 1, PORT_EXCLUDED = 2 };
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u16);
	__type(value, __u8);
} ports SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} processes SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} namespaces SEC(".maps");
/* Listening ports, (netns << 16 | port): the role of sockets that are older than the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u8);
} listeners SEC(".maps");

struct socket_state {
	__u64 cookie;
	__u64 connect_cause; /* turn of the request during which connect() was called */
	__u64 call_cause;    /* turn on whose behalf the last message went out */
	__u64 turn_id;	     /* of the last incoming turn */
	__u32 netns;
	__u32 generation;
	__u32 turn_bytes;
	__u32 turns;
	__u32 lost;
	__u32 stream_generation; /* of the capture when unix streams began to be counted */
	__u32 next_sequence[2];	 /* of a unix stream, by direction */
	__u8 verdict;
	__u8 role;
	__u8 direction; /* of the current turn, plus one; 0 before the first */
	__u8 has_spoken;
	__u8 is_connect_turn; /* the outgoing turn that connect() was called for */
	__u8 pad[3];
};

/* On whose behalf a thread acts: the turn it read last, or the one that an answer restored. */
struct thread_state {
	__u64 cause_id;
	__u64 read_turn;  /* the turn that it read last, in this turn of its loop */
	__u32 generation; /* of the filter, when the process was looked up in it */
	__u8 cause_kind;
	__u8 is_excluded;
	__u8 pad[2];
};
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
} threads SEC(".maps");

static __always_inline struct thread_state *thread_of(bool create)
{
	return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0,
				    create ? BPF_STORAGE_CREATE : 0);
}
