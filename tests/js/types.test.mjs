// tamga.d.mts speaks of the module that is there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import * as module from '../../protocol/js/tamga.mjs';
import { FakeTamga } from './support.mjs';

const types = fs.readFileSync(new URL('../../protocol/js/tamga.d.mts', import.meta.url), 'utf8');
const spec = JSON.parse(fs.readFileSync(new URL('../../protocol/tamga/openrpc.json', import.meta.url), 'utf8'));

/** Names of the members of an interface or class, at its first level. */
function members(name) {
  const [, body] = types.match(new RegExp(`^(?:export )?(?:declare )?(?:interface|class) ${name}\\b[^{]*\\{\\n([^]*?)^\\}`, 'm'));
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, member]) => member).filter((member) => member !== 'constructor').sort();
}
const isAlso = (described) => Object.keys(spec.components.schemas[described].properties).sort();

test('every export of the module has a type, and no other has', () => {
  const declared = [...types.matchAll(/^export declare (?:const|function|class) (\w+)/gm)].map(([, name]) => name);

  assert.deepEqual(declared.sort(), Object.keys(module).sort());
});

test('every reason is in the type of reasons, and no other is', () => {
  const [, union] = types.match(/export type Reason =([^;]*);/);

  assert.deepEqual([...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason), [...module.reasons]);
});

test('a client has the members of its type', async () => {
  const tamga = await FakeTamga.start();
  const client = await module.connect({ port: tamga.port });
  const there = Object.getOwnPropertyNames(Object.getPrototypeOf(client)).filter((name) => !['constructor', 'open'].includes(name));

  assert.deepEqual(there.sort(), members('Client'));
  client.close();
  await tamga.stop();
});

test('what travels is typed with the members that openrpc.json describes', () => {
  assert.deepEqual(members('Signer'), isAlso('Signer'));
  assert.deepEqual(members('Certificate'), isAlso('Certificate'));
  const ofCommands = ['label', 'manufacturer', 'model', 'serial', 'pin_locked', 'attempts_left'];
  assert.deepEqual(members('Token'), isAlso('Token').filter((name) => !ofCommands.includes(name)));
  const sign = spec.methods.find(({ name }) => name === 'sign').params.map(({ name }) => name);
  assert.deepEqual([...members('Signing'), 'purpose', 'service'].sort(), sign.sort());
});
