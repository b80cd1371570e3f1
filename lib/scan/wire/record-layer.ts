import { uint, vector } from './bytes';
import { AeadOpener, AeadSealer } from './aead-record';
import { CbcOpener, CbcSealer, type Protection } from './cbc-record';
import type { CipherSpec } from './cipher-spec';
import type { SideKeys } from './keys';
import { VERSION_CODES, type TlsProtocol } from './names';
import { RECORD, RecordReader, type TlsRecord } from './records';

export interface RecordLayerOptions {
  protocol: TlsProtocol;
  spec: CipherSpec;
  keys: { client: SideKeys; server: SideKeys };
}

/** Both directions of a connection from the client's ClientKeyExchange on, before and after each ChangeCipherSpec. */
export class RecordLayer {
  /** Seals what the client sends under the new keys; for wrong records as well, where the suite has CBC. */
  readonly sealer: CbcSealer | AeadSealer;
  readonly #protocol: TlsProtocol;
  readonly #opener: CbcOpener | AeadOpener;
  readonly #reader = new RecordReader();
  #isOpening = false;

  constructor({ protocol, spec, keys }: RecordLayerOptions) {
    this.#protocol = protocol;
    const client: Protection = { protocol, spec, keys: keys.client };
    const server: Protection = { protocol, spec, keys: keys.server };
    this.sealer = spec.mode === 'cbc' ? new CbcSealer(client) : new AeadSealer(client);
    this.#opener = spec.mode === 'cbc' ? new CbcOpener(server) : new AeadOpener(server);
  }

  /** A record in the clear, or one whose fragment is sealed already. */
  record(type: number, fragment: Buffer): Buffer {
    return tlsRecord(this.#protocol, type, fragment);
  }

  /** A record under the new keys. */
  sealed(type: number, content: Buffer): Buffer {
    return this.record(type, this.sealer.seal(type, content));
  }

  /** The records that are whole now; those after the server's ChangeCipherSpec decrypted. Throws WireError. */
  *read(chunk: Buffer): Generator<TlsRecord, void, undefined> {
    for (const { type, content } of this.#reader.read(chunk)) {
      if (this.#isOpening) {
        yield { type, content: this.#opener.open(type, content) };
      } else {
        if (type === RECORD.changeCipherSpec) this.#isOpening = true;
        yield { type, content };
      }
    }
  }
}

/** One record as it goes onto the wire. */
export function tlsRecord(protocol: TlsProtocol, type: number, fragment: Buffer): Buffer {
  return Buffer.concat([uint(type, 1), uint(VERSION_CODES[protocol], 2), vector(2, fragment)]);
}
