/**
 * Of the servers that the gateway speaks itself on (Admin API, control API, metrics). A client is to
 * be the one who closes an idle connection, or it sends into one that is just being closed; Go's
 * keep one for 90 s.
 */
export const OWN_SERVER = { keepAliveTimeout: 120_000 } as const;
