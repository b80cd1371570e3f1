import type { Endpoint } from '../model/endpoint';

/** What is free and who waits for it, the one that asks included. */
export interface Demand {
  /** Connections that the scan has left. */
  free: number;
  /** Connections that the address has left. */
  freeAtHost: number;
  /** Addresses that could start something now. */
  hostsWaiting: number;
  /** Endpoints that wait at this address. */
  waitingAtHost: number;
}

/**
 * How many connections an endpoint gets: all that its address has left when it is alone, its fair share while others
 * wait, at least one; 0 when it has to wait. So one server is asked in parallel, and five hundred side by side.
 */
export function connectionsFor({ free, freeAtHost, hostsWaiting, waitingAtHost }: Demand): number {
  if (free < 1 || freeAtHost < 1) return 0;
  const share = Math.min(Math.floor(free / hostsWaiting), Math.floor(freeAtHost / waitingAtHost));
  return Math.max(1, Math.min(share, free, freeAtHost));
}

/** An endpoint with the connections that it may hold at once until it is released. */
export interface Grant {
  endpoint: Endpoint;
  connections: number;
}

interface Host {
  waiting: Endpoint[];
  used: number;
  /** Of those that wait, how many could start as far as the host is concerned. */
  startable: number;
}

/** Enough to find other hosts behind the thousands of names of one, and little memory. */
const MAX_WAITING = 10_000;

/** The endpoints that wait, and the connections in use, of one scan. Addresses take turns. */
export class Slots {
  private readonly hosts = new Map<string, Host>();
  /** Addresses that have both something waiting and a connection left, next one first. */
  private readonly ready = new Set<string>();
  private readonly concurrency: number;
  private readonly perHost: number;
  private used = 0;
  private waiting = 0;
  private startable = 0;

  /** Limits below 1 count as 1. */
  constructor(limits: { concurrency: number; perHost: number }) {
    this.concurrency = Math.max(1, Math.floor(limits.concurrency));
    this.perHost = Math.max(1, Math.floor(limits.perHost));
  }

  /** Whether connections are free that nothing here can use: something should be added, if there is anything. */
  get isHungry(): boolean {
    return this.startable < this.concurrency - this.used && this.waiting < MAX_WAITING;
  }

  add(endpoint: Endpoint): void {
    const host = this.hosts.get(endpoint.ip) ?? { waiting: [], used: 0, startable: 0 };
    this.hosts.set(endpoint.ip, host);
    host.waiting.push(endpoint);
    this.waiting += 1;
    this.place(endpoint.ip, host);
  }

  /** The next endpoint that may start, its connections taken; null when none may. */
  next(): Grant | null {
    const [ip = ''] = this.ready;
    const host = this.hosts.get(ip);
    const endpoint = host?.waiting[0];
    if (host === undefined || endpoint === undefined) return null;
    const connections = connectionsFor({
      free: this.concurrency - this.used,
      freeAtHost: this.perHost - host.used,
      hostsWaiting: this.ready.size,
      waitingAtHost: host.waiting.length,
    });
    if (connections === 0) return null;
    host.waiting.shift();
    this.waiting -= 1;
    host.used += connections;
    this.used += connections;
    this.ready.delete(ip);
    this.place(ip, host);
    return { endpoint, connections };
  }

  /** Gives back what `next` took. */
  release({ endpoint, connections }: Grant): void {
    this.used -= connections;
    const host = this.hosts.get(endpoint.ip);
    if (host === undefined) return;
    host.used -= connections;
    this.place(endpoint.ip, host);
  }

  /** Takes out everything that waits. */
  drain(): Endpoint[] {
    const drained: Endpoint[] = [];
    for (const [ip, host] of this.hosts) {
      drained.push(...host.waiting.splice(0));
      this.place(ip, host);
    }
    this.waiting = 0;
    return drained;
  }

  private place(ip: string, host: Host): void {
    const startable = Math.max(0, Math.min(host.waiting.length, this.perHost - host.used));
    this.startable += startable - host.startable;
    host.startable = startable;
    if (startable > 0) this.ready.add(ip);
    else this.ready.delete(ip);
    if (host.waiting.length === 0 && host.used === 0) this.hosts.delete(ip);
  }
}
