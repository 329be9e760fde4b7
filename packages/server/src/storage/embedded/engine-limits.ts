/** Queries at one time; each session runs one. */
export const SESSIONS = 8;
/** UV_THREADPOOL_SIZE: more than sessions, or queries wait for a thread instead of a session. */
export const THREADS = 16;
