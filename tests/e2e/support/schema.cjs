// As much of JSON Schema as protocol/tamga/openrpc.json uses. An unknown keyword is an error: nothing is left unchecked.
'use strict';

const spec = require('../../../protocol/tamga/openrpc.json');

const said = new Set(['description', '$ref', 'type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'const',
  'oneOf', 'minimum', 'minItems', 'maxItems', 'minLength', 'maxLength', 'pattern']);
const isOf = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
};

/** What is wrong with `value`, by path; empty where nothing is. */
function faults(schema, value, path = '$') {
  for (const keyword of Object.keys(schema)) if (!said.has(keyword)) throw new Error(`${path}: ${keyword} is not checked`);
  if (schema.$ref) return faults(spec.components.schemas[schema.$ref.split('/').at(-1)], value, path);
  if (schema.oneOf) {
    return schema.oneOf.filter((each) => faults(each, value).length === 0).length === 1 ? [] : [`${path}: not one of several`];
  }
  if (schema.type && !isOf[schema.type](value)) return [`${path}: no ${schema.type}`];
  const found = [];
  const wrong = (when, what) => { if (when) found.push(`${path}: ${what}`); };
  wrong('const' in schema && value !== schema.const, `not ${schema.const}`);
  wrong(schema.enum && !schema.enum.includes(value), `${value} is none of ${schema.enum}`);
  wrong(value < schema.minimum, 'too small');
  wrong(schema.pattern && !new RegExp(schema.pattern, 'u').test(value), `${value} is not ${schema.pattern}`);
  wrong((value.length < schema.minLength) || (value.length < schema.minItems), 'too short');
  wrong((value.length > schema.maxLength) || (value.length > schema.maxItems), 'too long');
  if (schema.items) value.forEach((item, i) => found.push(...faults(schema.items, item, `${path}[${i}]`)));
  for (const name of schema.required ?? []) wrong(!(name in value), `${name} is missing`);
  if (schema.properties) {
    for (const [name, member] of Object.entries(value)) {
      if (schema.properties[name]) found.push(...faults(schema.properties[name], member, `${path}.${name}`));
      else wrong(schema.additionalProperties === false, `${name} is not described`);
    }
  }
  return found;
}

module.exports = { faults, spec };
