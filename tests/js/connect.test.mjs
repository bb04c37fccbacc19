// Who answers, and what a page can know where nobody does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { beforeEach, test } from 'node:test';
import { connect, reasons, TamgaError, words } from '../../protocol/js/tamga.mjs';
import { asPage, FakeNcalayer, FakeTamga, freePort, hurried, knocks } from './support.mjs';

beforeEach(() => { knocks.length = 0; });

/** The TamgaError that connecting ends with. */
async function refusal(options, states = []) {
  const error = await connect({ language: 'en', ...options, onState: ({ state }) => states.push(state) }).then(() => undefined, (failure) => failure);
  assert.ok(error instanceof TamgaError, String(error));
  assert.equal(error.message, error.words('en'));
  assert.equal(states.at(-1), 'closed', 'nothing goes on behind a failed connect');
  return error;
}

test('every reason has a sentence in three languages, each with a next step', () => {
  for (const reason of reasons) {
    const said = ['kk', 'ru', 'en'].map((language) => words(reason, language));
    assert.equal(new Set(said).size, 3, reason);
    for (const sentence of said) assert.match(sentence, /^\S.{10,}[.:;] \S.{5,}\.$/, reason);
    assert.match(said[0], /[әғқңөұүһі]/i, 'Kazakh');
    assert.match(said[1], /^[^әғқңөұүһі]*[а-я]{4}[^әғқңөұүһі]*$/i, 'Russian');
  }
  assert.equal(words('toString', 'en'), undefined);
});

test('Tamga over wss is found with one socket, and asked in the page\'s language', async () => {
  const tamga = await FakeTamga.start();

  const client = await connect({ port: tamga.port, language: 'kk' });

  assert.deepEqual([client.protocol, client.secure, client.greeting.version], ['tamga.v1', true, '1.0']);
  assert.deepEqual(knocks, ['wss:tamga.v1']);
  assert.deepEqual(tamga.requests.map(({ method, params }) => [method, params]), [['hello', { language: 'kk' }]]);
  client.close();
  await tamga.stop();
});

test('a port where nobody listens: not installed, after every way was tried', async () => {
  const error = await refusal({ port: await freePort() });

  assert.equal(error.reason, 'not_installed');
  assert.deepEqual(knocks, ['wss:tamga.v1', 'ws:tamga.v1', 'wss:']);
  assert.match(error.words('ru'), /не установлена/);
  assert.match(error.detail, /^wss: 1006; ws: 1006; wss: 1006$/);
});

test('Tamga whose certificate is not trusted gets nothing but hello', async () => {
  const tamga = await FakeTamga.start({}, { tls: false });

  const error = await refusal({ port: tamga.port });

  assert.equal(error.reason, 'certificate_not_trusted');
  assert.equal(error.greeting.name, 'tamga');
  assert.match(error.message, /tamga trust --install/);
  assert.deepEqual(tamga.methods(), ['hello']);
  await tamga.stop();
});

test('over ws it signs where the page sets allowPlain', async () => {
  const tamga = await FakeTamga.start({ sign: () => ({ format: 'cms', signatures: ['AA=='] }) }, { tls: false });

  const client = await connect({ port: tamga.port, allowPlain: true });
  const { signatures } = await client.sign({ purpose: 'document', format: 'cms', documents: ['hi'] });

  assert.deepEqual([client.secure, signatures], [false, ['AA==']]);
  client.close();
  await tamga.stop();
});

test('a close with 4403 says that the site may not, and why, and nothing else is tried', async () => {
  for (const why of ['site_refused', 'origin_denied']) {
    knocks.length = 0;
    const tamga = await FakeTamga.start({ arrival: (socket) => socket.close(4403, why) });

    const error = await refusal({ port: tamga.port });

    assert.deepEqual([error.reason, error.detail], ['site_not_allowed', why]);
    assert.deepEqual(knocks, ['wss:tamga.v1']);
    await tamga.stop();
  }
});

test('a close with 1013 says busy', async () => {
  const tamga = await FakeTamga.start({ arrival: (socket) => socket.close(1013) });

  assert.equal((await refusal({ port: tamga.port })).reason, 'busy');
  await tamga.stop();
});

test('a program that takes the connection and says nothing, ends it, or says something else, does not answer as it should', async () => {
  const arrivals = {
    silent: () => {},
    ends: (socket) => socket.close(1001),
    garbage: (socket) => socket.send('<html>'),
    other: (socket) => socket.on('message', () => socket.send('{"jsonrpc":"2.0","id":1,"result":{"name":"another"}}')),
  };
  for (const [what, arrival] of Object.entries(arrivals)) {
    const program = await FakeTamga.start({ arrival });
    const error = await hurried(100, () => refusal({ port: program.port }));
    assert.equal(error.reason, 'no_answer', what);
    await program.stop();
  }
  const mute = net.createServer(() => {}).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const error = await hurried(100, () => refusal({ port: mute.address().port }));
  assert.equal(error.reason, 'no_answer', 'not even TLS');
  mute.close();
});

test('where the browser knows the permission and denies it, that is the reason, under its older name too', async () => {
  const port = await freePort();
  for (const known of ['loopback-network', 'local-network-access']) {
    const query = async ({ name }) => {
      if (name !== known) throw new TypeError(name);
      return { state: 'denied' };
    };
    knocks.length = 0;
    const error = await asPage({ navigator: { permissions: { query } } }, () => refusal({ port }));
    assert.equal(error.reason, 'blocked_by_browser', known);
    assert.equal(knocks.length, 1, 'asking again is of no use');
  }
});

test('where the browser is about to ask, the page is told before; an undecided permission alone blocks nothing', async () => {
  const states = [];
  const query = async () => ({ state: 'prompt' });

  const error = await asPage({ navigator: { permissions: { query } } }, async () => (
    refusal({ port: await freePort() }, states)));

  assert.equal(error.reason, 'not_installed');
  assert.deepEqual(states, ['connecting', 'browser_may_ask', 'closed']);
});

test('a browser that asked for a person\'s time and was pushed away is not made to ask again', async () => {
  const { WebSocket } = globalThis;
  const query = async () => ({ state: 'prompt' });
  class Asking { // a socket that a person refuses after two seconds
    constructor() { knocks.push('asked'); setTimeout(() => this.onclose({ code: 1006, reason: '' }), 2000); }
    close() {}
  }
  const error = await asPage({ WebSocket: Asking, navigator: { permissions: { query } } }, async () => refusal({ port: 1 }));

  assert.equal(error.reason, 'blocked_by_browser');
  assert.deepEqual(knocks, ['asked']);
  assert.equal(globalThis.WebSocket, WebSocket);
});

test('a page that came over http, or has no origin, is told that this is why', async () => {
  const port = await freePort();
  for (const page of [{ location: { protocol: 'http:' } }, { location: { protocol: 'https:' }, origin: 'null' }]) {
    assert.equal((await asPage(page, () => refusal({ port }))).reason, 'page_not_accepted');
  }
});

test('what the page\'s own policy forbids is told apart', async () => {
  const port = await freePort();
  class Forbidden {
    constructor(url) {
      setTimeout(() => {
        this.readyState = 3;
        this.onerror(); // Chromium says no more
        const violation = new Event('securitypolicyviolation');
        setTimeout(() => document.dispatchEvent(Object.assign(violation, { disposition: 'enforce', blockedURI: url })), 0);
      }, 0);
    }
    close() {}
  }
  const error = await asPage({ WebSocket: Forbidden, document: new EventTarget() }, () => refusal({ port }));

  assert.equal(error.reason, 'blocked_by_page');
});

test('Firefox\'s code for a failed TLS handshake means the certificate', async () => {
  class Failing {
    constructor(url) { setTimeout(() => this.onclose({ code: url.startsWith('wss') ? 1015 : 1006, reason: '' }), 0); }
    close() {}
  }
  assert.equal((await asPage({ WebSocket: Failing }, () => refusal({ port: 1 }))).reason, 'certificate_not_trusted');
});

test('connecting can be called off', async () => {
  const program = await FakeTamga.start({ arrival: () => {} });
  const stop = new AbortController();

  const connecting = connect({ port: program.port, signal: stop.signal });
  await once(program.sockets, 'connection');
  stop.abort();

  await assert.rejects(connecting, { name: 'AbortError' });
  await once(program.socket, 'close');
  await program.stop();
});

test('a language that nobody speaks is the page\'s mistake', async () => {
  await assert.rejects(connect({ language: 'de' }), TypeError);
});

// ---- NCALayer ----

const cms = Buffer.from('a signature').toString('base64');
const signsAll = ({ method, args }) => (method === 'getActiveTokens' ? { responseObject: ['AKKaztokenStore'], code: '200' }
  : { body: { result: args.data.map(() => `-----BEGIN CMS-----\n${cms}\n-----END CMS-----\n`) }, status: true });

test('where only NCALayer answers, its protocol is spoken: storages, CMS and XML', async () => {
  const ncalayer = await FakeNcalayer.start(signsAll);
  const client = await connect({ port: ncalayer.port, language: 'kk' });

  const tokens = await client.tokens();
  const signed = await client.sign({
    purpose: 'document', format: 'cms', attached: true, timestamp: true, signer: { iin: '123456789011', role: 'head', storages: ['PKCS12'] },
    documents: ['hi', new Blob([new Uint8Array([1, 2, 3])])],
  });

  assert.deepEqual([client.protocol, client.secure, client.greeting], ['ncalayer', true, { name: 'ncalayer', version: '1.4' }]);
  assert.deepEqual(tokens, [{ storage: 'AKKaztokenStore', family: 'other', name: 'AKKaztokenStore' }]);
  assert.deepEqual(signed, { format: 'cms', signatures: [cms, cms] });
  assert.deepEqual(ncalayer.requests.at(-1).args, {
    allowedStorages: ['PKCS12'], format: 'cms', data: ['aGk=', 'AQID'],
    signingParams: { decode: true, encapsulate: true, digested: false, tsaProfile: {} },
    signerParams: {
      extKeyUsageOids: ['1.3.6.1.5.5.7.3.4', '1.2.398.3.3.4.1.2', '1.2.398.3.3.4.1.2.1'],
      iin: '123456789011', bin: '', serialNumber: '', chain: null,
    },
    locale: 'kk',
  });
  await client.sign({ purpose: 'document', format: 'xml', documents: [new TextEncoder().encode('<a>ү</a>')] }).catch(() => {});
  assert.deepEqual([ncalayer.requests.at(-1).args.data, ncalayer.requests.at(-1).args.signingParams.decode], [['<a>ү</a>'], false]);
  client.close();
  await ncalayer.stop();
});

test('what NCALayer has no word for is refused before anything is sent', async () => {
  const ncalayer = await FakeNcalayer.start(signsAll);
  const client = await connect({ port: ncalayer.port });
  const signs = (more) => client.sign({ purpose: 'document', format: 'cms', documents: ['hi'], ...more });
  const tried = {
    'purpose service_request': () => signs({ purpose: 'service_request', service: 'a/b' }),
    'format raw': () => signs({ format: 'raw' }),
    on_behalf_of: () => signs({ on_behalf_of: { name: 'ТОО Мысал' } }),
    'element, signature_parent': () => signs({ format: 'xml', element: '/a' }),
    certificates: () => client.certificates(),
    authenticate: () => client.authenticate({ challenge: 'AAAAAAAAAAAAAAAAAAAAAA==' }),
    verify: () => client.verify({ document: 'x' }),
    onTokens: () => client.onTokens(() => {}),
  };

  for (const [what, call] of Object.entries(tried)) await assert.rejects(call(), { name: 'TamgaError', reason: 'not_supported', detail: what });

  assert.deepEqual(ncalayer.requests, []);
  client.close();
  await ncalayer.stop();
});

test('NCALayer\'s refusals become words', async () => {
  const answers = [
    [{ body: {}, status: true }, 'user_cancelled'],
    [{ status: false, code: 'SIGNING_FAILURE', message: 'Signing has failed.', details: 'storage.empty' }, 'token_absent'],
    [{ status: false, code: 'SIGNING_FAILURE', message: 'Signing has failed.', details: 'something' }, 'signing_failed'],
    [{ success: false, errorCode: 'MODULE_NOT_FOUND' }, 'signing_failed'],
  ];
  const ncalayer = await FakeNcalayer.start(() => answers[0][0]);
  const client = await connect({ port: ncalayer.port });

  while (answers.length > 0) {
    await assert.rejects(client.sign({ purpose: 'document', format: 'cms', documents: ['hi'] }), { reason: answers[0][1] });
    answers.shift();
  }
  client.close();
  await ncalayer.stop();
});

test('a request of NCALayer that is called off costs the connection, and the next call finds a new one', async () => {
  const ncalayer = await FakeNcalayer.start(({ method, args }) => (method === 'sign' ? undefined : signsAll({ method, args })));
  const client = await connect({ port: ncalayer.port });
  const stop = new AbortController();
  const first = ncalayer.socket;
  const left = once(first, 'close');

  const signing = client.sign({ purpose: 'document', format: 'cms', documents: ['hi'] }, { signal: stop.signal });
  await once(first, 'message');
  const behind = client.tokens();
  stop.abort();

  await assert.rejects(signing, { name: 'AbortError' });
  await assert.rejects(behind, { reason: 'connection_lost' });
  await left;
  assert.equal((await client.tokens()).length, 1);
  client.close();
  await ncalayer.stop();
});

test('a page may do without NCALayer', async () => {
  const ncalayer = await FakeNcalayer.start(signsAll);

  assert.equal((await refusal({ port: ncalayer.port, ncalayer: false })).reason, 'not_installed');
  await ncalayer.stop();
});
