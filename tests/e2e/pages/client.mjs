// What tests/e2e/client.test.cjs calls in a page: the client, with what it gives made into what a driver can carry.
import { connect } from './tamga.mjs';

const states = [];
const portion = Uint8Array.from({ length: 1 << 20 }, (_, i) => i % 251);
let client;
let underWay;

const told = (error) => ({
  name: error.name, message: error.message, reason: error.reason, detail: error.detail, russian: error.words?.('ru'),
});
const outcome = async (work) => {
  try { return { result: await work() }; } catch (error) { return { error: told(error) }; }
};
const document = (documents, more = {}) => ({ purpose: 'document', format: 'cms', documents, ...more });

window.page = {
  states,
  open: (options) => outcome(async () => {
    client?.close();
    await undefined; // its last state is told
    states.length = 0;
    client = await connect({ language: 'en', onState: ({ state }) => states.push(state), ...options });
    return { protocol: client.protocol, secure: client.secure, version: client.greeting.version };
  }),
  close: () => client.close(),
  tokens: () => outcome(() => client.tokens()),
  sign: (text) => outcome(() => client.sign(document([text]))),

  /** Begins to sign and comes back; `abort` gives what became of it. */
  begin(text) {
    const stop = new AbortController();
    underWay = { stop, outcome: outcome(() => client.sign(document([text]), { signal: stop.signal })) };
  },
  abort() {
    underWay.stop.abort();
    return underWay.outcome;
  },
  ended: () => underWay.outcome,

  /** Everything else that a client can do, with what a page would make of it. */
  theRest: (challenge) => outcome(async () => {
    const heard = [];
    const stop = await client.onTokens((tokens) => heard.push(tokens.length));
    const [{ iin }] = await client.certificates({ signer: { iin: '123456789011' } });
    const entered = await client.authenticate({ challenge: Uint8Array.from(challenge) });
    const xml = await client.sign(document(['<a>ү</a>'], { format: 'xml' }));
    const attached = await client.sign(document([new TextEncoder().encode('hi')], { attached: true, on_behalf_of: { name: 'ТОО Мысал' } }));
    const cms = Uint8Array.from(atob(attached.signatures[0]), (character) => character.charCodeAt(0));
    const good = await client.verify({ document: cms });
    const detached = await client.sign(document(['hi']));
    const bad = await client.verify({
      document: new Blob([Uint8Array.from(atob(detached.signatures[0]), (character) => character.charCodeAt(0))]), content: 'another',
    });
    stop();
    return { heard, iin, statement: entered.statement, xml: xml.signatures[0], signature: good.signers[0].signature, bad: bad.verdict };
  }),

  /** What becomes of an upload of so many MiB that is called off once something of it has left. */
  abortUpload: (size) => outcome(async () => {
    const stop = new AbortController();
    return client.sign(document([new Blob(Array(size).fill(portion))]), {
      signal: stop.signal, onProgress: ({ done }) => { if (done > 0) stop.abort(); },
    });
  }),

  /** A detached signature over so many MiB, which a File brings along, and the progress that was told. */
  signLarge: (size) => outcome(async () => {
    const progress = [];
    const file = new File(Array(size).fill(portion), 'film.mp4', { type: 'video/mp4' });
    const { signatures } = await client.sign(document([{ content: file, digests: ['sha256'] }]), { onProgress: (each) => progress.push(each) });
    return { signature: signatures[0], progress };
  }),
  permission: async (name) => {
    try { return (await navigator.permissions.query({ name })).state; } catch (error) { return error.name; }
  },
};
