/** Characters of a statement at most. */
const STATEMENT_MAX = 1024;

/**
 * Commands whose arguments are names, ranges and options but no stored values: shown whole. Source:
 * the Redis command reference. A command that is not here shows its first argument only.
 */
const SHOWN_WHOLE: ReadonlySet<string> = new Set(
  `get mget getdel exists del unlink ttl pttl type expire pexpire expireat pexpireat persist rename
   renamenx touch scan keys randomkey dump strlen getrange getbit bitcount bitpos incr decr incrby
   decrby hget hmget hgetall hkeys hvals hlen hexists hdel hscan hstrlen hrandfield llen lrange lindex
   lpop rpop ltrim blpop brpop lmove rpoplpush smembers scard spop srandmember sscan sinter sunion sdiff
   zrange zrevrange zrangebyscore zrevrangebyscore zcard zcount zscan zpopmin zpopmax zremrangebyrank
   zremrangebyscore xlen xrange xrevrange xread xreadgroup xack xtrim xinfo ping select info dbsize
   multi exec discard watch unwatch subscribe unsubscribe psubscribe punsubscribe ssubscribe
   sunsubscribe pubsub time role wait memory object slowlog latency command quit reset readonly cluster
   monitor`.split(/\s+/),
);

/** Commands of which even the first argument may be a secret or a program. */
const SHOWN_BARE: ReadonlySet<string> = new Set(
  `auth hello acl config migrate eval evalsha eval_ro evalsha_ro script function fcall fcall_ro echo
   debug sentinel client replconf psync sync module`.split(/\s+/),
);

/**
 * A command with what may be stored of it: the command, what names things, and `?` for the rest.
 * `argumentCount` counts those that were not kept too.
 */
export function redisStatement(words: readonly string[], argumentCount: number): string {
  const [command = '', ...parts] = words;
  const name = command.toLowerCase();
  if (argumentCount === 0) return command.slice(0, STATEMENT_MAX);
  if (SHOWN_BARE.has(name)) return `${command} ?`;
  const isWhole = SHOWN_WHOLE.has(name);
  const shown = isWhole ? parts : parts.slice(0, 1);
  const isCut = shown.length < argumentCount;
  const rest = isCut ? (isWhole ? ' …' : ' ?') : '';
  return `${[command, ...shown].join(' ').slice(0, STATEMENT_MAX)}${rest}`;
}

/** An error as the server wrote it; what it quotes of the command becomes `?`. */
export function redisError(line: string): string {
  return line.replace(/'[^']*'?/g, '?').replace(/`[^`]*`?/g, '?');
}
