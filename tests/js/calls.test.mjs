// Calls of a client that is connected: what travels, what is called off, what happens when the connection is lost.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, test } from 'node:test';
import { connect, TamgaError } from '../../protocol/js/tamga.mjs';
import { FakeTamga, hurried, until } from './support.mjs';

let tamga;
let client;
const states = [];
const document = (more = {}) => ({ purpose: 'document', format: 'cms', documents: ['hi'], ...more });
const signed = { format: 'cms', signatures: ['AA=='], certificate: 'BB==' };

async function start(on) {
  let name = 0;
  tamga = await FakeTamga.start({ 'upload.begin': () => ({ upload: `upload-${name += 1}` }), sign: () => signed, ...on });
  states.length = 0;
  client = await connect({ port: tamga.port, language: 'en', onState: (state) => states.push(state) });
}
afterEach(async () => {
  client.close();
  await tamga.stop();
});

test('documents of every kind travel as what they are, small ones in the request', async () => {
  await start();
  const octets = new Uint8Array([0xff, 0, 1]);
  const file = Object.assign(new Blob([octets], { type: 'application/pdf' }), { name: 'a.pdf' });

  const result = await client.sign({
    purpose: 'service_request', service: 'a/b', format: 'cms', attached: true,
    documents: ['Өтініш', octets, octets.buffer, new Uint16Array([7]), file, { content: octets, title: 'b', media_type: 'image/png' },
      { content: file, title: 'c' }],
  });

  assert.deepEqual(result, signed);
  assert.deepEqual(tamga.asked('sign')[0].params, {
    purpose: 'service_request', service: 'a/b', format: 'cms', attached: true,
    documents: [{ text: 'Өтініш' }, { content: '/wAB' }, { content: '/wAB' }, { content: 'BwA=' },
      { content: '/wAB', title: 'a.pdf', media_type: 'application/pdf' }, { content: '/wAB', title: 'b', media_type: 'image/png' },
      { content: '/wAB', title: 'c', media_type: 'application/pdf' }],
  });
  assert.deepEqual(tamga.methods(), ['hello', 'sign']);
});

test('large documents are uploaded one after the other, with progress that only grows', async () => {
  await start();
  const large = [randomBytes(3_000_000), randomBytes(100_000)];
  const progress = [];

  await client.sign(document({ documents: [{ content: new Blob([large[0]]), title: 'film', digests: ['sha256'] }, 'small', large[1]] }),
    { onProgress: (each) => progress.push(each) });

  assert.deepEqual(tamga.methods(), ['hello', 'upload.begin', 'upload.end', 'upload.begin', 'upload.end', 'sign']);
  assert.deepEqual(tamga.asked('upload.begin').map(({ params }) => params), [{ size: 3_000_000, title: 'film', digests: ['sha256'] }, { size: 100_000 }]);
  assert.deepEqual([tamga.uploaded(0), tamga.uploaded(1)], large);
  assert.ok(tamga.uploads[0].every((each) => each.length <= 512 * 1024));
  assert.deepEqual(tamga.asked('sign')[0].params.documents, [{ upload: 'upload-1' }, { text: 'small' }, { upload: 'upload-2' }]);
  assert.ok(progress.every(({ stage, total }) => stage === 'uploading' && total === 3_100_000));
  assert.ok(progress.every(({ done }, i) => i === 0 || done > progress[i - 1].done));
  assert.equal(progress.at(-1).done, 3_100_000);
});

test('uploads of two calls do not mix', async () => {
  await start();
  const [first, second] = [randomBytes(2_000_000), randomBytes(2_000_000)];

  await Promise.all([client.sign(document({ documents: [first] })), client.verify({ document: second, content: 'hi' })]);

  assert.deepEqual([tamga.uploaded(0), tamga.uploaded(1)], [first, second]);
  assert.deepEqual(tamga.asked('verify')[0].params, { document: { upload: 'upload-2' }, content: { text: 'hi' } });
});

test('octets are read from a file no faster than they leave', async () => {
  await start();
  tamga.socket.pause(); // it takes nothing more than fits into the kernel
  const size = 200 << 20;
  let read = 0;
  const file = new (class extends Blob {
    get size() { return size; }
    slice(from, to) {
      read = Math.max(read, to);
      return new Blob([new Uint8Array(to - from)]);
    }
  })();
  tamga.on['upload.begin'] = () => ({ upload: 'u' });
  tamga.socket.resume();
  const stop = new AbortController();
  const signing = client.sign(document({ documents: [file] }), { signal: stop.signal });
  await until('the upload to begin', () => tamga.uploads.length > 0);
  tamga.socket.pause();
  let before = -1;
  await until('it to stand still', () => {
    if (read === before) return true;
    before = read;
    return false;
  });
  await new Promise((resolve) => { setTimeout(resolve, 300); }); // for anybody who would read on
  assert.ok(read < 100 << 20, `${read} octets were read`);
  stop.abort();
  await assert.rejects(signing, { name: 'AbortError' });
  tamga.socket.resume();
});

test('a call that is called off is cancelled by its id, and its late answer is nobody\'s', async () => {
  let answer;
  await start({ sign: () => new Promise((resolve) => { answer = resolve; }) });
  const stop = new AbortController();
  const signing = client.sign(document(), { signal: stop.signal });
  await until('the request', () => tamga.asked('sign').length > 0);

  stop.abort();

  await assert.rejects(signing, { name: 'AbortError' });
  await until('cancel', () => tamga.asked('cancel').length > 0);
  assert.deepEqual(tamga.asked('cancel')[0].params, { id: tamga.asked('sign')[0].id });
  answer(signed);
  tamga.on.sign = () => signed;
  assert.deepEqual(await client.sign(document()), signed);
});

test('nothing is sent for a call whose signal is aborted already', async () => {
  await start();

  await assert.rejects(client.sign(document(), { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(client.tokens({ signal: AbortSignal.abort() }), { name: 'AbortError' });

  await client.sign(document());
  assert.deepEqual(tamga.methods(), ['hello', 'sign']);
});

test('an upload that is called off is dropped, and the next one has its turn', async () => {
  await start();
  const stop = new AbortController();
  const big = randomBytes(30 << 20);
  const signing = client.sign(document({ documents: [big] }), {
    signal: stop.signal, onProgress: ({ done }) => { if (done > 1 << 20) stop.abort(); },
  });
  await assert.rejects(signing, { name: 'AbortError' });

  await client.sign(document({ documents: [randomBytes(100_000)] }));

  assert.ok(tamga.uploaded(0).length < big.length);
  assert.deepEqual(tamga.methods().filter((method) => method !== 'cancel'),
    ['hello', 'upload.begin', 'upload.drop', 'upload.begin', 'upload.end', 'sign']);
  assert.deepEqual(tamga.asked('upload.drop')[0].params, { upload: 'upload-1' });
});

test('an upload that began although it was called off is dropped before the next one begins', async () => {
  let begin;
  await start({ 'upload.begin': () => new Promise((resolve) => { begin = resolve; }) });
  const stop = new AbortController();
  const first = client.sign(document({ documents: [randomBytes(100_000)] }), { signal: stop.signal });
  await until('the question', () => begin);
  const second = client.sign(document({ documents: [randomBytes(100_000)] }));

  stop.abort();
  await until('cancel', () => tamga.asked('cancel').length > 0);
  assert.equal(tamga.asked('upload.begin').length, 1);
  tamga.on['upload.begin'] = () => ({ upload: 'second' });
  begin({ upload: 'first' });

  await assert.rejects(first, { name: 'AbortError' });
  assert.deepEqual(await second, signed);
  assert.deepEqual(tamga.asked('upload.drop').map(({ params }) => params), [{ upload: 'first' }]);
  assert.ok(tamga.methods().indexOf('upload.drop') < tamga.methods().lastIndexOf('upload.begin'));
});

test('what was uploaded for a request that failed is dropped', async () => {
  await start({ sign: () => { throw { code: -33014, message: 'user_cancelled', data: { error: 'user_cancelled', message: 'Said so.', language: 'en' } }; } });

  await assert.rejects(client.sign(document({ documents: [randomBytes(100_000)] })), { reason: 'user_cancelled' });

  await until('upload.drop', () => tamga.asked('upload.drop').length > 0);
});

test('what the daemon refuses has its word, its number, its sentence and its detail', async () => {
  const data = { error: 'bad_request', message: 'The site sent a request that cannot be understood. Tell the owner of the site.', detail: 'params.x is unknown', language: 'en' };
  await start({ sign: () => { throw { code: -32602, message: 'bad_request', data }; } });

  const error = await client.sign(document()).catch((failure) => failure);

  assert.ok(error instanceof TamgaError && error instanceof Error);
  assert.deepEqual([error.reason, error.code, error.detail, error.message, error.words('kk')],
    ['bad_request', -32602, 'params.x is unknown', data.message, data.message]);
});

test('progress reaches the call it belongs to', async () => {
  const waiting = [];
  await start({ sign: () => new Promise((resolve) => { waiting.push(resolve); }) });
  const heard = [[], []];
  const calls = heard.map((list) => client.sign(document(), { onProgress: (each) => list.push(each) }));
  await until('both', () => waiting.length === 2);

  const [first, second] = tamga.asked('sign').map(({ id }) => id);
  tamga.notify('sign.progress', { id: second, stage: 'asking', done: 0, total: 0 });
  tamga.notify('sign.progress', { id: first, stage: 'signing', done: 1, total: 2 });
  for (const answer of waiting) answer(signed);
  await Promise.all(calls);

  assert.deepEqual(heard, [[{ stage: 'signing', done: 1, total: 2 }], [{ stage: 'asking', done: 0, total: 0 }]]);
});

test('a request that no message can hold is refused here, and the connection stays', async () => {
  await start();

  await assert.rejects(client.sign(document({ documents: Array(30).fill('ү'.repeat(30_000)) })), { reason: 'too_large' });

  assert.deepEqual(await client.sign(document()), signed);
  assert.deepEqual(tamga.methods(), ['hello', 'sign']);
});

test('a page\'s own mistake is a TypeError that names the place', async () => {
  await start();

  await assert.rejects(client.sign(document({ documents: ['hi', 7] })), { name: 'TypeError', message: /^documents\[1\]/ });
  await assert.rejects(client.sign(document({ documents: [{ content: null }] })), { name: 'TypeError', message: /^documents\[0\]\.content/ });
  await assert.rejects(client.sign({ purpose: 'document' }), TypeError);
  await assert.rejects(client.verify({}), TypeError);
});

test('a challenge may be octets, and certificates are asked for with or without a wish', async () => {
  await start({ 'certificates.list': () => ({ certificates: [{ iin: '1' }] }) });

  await client.authenticate({ challenge: new Uint8Array(16), signer: { iin: '123456789011' } });
  const certificates = await client.certificates();

  assert.deepEqual(tamga.asked('authenticate')[0].params, { challenge: 'AAAAAAAAAAAAAAAAAAAAAA==', signer: { iin: '123456789011' } });
  assert.deepEqual([certificates, tamga.asked('certificates.list')[0].params], [[{ iin: '1' }], {}]);
});

// ---- tokens ----

test('whoever listens is told what is plugged in, now, when it changes, and after the connection was lost', async () => {
  const one = [{ storage: 'AKKaztokenStore', family: 'kaztoken', name: 'KAZTOKEN' }];
  await start({ 'tokens.subscribe': () => ({ tokens: [] }), 'tokens.list': () => ({ tokens: one }) });
  const heard = [];

  const stop = await client.onTokens((tokens) => heard.push(tokens.length));
  tamga.notify('tokens.changed', { tokens: one });
  assert.deepEqual(await client.tokens(), one);
  assert.deepEqual(heard, [0, 1]);
  tamga.socket.terminate();
  await until('to be told again', () => heard.length === 3);
  stop();
  await until('tokens.unsubscribe', () => tamga.asked('tokens.unsubscribe').length > 0);
  tamga.notify('tokens.changed', { tokens: one });
  await client.tokens();

  assert.deepEqual(heard, [0, 1, 0]);
});

test('whoever may not listen is told so', async () => {
  await start({ 'tokens.subscribe': () => { throw { code: -33013, message: 'site_refused', data: { error: 'site_refused', message: 'No.', language: 'en' } }; } });

  await assert.rejects(client.onTokens(() => assert.fail()), { reason: 'site_refused' });
});

// ---- losing the connection ----

test('a call under way when the connection is cut rejects, is never sent again, and the next one works', async () => {
  await start({ sign: () => FakeTamga.never });
  const signing = client.sign(document());
  await until('the request', () => tamga.asked('sign').length > 0);

  tamga.socket._socket.write(Buffer.from([0x81, 0x7e, 0x01, 0x00, 0x7b])); // 256 octets announced, one there
  tamga.socket._socket.end();

  const lost = await signing.catch((failure) => failure);
  assert.deepEqual([lost.name, lost.reason], ['TamgaError', 'connection_lost']);
  assert.match(lost.message, /^The connection with Tamga was lost/);
  await until('a new connection', () => states.at(-1).state === 'open');
  tamga.on.sign = () => signed;
  assert.equal(tamga.asked('sign').length, 1);
  assert.deepEqual(await client.sign(document()), signed);
  assert.equal(tamga.asked('sign').length, 2);
  assert.deepEqual(states.map(({ state }) => state), ['connecting', 'open', 'waiting', 'connecting', 'open']);
  assert.equal(states[2].error.reason, 'connection_lost');
});

test('a connection that ends while octets are sent ends the upload', async () => {
  await start();
  const signing = client.sign(document({ documents: [randomBytes(40 << 20)] }), {
    onProgress: ({ done }) => { if (done > 0) tamga.socket.terminate(); },
  });

  await assert.rejects(signing, { reason: 'connection_lost' });
});

test('it is tried again later each time, 36 seconds apart at most', async () => {
  await start();
  const { port } = tamga;
  await hurried(100, async () => {
    await tamga.stop();
    await until('ten tries', () => states.filter(({ state }) => state === 'waiting').length === 10, 30_000);
  });
  const waits = states.filter(({ state }) => state === 'waiting').map(({ retryIn }) => retryIn);

  for (const [i, wait] of waits.entries()) {
    const middle = Math.min(30_000, 500 * 2 ** i);
    assert.ok(wait >= 0.8 * middle - 1 && wait <= 1.2 * middle + 1, `${wait} the ${i}th time`);
  }
  assert.equal(states.filter(({ error }) => error?.reason === 'not_installed').length, 9);
  tamga = await FakeTamga.start({ sign: () => signed }, { port });
  assert.deepEqual(await client.sign(document()), signed, 'a call does not wait for the next try');
});

test('a call while nobody is there says why, and does not wait for better times', async () => {
  await start();
  await tamga.stop();
  await until('it to be noticed', () => states.at(-1).state === 'waiting');

  await assert.rejects(client.tokens(), { reason: 'not_installed' });

  tamga = await FakeTamga.start({}, { port: tamga.port });
});

test('a site that is shut out while it is connected is told so, and does not knock again by itself', async () => {
  await start({ sign: () => FakeTamga.never });
  const signing = client.sign(document());
  await until('the request', () => tamga.asked('sign').length > 0);

  tamga.socket.close(4403, 'site_refused');

  await assert.rejects(signing, { reason: 'site_not_allowed', detail: 'site_refused' });
  await until('to be told', () => states.at(-1).state === 'waiting');
  assert.equal(states.at(-1).retryIn, undefined);
});

test('closing ends an upload', async () => {
  await start();
  const signing = client.sign(document({ documents: [randomBytes(40 << 20)] }), { onProgress: ({ done }) => { if (done > 0) client.close(); } });

  await assert.rejects(signing, { reason: 'closed' });
  assert.ok(!tamga.methods().includes('sign'));
});

test('closing ends what is under way, and nothing can be asked afterwards', async () => {
  await start({ sign: () => FakeTamga.never });
  const signing = client.sign(document());
  await until('the request', () => tamga.asked('sign').length > 0);
  const left = once(tamga.socket, 'close');

  client.close();

  await assert.rejects(signing, { reason: 'closed' });
  await assert.rejects(client.tokens(), { reason: 'closed' });
  await assert.rejects(client.certificates(), { reason: 'closed' });
  await left;
  assert.deepEqual([client.protocol, states.at(-1).state], [undefined, 'closed']);
});
