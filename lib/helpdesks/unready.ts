import type { CertDeskError } from '../model/errors';
import type { CheckResult, Helpdesk, Ticket } from './helpdesk';

/** Stands in for a helpdesk whose settings are not whole: everything asked of it fails with what is to be mended. */
export class UnreadyHelpdesk implements Helpdesk {
  constructor(private readonly error: CertDeskError) {}

  find(): Promise<Ticket[]> {
    return Promise.reject(this.error);
  }
  create(): Promise<Ticket> {
    return Promise.reject(this.error);
  }
  get(): Promise<Map<string, Ticket>> {
    return Promise.reject(this.error);
  }
  addNote(): Promise<void> {
    return Promise.reject(this.error);
  }
  notes(): Promise<string[] | null> {
    return Promise.reject(this.error);
  }
  reopen(): Promise<Ticket> {
    return Promise.reject(this.error);
  }
  resolve(): Promise<Ticket> {
    return Promise.reject(this.error);
  }
  check(): Promise<CheckResult[]> {
    return Promise.resolve([{ id: 'settings', ok: false, detail: this.error.message }]);
  }
}
