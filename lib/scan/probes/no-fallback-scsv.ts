import type { Protocol } from '../../model/report';
import type { Dialogue } from '../dialogue';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const VERSIONS = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;

/**
 * RFC 7507: a hello that says it fell back to an older version must be refused by a server that has a newer one, since
 * somebody in between forced it. Asked with the newest version but one.
 */
export const noFallbackScsv: AskingProbe = { id: 'no-fallback-scsv', ask };

async function ask(dialogue: Dialogue): Promise<Judgement> {
  const { seen } = dialogue;
  const [newest, older] = VERSIONS.filter(protocol => seen.protocols[protocol].state === 'offered');
  if (newest === undefined || older === undefined || older === 'TLSv1.3') {
    return openQuestion(seen, VERSIONS) ?? notApplicable('It speaks one version, so nobody can fall back.');
  }
  const suites = [...seen.accepted[older]];
  const reply = await dialogue.converse(older, suites, { isFallback: true }, () => Promise.resolve());
  if (reply.kind === 'used' || reply.kind === 'hit') return taken(newest, older);
  if (reply.kind === 'unknown' && reply.word === 'INAPPROPRIATE_FALLBACK') {
    return ok(`It refuses a fallback to ${older} with alert inappropriate_fallback (RFC 7507).`);
  }
  // another refusal counts only while the same hello without the mark is answered
  const control = await dialogue.converse(older, suites, {}, () => Promise.resolve());
  const again = await dialogue.converse(older, suites, { isFallback: true }, () => Promise.resolve());
  if (again.kind === 'used' || again.kind === 'hit') return taken(newest, older);
  if (control.kind === 'used' && (again.kind === 'refused' || again.how === 'closed' || again.how === 'odd')) {
    return ok(`It refuses a fallback to ${older} (${again.reason}) and answers the same hello without the mark.`);
  }
  return cannotTell(`Whether it takes a fallback to ${older} could not be decided: ${again.reason}.`);
}

function taken(newest: Protocol, older: Protocol): Judgement {
  return vulnerable(`It answers a hello that says it fell back to ${older} although it speaks ${newest} (RFC 7507).`);
}
