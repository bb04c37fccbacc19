// What a page in TypeScript writes; `./dev check` has it compiled, and what must not compile is marked.
import { connect, reasons, TamgaError, words, type Client, type State } from '../../protocol/js/tamga.mjs';

const stop = new AbortController();
const client: Client = await connect({ signal: stop.signal, language: 'kk', allowPlain: true, onState: (state: State) => console.log(state.retryIn) });
const ended: () => void = await client.onTokens((tokens) => console.log(tokens.map(({ storage }) => storage)));
const file = new File(['a'], 'a.txt');

const { signatures, certificate } = await client.sign({
  purpose: 'service_request', service: 'a/b', format: 'cms', documents: [file, 'text', new Uint8Array(3), { content: file, title: 'a' }],
  signer: { role: 'head' }, on_behalf_of: { name: 'ТОО Мысал' },
}, { signal: stop.signal, onProgress: ({ stage, done, total }) => console.log(stage, done / total) });
const text: string | undefined = certificate ?? signatures[0];
const { statement } = await client.authenticate({ challenge: new Uint8Array(16) });
const [{ iin }] = await client.certificates();
const { verdict } = await client.verify({ document: file, content: 'text', at: 0 });
console.log(text, statement, iin, verdict, client.greeting?.capabilities?.limits.message, reasons.map((reason) => words(reason, 'ru')));

try { client.close(); } catch (error) { if (error instanceof TamgaError) console.log(error.reason, error.words('en')); }
ended();

// @ts-expect-error: a service request names its service
await client.sign({ purpose: 'service_request', format: 'cms', documents: [file] });
// @ts-expect-error: a number is no document
await client.sign({ purpose: 'document', format: 'cms', documents: [7] });
// @ts-expect-error: there is no such language
words('busy', 'de');
