/** Base64 with its padding and nothing else; what a lenient decoder would guess at is refused. */
export function isStrictBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
