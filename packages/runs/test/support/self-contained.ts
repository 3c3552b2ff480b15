/** What a page would load from elsewhere. Namespaces are names, not addresses. */
export function loadedAddresses(html: string): string[] {
  const text = html.replace(/ xmlns(:\w+)?="[^"]*"/g, '');
  const addresses = text.match(/https?:\/\/[^\s"'<)]*/g) ?? [];
  const loading =
    text.match(/<(script|link|iframe|object|embed)\b|@import|\burl\((?!#)|\bsrc="(?!data:)[^"]*"/g) ?? [];
  return [...addresses, ...loading];
}
