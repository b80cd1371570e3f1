/** Of the certificate with this number, as `findings` and tickets have it. */
export function nameOf(index: number): string {
  return `host-${index}.example`;
}

export function keyOf(index: number): string {
  return `cd-exp-${index.toString(16).padStart(32, '0')}`;
}

/** Of its ticket. */
export function subjectOf(index: number): string {
  return `SSL Certificate ${nameOf(index)} is expiring soon`;
}
