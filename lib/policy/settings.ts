import { CertDeskError } from '../model/errors';
import { parseList } from '../model/lists';
import { FACILITIES, type Facility } from './syslog-facilities';

/**
 * How often the same thing is told again. Days are calendar days in the policy's time zone: `daily` is another
 * day, `weekly` the seventh day after, `monthly` the same day of the next month (its last day where it has no such
 * day), a number that many days.
 */
export type Frequency = 'every-run' | 'daily' | 'weekly' | 'monthly' | number;
const FREQUENCY_WORDS = ['every-run', 'daily', 'weekly', 'monthly'] as const;

/** When a Finding is due; properties of certdesk-notification-policy in docs/contract.md. */
export interface PolicySettings {
  frequency: Frequency;
  /** IANA name, or `UTC`. */
  timeZone: string;
  /** Days left, each fires once per certificate; empty = off. */
  thresholds: readonly number[];
  /** Below this many days left every run tells; null = off. */
  everyRunBelowDays: number | null;
  /** Patterns on name, address, issuer and serial number; empty includes everything. */
  include: readonly string[];
  exclude: readonly string[];
}

export const DEFAULT_POLICY_SETTINGS: Readonly<PolicySettings> = {
  frequency: 'daily',
  timeZone: 'UTC',
  thresholds: [60, 30, 14, 7, 3, 1, 0, -7],
  everyRunBelowDays: null,
  include: [],
  exclude: [],
};

/** Who gets mail of what: a pattern on name, address, issuer or serial number, and an address. */
export interface Recipient {
  pattern: string;
  address: string;
}

export interface MailSettings {
  emailTo: readonly Recipient[];
  emailMode: 'digest' | 'each';
  /** Mustache; empty = the standard text. So is `emailBody`, which is HTML. */
  emailSubject: string;
  emailBody: string;
  digestWaitMs: number;
}

export const DEFAULT_MAIL_SETTINGS: Readonly<MailSettings> = {
  emailTo: [],
  emailMode: 'digest',
  emailSubject: '',
  emailBody: '',
  digestWaitMs: 5000,
};

export interface SyslogSettings {
  facility: Facility;
  /** RFC 6587: nothing (one datagram), a line feed after, or the length before the message. */
  framing: 'none' | 'newline' | 'octet-counting';
}

export const DEFAULT_SYSLOG_SETTINGS: Readonly<SyslogSettings> = { facility: 'local7', framing: 'none' };

/** `every-run`, `daily`, `weekly`, `monthly` or a number of days. Throws CONFIG. */
export function parseFrequency(value: unknown): Frequency {
  const text = asText(value);
  if (text === '') return DEFAULT_POLICY_SETTINGS.frequency;
  const word = FREQUENCY_WORDS.find(candidate => candidate === text);
  if (word !== undefined) return word;
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw bad('frequency', text, `Use ${FREQUENCY_WORDS.join(', ')} or a whole number of days from 1 to 3650.`);
}

/** `60,30,14`: whole days left, negative ones after expiry. Empty is off. Throws CONFIG. */
export function parseThresholds(value: unknown): number[] {
  const days = parseList(typeof value === 'number' ? String(value) : value).map(({ text }) => {
    const number = Number(text);
    if (Number.isInteger(number) && Math.abs(number) <= 36_500) return number;
    throw bad('thresholds', text, 'Use whole days left, such as 60,30,14,7,3,1,0,-7.');
  });
  return [...new Set(days)].toSorted((a, b) => b - a);
}

/** An IANA time zone that this Node.js knows. Throws CONFIG. */
export function parseTimeZone(value: unknown): string {
  const text = asText(value);
  if (text === '') return DEFAULT_POLICY_SETTINGS.timeZone;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text });
    return text;
  } catch {
    throw bad('timeZone', text, 'Use a name such as UTC or Europe/Berlin.');
  }
}

/** Lines `pattern address`, or an address alone, which gets everything. Throws CONFIG. */
export function parseRecipients(value: unknown): Recipient[] {
  return parseList(value).map(({ text, line }) => {
    const gap = text.search(/\s\S+$/);
    const address = text.slice(gap + 1);
    const pattern = gap < 0 ? '*' : text.slice(0, gap).trim();
    if (/^[^\s@<>"();:\\]+@[^\s@<>"();:\\]+$/.test(address)) return { pattern, address };
    throw bad('emailTo', text, `Line ${line} has no mail address at its end; write "*.shop.example ops@shop.example".`);
  });
}

/** Throws CONFIG. */
export function parseFacility(value: unknown): Facility {
  const text = asText(value).toLowerCase();
  if (text === '') return DEFAULT_SYSLOG_SETTINGS.facility;
  const found = FACILITIES.find(candidate => candidate === text);
  if (found !== undefined) return found;
  throw bad('syslogFacility', text, `Use one of ${FACILITIES.join(', ')}.`);
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value.trim() : JSON.stringify(value);
}

function bad(field: string, text: string, help: string): CertDeskError {
  return new CertDeskError('CONFIG', `${field}: "${text}" is not understood. ${help}`);
}
