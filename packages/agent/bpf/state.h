/* What is remembered of sockets and threads, the filter, and the causes. */
#pragma once

enum { PAYLOAD_SMALL = 256, PAYLOAD_MEDIUM = 512, PAYLOAD_LARGE = 1024, CPUS_MAX = 64 };
enum verdict { VERDICT_NONE = 0, VERDICT_WANTED = 1, VERDICT_UNWANTED = 2 };

/* Written by the agent without system calls: the page is mapped. */
struct config {
	__u32 enabled;
	__u32 capture_bytes;
	__u32 turn_bytes;
	__u32 wake_bytes;
	__u32 has_wanted_ports; /* 1: only sockets with a port in `ports` marked PORT_WANTED */
	__u32 generation;	/* a change re-evaluates the verdicts kept at sockets */
	__u32 has_wanted_netns;
	__u32 pad;
};
volatile struct config config = {.capture_bytes = 512, .turn_bytes = 8192, .wake_bytes = 1 << 20};

enum counter { EVENTS, LOST, FILTERED, BYTES, NO_STORAGE, COUNTERS };
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
	__u8 verdict;
	__u8 role;
	__u8 direction; /* of the current turn, plus one; 0 before the first */
	__u8 has_spoken;
	__u8 is_connect_turn; /* the outgoing turn that connect() was called for */
	__u8 pad[3];
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

/* On whose behalf a thread acts: the turn it read last, or the one that an answer restored. */
struct thread_state {
	__u64 cause_id;
	__u64 owner_cookie; /* socket that the cause was read from */
	__u8 cause_kind;
	__u8 is_answering;
	__u8 pad[6];
};
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
} threads SEC(".maps");

static __always_inline bool is_excluded_process(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	return bpf_map_lookup_elem(&processes, &pid) != 0;
}

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;
	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline struct socket_state *socket_of(struct sock *sk, bool create)
{
	struct socket_state *socket =
	    bpf_sk_storage_get(&sockets, sk, 0, create ? BPF_STORAGE_CREATE : 0);
	if (!socket) {
		if (create)
			count(NO_STORAGE, 1);
		return 0;
	}
	if (!socket->cookie) {
		socket->cookie = bpf_get_socket_cookie(sk);
		socket->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	}
	return socket;
}

static __always_inline __u8 judge(struct sock *sk, struct socket_state *socket)
{
	__u16 local = sk->__sk_common.skc_num, remote = bpf_ntohs(sk->__sk_common.skc_dport);
	__u8 *at_local = bpf_map_lookup_elem(&ports, &local);
	__u8 *at_remote = bpf_map_lookup_elem(&ports, &remote);
	if ((at_local && *at_local == PORT_EXCLUDED) || (at_remote && *at_remote == PORT_EXCLUDED))
		return VERDICT_UNWANTED;
	if (config.has_wanted_ports && !at_local && !at_remote)
		return VERDICT_UNWANTED;
	if (config.has_wanted_netns && !bpf_map_lookup_elem(&namespaces, &socket->netns))
		return VERDICT_UNWANTED;
	return VERDICT_WANTED;
}

/* The role of a socket that is older than the agent: one with a listening port serves. */
static __always_inline __u8 role_by_listener(struct sock *sk, struct socket_state *socket)
{
	__u64 local = (__u64)socket->netns << 16 | sk->__sk_common.skc_num;
	__u64 remote = (__u64)socket->netns << 16 | bpf_ntohs(sk->__sk_common.skc_dport);
	if (bpf_map_lookup_elem(&listeners, &local))
		return ROLE_SERVER;
	return bpf_map_lookup_elem(&listeners, &remote) ? ROLE_CLIENT : ROLE_UNKNOWN;
}

/* Whether a socket passes the filter. The verdict is kept at the socket. */
static __always_inline bool is_wanted(struct sock *sk, struct socket_state *socket)
{
	if (socket->verdict == VERDICT_NONE || socket->generation != config.generation) {
		socket->generation = config.generation;
		socket->verdict = judge(sk, socket);
		if (socket->role == ROLE_UNKNOWN)
			socket->role = role_by_listener(sk, socket);
	}
	return socket->verdict == VERDICT_WANTED;
}

static __always_inline struct thread_state *thread_of(bool create)
{
	return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0,
				    create ? BPF_STORAGE_CREATE : 0);
}

static __always_inline void connect_cause(struct socket_state *socket)
{
	struct thread_state *thread = thread_of(false);
	if (thread)
		socket->connect_cause = thread->cause_id;
}

/*
 * A request that is read gives its thread a cause. An answer that is read restores the cause of
 * the call that it answers. A message that leaves carries the thread's cause, or, for the first one
 * on a connection, the cause at connect(). Answering the request on its own socket ends its cause.
 */
static __always_inline void stamp_cause(struct socket_state *socket, __u8 direction, __u64 *turn_id,
					__u64 *cause_id, __u8 *cause_kind)
{
	bool is_new_turn = socket->direction != direction + 1;
	socket->has_spoken = 1;
	if (is_new_turn) {
		socket->direction = direction + 1;
		socket->turn_bytes = 0;
	}
	if (direction == DIRECTION_IN) {
		if (is_new_turn) {
			socket->turns += 1;
			socket->turn_id = socket->cookie << 20 | (socket->turns & 0xfffff);
		}
		*turn_id = socket->turn_id;
		struct thread_state *thread = thread_of(true);
		if (!thread)
			return;
		bool is_answer = socket->role == ROLE_CLIENT;
		thread->cause_id = is_answer ? socket->call_cause : socket->turn_id;
		thread->cause_kind = !is_answer		  ? CAUSE_THREAD
				     : socket->call_cause ? CAUSE_RESTORED
							  : CAUSE_NONE;
		thread->owner_cookie = socket->cookie;
		return;
	}
	if (is_new_turn) {
		socket->is_connect_turn = socket->role == ROLE_CLIENT && socket->connect_cause;
		if (socket->is_connect_turn)
			socket->call_cause = socket->connect_cause;
		socket->connect_cause = 0;
	}
	if (socket->is_connect_turn) {
		*cause_id = socket->call_cause;
		*cause_kind = CAUSE_CONNECT;
		return;
	}
	struct thread_state *thread = thread_of(false);
	if (thread) {
		*cause_id = thread->cause_id;
		*cause_kind = thread->cause_kind;
	}
	if (socket->role == ROLE_CLIENT) {
		if (is_new_turn)
			socket->call_cause = thread ? thread->cause_id : 0;
		return;
	}
	/* An answer: what the thread does next is not on behalf of this request. */
	if (thread && thread->cause_id == socket->turn_id) {
		thread->cause_id = 0;
		thread->cause_kind = CAUSE_NONE;
	}
}
