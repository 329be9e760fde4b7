/**
 * What is wrong with the first bad one of the URLs that a plugin sends to, in APISIX's wording; a
 * schema's pattern lets more through. A reference is looked at when its value is known.
 */
export function urlFault(property: string, ...urls: readonly string[]): string | undefined {
  const bad = urls.find((url) => !url.startsWith('$') && !URL.canParse(url));
  return bad === undefined
    ? undefined
    : `property "${property}" validation failed: "${bad}" is no URL`;
}
