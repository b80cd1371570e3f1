import { execFileSync } from 'node:child_process';
import { findProgram, run, type Core } from './processes';

/** What another scanner needed for one look, or many. */
export interface PeerRun {
  output: string;
  wallMs: number;
  cpuMs: number;
}

/** sslscan reduced to what it can't leave out: versions and suites. The kindest comparison for it. */
const SUITES_ONLY = [
  '--no-groups',
  '--no-heartbleed',
  '--no-renegotiation',
  '--no-compression',
  '--no-fallback',
  '--no-check-certificate',
];

const NMAP_SCRIPTS = ['ssl-enum-ciphers', 'sslv2', 'ssl-cert', 'ssl-heartbleed', 'ssl-poodle', 'ssl-ccs-injection'];

export interface PeerTarget {
  host: string;
  port: number;
  /** SNI. */
  name?: string;
}

/** Null where sslscan is not installed. */
export async function runSslscan(target: PeerTarget, scope: 'all' | 'suites-only'): Promise<PeerRun | null> {
  const program = findProgram('sslscan');
  if (program === null) return null;
  return run(program, [...sslscanOptions(scope), ...sni(target), `${target.host}:${target.port}`]);
}

/** The same over many targets, so many at once. */
export async function runSslscanOver(
  targets: readonly PeerTarget[],
  { atOnce, core }: { atOnce: number; core: Core },
): Promise<PeerRun | null> {
  const program = findProgram('sslscan');
  if (program === null) return null;
  const lines = targets.map(target => [...sni(target), `${target.host}:${target.port}`].join(' '));
  const command = [program, ...sslscanOptions('suites-only')].join(' ');
  const script = `printf '%s\\n' "$@" | xargs -P ${atOnce} -L 1 ${command} > /dev/null`;
  return run('/bin/sh', ['-c', script, 'sh', ...lines], { core });
}

/** All of nmap's scripts that look for weak TLS. Null where it is not installed. */
export async function runNmap({ host, port, name }: PeerTarget, scope: 'all' | 'suites-only'): Promise<PeerRun | null> {
  const program = findProgram('nmap');
  if (program === null) return null;
  const scripts = scope === 'all' ? NMAP_SCRIPTS : ['ssl-enum-ciphers', 'sslv2'];
  const serverName = name === undefined ? [] : ['--script-args', `tls.servername=${name}`];
  const options = ['-n', '-Pn', '-sT', '-p', String(port), '--script', scripts.join(','), ...serverName];
  return run(program, [...options, host]);
}

export function sslscanVersion(): string {
  return versionOf('sslscan', /^\s*(\d+\.\S+)/m);
}

export function nmapVersion(): string {
  return versionOf('nmap', /version (\S+)/);
}

function sslscanOptions(scope: 'all' | 'suites-only'): string[] {
  return ['--no-colour', ...(scope === 'all' ? [] : SUITES_ONLY)];
}

function sni({ name }: PeerTarget): string[] {
  return name === undefined ? [] : [`--sni-name=${name}`];
}

function versionOf(program: string, pattern: RegExp): string {
  const path = findProgram(program);
  if (path === null) return 'not installed';
  const text = execFileSync('/bin/sh', ['-c', '"$0" --version 2>&1', path], { encoding: 'utf8' });
  return pattern.exec(stripColours(text))?.[1] ?? 'unknown';
}

function stripColours(text: string): string {
  const escape = String.fromCharCode(27);
  return text
    .split(escape)
    .map((part, index) => (index === 0 ? part : part.replace(/^\[[\d;]*m/, '')))
    .join('');
}
