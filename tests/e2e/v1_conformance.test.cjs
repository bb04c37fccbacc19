// The daemon against protocol/tamga/openrpc.json: every method, every parameter, every result, every error it names.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, root, until } = require('./support/daemon.cjs');
const { Publisher, sample } = require('./support/publisher.cjs');
const { faults, spec } = require('./support/schema.cjs');
const { Client } = require('./support/v1.cjs');

const { errors } = spec.components;
const text = (words) => ({ text: words });
const signing = (more = {}) => ({ purpose: 'document', format: 'cms', documents: [text('hi')], ...more });
const challenge = Buffer.alloc(32, 7).toString('base64');
let daemon;
let client;
let command; // the same by the local socket: work on keys is not for ordinary sites

before(async () => {
  daemon = await Daemon.start();
  const publisher = new Publisher(daemon);
  publisher.introduce();
  publisher.publish(sample.replaceAll('address.portal.test', 'portal.test'));
  client = await Client.connect(daemon);
  command = await Client.connect(daemon, { local: true });
});
after(async () => {
  client?.close();
  command?.close();
  await daemon?.stop();
});

const methodOf = (name) => spec.methods.find((method) => method.name === name);

/** A call whose parameters are those described, and whose result is as described. */
async function conforms(name, params = {}, asker = client) {
  const method = methodOf(name);
  for (const { name: parameter, required, schema } of method.params) {
    if (parameter in params) assert.deepEqual(faults(schema, params[parameter]), [], `${name}: ${parameter}`);
    else assert.ok(!required, `${name} needs ${parameter}`);
  }
  const result = await asker.call(name, params);
  assert.deepEqual(faults(method.result.schema, result), [], `${name}: ${JSON.stringify(result)}`);
  return result;
}

/** An error with the number and word that the description has, among those it names for the method. */
async function refused(name, params, word, person, asker = client) {
  if (person) daemon.person(person);
  const error = await asker.fails(name, params);
  assert.equal(error.data.error, word, JSON.stringify(error));
  const own = methodOf(name).errors.map(({ $ref }) => $ref.split('/').at(-1));
  if (error.code === -32602) assert.equal(word, 'bad_request');
  else assert.equal(error.code, errors[word].code);
  if (error.code !== -32602) assert.ok(own.includes(word), `${name} does not name ${word}`);
  assert.equal(error.message, word);
  assert.ok(error.data.message.length > 20, 'a sentence for the person');
}

const stories = {
  hello: () => conforms('hello', { language: 'ru' }),
  'tokens.list': () => conforms('tokens.list'),
  'tokens.subscribe': () => conforms('tokens.subscribe'),
  'tokens.unsubscribe': () => conforms('tokens.unsubscribe'),
  'certificates.list': () => {
    daemon.person('key first\naccept\n');
    return conforms('certificates.list', { signer: { iin: '123456789011' } });
  },
  sign: async () => {
    daemon.person('key first\npin 12345678\naccept\n');
    await conforms('sign', signing({
      purpose: 'service_request', service: 'sample-body/address-change', attached: true,
      on_behalf_of: { name: 'ТОО Мысал', id_number: '123456789012', authority: 'доверенность 7' },
      signer: { iin: '123456789011', role: 'individual', usages: ['1.3.6.1.5.5.7.3.4'], storages: ['AKKaztokenStore'] },
      documents: [{ ...text('hi'), title: 'hi.txt', media_type: 'text/plain' }, { content: 'aGk=' }],
    }));
    daemon.person('key first\npin 12345678\naccept\n');
    await conforms('sign', signing({ format: 'xml', documents: [text('<a/>')] }));
    daemon.person('key first\npin 12345678\naccept\n');
    await conforms('sign', signing({ format: 'xml', element: '/a/b', documents: [text('<a><b Id="x"/></a>')] }));
    daemon.person('key first\npin 12345678\naccept\n');
    return conforms('sign', signing({ format: 'raw', purpose: 'key_account' }));
  },
  authenticate: () => {
    daemon.person('key first\npin 12345678\naccept\n');
    return conforms('authenticate', { challenge, signer: { role: 'individual' } });
  },
  'upload.begin': () => conforms('upload.begin', { size: 3, title: 'a', media_type: 'text/plain', digests: ['sha256'] }),
  'upload.end': async () => {
    client.socket.send(Buffer.from('abc'));
    return conforms('upload.end', { upload: 'upload-1' });
  },
  'upload.drop': () => conforms('upload.drop', { upload: 'upload-1' }),
  verify: async () => {
    daemon.person('key first\npin 12345678\naccept\n');
    const { signatures } = await client.call('sign', signing());
    await conforms('verify', { document: { content: signatures[0] }, content: text('hi'), at: 1790000000 });
    daemon.person('key first\npin 12345678\naccept\n');
    const xml = await client.call('sign', signing({ format: 'xml', documents: [text('<a/>')] }));
    return conforms('verify', { document: text(xml.signatures[0]) });
  },
  cancel: () => conforms('cancel', { id: 'nobody' }),
  // Work on keys is not for ordinary sites; what it gives to commands is held against the description in keys.test.cjs.
  'keys.list': () => refused('keys.list', {}, 'key_work_denied'),
  'keys.renew': () => refused('keys.renew', { application: 'A' }, 'key_work_denied'),
  'keys.install': () => refused('keys.install', { files: ['AAAA'] }, 'key_work_denied'),
  'keys.delete': () => refused('keys.delete', { id: '01', public_key: 'AAAA' }, 'key_work_denied'),
  'keys.label': () => refused('keys.label', { id: '01', label: 'a' }, 'key_work_denied'),
  'pin.change': () => refused('pin.change', {}, 'key_work_denied'),
  'pin.unblock': () => refused('pin.unblock', {}, 'key_work_denied'),
  'status.link': async () => {
    await conforms('status.link', {}, command);
    await refused('status.link', {}, 'unsupported');
  },
  'applications.list': async () => {
    await refused('applications.list', {}, 'key_work_denied');
    await conforms('applications.list', {}, command);
  },
  'applications.show': () => refused('applications.show', { application: '20261123-ABCDEF' }, 'application_unknown', undefined, command),
  'applications.submitted': () => refused('applications.submitted', { application: '../A' }, 'application_unknown', undefined, command),
};

for (const { name } of spec.methods) {
  test(`${name} takes and gives what is described`, async () => {
    assert.ok(stories[name], 'every method that is described is tried');
    await stories[name]();
  });
}

test('the examples are understood', async () => {
  for (const { name, params, examples } of spec.methods) {
    for (const example of examples) {
      const given = Object.fromEntries(example.params.map((each) => [each.name, each.value]));
      for (const { name: parameter, schema } of params) {
        if (parameter in given) assert.deepEqual(faults(schema, given[parameter]), [], `${name}: ${example.name}`);
      }
      daemon.person('cancel\n');
      const { error } = await client.send(name, given);
      assert.notEqual(error?.code, -32602, `${name}: ${JSON.stringify(error)}`);
    }
  }
  for (let i = 1; i < 5; i += 1) await client.send('upload.drop', { upload: `upload-${i}` });
});

test('a member that is not described is refused, in every object of every method', async () => {
  for (const { name } of spec.methods) {
    const { code, data } = await client.fails(name, { unheard_of: 1 });
    assert.equal(code, -32602, name);
    assert.equal(data.error, 'bad_request');
  }
});

test('notifications are as described', async () => {
  daemon.person('key first\npin 12345678\naccept\n');
  client.notifications.length = 0;
  await client.call('sign', signing({ documents: [text('1'), text('2'), text('3')] }));
  assert.ok(client.notifications.length >= 2);
  for (const { method, params } of client.notifications) {
    const described = spec['x-notifications'].find((each) => each.name === method);
    for (const { name, schema } of described.params) assert.deepEqual(faults(schema, params[name]), [], `${method}: ${name}`);
    assert.equal(Object.keys(params).length, described.params.length);
  }
});

test('errors have the number and the word that the description and the documentation have', async () => {
  await refused('sign', { format: 'cms' }, 'bad_request');
  await refused('sign', signing({ documents: [{ content: '@' }] }), 'bad_base64');
  await refused('sign', signing({ format: 'xml', documents: [text('<a>')] }), 'xml_malformed');
  await refused('sign', signing({ format: 'xml', element: '//b', documents: [text('<a/>')] }), 'xml_target');
  await refused('sign', signing({ format: 'raw', documents: [text('TAMGA-AUTHENTICATE-v1\n')] }), 'raw_refused');
  await refused('sign', signing({ documents: Array.from({ length: 10001 }, () => text('')) }), 'too_large');
  await refused('sign', signing({ documents: [{ upload: 'nothing' }] }), 'file_not_found');
  await refused('sign', signing({ signer: { storages: ['AKJaCartaStore'] } }), 'token_absent');
  await refused('sign', signing({ signer: { iin: '999999999999' } }), 'key_not_found', 'key misfit\npin 12345678\naccept\n');
  await refused('sign', signing(), 'user_cancelled', 'cancel\n');
  await refused('sign', signing({ timestamp: true }), 'timestamp_unavailable', 'key first\npin 12345678\naccept\n');
  await refused('authenticate', { challenge: 'AAAA' }, 'bad_request');
  await refused('verify', { document: text('<a/>') }, 'xml_target');
  await refused('upload.end', { upload: 'nothing' }, 'file_not_found');
  await refused('upload.drop', { upload: 'nothing' }, 'file_not_found');
  daemon.person('hang\n');
  const called = client.send('sign', signing());
  await until('the prompt', () => daemon.prompts().length > 0);
  await client.call('cancel', { id: client.last - 0 });
  assert.equal((await called).error.code, errors.withdrawn.code);
});

test('every word of errors.md has a number, and no other has', () => {
  const documented = [...fs.readFileSync(path.join(root, 'docs/errors.md'), 'utf8').matchAll(/^### (\w+)$/gm)].map(([, word]) => word);

  assert.deepEqual(Object.keys(errors).sort(), documented.sort());
});
