/**
 * A function that takes secrets out of a text, also where they stand URL-encoded or in base64.
 * @param secrets passwords, tokens and what is made of them; empty ones don't count
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets
      .filter(secret => secret !== '')
      .flatMap(secret => [
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret).toString('base64url'),
      ]),
  );
  // The longest first, so that no part of one stays behind when another is contained in it.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return text => ordered.reduce((rest, form) => rest.split(form).join('***'), text);
}
