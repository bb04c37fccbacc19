// Two portals on this computer, https://egov.kz, which Tamga knows, and https://portal.test, which it does not. Their certificate is
// written to the file that is named, for browsers to trust it as that of these hosts and of nothing else. Runs until it is ended.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');

const [certificate] = process.argv.slice(2);
const key = path.join(fs.mkdtempSync('/run/portal-'), 'key.pem');
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
  '-out', `${certificate}.new`, '-days', '30', '-subj', '/CN=portals of a test', '-addext', 'basicConstraints=critical,CA:FALSE',
  '-addext', 'subjectAltName=DNS:egov.kz,DNS:portal.test'], { stdio: ['ignore', 'ignore', 'pipe'] });

const page = '<!DOCTYPE html><meta charset="utf-8"><title>A portal</title><script src="client.js"></script>';
const client = fs.readFileSync(require.resolve('ncalayer-js-client'));
https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(`${certificate}.new`) }, (request, response) => {
  if (request.url === '/client.js') response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(client);
  else response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
}).listen(443, '127.0.0.1', () => fs.renameSync(`${certificate}.new`, certificate));
