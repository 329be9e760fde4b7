/* Which sockets and processes are wanted. Verdicts are kept until the filter changes. */
#pragma once

/* Whether the thread's process is not to be looked at. Kept at the thread: a look-up costs 30 ns. */
static __always_inline bool is_excluded(struct thread_state *thread)
{
	if (thread && thread->generation == config.generation)
		return thread->is_excluded;
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	bool is_listed = bpf_map_lookup_elem(&processes, &pid) != 0;
	if (thread) {
		thread->generation = config.generation;
		thread->is_excluded = is_listed;
		/* What it acts for may have changed unseen. */
		thread->cause_id = 0;
		thread->cause_kind = CAUSE_NONE;
	}
	return is_listed;
}

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = SOCK(sk, __sk_common.skc_family);
	return SOCK(sk, sk_protocol) == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline __u8 judge(struct sock *sk, struct socket_state *socket)
{
	if (config.has_wanted_netns && !bpf_map_lookup_elem(&namespaces, &socket->netns))
		return VERDICT_UNWANTED;
	if (named_unix(sk)) /* No port: what is told to look at ports only does not look here. */
		return config.has_wanted_ports ? VERDICT_UNWANTED : VERDICT_WANTED;
	__u16 local = SOCK(sk, __sk_common.skc_num), remote = bpf_ntohs(SOCK(sk, __sk_common.skc_dport));
	__u8 *at_local = bpf_map_lookup_elem(&ports, &local);
	__u8 *at_remote = bpf_map_lookup_elem(&ports, &remote);
	if ((at_local && *at_local == PORT_EXCLUDED) || (at_remote && *at_remote == PORT_EXCLUDED))
		return VERDICT_UNWANTED;
	if (config.has_wanted_ports && !at_local && !at_remote)
		return VERDICT_UNWANTED;
	return VERDICT_WANTED;
}

/*
 * The role of a socket that is older than the agent, one with a listening port serves; and of unix
 * sockets, whose connect() is not observed.
 */
static __always_inline __u8 role_by_name(struct sock *sk, struct socket_state *socket)
{
	struct unix_sock *local_stream = named_unix(sk);
	if (local_stream)
		return unix_role(local_stream);
	__u64 local = (__u64)socket->netns << 16 | SOCK(sk, __sk_common.skc_num);
	__u64 remote = (__u64)socket->netns << 16 | bpf_ntohs(SOCK(sk, __sk_common.skc_dport));
	if (bpf_map_lookup_elem(&listeners, &local))
		return ROLE_SERVER;
	return bpf_map_lookup_elem(&listeners, &remote) ? ROLE_CLIENT : ROLE_UNKNOWN;
}

/* Whether a socket passes the filter. The verdict is kept at the socket. */
static __always_inline bool is_wanted(struct sock *sk, struct socket_state *socket)
{
	if (socket->verdict == VERDICT_NONE || socket->generation != config.generation) {
		if (socket->generation != config.generation) {
			/* Transfers may have passed unseen: what comes next begins a turn. */
			socket->direction = 0;
			socket->call_cause = 0;
			socket->is_connect_turn = 0;
		}
		socket->generation = config.generation;
		socket->verdict = judge(sk, socket);
		if (socket->role == ROLE_UNKNOWN)
			socket->role = role_by_name(sk, socket);
	}
	return socket->verdict == VERDICT_WANTED;
}
