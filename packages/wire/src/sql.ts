const STATEMENT_MAX = 1024;

/**
 * Pieces of SQL, in order: comments, literals (dollar-quoted, quoted with an optional prefix such as
 * E or X), names in double quotes, words and parameters, numbers, white space. An end that was not
 * captured ends the piece too. Source: the PostgreSQL manual, "Lexical Structure".
 */
const PIECES =
  /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\3\$|$)|[Ee]'(?:\\[\s\S]|''|[^'\\])*(?:'|\\?$)|(?:[BbXxNn]|[Uu]&)?'(?:''|[^'])*(?:'|$))|("(?:""|[^"])*(?:"|$)|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\$\d+)|(\d[\w.]*(?:(?<=[eE])[+-]\d+)?|\.\d\w*)|(\s+)/g;

/**
 * SQL with `?` for each literal, without comments, white space made single. What it answers holds no
 * value that the statement held, also where `sql` was cut anywhere. At most 1024 characters.
 */
export function sqlWithoutLiterals(sql: string): string {
  return sql
    .replace(
      PIECES,
      (
        piece: string,
        comment: string | undefined,
        literal: string | undefined,
        _tag: string | undefined,
        name: string | undefined,
        number: string | undefined,
        space: string | undefined,
      ) => {
        if (comment !== undefined || space !== undefined) return ' ';
        if (name !== undefined) return name;
        return literal !== undefined || number !== undefined ? '?' : piece;
      },
    )
    .replace(/ {2,}/g, ' ')
    .trim()
    .slice(0, STATEMENT_MAX);
}
