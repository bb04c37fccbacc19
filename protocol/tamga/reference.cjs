#!/usr/bin/env node
// Writes the reference in docs/tamga-v1.md, between its two marks, from openrpc.json. `--check` compares instead, and says
// what to do where they differ.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const spec = JSON.parse(fs.readFileSync(path.join(__dirname, 'openrpc.json'), 'utf8'));
const page = path.join(__dirname, '../../docs/tamga-v1.md');
const [begin, end] = ['<!-- made by protocol/tamga/reference.cjs: begin -->\n', '<!-- made by protocol/tamga/reference.cjs: end -->'];

const cell = (text) => (text ?? '').replaceAll('|', '\\|');
const nameOf = (reference) => reference.split('/').at(-1);

/** A type in a word or two. */
function typeOf(schema) {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    const known = spec.components.schemas[name];
    return known.properties ? `[${name}](#${name.toLowerCase()})` : typeOf(known);
  }
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.const) return `\`${schema.const}\``;
  if (schema.oneOf) return schema.oneOf.map(typeOf).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items)}`;
  if (schema.type === 'string') return 'text';
  if (schema.type === 'integer') return 'number';
  return schema.type;
}

/** The rows of an object's members, those of an object within it by their path. */
function rows(schema, prefix = '') {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const needed = schema.required?.includes(name) ? '' : ' (optional)';
    const row = `| \`${prefix}${name}\`${needed} | ${typeOf(member)} | ${cell(member.description)} |`;
    return member.properties ? [row, ...rows(member, `${prefix}${name}.`)] : [row];
  });
}

function table(head, lines) {
  return lines.length ? [`| ${head} | type | meaning |`, '|---|---|---|', ...lines, ''] : [];
}

function parameters(list) {
  return list.map(({ name, required, schema, description }) => (
    `| \`${name}\`${required ? '' : ' (optional)'} | ${typeOf(schema)} | ${cell(description ?? schema.description)} |`));
}

function method({ name, summary, params, result, errors }) {
  const answer = result.schema.$ref ? [`Result: ${typeOf(result.schema)}.`, '']
    : table('result', rows(result.schema));
  const words = errors.map(({ $ref }) => `\`${nameOf($ref)}\``).join(', ');
  return [`### ${name}`, '', summary, '', ...table('parameter', parameters(params)),
    ...(answer.length ? answer : ['Result: an empty object.', '']), ...(words ? [`Errors of its own: ${words}.`, ''] : [])];
}

function reference() {
  const { errors, schemas } = spec.components;
  return [
    ...spec.methods.flatMap(method),
    ...spec['x-notifications'].flatMap(({ name, summary, params }) => (
      [`### ${name} (notification)`, '', summary, '', ...table('parameter', parameters(params))])),
    ...Object.entries(schemas).filter(([, { properties }]) => properties).flatMap(([name, schema]) => (
      [`### ${name}`, '', ...(schema.description ? [`An object: ${schema.description}.`, ''] : []), ...table('member', rows(schema))])),
    '### Numbers of errors', '', '| number | word |', '|---|---|',
    ...Object.entries(errors).map(([word, { code }]) => `| ${code} | [${word}](errors.md#${word}) |`), '',
  ].join('\n');
}

const text = fs.readFileSync(page, 'utf8');
const from = text.indexOf(begin) + begin.length;
const to = text.indexOf(end);
if (to < from || !text.includes(begin)) throw new Error(`${page} has no place for the reference`);
const made = `${text.slice(0, from)}\n${reference()}\n${text.slice(to)}`;
if (process.argv[2] !== '--check') {
  fs.writeFileSync(page, made);
} else if (made !== text) {
  console.error('docs/tamga-v1.md is not what openrpc.json says: run protocol/tamga/reference.cjs');
  process.exitCode = 1;
}
