/** The request methods that APISIX knows in routes and plugins. */
export const METHODS: readonly string[] = [
  'GET POST PUT DELETE PATCH HEAD OPTIONS CONNECT TRACE PURGE',
].flatMap((line) => line.split(' '));
