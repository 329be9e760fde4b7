/* On whose behalf messages leave: conversations, step by step. */
#pragma once

enum { STEPS_MAX = 10, NOBODY = -1, ANY = -2 };

struct step {
	enum { DONE, ACCEPT, CONNECT, READ, WRITE, LOOP } what;
	int socket;
	int kind;  /* enum cause_kind, of a WRITE */
	int cause; /* The step whose turn it is caused by; of a READ, the step whose turn goes on. */
};

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
} conversations[] = {
    {"a call during a request is its thread's",
     {{ACCEPT, 0, 0, 0},
      {READ, 0, 0, ANY},
      {CONNECT, 1, 0, 0},
      {WRITE, 1, CAUSE_CONNECT, 1},
      {READ, 1, 0, ANY},
      {WRITE, 0, CAUSE_READ, 4}}},
    {"a pooled connection takes the request's cause, not that of connect()",
     {{CONNECT, 1, 0, 0}, {ACCEPT, 0, 0, 0}, {READ, 0, 0, ANY}, {WRITE, 1, CAUSE_THREAD, 2}}},
    {"an answer that is read restores the request that called",
     {{CONNECT, 1, 0, 0},
      {READ, 0, 0, ANY},
      {WRITE, 1, CAUSE_THREAD, 1},
      {READ, 2, 0, ANY},
      {READ, 1, 0, ANY},
      {WRITE, 3, CAUSE_RESTORED, 1}}},
    {"after the answer the thread acts for nobody",
     {{ACCEPT, 0, 0, 0},
      {READ, 0, 0, ANY},
      {WRITE, 0, CAUSE_READ, 1},
      {CONNECT, 1, 0, 0},
      {WRITE, 1, CAUSE_NONE, NOBODY}}},
    {"a request in pieces is one turn",
     {{READ, 0, 0, ANY}, {READ, 0, 0, 0}, {WRITE, 1, CAUSE_THREAD, 0}}},
    {"all chunks of the first turn keep the cause of connect()",
     {{READ, 0, 0, ANY},
      {CONNECT, 1, 0, 0},
      {READ, 2, 0, ANY},
      {WRITE, 1, CAUSE_CONNECT, 0},
      {WRITE, 1, CAUSE_CONNECT, 0},
      {READ, 1, 0, ANY},
      {READ, 2, 0, 2},
      {WRITE, 1, CAUSE_THREAD, 2}}},
    {"what was read before the loop waited causes no call",
     {{CONNECT, 1, 0, 0}, {READ, 0, 0, ANY}, {LOOP, 0, 0, 0}, {WRITE, 1, CAUSE_NONE, NOBODY}}},
    {"a connection made before the loop waited is still the request's",
     {{READ, 0, 0, ANY}, {CONNECT, 1, 0, 0}, {LOOP, 0, 0, 0}, {WRITE, 1, CAUSE_CONNECT, 0}}},
    {"a connect() after the loop waited is nobody's",
     {{READ, 0, 0, ANY}, {LOOP, 0, 0, 0}, {CONNECT, 1, 0, 0}, {WRITE, 1, CAUSE_NONE, NOBODY}}},
    {"a call follows the answer of one whose request is unknown",
     {{CONNECT, 1, 0, 0},
      {CONNECT, 2, 0, 0},
      {LOOP, 0, 0, 0},
      {WRITE, 1, CAUSE_NONE, NOBODY},
      {READ, 1, 0, ANY},
      {WRITE, 2, CAUSE_RESTORED, 4}}},
    {"an answer says what was read before it, unless the loop waited since",
     {{ACCEPT, 0, 0, 0},
      {ACCEPT, 3, 0, 0},
      {CONNECT, 1, 0, 0},
      {READ, 1, 0, ANY},
      {WRITE, 0, CAUSE_READ, 3},
      {LOOP, 0, 0, 0},
      {WRITE, 3, CAUSE_NONE, NOBODY}}},
    {"a connect() for nobody inherits nothing", {{CONNECT, 1, 0, 0}, {WRITE, 1, CAUSE_NONE, NOBODY}}},
};

/* Whether the step had the cause that it should; `turns` are those of earlier reads. */
static bool play_step(const struct step *step, __u64 *turns, int at)
{
	if (step->what == ACCEPT) {
		play_state(step->socket, TCP_SYN_RECV, TCP_ESTABLISHED);
		return true;
	}
	if (step->what == LOOP) {
		on_epoll_wait(0);
		return true;
	}
	if (step->what == CONNECT) {
		play_state(step->socket, TCP_CLOSE, TCP_SYN_SENT);
		play_state(step->socket, TCP_SYN_SENT, TCP_ESTABLISHED);
		return true;
	}
	unsigned int before = host.record_count;
	play_message(step->socket, step->what == READ ? DIRECTION_IN : DIRECTION_OUT);
	if (host.record_count != before + 1)
		return false;
	struct event *event = last_event();
	if (step->what == READ) {
		turns[at] = event->turn_id;
		return event->turn_id && (step->cause == ANY || event->turn_id == turns[step->cause]);
	}
	__u64 want = step->cause == NOBODY ? 0 : turns[step->cause];
	return event->cause_id == want && event->cause_kind == step->kind;
}

static void test_causes(void)
{
	for (unsigned int i = 0; i < sizeof(conversations) / sizeof(*conversations); i++) {
		__u64 turns[STEPS_MAX] = {};
		char text[96] = "";
		scene_reset();
		for (int at = 0; at < STEPS_MAX && conversations[i].steps[at].what != DONE; at++) {
			if (play_step(&conversations[i].steps[at], turns, at))
				continue;
			struct event *event = last_event();
			snprintf(text, sizeof(text), "step %d: kind %d, cause %llx", at,
				 event ? event->cause_kind : -1, event ? event->cause_id : 0);
			break;
		}
		report("causes", conversations[i].name, !text[0], text);
	}
}
