import type { Helpdesk, HelpdeskType } from '../helpdesks/helpdesk';
import type { CertDeskError } from '../model/errors';
import type { Notification } from '../model/finding';
import type { TicketRecord } from '../model/ticket';
import type { Repository, Work } from '../repository/repository';
import type { QueueState, RetryOptions } from './outbox';
import type { TicketOverrides, TicketSettings } from './settings';

export interface DeskOptions {
  /** Tells one helpdesk instance from another, e.g. `request-tracker:https://rt.example`. */
  desk: string;
  nodeId: string;
  helpdesk: Helpdesk;
  type: HelpdeskType;
  repository: Repository;
  settings: TicketSettings;
  /** `CertDesk running at https://node-red.example:1880`, for the texts. */
  scannedBy: string;
  /** Something that was queued or parked was done. */
  onRecord(record: TicketRecord, work: Work): void;
  /** Something that waited turned out to need a person. */
  onParked(error: CertDeskError, work: Work): void;
  onQueue(waiting: QueueState): void;
  onWarning?(text: string): void;
  /**
   * Whether a node is still there, by its id. With it `start` also takes over what this node left under another desk
   * name, and what nodes that are no more left under this one.
   */
  isNodeAlive?(id: string): boolean;
  now?(): Date;
  retry?: RetryOptions;
  claim?: { leaseMs: number; waitMs: number };
  closeWaitMs?: number;
}

export interface HandleOptions {
  /** The policy's word; without one the Finding is due. */
  notification?: Notification;
  overrides?: TicketOverrides;
  /** The message, so that what is done later can go out with it. */
  message: Record<string, unknown>;
}
