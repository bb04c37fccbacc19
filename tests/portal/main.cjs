#!/usr/bin/env node
// Starts the portal, for tests and demos. It listens on this computer alone.
'use strict';

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { Portal } = require('./portal.cjs');
const { password } = require('./people.cjs');
const { readCertificates } = require('./verify.cjs');

const usage = `node tests/portal/main.cjs --folder DIR [options]

A portal of invented people, keys and services, for tests and demos of Tamga: FOR TESTS ONLY.

  --folder DIR           where the database and the authorities lie; made where it is not there
  --port N               of the pages; any without it
  --name NAME            of the site, as the browser knows it (localhost); it listens on 127.0.0.1 whatever it is
  --tls CERT KEY         https with these PEM files, instead of http
  --trust FILE           takes signatures of this authority's certificates too; may be given several times
  --tamga-port N         where the pages look for the daemon (13579)

It prints where it listens, and what a daemon's tamga.toml says to use its OCSP, list of revoked certificates and
time-stamps. Ends with Ctrl+C. tests/portal/README.md tells of the people and of what they can do.
`;

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean' }, folder: { type: 'string' }, port: { type: 'string' }, name: { type: 'string' },
      tls: { type: 'string' }, trust: { type: 'string', multiple: true }, 'tamga-port': { type: 'string' },
    },
  });
  if (values.help) return undefined;
  if (!values.folder || (values.tls !== undefined) !== (positionals.length === 1)) throw new Error('--folder DIR is needed, and two files after --tls');
  const number = (text) => (text === undefined ? undefined : Number(text));
  return {
    folder: values.folder, name: values.name, port: number(values.port), tamga: number(values['tamga-port']),
    tls: values.tls && { cert: fs.readFileSync(values.tls), key: fs.readFileSync(positionals[0]) },
    trust: (values.trust ?? []).flatMap(readCertificates),
  };
}

async function main() {
  const wanted = options();
  if (!wanted) return process.stdout.write(usage);
  const portal = await Portal.start(wanted);
  process.stdout.write(`${portal.origin}/ is ready. Logins citizen, head, employee...; the password is ${password}.\n${portal.configuration()}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => portal.stop().then(() => process.exit(0)));
  return undefined;
}

main().catch((failure) => {
  process.stderr.write(`portal: ${failure.message}\n`);
  process.exitCode = 1;
});
