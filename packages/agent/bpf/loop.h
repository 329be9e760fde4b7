/*
 * Event loops. A thread that waits for events begins a new turn of its loop: what it read in an
 * earlier one is no cause of what it does next. Only epoll: poll() and select() are also how a
 * thread waits for one answer in the middle of one request.
 */
#pragma once

static __always_inline int begin_loop_turn(void)
{
	struct thread_state *thread = thread_of(false);
	if (thread) {
		thread->cause_id = 0;
		thread->read_turn = 0;
		thread->cause_kind = CAUSE_NONE;
	}
	return 0;
}

SEC("tp/syscalls/sys_enter_epoll_wait")
int on_epoll_wait(void *ctx)
{
	(void)ctx;
	return begin_loop_turn();
}

SEC("tp/syscalls/sys_enter_epoll_pwait")
int on_epoll_pwait(void *ctx)
{
	(void)ctx;
	return begin_loop_turn();
}
