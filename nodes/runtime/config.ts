import { CertDeskError } from '../../lib/model/errors';
import { parseList } from '../../lib/model/lists';

/** Properties of a node as the flow file has them: numbers may be text, old flows may lack some. */
export type Config = Readonly<Record<string, unknown>>;

export function text(config: Config, name: string, fallback = ''): string {
  const value = config[name];
  const found = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
  return found === '' ? fallback : found;
}

/** A number, or numeric text. Throws CONFIG naming the property when it is neither or outside its bounds. */
export function number(config: Config, name: string, fallback: number, bounds: { min: number; max: number }): number {
  const value = text(config, name);
  if (value === '') return fallback;
  const parsed = Number(value);
  if (Number.isFinite(parsed) && parsed >= bounds.min && parsed <= bounds.max) return parsed;
  throw new CertDeskError(
    'CONFIG',
    `${name}: "${value}" is not a number from ${bounds.min} to ${bounds.max}. Correct it in the node's dialog.`,
  );
}

/** Like `number`; null when empty. */
export function optionalNumber(config: Config, name: string, bounds: { min: number; max: number }): number | null {
  return text(config, name) === '' ? null : number(config, name, 0, bounds);
}

export function flag(config: Config, name: string, fallback: boolean): boolean {
  const value = config[name];
  if (value === undefined || value === null || value === '') return fallback;
  return value === true || value === 'true';
}

/** One of `choices`; empty takes the first. */
export function choice<T extends string>(config: Config, name: string, choices: readonly T[]): T {
  const value = text(config, name, choices[0]);
  const found = choices.find(candidate => candidate === value);
  if (found !== undefined) return found;
  throw new CertDeskError('CONFIG', `${name}: "${value}" is none of ${choices.join(', ')}. Choose one in the dialog.`);
}

export function list(config: Config, name: string): string[] {
  return parseList(config[name]).map(entry => entry.text);
}

/** JSON text or an object; empty is an empty object. */
export function json(config: Config, name: string): Record<string, unknown> {
  const value = config[name];
  if (isRecord(value)) return value;
  const source = text(config, name);
  if (source === '') return {};
  try {
    const parsed: unknown = JSON.parse(source);
    if (isRecord(parsed)) return parsed;
  } catch {
    // said below: what matters to the user is the same
  }
  throw new CertDeskError('CONFIG', `${name} is no JSON object. Write it like {"name": "value"}.`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
