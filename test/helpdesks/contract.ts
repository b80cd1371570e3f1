import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Helpdesk, HelpdeskType, Ticket, TicketDraft } from '../../lib/helpdesks/helpdesk';
import type { CertDeskError } from '../../lib/model/errors';
import { isOver } from '../../lib/model/ticket';
import { skip } from '../support/skip';

/** One helpdesk as its adapter's contract run sees it, with a back door for what people do in it. */
export interface AdapterLab {
  helpdesk: Helpdesk;
  /** Connected with a status map of the user's. */
  connect(statusMap: Parameters<HelpdeskType['connect']>[0]['statusMap']): Helpdesk;
  target: Readonly<Record<string, string>>;
  /** A target that nobody may create tickets in; missing where the helpdesk has but one place for them. */
  badTarget?: Readonly<Record<string, string>>;
  setStatus(id: string, nativeStatus: string): Promise<void>;
  /** The body as a person sees it. */
  body(id: string): Promise<string>;
  /** Missing where the helpdesk knows no such thing. */
  remove?(id: string): Promise<void>;
  merge?(id: string, into: string): Promise<void>;
  close(): Promise<void>;
}

export interface AdapterUnderTest {
  type: HelpdeskType;
  /** Starts what is needed; a text says why it can't be had here. */
  open(): Promise<AdapterLab | { skipped: string }>;
  /** Native names of every status that a person can set. */
  settable: readonly string[];
  /** Longest start, in milliseconds. */
  openTimeoutMs?: number;
  /** Longest test, where that is more than usual. */
  testTimeoutMs?: number;
}

const HOSTILE = `<script>alert(1)</script> O'Brien "quoted" \\ {{mustache}} %00 日本語 🔐`;

function draft(lab: AdapterLab, parts: Partial<TicketDraft> = {}): TicketDraft {
  const key = `cd-vul-${randomBytes(8).toString('hex')}`;
  const { target } = lab;
  return {
    key,
    subject: `Subject of ${key}`,
    body: 'line one\nline two',
    priority: 'High',
    target,
    fields: {},
    ...parts,
  };
}

/** What every adapter must do; see the interface Helpdesk. */
export function describeAdapter(adapter: AdapterUnderTest): void {
  const { type } = adapter;
  describe(`${type.name}: the contract of a helpdesk`, function () {
    if (adapter.testTimeoutMs !== undefined) this.timeout(adapter.testTimeoutMs);
    let lab: AdapterLab;
    const make = (parts: Partial<TicketDraft> = {}): Promise<Ticket> => lab.helpdesk.create(draft(lab, parts));
    const read = async (id: string): Promise<Ticket | undefined> => (await lab.helpdesk.get([id])).get(id);

    before(async function () {
      this.timeout(adapter.openTimeoutMs ?? 20_000);
      const opened = await adapter.open();
      if ('skipped' in opened) skip(this, opened.skipped);
      lab = opened;
    });
    after(async function () {
      this.timeout(30_000);
      await (lab as AdapterLab | undefined)?.close();
    });

    it('creates an open ticket of high priority and reads it back', async () => {
      const wanted = draft(lab);
      const ticket = await lab.helpdesk.create(wanted);
      assert.equal(ticket.key, wanted.key);
      assert.equal(ticket.subject, wanted.subject);
      assert.equal(ticket.status, 'Open');
      assert.equal(ticket.priority, 'High');
      assert.equal(ticket.isGone, false);
      assert.match(ticket.id, /./);
      assert.match(ticket.number, /./);
      assert.ok(Math.abs(Date.parse(ticket.createdAt) - Date.now()) < 60_000, ticket.createdAt);
      assert.equal(await lab.body(ticket.id), wanted.body);
    });

    it('finds it by its key at once, and nothing else', async () => {
      const [ticket] = [await make(), await make()];
      assert.deepEqual(await lab.helpdesk.find(ticket.key), [ticket]);
    });

    it('finds every ticket that carries a key', async () => {
      const first = await make();
      const second = await make({ key: first.key });
      const found = await lab.helpdesk.find(first.key);
      assert.deepEqual(new Set(found.map(ticket => ticket.id)), new Set([first.id, second.id]));
    });

    it('finds nothing for a key that nobody has, that is written otherwise, or that is a query', async () => {
      const { key } = await make();
      for (const other of [
        'cd-exp-nobody',
        key.toUpperCase(),
        key.slice(0, -1),
        '*',
        '%',
        `x' OR id > 0 OR Subject = 'x`,
      ]) {
        assert.deepEqual(await lab.helpdesk.find(other), [], other);
      }
    });

    it('refuses to search for an empty key', async () => {
      await assert.rejects(lab.helpdesk.find(''), { code: 'INVALID' });
    });

    it('takes keys of forty characters', async () => {
      const key = `cd-exp-${randomBytes(16).toString('hex')}0`;
      assert.equal(key.length, 40);
      await make({ key });
      assert.equal((await lab.helpdesk.find(key)).length, 1);
    });

    it('gets many by id, of any status, and leaves out what is not there', async () => {
      const [first, second] = [await make(), await make()];
      await lab.helpdesk.resolve(second.id, {});
      const found = await lab.helpdesk.get([first.id, '99999999', second.id, 'no id']);
      assert.deepEqual(new Set(found.keys()), new Set([first.id, second.id]));
      assert.deepEqual(found.get(first.id), first);
      assert.equal(isOver(found.get(second.id)?.status ?? 'Unknown'), true);
      assert.equal((await lab.helpdesk.get([])).size, 0);
    });

    it('understands each of its statuses', async () => {
      const { id } = await make();
      for (const native of adapter.settable) {
        await lab.setStatus(id, native);
        const ticket = await read(id);
        assert.equal(ticket?.nativeStatus.toLowerCase(), native.toLowerCase());
        assert.equal(ticket?.status, type.statuses[native.toLowerCase()], native);
      }
    });

    it('takes the user’s word for a status before its own', async () => {
      const { id } = await make();
      const native = adapter.settable.at(-1) ?? '';
      await lab.setStatus(id, native);
      const mapped = lab.connect({ [native]: 'On Hold' });
      assert.equal((await mapped.get([id])).get(id)?.status, 'On Hold');
    });

    it('adds notes that can be read again, newest last', async () => {
      const { id } = await make();
      await lab.helpdesk.addNote(id, `first\n${HOSTILE}`);
      await lab.helpdesk.addNote(id, 'second');
      const notes = await lab.helpdesk.notes(id);
      assert.equal(notes !== null, type.capabilities.canReadNotes);
      if (notes !== null) assert.deepEqual(notes.slice(-2), [`first\n${HOSTILE}`, 'second']);
    });

    it('does not reopen or change a ticket by a note', async () => {
      const { id } = await make();
      const resolved = await lab.helpdesk.resolve(id, {});
      await lab.helpdesk.addNote(id, 'for the record');
      assert.deepEqual(await read(id), resolved);
    });

    for (const native of adapter.settable) {
      const status = type.statuses[native.toLowerCase()] ?? 'Unknown';
      if (!isOver(status)) continue;
      it(`reopens what is ${native} and leaves its priority alone`, async () => {
        const { id } = await make({ priority: 'Low' });
        await lab.setStatus(id, native);
        const ticket = await lab.helpdesk.reopen(id);
        assert.equal(isOver(ticket.status), false);
        assert.equal(ticket.priority, 'Low');
        assert.deepEqual(await read(id), ticket);
      });
    }

    it('resolves what is open', async () => {
      const { id } = await make();
      const ticket = await lab.helpdesk.resolve(id, {});
      assert.equal(ticket.status, 'Resolved');
      assert.deepEqual(await read(id), ticket);
    });

    it('keeps hostile text as it is', async () => {
      const ticket = await make({ subject: HOSTILE, body: HOSTILE });
      assert.equal(ticket.subject, HOSTILE);
      assert.equal(await lab.body(ticket.id), HOSTILE);
    });

    it('takes a long subject and a long body', async () => {
      const body = Array.from({ length: 500 }, (_, index) => `place-${index}.example@192.0.2.7`).join('\n');
      const ticket = await make({ subject: 's'.repeat(5_000), body });
      assert.match(ticket.subject, /^s+…?$/);
      assert.ok(ticket.subject.length <= type.capabilities.subjectMax);
      assert.equal(await lab.body(ticket.id), body);
    });

    it('says of a ticket that is not there that it is not', async () => {
      await assert.rejects(lab.helpdesk.addNote('99999999', 'text'), { code: 'NOT_FOUND' });
      await assert.rejects(lab.helpdesk.reopen('99999999'), { code: 'NOT_FOUND' });
      await assert.rejects(lab.helpdesk.resolve('99999999', {}), { code: 'NOT_FOUND' });
    });

    it('calls a deleted ticket gone and finds it no more', async function () {
      if (lab.remove === undefined) skip(this, `${type.label}: tickets can't be deleted`);
      const [kept, { id, key }] = [await make(), await make()];
      await lab.remove(id);
      const found = await lab.helpdesk.get([id, kept.id]);
      assert.ok(found.get(id)?.isGone ?? true);
      assert.equal(found.get(kept.id)?.isGone, false);
      assert.deepEqual(await lab.helpdesk.find(key), []);
    });

    it('gives the target of a merged ticket', async function () {
      if (lab.merge === undefined) skip(this, `${type.label}: tickets can't be merged`);
      const [target, { id }] = [await make(), await make()];
      await lab.merge(id, target.id);
      assert.equal((await lab.helpdesk.get([id, target.id])).get(id)?.id, target.id);
      assert.equal((await read(id))?.id, target.id);
    });

    it('finds nothing wrong with a connection that works', async () => {
      const checks = await lab.helpdesk.check(lab.target);
      assert.ok(checks.length > 0);
      assert.deepEqual(
        checks.filter(check => !check.ok),
        [],
      );
    });

    it('says what is wrong with where tickets go', async function () {
      if (lab.badTarget === undefined) skip(this, `${type.label}: there is one place for all tickets`);
      const wrong = (await lab.helpdesk.check(lab.badTarget)).filter(check => !check.ok);
      assert.ok(wrong.length > 0);
      await assert.rejects(make({ target: lab.badTarget }), (error: CertDeskError) => !error.isPassing);
    });
  });
}
