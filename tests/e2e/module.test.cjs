// What a vendor's module does to the whole product: it crashes, hangs, is two tokens. The module is the fake one.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { fakeTokens } = require('./support/fake_tokens.cjs');
const { Daemon, basics, build, fromPem, until } = require('./support/daemon.cjs');

const document = Buffer.from('a document').toString('base64');
const heartbeat = '--heartbeat--';
const parsed = async (socket, request) => JSON.parse(await socket.ask(request));
const signs = async (socket) => {
  const reply = await parsed(socket, basics(document));
  assert.equal(reply.status, true, JSON.stringify(reply));
  assert.ok(reply.body.result);
};
const timed = async (work) => { const start = Date.now(); await work(); return Date.now() - start; };

for (const how of ['segv', 'abort', 'exit']) {
  test(`S12: a module that ends its process by ${how} costs one typed error within 2 s, and the next request works`, async () => {
    const tokens = await fakeTokens(['one']);
    try {
      const socket = await tokens.daemon.connect();
      await signs(socket);
      tokens.knobs(`crash C_Sign ${how}`);

      let reply;
      const ms = await timed(async () => { reply = await parsed(socket, basics(document)); });
      tokens.knobs('');

      assert.equal(reply.status, false);
      assert.ok(ms < 2000, `${ms} ms`);
      assert.match(tokens.daemon.log(), /outcome="token_crashed"/);
      await signs(socket);
      socket.close();
    } finally { await tokens.stop(); }
  });
}

test('S12: a module that ends its process during the login costs one typed error within 2 s', async () => {
  const tokens = await fakeTokens(['one']);
  try {
    const socket = await tokens.daemon.connect();
    tokens.knobs('crash C_Login segv');

    let reply;
    const ms = await timed(async () => { reply = await parsed(socket, basics(document)); });
    tokens.knobs('');

    assert.equal(reply.status, false);
    assert.ok(ms < 2000, `${ms} ms`);
    await signs(socket);
    socket.close();
  } finally { await tokens.stop(); }
});

test('S12: while one token hangs in a signature, sockets answer and another token signs', async () => {
  const tokens = await fakeTokens(['left', 'right']);
  try {
    const [first, second] = [await tokens.daemon.connect(), await tokens.daemon.connect()];
    await signs(first);
    tokens.knobs('hang C_Sign 0');
    tokens.daemon.person('key subject=left\npin 12345678\naccept\n');
    const hung = first.ask(basics(document));
    await until('the signature that hangs', () => tokens.calls('C_Sign') === 2);

    assert.ok(await timed(() => second.ask(heartbeat)) < 1000);
    tokens.daemon.person('key subject=right\npin 12345678\naccept\n');
    await signs(second);

    // 30 s after it began: its own process ends, the page is told, and then it works again.
    assert.equal(JSON.parse(await hung).status, false);
    tokens.knobs('');
    assert.match(tokens.daemon.log(), /outcome="token_timeout"/);
    await signs(second);
    for (const socket of [first, second]) socket.close();
  } finally { await tokens.stop(); }
});

test('S28: 64 requests in flight on eight sockets are all answered, each with its own signature by the token chosen', async () => {
  const sites = Array.from({ length: 8 }, (_, i) => `https://site${i}.test`);
  const tokens = await fakeTokens(['left', 'right'], {
    config: `[origins]\nallow = [${sites.map((site) => `"${site.slice(8)}"`)}]\n`,
  });
  const owner = (i) => ['left', 'right'][i % 2];
  try {
    tokens.daemon.person(sites.map((site, i) => `site ${site}\nkey certificate=${owner(i)}\npin 12345678\naccept\n`).join(''));
    const answers = await Promise.all(sites.map(async (site, i) => {
      const socket = await tokens.daemon.connect({ origin: site });
      const names = Array.from({ length: 8 }, (_, j) => `request ${j} of site ${i}`);
      for (const name of names) socket.send(JSON.stringify(basics(Buffer.from(name).toString('base64'))));
      const replies = [];
      for (const name of names) replies.push({ name, owner: owner(i), reply: JSON.parse(await socket.next()) });
      socket.close();
      return replies;
    }));

    for (const { name, owner: by, reply } of answers.flat()) {
      assert.equal(reply.status, true, JSON.stringify(reply));
      const der = fromPem(reply.body.result[0]);
      assert.ok(der.includes(name), name);
      assert.ok(der.includes(by), `${name} by ${by}`);
    }
    assert.equal(answers.flat().length, 64);
    assert.equal(tokens.calls('C_Login'), 64);
    assert.equal(tokens.calls('C_Logout'), 64);
  } finally { await tokens.stop(); }
});

test('a person who cancels does not wait for a token that hangs', async () => {
  const tokens = await fakeTokens(['one']);
  try {
    const socket = await tokens.daemon.connect();
    await signs(socket);
    tokens.knobs('hang C_Login');
    tokens.daemon.person('key first\npin 12345678\naccept\ncancel_while_waiting\n');

    assert.ok(await timed(() => socket.ask(basics(document))) < 5000);
    assert.ok(tokens.daemon.shown().at(-1), 'there was a window to cancel in');
    socket.close();
  } finally { await tokens.stop(); }
});

test('a typing error in modules.toml is told as such, to the page and with its place in the log', async () => {
  const library = path.join(build, 'tests/fake_module/libtamga-fake-pkcs11.so');
  const daemon = await Daemon.start({ modules: `[[module]]\nname = "one"\npaht = "${library}"\n` });
  try {
    const socket = await daemon.connect();

    const signed = await parsed(socket, basics(document));
    const listed = await parsed(socket, { module: 'kz.gov.pki.knca.commonUtils', method: 'getActiveTokens' });

    assert.deepEqual([signed.code, signed.details], ['SIGNING_FAILURE', 'config_invalid']);
    assert.deepEqual([listed.code, listed.message], ['500', 'config_invalid']);
    assert.match(daemon.log(), /request .*outcome="config_invalid" detail="[^"]*modules\.toml: line 3: module\.paht: unknown key; here may stand: name, path, [^"]*"/);
    socket.close();
  } finally { await daemon.stop(); }
});

test('a module that is not there is named when the daemon starts', async () => {
  const daemon = await Daemon.start({ modules: '[[module]]\nname = "gone"\npath = "/usr/lib/gone.so"\n' });
  try {
    await until('the warning', () => /module_unusable name="gone" path="\/usr\/lib\/gone\.so" .*"not there"/.test(daemon.log()));
  } finally { await daemon.stop(); }
});

test('a module that prints to standard output harms nothing', async () => {
  const tokens = await fakeTokens(['one']);
  try {
    const socket = await tokens.daemon.connect();
    tokens.knobs('print C_GetTokenInfo\nprint C_Sign');

    await signs(socket);

    assert.doesNotMatch(tokens.daemon.log(), /module says hello/);
    socket.close();
  } finally { await tokens.stop(); }
});
