/** Reads a JSON column; the type is what the same column was written with. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
