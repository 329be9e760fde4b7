/* On whose behalf a message leaves, and what a message that is read changes about that. */
#pragma once

static __always_inline void connect_cause(struct socket_state *socket)
{
	struct thread_state *thread = thread_of(false);
	if (thread && thread->generation == config.generation)
		socket->connect_cause = thread->cause_id;
}

/*
 * A request that is read gives its thread a cause. An answer that is read restores the cause of
 * the call that it answers; where that is unknown it is a cause itself, since what follows an answer
 * belongs to whoever called. A call that leaves carries the thread's cause, or, for the first one on
 * a connection, the cause at connect(). An answer that leaves carries what the thread read last:
 * evidence backwards. Answering the request on its own socket ends its cause.
 */
static __always_inline void stamp_cause(struct socket_state *socket, struct thread_state *thread,
					__u8 direction, struct transfer *what)
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
		what->turn_id = socket->turn_id;
		if (!thread)
			return;
		bool is_answer = socket->role == ROLE_CLIENT;
		thread->cause_id =
		    is_answer && socket->call_cause ? socket->call_cause : socket->turn_id;
		thread->cause_kind = is_answer ? CAUSE_RESTORED : CAUSE_THREAD;
		thread->read_turn = socket->turn_id;
		return;
	}
	if (is_new_turn) {
		socket->is_connect_turn = socket->role == ROLE_CLIENT && socket->connect_cause;
		if (socket->is_connect_turn)
			socket->call_cause = socket->connect_cause;
		socket->connect_cause = 0;
	}
	if (socket->is_connect_turn) {
		what->cause_id = socket->call_cause;
		what->cause_kind = CAUSE_CONNECT;
		return;
	}
	if (socket->role == ROLE_CLIENT && is_new_turn)
		socket->call_cause = thread ? thread->cause_id : 0;
	if (!thread)
		return;
	if (socket->role == ROLE_SERVER) {
		what->cause_id = thread->read_turn;
		what->cause_kind = thread->read_turn ? CAUSE_READ : CAUSE_NONE;
	} else {
		what->cause_id = thread->cause_id;
		what->cause_kind = thread->cause_kind;
	}
	/* What the thread does next is not on behalf of the request that this answers. */
	if (socket->role != ROLE_CLIENT && thread->cause_id == socket->turn_id) {
		thread->cause_id = 0;
		thread->cause_kind = CAUSE_NONE;
	}
}
