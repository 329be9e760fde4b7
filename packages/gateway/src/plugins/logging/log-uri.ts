/** A URL with scheme and host. Source: APISIX's `uri_def`. */
export const LOG_URI = {
  type: 'string',
  pattern: '^[^/]+://([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?(/.*)?(\\?.*)?$',
} as const;
