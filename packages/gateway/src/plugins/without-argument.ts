/** The raw query without one argument; the others keep their spelling and order. */
export function withoutArgument(query: string, name: string): string {
  return query
    .split('&')
    .filter((pair) => new URLSearchParams(pair).keys().next().value !== name)
    .join('&');
}
