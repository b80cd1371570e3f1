import type { NodeAPI } from 'node-red';
import { UnreadyHelpdesk } from '../../lib/helpdesks/unready';
import { asCertDeskError, type CertDeskError } from '../../lib/model/errors';
import type { Repository } from '../../lib/repository/repository';
import { Desk, type DeskOptions } from '../../lib/tickets/desk';
import { DEFAULT_TICKET_SETTINGS } from '../../lib/tickets/settings';
import type { Config } from './config';
import { connectHelpdesk, deskName } from './connections';
import { readTicketConfig } from './ticket-config';

/** Desks of the deployed ticket nodes with the repository each writes to. */
const desks = new Map<Desk, Repository>();

/**
 * The desk of a ticket node. Where its settings or its connection are not whole, `failure` says what to mend, and the
 * desk parks all that comes until a node whose settings are whole takes it up. That one may not know its own name: it
 * takes nothing over.
 */
export function makeDesk(
  RED: NodeAPI,
  config: Config,
  options: Omit<DeskOptions, 'desk' | 'helpdesk' | 'settings' | 'isNodeAlive'>,
): { desk: Desk; failure: CertDeskError | null } {
  const { type, repository } = options;
  const named = { ...options, desk: deskName(RED, config, type) };
  try {
    const settings = readTicketConfig(config, type);
    const helpdesk = connectHelpdesk(RED, config, type, repository);
    return { desk: new Desk({ ...named, settings, helpdesk, isNodeAlive: nodesOfFlows(RED) }), failure: null };
  } catch (error) {
    const failure = asCertDeskError(error, 'CONFIG');
    const helpdesk = new UnreadyHelpdesk(failure);
    return { desk: new Desk({ ...named, settings: DEFAULT_TICKET_SETTINGS, helpdesk }), failure };
  }
}

/**
 * Whether a node is in the deployed flows, by its id. Asked of their definitions: getNode knows neither what is created
 * later in the same deploy nor what is switched off. Within a subflow a node is called after the instance and itself.
 */
function nodesOfFlows(RED: NodeAPI): (id: string) => boolean {
  const ids = new Set<string>();
  RED.nodes.eachNode(node => ids.add(node.id));
  return id => ids.has(id) || id.split('-').every(part => ids.has(part));
}

/** Makes a desk known to the admin routes; returns how to take it out again. */
export function registerDesk(desk: Desk, repository: Repository): () => void {
  desks.set(desk, repository);
  return () => desks.delete(desk);
}

/** Tries at once what is queued or parked for a key. Returns how many pieces of work that were. */
export async function retryEverywhere(repository: Repository, key: string): Promise<number> {
  const asked = [...desks].filter(([, used]) => used === repository).map(([desk]) => desk);
  const tried = await Promise.all(asked.map(desk => desk.retry(key)));
  return tried.reduce((sum, count) => sum + count, 0);
}
