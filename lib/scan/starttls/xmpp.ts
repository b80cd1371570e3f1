import { Peer, quoted, type Step } from './peer';
import { StarttlsError, type Talk } from './starttls';
import { readTag, type Tag } from './xml-tags';

const STARTTLS = Buffer.from("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");

/**
 * XMPP, as a client: the header of a stream, the features that the server lists, STARTTLS, and `proceed` or `failure`
 * (RFC 6120 sections 4.7 to 4.9 and 5.4). The stream is to the server's name; for a bare address it is to nobody, which
 * many servers decline.
 */
export function* xmpp({ name }: { name: string | null }): Talk {
  const peer = new Peer('XMPP');
  yield* peer.say(headerTo(name));
  const [first] = (yield* peer.peek(1)).toString('latin1');
  if (first !== '<') throw peer.foreign();
  const stream = yield* readTag(peer);
  if (stream.name !== 'stream' || stream.isEnd) throw peer.foreign(`<${stream.name}>`);
  // a stream without a version has no features (section 4.7.5), and none would be waited for in vain
  if (!/\sversion\s*=/.test(stream.attributes)) throw notOffered('its stream is older than XMPP 1.0');
  const features = yield* readReply(peer, 'the stream');
  if (features.name !== 'features') throw peer.malformed(quoted(features.name));
  if (!(yield* hasStarttls(peer, features))) throw notOffered('the features of its stream do not list starttls');
  yield* peer.say(STARTTLS);
  const reply = yield* readReply(peer, 'starttls');
  if (reply.name === 'failure') throw new StarttlsError('STARTTLS_REFUSED', 'it answered starttls with failure');
  if (reply.name !== 'proceed') throw peer.malformed(quoted(reply.name));
  if (!reply.isEmpty && !(yield* readTag(peer)).isEnd) throw peer.malformed('a proceed that is not empty');
  return peer.finish();
}

function headerTo(name: string | null): Buffer {
  const to = name === null ? '' : ` to='${name.replace(/[&<>'"]/g, char => `&#${char.charCodeAt(0)};`)}'`;
  return Buffer.from(
    `<?xml version='1.0'?><stream:stream${to} version='1.0' xml:lang='en' xmlns='jabber:client' ` +
      `xmlns:stream='http://etherx.jabber.org/streams'>`,
  );
}

/** The start tag of what answers `what`; throws where that is a stream error or the end of the stream (section 4.9). */
function* readReply(peer: Peer, what: string): Step<Tag> {
  const tag = yield* readTag(peer);
  if (!tag.isEnd && tag.name !== 'error') return tag;
  const condition = tag.isEnd || tag.isEmpty ? 'its end' : `the error ${quoted((yield* readTag(peer)).name)}`;
  throw new StarttlsError('STARTTLS_REFUSED', `it answered ${what} with ${condition}`);
}

/** Reads all of the features, of which STARTTLS is a direct child. */
function* hasStarttls(peer: Peer, features: Tag): Step<boolean> {
  let isListed = false;
  for (let depth = features.isEmpty ? 0 : 1; depth > 0;) {
    const tag = yield* readTag(peer);
    if (depth === 1 && !tag.isEnd && tag.name === 'starttls') isListed = true;
    if (tag.isEnd) depth -= 1;
    else if (!tag.isEmpty) depth += 1;
  }
  return isListed;
}

function notOffered(why: string): StarttlsError {
  return new StarttlsError('STARTTLS_NOT_OFFERED', why);
}
