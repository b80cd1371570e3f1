import type { Finding } from '../../lib/model/finding';

/** How the ticket of a kind is told that its problem is over; the ticket nodes of the flow are set likewise. */
export const ON_CLEARED: Readonly<Record<Finding['kind'], 'comment' | 'resolve'>> = {
  expiry: 'resolve',
  vulnerability: 'comment',
};

/** Native statuses of Request Tracker. */
export type Status = 'new' | 'open' | 'stalled' | 'resolved' | 'rejected';

/** What one key's ticket should look like: its status, and what each of its texts is about, oldest first. */
export interface ExpectedTicket {
  status: Status;
  texts: string[];
}

/** One Finding as it is sent. */
export interface Sending {
  finding: Finding;
  isStanding: boolean;
}

/**
 * What the decision table of docs/design.md makes of one key, written down a second time and without regard to how
 * lib/tickets does it: the two must agree whatever was lost, delayed or killed on the way.
 */
export class ExpectedKey {
  ticket: ExpectedTicket | null = null;
  private places = new Set<string>();
  private isClearingTold = false;

  get isOpen(): boolean {
    return this.ticket !== null && !['resolved', 'rejected'].includes(this.ticket.status);
  }

  apply({ finding, isStanding }: Sending): void {
    if (finding.state === 'cleared') return this.clear(finding);
    if (finding.state === 'unknown') return;
    this.isClearingTold = false;
    if (this.ticket === null) {
      if (!isStanding) this.create(finding);
      return;
    }
    if (!this.isOpen) this.ticket.status = 'open';
    if (isStanding) return;
    if (finding.kind === 'vulnerability') this.ticket.texts.push(results(finding));
    else this.namePlaces(this.ticket, finding);
  }

  /** By a person. */
  set(status: Status): void {
    if (this.ticket !== null) this.ticket.status = status;
  }

  private create(finding: Finding): void {
    this.places = new Set(placesOf(finding));
    const about = finding.kind === 'vulnerability' ? results(finding) : '';
    this.ticket = { status: 'new', texts: [`body ${about}`.trim()] };
  }

  private namePlaces(ticket: ExpectedTicket, finding: Finding): void {
    const added = placesOf(finding).filter(place => !this.places.has(place));
    if (added.length === 0) return;
    for (const place of added) this.places.add(place);
    ticket.texts.push(`places ${added.join(' ')}`);
  }

  private clear(finding: Finding): void {
    if (this.ticket === null || !this.isOpen || this.isClearingTold) return;
    this.isClearingTold = true;
    this.ticket.texts.push(`cleared ${finding.replacedBy?.serialNumber ?? ''}`.trim());
    if (ON_CLEARED[finding.kind] === 'resolve') this.ticket.status = 'resolved';
  }
}

/** What a text in a ticket is about, in the words of the model; each note also has to carry one marker. */
export function readText(text: string, index: number): string {
  const time = /^Scan Time: (.*)$/m.exec(text)?.[1];
  if (index === 0) return time === undefined ? 'body' : `body results ${time}`;
  if (time !== undefined) return `results ${time}`;
  const places = /is also served at:\n([^]*?)\nExpiry Date: /.exec(text)?.[1];
  if (places !== undefined) return `places ${places.split('\n').join(' ')}`;
  const serial = /^Renewed: serial number (\w+)/m.exec(text)?.[1];
  if (serial !== undefined) return `cleared ${serial}`;
  if (/is no longer in use\.|^Nothing of what was reported is found any more/m.test(text)) return 'cleared';
  return `other: ${text.split('\n')[0] ?? ''}`;
}

/** References by which notes are known again. */
export function markersOf(text: string): string[] {
  return text.match(/\bcd-note-[0-9a-f]+\b/g) ?? [];
}

function results(finding: Finding): string {
  const at = new Date(finding.scannedAt ?? 0);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `results Jan ${at.getUTCDate()}, 2026 ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`;
}

function placesOf(finding: Finding): string[] {
  return finding.endpoints.map(({ domain, ip }) => `${domain}@${ip}`);
}
